use std::fmt;
use std::str::FromStr;

mod many;

pub use many::RecordIds;

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
/// How many bytes stand before the line in what is hashed.
const BEFORE: usize = TAG.len() + 8;

impl RecordId {
    /// The id of `line` (without its line end), which has `ordinal` equal lines before it in its source.
    pub fn of_line(line: &[u8], ordinal: u64) -> Self {
        // What is hashed at once is hashed faster, and nearly every line fits into the one or the other room.
        let hash =
            hash_within::<384>(line, ordinal).or_else(|| hash_within::<1024>(line, ordinal)).unwrap_or_else(
                || blake3::Hasher::new().update(TAG).update(&ordinal.to_le_bytes()).update(line).finalize(),
            );
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

/// None if there is no room for the line.
fn hash_within<const ROOM: usize>(line: &[u8], ordinal: u64) -> Option<blake3::Hash> {
    let mut bytes = [0; ROOM];
    bytes.get_mut(BEFORE..BEFORE + line.len())?.copy_from_slice(line);
    bytes[..TAG.len()].copy_from_slice(TAG);
    bytes[TAG.len()..BEFORE].copy_from_slice(&ordinal.to_le_bytes());
    Some(blake3::hash(&bytes[..BEFORE + line.len()]))
}

impl RecordId {
    /// What it is printed as, in ASCII. It is written into the record of every line and sent with every request, so without the formatting machinery.
    pub fn digits(self) -> [u8; 32] {
        let mut text = [0; 32];
        for (pair, byte) in text.as_chunks_mut().0.iter_mut().zip(self.0) {
            *pair = PAIRS[usize::from(byte)];
        }
        text
    }
}

/// The two digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

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
        for length in [0, 1, 63, 364, 365, 366, 1004, 1005, 1006, 5000] {
            let line = vec![b'x'; length];
            let mut hasher = blake3::Hasher::new();
            hasher.update(b"logretry/1\0").update(&7_u64.to_le_bytes()).update(&line);
            let mut id = [0; 16];
            hasher.finalize_xof().fill(&mut id);
            assert_eq!(RecordId::of_line(&line, 7), RecordId(id), "{length}");
        }
    }
}
