//! How many equal lines stand before a line.
//!
//! That needs a memory of all lines, and one of millions is larger than a processor's cache, so that each line would wait for memory. But a log is in the order of time, and equal
//! lines have the same one. So lines lie on shelves by the minute of the day that they show, and of those the one that is in use is small. A line that shows no time, or another
//! first than that of its request, lies on some shelf as well, always on the same.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

use memchr::{memchr, memchr_iter};

use crate::{IdHasher, RecordId};

/// What a [`LineCounter`] has to know of a line: the same for equal lines, and nearly certainly another for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineKey {
    fingerprint: u64,
    shelf: u16,
}

impl LineKey {
    /// The key of `line`, whose id is `first` if no equal line stands before it.
    pub fn new(line: &[u8], first: RecordId) -> Self {
        let fingerprint = first.as_bytes().first_chunk().map_or(0, |half| u64::from_le_bytes(*half));
        Self { fingerprint, shelf: shelf(line) }
    }
}

/// Counts equal lines of one source, to number them for [`RecordId::of_line`].
///
/// It holds a 64-bit fingerprint of each different line it was shown: 9 to 18 bytes, and 16 more for a line that came again. Only lines that
/// become records need be shown: equal lines are all selected or none, so what a reader leaves out never shifts an ordinal.
#[derive(Debug)]
pub struct LineCounter {
    lately: Seen,
    /// What `lately` held before it was emptied the last time.
    before: Seen,
    lines_max: usize,
}

impl Default for LineCounter {
    fn default() -> Self {
        Self::within(usize::MAX)
    }
}

impl LineCounter {
    /// A counter that remembers the last `lines_max` different lines at least, and no more than twice as many, for a source without an end. What it has
    /// forgotten would be numbered from the beginning; but lines with a time are equal only near each other.
    pub fn within(lines_max: usize) -> Self {
        Self { lately: Seen::default(), before: Seen::default(), lines_max }
    }

    /// The id of the next line of this source.
    pub fn next_id(&mut self, line: &[u8]) -> RecordId {
        let first = RecordId::of_line(line, 0);
        match self.ordinal(LineKey::new(line, first)) {
            0 => first,
            ordinal => RecordId::of_line(line, ordinal),
        }
    }

    /// The ordinal of the next line: how many equal lines stand before it.
    pub fn ordinal(&mut self, key: LineKey) -> u64 {
        if self.lately.lines >= self.lines_max && !self.lately.holds(key) {
            self.before = std::mem::take(&mut self.lately);
        }
        if self.lately.insert(key) {
            let Some(count) = self.before.remove(key) else { return 0 };
            self.lately.again.insert(key.fingerprint, count);
        }
        let count = self.lately.again.entry(key.fingerprint).or_insert(0);
        *count += 1;
        *count
    }
}

#[derive(Debug, Default)]
struct Seen {
    shelves: Vec<HashSet<u64, BuildHasherDefault<IdHasher>>>,
    /// How many lie on all shelves.
    lines: usize,
    /// How often those have come that came more than once.
    again: HashMap<u64, u64, BuildHasherDefault<IdHasher>>,
}

impl Seen {
    fn holds(&self, LineKey { fingerprint, shelf }: LineKey) -> bool {
        self.shelves.get(usize::from(shelf)).is_some_and(|shelf| shelf.contains(&fingerprint))
    }

    /// Whether it was not there.
    fn insert(&mut self, LineKey { fingerprint, shelf }: LineKey) -> bool {
        if self.shelves.is_empty() {
            self.shelves.resize_with(usize::from(SHELVES), Default::default);
        }
        let is_new = self.shelves[usize::from(shelf)].insert(fingerprint);
        self.lines += usize::from(is_new);
        is_new
    }

    /// Takes a line out, and how often it had come again; none, if it was not there.
    fn remove(&mut self, LineKey { fingerprint, shelf }: LineKey) -> Option<u64> {
        if !self.shelves.get_mut(usize::from(shelf))?.remove(&fingerprint) {
            return None;
        }
        self.lines -= 1;
        Some(self.again.remove(&fingerprint).unwrap_or(0))
    }
}

