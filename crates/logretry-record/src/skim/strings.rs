//! Where strings of JSON end, and where they begin.

use fearless_simd::{Simd, prelude::*, u8x64};

const STEP: usize = 64;

/// The quotes and brackets of a text, found 64 bytes at a time, which hold several of the short strings of a record.
pub(super) struct Marks<'a, S: Simd> {
    simd: S,
    bytes: &'a [u8],
    /// Where the bytes that the masks are of begin; behind them nothing has been looked at.
    start: usize,
    quotes: u64,
    brackets: u64,
    escapes: Escapes,
}

impl<'a, S: Simd> Marks<'a, S> {
    #[expect(clippy::inline_always, reason = "only what is inlined is compiled for the processor's level")]
    #[inline(always)]
    pub(super) fn new(simd: S, bytes: &'a [u8]) -> Self {
        let mut marks = Self { simd, bytes, start: 0, quotes: 0, brackets: 0, escapes: Escapes::default() };
        marks.look();
        marks
    }

    /// The next `"` at or behind `from` that is not escaped; outside of strings, JSON has no backslashes.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn quote(&mut self, from: usize) -> Option<usize> {
        self.next(from, |marks| marks.quotes)
    }

    /// The next bracket or such a `"` at or behind `from`.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn structural(&mut self, from: usize) -> Option<usize> {
        self.next(from, |marks| marks.quotes | marks.brackets)
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn next(&mut self, mut from: usize, mask: impl Fn(&Self) -> u64) -> Option<usize> {
        loop {
            // What is asked for never lies before what was asked for last.
            let skipped = from - self.start;
            if skipped < STEP {
                let found = mask(self) & (u64::MAX << skipped);
                if found != 0 {
                    return Some(self.start + found.trailing_zeros() as usize);
                }
                from = self.start + STEP;
            }
            self.start += STEP;
            if self.start >= self.bytes.len() {
                self.start -= STEP;
                return None;
            }
            self.look();
        }
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn look(&mut self) {
        let rest = &self.bytes[self.start..];
        let bytes = if let Some(step) = rest.first_chunk::<STEP>() {
            u8x64::from_slice(self.simd, step)
        } else {
            let mut last = [0; STEP];
            last[..rest.len()].copy_from_slice(rest);
            u8x64::from_slice(self.simd, &last)
        };
        let is = |bytes: u8x64<S>, byte| bytes.simd_eq(u8x64::splat(self.simd, byte));
        // `[` and `{`, and `]` and `}`, differ in one bit.
        let folded = bytes | u8x64::splat(self.simd, 0x20);
        self.brackets = (is(folded, b'{') | is(folded, b'}')).to_bitmask();
        self.quotes = is(bytes, b'"').to_bitmask();
        self.quotes &= !self.escapes.escaped(is(bytes, b'\\').to_bitmask());
    }
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
    #[inline(always)]
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
    use fearless_simd::{Level, dispatch};
    use proptest::prelude::*;

    use super::*;
    use crate::levels::levels;

    /// All quotes that are not escaped, and with brackets.
    fn marks(level: Level, text: &[u8]) -> [Vec<usize>; 2] {
        dispatch!(level, simd => {
            let (mut quotes, mut structurals) = (Marks::new(simd, text), Marks::new(simd, text));
            let each = |next: &mut dyn FnMut(usize) -> Option<usize>| {
                std::iter::successors(next(0), |at| next(at + 1)).collect()
            };
            [each(&mut |from| quotes.quote(from)), each(&mut |from| structurals.structural(from))]
        })
    }

    proptest! {
        #[test]
        fn each_level_finds_what_a_loop_finds(text in r#"[ -~\x00]{0,60}|[a"\\\[{}\]]{0,300}|([a-z]{0,30}(\\){0,9}["{]?){0,20}"#) {
            let (mut quotes, mut structurals, mut is_escaped) = (Vec::new(), Vec::new(), false);
            for (byte, at) in text.bytes().zip(0..) {
                let is_quote = byte == b'"' && !is_escaped;
                is_escaped = byte == b'\\' && !is_escaped;
                if is_quote {
                    quotes.push(at);
                }
                if is_quote || b"[]{}".contains(&byte) {
                    structurals.push(at);
                }
            }
            for level in levels() {
                prop_assert_eq!(&marks(level, text.as_bytes()), &[quotes.clone(), structurals.clone()]);
            }
        }
    }
}
