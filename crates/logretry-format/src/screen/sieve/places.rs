//! Where in 64 bytes lines end, and where statuses stand: masks with a bit for each byte.

use fearless_simd::{Simd, prelude::*, u8x64};
use logretry_record::StatusSet;

use super::Screen;

/// Bytes that are looked at together.
pub(super) const STEP: usize = 64;

/// Which digits a wanted status begins with.
#[derive(Debug, Clone)]
pub(in crate::screen) struct Wanted {
    /// Runs of such digits: the first, and how many.
    runs: Box<[(u8, u8)]>,
}

impl Wanted {
    pub(in crate::screen) fn new(wanted: &StatusSet) -> Self {
        let mut runs: Vec<(u8, u8)> = Vec::new();
        for (digit, first) in (b'0'..=b'9').zip((0_u16..).step_by(100)) {
            if !(first..first + 100).any(|status| wanted.contains(status)) {
                continue;
            }
            match runs.last_mut() {
                Some((start, count)) if *start + *count == digit => *count += 1,
                _ => runs.push((digit, 1)),
            }
        }
        Self { runs: runs.into() }
    }

    pub(in crate::screen) fn contains(&self, digit: u8) -> bool {
        self.runs.iter().any(|&(start, count)| digit.wrapping_sub(start) < count)
    }
}

/// What some bytes have.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) line_ends: u64,
    /// Behind the last two bytes of the literal, first digits of a wanted status.
    pub(super) wanted: u64,
    /// Behind such bytes and three digits that are no wanted status, first bytes of the literal that follows; the third digits, if none does.
    pub(super) unwanted: u64,
}

impl Places {
    /// Leaves out the statuses that `is_one` is false for; it is told where, and whether it is a wanted one.
    pub(super) fn retain(&mut self, is_one: impl Fn(usize, bool) -> bool) {
        for (places, is_wanted) in [(&mut self.wanted, true), (&mut self.unwanted, false)] {
            let mut left = *places;
            while left != 0 {
                if !is_one(left.trailing_zeros() as usize, is_wanted) {
                    *places ^= left & left.wrapping_neg();
                }
                left &= left - 1;
            }
        }
    }
}

/// What the bytes before have, of what reaches into these.
#[derive(Debug, Default)]
pub(super) struct Behind {
    before_last: Last,
    literal: Last,
    digits: [Last; 3],
}

/// Whether the last byte has something.
#[derive(Debug, Default)]
struct Last(u64);

impl Last {
    /// The bytes behind those of `mask`.
    #[expect(clippy::inline_always, reason = "only what is inlined is compiled for the processor's level")]
    #[inline(always)]
    fn behind(&mut self, mask: u64) -> u64 {
        let behind = mask << 1 | self.0;
        self.0 = mask >> 63;
        behind
    }
}

/// What a screen looks for, in registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eye<'s, S: Simd> {
    line_end: u8x64<S>,
    last: u8x64<S>,
    before_last: Option<u8x64<S>>,
    zero: u8x64<S>,
    ten: u8x64<S>,
    wanted: Run<S>,
    more_wanted: &'s [(u8, u8)],
    after: Option<u8x64<S>>,
}

/// A run of digits.
#[derive(Debug, Clone, Copy)]
struct Run<S: Simd> {
    start: u8x64<S>,
    count: u8x64<S>,
}

impl<S: Simd> Run<S> {
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn new(simd: S, (start, count): (u8, u8)) -> Self {
        Self { start: u8x64::splat(simd, start), count: u8x64::splat(simd, count) }
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn among(self, bytes: u8x64<S>) -> u64 {
        (bytes - self.start).simd_lt(self.count).to_bitmask()
    }
}

impl<'s, S: Simd> Eye<'s, S> {
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn new(simd: S, screen: &'s Screen) -> Self {
        let splat = |byte| u8x64::splat(simd, byte);
        let (wanted, more_wanted) = screen.wanted_first.runs.split_first().unwrap_or((&(0, 0), &[]));
        Self {
            line_end: splat(b'\n'),
            last: splat(screen.last),
            before_last: screen.before_last.map(splat),
            zero: splat(b'0'),
            ten: splat(10),
            wanted: Run::new(simd, *wanted),
            more_wanted,
            after: screen.after.first().map(|&byte| splat(byte)),
        }
    }

    /// The places of `step`, behind the bytes that `behind` is of.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn places(&self, step: &[u8; STEP], behind: &mut Behind) -> Places {
        let simd = self.line_end.token();
        let bytes = u8x64::from_slice(simd, step);
        let is = |byte: u8x64<S>| bytes.simd_eq(byte).to_bitmask();
        let mut literal = is(self.last);
        if let Some(byte) = self.before_last {
            literal &= behind.before_last.behind(is(byte));
        }
        let digits = Run { start: self.zero, count: self.ten }.among(bytes);
        let mut wanted = self.wanted.among(bytes);
        for &run in self.more_wanted {
            wanted |= Run::new(simd, run).among(bytes);
        }
        let [first, second, third] = &mut behind.digits;
        let begins = behind.literal.behind(literal) & digits;
        let two = first.behind(begins & !wanted) & digits;
        let three = second.behind(two) & digits;
        let unwanted = match self.after {
            Some(byte) => third.behind(three) & is(byte),
            None => three,
        };
        Places { line_ends: is(self.line_end), wanted: begins & wanted, unwanted }
    }
}
