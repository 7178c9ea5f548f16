//! How many instructions the hot paths take, counted by Valgrind: `just counts`.
//!
//! Unlike times, counts are the same on each run, whatever else the machine does, and nearly so (a few thousandths) where another directory moves things in memory. So each one is written down here, and a change that makes a path take
//! [`ROOM_PERCENT`] more of them fails. If that is meant, write down the new count; if a path has become cheaper, write that down too, for the guard is as tight as the count is true.
//!
//! The counts are those of x86-64 with AVX2, for the sieve, `memchr`, `blake3` and the C library choose their code by what the processor can. Valgrind tells all of them of a
//! processor with AVX2 and without AVX-512, where the real one has AVX2, so that newer processors do not differ.

#![expect(unused_qualifications, reason = "gungraun's macros write them")]

use gungraun::prelude::*;
use gungraun::{Callgrind, EventKind};

use crate::formats::{parse, rewrite, screen};
use crate::records::{decode, encode, id, many_ids, ordinal, skim};

mod formats;
#[path = "../../crates/logretry-format/benches/forms/mod.rs"]
mod forms;
#[path = "../../crates/logretry-record/benches/pipe/mod.rs"]
mod pipe;
mod records;
#[path = "../../crates/logretry-format/benches/requests/mod.rs"]
mod requests;

/// Lines that each count is of, if nothing else is said.
const LINES: usize = 100;
/// What a count may be above the one written down: compilers and C libraries differ by a few per cent.
const ROOM_PERCENT: u64 = 10;

/// Fails if it takes more than `instructions` and some room.
fn counted(instructions: u64) -> LibraryBenchmarkConfig {
    let most = instructions + instructions * ROOM_PERCENT / 100;
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    LibraryBenchmarkConfig::default().tool(callgrind.hard_limits([(EventKind::Ir, most)])).clone()
}

library_benchmark_group!(
    name = hot,
    benchmarks = [parse, screen, rewrite, encode, skim, decode, id, many_ids, ordinal]
);

main!(library_benchmark_groups = hot);
