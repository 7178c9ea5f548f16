//! Access-log formats: a line to the fields of a request, changed fields back to a line, exact to the byte.
//!
//! ```text
//!   log_format / LogFormat / preset ──compile──▶ Format
//!                                                  │
//!   203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9"
//!   %h          %l %u %t                          %r                   %>s %b  …
//!                                                  │
//!                                  parse ──▶ Parsed ──▶ Exchange: GET, /a?b=c, 502 …
//!                                  rewrite ──▶ the same line: /a?b=c&retry=True, 200 …
//! ```
//!
//! A [`Format`] is compiled from what already stands in the server's configuration, to literal bytes and fields in turn. It
//! finds each field's place in a line ([`Parsed`]) without copying; [`Parsed::exchange`] then undoes the server's log escape, once,
//! with that server's own decoder, and gives what the client asked for and what it got. [`Format::rewrite`] changes those places and
//! no other byte. [`presets`] have names, and [`detect`] finds out which of them a log is in.
//!
//! Where values have names (JSON objects, LTSV, logfmt, W3C extended logs) a format is which names are used for what, and all
//! else is the same. Logs with `#Fields:` lines say it themselves: [`Format::header`].
//!
//! Lines hold what clients send, and clients lie. A line that can be read as two different requests is an error
//! ([`LineError::Ambiguous`]), never a guess.
//!
//! There is no I/O and no async in this crate.
//!
//! ```
//! use logretry_format::{Change, Format, Spans};
//! use logretry_record::Mark;
//!
//! let format = Format::compile("combined")?;
//! let line = br#"203.0.113.9 - - [22/Nov/2026:08:22:52 +0200] "GET /quo\x22te?b=c HTTP/1.1" 502 157 "-" "curl/8.9""#;
//!
//! let mut spans = Spans::new();
//! let parsed = format.parse(line, &mut spans)?;
//! assert_eq!(parsed.status(), Some(502));
//! assert_eq!(parsed.exchange().target.as_deref(), Some("/quo%22te?b=c"));
//!
//! let time = "2026-11-22T06:25:01Z".parse()?;
//! let mark = Mark::default();
//! let change = Change { mark: &mark, time, status: Some(200), bytes: Some(512), duration_ms: Some(23.1) };
//! let mut retry = Vec::new();
//! format.rewrite(line, &change, &mut retry)?;
//! assert_eq!(
//!     retry,
//!     br#"203.0.113.9 - - [22/Nov/2026:08:25:01 +0200] "GET /quo\x22te?b=c&retry=True HTTP/1.1" 200 512 "-" "curl/8.9""#
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_docs)]

mod apache;
mod asking;
mod assemble;
mod captures;
mod compiled;
mod config;
mod detect;
mod dialect;
mod digits;
mod end;
mod envoy;
mod error;
mod escape;
mod evidence;
mod field;
mod format;
mod gunicorn;
mod habits;
mod haproxy;
mod hashes;
mod keyed;
#[cfg(test)]
#[path = "../../logretry-record/src/levels.rs"]
mod levels;
mod list;
mod literal;
mod marks;
mod nginx;
mod parsed;
mod pasted;
mod pattern;
mod presets;
mod quoting;
mod reading;
mod request;
mod rewrite;
mod scan;
mod screen;
mod spans;
mod spec;
mod split;
mod steps;
mod structured;
mod target;
mod template;
mod time;
mod uses;

pub use detect::{DETECTION_LINES_MAX, Detection, Score, Verdict, detect};
pub use error::{LineError, SpecError};
pub use format::Format;
pub use parsed::FieldView;
pub use presets::{Preset, presets};
pub use reading::Parsed;
pub use rewrite::{Change, Draft};
pub use screen::Screen;
pub use spans::Spans;
