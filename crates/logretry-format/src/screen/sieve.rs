//! Many lines at once: where they end, and which statuses stand in them, is found 64 bytes at a time, with the widest registers that the processor has.

mod places;

use std::ops::Range;

use fearless_simd::{Level, Simd, dispatch};

use super::Screen;
pub(super) use places::Wanted;
use places::{Behind, Eye, STEP};

/// What is known of the line that is being read.
#[derive(Debug, Default)]
struct Seen {
    wanted: u64,
    unwanted: u64,
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
        let eye = Eye::new(simd, self);
        let (steps, rest) = block.as_chunks::<STEP>();
        // Behind the last line NUL bytes do no harm: nothing there belongs to a line.
        let mut last = [0; STEP];
        last[..rest.len()].copy_from_slice(rest);
        let (mut behind, mut seen) = (Behind::default(), Seen::default());
        let (mut from, mut line_start, mut lines) = (0, 0, 0);
        for steps in [steps, &[last]] {
            for step in steps {
                let mut places = eye.places(step, &mut behind);
                if !self.is_short && places.wanted | places.unwanted != 0 {
                    places.retain(|at, is_wanted| self.is_around(block, from + at, is_wanted));
                }
                let ends = places.line_ends;
                let unwanted = ends_behind(ends, places.unwanted, &mut seen.unwanted);
                let wanted = ends_behind(ends, places.wanted, &mut seen.wanted);
                let shown = ends & (!unwanted | wanted);
                if shown != 0
                    && let Some(before) = show(shown, ends, from, line_start, lines, maybe)
                {
                    return before;
                }
                lines += u64::from(ends.count_ones());
                line_start = start_behind(ends, from).unwrap_or(line_start);
                from += STEP;
            }
        }
        lines
    }

    /// Whether the literals stand around a status of which so much is known: at `at`, its first digit if that is wanted, or else what [`Places::unwanted`](places::Places) says.
    fn is_around(&self, block: &[u8], at: usize, is_wanted: bool) -> bool {
        if is_wanted {
            return block[..at].ends_with(self.before.needle());
        }
        let behind = at + usize::from(self.after.is_empty());
        block[..behind - 3].ends_with(self.before.needle()) && block[behind..].starts_with(&self.after)
    }
}

/// Shows the lines that end at `shown`; how many stand before the one that ended it.
#[cold]
fn show(
    mut shown: u64,
    ends: u64,
    from: usize,
    line_start: usize,
    lines: u64,
    maybe: &mut dyn FnMut(Range<usize>, u64) -> bool,
) -> Option<u64> {
    while shown != 0 {
        let at = shown.trailing_zeros();
        let ends_before = ends & !(u64::MAX << at);
        let start = start_behind(ends_before, from).unwrap_or(line_start);
        let before = lines + u64::from(ends_before.count_ones());
        if !maybe(start..from + at as usize, before) {
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

/// Where the line behind the last of `ends` starts.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn start_behind(ends: u64, from: usize) -> Option<usize> {
    (ends != 0).then(|| from + STEP - ends.leading_zeros() as usize)
}

#[cfg(test)]
mod tests;
