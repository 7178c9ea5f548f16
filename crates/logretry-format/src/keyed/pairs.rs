//! Lines of `label:value` with tabs between (LTSV), and of `key=value` with spaces between (logfmt).

use memchr::memchr;

use crate::escape::bare_quote;
use crate::keyed::found::Found;
use crate::keyed::json::Missing;
use crate::keyed::paths::Paths;
use crate::spans::Span;

/// Finds the values of an LTSV line (<http://ltsv.org>): it has two fields at least, and each has a label.
pub(crate) fn read_ltsv(line: &[u8], paths: &Paths, found: &mut Found<'_>) -> Result<(), Missing> {
    let mut start = 0;
    for field in line.split(|&byte| byte == b'\t') {
        let end = start + field.len();
        // Some producers end the line with a tab.
        if !(field.is_empty() && end == line.len() && start > 0) {
            let colon = memchr(b':', field).filter(|&colon| is_label(&field[..colon]));
            let colon = colon.ok_or((start, "a label and `:`"))?;
            let slot = paths.walk(Paths::root(), &field[..colon]).and_then(|place| paths.slot(place));
            found.take(slot, Span { start: start + colon + 1, end });
        }
        start = end + 1;
    }
    if memchr(b'\t', line).is_some() { Ok(()) } else { Err((line.len(), "a tab and another field")) }
}

/// Whether it is a label: `2026-11-22T06`, which a container's time before the line looks like to its first colon, is none.
fn is_label(label: &[u8]) -> bool {
    let is_date = matches!(label, [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', ..]);
    !label.is_empty()
        && !is_date
        && label.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Finds the values of a logfmt line. A value in quotes has Go's escapes, one without them ends at a space. What stands
/// before the pairs is a time and who writes, and the time goes to the slot `prefix`.
pub(crate) fn read_logfmt(
    line: &[u8],
    paths: &Paths,
    prefix: Option<usize>,
    found: &mut Found<'_>,
) -> Result<(), Missing> {
    let mut at = 0;
    if prefix.is_some()
        && let Some((time, start)) = heroku_prefix(line)
    {
        found.take(prefix, time);
        at = start;
    }
    let mut pairs = 0;
    loop {
        at += line[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if at == line.len() {
            break;
        }
        let rest = &line[at..];
        let length = rest.iter().position(|&byte| !is_in_key(byte)).unwrap_or(rest.len());
        if length == 0 || rest.get(length) != Some(&b'=') {
            return Err((at, "a key and `=`"));
        }
        let place = paths.walk(Paths::root(), &rest[..length]);
        let start = at + length + 1;
        let value = if line.get(start) == Some(&b'"') {
            let end = bare_quote(line, start + 1).ok_or((line.len(), "`\"`"))?;
            at = end + 1;
            if line.get(at).is_some_and(|byte| !byte.is_ascii_whitespace()) {
                return Err((at, "a space behind the quote"));
            }
            Span { start: start + 1, end }
        } else {
            let rest = &line[start..];
            at = start + rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
            Span { start, end: at }
        };
        found.take(place.and_then(|place| paths.slot(place)), value);
        pairs += 1;
    }
    if pairs > 1 { Ok(()) } else { Err((at, "another key and `=`")) }
}

fn is_in_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-@:/#[]".contains(&byte)
}

/// The time and the start of the pairs of a line of Heroku's router: `2026-… heroku[router]: at=error …`.
fn heroku_prefix(line: &[u8]) -> Option<(Span, usize)> {
    let time = memchr(b' ', line)?;
    let rest = &line[time + 1..];
    let colon = memchr::memmem::find(rest, b": ").filter(|&colon| !rest[..colon].contains(&b'='))?;
    line.first()?.is_ascii_digit().then_some((Span { start: 0, end: time }, time + 1 + colon + 2))
}
