use std::borrow::Cow;

use bstr::BString;
use jiff::Timestamp;
use logretry_record::Exchange;

use crate::keyed::forms::Part;
use crate::keyed::found::ABSENT;
use crate::keyed::moment::Moment;
use crate::keyed::plain::{Coding, Plain};
use crate::keyed::purpose::Purpose;
use crate::keyed::{Keyed, quantity};
use crate::parsed::FieldView;
use crate::spans::Span;

/// A line of a keyed format whose values have been found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyedRead<'a> {
    pub(crate) keyed: &'a Keyed,
    pub(crate) line: &'a [u8],
    pub(crate) spans: &'a [Span],
}

impl<'a> KeyedRead<'a> {
    pub(crate) fn status(&self) -> Option<u16> {
        self.status_slot().map(|(_, status)| status)
    }

    /// The first key whose value is a status, or else, beside a URL, one that says that there was no answer.
    pub(crate) fn status_slot(&self) -> Option<(usize, u16)> {
        let mut slots = self.keyed.statuses.iter().copied();
        let is_none = |slot: &usize| self.present(*slot) == Some(b"-1") && self.names_url();
        slots
            .clone()
            .find_map(|slot| Some((slot, status(self.present(slot)?)?)))
            .or_else(|| Some((slots.find(is_none)?, 0)))
    }

    pub(crate) fn time(&self) -> Option<Timestamp> {
        let read = |slot| {
            let mut moment = Moment::default();
            moment.read(&self.time_text(slot)?, Part::Whole)?;
            moment.timestamp()
        };
        self.slots(|purpose| purpose == Purpose::Time).find_map(read).or_else(|| self.date_and_clock())
    }

