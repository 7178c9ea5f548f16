use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;
use logretry_record::{IdHasher, Record, RecordId};

/// What a record is known by where no ledger is kept: its id and its time; without a time its id and its place.
///
/// An id tells equal lines of one file apart, and not those of two. With the same time they are the same request; where a log tells none, nobody knows, and each is sent rather than one lost.
pub fn known_by(record: &Record) -> RecordId {
    let more = record.original().time.map_or_else(|| place(record), Timestamp::as_nanosecond);
    let mut known = *record.id().as_bytes();
    for (byte, more) in known.iter_mut().zip(more.to_le_bytes()) {
        *byte ^= more;
    }
    RecordId::from_bytes(known)
}

/// Where the record's line stands, as a number.
fn place(record: &Record) -> i128 {
    let (origin, mut hasher) = (record.origin(), DefaultHasher::new());
    (&origin.source, origin.line, origin.offset).hash(&mut hasher);
    hasher.finish().into()
}

/// What a run without a journal has taken up: some 30 bytes of each record.
#[derive(Debug)]
pub(crate) struct TakenUp {
    lately: Known,
    before: Known,
    /// How many are known for certain; twice as many at most.
    most: usize,
}

type Known = HashSet<RecordId, BuildHasherDefault<IdHasher>>;

impl TakenUp {
    pub(crate) fn within(most: usize) -> Self {
        Self { lately: Known::default(), before: Known::default(), most }
    }

    /// Whether `record` was not among them.
    pub(crate) fn insert(&mut self, record: &Record) -> bool {
        let known = known_by(record);
        if self.before.contains(&known) || !self.lately.insert(known) {
            return false;
        }
        if self.lately.len() >= self.most {
            self.before = std::mem::take(&mut self.lately);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use logretry_record::{Exchange, Origin};

    use super::*;

    fn record(text: &str, source: &str, line: u64, time: Option<i64>) -> Record {
        let origin = Origin::new(source, line, 0, "combined", text);
        let time = time.map(|second| Timestamp::from_second(second).expect("a time"));
        Record::new(RecordId::of_line(text.as_bytes(), 0), origin, Exchange { time, ..Exchange::default() })
    }

    #[test]
    fn equal_lines_of_two_logs_are_one_request_only_where_their_time_is_told() {
        let mut taken_up = TakenUp::within(usize::MAX);
        for (text, source, line, time, is_new) in [
            ("x", "a", 1, Some(7), true),
            ("x", "b", 2, Some(7), false),
            ("x", "b", 3, Some(8), true),
            ("y", "a", 1, Some(7), true),
            ("x", "a", 1, None, true),
            ("x", "a", 1, None, false),
            ("x", "b", 1, None, true),
            ("x", "a", 2, None, true),
        ] {
            assert_eq!(taken_up.insert(&record(text, source, line, time)), is_new, "{text} {source} {line}");
        }
    }

    #[test]
    fn the_last_records_are_known_within_bounds() {
        let mut taken_up = TakenUp::within(10);
        for line in 0..1000 {
            assert!(taken_up.insert(&record("x", "a", line, None)));
            for before in line.saturating_sub(9)..=line {
                assert!(!taken_up.insert(&record("x", "a", before, None)), "{line} {before}");
            }
            assert!(taken_up.lately.len() + taken_up.before.len() <= 20);
        }
    }
}
