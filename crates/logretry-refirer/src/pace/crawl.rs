//! A host that is asked with pauses, although most of its answers are good: for the person who wonders why.
//!
//! A failure that says "too much" is taken for the whole host's word, and where a steady part of the URLs leads to something that is down, there is always another one before the
//! limit has grown again. It goes down to its floor then and stays there. On the screen that is nothing but a slow run: nothing is held, and few requests fail.
//!
//! It is told from a host that comes back, which has no such pauses for so long, from one that fails, which the breaker leaves alone, and from one that is asked seldom for another reason (a rate,
//! `Retry-After`, a log that is followed and has nothing new), where it is not the pauses that the time goes into. That it is asked too often (429) a host says itself.

use std::time::Duration;

use tokio::time::Instant;

use super::gradient::Sign;

/// For how long there have been pauses at least when one more request fails: what is over sooner needs no explanation.
const LONG: Duration = Duration::from_secs(20);
/// Failures in that time at least: fewer may be all that there were.
const FAILURES_MIN: u32 = 5;
/// The same however few failures there were, and if they are over: the pauses are not.
const VERY_LONG: Duration = Duration::from_secs(120);

/// What has been seen since a host was last asked without pauses.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Crawl(Option<Seen>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    since: Instant,
    /// The pauses in that time, and the one that begins now.
    paused: Duration,
    gap: Duration,
    answers: u32,
    failures: u32,
}

/// How slowly a host is asked, and what for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Crawling {
    pub(crate) a_second: f64,
    pub(crate) failures: u32,
    pub(crate) answers: u32,
}

impl Crawl {
    /// An answer says so much, and from the beginning of one request to that of the next there is this `gap` at least.
    pub(crate) fn end(&mut self, sign: Sign, gap: Duration, now: Instant) {
        if gap.is_zero() || sign == Sign::TooOften {
            self.0 = None;
        } else if sign != Sign::Nothing {
            let new =
                Seen { since: now, paused: Duration::ZERO, gap: Duration::ZERO, answers: 0, failures: 0 };
            let seen = self.0.get_or_insert(new);
            // Of several that were under way at once not each has had a pause.
            seen.paused = (seen.paused + std::mem::replace(&mut seen.gap, gap)).min(now - seen.since);
            seen.answers += 1;
            seen.failures += u32::from(sign == Sign::TooMuch);
        }
    }

    /// Whether failures have made it slow for long, and most answers are good all the same; `last` is what the last one said.
    pub(crate) fn told(&self, last: Sign, now: Instant) -> Option<Crawling> {
        let Seen { since, paused, gap, answers, failures } = self.0?;
        let watched = now - since;
        let goes_on = last == Sign::TooMuch && failures >= FAILURES_MIN;
        let is_long = watched >= if goes_on { LONG } else { VERY_LONG };
        let is_paused = paused * 2 >= watched;
        (is_long && is_paused && (1..answers.div_ceil(2)).contains(&failures)).then(|| Crawling {
            a_second: gap.as_secs_f64().recip(),
            failures,
            answers,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_millis(250);

    /// After so many seconds, in which one answer in so many was `bad`, and two were so far `apart`.
    fn told(seconds: u64, one_in: u64, bad: Sign, apart: Duration) -> Option<Crawling> {
        let (mut crawl, start) = (Crawl::default(), Instant::now());
        let (mut now, mut last) = (start, bad);
        for number in 0.. {
            last = if number % one_in == 0 { bad } else { Sign::Good(1.0) };
            crawl.end(last, GAP, now);
            if now - start >= Duration::from_secs(seconds) {
                break;
            }
            now += apart;
        }
        crawl.told(last, now)
    }

    #[test]
    fn it_is_told_after_a_while_with_its_numbers() {
        assert_eq!(told(19, 10, Sign::TooMuch, GAP), None);
        let expected = Crawling { a_second: 4.0, failures: 9, answers: 81 };
        assert_eq!(told(20, 10, Sign::TooMuch, GAP), Some(expected));
        assert_eq!(told(21, 10, Sign::TooMuch, GAP), None, "not when a good answer comes");
    }

    #[test]
    fn pauses_that_last_are_told_though_nothing_fails_any_more() {
        assert_eq!(told(119, 1000, Sign::TooMuch, GAP), None);
        let expected = Crawling { a_second: 4.0, failures: 1, answers: 481 };
        assert_eq!(told(120, 1000, Sign::TooMuch, GAP), Some(expected));
    }

    #[test]
    fn what_is_slow_for_another_reason_is_no_crawl() {
        for (one_in, bad, apart, why) in [
            (1, Sign::TooMuch, GAP, "all of it fails"),
            (2, Sign::TooMuch, GAP, "half of it fails"),
            (10, Sign::Broken, GAP, "pages that are broken are not what makes it slow"),
            (10, Sign::TooOften, GAP, "it says itself that it is asked too often"),
            (10, Sign::TooMuch, 3 * GAP, "there was nothing to be sent, or it was not to be"),
        ] {
            assert_eq!(told(200, one_in, bad, apart), None, "{why}");
        }
    }

    #[test]
    fn without_pauses_it_is_over() {
        let (mut crawl, start) = (Crawl::default(), Instant::now());
        let at = |number: u32| start + GAP * number;
        (0..100).for_each(|number| {
            crawl.end(if number % 5 == 0 { Sign::TooMuch } else { Sign::Good(1.0) }, GAP, at(number));
        });
        assert!(crawl.told(Sign::TooMuch, at(100)).is_some());
        crawl.end(Sign::Good(1.0), Duration::ZERO, at(100));
        crawl.end(Sign::TooMuch, GAP, at(101));
        assert_eq!(crawl.told(Sign::TooMuch, at(101)), None);
    }
}
