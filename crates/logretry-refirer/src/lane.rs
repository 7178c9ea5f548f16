//! One host: what waits for it, and when it may be asked next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use logretry_record::{Reason, Record, Retry};
use tokio::time::Instant;

use crate::account::Account;
use crate::again::Budget;
use crate::breaker::{Breaker, State, Turn};
use crate::idempotency::answers_before;
use crate::opening::Opening;
use crate::overflow::Queue;
use crate::pace::crawl::Crawl;
use crate::pace::gradient::{Gradient, Sign, Ticket};
use crate::{Options, Pace, Planned};

/// A record on its way, until it leaves.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) record: Record,
    pub(crate) planned: Arc<Planned>,
    /// Its numbers, once it has been sent.
    pub(crate) account: Option<Account>,
    /// How its last request ended.
    pub(crate) last: Option<Retry>,
    /// Requests for it that were answered.
    pub(crate) answers: u32,
    /// Which request was under way when an earlier run was cut off.
    pub(crate) in_doubt: Option<u32>,
    /// Whether anything of it was sent, and may have been looked at.
    pub(crate) sent: bool,
    /// Whether its journal has been told how it ended.
    pub(crate) told: bool,
    /// When the log's own gaps have passed, if they are kept.
    pub(crate) due: Option<Instant>,
}

impl Job {
    /// Boxed, for it is passed on from hand to hand.
    pub(crate) fn new(record: Record, planned: Planned) -> Box<Self> {
        Box::new(Self {
            record,
            planned: Arc::new(planned),
            account: None,
            last: None,
            answers: 0,
            in_doubt: None,
            sent: false,
            told: false,
            due: None,
        })
    }

    /// One whose `attempt`th request was under way when an earlier run was cut off. It counts as not sent.
    pub(crate) fn again(record: Record, planned: Planned, attempt: u32) -> Box<Self> {
        let mut job = Self::new(record, planned);
        job.in_doubt = Some(attempt);
        job.answers = answers_before(job.planned.is_idempotent(), attempt.saturating_sub(1), None);
        job
    }

    /// One that an earlier run was to send again after `last`.
    pub(crate) fn answered(record: Record, planned: Planned, last: Retry) -> Box<Self> {
        let mut job = Self::new(record, planned);
        job.answers = answers_before(job.planned.is_idempotent(), last.attempts, Some(&last));
        job.last = Some(last);
        job.sent = true;
        job
    }

    /// Requests that have gone out for it.
    pub(crate) fn attempts(&self) -> u32 {
        let before = || self.in_doubt.map_or(0, |attempt| attempt.saturating_sub(1));
        self.last.as_ref().map_or_else(before, |retry| retry.attempts)
    }
}

/// What a request takes along: under which limit and before which trip it began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass {
    ticket: Ticket,
    epoch: u32,
}

/// What some of the records that wait in memory amount to.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

/// One host. What waits for it is in three places, in this order: the front, the disk, and behind it what could not be written there.
#[derive(Debug)]
pub(crate) struct Lane {
    front: VecDeque<Box<Job>>,
    pub(crate) on_disk: Queue,
    pub(crate) behind: VecDeque<Box<Job>>,
    /// Those that wait for their next attempt, by the time it may begin and a number.
    again: BTreeMap<(Instant, u64), Box<Job>>,
    numbered: u64,
    /// All that waits in memory, but for what waits for another attempt in a room of its own.
    pub(crate) held: Held,
    /// Why what is on disk leaves unsent.
    pub(crate) turned_out: Option<Reason>,
    pub(crate) budget: Budget,
    pub(crate) under_way: usize,
    ceiling: usize,
    /// None is a fixed pace.
    law: Option<Gradient>,
    pub(crate) crawl: Crawl,
    pub(crate) opening: Opening,
    breaker: Breaker,
    /// `Retry-After`.
    held_until: Option<Instant>,
    /// When its last request began.
    pub(crate) begun: Option<Instant>,
}

impl Lane {
    pub(crate) fn new(options: &Options) -> Self {
        let concurrency = options.concurrency.get();
        let ceiling = options.per_host.map_or(concurrency, |per_host| per_host.get().min(concurrency));
        Self {
            front: VecDeque::new(),
            on_disk: Queue::default(),
            behind: VecDeque::new(),
            again: BTreeMap::new(),
            numbered: 0,
            held: Held::default(),
            turned_out: None,
            budget: Budget::new(),
            under_way: 0,
            ceiling,
            law: (options.pace != Pace::Fixed).then(|| Gradient::new(ceiling)),
            crawl: Crawl::default(),
            opening: Opening::default(),
            breaker: Breaker::new(options.trips),
            held_until: None,
            begun: None,
        }
    }

