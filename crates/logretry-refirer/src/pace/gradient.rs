//! How many requests a host bears at once: a law that finds it out from its answers.
//!
//! # Why a law
//!
//! A number of requests under way that suits a host cannot be known before: it is what the host bears today, minus what its
//! users need, and it has just been down. Too small a number makes a long log take all night, too large a one makes the
//! outage start again. TCP had this problem first (Jacobson, "Congestion Avoidance and Control", 1988). It begins with little and grows until something is lost, and
//! that is what this law does when it knows nothing better (slow start, additive increase, multiplicative decrease).
//!
//! # Why latency
//!
//! For a web server a loss is a user who sees an error, so a law that needs losses to learn is not gentle. But servers say
//! it earlier: with more requests at once than they have workers, requests queue, and every answer takes longer while no more
//! answers come. TCP Vegas (Brakmo and Peterson, 1995) and Netflix's `Gradient2` (concurrency-limits) read that. With `base`
//! what an answer takes when nothing queues, and `short` what it took in the last round,
//!
//! ```text
//!   gradient = TOLERANCE · base / short        held between 0.5 and 1
//!   limit'   = limit + SMOOTHING · (gradient · limit + headroom − limit)
//! ```
//!
//! While the gradient is 1 the limit grows by a little each round; as answers slow down it comes to rest where
//! `limit · (1 − gradient) = headroom`, with a quarter to a half as many requests queued as are worked on: the server never idles, and
//! never has many to catch up with. Slow start stands still at a sign of a queue, and ends at the second one in a row: a dozen answers are few, and what ends too early
//! takes long to grow (`HyStart++`, RFC 9406, goes on for the same reason when the delay was none).
//!
//! # How long a round is
//!
//! A flight, but a dozen answers at least; and where pages differ, as with a cache that is filling, until their average says something ([`Spread`]), but ten flights at most. How far a round
//! may be off by chance is no sign of anything: the tolerance is as wide as that, and `base` is drawn up by it no less than down. A longer round is a longer step, so that the limit
//! grows as fast.
//!
//! # Where `base` comes from
//!
//! Vegas takes the fastest round trip ever seen. Packets are alike; pages are not, and next to a cached image every other
//! answer looks slow. So this law compares averages of whole rounds with a slow average of rounds, as `Gradient2` does. A slow
//! average has the opposite fault: it gets used to a queue that is always there, and the limit creeps. Therefore it rises ten
//! times more slowly than it falls, not at all while the gradient says that there is a queue, and once in a while the limit is
//! halved for a round, to see the server without one (as BBR does, for the same reason). The first `base` is the average of all answers up to the first sign of a queue.
//!
//! # A slower server is no queue
//!
//! Everything may become slower for a while, because something else runs on the same machine. Then fewer requests at once make nothing faster, and only the work is left undone.
//! A queue answers: with three quarters of the requests, three quarters of the time. So when the limit has come down by a quarter and answers are as slow as before, it was no
//! queue: that is what an answer takes now, and the limit goes back to where it was. As soon as a round is nearer to what it took before, that counts again.
//!
//! # What failures do
//!
//! A failure that says "too much" (429, 502, 503, 504, no answer) acts at once. The limit goes down by one for each of them, that
//! is by the share of the flight that failed, and by a tenth more for the first one of a flight if it comes as a surprise. Where a server
//! has a sharp edge, that is just what was too much. The law is wary from then on: near the edge it goes up by one request, and
//! only after [`PATIENCE`] good answers, so that feeling for the edge costs less than one failure in a hundred, and a failure there
//! is no surprise. A page that is simply broken (500) says nothing about load, and some are broken among those that failed once. Only when clearly more of a round are
//! broken than a tenth and what is broken of an idle server as well does the limit go down. The latter is learned as `base` is.
//!
//! A host that was left alone by the breaker begins again with one request, and is fast up to half of what it bore in its last good
//! round: what its failures left of the limit says nothing about it.
//!
//! Below one request at a time the limit goes on as a pause: with a limit of ½ a request begins every two answer times. Answers are few then, and ten seconds of good ones are enough for a
//! step up: a run begins when a host is just coming back, and fails now and then at first. How often a client may come (429) has nothing to do with how
//! long an answer takes, so there the pause may become as long as that needs, and the breaker does not end it.

use std::time::Duration;

use super::spread::{Spread, Times};

