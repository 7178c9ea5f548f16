use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use logretry_stage::{Fatal, open_own};

/// Opens the retry log at `path` to append to it, and says whether it is new (or empty).
///
/// The file is made readable by its owner only, for URLs carry secrets, and a symbolic link is refused ([`open_own`]). What is in it stays: if its last line was torn by a crash or a full
/// disk, a line end is added, so that the next line stands on its own.
///
/// # Errors
///
/// The file cannot be created, or may not be written.
pub fn open_log(path: &Path) -> Result<(File, bool), LogFileError> {
    open(path).map_err(|error| LogFileError { path: path.to_owned(), error })
}

pub(crate) fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut file = appending(path)?;
    let metadata = file.metadata()?;
    let is_new = metadata.len() == 0;
    if metadata.is_file() && !is_new {
        end_the_last_line(&mut file, metadata.len())?;
    }
    Ok((file, is_new))
}

/// Opens the file to append to it; and to read its end, if it is a file and no pipe.
pub(crate) fn appending(path: &Path) -> io::Result<File> {
    let is_file = path.metadata().map_or(true, |metadata| metadata.is_file());
    open_own(OpenOptions::new().read(is_file).append(true).create(true), path)
}

/// Adds a line end if the last of its `len` bytes is none; and says whether it did.
pub(crate) fn end_the_last_line(file: &mut File, len: u64) -> io::Result<bool> {
    let mut last = [b'\n'];
    if len > 0 {
        // Where it has been cut off meanwhile, nothing is torn.
        file.read_at(&mut last, len - 1)?;
    }
    let is_torn = last != *b"\n";
    if is_torn {
        file.write_all(b"\n")?;
    }
    Ok(is_torn)
}

/// The retry log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("open the retry log `{}`: {error}", path.display())]
pub struct LogFileError {
    pub(crate) path: PathBuf,
    #[source]
    pub(crate) error: io::Error,
}

impl From<LogFileError> for Fatal {
    fn from(error: LogFileError) -> Self {
        Self::new(error)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_torn_last_line_is_ended_and_nothing_is_taken_away() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("retry.log");
        for (before, after) in [("", "new\n"), ("a\n", "a\nnew\n"), ("a\nto", "a\nto\nnew\n")] {
            std::fs::write(&path, before).expect("a file");
            let (mut log, is_new) = open_log(&path).expect("a log");
            log.write_all(b"new\n").expect("a line");
            assert_eq!(is_new, before.is_empty());
            assert_eq!(std::fs::read_to_string(&path).expect("a file"), after);
        }
    }

    #[test]
    fn a_new_log_is_for_its_owner_only() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("retry.log");
        let (file, _) = open_log(&path).expect("a log");
        assert_eq!(file.metadata().expect("metadata").permissions().mode() & 0o777, 0o600);
    }
}
