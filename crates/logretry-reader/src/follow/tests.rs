//! What is done to logs, in any order, under the eyes of a follower.

mod moments;
mod script;
mod sequences;
mod simulated;
mod world;
