//! Strings of JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wide::u8x16;

/// Appends the member `name` with `value`: a string, or, if it is not UTF-8, its twin in base64.
pub(super) fn push_bytes(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    if value.is_ascii() || std::str::from_utf8(value).is_ok() {
        out.extend_from_slice(b"\":");
        push_escaped(value, out);
    } else {
        out.extend_from_slice(b"_base64\":\"");
        out.extend_from_slice(STANDARD.encode(value).as_bytes());
        out.push(b'"');
    }
}

/// Appends `text` as a string.
pub(super) fn push_string(text: &str, out: &mut Vec<u8>) {
    push_escaped(text.as_bytes(), out);
}

const LANES: usize = 16;

/// Escapes what RFC 8259 §7 demands, and nothing else, the way `serde_json` does.
fn push_escaped(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + text.len() / 8 + 2);
    out.push(b'"');
    let mut rest = text;
    while let Some((lanes, behind)) = rest.split_first_chunk::<LANES>() {
        match escaped_in(*lanes) {
            LANES => {
                out.extend_from_slice(lanes);
                rest = behind;
            }
            plain => {
                // Sixteen bytes are copied faster than some of them.
                let end = out.len() + plain;
                out.extend_from_slice(lanes);
                out.truncate(end);
                push_escape(lanes[plain], out);
                rest = &rest[plain + 1..];
            }
        }
    }
    for &byte in rest {
        if is_escaped(byte) { push_escape(byte, out) } else { out.push(byte) }
    }
    out.push(b'"');
}

/// The first byte that is escaped, or how many there are if none is.
fn escaped_in(lanes: [u8; LANES]) -> usize {
    let bytes = u8x16::new(lanes);
    let splat = |byte: u8| u8x16::new([byte; LANES]);
    let control = bytes.min(splat(0x1f)).simd_eq(bytes);
    let escaped = control | bytes.simd_eq(splat(b'"')) | bytes.simd_eq(splat(b'\\'));
    (escaped.to_bitmask() | 1 << LANES).trailing_zeros() as usize
}

fn is_escaped(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\')
}

fn push_escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
