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
use crate::literal::Literal;
use crate::scan::Scan;
use crate::spans::{Span, Spans};
use crate::split::Split;

/// How many ends of unquoted texts are tried in one line before it is given up.
pub(crate) const READINGS_MAX: u32 = 4096;

/// How many fields with several ends may be open at once; each takes some of the stack, and so many have more readings than are tried.
const OPEN_MAX: u32 = 256;

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
    Literal(Literal),
    Scan { field: usize, scan: Scan },
    Text { fields: Range<usize>, split: Split, end: End },
}

impl Steps {
    /// Finds every field of `line` and leaves them in `spans`.
    pub(crate) fn read(&self, line: &[u8], spans: &mut Spans) -> Result<(), LineError> {
        spans.reset(self.field_count);
        let is_plain = !spans.marks.has_backslash() && self.guard != Guard::Nothing;
        let mut walk = Walk {
            steps: self,
            line,
            spans,
            is_plain,
            found: false,
            tries: 0,
            open: 0,
            furthest: (0, 0),
            stop: Ok(()),
        };
        walk.go(0, 0);
        let (found, (step, at)) = (walk.found, walk.furthest);
        walk.stop?;
        if found {
            return Ok(());
        }
        Err(LineError::Mismatch { at, wanted: Arc::clone(&self.wanted[step]) })
    }
}

struct Walk<'w> {
    steps: &'w Steps,
    line: &'w [u8],
    spans: &'w mut Spans,
    /// Whether each quote in the line is bare.
    is_plain: bool,
    found: bool,
    tries: u32,
    /// How many fields that may end elsewhere too the walk is behind.
    open: u32,
    /// The step that failed furthest to the right, and where.
    furthest: (usize, usize),
    stop: Result<(), LineError>,
}

impl Walk<'_> {
    /// Goes on from `step` at byte `at`; `true` to stop the whole walk.
    fn go(&mut self, mut step: usize, mut at: usize) -> bool {
        let steps = self.steps;
        loop {
            (step, at) = self.go_straight(step, at);
            match steps.list.get(step) {
                None if at == self.line.len() => return self.arrived(),
                Some(Step::Scan { field, scan: Scan::List }) => return self.try_list(step, *field, at),
                Some(Step::Scan { field, scan: Scan::QuotedCaptures { space } }) => {
                    for end in captures::quoted(self.line, at, *space) {
                        self.spans.trial[*field] = Span { start: at, end };
                        if self.go_behind(step, end) || self.too_many() {
                            return true;
                        }
                    }
                    return false;
                }
                None | Some(Step::Literal(_) | Step::Scan { .. }) => return self.failed(step, at),
                Some(Step::Text { fields, split, end }) => {
                    let Some(mut ends) = end.candidates(self.line, &self.spans.marks, at, steps.guard) else {
                        return self.failed(step, at);
                    };
                    let Some(mut text_end) = ends.next(self.line, &self.spans.marks) else {
                        return self.failed(step, at);
                    };
                    while let Some(next) = ends.next(self.line, &self.spans.marks) {
                        if self.take_text(fields, *split, at, text_end) && self.go_behind(step, text_end) {
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
                    (step, at) = (step + 1, text_end);
                }
            }
        }
    }

    /// Goes on behind `step`, which ends at byte `end` for now.
    fn go_behind(&mut self, step: usize, end: usize) -> bool {
        if self.open == OPEN_MAX {
            self.stop = Err(LineError::TooManyReadings { max: READINGS_MAX });
            return true;
        }
        self.open += 1;
        let stops = self.go(step + 1, end);
        self.open -= 1;
        stops
    }

    /// Goes on as long as there is one way only and that is plain to see, which mostly is to the end of the line; the step and the byte before which it stops.
    fn go_straight(&mut self, mut step: usize, mut at: usize) -> (usize, usize) {
        let Self { steps, line, is_plain, .. } = *self;
        let Spans { trial, marks, last_time, .. } = &mut *self.spans;
        while let Some(current) = steps.list.get(step) {
            match current {
                Step::Literal(literal) if literal.stands_at(line, at) => at += literal.len(),
                Step::Literal(_) | Step::Scan { scan: Scan::List | Scan::QuotedCaptures { .. }, .. } => break,
                Step::Scan { field, scan } => {
                    let end = match scan {
                        Scan::Time(form) => last_time.end(form, line, at),
                        scan => scan.end(line, marks, at),
                    };
                    let Some(end) = end else { break };
                    trial[*field] = Span { start: at, end };
                    at = end;
                }
                Step::Text { fields, split, end } => {
                    let only = if is_plain { end.only(line, marks, at, steps.guard) } else { None };
                    let Some((text_end, behind)) = only else { break };
                    let whole = Span { start: at, end: text_end };
                    match split {
                        Split::Alone { is_target: false } => trial[fields.start] = whole,
                        split => {
                            if !split.apply(line, whole, &mut trial[fields.clone()]) {
                                break;
                            }
                        }
                    }
                    // What stands behind it has been seen there.
                    at = text_end + behind;
                    step += 1;
                }
            }
            step += 1;
        }
        (step, at)
    }

    /// The longest list first, then shorter ones: what follows a list may look like its next item.
    fn try_list(&mut self, step: usize, field: usize, at: usize) -> bool {
        let before: &[u8] = match self.steps.list.get(step + 1) {
            Some(Step::Literal(literal)) => literal.bytes(),
            _ => b"",
        };
        let mut end = list::longest(self.line, at, before);
        if end.is_none() {
            return self.failed(step, at);
        }
        while let Some(here) = end {
            self.spans.trial[field] = Span { start: at, end: here };
            if self.go_behind(step, here) || self.too_many() {
                return true;
            }
            end = list::shorter(self.line, at, here, before);
        }
        false
    }

    fn take_text(&mut self, fields: &Range<usize>, split: Split, start: usize, end: usize) -> bool {
        split.apply(self.line, Span { start, end }, &mut self.spans.trial[fields.clone()])
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
