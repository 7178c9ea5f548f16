//! Sends the requests again that a web server answered with a 5xx status, each once, and keeps a log of them in which every URL
//! carries `retry=True`.
//!
//! ```text
//!   access.log ─▶ Reader ─▶ Filter ─▶ Refirer ─▶ Rewriter ─▶ retry.log
//! ```
//!
//! This is the front of the library: [`Run`] links the four stages with the same defaults as the `logretry run` program. Whoever wants other
//! stages between them, or records instead of a log, links the crates of the stages as [`link`] does.
//!
//! # From async code
//!
//! ```
//! use logretry::{Outcome, Run};
//!
//! # async fn example(server: String, dir: &std::path::Path) -> Result<(), logretry::Fatal> {
//! let report = Run::new([dir.join("access.log")])
//!     .base_url(&server)?
//!     .retry_log(dir.join("retry.log"))
//!     .on_refire(|record| {
//!         let retry = record.retry().expect("a refire has ended");
//!         match retry.outcome {
//!             Outcome::Recovered => {}
//!             Outcome::Refused => eprintln!("answered with 4xx: {:?}", retry.url),
//!             Outcome::Failing => eprintln!("still failing: {:?}", retry.url),
//!             Outcome::Unanswered => eprintln!("no answer ({:?}): {:?}", retry.error, retry.url),
//!             // The run was stopped, or has given up the host: the same run again goes on.
//!             Outcome::Unsent => eprintln!("not sent ({:?}): line {}", retry.reason, record.origin().line),
//!             Outcome::InDoubt => eprintln!("cut off on its way: {:?}", retry.url),
//!             Outcome::Skipped => eprintln!("not sent ({:?}): line {}", retry.reason, record.origin().line),
//!         }
//!     })
//!     .run()
//!     .await?;
//! assert_eq!(report.lines, 3);
//! assert_eq!(report.outcome(Outcome::Recovered), 2);
//! # Ok(())
//! # }
#![doc = include_str!("../doc/example-server.md")]
//! # tokio::runtime::Runtime::new()?.block_on(example(server(), dir.path()))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # From synchronous code
//!
//! ```
//! # fn example(server: String, dir: &std::path::Path) -> Result<(), logretry::Fatal> {
//! let report = logretry::Run::new([dir.join("access.log")])
//!     .base_url(&server)?
//!     .retry_log(dir.join("retry.log"))
//!     .run_blocking()?;
//! assert_eq!(report.written, 2);
//! # Ok(())
//! # }
#![doc = include_str!("../doc/example-server.md")]
//! # example(server(), dir.path())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_docs)]

mod books;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod commands;
mod files;
mod run;
#[cfg(feature = "cli")]
mod verify;

pub use logretry_ledger::Durability;
pub use logretry_record::{
    ErrorKind, Exit, Mark, Outcome, Predicate, Reason, Record, Retry, StatusSet, TimeRange,
};
pub use logretry_refirer::{
    Bodies, HttpVersion, IdempotencySecret, Options as RefireOptions, Pace, add_header,
};
pub use logretry_rewriter::Form;
pub use logretry_stage::{Accounts, Dropped, Fatal, Stops};
pub use run::{Run, link};
