//! The record on the pipe, written by hand.
//!
//! A reader writes millions of records, and each holds its line a second time. So what is written here is what [`RecordV1`](crate::wire::RecordV1)
//! would be written as, byte for byte, which a property test compares; only without making one, and with the parts that all records of a log share written once.

use jiff::Timestamp;

use crate::wire::{self, HeaderV1};
use crate::{ErrorKind, ExchangeRef, Origin, Reason, RecordId, Retry};

mod number;
mod text;

use self::number::{push_number, push_time};
use self::text::{push_bytes, push_string};

/// What every record begins with; its id stands behind it.
const BEFORE_ID: &[u8] = br#"{"v":1,"id":""#;

/// Writes records of one log, as [`Record::encode`](crate::Record::encode) does, without making records.
///
/// ```
/// use bstr::BStr;
/// use logretry_record::{Encoder, Exchange, ExchangeRef, Origin, Record, RecordId};
///
/// let (text, id) = (b"a line".as_slice(), RecordId::of_line(b"a line", 0));
/// let (mut by_hand, mut as_record) = (Vec::new(), Vec::new());
/// let mut encoder = Encoder::new(b"access.log");
/// encoder.encode(id, (204, 18_231), "combined", text, &ExchangeRef::default(), &mut by_hand);
/// Record::new(id, Origin::new("access.log", 204, 18_231, "combined", text), Exchange::default()).encode(&mut as_record);
/// assert_eq!(BStr::new(&by_hand), BStr::new(&as_record));
/// ```
#[derive(Debug)]
pub struct Encoder {
    /// From behind the id to the line's number.
    source: Vec<u8>,
    /// The format of the last record, and what is written for it.
    format: String,
    format_json: Vec<u8>,
    /// The time of the last record, and what is written for it: lines of the same second are many.
    time: Timestamp,
    time_json: Vec<u8>,
}

impl Encoder {
    /// For records of the log called `source`.
    pub fn new(source: &[u8]) -> Self {
        let mut encoder = Self {
            source: Vec::new(),
            format: String::new(),
            format_json: Vec::new(),
            time: Timestamp::UNIX_EPOCH,
            time_json: Vec::new(),
        };
        push_before_line(source, &mut encoder.source);
        encoder.set_format("");
        encoder.set_time(Timestamp::UNIX_EPOCH);
        encoder
    }

    /// Appends the record of the line `text` of this log, which is `number` and begins after `offset` bytes, with its line end.
    pub fn encode(
        &mut self,
        id: RecordId,
        (number, offset): (u64, u64),
        format: &str,
        text: &[u8],
        original: &ExchangeRef<'_>,
        out: &mut Vec<u8>,
    ) {
        if self.format != format {
            self.set_format(format);
        }
        push_id(id, out);
        out.extend_from_slice(&self.source);
        push_place(number, offset, out);
        out.extend_from_slice(&self.format_json);
        push_text(text, out);
        if let Some(time) = original.time.filter(|&time| time != self.time) {
            self.set_time(time);
        }
        push_original(original, Some(&self.time_json), out);
        out.extend_from_slice(b"}\n");
    }

    /// Gives the record that begins at the beginning of `line` another id.
    pub fn rename(line: &mut [u8], id: RecordId) {
        if let Some(old) = line.get_mut(BEFORE_ID.len()..BEFORE_ID.len() + 32) {
            old.copy_from_slice(&id.digits());
        }
    }

    fn set_format(&mut self, format: &str) {
        format.clone_into(&mut self.format);
        self.format_json.clear();
        push_format(format, &mut self.format_json);
    }

    fn set_time(&mut self, time: Timestamp) {
        self.time = time;
        self.time_json.clear();
        push_time(time, &mut self.time_json);
    }
}

/// Appends the record without its line end.
pub(crate) fn push_record(
    id: RecordId,
    origin: &Origin,
    original: &ExchangeRef<'_>,
    retry: Option<&Retry>,
    out: &mut Vec<u8>,
) {
    push_id(id, out);
    push_before_line(&origin.source, out);
    push_place(origin.line, origin.offset, out);
    push_format(&origin.format, out);
    push_text(&origin.text, out);
    push_original(original, None, out);
    if let Some(retry) = retry {
        out.extend_from_slice(b",\"retry\":");
        push_retry(retry, out);
    }
    out.push(b'}');
}

