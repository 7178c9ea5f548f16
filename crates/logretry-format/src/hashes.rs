//! HAProxy's `#HH`, in which a `#` of the value itself is `#23` (`lf_encode_string` of `log.c`).

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// Undoes it; with `backslashes` also those that `+E` puts before `"`, `\` and `]`.
pub(crate) fn decode_hashes(raw: &[u8], backslashes: bool) -> Cow<'_, [u8]> {
    if memchr2(b'#', b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let code = raw.get(at + 1..at + 3).and_then(hex);
        let (byte, length) = match (raw[at], code) {
            (b'#', Some(code)) => (code, 3),
            (b'\\', _) if backslashes && matches!(raw.get(at + 1), Some(b'"' | b'\\' | b']')) => {
                (raw[at + 1], 2)
            }
            (byte, _) => (byte, 1),
        };
        out.push(byte);
        at += length;
    }
    Cow::Owned(out)
}

/// `raw` with a `#` only where a fragment begins, of the same length.
pub(crate) fn bare_hashes(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'#', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let is_escape =
        |at: usize| raw[at] == b'#' && raw.get(at + 1..at + 3).and_then(hex).is_some_and(|code| code != b'#');
    (0..raw.len()).map(|at| if is_escape(at) { b'_' } else { raw[at] }).collect()
}

fn hex(digits: &[u8]) -> Option<u8> {
    digits
        .iter()
        .try_fold(0, |value, &digit| Some(value << 4 | u8::try_from(char::from(digit).to_digit(16)?).ok()?))
}