/// Answers in a round at least. Fewer, and one slow page among them would look like a queue.
const ROUND_MIN: u32 = 12;
/// But no longer than so many flights, however much pages differ.
const FLIGHTS_MAX: f64 = 10.0;
/// How much slower than `base` a round may be without a word, because pages differ. Netflix has 1.5.
const TOLERANCE: f64 = 1.2;
/// How much slower a round may be in slow start, where the next step is half as much again. TCP's `HyStart` has 1.125.
const CAUTION: f64 = 1.25;
/// How much slower a round must be there to be believed at once.
const CERTAIN: f64 = 1.6;
/// How many times as far as by chance a round must be off there, and to be believed at once: what ends too early takes long to grow.
const CHANCES: f64 = 1.5;
const CERTAIN_CHANCES: f64 = 2.0;
/// How far the limit comes down before it is asked whether that was of any use.
const TRIAL: f64 = 0.75;
/// As slow as before: the share of the time that answers took before.
const UNMOVED: f64 = 0.9;
/// Broken pages that say nothing, as a share of a round, beyond those that are always broken.
const BROKEN: f64 = 0.1;
/// How much more than it has the limit asks for, as a share of it, but one request at least.
const HEADROOM: f64 = 1.0 / 16.0;
/// How much of the way to a new limit is gone at once. Half: one odd round is no disaster, two in a row are believed.
const SMOOTHING: f64 = 0.5;
/// Growth a round in slow start. Less than TCP's 2: what is too much by a half fits into most servers' queues.
const SLOW_START: f64 = 1.5;
/// How far `base` follows a round that was slower, but within the tolerance.
const RISE: f64 = 0.005;
/// How far `base` follows a faster round.
const FALL: f64 = 0.05;
/// How far the spread of answers follows a round.
const SPREAD: f64 = 0.1;
/// Flights from one look at the server without its queue to the next: costs about one request in a hundred, and some more where pages differ.
const REFRESH: f64 = 100.0;
/// Good answers from one step beyond a known edge to the next: one failure in 200 at most.
const PATIENCE: u32 = 200;
/// But no longer than this where a host is asked seldom: what was refused for a while would be asked as seldom for an hour.
const PATIENCE_MAX: Duration = Duration::from_secs(60);
/// And than this where it is asked so because it failed: a host that has come back would be thought down by some failures at its first requests.
const PATIENCE_BELOW_ONE: Duration = Duration::from_secs(10);
/// From this share of a known edge on, it is near.
const NEAR: f64 = 0.85;
/// One request every 32 answer times at least: slower would be a stop, which is the breaker's to decide.
const FLOOR: f64 = 1.0 / 32.0;
/// But of a host that says that it is asked too often, once in so many milliseconds at least: what it allows has nothing to do with how long its answers take.
const PAUSE_MAX_MS: f64 = 2000.0;
/// What an answer is taken to need at most as long as no round of them was good. Little, so that a short log of broken pages is no long wait.
const UNKNOWN_MS: f64 = 50.0;

/// What an answer says about the host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sign {
    /// It was good, after so many milliseconds.
    Good(f64),
    /// This request fails, and would do so on an idle server: 500, a certificate.
    Broken,
    /// It is too much: 503, a timeout, a broken connection.
    TooMuch,
    /// It comes too often: 429.
    TooOften,
    /// Nothing: it was cut off from here, or never connected.
    Nothing,
}

/// What a request takes along, so that its answer is judged by the limit under which it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ticket {
    round: u64,
    flight: u64,
}

