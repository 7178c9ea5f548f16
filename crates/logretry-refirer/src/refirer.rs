use std::sync::Arc;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use logretry_record::{Reason, Record, Retry};
use logretry_stage::{Context, RecordStream, Stage};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::pace::Pace;
use crate::refire::{InFlight, refire};
use crate::transport::{Request, Transport, Wire};
use crate::{Options, Planned, RefirerError};

/// The stage that asks again. See the [crate's front page](crate) for an example.
///
/// Records come out as they are decided, each with its [`Retry`]: those that may not be sent at once, the others as their
/// answers come, which is not the order in which they went in.
///
/// When [`Stops::drain`](logretry_stage::Stops::drain) is set, nothing more is sent: requests under way end, and what
/// still comes in goes out as `unsent`. When [`Stops::abort`](logretry_stage::Stops::abort) is set, requests under way
/// are cut off and go out as `in_doubt`. Dropping the stream cuts them off too, so a pipe that was closed below stops the sending.
#[derive(Debug)]
pub struct Refirer {
    options: Options,
    /// None in a dry run.
    wire: Option<Wire>,
}

impl Refirer {
    /// A refirer that works as told. Reads the files that the options name; opens no socket.
    pub fn new(options: Options) -> Result<Self, RefirerError> {
        if options.destination.base_url.is_none() && options.destination.allow_hosts.is_empty() {
            return Err(RefirerError::NoDestination);
        }
        let wire = if options.dry_run { None } else { Some(Wire::new(&options)?) };
        Ok(Self { options, wire })
    }

    /// Whether `record` would be sent, and as what; see [`Options::judge`].
    pub fn judge(&self, record: &Record) -> Result<Planned, Reason> {
        self.options.judge(record)
    }
}

impl Stage for Refirer {
    fn apply(self, input: impl RecordStream, cx: &Context) -> impl RecordStream {
        run(self.options, self.wire.map(Arc::new), input, cx.clone())
    }
}

/// A record that waits for its turn.
struct Waiting {
    record: Record,
    request: Request,
}

/// The stage over any transport; none is a dry run.
///
/// One task a request, so that an exchange goes on while nobody asks this stream for more; nothing is *begun* then. At most
/// one record waits here for its turn. A task holds its place until its record has been taken, so finished records are
/// bounded by the concurrency as well.
fn run<T: Transport>(
    options: Options,
    transport: Option<Arc<T>>,
    input: impl RecordStream,
    cx: Context,
) -> impl RecordStream {
    async_stream::stream! {
        let options = Arc::new(options);
        let mut input = std::pin::pin!(input.fuse());
        let mut pace = Pace::new(options.rate);
        // Dropped with this stream, and all tasks with it.
        let mut under_way: JoinSet<Record> = JoinSet::new();
        let mut waiting: Option<Waiting> = None;
        let mut reading = true;
        let mut failure = None;
        loop {
            let has_room = under_way.len() < options.concurrency.get();
            let slot = pace.next(Instant::now());
            tokio::select! {
                biased;
                Some(ended) = under_way.join_next() => {
                    yield Ok(ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
                }
                () = cx.stops().drain.cancelled(), if waiting.is_some() => {
                    let Some(Waiting { record, .. }) = waiting.take() else { continue };
                    yield Ok(not_sent(record, Reason::Stopped, None, &cx));
                }
                () = Pace::wait(slot), if waiting.is_some() && has_room => {
                    let (Some(next), Some(transport)) = (waiting.take(), &transport) else { continue };
                    pace.book(slot);
                    under_way.spawn(send(next, Arc::clone(transport), Arc::clone(&options), cx.clone()));
                }
                item = input.next(), if reading && waiting.is_none() => match item {
                    None => reading = false,
                    Some(Err(fatal)) => {
                        reading = false;
                        failure = Some(fatal);
                    }
                    Some(Ok(record)) => match options.judge(&record) {
                        Err(reason) => yield Ok(not_sent(record, reason, None, &cx)),
                        Ok(planned) if transport.is_none() => {
                            yield Ok(not_sent(record, Reason::DryRun, Some(&planned), &cx));
                        }
                        Ok(planned) => {
                            let request = Request::new(planned, record.id(), &options.headers);
                            waiting = Some(Waiting { record, request });
                        }
                    },
                },
                // What has been read already is still taken, so that the numbers add up; nothing more is waited for.
                () = cx.stops().abort.cancelled(), if reading => reading = false,
                else => break,
            }
        }
        if let Some(fatal) = failure {
            yield Err(fatal);
        }
    }
}

async fn send<T: Transport>(
    Waiting { record, request }: Waiting,
    transport: Arc<T>,
    options: Arc<Options>,
    cx: Context,
) -> Record {
    let in_flight = InFlight::begin(&cx);
    let retry = refire(&*transport, &request, options.timeout, &cx.stops().abort).await;
    in_flight.settle(&retry);
    record.with_retry(retry)
}

/// The record with the reason for which nothing was sent; `planned` is what would have been.
fn not_sent(record: Record, reason: Reason, planned: Option<&Planned>, cx: &Context) -> Record {
    let retry = Retry {
        method: planned.map(|planned| planned.method().to_owned()),
        url: planned.map(Planned::url),
        ..Retry::not_sent(Timestamp::now(), reason)
    };
    cx.tally().take();
    cx.tally().settle(&retry);
    record.with_retry(retry)
}

#[cfg(test)]
mod tests;
