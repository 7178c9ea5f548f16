//! Keep or drop.
//!
//! ```text
//!   Record ─▶ ours? ─▶ status ─▶ method ─▶ host ─▶ path ─▶ time ─▶ duplicate? ─▶ sampled? ─▶ within the limit? ─▶ Record
//! ```
//!
//! What is wanted is data: a [`Predicate`](logretry_record::Predicate) and a [`Quota`]. A [`Chooser`] is compiled from both and decides
//! on one record at a time, in the order of the picture; the [`Filter`] is the stage around it. Because stages only add to records, it
//! decides the same before and after a refire.
//!
//! By default a filter drops what logretry itself has sent: lines whose URL carries the mark, and lines with our user agent. So a
//! retry log that is fed back in, or the log of the server that was refired at, selects nothing that was sent before.
//!
//! ```
//! use logretry_filter::{Chooser, Quota};
//! use logretry_record::{Exchange, Origin, Predicate, Record, RecordId};
//! use logretry_stage::Dropped;
//!
//! let record = |status, target: &str| {
//!     let original = Exchange { status: Some(status), target: Some(target.into()), ..Exchange::default() };
//!     Record::new(RecordId::of_line(b"", 0), Origin::new("-", 1, 0, "combined", ""), original)
//! };
//! let mut chooser = Chooser::new(&Predicate::default(), Quota::default())?;
//! assert_eq!(chooser.decide(&record(502, "/a")), Ok(()));
//! assert_eq!(chooser.decide(&record(200, "/a")), Err(Dropped::Status));
//! assert_eq!(chooser.decide(&record(502, "/a?retry=True")), Err(Dropped::Marked));
//! # Ok::<(), logretry_filter::FilterError>(())
//! ```

#![warn(missing_docs)]

mod chooser;
#[cfg(feature = "cli")]
mod cli;
mod hosts;
mod moment;
mod quota;

use futures_util::StreamExt as _;
use logretry_stage::{Context, RecordStream, Stage};

pub use chooser::{Chooser, FilterError};
#[cfg(feature = "cli")]
pub use cli::{EarlyArgs, SelectArgs};
pub use moment::{MomentError, parse_moment};
pub use quota::{Quota, Share, ShareError};

/// The stage that lets pass what its chooser keeps, and counts the rest by reason.
#[derive(Debug)]
pub struct Filter {
    chooser: Chooser,
}

impl Filter {
    /// A filter that keeps what `chooser` keeps.
    pub fn new(chooser: Chooser) -> Self {
        Self { chooser }
    }
}

impl Stage for Filter {
    fn apply(mut self, input: impl RecordStream, cx: &Context) -> impl RecordStream {
        let cx = cx.clone();
        input.filter(move |item| {
            let keep = item.as_ref().map_or(true, |record| match self.chooser.decide(record) {
                Ok(()) => {
                    cx.tally().select();
                    true
                }
                Err(why) => {
                    cx.tally().drop_for(why);
                    false
                }
            });
            std::future::ready(keep)
        })
    }
}
