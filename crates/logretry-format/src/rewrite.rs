//! The same line after a refire: the URL marked; status, time, bytes and duration replaced; every other byte untouched.

use std::borrow::Cow;
use std::io::Write as _;

use jiff::Timestamp;
use logretry_record::Mark;

use crate::error::LineError;
use crate::field::{Role, Unit};
use crate::format::Format;
use crate::keyed;
use crate::parsed::StepsRead;
use crate::reading::Reading;
use crate::request;
use crate::spans::{Span, Spans};
use crate::time::LastWritten;

/// The most decimals that a duration is written with.
const DECIMALS_MAX: usize = 30;

/// What a refire changes in a line.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The mark that the URL gets.
    pub mark: &'a Mark,
    /// When the refire was sent. It is written at the UTC offset that the line uses.
    pub time: Timestamp,
    /// The new status; `None`, where no answer came, is written `000`.
    pub status: Option<u16>,
    /// The size of the answer; `None` is written as no bytes are.
    pub bytes: Option<u64>,
    /// How long the answer took; `None` is written `-`.
    pub duration_ms: Option<f64>,
}

impl Format {
    /// Appends `line` to `out`, changed as `change` says.
    ///
    /// Each field that holds (a part of) the URL is marked, once: a line that carries the mark is not marked again. New values
    /// are written as the line writes them: the same offset, as many decimals, `-` for no bytes. What the server logged about
    /// its upstreams stays. The outcome is a line of this format, with the marked target and the new status; that is checked, and where a
    /// line cannot be changed so (it names a field twice, say), nothing is appended.
    pub fn rewrite(&self, line: &[u8], change: &Change<'_>, out: &mut Vec<u8>) -> Result<(), LineError> {
        self.rewrite_with(line, change, &mut Draft::default(), out)
    }

    /// The same, for whoever rewrites many lines: in the memory of `draft`.
    pub fn rewrite_with(
        &self,
        line: &[u8],
        change: &Change<'_>,
        draft: &mut Draft,
        out: &mut Vec<u8>,
    ) -> Result<(), LineError> {
        let Draft { spans, checked, edits } = draft;
        edits.clear();
        let parsed = self.parse(line, spans)?;
        let (had_status, had_target) = (parsed.status().is_some(), parsed.target().is_some());
        match &parsed.0 {
            Reading::Steps(read) => {
                if had_target {
                    edits.mark_url(read, change.mark);
                }
                edits.replace_values(read, change);
            }
            Reading::Keyed(read) => keyed::change(read, change, edits),
        }
        let start = out.len();
        edits.apply(line, out);
        let written = self.check(&out[start..], change, had_status, had_target, checked);
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    /// Whether `line` says what `change` wanted it to say.
    fn check(
        &self,
        line: &[u8],
        change: &Change<'_>,
        needs_status: bool,
        needs_mark: bool,
        spans: &mut Spans,
    ) -> Result<(), LineError> {
        let parsed = self.parse(line, spans)?;
        let says_status = !needs_status || parsed.status() == Some(change.status.unwrap_or(0));
        let is_marked = |target: Cow<'_, [u8]>| change.mark.is_on(&target);
        let is_marked_now = !needs_mark || parsed.target().is_some_and(is_marked);
        if says_status && is_marked_now { Ok(()) } else { Err(LineError::Ambiguous) }
    }
}

/// Where a line is rewritten: scratch space for [`Format::rewrite_with`], to be used again for the next line of whatever format.
#[derive(Debug, Default)]
pub struct Draft {
    spans: Spans,
    /// Of the line as it is written: its time is another one.
    checked: Spans,
    edits: Edits,
}

/// Parts of a line and what stands there instead.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    places: Vec<(Span, Span)>,
    /// All new texts, one after the other.
    texts: Vec<u8>,
    time: LastWritten,
}

impl Edits {
    pub(crate) fn put(&mut self, place: Span, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.texts.len();
        write(&mut self.texts);
        self.places.push((place, Span { start, end: self.texts.len() }));
    }

    pub(crate) fn insert(&mut self, at: usize, text: &str) {
        self.put(Span { start: at, end: at }, |out| out.extend_from_slice(text.as_bytes()));
    }

    fn clear(&mut self) {
        self.places.clear();
        self.texts.clear();
    }

    fn apply(&mut self, line: &[u8], out: &mut Vec<u8>) {
        self.places.sort_by_key(|(place, _)| (place.start, place.end));
        // Groups of an expression may be nested: the outer one's edit is the inner one's too.
        self.places.dedup_by(|later, earlier| {
            later.0.start < earlier.0.end
                || (later.0 == earlier.0 && later.1.of(&self.texts) == earlier.1.of(&self.texts))
        });
        let mut done = 0;
        for &(place, text) in &self.places {
            out.extend_from_slice(&line[done..place.start]);
            out.extend_from_slice(text.of(&self.texts));
            done = place.end;
        }
        out.extend_from_slice(&line[done..]);
    }

