use std::num::NonZero;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use logretry_record::{Outcome, Reason, Record, Retry};
use logretry_stage::{Context, Fatal, RecordStream, Result, Stage};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::account::Account;
use crate::crew::Crew;
use crate::journal::{Before, Journal, Kept, NoJournal};
use crate::judge::may_have_arrived;
use crate::lane::Job;
use crate::patience::Patiences;
use crate::rate::Schedule;
use crate::refire::{Ended, refire};
use crate::room::{Leaving, Room, Start};
use crate::settle::settled;
use crate::taken_up::TakenUp;
use crate::transport::{Request, Transport, Wire};
use crate::{Options, Pace, Planned, RefirerError, headers, idempotency};

/// The stage that asks again. See the [crate's front page](crate) for an example.
///
/// Records come out as they are decided, each with its [`Retry`]: those that may not be sent at once, the others as their
/// answers come, which is not the order in which they went in.
///
/// How fast each host is asked is told by its answers ([`Pace`](crate::Pace)); one that fails is left alone for a while and given up in
/// the end, and what is left for it goes out as `unsent`. Hosts do not wait for each other: up to 16,384 records wait for theirs in memory, and
/// [`Options::overflow_bytes_max`] of them in a temporary file; then no more is read.
///
/// After [`Options::max_requests`] or [`Options::max_time`], what still comes in goes out as `unsent` without any wait; a run that has no end ([`Options::again_max`]) sets
/// [`Stops::drain`](logretry_stage::Stops::drain) when what is under way then has ended, and at once when its input fails.
///
/// When that is set, nothing more is sent: requests under way end, and what still comes in goes out as `unsent`, as do those that have no connection yet. When
/// [`Stops::abort`](logretry_stage::Stops::abort) is set, requests under way are cut off and go out as `in_doubt`. Dropping the stream cuts them off too, so a pipe that was closed below stops the sending.
///
/// With a [`Journal`] ([`Refirer::with_journal`]) it goes on where an earlier run stopped: what has ended comes out as it ended then, and is counted apart.
#[derive(Debug)]
pub struct Refirer<J = NoJournal> {
    options: Options,
    /// None in a dry run.
    wire: Option<Wire>,
    journal: J,
}

impl Refirer {
    /// A refirer that works as told. Reads the files that the options name; opens no socket.
    pub fn new(options: Options) -> Result<Self, RefirerError> {
        if options.destination.base_url.is_none() && options.destination.allow_hosts.is_empty() {
            return Err(RefirerError::NoDestination);
        }
        options.resolve.check(&options.destination)?;
        headers::check(&options.headers)?;
        let options = options.with_times_in_reach();
        let wire = if options.dry_run { None } else { Some(Wire::new(&options)?) };
        let journal = NoJournal::new(options.again_max == 0);
        Ok(Self { options, wire, journal })
    }
}

impl<J> Refirer<J> {
    /// The same refirer, which writes into `journal` what it sends, and asks it what was sent before. A dry run does neither.
    #[must_use]
    pub fn with_journal<K: Journal>(self, journal: K) -> Refirer<K> {
        Refirer { options: self.options, wire: self.wire, journal }
    }

    /// Whether `record` would be sent, and as what; see [`Options::judge`].
    pub fn judge(&self, record: &Record) -> Result<Planned, Reason> {
        self.options.judge(record)
    }
}

impl<J: Journal> Stage for Refirer<J> {
    fn apply(self, input: impl RecordStream, cx: &Context) -> impl RecordStream {
        refires(self.options, self.wire.map(Arc::new), self.journal, input, cx.clone())
    }
}

/// Records that wait at least, if the input has them: enough for a whole round of requests to begin at once.
const RECORDS_MIN: usize = 64;

/// Records that are read ahead before whoever has a request under way has his turn.
const AHEAD_MAX: usize = 32;

