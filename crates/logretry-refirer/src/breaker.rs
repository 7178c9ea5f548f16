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
//! flaps is worked off in its good times. Holds are jittered, so that several runs do not knock in step. A host that has been
//! well for a while has its trips forgiven.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// How many of the last answers are looked at; more if more are under way, for a flight of which a part is too much comes back with
/// its failures first.
const WINDOW: usize = 20;
/// How many there must be: five failures among nine may be five broken pages.
const ANSWERS_MIN: usize = 10;
/// The first hold. The eleventh, of 18 s, is the last before the twelfth trip; together 68 s, in which most services restart.
const HOLD: Duration = Duration::from_secs(1);
/// How many times as long as the one before each hold is.
const GROWTH: f64 = 4.0 / 3.0;
/// What holds grow up to.
const HOLD_MAX: Duration = Duration::from_secs(60);
/// Good answers in a row after which trips are forgiven.
const FORGIVEN_AFTER: u32 = 100;

/// The breaker of one host.
#[derive(Debug, Clone)]
pub(crate) struct Breaker {
    /// 0 is never.
    trips_max: u32,
    trips: u32,
    /// Counts openings; answers to requests that began before the last one say nothing new.
    epoch: u32,
    last: VecDeque<bool>,
    /// How many of them have failed.
    failures: usize,
    good_in_a_row: u32,
    state: State,
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
            last: VecDeque::with_capacity(WINDOW),
            failures: 0,
            good_in_a_row: 0,
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

    /// A request of `epoch` has ended; `failed` is none if that says nothing. So many may be under way; `random` is from 0 to 1.
    pub(crate) fn end(
        &mut self,
        epoch: u32,
        failed: Option<bool>,
        places: usize,
        now: Instant,
        random: f64,
    ) -> Option<Turn> {
        if epoch != self.epoch || self.trips_max == 0 {
            return None;
        }
        match (self.state, failed) {
            (State::HalfOpen, None) => {
                self.state = State::Open { until: now };
                None
            }
            (State::HalfOpen, Some(true)) => Some(self.open(now, random)),
            (State::HalfOpen | State::Closed, Some(failed)) => {
                self.state = State::Closed;
                self.note(failed, places).then(|| self.open(now, random))
            }
            (State::Closed, None) | (State::Open { .. } | State::GivenUp, _) => None,
        }
    }

    /// Whether it must open.
    fn note(&mut self, failed: bool, places: usize) -> bool {
        self.good_in_a_row = if failed { 0 } else { self.good_in_a_row + 1 };
        if self.good_in_a_row >= FORGIVEN_AFTER {
            self.trips = 0;
        }
        self.last.push_back(failed);
        self.failures += usize::from(failed);
        while self.last.len() > WINDOW.max(places) {
            self.failures -= usize::from(self.last.pop_front() == Some(true));
        }
        failed && self.last.len() >= ANSWERS_MIN.max(places / 2) && self.failures * 2 >= self.last.len()
    }

    fn open(&mut self, now: Instant, random: f64) -> Turn {
        self.epoch += 1;
        self.trips += 1;
        self.good_in_a_row = 0;
        self.last.clear();
        self.failures = 0;
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
