use crate::spans::Span;

/// The span of a value that a line does not have.
pub(crate) const ABSENT: Span = Span { start: usize::MAX, end: usize::MAX };

/// The values that are found in a line, slot by slot.
pub(crate) struct Found<'s> {
    line: &'s [u8],
    spans: &'s mut [Span],
    /// The slots whose values make the request.
    is_key: &'s [bool],
    clashes: bool,
}

impl<'s> Found<'s> {
    pub(crate) fn new(line: &'s [u8], spans: &'s mut [Span], is_key: &'s [bool]) -> Self {
        spans.fill(ABSENT);
        Self { line, spans, is_key, clashes: false }
    }

    /// The first value counts. A second one that says something else about the request may be a client's.
    pub(crate) fn take(&mut self, slot: Option<usize>, value: Span) {
        let Some(slot) = slot else { return };
        if self.spans[slot] == ABSENT {
            self.spans[slot] = value;
        } else if self.is_key[slot] && self.spans[slot].of(self.line) != value.of(self.line) {
            self.clashes = true;
        }
    }

    /// Whether some part of the request is in the line twice, with different values.
    pub(crate) fn clashes(&self) -> bool {
        self.clashes
    }
}