/// The stage over any transport; none is a dry run.
///
/// A task of a [`Crew`] has a request, so that an exchange goes on while nobody asks this stream for more; nothing is *begun* then. Who goes
/// when is the [`Room`]'s to decide. A request holds its place until its record has been taken, so finished records are bounded by
/// the concurrency as well. Each round does all that can be done at once: under load, one wakening is for many requests.
fn refires<T: Transport, J: Journal>(
    options: Options,
    transport: Option<Arc<T>>,
    journal: J,
    input: impl RecordStream,
    cx: Context,
) -> impl RecordStream {
    async_stream::stream! {
        for complaint in options.bodies.iter().flat_map(|bodies| bodies.complaints()) {
            cx.notes().say(format_args!("{complaint}"));
        }
        let Some(transport) = transport else {
            let mut input = pin!(input.take_until(cx.stops().abort.cancelled()));
            let mut left = in_a_dry_run(&options, &cx);
            while let Some(item) = input.next().await { yield item.map(&mut left) }
            return;
        };
        // Set when no request begins any more, so that nothing waits for it.
        let over = cx.stops().drain.child_token();
        let (has_no_end, drain) = (options.again_max > 0, cx.stops().drain.clone());
        // Of a log that is followed no longer, what waits, for hours perhaps, must not seem to be looked after.
        let input = input.inspect(move |item| if item.is_err() && has_no_end { drain.cancel() });
        let input = if options.settle.is_zero() {
            input.left_stream()
        } else {
            settled(input, options.settle, over.clone()).right_stream()
        };
        let journal = Arc::new(Kept::new(journal, cx.clone()));
        let (options, cx) = (Arc::new(options), Arc::new(cx));
        let mut input = pin!(input.fuse());
        let mut intake = Intake { room: Room::new(Arc::clone(&options)), reading: true, failure: None, told: Told::default() };
        let deadline = options.max_time.map(|time| Instant::now() + time);
        // Dropped with this stream, and all tasks with it.
        let mut crew = {
            let work = |transport: Arc<T>| {
                let office = Arc::new(Office {
                    transport,
                    patiences: Patiences::new(options.timeout, deadline, cx.stops().clone()),
                    journal: Arc::clone(&journal),
                    options: Arc::clone(&options),
                    cx: Arc::clone(&cx),
                });
                move |start| send(start, Arc::clone(&office))
            };
            let threads = 0..threads(&options);
            let apart = threads.filter_map(|_| transport.apart());
            Crew::new(apart.map(|transport| work(Arc::new(transport))), work(Arc::clone(&transport)))
        };
        let mut drained = pin!(cx.stops().drain.cancelled());
        let mut timed_out = pin!(until(deadline));
        let mut aborted = pin!(cx.stops().abort.cancelled());
        let mut ahead = 0;
        loop {
            intake.take_back(&mut crew, &cx);
            while let Some(leaving) = intake.room.leave() {
                yield Ok(left(leaving, &journal, &options, &cx).await);
            }
            intake.room.close_in_time(deadline, cx.is_draining());
            if let Some(reason) = intake.room.closed() {
                end(reason, crew.under_way(), &over, &options, &cx);
            }
            while intake.runs_low() && let Some(item) = input.next().now_or_never() {
                if let Some(record) = intake.take(item, &journal, &options, &cx) {
                    yield Ok(record);
                }
            }
            let room = &mut intake.room;
            if let Some(error) = room.take_failure() {
                intake.failure.get_or_insert_with(|| unreadable(&error));
                cx.stops().drain.cancel();
                continue;
            }
            let now = Instant::now();
            let mut next = room.next(now, crew.under_way());
            while let Some((slot, lane)) = next.filter(|(slot, _)| *slot <= now) {
                room.begin(slot, lane).into_iter().for_each(|start| crew.hand(start));
                next = room.next(now, crew.under_way());
            }
            crew.begin();
            if room.is_leaving() {
                room.show_out();
                tokio::task::yield_now().await;
                continue;
            }
            let reads_from = room.reads_from(now, crew.under_way()).filter(|_| intake.reading);
            tokio::select! {
                biased;
                () = crew.wait(), if crew.under_way() > 0 => {}
                () = &mut drained, if room.is_waiting() => {}
                () = &mut timed_out, if room.closed().is_none() && (room.is_waiting() || intake.reading) => {}
                () = Schedule::wait(next), if next.is_some() => {}
                () = until(reads_from), if reads_from.is_some_and(|at| at > now) => {}
                item = input.next(), if reads_from.is_some_and(|at| at <= now) => {
                    if let Some(record) = intake.take(item, &journal, &options, &cx) {
                        yield Ok(record);
                    }
                    ahead = if intake.room.looks_ahead() { (ahead + 1) % AHEAD_MAX } else { 1 };
                    if ahead == 0 {
                        tokio::task::yield_now().await;
                    }
                }
                // What has been read already is still taken, so that the numbers add up; nothing more is waited for.
                () = &mut aborted, if intake.reading => intake.reading = false,
                else => break,
            }
        }
        if let Some(fatal) = journal.failure().or(intake.failure) {
            yield Err(fatal);
        }
    }
}

/// Requests under way at once for which a thread of its own is worth while.
const REQUESTS_A_THREAD: usize = 32;

/// Cores that are busy without them: one hands out the requests, and one reads, writes the retry log, and keeps the journal.
const BUSY_CORES: usize = 2;

