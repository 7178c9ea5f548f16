//! Where records wait for their hosts.
//!
//! Each host has a lane of its own. One that is slow, held or dead keeps its records there while those of others pass. But a log is
//! one sequence, and the next record may be for any host, so the room is bounded: when it is full no more is read until
//! somebody has left. One dead host in a long log fills it in the end; it is given up after its trips, which empties its lane.
//!
//! A place among the requests under way goes to the lane that has the fewest of them, then to the one that was served longest
//! ago. The last quarter of the places is for lanes that have less than their share: so a host that has just appeared never
//! waits for a slow one to answer.
//!
//! Records that have been sent and wait for another attempt take part in that, unless they may wait for long
//! ([`Options::again_max`]): an hour's wait of some must not keep out what is new. Then they have a room of their own, and whoever finds it full leaves
//! as its last request ended.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use logretry_record::Reason;
use logretry_stage::Notes;
use tokio::time::Instant;

use crate::again::Budget;
use crate::breaker::Turn;
use crate::idempotency::is_answered;
use crate::lane::{Job, Lane, Pass};
use crate::pace::gradient::Sign;
use crate::pace::sign;
use crate::random::Random;
use crate::rate::Schedule;
use crate::refire::{Answer, Ended};
use crate::{Options, Pace, Score, Site};

/// Records that wait at most.
const RECORDS_MAX: usize = 16_384;
/// Bytes of log lines and of bodies that wait at most; the record that goes beyond is still taken.
const BYTES_MAX: usize = 64 << 20;

/// A record that leaves, with the reason if it was not sent, or not sent again.
#[derive(Debug)]
pub(crate) struct Leaving {
    pub(crate) job: Box<Job>,
    /// None says that its last request tells how it ended.
    pub(crate) reason: Option<Reason>,
}

impl Leaving {
    /// A job that leaves without a further request.
    fn without(job: Box<Job>, reason: Reason) -> Self {
        Self { job, reason: Some(reason) }
    }
}

/// A request that begins.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) job: Box<Job>,
    place: usize,
    pass: Pass,
}

/// What some of the records that wait amount to.
#[derive(Debug, Default)]
struct Held {
    records: usize,
    bytes: usize,
}

/// All that waits, and the rules by which it goes on.
#[derive(Debug)]
pub(crate) struct Room {
    options: Arc<Options>,
    lanes: Vec<Lane>,
    places: HashMap<Site, usize>,
    schedule: Schedule,
    /// The log's own gaps, and when its first record came; none if they are not kept.
    score: Option<(Score, Option<Instant>)>,
    budget: Budget,
    random: Random,
    leaving: VecDeque<Leaving>,
    fresh: Held,
    /// Those that wait for another attempt, where they have a room of their own.
    again: Held,
    /// Whether it has been said that there is no room for more of them.
    told_full: bool,
    /// Requests that have begun.
    begun: u64,
    /// Why nothing more is sent.
    closed: Option<Reason>,
}

impl Room {
    pub(crate) fn new(options: Arc<Options>) -> Self {
        Self {
            schedule: Schedule::new(options.rate),
            score: (options.pace == Pace::Original).then(|| (Score::new(options.tempo), None)),
            options,
            lanes: Vec::new(),
            places: HashMap::new(),
            budget: Budget::new(),
            random: Random::new(),
            leaving: VecDeque::new(),
            fresh: Held::default(),
            again: Held::default(),
            told_full: false,
            begun: 0,
            closed: None,
        }
    }

    /// Whether another record may come in.
    pub(crate) fn has_space(&self) -> bool {
        self.fresh.records < RECORDS_MAX && self.fresh.bytes < BYTES_MAX
    }

    /// Whether something waits that could still be sent.
    pub(crate) fn is_waiting(&self) -> bool {
        self.fresh.records + self.again.records > 0
    }

    /// Records that wait and could still be sent, those apart that wait for another attempt in a room of their own.
    pub(crate) fn waiting(&self) -> usize {
        self.fresh.records
    }

