//! Where records wait for their hosts.
//!
//! Each host has a lane of its own. One that is slow, held or dead keeps its records there while those of others pass. But a log is
//! one sequence, and the next record may be for any host. So as long as a place among the requests under way is free, and nobody who waits may take it, the log is read on until
//! somebody comes who may: what a lane has beyond its share of the memory waits on disk ([`overflow`]). No more is read when that has reached its
//! limit, or cannot be had, and the memory is full; then a host that has most of the log and is slow holds up the others, until some of its records have left.
//! Where all requests go to one host there is nobody to look for, and nothing goes to disk.
//!
//! A place among the requests under way goes to the lane that has the fewest of them, then to the one that was served longest
//! ago. The last quarter of the places is for lanes that have less than their share: so a host that has just appeared never
//! waits for a slow one to answer.
//!
//! Records that have been sent and wait for another attempt take part in that, unless they may wait for long
//! ([`Options::again_max`]): an hour's wait of some must not keep out what is new. Then they have a room of their own, and whoever finds it full leaves
//! as its last request ended.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use logretry_record::{Reason, Record, Retry};
use logretry_stage::Notes;
use tokio::time::Instant;

use crate::breaker::Turn;
use crate::idempotency::is_answered;
use crate::lane::{Held, Job, Lane, Pass};
use crate::opening::Shows;
use crate::overflow::{self, Overflow};
use crate::pace::gradient::Sign;
use crate::pace::sign;
use crate::random::Random;
use crate::rate::Schedule;
use crate::refire::{Answer, Ended};
use crate::site::SiteMap;
use crate::{Options, Pace, Score, Site};

mod annex;
mod said;

use said::{End, Said};

/// Records that wait in memory at most.
const RECORDS_MAX: usize = 16_384;
/// Bytes of log lines and of bodies that wait in memory at most; the record that goes beyond is still taken.
const BYTES_MAX: usize = 64 << 20;

/// What leaves.
#[derive(Debug)]
pub(crate) enum Leaving {
    /// A record with the reason if it was not sent, or not sent again. None says that its last request tells how it ended.
    Job(Box<Job>, Option<Reason>),
    /// One that may not be sent any more, now that it is judged again.
    Record(Box<Record>, Reason),
}

impl Leaving {
    /// A job that leaves without a further request.
    fn without(job: Box<Job>, reason: Reason) -> Self {
        Self::Job(job, Some(reason))
    }
}

/// A request that begins.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) job: Box<Job>,
    place: usize,
    pass: Pass,
}

/// All that waits, and the rules by which it goes on.
#[derive(Debug)]
pub(crate) struct Room {
    options: Arc<Options>,
    lanes: Vec<Lane>,
    places: SiteMap<usize>,
    schedule: Schedule,
    /// The log's own gaps, and when its first record came; none if they are not kept.
    score: Option<(Score, Option<Instant>)>,
    random: Random,
    leaving: VecDeque<Leaving>,
    fresh: Held,
    overflow: Overflow,
    /// A record on its way to the disk or back.
    parcel: Vec<u8>,
    /// What times on disk count from.
    start: Instant,
    /// When the record is due that was read last.
    newest_due: Option<Instant>,
    /// Lanes whose records on disk leave, because nothing more is sent to them.
    going: VecDeque<usize>,
    /// What was to be read back, and could not.
    failure: Option<io::Error>,
    /// Whether it has been said that nothing more goes to disk.
    told_stuck: bool,
    /// Those that wait for another attempt, where they have a room of their own.
    again: Held,
    /// Whether it has been said that there is no room for more of them.
    told_full: bool,
    /// Which failures have been spoken of.
    said: Said,
    /// Requests that have begun.
    begun: u64,
    /// Why nothing more is sent.
    closed: Option<Reason>,
}

impl Room {
    pub(crate) fn new(options: Arc<Options>) -> Self {
        let destination = &options.destination;
        let has_others = destination.base_url.is_none() && destination.allow_hosts.len() > 1;
        let bytes_max = if has_others { options.overflow_bytes_max } else { 0 };
        Self {
            schedule: Schedule::new(options.rate),
            score: (options.pace == Pace::Original).then(|| (Score::new(options.tempo), None)),
            closed: (options.max_requests == Some(0)).then_some(Reason::MaxRequests),
            options,
            lanes: Vec::new(),
            places: SiteMap::default(),
            random: Random::new(),
            leaving: VecDeque::new(),
            fresh: Held::default(),
            overflow: Overflow::new(bytes_max, overflow::open),
            parcel: Vec::new(),
            start: Instant::now(),
            newest_due: None,
            going: VecDeque::new(),
            failure: None,
            told_stuck: false,
            again: Held::default(),
            told_full: false,
            said: Said::default(),
            begun: 0,
        }
    }

