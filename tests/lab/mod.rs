//! The lab: real web servers with a back end that fails on demand, a desk with files, and the programs under test.
//!
//! ```text
//!   ask ──▶ Server (nginx, Apache; writes the access log) ──▶ Backend (down, then up; remembers what it was asked)
//!   Desk ── files, and the programs that run among them
//! ```
//!
//! Everything a test starts is its own: each server has its own folder and its own loopback address, so that tests run side
//! by side, and is stopped when the test drops it.

mod access_log;
mod apache;
mod ask;
mod backend;
mod corpora;
mod desk;
mod install;
mod nginx;
mod outage;
mod program;
mod records;
mod server;
mod truth;
mod wait;

pub(crate) use access_log::{line, refires, sorted, without_times};
pub(crate) use apache::apache;
pub(crate) use ask::ask;
pub(crate) use backend::Backend;
pub(crate) use corpora::corpus;
pub(crate) use desk::Desk;
pub(crate) use install::installed;
pub(crate) use nginx::{nginx, nginx_over_http2, nginx_that_logs, nginx_that_retires_connections};
pub(crate) use outage::Outage;
pub(crate) use program::{Ended, Program, Running, pipe};
pub(crate) use records::{count_by, ndjson};
pub(crate) use server::Server;
pub(crate) use truth::{Verdict, sendable, verdict};
pub(crate) use wait::until;

/// Bytes as text, one character a byte (ISO 8859-1), so that whatever bytes there are can be compared and shown.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
