use std::borrow::Cow;

use jiff::Timestamp;
use logretry_record::ExchangeRef;

use crate::asking::Asking;
use crate::compiled::Compiled;
use crate::digits;
use crate::field::{Field, Role, Shape};
use crate::spans::{Span, Spans};
use crate::time::{TimeParts, TimeRead};

/// A line of a step format whose fields have been found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepsRead<'a> {
    pub(crate) format: &'a Compiled,
    pub(crate) line: &'a [u8],
    pub(crate) spans: &'a [Span],
    /// Whether its values stand in it as the server had them.
    is_plain: bool,
    /// Its time, if one field says all of it.
    whole_time: Option<TimeRead>,
}

/// One field of a line, as `logretry explain` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldView<'a> {
    /// As the format writes it: `$request`, `%>s`.
    pub name: &'a str,
    /// Its bytes in the line, still escaped.
    pub raw: &'a [u8],
    /// What it is used for (`status`, `host` …), or nothing.
    pub used_for: &'static str,
}

impl<'a> StepsRead<'a> {
    pub(crate) fn new(format: &'a Compiled, line: &'a [u8], spans: &'a mut Spans) -> Self {
        let Spans { kept: spans, marks, last_time, .. } = spans;
        let whole_time = match format.uses.times[..] {
            [index] => match &format.fields[index].shape {
                Shape::Time(form) => Some(last_time.read(form, spans[index].of(line))),
                _ => None,
            },
            _ => None,
        };
        let is_plain = !marks.has_backslash() && format.escape.escapes_with_backslashes();
        Self { format, line, spans, is_plain, whole_time }
    }

    /// The status that the client got; `None` where the server wrote `-`.
    pub(crate) fn status(&self) -> Option<u16> {
        let raw = self.raw(self.format.uses.status);
        // Where there was no answer Envoy writes `0`, others `000`, `-` or `-1`.
        let digits = matches!(raw.len(), 1 | 3) && raw.iter().all(u8::is_ascii_digit);
        digits.then(|| raw.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0')))
    }

    /// When the request happened, if the line says so. A time without an offset is taken as UTC.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        self.time_read().time
    }

    /// The time with the offset that it is written at: UTC, if the line gives none.
    pub(crate) fn time_read(&self) -> TimeRead {
        self.whole_time.unwrap_or_else(|| TimeRead::of(self.time_parts()))
    }

    /// Every field, in the order of the line.
    pub(crate) fn fields(&self) -> impl Iterator<Item = FieldView<'a>> + use<'a> {
        let (line, spans) = (self.line, self.spans);
        self.format.fields.iter().zip(spans).map(move |(field, span)| FieldView {
            name: &field.name,
            raw: span.of(line),
            used_for: field.role.about(),
        })
    }

    /// What the server logged about the request.
    pub(crate) fn exchange(&self) -> ExchangeRef<'a> {
        let uses = &self.format.uses;
        let Asking { method, target, origin: (host, scheme), lossy } = self.asking();
        ExchangeRef {
            time: self.time(),
            method: method.map(Cow::Borrowed),
            target,
            host,
            scheme,
            status: self.status(),
            duration_ms: uses.duration.and_then(|index| self.duration_ms(index)),
            bytes: uses.bytes.and_then(|index| self.bytes(index)),
            client: self.text(uses.client),
            user_agent: self.text(uses.user_agent),
            request_id: self.text(uses.request_id),
            undelivered: self.undelivered().map(Cow::Borrowed),
            lossy,
            ..ExchangeRef::default()
        }
    }

    /// What proves that no application has seen the request, if the line does.
    fn undelivered(&self) -> Option<&'static str> {
        self.format.evidence?.proof(self.status(), |index| self.raw(index))
    }

    fn time_parts(&self) -> Option<TimeParts> {
        let mut parts = TimeParts::default();
        for &index in &self.format.uses.times {
            if let Some(form) = self.field(index).time_form(self.raw(index)) {
                parts.read(form, self.raw(index))?;
            }
        }
        Some(parts)
    }

    fn duration_ms(&self, index: usize) -> Option<f64> {
        let Role::Duration(unit) = self.field(index).role else { return None };
        let number: f64 = std::str::from_utf8(self.raw(index)).ok()?.parse().ok()?;
        // Rounded to nanoseconds, so that 1.002 s is 1002 ms and not a neighbour of it.
        Some((number * unit.in_ms() * 1e6).round() / 1e6).filter(|ms| ms.is_finite() && *ms >= 0.0)
    }

    fn bytes(&self, index: usize) -> Option<u64> {
        match (self.raw(index), self.field(index).role) {
            (b"-", Role::Bytes { dash_is_zero: true, .. }) => Some(0),
            (raw, _) => whole_number(raw),
        }
    }

    /// The field's bytes, its escape undone; `None` if the server had no value for it.
    pub(crate) fn text(&self, index: Option<usize>) -> Option<Cow<'a, [u8]>> {
        self.present(index).map(|raw| self.decoded(raw))
    }

    /// `raw`, its escape undone.
    #[inline]
    pub(crate) fn decoded(&self, raw: &'a [u8]) -> Cow<'a, [u8]> {
        if self.is_plain { Cow::Borrowed(raw) } else { self.format.escape.decode(raw) }
    }

    /// The field's bytes, unless they say that there is no value.
    pub(crate) fn present(&self, index: Option<usize>) -> Option<&'a [u8]> {
        Some(self.raw(index?)).filter(|raw| !matches!(*raw, b"-" | b"" | b"\"\""))
    }

    pub(crate) fn raw(&self, index: usize) -> &'a [u8] {
        self.spans[index].of(self.line)
    }

    pub(crate) fn field(&self, index: usize) -> &'a Field {
        &self.format.fields[index]
    }
}

/// A number that may stand behind a `+`, as HAProxy writes it for what was still under way.
fn whole_number(raw: &[u8]) -> Option<u64> {
    let written = raw.strip_prefix(b"+").unwrap_or(raw);
    if written.is_empty() { None } else { digits::number(written) }
}
