//! Many lines at once: where line ends are, and where a status may stand, is found sixteen bytes at a time.

use std::ops::Range;

use wide::u8x16;

use super::Screen;

/// Bytes that are looked at together; one bit of a mask for each.
const STEP: usize = 64;
/// What a place takes at most: the end of the literal before the status, and its first digit.
const PLACE: usize = 3;

/// What is known of the line that is being read.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    wanted: bool,
    unwanted: bool,
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
        let (mut line_start, mut lines, mut seen) = (0, 0, Seen::default());
        let mut take = |places: u64, ends: u64, from: usize| {
            let mut events = places | ends;
            while events != 0 {
                let bit = events & events.wrapping_neg();
                let at = from + bit.trailing_zeros() as usize;
                events ^= bit;
                if ends & bit == 0 {
                    self.look(block, line_start, at + self.reach(), &mut seen);
                    continue;
                }
                let is_ruled_out = seen.unwanted && !seen.wanted;
                if !is_ruled_out && !maybe(line_start..at, lines) {
                    return false;
                }
                (line_start, lines, seen) = (at + 1, lines + 1, Seen::default());
            }
            true
        };
        let mut from = 0;
        // The last places reach beyond their step.
        while let Some(bytes) = block.get(from..from + STEP + PLACE - 1) {
            let (places, ends) = self.masks(bytes);
            if places | ends != 0 && !take(places, ends, from) {
                return lines;
            }
            from += STEP;
        }
        let mut rest = [0; STEP + PLACE - 1];
        while from < block.len() {
            let length = (block.len() - from).min(STEP);
            let with_more = (block.len() - from).min(rest.len());
            rest[..with_more].copy_from_slice(&block[from..from + with_more]);
            rest[with_more..].fill(0);
            let (places, ends) = self.masks(&rest);
            let within = u64::MAX >> (STEP - length);
            if !take(places & within, ends & within, from) {
                return lines;
            }
            from += STEP;
        }
        lines
    }

    /// Where in the first [`STEP`] of `bytes` the end of the literal stands with a digit behind it, and where lines end.
    #[inline]
    fn masks(&self, bytes: &[u8]) -> (u64, u64) {
        let splat = |byte: u8| u8x16::new([byte; 16]);
        let (line_end, zero, nine) = (splat(b'\n'), splat(b'0'), splat(9));
        let (last, before_last) = (splat(self.last), splat(self.before_last.unwrap_or_default()));
        let (mut places, mut ends) = (0, 0);
        for part in 0..STEP / 16 {
            let at = |offset: usize| load(bytes, part * 16 + offset);
            let here = at(0);
            let digit = at(self.reach()) - zero;
            let mut place = digit.min(nine).simd_eq(digit) & at(self.reach() - 1).simd_eq(last);
            if self.before_last.is_some() {
                place &= here.simd_eq(before_last);
            }
            places |= u64::from(place.to_bitmask()) << (part * 16);
            ends |= u64::from(here.simd_eq(line_end).to_bitmask()) << (part * 16);
        }
        (places, ends)
    }

    /// How many bytes of the literal are looked at.
    fn reach(&self) -> usize {
        1 + usize::from(self.before_last.is_some())
    }

    /// Notes what the digits at `at` say of the line that begins at `line_start`.
    fn look(&self, block: &[u8], line_start: usize, at: usize, seen: &mut Seen) {
        // The rest of the literal must stand there too, in the same line.
        let rest = self.before.needle();
        if rest.len() > self.reach() && !block[line_start.min(at)..at].ends_with(rest) {
            return;
        }
        let behind = &block[at..];
        seen.wanted |= self.wanted_first[usize::from(behind[0] - b'0')];
        seen.unwanted |= self.shows_unwanted(behind);
    }
}

fn load(bytes: &[u8], from: usize) -> u8x16 {
    let mut lane = [0; 16];
    lane.copy_from_slice(&bytes[from..from + 16]);
    u8x16::new(lane)
}