    fn mark_url(&mut self, parsed: &StepsRead<'_>, mark: &Mark) {
        let has_query = parsed.format.uses.query.is_some_and(|index| parsed.spans[index] != Span::ABSENT);
        for (index, field) in parsed.format.fields.iter().enumerate() {
            let span = parsed.spans[index];
            if span == Span::ABSENT {
                continue;
            }
            match field.role {
                Role::Request => {
                    if let Some(request) = request::split(parsed.line, span) {
                        self.mark_target(parsed, request.target, mark);
                    }
                }
                Role::Uri | Role::Url if parsed.present(Some(index)).is_some() => {
                    self.mark_target(parsed, span, mark);
                }
                Role::PathRaw if !has_query && parsed.present(Some(index)).is_some() => {
                    self.mark_target(parsed, span, mark);
                }
                Role::Path if !has_query && parsed.present(Some(index)).is_some() => {
                    self.mark_path(parsed.line, span, mark);
                }
                Role::Query => self.mark_query(parsed, span, mark),
                Role::IsArgs => self.put(span, |out| out.push(b'?')),
                Role::Args => self.mark_args(parsed.line, span, mark),
                _ => {}
            }
        }
    }

    fn mark_target(&mut self, parsed: &StepsRead<'_>, target: Span, mark: &Mark) {
        let raw = parsed.format.escape.with_bare_hashes(target.of(parsed.line));
        let start = parsed.format.habits.absolute.prefix_bytes(&raw);
        if let Some((at, text)) = mark.insertion(&raw[start..]) {
            self.insert(target.start + start + at, &text);
        }
    }

    /// A query with its `?`. Some servers write `-` where there is none.
    fn mark_query(&mut self, parsed: &StepsRead<'_>, query: Span, mark: &Mark) {
        match query.of(parsed.line) {
            b"-" => self.put(query, |out| {
                out.push(b'?');
                out.extend_from_slice(mark.parameter().as_bytes());
            }),
            _ => self.mark_target(parsed, query, mark),
        }
    }

    /// A query without its `?`.
    fn mark_args(&mut self, line: &[u8], args: Span, mark: &Mark) {
        let raw = args.of(line);
        if matches!(raw, b"-" | b"") {
            self.put(args, |out| out.extend_from_slice(mark.parameter().as_bytes()));
        } else if let Some((at, text)) = mark.insertion(&[b"?", raw].concat()) {
            self.insert(args.start + at - 1, &text);
        }
    }

    /// A path that the server has decoded, in a format without a query: a `#` in it begins no fragment.
    fn mark_path(&mut self, line: &[u8], path: Span, mark: &Mark) {
        let raw: Vec<u8> = path.of(line).iter().map(|&byte| if byte == b'#' { b'_' } else { byte }).collect();
        if let Some((at, text)) = mark.insertion(&raw) {
            self.insert(path.start + at, &text);
        }
    }

    fn replace_values(&mut self, parsed: &StepsRead<'_>, change: &Change<'_>) {
        let offset = parsed.time_read().offset;
        for (field, &span) in parsed.format.fields.iter().zip(parsed.spans) {
            if span == Span::ABSENT {
                continue;
            }
            let original = span.of(parsed.line);
            match field.role {
                Role::Status { .. } => {
                    self.put(span, |out| push_number(out, change.status.unwrap_or(0).into(), 3));
                }
                Role::Time => {
                    if let Some(form) = field.time_form(original) {
                        let mut last = std::mem::take(&mut self.time);
                        self.put(span, |out| last.render(form, original, change.time, offset, out));
                        self.time = last;
                    }
                }
                Role::Bytes { dash_is_zero, .. } => {
                    let no_bytes_are_a_dash = dash_is_zero || original == b"-";
                    self.put(span, |out| match change.bytes.unwrap_or(0) {
                        0 if no_bytes_are_a_dash => out.push(b'-'),
                        bytes => push_number(out, bytes, 1),
                    });
                }
                Role::Duration(unit) => self.put(span, |out| match change.duration_ms {
                    None => out.push(b'-'),
                    Some(ms) => {
                        let decimals = decimals(original, unit);
                        write_to(out, format_args!("{:.decimals$}", ms / unit.in_ms()));
                    }
                }),
                _ => {}
            }
        }
    }
}

/// As many as the line has, though no more than a number can need; of a value that was missing, as many as its producer writes.
fn decimals(original: &[u8], unit: Unit) -> usize {
    match memchr::memchr(b'.', original) {
        // To be asked for 65,536 is more than the formatting machinery takes.
        Some(point) => (original.len() - point - 1).min(DECIMALS_MAX),
        None if matches!(original, b"-" | b"") && unit == Unit::SecondsExact => 3,
        None => 0,
    }
}

/// Appends `number` with `width` digits at least. A line has a dozen of them, for which the formatting machinery takes as long as for all the rest.
pub(crate) fn push_number(out: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    while number > 0 || digits.len() - at < width.min(20) {
        at -= 1;
        // The remainder is one digit.
        digits[at] = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
    }
    out.extend_from_slice(&digits[at..]);
}

pub(crate) fn write_to(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a Vec cannot fail.
    let _ = out.write_fmt(text);
}