    /// Whether something waits that could still be sent.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting() + self.again.records > 0
    }

    /// Records that wait and could still be sent, those apart that wait for another attempt in a room of their own.
    pub(crate) fn waiting(&self) -> usize {
        self.fresh.records + self.overflow.entries()
    }

    /// Why nothing more is sent, if that is so.
    pub(crate) fn closed(&self) -> Option<Reason> {
        self.closed
    }

    /// Whether a record has been decided that has not left.
    pub(crate) fn is_leaving(&self) -> bool {
        !self.leaving.is_empty() || !self.going.is_empty()
    }

    /// Takes a record in.
    pub(crate) fn admit(&mut self, mut job: Box<Job>, notes: &Notes) {
        if let Some((score, start)) = &mut self.score {
            let start = *start.get_or_insert_with(Instant::now);
            job.due = Some(start + score.due(&job.record));
            self.newest_due = job.due;
        }
        if let Some(reason) = self.closed {
            return self.leaving.push_back(Leaving::without(job, reason));
        }
        let site = job.planned.site();
        let place = self.places.get(site).copied().unwrap_or_else(|| {
            self.places.insert(site.clone(), self.lanes.len());
            self.lanes.push(Lane::new(&self.options));
            self.lanes.len() - 1
        });
        if self.lanes[place].is_given_up() {
            return self.leaving.push_back(Leaving::without(job, Reason::BreakerOpen));
        }
        self.settle_in(place, job, notes);
    }

    /// Takes a record in that has ended already.
    pub(crate) fn let_go(&mut self, job: Box<Job>) {
        self.leaving.push_back(Leaving::Job(job, None));
    }

    /// Lets out the next record that has been decided.
    pub(crate) fn leave(&mut self) -> Option<Leaving> {
        self.leaving.pop_front()
    }

    /// When the next request may begin, as seen at `now` with so many under way, and the lane it is in.
    pub(crate) fn next(&self, now: Instant, under_way: usize) -> Option<(Instant, usize)> {
        let (at, place) = self.turn(now, under_way)?;
        Some((at.max(self.schedule.next(now)), place))
    }

    /// The same, if it were not for the rate of the whole run.
    fn turn(&self, now: Instant, under_way: usize) -> Option<(Instant, usize)> {
        let concurrency = self.options.concurrency.get();
        let free = concurrency.checked_sub(under_way).filter(|&free| free > 0)?;
        let share = (concurrency / self.lanes.len().max(1)).max(1);
        let scarce = free <= concurrency / 4;
        let lanes = self.lanes.iter().enumerate();
        let (at, _, _, place) = lanes
            .filter(|(_, lane)| !scarce || lane.under_way < share)
            .filter_map(|(place, lane)| Some((lane.ready_at(now)?, lane.under_way, lane.begun, place)))
            .min()?;
        Some((at, place))
    }

    /// Begins the request that [`Room::next`] gave, whose time has come.
    pub(crate) fn begin(&mut self, slot: Instant, place: usize) -> Option<Start> {
        let (job, pass) = self.lanes[place].begin(slot)?;
        self.count_out(place, &job);
        self.schedule.book(slot);
        if job.attempts() == 0 {
            self.lanes[place].budget.deposit();
        }
        self.fetch(place);
        self.begun += 1;
        if self.options.max_requests == Some(self.begun) {
            self.close(Reason::MaxRequests);
        }
        Some(Start { job, place, pass })
    }

    /// A request has ended by `now`, or was not sent after all.
    pub(crate) fn end(
        &mut self,
        Start { mut job, place, pass }: Start,
        ended: Ended,
        now: Instant,
        notes: &Notes,
    ) {
        let Answer { retry, retry_after, .. } = match ended {
            Ok(answer) => answer,
            Err(reason) => {
                self.lanes[place].end(pass, Sign::Nothing, now, self.random.unit());
                return self.leaving.push_back(Leaving::without(job, reason));
            }
        };
        if let Some(wait) = retry_after {
            self.lanes[place].hold(now + wait.min(self.options.max_retry_after));
        }
        let sign = sign(&retry);
        let turn = self.lanes[place].end(pass, sign, now, self.random.unit());
        if let Some(crawling) = self.lanes[place].crawl.told(sign, now) {
            let last = Some(&retry).filter(|_| sign == Sign::TooMuch);
            self.said.crawling(place, &job.planned, last, crawling, notes);
        }
        match self.lanes[place].opening.end(&retry) {
            Some(Shows::First) => {
                let shows_certificate = self.options.tls.cert.is_some();
                Said::first_answer(job.planned.site(), &retry, shows_certificate, notes);
            }
            Some(Shows::OnlyRefusals(answers)) => Said::only_refusals(&job.planned, &retry, answers, notes),
            None => {}
        }
        self.said.unanswered(place, job.planned.site(), &retry, notes);
        self.said.redirected(place, job.planned.site(), &retry, notes);
        self.say(job.planned.site(), &retry, turn, notes);
        let has_attempts = self.options.may_go_again(&job.planned, &retry);
        let given_up = || self.lanes[place].is_given_up().then_some(Reason::BreakerOpen);
        let stopped = self.closed.or_else(given_up).filter(|_| has_attempts);
        let may_go_again = has_attempts && stopped.is_none() && self.has_room_again(place, notes);
        let wait = if may_go_again { self.wait(place, retry.attempts) } else { None };
        if may_go_again && wait.is_none() {
            self.said.spent(place, job.planned.site(), notes);
        }
        job.answers += u32::from(is_answered(&retry) && !self.options.is_outstanding(&job.planned, &retry));
        job.last = Some(retry);
        if let Some(wait) = wait {
            self.count_in(place, &job);
            self.lanes[place].admit_again(job, now + wait);
        } else {
            self.leaving.push_back(Leaving::Job(job, stopped));
        }
        if turn == Some(Turn::GivenUp) {
            self.turn_out(place, Reason::BreakerOpen);
        }
    }

    /// Closes at the deadline, or at once when the run is stopped.
    pub(crate) fn close_in_time(&mut self, deadline: Option<Instant>, is_stopped: bool) {
        let is_late = || deadline.is_some_and(|deadline| deadline <= Instant::now());
        let reason = if is_stopped { Some(Reason::Stopped) } else { is_late().then_some(Reason::MaxTime) };
        if let Some(reason) = reason.filter(|_| self.closed.is_none()) {
            self.close(reason);
        }
    }

    /// Nothing more is sent, and everything leaves.
    pub(crate) fn close(&mut self, reason: Reason) {
        self.closed = Some(reason);
        (0..self.lanes.len()).for_each(|place| self.turn_out(place, reason));
    }

    fn turn_out(&mut self, place: usize, reason: Reason) {
        let jobs: Vec<_> = self.lanes[place].empty().collect();
        for job in jobs {
            self.count_out(place, &job);
            self.leaving.push_back(Leaving::without(job, reason));
        }
        let lane = &mut self.lanes[place];
        if !lane.on_disk.is_empty() && lane.turned_out.is_none() {
            lane.turned_out = Some(reason);
            self.going.push_back(place);
        }
    }

    /// Says which turn a host has taken with the end of a refire.
    fn say(&self, site: &Site, last: &Retry, turn: Option<Turn>, notes: &Notes) {
        let (trips, last) = (self.options.trips, End(last));
        match turn {
            None => {}
            Some(Turn::Held(hold, trip)) => notes.say(format_args!(
                "{site}: too many of its last answers failed, the last with {last}; it is left alone for {:.1} s (trip {trip}{})",
                hold.as_secs_f64(),
                if trips == u32::MAX { String::new() } else { format!(" of {trips}") },
            )),
            Some(Turn::GivenUp) => {
                notes.say(format_args!("{site}: still failing, with {last}; it is given up (trip {trips} of {trips})"));
            }
        }
    }

    /// How long a record waits after so many requests; none, if the budget allows no more of them.
    fn wait(&mut self, place: usize, attempts: u32) -> Option<Duration> {
        let backoff = self.options.backoff;
        if self.lanes[place].budget.withdraw() {
            Some(backoff.wait(attempts, self.random.unit()))
        } else if self.options.again_max > 0 {
            // Who may wait for long waits for longest.
            Some(backoff.max.mul_f64(0.5 + self.random.unit() / 2.0))
        } else {
            None
        }
    }

    /// Whether one more record of this lane may wait for another attempt. The last quarter of the room is for lanes that have less than the rest of it.
    fn has_room_again(&mut self, place: usize, notes: &Notes) -> bool {
        let most = self.options.again_max;
        let share = if self.lanes.len() > 1 { most - most / 4 } else { most };
        let has_room = most == 0
            || (self.again.records < most
                && self.again.bytes < BYTES_MAX
                && self.lanes[place].waiting_again() < share);
        if !has_room && !std::mem::replace(&mut self.told_full, true) {
            notes.say(format_args!(
                "{} records wait for another attempt; as long as there are so many, others that fail are not sent again",
                self.again.records
            ));
        }
        has_room
    }

    fn count_in(&mut self, place: usize, job: &Job) {
        let bytes = bytes(job);
        for held in self.held(place, job) {
            held.records += 1;
            held.bytes += bytes;
        }
    }

    fn count_out(&mut self, place: usize, job: &Job) {
        let bytes = bytes(job);
        for held in self.held(place, job) {
            held.records -= 1;
            held.bytes -= bytes;
        }
    }

    /// What `job` is counted with: those of its lane, and all; or those that wait for another attempt in a room of their own.
    fn held(&mut self, place: usize, job: &Job) -> impl Iterator<Item = &mut Held> {
        let is_apart = self.options.again_max > 0 && job.last.is_some();
        let (all, of_lane) = if is_apart {
            (&mut self.again, None)
        } else {
            (&mut self.fresh, Some(&mut self.lanes[place].held))
        };
        std::iter::once(all).chain(of_lane)
    }
}

fn bytes(job: &Job) -> usize {
    let body = job.planned.body().map_or(0, <[u8]>::len);
    job.record.origin().text.len() + job.planned.target().len() + 2 * body
}
