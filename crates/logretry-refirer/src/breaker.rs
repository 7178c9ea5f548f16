//! When a host is left alone, and when it is given up.
//!
//! ```text
//!            half of the last 20 failed              the hold is over
//!   closed ────────────────────────────▶ open ──────────────────────────▶ half open: one probe
//!     ▲                                   ▲ │ too many trips                │          │
//!     │                                   │ ╰────────────▶ given up         │          │
//!     │                                   ╰──────────── it failed ──────────╯          │
//!     ╰───────────────────────────────── it was good ──────────────────────────────────╯
//! ```
//!
//! The law of the pace already asks a failing host for less. A breaker is for the host that fails whatever it is asked: most
//! requests to it are wasted, and each may be the one that keeps it from coming up. Each hold is a third longer than the one before:
//! what is lost when a host is back is the rest of a hold, so that is about a seventh of the time for which it was gone, and a host that
//! flaps is worked off in its good times. Holds are jittered, so that several runs do not knock in step. A host that has given two hundred answers since, without another trip,
//! has its trips forgiven.
//!
//! What failed once is what is sent here, and some of it fails for good: pages that are broken, whoever asks for them. They come as they stand in the log, and where they are a quarter of it, half of twenty
//! are broken by chance every now and then. So where it is those that say nothing about load (500), it takes two thirds of the last 40, or half of the last 200.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::pace::gradient::Sign;

/// How many of the last answers are looked at; more if more are under way, for a flight of which a part is too much comes back with
/// its failures first.
const WINDOW: usize = 20;
/// The same where it is pages that are broken, and two thirds of them are.
const BROKEN_TIMES: usize = 2;
/// The same for half of them.
const BROKEN_LONG: usize = 200;
/// The first hold. The eleventh, of 18 s, is the last before the twelfth trip; together 68 s, in which most services restart.
const HOLD: Duration = Duration::from_secs(1);
/// How many times as long as the one before each hold is.
const GROWTH: f64 = 4.0 / 3.0;
/// What holds grow up to.
const HOLD_MAX: Duration = Duration::from_secs(60);
/// Answers since the last trip after which trips are forgiven: more than any trip takes.
const FORGIVEN_AFTER: u32 = 200;

/// The breaker of one host.
#[derive(Debug, Clone)]
pub(crate) struct Breaker {
    /// 0 is never.
    trips_max: u32,
    trips: u32,
    /// Counts openings; answers to requests that began before the last one say nothing new.
    epoch: u32,
    last: VecDeque<Said>,
    /// Answers since it was last opened.
    since: u32,
    state: State,
}

/// What an answer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Good,
    Broken,
    TooMuch,
}

/// Whether a request may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It may.
    Closed,
    /// Not before then.
    Open { until: Instant },
    /// Not before the probe that is under way has ended.
    HalfOpen,
    /// Never.
    GivenUp,
}

/// What an answer has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The host is held for so long; this is the so-and-so-manieth trip.
    Held(Duration, u32),
    /// The host is given up.
    GivenUp,
}

impl Breaker {
    /// A breaker that gives up at the `trips_max`-th trip; 0 is one that never opens.
    pub(crate) fn new(trips_max: u32) -> Self {
        Self {
            trips_max,
            trips: 0,
            epoch: 0,
            last: VecDeque::with_capacity(BROKEN_LONG),
            since: 0,
            state: State::Closed,
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// A request begins, which it may. Gives the epoch that its answer belongs to.
    pub(crate) fn begin(&mut self) -> u32 {
        if let State::Open { .. } = self.state {
            self.state = State::HalfOpen;
        }
        self.epoch
    }

    /// A request of `epoch` has ended, which says so much about the host. So many may be under way; `random` is from 0 to 1.
    pub(crate) fn end(
        &mut self,
        epoch: u32,
        sign: Sign,
        places: usize,
        now: Instant,
        random: f64,
    ) -> Option<Turn> {
        if epoch != self.epoch || self.trips_max == 0 {
            return None;
        }
        let said = match sign {
            Sign::Good(_) => Some(Said::Good),
            Sign::Broken => Some(Said::Broken),
            Sign::TooMuch | Sign::TooOften => Some(Said::TooMuch),
            Sign::Nothing => None,
        };
        match (self.state, said) {
            (State::HalfOpen, None) => {
                self.state = State::Open { until: now };
                None
            }
            (State::HalfOpen, Some(Said::Broken | Said::TooMuch)) => Some(self.open(now, random)),
            (State::HalfOpen | State::Closed, Some(said)) => {
                self.state = State::Closed;
                self.note(said, places).then(|| self.open(now, random))
            }
            (State::Closed, None) | (State::Open { .. } | State::GivenUp, _) => None,
        }
    }

    /// Whether it must open.
    fn note(&mut self, said: Said, places: usize) -> bool {
        self.since += 1;
        if self.since >= FORGIVEN_AFTER {
            self.trips = 0;
        }
        let window = WINDOW.max(places);
        let wide = window.saturating_mul(BROKEN_TIMES);
        self.last.truncate(BROKEN_LONG.max(wide) - 1);
        self.last.push_front(said);
        // So many of so many. Half a window there must be: five failures among nine may be five broken pages.
        let fail = |window: usize, (part, whole): (usize, usize), failed: fn(Said) -> bool| {
            let answers = self.last.len().min(window);
            let failures = self.last.iter().take(answers).filter(|said| failed(**said)).count();
            answers * 2 >= window && failures * whole >= answers * part
        };
        let is_bad = |said| said != Said::Good;
        is_bad(said)
            && (fail(window, (1, 2), |said| said == Said::TooMuch)
                || fail(wide, (2, 3), is_bad)
                || fail(BROKEN_LONG.max(window), (1, 2), is_bad))
    }

    fn open(&mut self, now: Instant, random: f64) -> Turn {
        self.epoch += 1;
        self.trips += 1;
        self.since = 0;
        self.last.clear();
        if self.trips >= self.trips_max {
            self.state = State::GivenUp;
            return Turn::GivenUp;
        }
        let hold = hold(self.trips, random);
        self.state = State::Open { until: now + hold };
        Turn::Held(hold, self.trips)
    }
}

/// From half of it to the whole: a hold that jitter makes almost none would be no hold.
fn hold(trip: u32, random: f64) -> Duration {
    let times = GROWTH.powi(i32::try_from(trip - 1).unwrap_or(i32::MAX));
    let whole_s = (HOLD.as_secs_f64() * times).min(HOLD_MAX.as_secs_f64());
    Duration::from_secs_f64(whole_s * (0.5 + random / 2.0))
}

#[cfg(test)]
mod tests;
