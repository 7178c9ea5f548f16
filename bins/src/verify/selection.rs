use bstr::BString;
use logretry_record::{Reason, Record, RecordId};

use super::keys::Key;

/// The requests that a run selects, each with what it is known by: about 60 bytes a request, whatever is in its line.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    sources: Vec<BString>,
    all: Vec<Selected>,
    /// Of each of them, from the first of its group on: what a line of the retry log says.
    statuses: Vec<u16>,
    /// Equal requests, by their key.
    groups: Vec<Group>,
    /// Requests that came in another log before.
    pub(crate) repeated: u64,
}

/// A request that a run selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Selected {
    key: Key,
    source: u32,
    pub(crate) line: u64,
    pub(crate) id: RecordId,
    /// Why it is not to be sent.
    pub(crate) reason: Option<Reason>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Group {
    start: usize,
    end: usize,
    answered: usize,
    unanswered: usize,
    double: usize,
}

/// What the retry log says of some equal requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lines<'a> {
    /// The statuses of the lines with an answer, one for each request at most.
    pub(crate) statuses: &'a [u16],
    /// Lines without an answer.
    pub(crate) unanswered: usize,
    /// Whether there were more, of which nobody can tell which are theirs.
    pub(crate) is_double: bool,
}

/// What a line of the retry log is to the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Took {
    /// The line of one of them.
    One,
    /// Each of them has its line already.
    Double,
}

impl Selection {
    /// Takes the next request of the logs, which a run knows by `id` when it comes twice.
    pub(crate) fn push(&mut self, record: &Record, key: Key, id: RecordId, reason: Option<Reason>) {
        let origin = record.origin();
        if self.sources.last() != Some(&origin.source) {
            self.sources.push(origin.source.clone());
        }
        let source = u32::try_from(self.sources.len() - 1).unwrap_or(u32::MAX);
        self.all.push(Selected { key, source, line: origin.line, id, reason });
    }

    /// To be called when all are there: the same line in two logs is the same request, and only the first one is sent.
    pub(crate) fn complete(&mut self) {
        let before = self.all.len();
        self.all.sort_unstable_by_key(|one| (one.id, one.source, one.line));
        self.all.dedup_by_key(|one| one.id);
        self.repeated = (before - self.all.len()) as u64;
        self.all.sort_unstable();
        self.statuses = vec![0; self.all.len()];
        for (place, one) in self.all.iter().enumerate() {
            match self.groups.last_mut() {
                Some(group) if self.all[group.start].key == one.key => group.end = place + 1,
                _ => self.groups.push(Group { start: place, end: place + 1, ..Group::default() }),
            }
        }
    }

    fn find(&self, key: Key) -> Option<usize> {
        self.groups.binary_search_by_key(&key, |group| self.all[group.start].key).ok()
    }

    pub(crate) fn knows(&self, key: Key) -> bool {
        self.find(key).is_some()
    }

    /// Takes a line of the retry log, of the requests with `key`. Without an answer (`000`) there may be more lines than requests: what never had a connection is tried
    /// again by the next run.
    pub(crate) fn take(&mut self, key: Key, status: u16) -> Took {
        let Some(place) = self.find(key) else { return Took::Double };
        let group = &mut self.groups[place];
        if status == 0 {
            group.unanswered += 1;
        } else if group.answered == group.end - group.start {
            group.double += 1;
            return Took::Double;
        } else {
            self.statuses[group.start + group.answered] = status;
            group.answered += 1;
        }
        Took::One
    }

    /// All of them, in groups of equal ones, with their lines.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&[Selected], Lines<'_>)> {
        self.groups.iter().map(|group| {
            let statuses = &self.statuses[group.start..][..group.answered];
            let lines = Lines { statuses, unanswered: group.unanswered, is_double: group.double > 0 };
            (&self.all[group.start..group.end], lines)
        })
    }

    pub(crate) fn source(&self, one: &Selected) -> &BString {
        &self.sources[one.source as usize]
    }
}

#[cfg(test)]
mod tests {
    use logretry_record::{Exchange, Origin};

    use super::*;

    fn of(lines: &[(&str, u64, &[u8], u64)]) -> Selection {
        let mut selection = Selection::default();
        for &(source, line, text, ordinal) in lines {
            let id = RecordId::of_line(text, ordinal);
            let origin = Origin::new(source, line, 0, "combined", text);
            let record = Record::new(id, origin, Exchange::default());
            selection.push(&record, Key::of_line(text, 0), id, None);
        }
        selection.complete();
        selection
    }

    #[test]
    fn equal_lines_of_one_log_have_a_line_each_and_those_of_two_logs_one() {
        let mut selection = of(&[("a", 1, b"x", 0), ("a", 2, b"x", 1), ("b", 1, b"x", 0), ("b", 2, b"y", 0)]);
        assert_eq!(selection.repeated, 1);
        let key = Key::of_line(b"x", 0);
        let took = [200, 0, 404, 0, 200].map(|status| selection.take(key, status));
        assert_eq!(took, [Took::One, Took::One, Took::One, Took::One, Took::Double]);
        let found: Vec<_> =
            selection.groups().map(|(all, lines)| (all.len(), lines.statuses, lines.unanswered)).collect();
        assert_eq!(found.iter().max(), Some(&(2, &[200, 404][..], 2)));
        assert_eq!(found.iter().min(), Some(&(1, &[][..], 0)));
        assert!(selection.groups().any(|(all, lines)| all.len() == 2 && lines.is_double));
    }
}