/// How many threads send. Another pace than a fixed one is found out slowly, and for that one thread is enough. So it is where no core is free: to wake a thread costs as much
/// as a part of a request, which is then paid for nothing.
fn threads(options: &Options) -> usize {
    let free = || std::thread::available_parallelism().map_or(1, NonZero::get).saturating_sub(BUSY_CORES);
    let wanted = match options.pace {
        Pace::Fixed => options.concurrency.get() / REQUESTS_A_THREAD,
        _ => 0,
    };
    options.threads.unwrap_or_else(|| wanted.min(free()))
}

/// What comes in.
struct Intake {
    room: Room,
    reading: bool,
    failure: Option<Fatal>,
    told: Told,
}

/// What has been said of the records that come in.
#[derive(Default)]
struct Told {
    /// That one tells no method.
    methodless: bool,
    /// That one has recovered already.
    recovered: bool,
}

impl Intake {
    /// Whether more should be taken in, if it is there, before anything else is done.
    fn runs_low(&self) -> bool {
        self.reading && self.room.waiting() < RECORDS_MIN && !self.room.is_leaving()
    }

    /// Takes back the requests that have ended.
    fn take_back(&mut self, crew: &mut Crew<Start, (Start, Ended)>, cx: &Context) {
        let now = Instant::now();
        while let Some((start, ended)) = crew.ended() {
            self.room.end(start, ended, now, cx.notes());
        }
    }

    /// Takes an item of the input. A record that is not to be sent is given back, decided.
    fn take<J: Journal>(
        &mut self,
        item: Option<Result<Record>>,
        journal: &Kept<J>,
        options: &Options,
        cx: &Context,
    ) -> Option<Record> {
        match item {
            Some(Ok(record)) => match options.judge(&record) {
                Err(reason) => return Some(not_sent(record, reason, None, cx)),
                Ok(planned) => {
                    if record.original().method.is_none()
                        && !std::mem::replace(&mut self.told.methodless, true)
                    {
                        cx.notes().say(format_args!("the log tells no method: its requests are sent as GET"));
                    }
                    return self.take_up(record, planned, journal, options, cx);
                }
            },
            Some(Err(fatal)) => {
                self.reading = false;
                self.failure = Some(fatal);
            }
            None => self.reading = false,
        }
        None
    }

    /// Takes a record that may be sent, as its journal knows it.
    fn take_up<J: Journal>(
        &mut self,
        record: Record,
        planned: Planned,
        journal: &Kept<J>,
        options: &Options,
        cx: &Context,
    ) -> Option<Record> {
        match journal.before(&record) {
            Some(Before::New) => {
                let is_well = record.retry().is_some_and(|retry| retry.outcome == Outcome::Recovered);
                if is_well && !std::mem::replace(&mut self.told.recovered, true) {
                    cx.notes().say(format_args!(
                        "some of the records have recovered already, and are sent once more; `jq -c 'select(.retry.outcome != \"recovered\")'` leaves them out"
                    ));
                }
                self.room.admit(Job::new(record, planned), cx.notes());
            }
            Some(Before::Again { attempt }) => {
                self.room.admit(Job::again(record, planned, attempt), cx.notes());
            }
            Some(Before::Answered(last)) => {
                let is_last = !options.may_go_again(&planned, &last);
                let job = Job::answered(record, planned, last);
                if is_last { self.room.let_go(job) } else { self.room.admit(job, cx.notes()) }
            }
            Some(Before::Done(retry)) => return Some(done_before(record, retry, cx)),
            Some(Before::Repeated) => return Some(not_sent(record, Reason::Repeated, None, cx)),
            None => return Some(not_sent(record, Reason::Stopped, None, cx)),
        }
        None
    }
}

/// Why the run ends when the disk does not give back what it was given.
fn unreadable(error: &std::io::Error) -> Fatal {
    Fatal::new(format!("read back the records that wait in a temporary file: {error}"))
}

/// The run is `over`: no request begins any more, for this reason. One that would go on without an end, doing nothing, is drained; not before those that are under way have ended, for a stop
/// cuts off what has no connection yet.
fn end(reason: Reason, under_way: usize, over: &CancellationToken, options: &Options, cx: &Context) {
    let has_no_end = options.again_max > 0;
    if has_no_end && !over.is_cancelled() {
        cx.notes().say(format_args!("the logs are followed no longer: {}", reason.advice()));
    }
    over.cancel();
    if has_no_end && under_way == 0 {
        cx.stops().drain.cancel();
    }
}

/// Waits for `deadline`; for ever if there is none.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// What those need who send.
struct Office<T, J> {
    transport: Arc<T>,
    patiences: Patiences,
    journal: Arc<Kept<J>>,
    options: Arc<Options>,
    cx: Arc<Context>,
}

