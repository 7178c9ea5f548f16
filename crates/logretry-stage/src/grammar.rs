use std::future::Future;

use futures_util::{Stream, StreamExt as _};
use logretry_record::Record;

use crate::{Context, Result};

/// Records on their way. An `Err` is the last item: whoever sees one passes it on and ends.
pub trait RecordStream: Stream<Item = Result<Record>> + Send + 'static {}

impl<S: Stream<Item = Result<Record>> + Send + 'static> RecordStream for S {}

/// What makes records: a reader of logs, or the near end of a pipe.
///
/// Pull, not push: a source is ahead of its consumer by a stated number of records at most, so a slow refirer slows the reader down. It ends
/// early, without an error, when [`Stops::drain`](crate::Stops::drain) is set. It counts what it gives ([`Tally::read`](crate::Tally::read)), or
/// the numbers do not add up.
pub trait Source {
    /// Opens the source. What fails at opening is the stream's first item.
    fn open(self, cx: &Context) -> impl RecordStream;
}

/// What stands between: drops records, or completes them. Only the refirer changes their order.
///
/// A stage takes `self`, for it is used once; its settings are data that can be cloned before. One that drops records counts them
/// ([`Tally::drop_for`](crate::Tally::drop_for)), and the filter stands behind it, or it counts what it selects as well ([`Tally::select`](crate::Tally::select)).
pub trait Stage {
    /// The stream of what becomes of `input`.
    fn apply(self, input: impl RecordStream, cx: &Context) -> impl RecordStream;
}

/// What takes records: the writer of the retry log, or the far end of a pipe. It drives everything before it.
pub trait Sink {
    /// Takes all of `input`, and returns when the last byte has been handed to the operating system.
    fn drain(self, input: impl RecordStream, cx: &Context) -> impl Future<Output = Result<()>> + Send;
}

/// A stage that shows each record to a function and lets it pass: a callback as each refire ends.
#[derive(Debug, Clone)]
pub struct Watch<F>(pub F);

impl<F: FnMut(&Record) + Send + 'static> Stage for Watch<F> {
    fn apply(mut self, input: impl RecordStream, _: &Context) -> impl RecordStream {
        input.inspect(move |item| {
            if let Ok(record) = item {
                (self.0)(record);
            }
        })
    }
}
