//! Many lines at once: where they end, and which statuses stand in them, is found 64 bytes at a time, with the widest registers that the processor has.

mod places;

use std::ops::Range;

use fearless_simd::{Level, Simd, dispatch};
use memchr::memrchr;

use super::Screen;
pub(super) use places::Wanted;
use places::{BEFORE, Eye, STEP, WINDOW};

/// What is known of the line that is being read.
#[derive(Debug, Default)]
struct Seen {
    wanted: u64,
    unwanted: u64,
}

/// Line ends in some bytes: all of them, and those whose lines are to be shown.
#[derive(Debug, Default, Clone, Copy)]
struct Found {
    ends: u64,
    shown: u64,
}

impl Screen {
    /// Shows each line of `block` that it does not rule out to `maybe`, with its place in the block and how many lines stand before it there, until that says `false`.
    /// How many lines the block has, or how many stand before the one that ended it.
    ///
    /// It says what [`Screen::rules_out`] says of each line, faster. Each line ends with `\n`; what stands behind the last one is no line.
    ///
    /// ```
    /// use logretry_format::{Format, Screen};
    /// use logretry_record::StatusSet;
    ///
    /// let format = Format::compile("common")?;
    /// let screen = Screen::new(&format, &StatusSet::default()).expect("the status stands between literals");
    /// let line = |status| format!("203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /a HTTP/1.1\" {status} 157\n");
    /// let block = [line(200), line(502), line(404)].concat();
    /// let mut found = Vec::new();
    /// let lines = screen.sift(block.as_bytes(), |place, before| {
    ///     found.push((block[place].to_owned() + "\n", before));
    ///     true
    /// });
    /// assert_eq!((lines, found), (3, vec![(line(502), 1)]));
    /// # Ok::<(), logretry_format::SpecError>(())
    /// ```
    pub fn sift(&self, block: &[u8], mut maybe: impl FnMut(Range<usize>, u64) -> bool) -> u64 {
        self.sift_at(Level::new(), block, &mut maybe)
    }

    /// The same with what processors of a level can.
    fn sift_at(&self, level: Level, block: &[u8], maybe: &mut dyn FnMut(Range<usize>, u64) -> bool) -> u64 {
        dispatch!(level, simd => self.sift_with(simd, block, maybe))
    }

    #[expect(clippy::inline_always, reason = "only what is inlined is compiled for the processor's level")]
    #[inline(always)]
    fn sift_with<S: Simd>(
        &self,
        simd: S,
        block: &[u8],
        maybe: &mut dyn FnMut(Range<usize>, u64) -> bool,
    ) -> u64 {
        if self.is_short && Eye::new(simd, self).is_usual() {
            self.sift_by::<S, true>(simd, block, maybe)
        } else {
            self.sift_by::<S, false>(simd, block, maybe)
        }
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn sift_by<S: Simd, const USUAL: bool>(
        &self,
        simd: S,
        block: &[u8],
        maybe: &mut dyn FnMut(Range<usize>, u64) -> bool,
    ) -> u64 {
        let (mut seen, mut lines, mut from) = (Seen::default(), 0, 0);
        while from < block.len() {
            // Made here, and with no call in the loop behind it: then what is looked for stays in registers. What a call comes between goes to memory, and is read there at each step.
            let eye = Eye::new(simd, self);
            let mut found = Found::default();
            while let Some(window) =
                block.get(from.wrapping_sub(BEFORE)..).and_then(|rest| rest.first_chunk())
            {
                found = self.find::<S, USUAL>(eye, block, from, window, &mut seen);
                if found.shown != 0 {
                    break;
                }
                lines += u64::from(found.ends.count_ones());
                from += STEP;
            }
            if found.shown == 0 {
                found = self.find::<S, USUAL>(eye, block, from, &at_the_edge(block, from), &mut seen);
            }
            if found.shown != 0
                && let Some(before) = show(found, block, from, lines, maybe)
            {
                return before;
            }
            lines += u64::from(found.ends.count_ones());
            from += STEP;
        }
        lines
    }

    /// What is found in `window`, whose middle begins at `from` in `block`.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn find<S: Simd, const USUAL: bool>(
        &self,
        eye: Eye<'_, S>,
        block: &[u8],
        from: usize,
        window: &[u8; WINDOW],
        seen: &mut Seen,
    ) -> Found {
        let mut places = eye.places::<USUAL>(window);
        if !USUAL && !self.is_short && places.wanted | places.unwanted != 0 {
            places.retain(|at, is_wanted| self.is_around(block, from + at, is_wanted));
        }
        let ends = places.line_ends;
        let unwanted = ends_behind(ends, places.unwanted, &mut seen.unwanted);
        let wanted = ends_behind(ends, places.wanted, &mut seen.wanted);
        Found { shown: ends & (!unwanted | wanted), ends }
    }

    /// Whether the literals stand around the status that begins at `at`; if it is wanted, only the one before it has to.
    fn is_around(&self, block: &[u8], at: usize, is_wanted: bool) -> bool {
        block[..at].ends_with(self.before.needle()) && (is_wanted || block[at + 3..].starts_with(&self.after))
    }
}

/// What [`Eye::places`] is to look at where the block begins or ends: NUL bytes stand around it. Behind the last line they do no harm, for nothing there belongs to a line.
#[cold]
fn at_the_edge(block: &[u8], from: usize) -> [u8; WINDOW] {
    let mut window = [0; WINDOW];
    let start = from.saturating_sub(BEFORE);
    let there = &block[start..block.len().min(from + WINDOW - BEFORE)];
    window[start + BEFORE - from..][..there.len()].copy_from_slice(there);
    window
}

/// Shows the lines that are to be; how many stand before the one that ended it.
#[cold]
fn show(
    Found { ends, mut shown }: Found,
    block: &[u8],
    from: usize,
    lines: u64,
    maybe: &mut dyn FnMut(Range<usize>, u64) -> bool,
) -> Option<u64> {
    while shown != 0 {
        let at = shown.trailing_zeros();
        let end = from + at as usize;
        let start = memrchr(b'\n', &block[..end]).map_or(0, |found| found + 1);
        let before = lines + u64::from((ends & !(u64::MAX << at)).count_ones());
        if !maybe(start..end, before) {
            return Some(before);
        }
        shown &= shown - 1;
    }
    None
}

/// Those of `ends` that end a line with one of `marks`, which stand elsewhere; `carried` says whether the line that goes on from before has one, and then whether the one that goes on has.
///
/// Line by line that is a loop; adding the marks to the bits of a line, all set, carries to its end exactly if there are any.
#[expect(clippy::inline_always, reason = "as above")]
#[expect(clippy::cast_possible_truncation, reason = "the other half is carried")]
#[inline(always)]
fn ends_behind(ends: u64, marks: u64, carried: &mut u64) -> u64 {
    let sum = u128::from(!ends) + u128::from(marks) + u128::from(*carried);
    *carried = (sum >> 64) as u64;
    sum as u64 & ends
}

#[cfg(test)]
mod tests;
