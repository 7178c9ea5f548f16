//! The vocabulary of logretry: what its stages say to each other.
//!
//! ```text
//!   access log ──▶ reader ──▶ filter ──▶ refirer ──▶ rewriter ──▶ retry log
//!                        Record    Record      Record + Retry
//! ```
//!
//! A [`Record`] is one request that a web server logged: where the line stands ([`Origin`]), what happened then
//! ([`Exchange`]) and, once it was asked again, how that ended ([`Retry`]). Stages only ever *add* to a record, which is
//! why it has no setters: [`Record::new`] makes one, [`Record::with_retry`] completes it.
//!
//! Between processes a record is one line of JSON, *the record, version 1*, specified field by field in [`wire`] and in
//! `schema/record-v1.schema.json` beside it. A record that was decoded keeps the bytes it came in, so a stage that
//! only selects passes them on unchanged, fields of a later version included.
//!
//! The rest is what the stages share without needing each other: the selection as data ([`Predicate`], [`StatusSet`]),
//! the retry [`Mark`], lines that could not be used ([`Reject`]), the [`Exit`] codes, and [`Shown`], the one way in which
//! bytes of a log reach a person's screen.
//!
//! There is no I/O and no async in this crate.
//!
//! ```
//! use logretry_record::{Exchange, Origin, Outcome, Record, RecordId, Retry};
//!
//! let text = br#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9""#;
//! let origin = Origin::new("access.log", 204, 18_231, "combined", text.as_slice());
//! let original = Exchange {
//!     method: Some("GET".into()),
//!     target: Some("/a?b=c".into()),
//!     status: Some(502),
//!     ..Exchange::default()
//! };
//! let record = Record::new(RecordId::of_line(text, 0), origin, original);
//!
//! let mut line = Vec::new();
//! record.encode(&mut line);
//! let read = Record::decode(&line)?;
//! assert_eq!(read.original().status, Some(502));
//! # Ok::<(), logretry_record::DecodeError>(())
//! ```

#![warn(missing_docs)]

mod encode;
mod exchange;
mod exit;
mod header;
mod id;
mod id_hasher;
#[cfg(test)]
mod levels;
mod line_counter;
mod mark;
mod predicate;
mod record;
mod reject;
mod retry;
mod shown;
mod skim;
mod status;
mod user_agent;
mod whole;
pub mod wire;

pub use encode::Encoder;
pub use exchange::{Exchange, ExchangeRef, Scheme};
pub use exit::Exit;
pub use header::{Header, is_credential, is_text_as_sent};
pub use id::{RecordId, RecordIds};
pub use id_hasher::IdHasher;
pub use line_counter::{LineCounter, LineKey};
pub use mark::{Mark, MarkError};
pub use predicate::{Predicate, TimeRange, TimeRangeError};
pub use record::{Origin, Record};
pub use reject::Reject;
pub use retry::{ErrorKind, Outcome, Reason, Retry};
pub use shown::{Harmless, Shown, shown_url};
pub use status::{StatusSet, StatusSetError};
pub use user_agent::{USER_AGENT_PREFIX, refire_in};
pub use wire::{DecodeError, RECORD_BYTES_MAX};
