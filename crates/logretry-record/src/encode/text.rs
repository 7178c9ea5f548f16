//! Strings of JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// Bytes that are looked at, and copied, together.
const STEP: usize = 64;

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

/// Escapes what RFC 8259 §7 demands, and nothing else, the way `serde_json` does; whether it is ASCII all over.
fn push_escaped(text: &[u8], out: &mut Vec<u8>) -> bool {
    // A line of a log has some quotes, and each takes a byte more.
    out.reserve(text.len() + text.len() / 8 + STEP + 2);
    out.push(b'"');
    let is_ascii = dispatch!(Level::new(), simd => push_inside(simd, text, out));
    out.push(b'"');
    is_ascii
}

/// What stands between the quotes.
#[inline(always)]
fn push_inside<S: Simd>(simd: S, text: &[u8], out: &mut Vec<u8>) -> bool {
    const STEPS: usize = 4;
    // What is no part of a line is short, and mostly plain.
    if text.len() < STEP {
        let mut step = [b' '; STEP];
        step[..text.len()].copy_from_slice(text);
        let bytes = u8x64::from_slice(simd, &step);
        if escaped_in(simd, bytes) == 0 {
            push_first(&step, text.len(), out);
            return bytes.simd_lt(u8x64::splat(simd, 0x80)).all_true();
        }
    }
    let mut is_ascii = true;
    for text in text.chunks(STEP * STEPS) {
        let (pieces, mut marks) = (Pieces::of(text), [0; STEPS + 1]);
        is_ascii &= pieces.mark(simd, &mut marks[..=text.len() / STEP]);
        pieces.push_escaped(&marks, out);
    }
    is_ascii
}

/// A line, of which most other values of its record are parts: looked at once for all of them.
pub(super) struct Whole<'t> {
    pieces: Pieces<'t>,
    marks: &'t [u64],
    is_ascii: bool,
}

impl<'t> Whole<'t> {
    /// Looks at `text`, with `marks` as room to write in.
    #[expect(clippy::inline_always, reason = "only what is inlined is compiled for a processor's level")]
    #[inline(always)]
    pub(super) fn new<S: Simd>(simd: S, text: &'t [u8], marks: &'t mut Vec<u64>) -> Self {
        marks.resize(text.len() / STEP + 1, 0);
        let pieces = Pieces::of(text);
        let is_ascii = pieces.mark(simd, marks);
        Self { pieces, marks, is_ascii }
    }

    /// Appends all of it as a member, as [`push_bytes`].
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn push(&self, head: &str, out: &mut Vec<u8>) {
        if !self.is_ascii {
            return push_bytes(head, self.pieces.text, out);
        }
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(b"\":\"");
        self.pieces.push_escaped(self.marks, out);
        out.push(b'"');
    }

    /// Appends `value` as a member, as [`push_bytes`].
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn push_value(&self, head: &str, value: &[u8], out: &mut Vec<u8>) {
        let Some(at) = self.find(value).filter(|&at| self.is_plain(at, at + value.len())) else {
            return push_bytes(head, value, out);
        };
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(b"\":\"");
        self.pieces.push(at, value.len(), out);
        out.push(b'"');
    }

    /// Whether all is ASCII, and nothing is escaped from `from` to `to`.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn is_plain(&self, from: usize, to: usize) -> bool {
        let behind_from = u64::MAX << (from % STEP);
        let before_to = !(u64::MAX << (to % STEP));
        let marks = match &self.marks[from / STEP..=to / STEP] {
            [] => 0,
            [only] => only & behind_from & before_to,
            [first, between @ .., last] => {
                between.iter().fold(first & behind_from | last & before_to, |all, marks| all | marks)
            }
        };
        self.is_ascii && marks == 0
    }

    /// Where `value` stands in it, if it is a part of it and not only equal to one.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn find(&self, value: &[u8]) -> Option<usize> {
        let at = value.as_ptr().addr().checked_sub(self.pieces.text.as_ptr().addr())?;
        (at + value.len() <= self.pieces.text.len()).then_some(at)
    }
}

/// The bytes that are escaped, one bit each.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn escaped_in<S: Simd>(simd: S, bytes: u8x64<S>) -> u64 {
    let splat = |byte| u8x64::splat(simd, byte);
    let escaped = bytes.simd_lt(splat(0x20)) | bytes.simd_eq(splat(b'"')) | bytes.simd_eq(splat(b'\\'));
    escaped.to_bitmask()
}

/// Appends the first `length` bytes of `step`: all of them, and takes back what was too much. To copy just as many needs a call.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn push_first(step: &[u8; STEP], length: usize, out: &mut Vec<u8>) {
    let before = out.len();
    out.extend_from_slice(step);
    out.truncate(before + length);
}

/// A text of which pieces are copied, most of them short.
struct Pieces<'t> {
    text: &'t [u8],
    /// The last bytes of the text from `ending_at` on, with room behind them, so that there is a whole step from everywhere.
    ending: [u8; 2 * STEP],
    ending_at: usize,
}

