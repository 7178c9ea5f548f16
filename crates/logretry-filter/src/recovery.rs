use std::collections::{BTreeSet, VecDeque};

use logretry_record::Record;

use crate::request::{RequestKey, is_idempotent, request_of_client};

/// Records that wait for a sign that their request has succeeded since.
///
/// A client whose request failed often asks again by itself. When a later line of the log shows that the same client got an answer with 2xx or
/// 3xx for the same request (method, host, target), there is nothing left to repeat. Nobody knows before the end of the log that no such
/// line will come, so whatever is selected waits until then.
///
/// A line that is read later tells of something earlier where the logs of several servers are read one after the other; it is no sign then. Where no
/// line says who asked, nobody knows whether the client was the same, and nothing is one.
///
/// There is room for a number of records; of more, the oldest are let go as if no sign had come.
#[derive(Debug)]
pub(crate) struct Recovery {
    /// Records that may wait.
    room: usize,
    /// In the order of the log; none where the sign has come.
    waiting: VecDeque<Option<Record>>,
    /// How many have left `waiting` at its front.
    gone: usize,
    /// The request of each that waits, when it was logged, and where it waits, counted from the first that ever did.
    places: BTreeSet<(RequestKey, i64, usize)>,
}

impl Recovery {
    /// With room for so many records.
    pub(crate) fn with_room(room: usize) -> Self {
        Self { room, waiting: VecDeque::new(), gone: 0, places: BTreeSet::new() }
    }

    /// Lets `record` wait. Returns the oldest that waits, if it has to make room.
    pub(crate) fn wait(&mut self, record: Record) -> Option<Record> {
        self.places.extend(place(&record, self.gone + self.waiting.len()));
        self.waiting.push_back(Some(record));
        if self.waiting.len() <= self.room {
            return None;
        }
        let oldest = self.waiting.pop_front().flatten();
        if let Some(place) = oldest.as_ref().and_then(|record| place(record, self.gone)) {
            self.places.remove(&place);
        }
        self.gone += 1;
        oldest
    }

    /// Takes note of a success: how many of those that wait it stands for. They are let go.
    pub(crate) fn succeeded(&mut self, record: &Record) -> usize {
        let Some(request) = request_of_client(record) else { return 0 };
        let success_s = second(record).unwrap_or(i64::MAX);
        let failures = (request, i64::MIN, 0)..=(request, success_s, usize::MAX);
        let mut count = 0;
        while let Some(&place) = self.places.range(failures.clone()).next() {
            self.places.remove(&place);
            self.waiting[place.2 - self.gone] = None;
            count += 1;
        }
        count
    }

    /// Those for which no sign has come.
    pub(crate) fn rest(self) -> impl Iterator<Item = Record> {
        self.waiting.into_iter().flatten()
    }
}

/// What is kept in mind of a record that waits at `at`, if a success may stand for it.
fn place(record: &Record, at: usize) -> Option<(RequestKey, i64, usize)> {
    let request = request_of_client(record).filter(|_| is_idempotent(record))?;
    Some((request, second(record).unwrap_or(i64::MIN), at))
}

