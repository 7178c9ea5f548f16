//! The grammar of logretry: how records flow.
//!
//! ```text
//!   Source ──▶ Stage ──▶ Stage ──▶ Sink           one process: streams of `Record`s, no JSON
//!   lr-read  | lr-filter | lr-refire | lr-write   four processes: the same stages between `pipe::Input` and `pipe::Output`
//! ```
//!
//! A [`Source`] makes records, a [`Stage`] lets them through, drops them or completes them, a [`Sink`] takes them. They are
//! joined by handing one's stream to the next, and the sink asks for each record: whoever is slow slows down all before it,
//! and nothing is buffered beyond stated limits.
//!
//! What the stages of one run share is its [`Context`]: the two stop signals, the [`Tally`] in which every number is kept, the
//! [`Rejects`], and the [`Notes`] for the person who watches.
//!
//! Errors take three roads. A [`Fatal`] ends the stream. A line or record that cannot be used is a
//! [`Reject`](logretry_record::Reject), counted and shown. How a request ended is in its record.
//!
//! ```
//! use futures_util::StreamExt as _;
//! use logretry_record::{Exchange, Origin, Record, RecordId};
//! use logretry_stage::{Context, Dropped, RecordStream, Stage};
//!
//! /// Keeps every record once.
//! struct Once;
//!
//! impl Stage for Once {
//!     fn apply(self, input: impl RecordStream, cx: &Context) -> impl RecordStream {
//!         let (mut seen, cx) = (std::collections::HashSet::new(), cx.clone());
//!         input.filter(move |item| {
//!             let keep = item.as_ref().map_or(true, |record| seen.insert(record.id()));
//!             if !keep {
//!                 cx.tally().drop_for(Dropped::Duplicate);
//!             }
//!             async move { keep }
//!         })
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let record = Record::new(
//!     RecordId::of_line(b"x", 0),
//!     Origin::new("access.log", 1, 0, "combined", "x"),
//!     Exchange::default(),
//! );
//! let cx = Context::default();
//! let source = futures_util::stream::iter([Ok(record.clone()), Ok(record)]);
//! let mut records = std::pin::pin!(Once.apply(source, &cx));
//! assert!(records.next().await.is_some());
//! assert!(records.next().await.is_none());
//! assert_eq!(cx.tally().accounts().dropped[&Dropped::Duplicate], 1);
//! # });
//! ```

#![warn(missing_docs)]

pub mod bridge;
#[cfg(feature = "cli")]
mod cli;
mod context;
mod fatal;
mod folder;
mod gather;
mod grammar;
mod line_file;
pub mod lines;
mod notes;
mod outlet;
mod own_file;
pub mod pipe;
mod rejects;
mod tally;

#[cfg(feature = "cli")]
pub use cli::{MarkArgs, RejectArgs, file_to_write, parse_bytes};
pub use context::{Context, Stops};
pub use fatal::{Fatal, Result};
pub use folder::folder;
pub use grammar::{RecordStream, Sink, Source, Stage, Watch};
pub use line_file::{LineFile, Reopen, begin_file, is_removed};
pub use notes::Notes;
pub use outlet::hand_over;
pub use own_file::{open_own, refuse_what_others_hold};
pub use rejects::{Rejects, RejectsError};
pub use tally::{Accounts, Dropped, Imbalance, Tally};
