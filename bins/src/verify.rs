//! Whether a retry log holds what it must: one line for each request that was sent, and no other.
//!
//! ```text
//!   logs ─▶ Selection ──match──▶ retry log        what the logs alone say
//!               │
//!               ╰──────compare──▶ ledger          what the ledger says to it
//! ```
//!
//! A request and its line of the retry log are known to belong together by what a refire leaves as it was: see [`Keys`]. Equal requests are counted, not told apart.

mod books;
mod findings;
mod keys;
mod lines;
mod selection;

pub(crate) use books::Standings;
pub(crate) use findings::{Findings, Known, Place, Problem, SHOWN_MAX};
pub(crate) use keys::{Keys, Read};
pub(crate) use lines::each_line;
pub(crate) use selection::Selection;
