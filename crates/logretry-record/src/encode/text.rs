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
    // A line of a log has some quotes, and each takes a byte more.
    out.reserve(text.len() + text.len() / 8 + 2);
    out.push(b'"');
    let mut copied = 0;
    let (chunks, rest) = text.as_chunks::<LANES>();
    for (chunk, start) in chunks.iter().zip((0..).step_by(LANES)) {
        let mut escaped = escaped_in(*chunk);
        while escaped != 0 {
            let at = start + escaped.trailing_zeros() as usize;
            push_up_to(at, text, &mut copied, out);
            escaped &= escaped - 1;
        }
    }
    for (&byte, at) in rest.iter().zip(text.len() - rest.len()..) {
        if is_escaped(byte) {
            push_up_to(at, text, &mut copied, out);
        }
    }
    out.extend_from_slice(&text[copied..]);
    out.push(b'"');
}

/// Appends what comes before the byte at `at`, and the beginning of its escape, of which it may itself be the rest.
fn push_up_to(at: usize, text: &[u8], copied: &mut usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&text[*copied..at]);
    *copied = at + push_escape(text[at], out);
}

/// The bytes that are escaped, one bit each.
fn escaped_in(lanes: [u8; LANES]) -> u32 {
    let bytes = u8x16::new(lanes);
    let splat = |byte: u8| u8x16::new([byte; LANES]);
    let control = bytes.min(splat(0x1f)).simd_eq(bytes);
    (control | bytes.simd_eq(splat(b'"')) | bytes.simd_eq(splat(b'\\'))).to_bitmask()
}

fn is_escaped(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\')
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
