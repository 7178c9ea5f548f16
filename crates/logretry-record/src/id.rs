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
///
/// What is hashed is `logretry/1`, a NUL, the ordinal in eight bytes (little-endian), and the line without its line end, filled up to a multiple of 64 bytes: with one
/// byte `80` (hexadecimal), then with NULs. That way many lines can be hashed at once, and still each text comes from one line only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId([u8; 16]);

/// What is hashed before the ordinal and the line.
const TAG: &[u8] = b"logretry/1\0";
/// How many bytes stand before the line in what is hashed.
const BEFORE: usize = TAG.len() + 8;
/// What is hashed is whole blocks of so many bytes.
const BLOCK: usize = 64;
/// What a line is filled up with: as much of it as is wanted.
const FILL: &[u8; BLOCK] = &{
    let mut fill = [0; BLOCK];
    fill[0] = 0x80;
    fill
};

/// How many bytes are hashed for `line`.
fn filled(line: &[u8]) -> usize {
    (BEFORE + line.len() + 1).next_multiple_of(BLOCK)
}

impl RecordId {
    /// The id of `line` (without its line end), which has `ordinal` equal lines before it in its source.
    pub fn of_line(line: &[u8], ordinal: u64) -> Self {
        // What is hashed at once is hashed faster, and nearly every line fits into the one or the other room.
        let hash = hash_within::<384>(line, ordinal)
            .or_else(|| hash_within::<1024>(line, ordinal))
            .unwrap_or_else(|| {
                let mut hasher = blake3::Hasher::new();
                hasher.update(TAG).update(&ordinal.to_le_bytes()).update(line);
                hasher.update(&FILL[..filled(line) - BEFORE - line.len()]).finalize()
            });
        Self::of_hash(hash.as_bytes())
    }

    fn of_hash(hash: &[u8; 32]) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
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
    let text = bytes.get_mut(..filled(line))?;
    text[..TAG.len()].copy_from_slice(TAG);
    text[TAG.len()..BEFORE].copy_from_slice(&ordinal.to_le_bytes());
    text[BEFORE..BEFORE + line.len()].copy_from_slice(line);
    text[BEFORE + line.len()] = FILL[0];
    Some(blake3::hash(text))
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
        assert_eq!(RecordId::of_line(b"a line", 0).to_string(), "0080cbac80f13f5325a32829128c10b6");
    }

    #[test]
    fn a_line_of_any_length_is_hashed_as_a_whole() {
        for length in (0..200).chain([364, 365, 366, 1003, 1004, 1005, 1006, 5000]) {
            let line = vec![b'x'; length];
            let mut text = [b"logretry/1\0".as_slice(), &7_u64.to_le_bytes(), &line, b"\x80"].concat();
            while text.len() % 64 > 0 {
                text.push(0);
            }
            let hash = blake3::hash(&text);
            assert_eq!(RecordId::of_line(&line, 7), RecordId::of_hash(hash.as_bytes()), "{length}");
        }
    }
}
