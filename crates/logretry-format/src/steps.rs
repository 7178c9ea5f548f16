//! A compiled format: literal bytes and fields in turn, walked over a line with bounded backtracking.
//!
//! Most fields have one possible end: three digits are a status, and a quoted value ends at the first `"` that its producer did
//! not escape. An unquoted text may end at each occurrence of what follows it, and only the later steps tell which it is.
//! Then all ends are tried, not just the first: log lines hold what clients send, and a client who can make a line readable in
//! two ways chooses the request that is fired. Two readings that agree on the request are fine; others make the line
//! [`Ambiguous`](LineError::Ambiguous).

use std::ops::Range;
use std::sync::Arc;

use crate::captures;
use crate::end::{End, Guard};
use crate::error::LineError;
use crate::list;
use crate::scan::Scan;
use crate::spans::{Span, Spans};
use crate::split::Split;

/// How many ends of unquoted texts are tried in one line before it is given up.
pub(crate) const READINGS_MAX: u32 = 4096;

#[derive(Debug, Clone)]
pub(crate) struct Steps {
    pub(crate) list: Vec<Step>,
    /// For each step, what a person is told if it does not fit; one more for the end of the line.
    pub(crate) wanted: Vec<Arc<str>>,
    pub(crate) guard: Guard,
    pub(crate) field_count: usize,
    /// The fields that two readings must agree on.
    pub(crate) keys: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Literal(Box<[u8]>),
    Scan { field: usize, scan: Scan },
    Text { fields: Range<usize>, split: Split, end: End },
}

impl Steps {
    /// Finds every field of `line` and leaves them in `spans`.
    pub(crate) fn read(&self, line: &[u8], spans: &mut Spans) -> Result<(), LineError> {
        spans.reset(self.field_count);
        let mut walk =
            Walk { steps: self, line, spans, found: false, tries: 0, furthest: (0, 0), stop: Ok(()) };
        walk.go(0, 0);
        let (found, (step, at)) = (walk.found, walk.furthest);
        walk.stop?;
        if found {
            return Ok(());
        }
        Err(LineError::Mismatch { at, wanted: Arc::clone(&self.wanted[step]) })
    }
}

/// Whether `literal` stands at `at`. Most are up to three bytes: comparing those needs no call.
pub(crate) fn stands_at(line: &[u8], at: usize, literal: &[u8]) -> bool {
    match (literal, line.get(at..)) {
        (_, None) => false,
        ([byte], Some(rest)) => rest.first() == Some(byte),
        ([a, b], Some(rest)) => rest.first_chunk() == Some(&[*a, *b]),
        ([a, b, c], Some(rest)) => rest.first_chunk() == Some(&[*a, *b, *c]),
        (_, Some(rest)) => rest.starts_with(literal),
    }
}

struct Walk<'w> {
    steps: &'w Steps,
    line: &'w [u8],
    spans: &'w mut Spans,
    found: bool,
    tries: u32,
    /// The step that failed furthest to the right, and where.
    furthest: (usize, usize),
    stop: Result<(), LineError>,
}

impl Walk<'_> {
    /// Goes on from `step` at byte `at`; `true` to stop the whole walk.
    fn go(&mut self, mut step: usize, mut at: usize) -> bool {
        let steps = self.steps;
        while let Some(current) = steps.list.get(step) {
            match current {
                Step::Literal(bytes) => {
                    if !stands_at(self.line, at, bytes) {
                        return self.failed(step, at);
                    }
                    at += bytes.len();
                }
                Step::Scan { field, scan: Scan::List } => return self.try_list(step, *field, at),
                Step::Scan { field, scan: Scan::QuotedCaptures { space } } => {
                    for end in captures::quoted(self.line, at, *space) {
                        self.spans.trial[*field] = Span { start: at, end };
                        if self.go(step + 1, end) || self.too_many() {
                            return true;
                        }
                    }
                    return false;
                }
                Step::Scan { field, scan } => {
                    let end = match scan {
                        Scan::Time(form) => self.spans.last_time.end(form, self.line, at),
                        scan => scan.end(self.line, &self.spans.marks, at),
                    };
                    let Some(end) = end else { return self.failed(step, at) };
                    self.spans.trial[*field] = Span { start: at, end };
                    at = end;
                }
                Step::Text { fields, split, end } => {
                    if let Some((text_end, behind)) = end.only(self.line, &self.spans.marks, at, steps.guard)
                    {
                        if !self.take_text(fields, *split, at, text_end) {
                            return self.failed(step, at);
                        }
                        // What stands behind it has been seen there.
                        at = text_end + behind;
                        step += 2;
                        continue;
                    }
                    let Some(mut ends) = end.candidates(self.line, &self.spans.marks, at, steps.guard) else {
                        return self.failed(step, at);
                    };
                    let Some(mut text_end) = ends.next(self.line, &self.spans.marks) else {
                        return self.failed(step, at);
                    };
                    while let Some(next) = ends.next(self.line, &self.spans.marks) {
                        if self.take_text(fields, *split, at, text_end) && self.go(step + 1, text_end) {
                            return true;
                        }
                        text_end = next;
                        if self.too_many() {
                            return true;
                        }
                    }
                    // The last end is walked on in this loop, so that a format of quoted fields needs no recursion.
                    if !self.take_text(fields, *split, at, text_end) {
                        return self.failed(step, at);
                    }
                    at = text_end;
                }
            }
            step += 1;
        }
        if at != self.line.len() {
            return self.failed(step, at);
        }
        self.arrived()
    }

    /// The longest list first, then shorter ones: what follows a list may look like its next item.
    fn try_list(&mut self, step: usize, field: usize, at: usize) -> bool {
        let before: &[u8] = match self.steps.list.get(step + 1) {
            Some(Step::Literal(bytes)) => bytes,
            _ => b"",
        };
        let mut end = list::longest(self.line, at, before);
        if end.is_none() {
            return self.failed(step, at);
        }
        while let Some(here) = end {
            self.spans.trial[field] = Span { start: at, end: here };
            if self.go(step + 1, here) || self.too_many() {
                return true;
            }
            end = list::shorter(self.line, at, here, before);
        }
        false
    }

    #[inline]
    fn take_text(&mut self, fields: &Range<usize>, split: Split, start: usize, end: usize) -> bool {
        let whole = Span { start, end };
        if split == (Split::Alone { is_target: false }) {
            self.spans.trial[fields.start] = whole;
            return true;
        }
        split.apply(self.line, whole, &mut self.spans.trial[fields.clone()])
    }

    fn failed(&mut self, step: usize, at: usize) -> bool {
        if (at, step) >= (self.furthest.1, self.furthest.0) {
            self.furthest = (step, at);
        }
        false
    }

    fn too_many(&mut self) -> bool {
        self.tries += 1;
        if self.tries > READINGS_MAX {
            self.stop = Err(LineError::TooManyReadings { max: READINGS_MAX });
        }
        self.stop.is_err()
    }

    /// A whole reading: keep the first, compare each other with it.
    fn arrived(&mut self) -> bool {
        let Spans { trial, kept, .. } = &mut *self.spans;
        if !self.found {
            self.found = true;
            kept.copy_from_slice(trial);
        } else if self.steps.keys.iter().any(|&key| trial[key].of(self.line) != kept[key].of(self.line)) {
            self.stop = Err(LineError::Ambiguous);
        }
        self.stop.is_err()
    }
}
