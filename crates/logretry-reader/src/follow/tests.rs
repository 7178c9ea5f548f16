//! What is done to logs, in any order, under the eyes of a follower.

mod moments;
mod names;
mod places;
mod script;
mod sequences;
mod simulated;
mod world;

/// How many cases are tried: so many, or as many as `just follow` asks for.
fn cases(number: u32) -> u32 {
    std::env::var("LOGRETRY_SEQUENCES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(number)
}
