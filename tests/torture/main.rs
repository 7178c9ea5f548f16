//! Torture: processes that are killed, disks that fail, power cuts. What the manual promises must hold afterwards, and a server that is not part of
//! logretry says whether it does.
//!
//! ```text
//!   Job ── a log, bodies, and the command that is run again and again ──▶ Oracle (counts what it has executed)
//!    │
//!    ├─ kills   kill -9 at random moments, SIGTERM at random moments
//!    ├─ steps   kill -9, EIO and ENOSPC at each system call that matters, injected by strace
//!    └─ power   what strace saw is played back up to a random moment, without what had not been synced by then
//! ```
//!
//! Each test here has a small form, which runs with all other tests, and a large one (`just torture`), which is ignored otherwise. Random numbers come
//! from a seed that each failure names; `TORTURE_SEED` sets it.

mod job;
mod kills;
mod oracle;
mod power;
mod steps;
mod trace;

use std::env;

/// The seed of this run's random numbers.
fn seed() -> u64 {
    env::var("TORTURE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}
