//! Where strings of JSON end, and where they begin.

use fearless_simd::{Simd, prelude::*, u8x64};

pub(super) const STEP: usize = 64;

/// The quotes and brackets of a text, found 64 bytes at a time, which hold several of the short strings of a record.
pub(super) struct Marks<'a, S: Simd> {
    simd: S,
    bytes: &'a [u8],
    /// Where the bytes that the masks are of begin; behind them nothing has been looked at.
    start: usize,
    quotes: u64,
    backslashes: u64,
    brackets: u64,
    escapes: Escapes,
}

impl<'a, S: Simd> Marks<'a, S> {
    #[expect(clippy::inline_always, reason = "only what is inlined is compiled for the processor's level")]
    #[inline(always)]
    pub(super) fn new(simd: S, bytes: &'a [u8]) -> Self {
        let mut marks = Self {
            simd,
            bytes,
            start: 0,
            quotes: 0,
            backslashes: 0,
            brackets: 0,
            escapes: Escapes::default(),
        };
        marks.look();
        marks
    }

    /// The next `"` at or behind `from` that is not escaped; outside of strings, JSON has no backslashes.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn quote(&mut self, from: usize) -> Option<usize> {
        let mut here = self.step_with(from)?;
        while self.quotes & here == 0 {
            here = self.step_with(self.start + STEP)?;
        }
        Some(self.start + (self.quotes & here).trailing_zeros() as usize)
    }

    /// The bytes from `from` to the quote at `end`, where [`Marks::quote`] has just found it, if there is no backslash among them.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn plain(&self, from: usize, end: usize) -> Option<&'a [u8]> {
        let before = match from.checked_sub(self.start) {
            Some(skipped) => self.backslashes & (u64::MAX << skipped),
            None if self.bytes[from..self.start].contains(&b'\\') => return None,
            None => self.backslashes,
        };
        let is_plain = before & !(u64::MAX << (end - self.start)) == 0;
        is_plain.then(|| &self.bytes[from..end])
    }

    /// Behind the object or array that begins at `from`. Only brackets are counted: whether it is well formed is for whoever decodes it.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn behind_nested(&mut self, from: usize) -> Option<usize> {
        let (mut depth, mut string_goes_on) = (0_usize, false);
        let mut here = self.step_with(from)?;
        loop {
            let quotes = self.quotes & here;
            let strings = between(quotes) ^ if string_goes_on { u64::MAX } else { 0 };
            let mut brackets = self.brackets & here & !strings;
            while brackets != 0 {
                let at = self.start + brackets.trailing_zeros() as usize;
                match self.bytes[at] {
                    b'{' | b'[' => depth += 1,
                    _ => depth -= 1,
                }
                if depth == 0 {
                    return Some(at + 1);
                }
                brackets &= brackets - 1;
            }
            string_goes_on = strings >> (STEP - 1) == 1;
            here = self.step_with(self.start + STEP)?;
        }
    }

    /// Looks at the bytes around `at`; those of them at or behind it. What is asked for never lies before what was asked for last.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn step_with(&mut self, at: usize) -> Option<u64> {
        while at - self.start >= STEP {
            if self.bytes.len() - self.start <= STEP {
                return None;
            }
            self.start += STEP;
            self.look();
        }
        Some(u64::MAX << (at - self.start))
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
        self.backslashes = is(bytes, b'\\').to_bitmask();
        self.quotes = is(bytes, b'"').to_bitmask() & !self.escapes.escaped(self.backslashes);
    }
}

/// From each first of two quotes up to before the second: each bit is set if those up to it are odd in number.
#[inline]
fn between(quotes: u64) -> u64 {
    [1, 2, 4, 8, 16, 32].iter().fold(quotes, |odd, shift| odd ^ odd << shift)
}

/// Which bytes stand behind a backslash that is itself not escaped: for a run of backslashes, every second one and, if the run is odd, what follows it.
///
/// Bit by bit that is a loop; adding the first bit of a run to the run carries to its end, and so tells all at once whether that is even or odd (Langdale and Lemire,
/// "Parsing gigabytes of JSON per second", 2019, §3.1.1).
#[derive(Debug, Default)]
pub(super) struct Escapes {
    /// 1 if the first byte of what comes next is escaped.
    carried: u64,
}

impl Escapes {
    #[inline(always)]
    pub(super) fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let followers = backslashes << 1 | self.carried;
        // Hardly ever do two stand together.
        if backslashes & followers == 0 {
            self.carried = backslashes >> (STEP - 1);
            return followers;
        }
        let backslashes = backslashes & !self.carried;
        let followers = backslashes << 1 | self.carried;
        let odd_starts = backslashes & !EVEN & !followers;
        let (runs_from_odd, overflow) = odd_starts.overflowing_add(backslashes);
        self.carried = overflow.into();
        (EVEN ^ (runs_from_odd << 1)) & followers
    }
}

#[cfg(test)]
mod tests {
    use bstr::BStr;
    use fearless_simd::{Level, dispatch};
    use proptest::prelude::*;

    use super::*;
    use crate::levels::levels;

    /// All quotes that are not escaped, and what stands behind each object and array.
    fn marks(level: Level, text: &[u8]) -> (Vec<usize>, Vec<Option<usize>>) {
        dispatch!(level, simd => {
            let mut quotes = Marks::new(simd, text);
            let mut is_plain = true;
            let quotes = std::iter::successors(quotes.quote(0), |&at| {
                let next = quotes.quote(at + 1)?;
                is_plain &= quotes.plain(at + 1, next) == Some(&text[at + 1..next]).filter(|text| !text.contains(&b'\\'));
                Some(next)
            });
            let quotes = quotes.collect();
            assert!(is_plain, "{}", BStr::new(text));
            let openings = (0..text.len()).filter(|&at| matches!(text[at], b'{' | b'['));
            (quotes, openings.map(|at| Marks::new(simd, &text[at..]).behind_nested(0)).collect())
        })
    }

    /// The length of the object or array that `text` begins with.
    fn nested(text: &[u8]) -> Option<usize> {
        let (mut depth, mut in_string, mut is_escaped) = (0, false, false);
        for (&byte, at) in text.iter().zip(1..) {
            in_string ^= byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            match byte {
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(at);
            }
        }
        None
    }

    proptest! {
        #[test]
        fn each_level_finds_what_a_loop_finds(text in r#"[ -~\x00]{0,60}|[a"\\\[{}\]]{0,300}|([a-z]{0,30}(\\){0,9}["{]?){0,20}"#) {
            let text = text.as_bytes();
            let is_quote = |at: &usize| {
                let backslashes = text[..*at].iter().rev().take_while(|&&byte| byte == b'\\').count();
                text[*at] == b'"' && backslashes % 2 == 0
            };
            let quotes: Vec<usize> = (0..text.len()).filter(is_quote).collect();
            let openings = (0..text.len()).filter(|&at| matches!(text[at], b'{' | b'['));
            let nested: Vec<_> = openings.map(|at| nested(&text[at..])).collect();
            for level in levels() {
                prop_assert_eq!(marks(level, text), (quotes.clone(), nested.clone()));
            }
        }
    }
}
