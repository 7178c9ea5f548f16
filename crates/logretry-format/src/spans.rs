use crate::marks::Marks;
use crate::time::LastTime;

/// Where the fields of one line stand: scratch space that [`Format::parse`](crate::Format::parse) fills, to be used
/// again for the next line, so that parsing allocates nothing.
#[derive(Debug, Clone, Default)]
pub struct Spans {
    /// The reading that is being tried.
    pub(crate) trial: Vec<Span>,
    /// The first that fitted.
    pub(crate) kept: Vec<Span>,
    /// Of the line, where a step format reads it.
    pub(crate) marks: Marks,
    pub(crate) last_time: LastTime,
}

impl Spans {
    /// Empty scratch space, for any format.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn reset(&mut self, field_count: usize) {
        self.trial.resize(field_count, Span::default());
        self.kept.resize(field_count, Span::default());
    }
}

/// A part of a line, in bytes from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// A field that the line does not have.
    pub(crate) const ABSENT: Self = Self { start: usize::MAX, end: usize::MAX };

    pub(crate) fn of(self, line: &[u8]) -> &[u8] {
        line.get(self.start..self.end).unwrap_or_default()
    }

    /// The part of it from `start` to `end`, counted from its own beginning.
    pub(crate) fn part(self, start: usize, end: usize) -> Self {
        Self { start: self.start + start, end: self.start + end }
    }
}
