//! When each request is due if the log's own gaps are kept: `--pace original`.
//!
//! ```text
//!   log      10:00:00   10:00:01        10:00:04   10:30:00
//!   gap              1 s            3 s        26 min, of which --max-gap 60s are kept
//!   due      0 s        1 s             4 s        64 s            with --speed 2x: 0, 0.5, 2, 32 s
//! ```
//!
//! A due time is the earliest moment at which a request may begin, and nothing more: the law of the pace, the ceilings, the
//! breaker and `Retry-After` hold as ever. What has become late goes as fast as its host bears.
//!
//! Logs are less orderly than clocks, so:
//!
//! - The gap of a line is what has passed since the latest time before it **in its file**. A line that is older than that (servers write a
//!   line when its answer ends) has no gap: it is due with the one before it.
//! - A line **without a time** is due with the one before it.
//! - **Several files** are played one after the other, in the order in which they are read. Between two of them there is the gap from the
//!   latest time of the one to the first of the other, and none if the other begins earlier.

use std::time::Duration;

use bstr::BString;
use jiff::Timestamp;
use logretry_record::Record;

use super::Tempo;

/// The due times of a log, in the order of its lines.
#[derive(Debug, Clone)]
pub struct Score {
    tempo: Tempo,
    source: Option<BString>,
    latest: Option<Timestamp>,
    due: Duration,
}

impl Score {
    /// A score at this tempo, before its first line.
    pub fn new(tempo: Tempo) -> Self {
        Self { tempo, source: None, latest: None, due: Duration::ZERO }
    }

    /// How long after the first one `record`, the next one, is due.
    pub fn due(&mut self, record: &Record) -> Duration {
        let source = &record.origin().source;
        let goes_on = self.source.as_ref() == Some(source);
        if !goes_on {
            self.source = Some(source.clone());
        }
        let Some(time) = record.original().time else { return self.due };
        let gap = self.latest.map_or(0.0, |latest| time.duration_since(latest).as_secs_f64());
        if gap > 0.0 || !goes_on || self.latest.is_none() {
            self.latest = Some(time);
        }
        let kept = gap.clamp(0.0, self.tempo.max_gap.as_secs_f64());
        self.due += Duration::try_from_secs_f64(kept / self.tempo.speed).unwrap_or(self.tempo.max_gap);
        self.due
    }
}

#[cfg(test)]
mod tests {
    use logretry_record::{Exchange, Origin, RecordId};

    use super::*;

    /// When lines of files, with the seconds of their times, are due in milliseconds.
    fn due_ms(tempo: Tempo, lines: &[(&str, Option<i64>)]) -> Vec<u128> {
        let mut score = Score::new(tempo);
        let record = |&(source, second): &(&str, Option<i64>)| {
            let time = second.map(|second| Timestamp::from_second(1_700_000_000 + second).expect("a time"));
            let original = Exchange { time, ..Exchange::default() };
            Record::new(RecordId::of_line(b"x", 0), Origin::new(source, 1, 0, "combined", "x"), original)
        };
        lines.iter().map(|line| score.due(&record(line)).as_millis()).collect()
    }

    fn tempo(speed: f64, max_gap_s: u64) -> Tempo {
        Tempo { speed, max_gap: Duration::from_secs(max_gap_s) }
    }

    #[test]
    fn gaps_are_kept_sped_up_and_cut() {
        let lines = [0, 1, 4, 1800].map(|second| ("a", Some(second)));
        assert_eq!(due_ms(tempo(1.0, 3600), &lines), [0, 1000, 4000, 1_800_000]);
        assert_eq!(due_ms(tempo(1.0, 60), &lines), [0, 1000, 4000, 64_000]);
        assert_eq!(due_ms(tempo(2.0, 60), &lines), [0, 500, 2000, 32_000]);
        assert_eq!(due_ms(tempo(0.5, 60), &lines), [0, 2000, 8000, 128_000]);
    }

    #[test]
    fn a_line_out_of_order_or_without_a_time_has_no_gap() {
        let lines = [Some(10), Some(8), None, Some(11), Some(9), Some(12)].map(|second| ("a", second));
        assert_eq!(due_ms(tempo(1.0, 60), &lines), [0, 0, 0, 1000, 1000, 2000]);
        assert_eq!(due_ms(tempo(1.0, 60), &[("a", None), ("a", Some(7)), ("a", Some(9))]), [0, 0, 2000]);
    }

    #[test]
    fn files_follow_each_other_and_each_keeps_its_gaps() {
        let rotated = [("a.1", Some(0)), ("a.1", Some(5)), ("a", Some(8)), ("a", Some(9))];
        assert_eq!(due_ms(tempo(1.0, 60), &rotated), [0, 5000, 8000, 9000]);
        let beside = [("a", Some(0)), ("a", Some(5)), ("b", Some(1)), ("b", Some(3))];
        assert_eq!(due_ms(tempo(1.0, 60), &beside), [0, 5000, 5000, 7000]);
    }
}
