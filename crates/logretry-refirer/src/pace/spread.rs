//! How much answers differ in the time that they take, and so how far the average of some of them may be off by chance.
//!
//! A page from a cache is there in a millisecond, and the one beside it takes thirty times as long. Then the average of a dozen answers says next to nothing: its
//! standard error is the standard deviation of one answer, divided by the square root of their number.

/// How many standard errors an average may be off by chance.
const CHANCE: f64 = 2.0;
/// The standard error, as a share of the average, at which it is good enough.
const ENOUGH: f64 = 0.1;

/// What the good answers of a round took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) answers: u32,
    sum_ms: f64,
    sum_squared_ms: f64,
}

impl Times {
    pub(super) fn add(&mut self, ms: f64) {
        self.answers += 1;
        self.sum_ms += ms;
        self.sum_squared_ms += ms * ms;
    }

    pub(super) fn average_ms(&self) -> f64 {
        self.sum_ms / f64::from(self.answers)
    }

    /// The variance of one answer, as a share of the squared average.
    fn variance(&self) -> f64 {
        let variance = self.sum_squared_ms * f64::from(self.answers) / (self.sum_ms * self.sum_ms) - 1.0;
        // Where none took any time there is none.
        variance.max(0.0)
    }
}

/// The variance of one answer, as a share of the squared average, from what was seen lately.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spread(Option<f64>);

impl Spread {
    /// Goes this share of the way to the variance of `times`, and all of it at the first time.
    pub(super) fn follow(&mut self, times: &Times, share: f64) {
        let now = times.variance();
        self.0 = Some(self.0.map_or(now, |variance| variance + (now - variance) * share));
    }

    /// How far the average of so many answers may be off by chance, as a share of it.
    pub(super) fn error(self, answers: f64) -> f64 {
        CHANCE * (self.0.unwrap_or(0.0) / answers).sqrt()
    }

    /// Of how many answers the average is good enough.
    pub(super) fn answers_wanted(self) -> f64 {
        self.0.unwrap_or(0.0) / (ENOUGH * ENOUGH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(all_ms: &[f64]) -> Times {
        let mut times = Times::default();
        for &ms in all_ms {
            times.add(ms);
        }
        times
    }

    #[test]
    fn what_differs_more_wants_more_answers_and_is_off_by_more() {
        for (all_ms, average_ms, wanted, error) in [
            (&[40.0, 40.0, 40.0][..], 40.0, 0.0, 0.0),
            (&[30.0, 50.0], 40.0, 6.25, 0.125),
            (&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 31.0], 4.0, 506.25, 1.125),
            (&[0.0, 0.0], 0.0, 0.0, 0.0),
        ] {
            let times = times(all_ms);
            let mut spread = Spread::default();
            spread.follow(&times, 0.1);
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} and {b}: {all_ms:?}");
            close(times.average_ms(), average_ms);
            close(spread.answers_wanted(), wanted);
            close(spread.error(16.0), error);
        }
    }

    #[test]
    fn it_follows_what_is_seen() {
        let mut spread = Spread::default();
        assert!(spread.error(1.0) == 0.0 && spread.answers_wanted() == 0.0, "nothing is known");
        spread.follow(&times(&[30.0, 50.0]), 0.5);
        spread.follow(&times(&[40.0, 40.0]), 0.5);
        assert!((spread.answers_wanted() - 3.125).abs() < 1e-9, "{spread:?}");
    }
}