/// The limit of one host.
#[derive(Debug, Clone)]
pub(crate) struct Gradient {
    limit: f64,
    ceiling: f64,
    /// Up to here the limit grows fast.
    threshold: f64,
    base_ms: Option<f64>,
    /// What good answers have taken lately, for as long as there is no `base_ms`: with failures among every dozen no round comes to its end.
    lately_ms: Option<f64>,
    /// Good answers that the first `base` is the average of.
    averaged: u32,
    spread: Spread,
    /// What it was before the server became slower.
    before_ms: Option<f64>,
    /// The share of pages that are broken when nothing queues.
    base_broken: f64,
    round: Round,
    /// Flights since the last look at the server without its queue.
    flights: f64,
    /// Whether the last round of slow start had a sign of a queue.
    doubtful: bool,
    /// The limit from which it has been coming down because answers were slow, and what they took there.
    trial: Option<(f64, f64)>,
    /// What an answer took when it was last said to come too often, if that was the last failure: a long pause does not change with how long answers take now.
    metered_ms: Option<f64>,
    /// Counts the cuts: requests that began before the last one belong to an old flight.
    flight: u64,
    /// The limit of the last round that was used to the full and went well.
    borne: f64,
    /// The limit that was last too much.
    edge: Option<f64>,
    /// Good answers since the last step.
    patience: u32,
    /// The limit to go back to after a look at the server without its queue.
    looking: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Round {
    number: u64,
    good: Times,
    broken: u32,
    /// Whether the limit was ever reached. One that is not used teaches nothing, and does not grow.
    full: bool,
}

impl Round {
    fn answers(&self) -> u32 {
        self.good.answers + self.broken
    }
}

impl Gradient {
    /// A law that never goes above `ceiling`.
    pub(crate) fn new(ceiling: usize) -> Self {
        Self {
            limit: 1.0,
            ceiling: u32::try_from(ceiling).unwrap_or(u32::MAX).into(),
            threshold: f64::INFINITY,
            base_ms: None,
            lately_ms: None,
            averaged: 0,
            spread: Spread::default(),
            before_ms: None,
            base_broken: 0.0,
            round: Round::default(),
            flights: 0.0,
            doubtful: false,
            trial: None,
            metered_ms: None,
            flight: 0,
            borne: 1.0,
            edge: None,
            patience: 0,
            looking: None,
        }
    }

