//! The record on the pipe, written by hand.
//!
//! A reader writes millions of records, and each holds its line a second time. So what is written here is what [`RecordV1`](crate::wire::RecordV1)
//! would be written as, byte for byte, which a property test compares; only without making one, and with the parts that all records of a log share written once.

use jiff::Timestamp;

use crate::wire::{self, HeaderV1};
use crate::{ErrorKind, ExchangeRef, Origin, Reason, RecordId, Retry};

mod encoder;
mod number;
mod text;

pub use self::encoder::Encoder;
use self::number::{push_number, push_time};
use self::text::{Whole, push_bytes, push_string};

/// What every record begins with; its id stands behind it.
const BEFORE_ID: &[u8] = br#"{"v":1,"id":""#;
/// Before the line, without the end of its name, and behind it.
const TEXT: &str = r#""text"#;
const BEHIND_TEXT: &[u8] = br#"},"original":"#;

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
    push_bytes(TEXT, &origin.text, out);
    out.extend_from_slice(BEHIND_TEXT);
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
        sent_before,
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
    let literal = |literal: &str, out: &mut Vec<u8>| out.extend_from_slice(literal.as_bytes());
    push_member(r#","in_doubt_retry":"#, in_doubt_retry.then_some("true"), out, literal);
    push_member(r#","sent_before":"#, sent_before.then_some("true"), out, literal);
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

/// The object `original`; `known` are its time as it is written, and the line that most of its values are parts of.
#[expect(clippy::inline_always, reason = "only what is inlined is compiled for a processor's level")]
#[inline(always)]
fn push_original(original: &ExchangeRef<'_>, known: Option<(&[u8], &Whole<'_>)>, out: &mut Vec<u8>) {
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
    push_member(r#","time":"#, *time, out, |time: Timestamp, out| match known {
        Some((json, _)) => out.extend_from_slice(json),
        None => push_time(time, out),
    });
    push_twins(r#","method"#, method.as_deref(), known, out);
    push_twins(r#","target"#, target.as_deref(), known, out);
    push_twins(r#","host"#, host.as_deref(), known, out);
    push_member(r#","scheme":"#, *scheme, out, |scheme, out| push_string(scheme.as_str(), out));
    push_member(r#","status":"#, *status, out, |status, out| push_number(status.into(), out));
    push_member(r#","duration_ms":"#, *duration_ms, out, |duration_ms, out| wire::to_json(&duration_ms, out));
    push_member(r#","bytes":"#, *bytes, out, push_number);
    push_twins(r#","client"#, client.as_deref(), known, out);
    push_twins(r#","user_agent"#, user_agent.as_deref(), known, out);
    push_twins(r#","request_id"#, request_id.as_deref(), known, out);
    let headers = (!headers.is_empty()).then(|| headers.iter().map(HeaderV1::of).collect::<Vec<_>>());
    push_member(r#","headers":"#, headers, out, |headers, out| wire::to_json(&headers, out));
    push_twins(r#","body"#, body.as_deref(), known, out);
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
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn push_twins(head: &str, value: Option<&[u8]>, known: Option<(&[u8], &Whole<'_>)>, out: &mut Vec<u8>) {
    match (value, known) {
        (None, _) => {}
        (Some(value), Some((_, line))) => line.push_value(head, value, out),
        (Some(value), None) => push_bytes(head, value, out),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

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
            (attempts, in_doubt_retry, sent_before) in (any::<u32>(), any::<bool>(), any::<bool>()),
            outcome in is_one_of(&Outcome::ALL),
            (status, bytes) in (prop::option::of(any::<u16>()), prop::option::of(any::<u64>())),
            duration_ms in prop::option::of(any::<f64>()),
            error in prop::option::of(is_one_of(&ERRORS)),
            reason in prop::option::of(is_one_of(&[Reason::ALL, &[Reason::Other]].concat())),
        ) {
            let unit = 10_i128.pow(9 - decimals);
            let time = Timestamp::from_nanosecond(i128::from(nanos) / unit * unit).expect("a time");
            let retry = Retry {
                time, method, url, attempts, outcome, in_doubt_retry, sent_before, status, duration_ms, bytes, error, reason, detail,
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
                encoder.encode((number, offset), format, &origin.text, &ExchangeRef::from(&original), &mut twice);
                Encoder::name(&mut twice, id);
            }
            prop_assert_eq!(String::from_utf8_lossy(&twice), expected + "\n");
        }

        #[test]
        fn parts_of_the_line_are_written_as_what_is_equal_to_them(
            line in r#"[ -~]{0,200}|[a-z "\\\x00-\x1f\x7f]{0,200}|\PC{0,100}"#,
            places in prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 6),
        ) {
            let part = |index: usize| {
                let (from, to) = &places[index];
                let (from, to) = (from.index(line.len() + 1), to.index(line.len() + 1));
                line.get(from.min(to)..from.max(to)).map(|part| Cow::Borrowed(part.as_bytes()))
            };
            let original = ExchangeRef {
                method: part(0),
                target: part(1),
                host: part(2),
                client: part(3),
                user_agent: part(4),
                request_id: part(5),
                ..ExchangeRef::default()
            };
            let (mut parts, mut equals) = (Vec::new(), Vec::new());
            let mut encoder = Encoder::new(b"-");
            encoder.encode((1, 0), "x", line.as_bytes(), &original, &mut parts);
            let original = ExchangeRef::from(original.into_owned());
            encoder.encode((1, 0), "x", line.as_bytes(), &original, &mut equals);
            prop_assert_eq!(String::from_utf8_lossy(&parts), String::from_utf8_lossy(&equals));
        }
    }
}
