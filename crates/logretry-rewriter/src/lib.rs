//! The retry log.
//!
//! ```text
//!   … "GET /a?b=c HTTP/1.1" 502 157 …             the line as the server wrote it
//!   … "GET /a?b=c&retry=True HTTP/1.1" 200 512 …  the line in the retry log
//! ```
//!
//! One line for each request that was sent again, appended to a text log of its own. By default it has the format of the line that it came from: the very
//! bytes of that line, changed only where the URL, the status, the time, the size and the duration stand. Those are the refire's; where no
//! answer came, the status is `000`. So the retry log is read by whatever reads the log, logretry included. [`Form`] names the other forms.
//!
//! A [`Renderer`] is a pure function from a record to a line; [`Rewriter`] is the sink around it. Records that were not sent have no line. [`DeadLetters`] keeps those
//! that did not recover.

#![warn(missing_docs)]

#[cfg(feature = "cli")]
mod cli;
mod combined;
mod dead_letters;
mod form;
mod log_file;
mod log_mark;
mod renderer;
mod retry_log;
mod rewriter;
mod table;

#[cfg(feature = "cli")]
pub use cli::WriteArgs;
pub use dead_letters::DeadLetters;
pub use form::Form;
pub use log_file::{LogFileError, open_log};
pub use log_mark::LogMark;
pub use renderer::{Fallback, Renderer};
pub use retry_log::{Completed, RetryLog};
pub use rewriter::Rewriter;