    /// Whether nothing more is sent.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Whether a record has been decided that has not left.
    pub(crate) fn is_leaving(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// Takes a record in.
    pub(crate) fn admit(&mut self, mut job: Box<Job>) {
        if let Some((score, start)) = &mut self.score {
            let start = *start.get_or_insert_with(Instant::now);
            job.due = Some(start + score.due(&job.record));
        }
        if let Some(reason) = self.closed {
            return self.leaving.push_back(Leaving::without(job, reason));
        }
        let place = *self.places.entry(job.planned.site().clone()).or_insert_with(|| {
            self.lanes.push(Lane::new(&self.options));
            self.lanes.len() - 1
        });
        if self.lanes[place].is_given_up() {
            return self.leaving.push_back(Leaving::without(job, Reason::BreakerOpen));
        }
        self.count_in(&job);
        self.lanes[place].admit(job);
    }

    /// Takes a record in that has ended already.
    pub(crate) fn let_go(&mut self, job: Box<Job>) {
        self.leaving.push_back(Leaving { job, reason: None });
    }

    /// Lets out the next record that has been decided.
    pub(crate) fn leave(&mut self) -> Option<Leaving> {
        self.leaving.pop_front()
    }

    /// When the next request may begin, as seen at `now` with so many under way, and the lane it is in.
    pub(crate) fn next(&self, now: Instant, under_way: usize) -> Option<(Instant, usize)> {
        let concurrency = self.options.concurrency.get();
        let free = concurrency.checked_sub(under_way).filter(|&free| free > 0)?;
        let share = (concurrency / self.lanes.len().max(1)).max(1);
        let scarce = free * 4 <= concurrency;
        let lanes = self.lanes.iter().enumerate();
        let (at, _, _, place) = lanes
            .filter(|(_, lane)| !scarce || lane.under_way < share)
            .filter_map(|(place, lane)| Some((lane.ready_at(now)?, lane.under_way, lane.begun, place)))
            .min()?;
        Some((at.max(self.schedule.next(now)), place))
    }

    /// Begins the request that [`Room::next`] gave, whose time has come.
    pub(crate) fn begin(&mut self, slot: Instant, place: usize) -> Option<Start> {
        let (job, pass) = self.lanes[place].begin(slot)?;
        self.count_out(&job);
        self.schedule.book(slot);
        if job.attempts() == 0 {
            self.budget.deposit();
        }
        self.begun += 1;
        if self.options.max_requests == Some(self.begun) {
            self.close(Reason::MaxRequests);
        }
        Some(Start { job, place, pass })
    }

    /// A request has ended, or was not sent after all.
    pub(crate) fn end(&mut self, Start { mut job, place, pass }: Start, ended: Ended, notes: &Notes) {
        let now = Instant::now();
        let Answer { retry, retry_after } = match ended {
            Ok(answer) => answer,
            Err(reason) => {
                self.lanes[place].end(pass, Sign::Nothing, now, self.random.unit());
                return self.leaving.push_back(Leaving::without(job, reason));
            }
        };
        if let Some(wait) = retry_after {
            self.lanes[place].hold(now + wait.min(self.options.max_retry_after));
        }
        let turn = self.lanes[place].end(pass, sign(&retry), now, self.random.unit());
        self.say(job.planned.site(), turn, notes);
        let has_attempts = self.options.may_go_again(&retry);
        let given_up = || self.lanes[place].is_given_up().then_some(Reason::BreakerOpen);
        let stopped = self.closed.or_else(given_up).filter(|_| has_attempts);
        let may_go_again = has_attempts && stopped.is_none() && self.has_room_again(notes);
        let wait = self.wait(retry.attempts).filter(|_| may_go_again);
        job.answers += u32::from(is_answered(&retry));
        job.last = Some(retry);
        if let Some(wait) = wait {
            self.count_in(&job);
            self.lanes[place].admit_again(job, now + wait);
        } else {
            self.leaving.push_back(Leaving { job, reason: stopped });
        }
        if turn == Some(Turn::GivenUp) {
            self.turn_out(place, Reason::BreakerOpen);
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
            self.count_out(&job);
            self.leaving.push_back(Leaving::without(job, reason));
        }
    }

    fn say(&self, site: &Site, turn: Option<Turn>, notes: &Notes) {
        let trips = self.options.trips;
        match turn {
            None => {}
            Some(Turn::Held(hold, trip)) => notes.say(format_args!(
                "{site}: too many of its last answers failed; it is left alone for {:.1} s (trip {trip}{})",
                hold.as_secs_f64(),
                if trips == u32::MAX { String::new() } else { format!(" of {trips}") },
            )),
            Some(Turn::GivenUp) => {
                notes.say(format_args!("{site}: still failing; it is given up (trip {trips} of {trips})"));
            }
        }
    }

    /// How long a record waits after so many requests; none, if the budget allows no more of them.
    fn wait(&mut self, attempts: u32) -> Option<Duration> {
        let backoff = self.options.backoff;
        if self.budget.withdraw() {
            Some(backoff.wait(attempts, self.random.unit()))
        } else if self.options.again_max > 0 {
            // Who may wait for long waits for longest.
            Some(backoff.max.mul_f64(0.5 + self.random.unit() / 2.0))
        } else {
            None
        }
    }

    /// Whether one more record may wait for another attempt.
    fn has_room_again(&mut self, notes: &Notes) -> bool {
        let most = self.options.again_max;
        let has_room = most == 0 || (self.again.records < most && self.again.bytes < BYTES_MAX);
        if !has_room && !std::mem::replace(&mut self.told_full, true) {
            notes.say(format_args!(
                "{} records wait for another attempt; as long as there are so many, others that fail are not sent again",
                self.again.records
            ));
        }
        has_room
    }

    fn count_in(&mut self, job: &Job) {
        let held = self.held(job);
        held.records += 1;
        held.bytes += bytes(job);
    }

    fn count_out(&mut self, job: &Job) {
        let held = self.held(job);
        held.records -= 1;
        held.bytes -= bytes(job);
    }

    /// Those that `job` is counted with.
    fn held(&mut self, job: &Job) -> &mut Held {
        let is_apart = self.options.again_max > 0 && job.last.is_some();
        if is_apart { &mut self.again } else { &mut self.fresh }
    }
}

fn bytes(job: &Job) -> usize {
    let body = job.planned.body().map_or(0, <[u8]>::len);
    job.record.origin().text.len() + job.planned.target().len() + 2 * body
}