impl<'t> Pieces<'t> {
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn of(text: &'t [u8]) -> Self {
        // Behind the text spaces do no harm: nobody escapes them.
        let mut ending = [b' '; 2 * STEP];
        let last = if let Some(last) = text.last_chunk::<STEP>() {
            ending[..STEP].copy_from_slice(last);
            STEP
        } else {
            ending[..text.len()].copy_from_slice(text);
            text.len()
        };
        Self { text, ending, ending_at: text.len() - last }
    }

    /// Marks each byte of the text that is escaped with a bit of `marks`, which are one more than it has whole steps; whether it is ASCII all over.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn mark<S: Simd>(&self, simd: S, marks: &mut [u64]) -> bool {
        // The highest bit of a byte in it is that of some byte of the text.
        let mut all = u8x64::splat(simd, 0);
        let (steps, rest) = self.text.as_chunks::<STEP>();
        let (last, _) = self.ending.split_first_chunk().expect("it has two steps");
        for (at, mark) in marks.iter_mut().enumerate() {
            let bytes = u8x64::from_slice(simd, steps.get(at).unwrap_or(last));
            all |= bytes;
            *mark = escaped_in(simd, bytes);
        }
        // What stands before the rest in the last step has been marked.
        if let Some(mark) = marks.last_mut() {
            *mark = if rest.is_empty() { 0 } else { *mark >> (steps.len() * STEP - self.ending_at) };
        }
        all.simd_lt(u8x64::splat(simd, 0x80)).all_true()
    }

    /// Appends the text, with what is marked escaped.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn push_escaped(&self, marks: &[u64], out: &mut Vec<u8>) {
        let mut copied = 0;
        for (&marks, start) in marks.iter().zip((0..).step_by(STEP)) {
            let mut marks = marks;
            while marks != 0 {
                let at = start + marks.trailing_zeros() as usize;
                self.push(copied, at - copied, out);
                copied = at;
                let byte = self.text[at];
                // The escapes of these two end in themselves, with which the next piece begins.
                if matches!(byte, b'"' | b'\\') {
                    out.push(b'\\');
                } else {
                    let (escape, length) = escape(byte);
                    out.extend_from_slice(&escape[..length]);
                    copied += 1;
                }
                marks &= marks - 1;
            }
        }
        self.push(copied, self.text.len() - copied, out);
    }

    /// Appends `length` bytes of the text.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn push(&self, mut from: usize, mut length: usize, out: &mut Vec<u8>) {
        while length > STEP {
            out.extend_from_slice(self.step(from));
            from += STEP;
            length -= STEP;
        }
        push_first(self.step(from), length, out);
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn step(&self, from: usize) -> &[u8; STEP] {
        let step = self.text.get(from..).and_then(|rest| rest.first_chunk());
        step.or_else(|| self.ending[from - self.ending_at..].first_chunk()).unwrap_or(&[0; STEP])
    }
}

/// The escape of `byte`, and its length.
fn escape(byte: u8) -> ([u8; 6], usize) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => return ([b'\\', b'u', b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]], 6),
    };
    ([b'\\', short, 0, 0, 0, 0], 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::levels::levels;

    proptest! {
        #[test]
        fn each_level_marks_what_serde_escapes(text in r#"[ -~\x00-\x1f\x7f]{0,200}|[a-z]{0,200}["\\]{0,70}[a-z]{0,70}|\PC{0,100}"#) {
            let text = text.as_bytes();
            let is_escaped = |byte: u8| byte.is_ascii() && serde_json::to_string(&char::from(byte)).is_ok_and(|json| json.len() > 3);
            for level in levels() {
                let mut marks = vec![0; text.len() / STEP + 1];
                let is_ascii = dispatch!(level, simd => Pieces::of(text).mark(simd, &mut marks));
                prop_assert_eq!(is_ascii, text.is_ascii());
                for at in 0..STEP * marks.len() {
                    let is_marked = marks[at / STEP] >> (at % STEP) & 1 == 1;
                    prop_assert_eq!(is_marked, text.get(at).is_some_and(|&byte| is_escaped(byte)), "{}", at);
                }
            }
        }

        #[test]
        fn a_string_is_written_as_serde_writes_it(text in r#"[ -~\x00-\x1f\x7f]{0,200}|[a-z]{0,1100}["\\]{0,70}[a-z]{0,70}|\PC{0,100}"#) {
            let mut written = Vec::new();
            push_string(&text, &mut written);
            prop_assert_eq!(String::from_utf8_lossy(&written), serde_json::to_string(&text).expect("JSON"));
        }

        #[test]
        fn each_part_of_a_line_is_written_as_it_is_alone(
            text in r#"[ -~]{0,200}|[a-z "\\\x00-\x1f\x7f]{0,200}|\PC{0,100}"#,
            (from, to) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        ) {
            let text = text.as_bytes();
            let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
            let part = &text[from.min(to)..from.max(to)];
            let mut marks = vec![u64::MAX; 2];
            let whole = dispatch!(Level::new(), simd => Whole::new(simd, text, &mut marks));
            let (mut written, mut alone) = (Vec::new(), Vec::new());
            whole.push("\"text", &mut written);
            push_bytes("\"text", text, &mut alone);
            let equal = part.to_vec();
            for value in [part, &equal] {
                whole.push_value(",\"part", value, &mut written);
                push_bytes(",\"part", value, &mut alone);
            }
            prop_assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&alone));
        }
    }
}