/// When `record` was logged. Most servers tell no more than the second; within one, the order of the lines counts.
fn second(record: &Record) -> Option<i64> {
    record.original().time.map(jiff::Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use logretry_record::{Exchange, Origin, RecordId};

    use super::*;

    fn record(line: u64, method: &str, target: &str, client: &str) -> Record {
        let original = Exchange {
            method: Some(method.into()),
            target: Some(target.into()),
            client: Some(client.into()),
            ..Exchange::default()
        };
        Record::new(RecordId::of_line(b"", line), Origin::new("-", line, 0, "x", ""), original)
    }

    fn lines(recovery: Recovery) -> Vec<u64> {
        recovery.rest().map(|record| record.origin().line).collect()
    }

    #[test]
    fn a_success_stands_for_all_earlier_failures_of_the_same_request_and_client() {
        let mut recovery = Recovery::with_room(3);
        for (line, client) in [(1, "a"), (2, "b"), (3, "a")] {
            assert_eq!(recovery.wait(record(line, "GET", "/x", client)), None);
        }
        assert_eq!(recovery.succeeded(&record(4, "GET", "/y", "a")), 0);
        assert_eq!(recovery.succeeded(&record(5, "GET", "/x", "a")), 2);
        assert_eq!(recovery.wait(record(6, "GET", "/x", "a")), None);
        assert_eq!(lines(recovery), [2, 6]);
    }

    #[test]
    fn a_success_from_before_the_failure_is_no_sign() {
        let at = |line, time: &str| {
            let original = record(line, "GET", "/x", "a").original().clone();
            let original = Exchange { time: time.parse().ok(), ..original };
            Record::new(RecordId::of_line(b"", line), Origin::new("-", line, 0, "x", ""), original)
        };
        let mut recovery = Recovery::with_room(9);
        for (line, time) in
            [(1, "2026-11-22T06:30:00Z"), (2, "2026-11-22T06:10:00.7Z"), (3, ""), (4, "2026-11-22T06:40:00Z")]
        {
            assert_eq!(recovery.wait(at(line, time)), None);
        }
        assert_eq!(
            recovery.succeeded(&at(5, "2026-11-22T06:10:00Z")),
            2,
            "the same second, and an unknown one"
        );
        assert_eq!(recovery.succeeded(&at(6, "2026-11-22T06:29:59Z")), 0);
        assert_eq!(recovery.succeeded(&at(7, "2026-11-22T06:35:00Z")), 1);
        assert_eq!(lines(recovery), [4]);
    }

    #[test]
    fn without_a_time_the_order_of_the_lines_counts() {
        let mut recovery = Recovery::with_room(9);
        recovery.wait(record(1, "GET", "/x", "a"));
        assert_eq!(recovery.succeeded(&record(2, "GET", "/x", "a")), 1);
    }

    #[test]
    fn a_client_that_nobody_knows_may_be_another() {
        let nobody = |line| {
            let original = record(line, "PUT", "/orders/7", "").original().clone();
            let original = Exchange { client: None, ..original };
            Record::new(RecordId::of_line(b"", line), Origin::new("-", line, 0, "x", ""), original)
        };
        let mut recovery = Recovery::with_room(9);
        recovery.wait(nobody(1));
        assert_eq!(recovery.succeeded(&nobody(2)), 0);
        assert_eq!(lines(recovery), [1]);
    }

    #[test]
    fn a_later_post_may_be_another_order() {
        let mut recovery = Recovery::with_room(3);
        recovery.wait(record(1, "POST", "/orders", "a"));
        recovery.wait(record(2, "PUT", "/orders/7", "a"));
        assert_eq!(recovery.succeeded(&record(3, "POST", "/orders", "a")), 0);
        assert_eq!(recovery.succeeded(&record(4, "PUT", "/orders/7", "a")), 1);
        assert_eq!(lines(recovery), [1]);
    }

    #[test]
    fn when_there_is_no_more_room_the_oldest_goes() {
        let mut recovery = Recovery::with_room(3);
        let mut let_go = Vec::new();
        for line in 0..6 {
            let_go.extend(recovery.wait(record(line, "GET", &format!("/{line}"), "a")));
        }
        let gone: Vec<_> = let_go.iter().map(|record| record.origin().line).collect();
        assert_eq!(gone, [0, 1, 2]);
        assert_eq!(recovery.places.len(), 3, "nothing is kept of what has gone");
        assert_eq!(recovery.succeeded(&record(0, "GET", "/1", "a")), 0);
        assert_eq!(recovery.succeeded(&record(0, "GET", "/3", "a")), 1);
        assert_eq!(lines(recovery), [4, 5]);
    }
}
