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

/// Bytes before those that are looked at, and behind them, that tell what stands there.
pub(super) const BEFORE: usize = 2;
const BEHIND: usize = 3;
/// Those, with the bytes that are looked at.
pub(super) const WINDOW: usize = BEFORE + STEP + BEHIND;

/// What some bytes have.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) line_ends: u64,
    /// Behind the last two bytes of the literal, first digits of a wanted status.
    pub(super) wanted: u64,
    /// There, first digits of three that are no wanted status and stand before the first byte of the literal that follows.
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

/// What a screen looks for, in registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eye<'s, S: Simd> {
    line_end: u8x64<S>,
    last: u8x64<S>,
    before_last: Option<u8x64<S>>,
    digits: Run<S>,
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
    #[expect(clippy::inline_always, reason = "only what is inlined is compiled for the processor's level")]
    #[inline(always)]
    fn new(simd: S, (start, count): (u8, u8)) -> Self {
        Self { start: u8x64::splat(simd, start), count: u8x64::splat(simd, count) }
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn among(self, bytes: u8x64<S>) -> u64 {
        self.has(self.distances(bytes))
    }

    /// How far `bytes` are behind the first digit.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn distances(self, bytes: u8x64<S>) -> u8x64<S> {
        bytes - self.start
    }

    /// Which bytes so far behind the first digit are among them.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn has(self, distances: u8x64<S>) -> u64 {
        distances.simd_lt(self.count).to_bitmask()
    }
}

/// Which of `bytes` are this one. What is found is put together as bits of one number: of masks that are put together in their registers, and of a difference that is compared twice, the compiler makes something ten times slower for some processors.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn is<S: Simd>(bytes: u8x64<S>, byte: u8x64<S>) -> u64 {
    bytes.simd_eq(byte).to_bitmask()
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
            digits: Run::new(simd, (b'0', 10)),
            wanted: Run::new(simd, *wanted),
            more_wanted,
            after: screen.after.first().map(|&byte| splat(byte)),
        }
    }

    /// Whether there is one of everything, as with most formats: then nothing of that need be asked again at each step.
    pub(super) fn is_usual(&self) -> bool {
        self.before_last.is_some() && self.after.is_some() && self.more_wanted.is_empty()
    }

    /// The places of the bytes in the middle of `window`; `USUAL` if [`Eye::is_usual`].
    ///
    /// What stands before and behind each of them is read anew, a byte off: cheaper than to carry it over from one to the next, bit by bit.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn places<const USUAL: bool>(&self, window: &[u8; WINDOW]) -> Places {
        let first = self.bytes::<BEFORE>(window);
        // Of several bytes that are compared, the differences are put together, and compared once.
        let mut differs = self.bytes::<{ BEFORE - 1 }>(window) ^ self.last;
        if USUAL || self.before_last.is_some() {
            differs |= self.bytes::<{ BEFORE - 2 }>(window) ^ self.before_last.unwrap_or(self.last);
        }
        let literal = is(differs, u8x64::splat(self.line_end.token(), 0));
        let mut wanted = self.wanted.among(first);
        if !USUAL {
            for &run in self.more_wanted {
                wanted |= Run::new(self.line_end.token(), run).among(first);
            }
        }
        let second = self.digits.distances(self.bytes::<{ BEFORE + 1 }>(window));
        let third = self.digits.distances(self.bytes::<{ BEFORE + 2 }>(window));
        let furthest = self.digits.distances(first).max(second).max(third);
        let mut unwanted = literal & self.digits.has(furthest) & !wanted;
        if USUAL || self.after.is_some() {
            unwanted &= is(self.bytes::<{ BEFORE + 3 }>(window), self.after.unwrap_or(self.last));
        }
        Places { line_ends: is(first, self.line_end), wanted: literal & wanted, unwanted }
    }

    /// The bytes that stand so far behind the beginning of `window`.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn bytes<const OFF: usize>(&self, window: &[u8; WINDOW]) -> u8x64<S> {
        u8x64::from_slice(self.line_end.token(), &window[OFF..OFF + STEP])
    }
}
