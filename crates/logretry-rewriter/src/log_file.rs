use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
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

fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut file = open_own(OpenOptions::new().append(true).create(true), path)?;
    let metadata = file.metadata()?;
    let is_new = metadata.len() == 0;
    if metadata.is_file() && !is_new && last_byte(path)? != b'\n' {
        file.write_all(b"\n")?;
    }
    Ok((file, is_new))
}

fn last_byte(path: &Path) -> io::Result<u8> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// The retry log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("open the retry log `{}`: {error}", path.display())]
pub struct LogFileError {
    path: PathBuf,
    #[source]
    error: io::Error,
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