async fn send<T: Transport, J: Journal>(mut start: Start, office: Arc<Office<T, J>>) -> (Start, Ended) {
    let Office { transport, patiences, journal, options, cx } = &*office;
    let job = &mut start.job;
    let mut request = Request::new(Arc::clone(&job.planned), job.record.id(), &options.headers);
    if let Some(secret) = options.idempotency.as_ref().filter(|_| !job.planned.is_safe()) {
        // A capture may hold the client's own, by which the server knows what the client itself has sent again.
        let key = || secret.key(job.record.id(), job.answers);
        request.headers_mut().entry(idempotency::NAME).or_insert_with(key);
    }
    let attempt = job.attempts() + 1;
    let intent = journal.intend(job.record.id(), attempt, &job.planned);
    let (account, mut on_the_wire) = (&mut job.account, false);
    let begun = || {
        on_the_wire = true;
        account.get_or_insert_with(|| Account::open(cx)).begin();
    };
    let mut patience = patiences.take();
    let mut ended = refire(&**transport, &mut request, &mut patience, intent, begun).await;
    patiences.put(patience);
    let unprocessed = ended.as_ref().is_ok_and(|answer| answer.unprocessed);
    job.sent |= on_the_wire && !unprocessed;
    if let Ok(answer) = &mut ended {
        answer.retry.attempts = attempt;
        answer.retry.in_doubt_retry = job.in_doubt.is_some();
        tell(job, &answer.retry, on_the_wire, journal, options).await;
        job.account.get_or_insert_with(|| Account::open(cx)).end(&answer.retry);
    }
    (start, ended)
}

/// Tells the journal how a request ended: before its place is free, so that no more can be in doubt than are under way.
async fn tell<J: Journal>(
    job: &mut Job,
    retry: &Retry,
    on_the_wire: bool,
    journal: &Kept<J>,
    options: &Options,
) {
    if retry.outcome == Outcome::InDoubt {
        // Its intent stands there, and nothing else is known.
        job.told = true;
    } else if !options.may_go_again(&job.planned, retry) {
        job.told = true;
        journal.ended(&job.record, retry, job.sent).await;
    } else if on_the_wire {
        journal.answered(&job.record, retry).await;
    }
}

/// The record as it leaves: as its last request ended, or with the reason for which there was none.
async fn left<J: Journal>(leaving: Leaving, journal: &Kept<J>, options: &Options, cx: &Context) -> Record {
    let (job, reason) = match leaving {
        Leaving::Job(job, reason) => (job, reason),
        Leaving::Record(record, reason) => return not_sent(*record, reason, None, cx),
    };
    let Some(mut retry) = job.last else {
        return not_sent(job.record, reason.unwrap_or(Reason::Stopped), None, cx);
    };
    // What was to be sent again, and the run was stopped first, is taken up there by the next one.
    let has_attempts = journal.remembers() && !job.told && options.may_go_again(&job.planned, &retry);
    let stopped = reason.filter(|reason| has_attempts && reason.outcome() == Outcome::Unsent);
    if stopped.is_some() {
        retry.reason = stopped;
    } else if !job.told {
        Box::pin(journal.ended(&job.record, &retry, job.sent)).await;
    }
    match job.account {
        Some(account) => {
            account.settle(&retry);
            ended(job.record, retry)
        }
        None => done_before(job.record, retry, cx),
    }
}

/// The record as an earlier run has left it.
fn done_before(record: Record, retry: Retry, cx: &Context) -> Record {
    cx.tally().take();
    cx.tally().settle_before(&retry);
    ended(record, retry)
}

/// The record with its end. That one before it was sent would be forgotten with the end that is replaced, and the log would seem to prove that the request has never been delivered.
fn ended(record: Record, retry: Retry) -> Record {
    let sent_before = retry.sent_before || record.retry().is_some_and(may_have_arrived);
    record.with_retry(Retry { sent_before, ..retry })
}

/// How a record leaves where nothing is sent.
fn in_a_dry_run(options: &Options, cx: &Context) -> impl FnMut(Record) -> Record {
    let mut taken_up = TakenUp::within(usize::MAX);
    move |record| match options.judge(&record) {
        Err(reason) => not_sent(record, reason, None, cx),
        Ok(_) if !taken_up.insert(&record) => not_sent(record, Reason::Repeated, None, cx),
        Ok(planned) => not_sent(record, Reason::DryRun, Some(&planned), cx),
    }
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
    ended(record, retry)
}

#[cfg(test)]
fn run<T: Transport>(
    options: Options,
    transport: Option<Arc<T>>,
    input: impl RecordStream,
    cx: Context,
) -> impl RecordStream {
    refires(options, transport, NoJournal::new(true), input, cx)
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod gentle;
