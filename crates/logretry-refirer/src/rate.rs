//! When the next request may begin.
//!
//! A rate is a ceiling: it makes requests wait and never drops one. It does not save up either. A second in which nothing was
//! sent is not paid back by twice as many in the next, because a server that was slow for a while is the last one to be
//! sent a burst.
//!
//! ```text
//!   slot(n+1) = slot(n) + interval, or now, if that is more than LATE_MAX ago
//! ```
//!
//! Slots are counted from slot to slot and not from when a request really began, so that timers, which are a millisecond
//! late at best, do not lower the rate: what comes late is followed by the next one sooner. So in any time `t` no more begin than
//! `(t + LATE_MAX) · rate + 1`.

use std::str::FromStr;
use std::time::Duration;

use tokio::time::Instant;

use crate::RefirerError;

/// `--rate`: at most so many requests a second, minute or hour, evenly spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    interval: Duration,
}

impl Rate {
    /// The time from one request to the next.
    pub fn interval(self) -> Duration {
        self.interval
    }
}

impl FromStr for Rate {
    type Err = RefirerError;

    /// Reads `5`, `5/s`, `300/m` or `1000/h`.
    fn from_str(text: &str) -> Result<Self, RefirerError> {
        let refuse = || RefirerError::Rate(text.to_owned());
        let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
        let period = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(refuse()),
        };
        let plain = number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u32 = number.parse().ok().filter(|&number| plain && number > 0).ok_or_else(refuse)?;
        Ok(Self { interval: Duration::from_secs(period) / number })
    }
}

/// How late a request may begin for its slot to count all the same: as late as timers, and threads that wait for a processor, usually are.
const LATE_MAX: Duration = Duration::from_millis(5);

/// The schedule of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedule {
    interval: Option<Duration>,
    slot: Option<Instant>,
}

impl Schedule {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self { interval: rate.map(Rate::interval), slot: None }
    }

    /// When the next request may begin, as seen at `now`. Asking books nothing.
    pub(crate) fn next(&self, now: Instant) -> Instant {
        match (self.slot, self.interval) {
            (Some(slot), Some(interval)) => now.max(slot + interval),
            _ => now,
        }
    }

    /// Waits for the time of `next`. One that has come is not waited for, because timers round up to the next millisecond.
    pub(crate) async fn wait<T>(next: Option<(Instant, T)>) {
        match next {
            Some((slot, _)) if slot > Instant::now() => tokio::time::sleep_until(slot).await,
            _ => {}
        }
    }

    /// A request begins, at a time that [`Schedule::next`] gave.
    pub(crate) fn book(&mut self, begins: Instant) {
        let due = self.slot.zip(self.interval).map(|(slot, interval)| slot + interval);
        self.slot = Some(due.filter(|due| begins <= *due + LATE_MAX).unwrap_or(begins));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    #[test]
    fn a_rate_is_a_number_and_a_period() {
        for (text, interval_ms) in [("5", 200), ("5/s", 200), ("300/m", 200), ("1/h", 3_600_000)] {
            assert_eq!(rate(text).interval(), Duration::from_millis(interval_ms));
        }
        for text in ["", "0", "-1", "+1", "1.5", "5/d", "5/", "/s", "5 /s", "99999999999"] {
            assert!(text.parse::<Rate>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn requests_are_evenly_spaced_and_idle_time_is_not_saved_up() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut schedule = Schedule::new(Some(rate("10/s")));
        // When a request is ready, and when it may begin.
        for (ready, begins) in
            [(0, 0), (0, 100), (150, 200), (201, 300), (950, 950), (950, 1050), (950, 1150)]
        {
            let slot = schedule.next(at(ready));
            assert_eq!(slot, at(begins));
            schedule.book(slot);
        }
    }

    #[test]
    fn timers_that_are_late_do_not_lower_the_rate() {
        let start = Instant::now();
        for (rate, wanted) in [("20/s", 20), ("700/s", 700), ("1000/s", 1000), ("8000/s", 8000)] {
            let mut schedule = Schedule::new(Some(self::rate(rate)));
            let (mut now, mut begun) = (start, Vec::new());
            while now < start + Duration::from_secs(2) {
                let slot = schedule.next(now);
                if slot <= now {
                    schedule.book(slot);
                    begun.push(now);
                } else {
                    // As tokio's timers: to the next millisecond, and a little more.
                    let ms = (slot - start).as_micros() / 1000 + 1;
                    let ms = u64::try_from(ms).expect("it is small");
                    now = start + Duration::from_millis(ms) + Duration::from_micros(ms % 7 * 300);
                }
            }
            assert!(
                (wanted * 2 * 99 / 100..=wanted * 2 + 1).contains(&begun.len()),
                "{rate}: {}",
                begun.len()
            );
            let in_50_ms = |at: &Instant| {
                begun.iter().filter(|begun| (*at..*at + Duration::from_millis(50)).contains(begun)).count()
            };
            let most = begun.iter().step_by(97).map(in_50_ms).max();
            assert!(most <= Some(wanted * 55 / 1000 + 1), "{rate}: {most:?} in 50 ms");
        }
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let now = Instant::now();
        let mut schedule = Schedule::new(None);
        for _ in 0..3 {
            assert_eq!(schedule.next(now), now);
            schedule.book(now);
        }
    }
}
