//! Where strings of JSON end, and where they begin.

use wide::u8x16;

const LANES: usize = 16;
const STEP: usize = 4 * LANES;

/// The length of the string that `rest` begins with, which begins behind its first `"`.
pub(super) fn string_length(rest: &[u8]) -> Option<usize> {
    // Most are short and have no escapes.
    if let Some(lanes) = rest.first_chunk() {
        let (quotes, backslashes) = masks(lanes);
        let first = (quotes | backslashes).trailing_zeros();
        if first < 32 && quotes >> first & 1 == 1 {
            return Some(first as usize);
        }
    }
    let (mut at, mut escapes) = (0, Escapes::default());
    while let Some(step) = rest.get(at..).and_then(|rest| rest.first_chunk::<STEP>()) {
        let (mut quotes, mut backslashes) = (0, 0);
        for (part, lanes) in step.as_chunks::<LANES>().0.iter().enumerate() {
            let (some_quotes, some_backslashes) = masks(lanes);
            quotes |= u64::from(some_quotes) << (part * LANES);
            backslashes |= u64::from(some_backslashes) << (part * LANES);
        }
        let ends = quotes & !escapes.escaped(backslashes);
        if ends != 0 {
            return Some(at + ends.trailing_zeros() as usize);
        }
        at += STEP;
    }
    let mut is_escaped = escapes.first_is_escaped;
    for (byte, at) in rest.get(at..)?.iter().zip(at..) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'"' => return Some(at),
            b'\\' => is_escaped = true,
            _ => {}
        }
    }
    None
}

/// How far the next bracket or `"` is.
pub(super) fn next_structural(rest: &[u8]) -> Option<usize> {
    let (chunks, end) = rest.as_chunks::<LANES>();
    for (chunk, at) in chunks.iter().zip((0..).step_by(LANES)) {
        let bytes = u8x16::new(*chunk);
        // `[` and `{`, and `]` and `}`, differ in one bit.
        let folded = bytes | u8x16::new([0x20; LANES]);
        let is = |bytes: u8x16, byte: u8| bytes.simd_eq(u8x16::new([byte; LANES]));
        let found = (is(folded, b'{') | is(folded, b'}') | is(bytes, b'"')).to_bitmask();
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize);
        }
    }
    let at = end.iter().position(|byte| b"[]{}\"".contains(byte))?;
    Some(rest.len() - end.len() + at)
}

fn masks(lanes: &[u8; LANES]) -> (u32, u32) {
    let bytes = u8x16::new(*lanes);
    let mask = |byte: u8| bytes.simd_eq(u8x16::new([byte; LANES])).to_bitmask();
    (mask(b'"'), mask(b'\\'))
}

/// Which bytes stand behind a backslash that is itself not escaped: for a run of backslashes, every second one and, if the run is odd, what follows it.
///
/// Bit by bit that is a loop; adding the first bit of a run to the run carries to its end, and so tells all at once whether that is even or odd (Langdale and Lemire,
/// "Parsing gigabytes of JSON per second", 2019, §3.1.1).
#[derive(Debug, Default)]
struct Escapes {
    first_is_escaped: bool,
}

impl Escapes {
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let carried = u64::from(self.first_is_escaped);
        if backslashes == 0 {
            self.first_is_escaped = false;
            return carried;
        }
        let backslashes = backslashes & !carried;
        let followers = backslashes << 1 | carried;
        let odd_starts = backslashes & !EVEN & !followers;
        let (runs_from_odd, overflow) = odd_starts.overflowing_add(backslashes);
        self.first_is_escaped = overflow;
        (EVEN ^ (runs_from_odd << 1)) & followers
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_next_bracket_or_quote_is_found(text in r#"[ -~\x00]{0,60}|[a-z]{0,60}[\[\]{}"]"#) {
            let expected = text.bytes().position(|byte| b"[]{}\"".contains(&byte));
            prop_assert_eq!(next_structural(text.as_bytes()), expected);
        }

        #[test]
        fn a_string_ends_at_the_first_quote_that_is_not_escaped(text in r#"[a"\\]{0,40}|[a-z\\]{0,300}"?|([a-z]{0,30}(\\){0,9}"?){0,20}"#) {
            let mut is_escaped = false;
            let expected = text.bytes().position(|byte| {
                let ends = byte == b'"' && !is_escaped;
                is_escaped = byte == b'\\' && !is_escaped;
                ends
            });
            prop_assert_eq!(string_length(text.as_bytes()), expected);
        }
    }
}