/// The minutes of a day.
const SHELVES: u16 = 24 * 60;
/// How far into a line its time is looked for.
const SEARCHED: usize = 512;

/// The minute of the `hh:mm:ss` in a first `[22/Nov/2026:06:22:52`, or else of the first one in `line`. It is of the bytes alone, whatever the format makes of them: equal lines have the same.
fn shelf(line: &[u8]) -> u16 {
    let head = &line[..line.len().min(SEARCHED)];
    let in_brackets = memchr(b'[', head).and_then(|open| minute(head.get(open + 12..open + 21)?));
    let first =
        || memchr_iter(b':', head).find_map(|colon| minute(head.get(colon.checked_sub(3)?..colon + 6)?));
    in_brackets.or_else(first).unwrap_or(0)
}

/// The minute of the day in `?hh:mm:ss`, where `?` is no digit.
fn minute(text: &[u8]) -> Option<u16> {
    let &[before, h1, h2, b':', m1, m2, b':', s1, s2] = text else { return None };
    let is_time = [h1, h2, m1, m2, s1, s2].iter().all(u8::is_ascii_digit) && !before.is_ascii_digit();
    let number = |tens: u8, ones: u8| u16::from(tens - b'0') * 10 + u16::from(ones - b'0');
    is_time.then(|| (number(h1, h2) * 60 + number(m1, m2)) % SHELVES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lines_are_numbered_in_their_order() {
        let mut counter = LineCounter::default();
        let ids: Vec<_> =
            [b"x".as_slice(), b"y", b"x", b"x"].iter().map(|line| counter.next_id(line)).collect();
        assert_eq!(ids[0], RecordId::of_line(b"x", 0));
        assert_eq!(ids[1], RecordId::of_line(b"y", 0));
        assert_eq!(ids[2], RecordId::of_line(b"x", 1));
        assert_eq!(ids[3], RecordId::of_line(b"x", 2));
    }

    #[test]
    fn a_counter_within_bounds_remembers_the_last_lines() {
        let mut counter = LineCounter::within(10);
        let line = |n: u64| format!("[{:02}:{:02}:00] {n}", n % 24, n % 60).into_bytes();
        for n in 0..1000 {
            assert_eq!(counter.next_id(&line(n)), RecordId::of_line(&line(n), 0));
            let near = n.saturating_sub(9);
            if n % 7 == 0 && n > 9 && near % 7 != 0 {
                assert_eq!(counter.next_id(&line(near)), RecordId::of_line(&line(near), 1));
            }
        }
        assert!(counter.lately.lines + counter.before.lines <= 20);
    }

    #[test]
    fn dropping_other_lines_first_does_not_change_an_id() {
        let mut whole = LineCounter::default();
        let mut grepped = LineCounter::default();
        for line in ["x", "noise", "x", "other", "x"] {
            let id = whole.next_id(line.as_bytes());
            if line == "x" {
                assert_eq!(id, grepped.next_id(line.as_bytes()));
            }
        }
    }

    #[test]
    fn a_line_lies_where_its_minute_is() {
        for (line, minute) in [
            ("", 0),
            ("no time", 0),
            ("203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET / HTTP/1.1\" 502", 6 * 60 + 22),
            ("::1 10:11:12 - [22/Nov/2026:06:22:52 +0000]", 6 * 60 + 22),
            ("[x] 10:11:12", 10 * 60 + 11),
            (r#"{"time":"2026-11-22T23:59:52.5Z","x":"00:01:00"}"#, 23 * 60 + 59),
            ("[2001:db8:12:34::1] 1763792572.123 :::12:3", 0),
            (":12:00:00", 12 * 60),
            ("99:99:99 x", 0),
            (" 99:99:99", (99 * 60 + 99) % 1440),
            (" 12:00:0", 0),
        ] {
            assert_eq!(shelf(line.as_bytes()), minute, "{line}");
        }
    }
}
