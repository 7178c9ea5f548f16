//! Logs through the reader: what it makes of wrapped lines, of mixed files, of exports, and of anything at all.

mod corpora;
mod crew;
mod exports;
mod following;
mod lab;
mod mixed;
mod properties;
mod rotated;
mod samples;
mod screened;
mod several;
mod split;