/// The object `retry`.
pub(crate) fn push_retry(retry: &Retry, out: &mut Vec<u8>) {
    let Retry {
        time,
        method,
        url,
        attempts,
        outcome,
        in_doubt_retry,
        status,
        duration_ms,
        bytes,
        error,
        reason,
        detail,
    } = retry;
    let word = |word, out: &mut Vec<u8>| push_string(word, out);
    out.extend_from_slice(b"{\"time\":");
    push_time(*time, out);
    push_member(r#","method":"#, method.as_deref(), out, push_string);
    push_member(r#","url":"#, url.as_deref(), out, push_string);
    push_member(r#","attempts":"#, Some(u64::from(*attempts)), out, push_number);
    push_member(r#","outcome":"#, Some(outcome.as_str()), out, word);
    push_member(r#","in_doubt_retry":"#, in_doubt_retry.then_some("true"), out, |literal, out| {
        out.extend_from_slice(literal.as_bytes());
    });
    push_member(r#","status":"#, *status, out, |status, out| push_number(status.into(), out));
    push_member(r#","duration_ms":"#, *duration_ms, out, |duration_ms, out| wire::to_json(&duration_ms, out));
    push_member(r#","bytes":"#, *bytes, out, push_number);
    push_member(r#","error":"#, error.map(ErrorKind::as_str), out, word);
    push_member(r#","reason":"#, reason.map(Reason::as_str), out, word);
    push_member(r#","detail":"#, detail.as_deref(), out, push_string);
    out.push(b'}');
}

fn push_id(id: RecordId, out: &mut Vec<u8>) {
    out.extend_from_slice(BEFORE_ID);
    out.extend_from_slice(&id.digits());
}

fn push_before_line(source: &[u8], out: &mut Vec<u8>) {
    push_bytes(r#"","origin":{"source"#, source, out);
    out.extend_from_slice(br#","line":"#);
}

fn push_place(number: u64, offset: u64, out: &mut Vec<u8>) {
    push_number(number, out);
    out.extend_from_slice(br#","offset":"#);
    push_number(offset, out);
}

fn push_format(format: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","format":"#);
    push_string(format, out);
    out.push(b',');
}

fn push_text(text: &[u8], out: &mut Vec<u8>) {
    push_bytes(r#""text"#, text, out);
    out.extend_from_slice(br#"},"original":"#);
}

/// The object `original`; `time_json` is its time as it is written, where that is known.
fn push_original(original: &ExchangeRef<'_>, time_json: Option<&[u8]>, out: &mut Vec<u8>) {
    let ExchangeRef {
        time,
        method,
        target,
        host,
        scheme,
        status,
        duration_ms,
        bytes,
        client,
        user_agent,
        request_id,
        headers,
        body,
        undelivered,
        lossy,
    } = original;
    let start = out.len();
    push_member(r#","time":"#, *time, out, |time: Timestamp, out| match time_json {
        Some(json) => out.extend_from_slice(json),
        None => push_time(time, out),
    });
    push_twins(r#","method"#, method.as_deref(), out);
    push_twins(r#","target"#, target.as_deref(), out);
    push_twins(r#","host"#, host.as_deref(), out);
    push_member(r#","scheme":"#, *scheme, out, |scheme, out| push_string(scheme.as_str(), out));
    push_member(r#","status":"#, *status, out, |status, out| push_number(status.into(), out));
    push_member(r#","duration_ms":"#, *duration_ms, out, |duration_ms, out| wire::to_json(&duration_ms, out));
    push_member(r#","bytes":"#, *bytes, out, push_number);
    push_twins(r#","client"#, client.as_deref(), out);
    push_twins(r#","user_agent"#, user_agent.as_deref(), out);
    push_twins(r#","request_id"#, request_id.as_deref(), out);
    let headers = (!headers.is_empty()).then(|| headers.iter().map(HeaderV1::of).collect::<Vec<_>>());
    push_member(r#","headers":"#, headers, out, |headers, out| wire::to_json(&headers, out));
    push_twins(r#","body"#, body.as_deref(), out);
    push_member(r#","undelivered":"#, undelivered.as_deref(), out, push_string);
    push_member(r#","lossy":"#, (!lossy.is_empty()).then_some(lossy), out, wire::to_json);
    // Each has written a comma before itself; the first one's is the brace.
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

/// Appends a member, if it has a value; `head` is what stands before that.
fn push_member<T>(head: &str, value: Option<T>, out: &mut Vec<u8>, push: impl Fn(T, &mut Vec<u8>)) {
    let Some(value) = value else { return };
    out.extend_from_slice(head.as_bytes());
    push(value, out);
}

/// Appends a member of bytes, if it has a value; `head` is what stands before the end of its name.
fn push_twins(head: &str, value: Option<&(impl AsRef<[u8]> + ?Sized)>, out: &mut Vec<u8>) {
    let Some(value) = value else { return };
    push_bytes(head, value.as_ref(), out);
}

#[cfg(test)]
mod tests {
    use bstr::BString;
    use proptest::prelude::*;

    use super::*;
    use crate::wire::RecordV1;
    use crate::{Exchange, Header, Outcome, Scheme};

    const ERRORS: [ErrorKind; 11] = [
        ErrorKind::Dns,
        ErrorKind::BlockedAddress,
        ErrorKind::Connect,
        ErrorKind::Tls,
        ErrorKind::Proxy,
        ErrorKind::Timeout,
        ErrorKind::Reset,
        ErrorKind::Protocol,
        ErrorKind::BodyLimit,
        ErrorKind::Aborted,
        ErrorKind::Other,
    ];

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            "[ -~\\x00-\\x1f\\x7f]{0,70}".prop_map(String::into_bytes),
            "\\PC{0,40}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..40),
        ]
    }

    fn maybe() -> impl Strategy<Value = Option<BString>> {
        prop::option::of(text().prop_map(BString::from))
    }

    fn is_one_of<T: Copy + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = T> + use<T> {
        prop::sample::select(all.to_vec())
    }

    proptest! {
        #[test]
        fn a_retry_is_written_as_serde_writes_it(
            nanos in -99_999_999_999_999_999_i64..,
            decimals in 0_u32..=9,
            (method, url) in (prop::option::of("\\PC{0,9}"), prop::option::of("[ -~\\x00-\\x1f]{0,40}")),
            detail in prop::option::of("\\PC{0,40}"),
            (attempts, in_doubt_retry) in (any::<u32>(), any::<bool>()),
            outcome in is_one_of(&Outcome::ALL),
            (status, bytes) in (prop::option::of(any::<u16>()), prop::option::of(any::<u64>())),
            duration_ms in prop::option::of(any::<f64>()),
            error in prop::option::of(is_one_of(&ERRORS)),
            reason in prop::option::of(is_one_of(&[Reason::ALL, &[Reason::Other]].concat())),
        ) {
            let unit = 10_i128.pow(9 - decimals);
            let time = Timestamp::from_nanosecond(i128::from(nanos) / unit * unit).expect("a time");
            let retry = Retry {
                time, method, url, attempts, outcome, in_doubt_retry, status, duration_ms, bytes, error, reason, detail,
            };
            let mut written = Vec::new();
            retry.encode(&mut written);
            prop_assert_eq!(String::from_utf8_lossy(&written), serde_json::to_string(&retry).expect("JSON"));
        }

        #[test]
        fn by_hand_is_written_what_serde_writes(
            (source, line, format) in (text(), text(), "\\PC{0,20}"),
            (host, client, user_agent, request_id, body) in (maybe(), maybe(), maybe(), maybe(), maybe()),
            (method, target) in (prop::option::of("\\PC{0,9}"), prop::option::of("[ -~]{0,40}")),
            (number, offset, bytes) in (any::<u64>(), any::<u64>(), prop::option::of(any::<u64>())),
            status in prop::option::of(0_u16..1000),
            nanos in prop::option::of(-99_999_999_999_999_999_i64..),
            whole in any::<bool>(),
            duration_ms in prop::option::of(0.0_f64..1e9),
            scheme in prop::option::of(prop_oneof![Just(Scheme::Http), Just(Scheme::Https)]),
            lossy in any::<bool>(),
        ) {
            let nanos = nanos.map(|nanos| i128::from(nanos) * 2);
            let nanos = nanos.map(|nanos| if whole { nanos / 1_000_000_000 * 1_000_000_000 } else { nanos });
            let original = Exchange {
                time: nanos.map(|nanos| Timestamp::from_nanosecond(nanos).expect("a time")),
                headers: body.iter().filter_map(|body| Header::recorded("X-A", body.clone())).collect(),
                undelivered: lossy.then(|| "nginx_no_upstream".into()),
                lossy: if lossy { vec!["path".into(), "query".into()] } else { Vec::new() },
                method, target, host, scheme, status, duration_ms, bytes, client, user_agent, request_id, body,
            };
            let origin = Origin::new(source, number, offset, format, line);
            let id = RecordId::of_line(&origin.text, 0);
            let expected = serde_json::to_string(&RecordV1::from_parts(id, &origin, &original, None)).expect("JSON");
            let mut written = Vec::new();
            push_record(id, &origin, &ExchangeRef::from(&original), None, &mut written);
            prop_assert_eq!(&String::from_utf8_lossy(&written), &expected);
            let mut encoder = Encoder::new(&origin.source);
            let mut twice = Vec::new();
            for format in ["x", &origin.format] {
                twice.clear();
                let other = RecordId::of_line(b"x", 7);
                encoder.encode(other, (number, offset), format, &origin.text, &ExchangeRef::from(&original), &mut twice);
                Encoder::rename(&mut twice, id);
            }
            prop_assert_eq!(String::from_utf8_lossy(&twice), expected + "\n");
        }
    }
}
