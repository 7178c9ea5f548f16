//! Strings of JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// Appends a member with `value`: a string, or, if it is not UTF-8, its twin in base64. `head` is what stands before the end of its name.
pub(super) fn push_bytes(head: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(head.as_bytes());
    let behind_name = out.len();
    out.extend_from_slice(b"\":");
    // Nearly every value is ASCII, which shows on the way.
    if push_escaped(value, out) || std::str::from_utf8(value).is_ok() {
        return;
    }
    out.truncate(behind_name);
    out.extend_from_slice(b"_base64\":\"");
    out.extend_from_slice(STANDARD.encode(value).as_bytes());
    out.push(b'"');
}

/// Appends `text` as a string.
pub(super) fn push_string(text: &str, out: &mut Vec<u8>) {
    push_escaped(text.as_bytes(), out);
}

const STEP: usize = 64;

/// Escapes what RFC 8259 §7 demands, and nothing else, the way `serde_json` does; whether it is ASCII all over.
fn push_escaped(text: &[u8], out: &mut Vec<u8>) -> bool {
    // A line of a log has some quotes, and each takes a byte more; and whole steps are copied.
    out.reserve(text.len() + text.len() / 8 + STEP + 2);
    out.push(b'"');
    let is_ascii = push_inside_at(Level::new(), text, out);
    out.push(b'"');
    is_ascii
}

/// What stands between the quotes, told with what processors of a level can.
fn push_inside_at(level: Level, text: &[u8], out: &mut Vec<u8>) -> bool {
    dispatch!(level, simd => push_inside(simd, text, out))
}

#[expect(clippy::inline_always, reason = "only what is inlined is compiled for the processor's level")]
#[inline(always)]
fn push_inside<S: Simd>(simd: S, text: &[u8], out: &mut Vec<u8>) -> bool {
    // The highest bit of a byte in it is that of some byte of the text.
    let mut all = u8x64::splat(simd, 0);
    let (steps, rest) = text.as_chunks::<STEP>();
    for step in steps {
        push_step(simd, step, STEP, &mut all, out);
    }
    // Behind the text spaces do no harm: nobody escapes them.
    let mut last = [b' '; STEP];
    last[..rest.len()].copy_from_slice(rest);
    push_step(simd, &last, rest.len(), &mut all, out);
    all.simd_lt(u8x64::splat(simd, 0x80)).all_true()
}

/// Appends the first `length` bytes of `step`.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn push_step<S: Simd>(simd: S, step: &[u8; STEP], length: usize, all: &mut u8x64<S>, out: &mut Vec<u8>) {
    let bytes = u8x64::from_slice(simd, step);
    *all |= bytes;
    let mut escaped = escaped_in(simd, bytes);
    if escaped == 0 {
        return push_first(step, length, out);
    }
    // With room behind it, so that from everywhere in it there are as many bytes to copy.
    let mut room = [0; 2 * STEP];
    room[..STEP].copy_from_slice(step);
    let from = |at: usize| room[at..].first_chunk().unwrap_or(step);
    let mut copied = 0;
    while escaped != 0 {
        let at = escaped.trailing_zeros() as usize;
        push_first(from(copied), at - copied, out);
        copied = at + push_escape(step[at], out);
        escaped &= escaped - 1;
    }
    push_first(from(copied), length - copied, out);
}

/// Appends the first `length` of some bytes: all of them, in one or two moves, and takes back what was too much. To copy just as many needs a call.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn push_first(bytes: &[u8; STEP], length: usize, out: &mut Vec<u8>) {
    let before = out.len();
    out.extend_from_slice(bytes);
    out.truncate(before + length);
}

/// The bytes that are escaped, one bit each.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn escaped_in<S: Simd>(simd: S, bytes: u8x64<S>) -> u64 {
    let splat = |byte| u8x64::splat(simd, byte);
    let escaped = bytes.simd_lt(splat(0x20)) | bytes.simd_eq(splat(b'"')) | bytes.simd_eq(splat(b'\\'));
    escaped.to_bitmask()
}

/// Appends the escape of `byte`; how many bytes of the text that says: none, if its last one is the byte itself and left to do.
fn push_escape(byte: u8, out: &mut Vec<u8>) -> usize {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => {
            out.push(b'\\');
            return 0;
        }
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            return 1;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
    1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::levels::levels;

    proptest! {
        #[test]
        fn each_level_escapes_what_serde_escapes(text in r#"[ -~\x00-\x1f\x7f]{0,200}|[a-z]{0,200}["\\]{0,70}[a-z]{0,70}|\PC{0,100}"#) {
            for level in levels() {
                let mut written = vec![b'"'];
                prop_assert_eq!(push_inside_at(level, text.as_bytes(), &mut written), text.is_ascii());
                written.push(b'"');
                prop_assert_eq!(String::from_utf8_lossy(&written), serde_json::to_string(&text).expect("JSON"));
            }
        }
    }
}