    /// The text of a time; some JSON has each `/` of it behind a backslash.
    pub(crate) fn time_text(&self, slot: usize) -> Option<Cow<'a, [u8]>> {
        let raw = self.present(slot)?;
        let is_escaped = memchr::memchr(b'\\', raw).is_some();
        Some(if is_escaped { Cow::Owned(Coding::Json.decode(raw).bytes) } else { Cow::Borrowed(raw) })
    }

    fn date_and_clock(&self) -> Option<Timestamp> {
        let mut moment = Moment::default();
        for (purpose, part) in [(Purpose::Date, Part::Date), (Purpose::Clock, Part::Clock)] {
            self.slots(|other| other == purpose)
                .find_map(|slot| self.present(slot).and_then(|raw| moment.read(raw, part)))?;
        }
        moment.timestamp()
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = FieldView<'a>> + use<'a> {
        let (line, spans) = (self.line, self.spans);
        self.keyed.keys.iter().zip(spans).filter(|(_, span)| **span != ABSENT).map(move |(key, span)| {
            FieldView { name: &key.name, raw: span.of(line), used_for: key.purpose.about() }
        })
    }

    pub(crate) fn exchange(&self) -> Exchange {
        let asked = self.asked();
        let (host, scheme) = self.origin(&asked);
        Exchange {
            time: self.time(),
            method: asked.method,
            target: asked.target,
            host,
            scheme,
            status: self.status(),
            duration_ms: self.duration_slot().map(|(_, ms)| ms),
            bytes: self.bytes_slot().map(|(_, bytes)| bytes),
            client: self.text(Purpose::Client),
            user_agent: self.text(Purpose::UserAgent),
            request_id: self.text(Purpose::RequestId),
            undelivered: self.undelivered().map(Cow::Borrowed),
            lossy: asked.lossy,
            ..Exchange::default()
        }
    }

    pub(crate) fn duration_slot(&self) -> Option<(usize, f64)> {
        self.slots(|purpose| matches!(purpose, Purpose::Duration(_))).find_map(|slot| {
            let Purpose::Duration(unit) = self.keyed.keys[slot].purpose else { return None };
            Some((slot, quantity::read(self.present(slot)?, unit)?))
        })
    }

    pub(crate) fn bytes_slot(&self) -> Option<(usize, u64)> {
        self.slots(|purpose| purpose == Purpose::Bytes)
            .find_map(|slot| Some((slot, std::str::from_utf8(self.present(slot)?).ok()?.parse().ok()?)))
    }

    fn text(&self, purpose: Purpose) -> Option<BString> {
        self.slots(|other| other == purpose).find_map(|slot| self.plain(slot)).map(|plain| plain.bytes.into())
    }

    /// Whether the line has a key for (a part of) the URL.
    pub(crate) fn names_url(&self) -> bool {
        self.slots(Purpose::is_url).any(|slot| self.is_there(slot))
    }

    /// The slots that `wanted` takes, best first.
    pub(crate) fn slots(&self, wanted: impl Fn(Purpose) -> bool) -> impl Iterator<Item = usize> {
        self.keyed.keys.iter().enumerate().filter(move |(_, key)| wanted(key.purpose)).map(|(slot, _)| slot)
    }

    /// The decoded value; `None` if the line has none.
    pub(crate) fn plain(&self, slot: usize) -> Option<Plain> {
        let plain = self.keyed.coding(self, slot).decode(self.present(slot)?);
        let is_url = self.keyed.keys[slot].purpose.is_url();
        if is_url && plain.has_hash_escapes() && self.is_by_haproxy() {
            return Some(plain.without_hash_escapes());
        }
        Some(plain)
    }

    /// Whether HAProxy wrote the JSON: its date has milliseconds and no zone (`%t`), its state of a session four letters (`%ts`
    /// and the persistence behind it).
    pub(crate) fn is_by_haproxy(&self) -> bool {
        let is_date =
            |slot| self.present(slot).is_some_and(|raw| raw.len() == 24 && raw[20] == b'.' && raw[2] == b'/');
        let is_state = |text: &[u8]| {
            text[0] == b'"'
                && text[5] == b'"'
                && text[1..5].iter().all(|&byte| byte.is_ascii_alphabetic() || byte == b'-')
                && text[1..5].contains(&b'-')
        };
        self.keyed.is_json()
            && (self.slots(|purpose| purpose == Purpose::Time).any(is_date)
                || self.line.windows(6).any(is_state))
    }

    /// The raw value, unless it says that there is none.
    pub(crate) fn present(&self, slot: usize) -> Option<&'a [u8]> {
        let raw = self.spans[slot].of(self.line);
        let is_none = match raw {
            b"-" | b"" | b"\"\"" => true,
            b"null" | b"true" | b"false" | b"{" => !self.is_quoted(slot),
            _ => false,
        };
        (!is_none).then_some(raw)
    }

    /// Whether the line has the key with a text, if only an empty one.
    pub(crate) fn has_text(&self, slot: usize) -> bool {
        self.spans[slot] != ABSENT
            && (self.is_quoted(slot)
                || !matches!(self.spans[slot].of(self.line), b"null" | b"true" | b"false" | b"{"))
    }

    /// Whether an object stands where a value is looked for.
    pub(crate) fn is_object(&self, slot: usize) -> bool {
        self.keyed.is_json() && !self.is_quoted(slot) && self.spans[slot].of(self.line) == b"{"
    }

    /// Whether an object with something in it stands there.
    pub(crate) fn is_filled_object(&self, slot: usize) -> bool {
        let inside = self.line.get(self.spans[slot].end..).unwrap_or_default();
        self.is_object(slot) && !inside.trim_ascii_start().starts_with(b"}")
    }

    /// Whether the line has the key, whatever its value.
    pub(crate) fn is_there(&self, slot: usize) -> bool {
        self.spans[slot] != ABSENT
    }

    pub(crate) fn is_quoted(&self, slot: usize) -> bool {
        let before = self.spans[slot].start.checked_sub(1).and_then(|before| self.line.get(before));
        before == Some(&b'"')
    }
}

/// Up to three digits, or a number that ends in `.0`; a server that gave no answer writes 0.
fn status(raw: &[u8]) -> Option<u16> {
    let digits = raw.strip_suffix(b".0").unwrap_or(raw);
    if digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let status: u16 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (status == 0 || digits.len() == 3).then_some(status)
}
