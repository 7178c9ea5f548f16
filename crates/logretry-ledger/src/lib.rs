//! What has been sent again, and how it ended. One file, which survives `kill -9`, a full disk and a power cut.
//!
//! ```text
//!               intent ─▶ send ─▶ outcome + line ─▶ retry log
//!                  │                    │               │
//!   ledger         ▼                    ▼               ▼
//!   (SQLite)   1 intent …           2 outcome …     how far it is
//! ```
//!
//! A record is *new*, *done*, or *in doubt*: there is an intent and no outcome, for the process was killed in between. An [intent](Ledger::intent) is
//! written last, just before the first byte is sent; so there are no more records in doubt than requests were under way. The
//! [outcome](Ledger::outcome) is written with its line of the retry log, which is appended after: the retry log is a [`Projection`] of the
//! ledger, and what a crash has cut off of it is completed from here.
//!
//! [`Ledger`] is for the one process that sends; [`Look`] for anybody who wants to know, also meanwhile. The file is an SQLite database, and
//! `sqlite3 -readonly retry.log.ledger 'select * from refires'` shows it.
//!
//! # What is promised
//!
//! - **Nothing is sent that is not written down.** If an intent cannot be written, its [`Ticket`] says so, and so does that of every later one. What a disk
//!   says about a failed sync cannot be mended by another sync, so none is tried.
//! - **Written** means that the death of this process does not lose it, **synced** that a power cut does not. Who waits for what is
//!   [`Durability`]'s to say; how it is done is told in `src/writer.rs`.
//! - **Order**: events are in the file in the order in which they were handed in; none is there without all before it.
//! - **One process** writes a ledger; a second one is told so at once. Network file systems are refused.
//! - **Its owner's only**: URLs carry secrets, so the file has the mode 0600.
//! - It does not grow for ever: intents that have ended, and lines that the retry log holds, are taken away in quiet moments.
//!
//! Not promised: anything against disks that lie about a sync, and against people who delete the file.
//!
//! # Example
//!
//! ```
//! use jiff::Timestamp;
//! use logretry_ledger::{Before, Durability, Ledger};
//! use logretry_record::{Outcome, Reason, RecordId, Retry};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("retry.log.ledger");
//! let id = RecordId::of_line(b"a log line", 0);
//! let ledger = Ledger::open(&path, "https://shop.example", Durability::Grouped)?;
//! assert_eq!(ledger.before(id)?, Before::New);
//! ledger.intent(id, 1, "POST", "https://shop.example/orders").wait()?;
//! // Here the request is sent. If the process dies now, the record is in doubt.
//! drop(ledger);
//!
//! let ledger = Ledger::open(&path, "https://shop.example", Durability::Grouped)?;
//! let Before::InDoubt(doubt) = ledger.before(id)? else { panic!("it was sent, and nobody knows more") };
//! assert!(doubt.is_held());
//! let retry = Retry {
//!     method: Some("POST".to_owned()),
//!     attempts: 1,
//!     outcome: Outcome::Recovered,
//!     status: Some(201),
//!     reason: None,
//!     ..Retry::not_sent(Timestamp::now(), Reason::Stopped)
//! };
//! ledger.outcome(id, &retry, None).wait()?;
//! assert_eq!(ledger.before(id)?, Before::Repeated, "this process has taken it up already");
//! ledger.close().wait()?;
//! drop(ledger);
//!
//! let ledger = Ledger::open(&path, "https://shop.example", Durability::Grouped)?;
//! assert_eq!(ledger.before(id)?, Before::Done(retry));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_docs)]

mod compact;
mod error;
mod event;
mod group;
mod ledger;
mod live;
mod look;
mod place;
mod projection;
mod queue;
mod rows;
mod schema;
mod ticket;
mod writer;

pub use error::LedgerError;
pub use event::{InDoubt, Verdict, is_safe};
pub use ledger::{Before, Durability, Ledger};
pub use look::{Digest, Entry, Look};
pub use projection::Projection;
pub use ticket::Ticket;
