//! Bytes of a URL to a request target that can be sent: nothing is decoded, normalised or reordered, but what may not stand in
//! a URL is percent-encoded.

use std::borrow::Cow;

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x32};
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

/// Whether `bytes` may stand in a URL as they are, and no fragment begins among them: a `#` begins one, which is not sent.
fn all_stand_alone(bytes: &[u8]) -> bool {
    all_stand_alone_at(Level::new(), bytes)
}

/// The same with what processors of a level can.
fn all_stand_alone_at(level: Level, bytes: &[u8]) -> bool {
    dispatch!(level, simd => all_stand_alone_with(simd, bytes))
}

/// Inlined, for only then it is compiled for the processor's level.
#[inline(always)]
fn all_stand_alone_with<S: Simd>(simd: S, bytes: &[u8]) -> bool {
    const STEP: usize = 32;
    let (steps, rest) = bytes.as_chunks::<STEP>();
    let mut padded = [b'/'; STEP];
    let last = bytes.last_chunk().unwrap_or_else(|| {
        padded[..rest.len()].copy_from_slice(rest);
        &padded
    });
    let splat = |byte| u8x32::splat(simd, byte);
    let mut others = splat(0).simd_lt(splat(0));
    for step in steps.iter().chain([last]) {
        let bytes = u8x32::from_slice(simd, step);
        others |= bytes.simd_le(splat(b' '))
            | bytes.simd_ge(splat(0x7f))
            | (bytes | splat(1)).simd_eq(splat(b'"' | b'#'))
            | (bytes | splat(2)).simd_eq(splat(b'<' | b'>'))
            | (bytes | splat(2)).simd_eq(splat(b'\\' | b'^'))
            | bytes.simd_eq(splat(b'`'))
            | (bytes - splat(b'{')).simd_le(splat(b'}' - b'{'));
    }
    others.all_false()
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
const fn may_stand(byte: u8) -> bool {
    !matches!(byte, 0..=b' ' | 0x7f..=0xff | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{'..=b'}')
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
    use proptest::prelude::*;

    use super::*;
    use crate::levels::levels;

    proptest! {
        #[test]
        fn at_each_level_each_byte_is_looked_at(length in 0_usize..100, at in 0_usize..100, byte in any::<u8>()) {
            let mut bytes = vec![b'a'; length];
            if let Some(there) = bytes.get_mut(at) {
                *there = byte;
            }
            let all = bytes.iter().all(|&byte| may_stand(byte) && byte != b'#');
            for level in levels() {
                prop_assert_eq!(all_stand_alone_at(level, &bytes), all);
            }
        }
    }

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
