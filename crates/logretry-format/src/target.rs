//! Bytes of a URL to a request target that can be sent: nothing is decoded, normalised or reordered, but what may not stand in
//! a URL is percent-encoded.

use std::borrow::Cow;

use memchr::memchr;

/// The target that a client sent as `raw`, without its fragment: nearly always those very bytes.
pub(crate) fn of_raw<'a>(raw: &Cow<'a, [u8]>) -> Cow<'a, [u8]> {
    match raw {
        &Cow::Borrowed(bytes) if all_stand_alone(bytes) => Cow::Borrowed(bytes),
        raw => {
            let mut target = String::with_capacity(raw.len());
            push_raw(raw, &mut target);
            Cow::Owned(target.into_bytes())
        }
    }
}

/// Whether `bytes` may stand in a URL as they are, and no fragment begins among them.
fn all_stand_alone(bytes: &[u8]) -> bool {
    // Nearly always they do: then it takes longer to ask after each byte whether to go on, and a processor compares sixteen at once.
    let (steps, rest) = bytes.as_chunks::<16>();
    let mut last = [b'/'; 16];
    last[..rest.len()].copy_from_slice(rest);
    steps
        .iter()
        .chain([&last])
        .fold(true, |all, step| step.iter().fold(all, |all, &byte| all & stands_alone(byte)))
}

/// A `#` begins a fragment, which is not sent.
#[expect(clippy::needless_bitwise_bool, reason = "as below")]
const fn stands_alone(byte: u8) -> bool {
    may_stand(byte) & (byte != b'#')
}

/// Appends `bytes`, which a client sent as (a part of) its target, without its fragment.
pub(crate) fn push_raw(bytes: &[u8], out: &mut String) {
    let end = memchr(b'#', bytes).unwrap_or(bytes.len());
    let mut rest = &bytes[..end];
    // Nearly all of them may stand.
    while let Some(plain) = rest.iter().position(|&byte| !MAY_STAND[usize::from(byte)]) {
        push_plain(&rest[..plain], out);
        push_hex(rest[plain], out);
        rest = &rest[plain + 1..];
    }
    push_plain(rest, out);
}

/// Appends bytes that all may stand, which are ASCII.
fn push_plain(bytes: &[u8], out: &mut String) {
    out.push_str(std::str::from_utf8(bytes).unwrap_or_default());
}

/// Appends `path`, which the server has decoded.
///
/// Then a `#`, and a `%` that begins no `%XX`, came from escapes and must be escaped again; so must a `?`, if the
/// format gives the query apart.
pub(crate) fn push_decoded_path(path: &[u8], query_is_apart: bool, out: &mut String) {
    for (at, &byte) in path.iter().enumerate() {
        let escaped = match byte {
            b'#' => true,
            b'?' => query_is_apart,
            b'%' => !matches!(path.get(at + 1..at + 3), Some(hex) if hex.iter().all(u8::is_ascii_hexdigit)),
            _ => false,
        };
        if escaped { push_hex(byte, out) } else { push(byte, out) }
    }
}

fn push(byte: u8, out: &mut String) {
    if may_stand(byte) { out.push(char::from(byte)) } else { push_hex(byte, out) }
}

fn push_hex(byte: u8, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

/// `[`, `]` and `'` are left alone: clients send them, and servers take them.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "where no comparison waits for another, many bytes are compared at once"
)]
const fn may_stand(byte: u8) -> bool {
    (byte > b' ')
        & (byte < 0x7f)
        & (byte != b'"')
        & (byte != b'<')
        & (byte != b'>')
        & (byte != b'\\')
        & (byte != b'^')
        & (byte != b'`')
        & ((byte < b'{') | (byte > b'}'))
}

const MAY_STAND: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        table[byte as usize] = may_stand(byte);
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_stand_in_a_url_is_encoded_and_nothing_else() {
        for (raw, target) in [
            (b"/a?b=c".as_slice(), "/a?b=c"),
            (b"/p%2Fq%3Fz/%7Euser/%25?", "/p%2Fq%3Fz/%7Euser/%25?"),
            (b"//a/../b/./c;d+e", "//a/../b/./c;d+e"),
            (b"/a?c[]=3&d={x}|y^z`'", "/a?c[]=3&d=%7Bx%7D%7Cy%5Ez%60'"),
            (b"/quo\"te\\<>", "/quo%22te%5C%3C%3E"),
            (b"/caf\xc3\xa9\xe9 \t\x7f", "/caf%C3%A9%E9%20%09%7F"),
            (b"/pct%zz%", "/pct%zz%"),
            (b"/a?b#frag", "/a?b"),
        ] {
            let mut out = String::new();
            push_raw(raw, &mut out);
            assert_eq!(out, target);
            assert_eq!(&*of_raw(&Cow::Borrowed(raw)), target.as_bytes());
        }
    }

    #[test]
    fn a_decoded_path_is_escaped_again() {
        for (path, apart, target) in [
            (b"/100%/a#b?c".as_slice(), true, "/100%25/a%23b%3Fc"),
            (b"/p%2Fq?z", false, "/p%2Fq?z"),
            (b"/a b", true, "/a%20b"),
        ] {
            let mut out = String::new();
            push_decoded_path(path, apart, &mut out);
            assert_eq!(out, target);
        }
    }
}
