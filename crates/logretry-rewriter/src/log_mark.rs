use std::ffi::OsStr;
use std::fmt;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use logretry_stage::folder;

/// How far a retry log is: which file it was, how many bytes it had, and the checksum of the last ones, by which a copy of it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogMark {
    device: u64,
    inode: u64,
    pub(crate) bytes: u64,
    sum: u32,
}

/// So many bytes before a mark are looked at: more than a line, which has a time in it.
const SUM_BYTES: u64 = 512;

impl LogMark {
    /// The mark behind so many bytes of `file`.
    pub(crate) fn behind(file: &File, metadata: &Metadata, bytes: u64) -> io::Result<Self> {
        // It may have been cut off (`copytruncate`) since they were written, and since `metadata` was asked for.
        let bytes = bytes.min(metadata.len());
        let (bytes, sum) = sum_before(file, bytes)?.map_or((0, crc32fast::hash(&[])), |sum| (bytes, sum));
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), bytes, sum })
    }

    /// Whether it stands in `file`: in the very one, if that was not cut off meanwhile, or in a copy.
    pub(crate) fn stands_in(self, file: &File) -> io::Result<bool> {
        let metadata = file.metadata()?;
        let is_same = (metadata.dev(), metadata.ino()) == (self.device, self.inode);
        let may_be = metadata.is_file() && metadata.len() >= self.bytes && (is_same || self.bytes > 0);
        Ok(may_be && sum_before(file, self.bytes)? == Some(self.sum))
    }

    /// Where the log at `path` was moved or copied to when its lines were rotated away, if it lies beside it, and is not packed.
    pub(crate) fn rotated(self, path: &Path) -> Option<PathBuf> {
        let stands_in = |path: &PathBuf| {
            File::open(path).and_then(|file| self.stands_in(&file)).is_ok_and(|stands_in| stands_in)
        };
        rotated_logs(path).find(stands_in)
    }

    /// Where the log at `path` may have been copied to before it was cut off, if this mark is at its beginning: every copy looks alike there, so it is the newest one.
    pub(crate) fn copied(self, path: &Path) -> Option<PathBuf> {
        (self.bytes == 0).then(|| rotated_logs(path).next()).flatten()
    }
}

/// What was rotated away of the log at `path` and is not empty, the newest first.
fn rotated_logs(path: &Path) -> impl Iterator<Item = PathBuf> {
    let others = folder(path).read_dir().into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok().filter(|entry| is_rotated_name(&entry.file_name(), path))?;
        let metadata = entry.metadata().ok().filter(|found| found.is_file() && found.len() > 0)?;
        Some((metadata.modified().ok()?, entry.path()))
    });
    let mut others: Vec<_> = others.collect();
    others.sort_unstable();
    others.into_iter().rev().map(|(_, path)| path)
}

/// Whether `name` is the log's own with a number or a date in it: `retry.log.1`, `retry.log-20261122`, `retry-20261122.log`.
///
/// Nothing else may be opened: to close a ledger that lies there would take this process's locks from it.
fn is_rotated_name(name: &OsStr, log: &Path) -> bool {
    let text = |part: Option<&OsStr>| part.and_then(OsStr::to_str).unwrap_or_default().to_owned();
    let (stem, extension) = (text(log.file_stem()), text(log.extension()));
    let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(&stem)) else { return false };
    let rest = rest.replacen(&format!(".{extension}"), "", usize::from(!extension.is_empty()));
    rest.contains(|char: char| char.is_ascii_digit())
        && rest.chars().all(|char| char.is_ascii_digit() || "-_.".contains(char))
}

/// The checksum of the last of `bytes`; none, if the file has fewer.
fn sum_before(file: &File, bytes: u64) -> io::Result<Option<u32>> {
    let from = bytes.saturating_sub(SUM_BYTES);
    let mut last = vec![0; usize::try_from(bytes - from).unwrap_or_default()];
    match file.read_exact_at(&mut last, from) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        read => read.map(|()| Some(crc32fast::hash(&last))),
    }
}

impl fmt::Display for LogMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.device, self.inode, self.bytes, self.sum)
    }
}

impl FromStr for LogMark {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut numbers = text.split(':').map(|number| number.parse().map_err(drop));
        let mut next = || numbers.next().unwrap_or(Err(()));
        let (device, inode, bytes) = (next()?, next()?, next()?);
        Ok(Self { device, inode, bytes, sum: u32::try_from(next()?).map_err(drop)? })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn in_a_log_that_is_cut_off_while_it_is_looked_at_the_mark_is_at_its_beginning() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"GET /a 200\n").expect("a line");
        let metadata = file.metadata().expect("it is there");
        file.set_len(0).expect("it can be cut off");
        let mark = LogMark::behind(&file, &metadata, 11).expect("a mark");
        assert_eq!(mark.bytes, 0);
        assert!(mark.stands_in(&file).expect("it is there"));
    }

    #[test]
    fn a_rotated_log_is_known_by_its_name_and_a_ledger_is_none() {
        let is = |name: &str, log: &str| is_rotated_name(OsStr::new(name), Path::new(log));
        for name in ["retry.log.1", "retry.log-20261122", "retry-20261122.log", "retry.log.2026-11-22_10"] {
            assert!(is(name, "logs/retry.log"), "{name}");
        }
        assert!(is("retry.1", "retry"));
        let others =
            ["retry.log", "retry.log.ledger", "retry.log.ledger-wal", "retry.log.1.gz", "other.log.1"];
        for name in others {
            assert!(!is(name, "logs/retry.log"), "{name}");
        }
    }
}