    /// Requests that may be under way.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 1 to a ceiling that fits"
    )]
    pub(crate) fn places(&self) -> usize {
        self.limit.max(1.0) as usize
    }

    /// The time from the beginning of a request to that of the next at least.
    pub(crate) fn gap(&self) -> Duration {
        if self.limit >= 1.0 {
            return Duration::ZERO;
        }
        let metered_ms = self.metered_ms.filter(|_| self.limit < FLOOR);
        let answer_ms = metered_ms.or(self.base_ms);
        let answer_ms = answer_ms.unwrap_or_else(|| self.lately_ms.unwrap_or(UNKNOWN_MS).min(UNKNOWN_MS));
        Duration::from_secs_f64(answer_ms / self.limit / 1e3)
    }

    /// A request begins, and so many are under way with it.
    pub(crate) fn begin(&mut self, under_way: usize) -> Ticket {
        self.round.full |= under_way >= self.places();
        Ticket { round: self.round.number, flight: self.flight }
    }

    /// A request has ended.
    pub(crate) fn end(&mut self, ticket: Ticket, sign: Sign) {
        let counts = ticket.round == self.round.number;
        if let (Sign::Good(ms), None) = (sign, self.base_ms) {
            let lately_ms = self.lately_ms.get_or_insert(ms);
            *lately_ms += (ms - *lately_ms) / f64::from(ROUND_MIN);
        }
        match sign {
            Sign::TooMuch => self.metered_ms = None,
            Sign::TooOften if self.metered_ms.is_none() || self.limit >= FLOOR => {
                self.metered_ms = Some(self.base_ms.unwrap_or(UNKNOWN_MS));
            }
            _ => {}
        }
        match sign {
            Sign::TooMuch | Sign::TooOften if ticket.flight == self.flight => self.cut(),
            // The flight was cut already; this one gives its own place back.
            Sign::TooMuch | Sign::TooOften => self.lower((self.limit - 1.0).max(self.limit.min(1.0))),
            Sign::Good(ms) if counts => {
                self.round.good.add(ms);
                self.patience += 1;
                self.end_round();
            }
            Sign::Broken if counts => {
                self.round.broken += 1;
                self.end_round();
            }
            Sign::Good(_) | Sign::Broken | Sign::Nothing => {}
        }
    }

    /// Begins again with one request at a time: the host was left alone, and may be another one now. One that was asked too often is the same.
    pub(crate) fn restart(&mut self) {
        if self.is_seldom() {
            self.flight += 1;
            return self.lower(self.limit);
        }
        // The failures that led here have taken the limit down already, so it says nothing.
        let threshold = self.borne.max(self.limit) / 2.0;
        self.edge = None;
        self.looking = None;
        self.flight += 1;
        self.lower(1.0);
        self.threshold = threshold;
    }

    fn cut(&mut self) {
        self.looking = None;
        let surprise = !self.edge.is_some_and(|edge| self.limit >= NEAR * edge);
        self.edge = Some(self.limit);
        self.flight += 1;
        self.lower(match self.limit {
            limit @ 2.0.. if surprise => limit - 1.0 - (limit / 10.0).floor(),
            limit @ 2.0.. => limit - 1.0,
            limit @ 1.0.. => limit / 2.0,
            limit => limit * 0.8,
        });
    }

    /// Goes to a lower limit, from which it does not grow fast again.
    fn lower(&mut self, limit: f64) {
        self.trial = None;
        // A limit that is below the floor of another kind of failure does not go up to it.
        self.limit = limit.max(self.floor().min(self.limit));
        self.threshold = self.limit;
        self.patience = 0;
        self.next_round();
    }

    fn floor(&self) -> f64 {
        self.metered_ms.map_or(FLOOR, |ms| FLOOR.min(ms / PAUSE_MAX_MS))
    }

    fn next_round(&mut self) {
        self.round = Round { number: self.round.number + 1, ..Round::default() };
    }

    /// Judges the round, if it has come to its end.
    fn end_round(&mut self) {
        // On its way back up the law knows what an answer takes, and needs fewer of them to tell a queue from a slow page.
        let knows = self.limit < self.threshold && self.threshold.is_finite();
        let round_min = if knows { ROUND_MIN / 2 } else { ROUND_MIN };
        let wanted = self.spread.answers_wanted().min(FLIGHTS_MAX * self.flight_answers());
        let answers = self.round.answers();
        if f64::from(answers) >= wanted.max(self.flight_answers()) && answers >= round_min {
            self.judge(self.round);
        }
    }

    /// Answers of a flight.
    fn flight_answers(&self) -> f64 {
        self.limit.max(1.0).floor()
    }

    fn judge(&mut self, round: Round) {
        self.next_round();
        let (answers, Round { good, broken, full, .. }) = (round.answers(), round);
        if self.is_breaking(answers, broken) {
            return self.lower((self.limit * 0.7).max(self.limit.min(1.0)));
        }
        if good.answers == 0 {
            return;
        }
        let short_ms = good.average_ms();
        let chance = self.chance(&good);
        let base_ms = self.follow(&good, chance);
        let flights = (f64::from(answers) / self.flight_answers().max(ROUND_MIN.into())).max(1.0);
        if full {
            self.borne = self.looking.unwrap_or(self.limit);
        }
        if let Some(limit) = self.looking.take() {
            self.limit = limit;
            return;
        }
        let gradient = (TOLERANCE.max(1.0 + chance) * base_ms / short_ms).clamp(0.5, 1.0);
        let is_fast = self.limit < self.threshold;
        let doubtful = is_fast && short_ms > CAUTION.max(1.0 + CHANCES * chance) * base_ms;
        let certain = short_ms > CERTAIN.max(1.0 + CERTAIN_CHANCES * chance) * base_ms;
        let certain = std::mem::replace(&mut self.doubtful, doubtful) || certain;
        if doubtful && certain {
            // The end of slow start: the way to the new limit is gone at once.
            self.lower((self.limit * gradient).max(self.limit.min(1.0)));
        } else if is_fast && gradient < 1.0 {
            // Nothing, as long as that is doubtful.
        } else if gradient < 1.0 {
            self.come_down(gradient, short_ms);
        } else if full {
            self.trial = None;
            self.grow(flights);
        }
        self.limit = self.limit.min(self.ceiling);
        self.flights += flights;
        if self.flights >= REFRESH && self.limit >= 2.0 {
            self.flights = 0.0;
            self.looking = Some(self.limit);
            self.limit /= 2.0;
        }
    }

    /// Whether clearly more pages are broken than say nothing: by two standard deviations of such a number.
    fn is_breaking(&mut self, answers: u32, broken: u32) -> bool {
        let (answers, broken) = (f64::from(answers), f64::from(broken));
        let expected = answers * (BROKEN + self.base_broken);
        let is_breaking = broken > expected + 2.0 * expected.sqrt();
        let more = broken / answers - self.base_broken;
        let chance = 2.0 * (self.base_broken / answers).sqrt();
        self.base_broken += more
            * match more > 0.0 {
                _ if self.is_starting() && !is_breaking => answers / (f64::from(self.averaged) + answers),
                _ if self.is_unqueued() => 0.5,
                _ if more.abs() <= chance => RISE,
                true => 0.0,
                false => FALL,
            };
        is_breaking
    }

    /// Answers are slow: the limit goes down, unless that has been of no use.
    fn come_down(&mut self, gradient: f64, short_ms: f64) {
        let (from, before_ms) = *self.trial.get_or_insert((self.limit, short_ms));
        if self.limit <= from * TRIAL {
            if short_ms >= before_ms * UNMOVED {
                self.trial = None;
                self.before_ms = self.before_ms.or(self.base_ms);
                self.base_ms = Some(short_ms);
                self.limit = from;
                return;
            }
            self.trial = Some((self.limit, short_ms));
        }
        self.limit += SMOOTHING * (gradient * self.limit + self.headroom() - self.limit);
        self.threshold = self.threshold.min(self.limit);
    }

    /// How much slower or faster than `base` these answers may be by chance, as a share of it.
    fn chance(&mut self, good: &Times) -> f64 {
        let (answers, averaged) = (f64::from(good.answers), f64::from(self.averaged));
        self.spread.follow(good, if self.is_starting() { answers / (averaged + answers) } else { SPREAD });
        // At first `base` is off by chance as well.
        let both = if self.is_starting() && averaged > 0.0 {
            1.0 / (1.0 / answers + 1.0 / averaged)
        } else {
            answers
        };
        self.spread.error(both)
    }

    /// What an answer takes when nothing queues, now that a round has taken so long, which may be off by `chance`.
    fn follow(&mut self, good: &Times, chance: f64) -> f64 {
        let (short_ms, unqueued) = (good.average_ms(), self.is_unqueued());
        let mut base_ms = self.base_ms.unwrap_or(short_ms);
        if let Some(before_ms) = self.before_ms.filter(|before_ms| short_ms < (before_ms * base_ms).sqrt()) {
            self.before_ms = None;
            base_ms = before_ms;
        }
        let is_first = self.is_starting() && short_ms <= CAUTION.max(1.0 + CHANCES * chance) * base_ms;
        self.averaged += if is_first { good.answers } else { 0 };
        let share = match short_ms > base_ms {
            // A dozen answers are no average yet.
            _ if is_first => f64::from(good.answers) / f64::from(self.averaged),
            _ if unqueued => 0.5,
            // What is beyond the tolerance is a queue, as far as one knows, until the next look.
            true if short_ms > TOLERANCE.max(1.0 + chance) * base_ms => 0.0,
            true => RISE,
            false if chance > TOLERANCE - 1.0 && short_ms > (1.0 - chance) * base_ms => RISE,
            false => FALL,
        };
        *self.base_ms.insert(base_ms + (short_ms - base_ms) * share)
    }

    /// Whether there has been no sign of a queue yet, and no failure.
    fn is_starting(&self) -> bool {
        self.threshold.is_infinite()
    }

    /// Whether the last round saw the server without a queue of ours.
    fn is_unqueued(&self) -> bool {
        self.looking.is_some() || self.places() == 1
    }

    fn headroom(&self) -> f64 {
        // Whoever may come once a second is not asked twenty times as often at once.
        let least = if self.is_seldom() { self.limit } else { 1.0 };
        (self.limit * HEADROOM).max(least)
    }

    /// Whether it keeps pauses because it was said to come too often.
    fn is_seldom(&self) -> bool {
        self.metered_ms.is_some() && self.limit < 1.0
    }

    /// Whether it has been good for so long that a little more can be tried.
    fn has_waited(&self) -> bool {
        let least = if self.metered_ms.is_some() { PATIENCE_MAX } else { PATIENCE_BELOW_ONE };
        self.patience >= PATIENCE || self.limit < 1.0 && self.gap() * self.patience >= least
    }

    /// Goes up after a round of so many flights.
    fn grow(&mut self, flights: f64) {
        let wary = self.edge.is_some_and(|edge| self.limit <= 1.25 * edge);
        if self.limit < self.threshold {
            self.limit = (self.limit * SLOW_START).max(self.limit + 1.0).min(self.threshold.max(1.0));
        } else if !wary {
            self.limit += SMOOTHING * self.headroom() * flights;
        } else if self.has_waited() {
            self.patience = 0;
            let near = self.edge.is_some_and(|edge| self.limit >= NEAR * edge);
            self.limit += match self.limit {
                ..1.0 => self.limit / 4.0,
                _ if near => 1.0,
                _ => self.headroom(),
            };
        }
    }
}

#[cfg(test)]
mod tests;
