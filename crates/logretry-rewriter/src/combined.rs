use std::io::Write as _;

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use logretry_record::{Mark, Outcome, Record, Retry};

/// Appends the refire of `record` as a line of nginx's `combined` format, without a line end.
///
/// The time is UTC, the protocol is written as `HTTP/1.1`, and the referrer is left out: a record does not hold them.
pub(crate) fn render(record: &Record, retry: &Retry, mark: &Mark, out: &mut Vec<u8>) {
    let original = record.original();
    let method = retry.method.as_ref().or(original.method.as_ref());
    let target = original.target.as_ref().map(|target| mark.put_on(target));
    let time =
        strtime::format("%d/%b/%Y:%H:%M:%S %z", &retry.time.to_zoned(TimeZone::UTC)).unwrap_or_default();
    let status = status(retry);
    let bytes = retry.bytes.unwrap_or(0);

    // Records can come from other programs, so whatever could end a field or a line is escaped. Writing to memory cannot fail.
    word(original.client.as_ref(), out);
    let _ = write!(out, " - - [{time}] \"");
    word(method, out);
    out.push(b' ');
    word(target.as_ref(), out);
    let _ = write!(out, " HTTP/1.1\" {status:03} {bytes} \"-\" \"");
    quoted(original.user_agent.as_ref(), out);
    out.push(b'"');
}

/// The status that a log gives a refire: `000` where no whole answer came.
pub(crate) fn status(retry: &Retry) -> u16 {
    match retry.outcome {
        Outcome::Unanswered | Outcome::InDoubt => 0,
        _ => retry.status.unwrap_or(0),
    }
}

/// A field that ends with a blank. A client may be a whole `X-Forwarded-For`: `192.0.2.1, 10.0.0.7`.
fn word(value: Option<impl AsRef<[u8]>>, out: &mut Vec<u8>) {
    escape(value.filter(|value| !value.as_ref().is_empty()), b' ', out);
}

/// A field that ends with a quotation mark.
fn quoted(value: Option<impl AsRef<[u8]>>, out: &mut Vec<u8>) {
    escape(value, b'"', out);
}

/// nginx's default escape (`ngx_http_log_escape`): `\xHH` for controls, `"`, `\` and everything from 0x7F on, and for what would `end` the field; `-` for nothing.
fn escape(value: Option<impl AsRef<[u8]>>, end: u8, out: &mut Vec<u8>) {
    let Some(value) = value else { return out.push(b'-') };
    for &byte in value.as_ref() {
        if byte == end || matches!(byte, b'"' | b'\\' | ..0x20 | 0x7f..) {
            let _ = write!(out, "\\x{byte:02X}");
        } else {
            out.push(byte);
        }
    }
}
