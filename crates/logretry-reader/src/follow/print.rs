//! By what a file is known again: under another name, compressed, copied, or after a restart.
//!
//! An inode does not do: it is used again for another file, and a compressed log is another file with the same lines. So a file is known by its first line,
//! and a place in it by what stands before that place.

use std::collections::VecDeque;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use super::files::ReadAt;

/// The hash of a file's first line that is no comment: what tells one log from the next. A file without such a line, or with one that has not
/// ended yet, has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint(pub(crate) [u8; 16]);

/// The hash of the up to 256 bytes before a place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker(pub(crate) [u8; 16]);

/// Bytes of a first line that count.
const LINE_BYTES: usize = 4096;
/// Bytes before a place that count.
pub(crate) const MARKER_BYTES: usize = 256;
/// Bytes at the beginning of a file among which its first line is looked for; the comments of W3C logs take some hundred.
const HEAD_BYTES: u64 = 64 << 10;

impl Fingerprint {
    /// That of a file with this line (without its line end), if it is the first one that counts: W3C logs all begin with the same comments.
    pub(crate) fn of_line(line: &[u8]) -> Option<Self> {
        if line.starts_with(b"#") || line.trim_ascii().is_empty() {
            return None;
        }
        Some(Self(hash("line", &line[..line.len().min(LINE_BYTES)])))
    }

    /// That of the file that `reader` reads from its beginning.
    pub(crate) fn of(reader: impl Read) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        reader.take(HEAD_BYTES).read_to_end(&mut head)?;
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        let whole = memchr::memrchr(b'\n', head).map_or(0, |end| end + 1);
        let mut lines = head[..whole].split_inclusive(|&byte| byte == b'\n').map(bare);
        let found = lines.find_map(Self::of_line);
        let rest = bare(&head[whole..]);
        Ok(found.or_else(|| if rest.len() >= LINE_BYTES { Self::of_line(rest) } else { None }))
    }
}

/// A line without its end, and without the hole before it.
pub(crate) fn bare(line: &[u8]) -> &[u8] {
    let hole = line.iter().take_while(|&&byte| byte == 0).count();
    let line = &line[hole..];
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

impl Marker {
    /// That of a place before which these bytes stand, or at least the last 256 of them.
    pub(crate) fn of(before: &[u8]) -> Self {
        Self(hash("marker", &before[before.len().saturating_sub(MARKER_BYTES)..]))
    }

    /// That of the place `offset` in `file`; none, if it ends before.
    pub(crate) fn before(file: &impl ReadAt, offset: u64) -> io::Result<Option<Self>> {
        let mut bytes = [0; MARKER_BYTES];
        let start = offset.saturating_sub(MARKER_BYTES as u64);
        let length = usize::try_from(offset - start).unwrap_or(MARKER_BYTES);
        let mut read = 0;
        while read < length {
            match file.read_at(&mut bytes[read..length], start + read as u64)? {
                0 => return Ok(None),
                more => read += more,
            }
        }
        Ok(Some(Self::of(&bytes[..length])))
    }
}

/// Files that are known. Of more than there can be rotated ones, those that were learnt of first are forgotten.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(VecDeque<Fingerprint>);

const KNOWN_MAX: usize = 512;

impl Known {
    pub(crate) fn learn(&mut self, prints: impl IntoIterator<Item = Fingerprint>) {
        for print in prints {
            if !self.knows(&print) {
                self.0.push_back(print);
            }
        }
        self.0.drain(..self.0.len().saturating_sub(KNOWN_MAX));
    }

    pub(crate) fn knows(&self, print: &Fingerprint) -> bool {
        self.0.contains(print)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fingerprint> {
        self.0.iter()
    }
}

fn hash(kind: &str, bytes: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"logretry/follow/1\0");
    hasher.update(kind.as_bytes());
    hasher.update(bytes);
    let mut hash = [0; 16];
    hasher.finalize_xof().fill(&mut hash);
    hash
}
