use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::str::FromStr;

/// What a record is called: 128 bits of a BLAKE3 hash over the raw log line and its ordinal.
///
/// The ordinal counts the equal lines before it in the same source, so that two identical lines (same second, same
/// URL) are two records. Nothing else goes in: no file name, no offset. So the same line has the same id when its file is
/// rotated, compressed, read again or piped through grep. It is printed as 32 lowercase hexadecimal digits.
///
/// BLAKE3 rather than a faster hash: whoever can write log lines must not be able to make two of them share an id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId([u8; 16]);

/// What is hashed before the ordinal and the line.
const TAG: &[u8] = b"logretry/1\0";

impl RecordId {
    /// The id of `line` (without its line end), which has `ordinal` equal lines before it in its source.
    pub fn of_line(line: &[u8], ordinal: u64) -> Self {
        const BEFORE: usize = TAG.len() + 8;
        // Nearly every line fits, and what is hashed at once is hashed faster.
        let mut bytes = [0; 1024];
        let hash = if let Some(room) = bytes.get_mut(BEFORE..BEFORE + line.len()) {
            room.copy_from_slice(line);
            bytes[..TAG.len()].copy_from_slice(TAG);
            bytes[TAG.len()..BEFORE].copy_from_slice(&ordinal.to_le_bytes());
            blake3::hash(&bytes[..BEFORE + line.len()])
        } else {
            blake3::Hasher::new().update(TAG).update(&ordinal.to_le_bytes()).update(line).finalize()
        };
        let mut id = [0; 16];
        id.copy_from_slice(&hash.as_bytes()[..16]);
        Self(id)
    }

    /// The id whose 16 bytes these are.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl RecordId {
    /// What it is printed as. It is written into the record of every line, so without the formatting machinery.
    pub(crate) fn digits(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        text
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

impl FromStr for RecordId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return Err(ParseIdError);
        }
        let mut id = [0; 16];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Ok(Self(id))
    }
}

fn hex_digit(digit: u8) -> Result<u8, ParseIdError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(ParseIdError),
    }
}

/// The text is not 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record id has 32 hexadecimal digits")]
pub struct ParseIdError;

/// Counts equal lines of one source, to number them for [`RecordId::of_line`].
///
/// It holds a 64-bit fingerprint of each different line it was shown: 9 to 18 bytes, and 16 more for a line that came again. Only lines that
/// become records need be shown: equal lines are all selected or none, so what a reader leaves out never shifts an ordinal.
#[derive(Debug)]
pub struct LineCounter {
    seen: Seen,
    /// How often those have come that came more than once.
    again: Again,
    /// What `seen` and `again` held before they were emptied the last time.
    before: (Seen, Again),
    lines_max: usize,
}

impl Default for LineCounter {
    fn default() -> Self {
        Self::within(usize::MAX)
    }
}

type Seen = HashSet<u64, BuildHasherDefault<Itself>>;
type Again = HashMap<u64, u64, BuildHasherDefault<Itself>>;

/// A hasher for keys that are hashes already: BLAKE3's, which nobody can choose.
#[derive(Debug, Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

impl LineCounter {
    /// A counter that remembers the last `lines_max` different lines at least, and no more than twice as many, for a source without an end. What it has
    /// forgotten would be numbered from the beginning; but lines with a time are equal only near each other.
    pub fn within(lines_max: usize) -> Self {
        Self {
            seen: Seen::default(),
            again: Again::default(),
            before: (Seen::default(), Again::default()),
            lines_max,
        }
    }

    /// The id of the next line of this source.
    pub fn next_id(&mut self, line: &[u8]) -> RecordId {
        let first = RecordId::of_line(line, 0);
        match self.ordinal(first) {
            0 => first,
            ordinal => RecordId::of_line(line, ordinal),
        }
    }

    /// The ordinal of the next line, which would have the id `first` if it had no equal before it.
    pub fn ordinal(&mut self, first: RecordId) -> u64 {
        let fingerprint = first.0.first_chunk().map_or(0, |half| u64::from_le_bytes(*half));
        if self.seen.len() >= self.lines_max && !self.seen.contains(&fingerprint) {
            self.before = (std::mem::take(&mut self.seen), std::mem::take(&mut self.again));
        }
        if self.seen.insert(fingerprint) {
            if !self.before.0.remove(&fingerprint) {
                return 0;
            }
            self.again.insert(fingerprint, self.before.1.remove(&fingerprint).unwrap_or(0));
        }
        let count = self.again.entry(fingerprint).or_insert(0);
        *count += 1;
        *count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_printed_and_read_back() {
        let id = RecordId::of_line(b"a line", 0);
        assert_eq!(id.to_string().len(), 32);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("xyz".parse::<RecordId>(), Err(ParseIdError));
    }

    #[test]
    fn the_id_of_a_line_never_changes_between_releases() {
        assert_eq!(RecordId::of_line(b"a line", 0).to_string(), "c11cc5bb5d9c190eb1be297b9dfe7351");
    }

    #[test]
    fn a_line_of_any_length_is_hashed_as_a_whole() {
        for length in [0, 1, 63, 1004, 1005, 1006, 5000] {
            let line = vec![b'x'; length];
            let mut hasher = blake3::Hasher::new();
            hasher.update(b"logretry/1\0").update(&7_u64.to_le_bytes()).update(&line);
            let mut id = [0; 16];
            hasher.finalize_xof().fill(&mut id);
            assert_eq!(RecordId::of_line(&line, 7), RecordId(id), "{length}");
        }
    }

    #[test]
    fn equal_lines_are_numbered_in_their_order() {
        let mut counter = LineCounter::default();
        let ids: Vec<_> =
            [b"x".as_slice(), b"y", b"x", b"x"].iter().map(|line| counter.next_id(line)).collect();
        assert_eq!(ids[0], RecordId::of_line(b"x", 0));
        assert_eq!(ids[1], RecordId::of_line(b"y", 0));
        assert_eq!(ids[2], RecordId::of_line(b"x", 1));
        assert_eq!(ids[3], RecordId::of_line(b"x", 2));
    }

    #[test]
    fn a_counter_within_bounds_remembers_the_last_lines() {
        let mut counter = LineCounter::within(10);
        let line = |n: u64| n.to_string().into_bytes();
        for n in 0..1000 {
            assert_eq!(counter.next_id(&line(n)), RecordId::of_line(&line(n), 0));
            let near = n.saturating_sub(9);
            if n % 7 == 0 && n > 9 && near % 7 != 0 {
                assert_eq!(counter.next_id(&line(near)), RecordId::of_line(&line(near), 1));
            }
        }
        assert!(counter.seen.len() + counter.before.0.len() <= 20);
    }

    #[test]
    fn dropping_other_lines_first_does_not_change_an_id() {
        let mut whole = LineCounter::default();
        let mut grepped = LineCounter::default();
        for line in ["x", "noise", "x", "other", "x"] {
            let id = whole.next_id(line.as_bytes());
            if line == "x" {
                assert_eq!(id, grepped.next_id(line.as_bytes()));
            }
        }
    }
}
