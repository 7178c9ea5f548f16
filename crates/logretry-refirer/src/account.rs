use std::sync::Arc;

use jiff::Timestamp;
use logretry_record::{ErrorKind, Outcome, Reason, Retry};
use logretry_stage::Context;

/// The numbers of a record that has been sent. If it is dropped before it leaves, because nobody wants the answer any more, it still counts:
/// as its last answer says, or as one that may have arrived.
#[derive(Debug)]
pub(crate) struct Account {
    cx: Arc<Context>,
    on_the_wire: bool,
    last: Option<Outcome>,
    settled: bool,
}

impl Account {
    /// A record has been sent for the first time, or could not be.
    pub(crate) fn open(cx: &Arc<Context>) -> Self {
        cx.tally().take();
        Self { cx: Arc::clone(cx), on_the_wire: false, last: None, settled: false }
    }

    /// A request goes out.
    pub(crate) fn begin(&mut self) {
        self.cx.tally().in_flight(1);
        self.on_the_wire = true;
        self.last = None;
    }

    /// It has ended, or there was no connection for it.
    pub(crate) fn end(&mut self, retry: &Retry) {
        self.land();
        self.last = Some(retry.outcome);
    }

    /// The record leaves.
    pub(crate) fn settle(mut self, retry: &Retry) {
        self.cx.tally().settle(retry);
        self.settled = true;
    }
}

impl Account {
    fn land(&mut self) {
        if std::mem::take(&mut self.on_the_wire) {
            self.cx.tally().in_flight(-1);
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.land();
        if self.settled {
            return;
        }
        let outcome = self.last.unwrap_or(Outcome::InDoubt);
        let error = (outcome == Outcome::InDoubt).then_some(ErrorKind::Aborted);
        let nothing = Retry::not_sent(Timestamp::now(), Reason::Stopped);
        let last = Retry { outcome, error, reason: None, attempts: 1, ..nothing };
        self.cx.tally().settle(&last);
    }
}
