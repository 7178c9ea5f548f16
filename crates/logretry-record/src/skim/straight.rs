//! The straight way to the status of a record that is spelled as our own encoder spells it: its members in their order, and no space between them.
//!
//! Nearly every record is. Only the ends of its strings have to be found; what stands between them is known. Where another byte stands, nothing is said, and the walk
//! over all members begins anew: so this changes speed, and never what is found.

use std::slice;

use fearless_simd::{Simd, prelude::*, u8x32, u8x64};

use super::Glance;
use super::strings::{Escapes, STEP};
use crate::RECORD_BYTES_MAX;

#[cfg(test)]
mod tests;

/// Where the source begins, behind an id of 32 digits. That is more than a step from the beginning, so that the first step begins before it.
const SOURCE_AT: usize = 67;

/// What the walk finds, if the record is spelled so up to its status, and has a time.
#[expect(clippy::inline_always, reason = "only what is inlined is compiled for the processor's level")]
#[inline(always)]
pub(super) fn glance<S: Simd>(simd: S, line: &[u8]) -> Option<Glance<'_>> {
    let mut way = Way::new(simd, line)?;
    way.string()?;
    way.literal(br#","line":"#)?;
    way.number()?;
    way.literal(br#","offset":"#)?;
    way.number()?;
    way.literal(br#","format":""#)?;
    way.string()?;
    way.literal(br#","text":""#)?;
    way.string()?;
    way.literal(br#"},"original":{"time":""#)?;
    // Where there is none, the walk looks for one behind the status too.
    let time = way.time()?;
    way.string_if_behind(br#","method":""#)?;
    way.string_if_behind(br#","target":""#)?;
    way.string_if_behind(br#","host":""#)?;
    way.string_if_behind(br#","scheme":""#)?;
    way.literal(br#","status":"#)?;
    let &[hundreds, tens, ones, b',' | b'}'] = way.next()? else { return None };
    let [hundreds, tens, ones] = [hundreds, tens, ones].map(|digit| u16::from(digit.wrapping_sub(b'0')));
    let is_number = hundreds < 10 && tens < 10 && ones < 10;
    is_number.then(|| Glance { status: Some(hundreds * 100 + tens * 10 + ones), time: Some(time) })
}

/// A place on the way, and the quotes near it.
struct Way<'a, S: Simd> {
    simd: S,
    line: &'a [u8],
    at: usize,
    /// What has not been looked at. The last step ends with the line, so that there is no rest. What lies before the first one has no backslash.
    steps: slice::Iter<'a, [u8; STEP]>,
    /// Where the step begins that has been looked at last. In 32 bits, for so compilers see that no place near it overflows.
    start: u32,
    /// The quotes in it that are not escaped.
    quotes: u64,
    escapes: Escapes,
}

impl<'a, S: Simd> Way<'a, S> {
    /// The way on from where the source begins.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn new(simd: S, line: &'a [u8]) -> Option<Self> {
        let head = line.first_chunk::<SOURCE_AT>().filter(|_| line.len() <= RECORD_BYTES_MAX)?;
        let id = u8x32::from_slice(simd, &head[13..45]);
        let ends = id.simd_eq(u8x32::splat(simd, b'"')) | id.simd_eq(u8x32::splat(simd, b'\\'));
        let is_spelled_so = head[..13] == *br#"{"v":1,"id":""#
            && ends.all_false()
            && head[45..] == *br#"","origin":{"source":""#;
        if !is_spelled_so {
            return None;
        }
        let (before, steps) = line.as_rchunks();
        let mut way = Self {
            simd,
            line,
            at: SOURCE_AT,
            steps: steps.iter(),
            start: u32::try_from(before.len()).ok()?,
            quotes: 0,
            escapes: Escapes::default(),
        };
        way.look()?;
        Some(way)
    }

    /// Goes on to behind `literal`.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn literal<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        (self.next()? == literal).then(|| self.at += N)
    }

    /// Goes on to behind the string that it is in.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn string(&mut self) -> Option<()> {
        while self.at - self.start as usize >= STEP {
            self.step_on()?;
        }
        let mut quotes = self.quotes & u64::MAX << (self.at - self.start as usize);
        while quotes == 0 {
            self.step_on()?;
            quotes = self.quotes;
        }
        self.at = self.start as usize + quotes.trailing_zeros() as usize + 1;
        Some(())
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn string_if_behind<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        if self.literal(literal).is_some() { self.string() } else { Some(()) }
    }

    /// The same, where the string has no escapes and 32 bytes at most, as times have; what stands in it.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn time(&mut self) -> Option<&'a [u8]> {
        let from = self.at;
        let next = u8x32::from_slice(self.simd, self.next::<32>()?);
        let backslashes = next.simd_eq(u8x32::splat(self.simd, b'\\')).to_bitmask();
        self.string()?;
        let time = self.line.get(from..self.at - 1)?;
        // Behind the 32 bytes nobody has looked.
        let plain = (backslashes | 1 << 32).trailing_zeros();
        (plain as usize >= time.len()).then_some(time)
    }

    /// Goes on to behind a number, which another member follows.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn number(&mut self) -> Option<()> {
        let from = self.at;
        let next = u8x32::from_slice(self.simd, self.next::<32>()?);
        let is_digit = (next - u8x32::splat(self.simd, b'0')).simd_lt(u8x32::splat(self.simd, 10));
        // It ends before the comma and the quote of that member. To find those first needs no waiting for the digits to be counted.
        self.string()?;
        self.at -= 2;
        let digits = is_digit.to_bitmask().trailing_ones() as usize;
        (digits > 0 && from + digits == self.at).then_some(())
    }

    /// The next `N` bytes.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn next<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.line.get(self.at..self.at + N)?.first_chunk()
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn step_on(&mut self) -> Option<()> {
        self.start += u64::BITS;
        self.look()
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn look(&mut self) -> Option<()> {
        let step = u8x64::from_slice(self.simd, self.steps.next()?);
        let backslashes = step.simd_eq(u8x64::splat(self.simd, b'\\')).to_bitmask();
        let quotes = step.simd_eq(u8x64::splat(self.simd, b'"')).to_bitmask();
        self.quotes = quotes & !self.escapes.escaped(backslashes);
        Some(())
    }
}
