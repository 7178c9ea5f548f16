//! Where in a line the bytes stand that end its fields: found once for all of them, 64 bytes at a time.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

use crate::escape::bare_quote;

/// Bytes that are looked at together.
const STEP: usize = 64;

/// The marks of a line, a bit for each byte of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    /// As many as the longest line has needed.
    steps: Vec<Step>,
    /// How many of them are the line's.
    used: usize,
    has_backslash: bool,
}

/// The marks of the bytes that are looked at together.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    quotes: u64,
    /// Spaces, and all below them.
    blanks: u64,
}

impl Step {
    /// The marks of `step`; its backslashes are added to `backslashes`.
    #[expect(clippy::inline_always, reason = "only what is inlined is compiled for the processor's level")]
    #[inline(always)]
    fn of<S: Simd>(simd: S, step: &[u8; STEP], backslashes: &mut u64) -> Self {
        let bytes = u8x64::from_slice(simd, step);
        *backslashes |= bytes.simd_eq(u8x64::splat(simd, b'\\')).to_bitmask();
        Self {
            quotes: bytes.simd_eq(u8x64::splat(simd, b'"')).to_bitmask(),
            blanks: bytes.simd_le(u8x64::splat(simd, b' ')).to_bitmask(),
        }
    }
}

impl Marks {
    /// Looks at `line`.
    pub(crate) fn set(&mut self, line: &[u8]) {
        self.set_at(Level::new(), line);
    }

    /// The same with what processors of a level can.
    fn set_at(&mut self, level: Level, line: &[u8]) {
        dispatch!(level, simd => self.set_with(simd, line));
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn set_with<S: Simd>(&mut self, simd: S, line: &[u8]) {
        let (steps, rest) = line.as_chunks::<STEP>();
        // Behind the line nothing stands that is marked.
        let mut padded = [b'x'; STEP];
        let (last, before) = if let Some(last) = line.last_chunk() {
            (last, STEP - rest.len())
        } else {
            padded[..rest.len()].copy_from_slice(rest);
            (&padded, 0)
        };
        self.used = steps.len() + 1;
        if self.steps.len() < self.used {
            self.steps.resize(self.used, Step::default());
        }
        let mut backslashes = 0;
        for (marks, step) in self.steps.iter_mut().zip(steps) {
            *marks = Step::of(simd, step, &mut backslashes);
        }
        // What stands before the rest in the last step has been marked.
        let Step { quotes, blanks } = Step::of(simd, last, &mut backslashes);
        let behind = |marks: u64| if rest.is_empty() { 0 } else { marks >> before };
        self.steps[steps.len()] = Step { quotes: behind(quotes), blanks: behind(blanks) };
        self.has_backslash = backslashes != 0;
    }

    /// Whether a backslash stands anywhere in the line.
    pub(crate) fn has_backslash(&self) -> bool {
        self.has_backslash
    }

    /// Where the first `"` stands in `line`, from `from` on.
    #[inline]
    pub(crate) fn quote(&self, from: usize) -> Option<usize> {
        self.next(from, |step| step.quotes)
    }

    /// Where the first `"` stands that is not the second of a pair that begins with a backslash, in the `line` that was looked at.
    pub(crate) fn bare_quote(&self, line: &[u8], from: usize) -> Option<usize> {
        if self.has_backslash { bare_quote(line, from) } else { self.quote(from) }
    }

    /// Where the first byte up to the space stands, from `from` on.
    #[inline]
    pub(crate) fn blank(&self, from: usize) -> Option<usize> {
        self.next(from, |step| step.blanks)
    }

    /// Where the first byte stands that is marked at all, from `from` on.
    #[inline]
    pub(crate) fn any(&self, from: usize) -> Option<usize> {
        self.next(from, |step| step.blanks | step.quotes)
    }

    /// The first bit of `marks` that is set, from `from` on.
    #[inline]
    fn next(&self, from: usize, marks: impl Fn(&Step) -> u64) -> Option<usize> {
        let steps = self.steps.get(..self.used)?;
        let mut index = from / STEP;
        let mut word = marks(steps.get(index)?) & (u64::MAX << (from % STEP));
        while word == 0 {
            index += 1;
            word = marks(steps.get(index)?);
        }
        Some(index * STEP + word.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::levels::levels;

    proptest! {
        #[test]
        fn at_each_level_bytes_are_marked_where_they_stand(
            line in prop::collection::vec(prop_oneof![3 => Just(b'a'), 2 => prop::sample::select(b" \"\\\t!\xff\0".to_vec())], 0..200),
            before in "[ \"\\\\]{0,80}",
        ) {
            for level in levels() {
                let mut marks = Marks::default();
                // What another line has left there is gone.
                marks.set_at(level, before.as_bytes());
                marks.set_at(level, &line);
                let next = |from: usize, is: fn(u8) -> bool| (from..line.len()).find(|&at| is(line[at]));
                for from in 0..=line.len() + 70 {
                    prop_assert_eq!(marks.quote(from), next(from, |byte| byte == b'"'));
                    prop_assert_eq!(marks.blank(from), next(from, |byte| byte <= b' '));
                    prop_assert_eq!(marks.any(from), next(from, |byte| byte <= b' ' || byte == b'"'));
                    prop_assert_eq!(marks.bare_quote(&line, from), bare_quote(&line, from));
                }
                prop_assert_eq!(marks.has_backslash(), line.contains(&b'\\'));
            }
        }
    }
}
