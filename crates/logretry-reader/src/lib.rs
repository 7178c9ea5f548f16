//! Bytes into records.
//!
//! ```text
//!   access.log.2.gz ─┐ unpack ─▶ entries ─▶ wrappers off ─▶ format ─▶ Record
//!   access.log.1    ─┤                                       └─▶ Reject, or screened
//!   access.log      ─┘ one after the other, oldest first; a file by all cores at once
//! ```
//!
//! [`inputs`] turns what was named on the command line (files, globs, directories, `-`) into an ordered list. The [`Reader`] opens each
//! of them, unpacks what is compressed, finds out its format unless it was told, and makes one record of each line.
//! What others have put around the lines ([`Wrapper`]: docker, syslog, a journal, an exported JSON array …) is taken off, in any nesting, if a line is in no
//! format as it stands, and pieces of a line are put together: the text, the id and the format of a record are those of the line that the web server wrote.
//! Its place is that of the first piece; the last piece makes the record, and the others count as screened.
//!
//! A log that grows can be followed ([`Following`]), through rotation, truncation and whatever else is done to logs.
//!
//! Every line has one of three ends: it becomes a record, it is rejected (and kept for the person who asks), or it is screened, because it holds
//! no request (a blank line, a `#` comment) or cannot be selected.
//!
//! ```
//! use futures_util::StreamExt as _;
//! use logretry_reader::{Reader, ReaderOptions, inputs};
//! use logretry_stage::{Context, Source as _};
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("access.log");
//! # let line = r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a HTTP/1.1" 502 157 "-" "curl/8.9""#;
//! # std::fs::write(&path, line)?;
//! let reader = Reader::new(inputs(&[path])?, ReaderOptions::default());
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let mut records = std::pin::pin!(reader.open(&Context::default()));
//! let first = records.next().await.expect("a record")?;
//! assert_eq!(first.original().target.as_deref(), Some("/a"));
//! # Ok::<(), logretry_stage::Fatal>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_docs)]

mod ahead;
mod arrival;
mod blocks;
mod capture;
#[cfg(feature = "cli")]
mod cli;
mod copies;
mod crew;
mod desk;
mod entries;
mod error;
mod error_log;
mod fallback;
mod follow;
mod input;
mod line_ends;
mod named;
mod opened;
mod pattern;
mod reader;
mod rotation;
mod sample;
mod search;
mod sift;
mod spec;
mod survey;
mod twins;
mod unpack;
mod unread;
mod wrappers;

#[cfg(feature = "cli")]
pub use cli::{FollowArgs, ReadArgs};
pub use error::ReaderError;
pub use follow::{Following, Progress};
pub use input::{Input, inputs};
pub use reader::{Reader, ReaderOptions};
pub use sample::Sample;
pub use spec::format;
pub use unpack::Compression;
pub use wrappers::Wrapper;