    /// Whether nothing will be asked of this host any more.
    pub(crate) fn is_given_up(&self) -> bool {
        self.breaker.state() == State::GivenUp
    }

    /// Takes a record that is to be sent before those on disk.
    pub(crate) fn admit(&mut self, job: Box<Job>) {
        self.front.push_back(job);
    }

    /// Whether the next record comes from disk, or from behind it.
    pub(crate) fn needs_front(&self) -> bool {
        self.front.is_empty() && !(self.on_disk.is_empty() && self.behind.is_empty())
    }

    /// Whether a record that comes now is next to those of the front.
    pub(crate) fn ends_in_front(&self) -> bool {
        self.on_disk.is_empty() && self.behind.is_empty()
    }

    /// Makes those behind the disk, on which nothing is left, the front.
    pub(crate) fn move_up(&mut self) {
        self.front.append(&mut self.behind);
    }

    /// Records that wait for another attempt.
    pub(crate) fn waiting_again(&self) -> usize {
        self.again.len()
    }

    /// Takes a record back, to be sent again at `at` or later.
    pub(crate) fn admit_again(&mut self, job: Box<Job>, at: Instant) {
        self.numbered += 1;
        self.again.insert((at, self.numbered), job);
    }

    /// When its next request may begin, as seen at `now`; none if it has to wait for something else than time.
    pub(crate) fn ready_at(&self, now: Instant) -> Option<Instant> {
        let (places, gap) =
            self.law.as_ref().map_or((self.ceiling, Duration::ZERO), |law| (law.places(), law.gap()));
        if self.under_way >= places {
            return None;
        }
        let fresh = self.front.front().map(|job| job.due.unwrap_or(now));
        let again = self.again.first_key_value().map(|((at, _), _)| *at);
        let waiting = fresh.into_iter().chain(again).min()?;
        let allowed = match self.breaker.state() {
            State::Closed => now,
            State::Open { until } => until,
            State::HalfOpen | State::GivenUp => return None,
        };
        let spaced = self.begun.map_or(now, |begun| begun + gap);
        let held = self.held_until.unwrap_or(now);
        Some(now.max(waiting).max(allowed).max(spaced).max(held))
    }

    /// Begins the next request, for which it is time.
    pub(crate) fn begin(&mut self, now: Instant) -> Option<(Box<Job>, Pass)> {
        let is_fresh_due = self.front.front().is_some_and(|job| job.due.is_none_or(|due| due <= now));
        let is_again_due =
            self.again.first_key_value().is_some_and(|((at, _), _)| *at <= now || !is_fresh_due);
        let again = if is_again_due { self.again.pop_first().map(|(_, job)| job) } else { None };
        let job = again.or_else(|| self.front.pop_front())?;
        self.under_way += 1;
        self.begun = Some(now);
        let ticket = self.law.as_mut().map(|law| law.begin(self.under_way)).unwrap_or_default();
        Some((job, Pass { ticket, epoch: self.breaker.begin() }))
    }

    /// A request has ended.
    pub(crate) fn end(&mut self, pass: Pass, sign: Sign, now: Instant, random: f64) -> Option<Turn> {
        self.under_way -= 1;
        if let Some(law) = &mut self.law {
            law.end(pass.ticket, sign);
        }
        let places = self.law.as_ref().map_or(self.ceiling, Gradient::places);
        let turn = self.breaker.end(pass.epoch, sign, places, now, random);
        if let (Some(_), Some(law)) = (turn, &mut self.law) {
            law.restart();
        }
        if let Some(law) = &self.law {
            self.crawl.end(sign, law.gap(), now);
        }
        turn
    }

    /// The host asks not to be asked before `until`.
    pub(crate) fn hold(&mut self, until: Instant) {
        self.held_until = self.held_until.max(Some(until));
    }

    /// Takes out everything that waits in memory. What is on disk was to be sent before those behind it, and leaves after them.
    pub(crate) fn empty(&mut self) -> impl Iterator<Item = Box<Job>> {
        let again = std::mem::take(&mut self.again).into_values();
        again.chain(self.front.drain(..)).chain(self.behind.drain(..))
    }
}
