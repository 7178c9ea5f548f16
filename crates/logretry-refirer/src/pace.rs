//! How fast a host is asked.

use std::time::Duration;

use logretry_record::{ErrorKind, Outcome, Retry};

use gradient::Sign;

pub(crate) mod crawl;
pub(crate) mod gradient;
mod score;
mod spread;

pub use score::Score;

/// What decides how many requests are under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Pace {
    /// Each host's own answers: one request at a time first, more while answers are good and fast, fewer when they are not
    #[default]
    Adaptive,
    /// As many as the ceilings allow, from the first request on
    Fixed,
    /// As adaptive, and no request before the log's own gaps have passed
    Original,
}

/// How the log's own gaps are kept: `--speed` and `--max-gap`. They matter for [`Pace::Original`] only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tempo {
    /// How many times faster than in the log; more than 0.
    pub speed: f64,
    /// What is kept of a gap at most, before it is sped up.
    pub max_gap: Duration,
}

impl Default for Tempo {
    fn default() -> Self {
        Self { speed: 1.0, max_gap: Duration::from_secs(60) }
    }
}

/// What a refire says about its host.
pub(crate) fn sign(retry: &Retry) -> Sign {
    let ms = retry.duration_ms.unwrap_or_default();
    match (retry.outcome, retry.status, retry.error) {
        (Outcome::InDoubt | Outcome::Skipped | Outcome::Unsent, _, _)
        | (Outcome::Unanswered, _, Some(ErrorKind::BlockedAddress)) => Sign::Nothing,
        (Outcome::Refused, Some(429), _) => Sign::TooOften,
        (Outcome::Recovered | Outcome::Refused, _, _) => Sign::Good(ms),
        // The application's own: an exception, a method or version it does not know, a loop. Or what it says is no HTTP.
        (Outcome::Failing, Some(500 | 501 | 505 | 506 | 508 | 510 | 511), _)
        | (Outcome::Unanswered, _, Some(ErrorKind::Tls | ErrorKind::Protocol)) => Sign::Broken,
        (Outcome::Failing | Outcome::Unanswered, _, _) => Sign::TooMuch,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use logretry_record::Reason;

    use super::*;

    #[test]
    fn what_is_too_much_is_told_from_what_is_broken() {
        use Outcome::{Failing, InDoubt, Recovered, Refused, Unanswered};

        for (outcome, status, error, expected) in [
            (Recovered, Some(200), None, Sign::Good(5.0)),
            (Recovered, Some(302), None, Sign::Good(5.0)),
            (Refused, Some(404), None, Sign::Good(5.0)),
            (Refused, Some(429), None, Sign::TooOften),
            (Failing, Some(500), None, Sign::Broken),
            (Failing, Some(502), None, Sign::TooMuch),
            (Failing, Some(503), None, Sign::TooMuch),
            (Failing, Some(504), None, Sign::TooMuch),
            (Failing, Some(520), None, Sign::TooMuch),
            (Unanswered, None, Some(ErrorKind::Timeout), Sign::TooMuch),
            (Unanswered, None, Some(ErrorKind::Connect), Sign::TooMuch),
            (Unanswered, Some(200), Some(ErrorKind::Reset), Sign::TooMuch),
            (Unanswered, None, Some(ErrorKind::Tls), Sign::Broken),
            (Unanswered, None, Some(ErrorKind::BlockedAddress), Sign::Nothing),
            (InDoubt, None, Some(ErrorKind::Aborted), Sign::Nothing),
        ] {
            let nothing = Retry::not_sent(Timestamp::now(), Reason::Stopped);
            let retry = Retry { outcome, status, error, duration_ms: Some(5.0), reason: None, ..nothing };
            assert_eq!(sign(&retry), expected, "{retry:?}");
        }
    }
}
