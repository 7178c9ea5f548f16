use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a ledger cannot be used. Each is a fragment that fits after "cannot …", and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process works with it.
    #[error("use the ledger `{}`: {holder} is using it; wait for it, or, for other logs, give another --ledger", path.display())]
    InUse {
        /// The ledger.
        path: PathBuf,
        /// Who holds it, as far as that is known.
        holder: String,
    },
    /// It lies on a file system of another machine, on which locks and shared memory do not hold.
    #[error(
        "keep the ledger `{}` on {file_system}: a network file system; give --ledger with a path on a local disk",
        path.display()
    )]
    NetworkFileSystem {
        /// The ledger.
        path: PathBuf,
        /// What it lies on.
        file_system: &'static str,
    },
    /// The file is there and is no ledger.
    #[error("use `{}` as a ledger: it is another kind of file; give another --ledger", path.display())]
    NoLedger {
        /// The file.
        path: PathBuf,
    },
    /// It was written by another release.
    #[error("use the ledger `{}`: it has version {found}, and this program knows version {known}; use the release that wrote it", path.display())]
    Version {
        /// The ledger.
        path: PathBuf,
        /// Its version.
        found: i32,
        /// The version of this program.
        known: i32,
    },
    /// It belongs to refires to another server.
    #[error(
        "use the ledger `{}` for {wanted}: it keeps the refires to {held}; give another -o or --ledger",
        path.display()
    )]
    Destination {
        /// The ledger.
        path: PathBuf,
        /// Where this run sends to.
        wanted: String,
        /// Where it was made for.
        held: String,
    },
    /// What stands in it contradicts itself.
    #[error("trust the ledger `{}`: {what}; nothing was sent; restore it from a copy, or settle by hand what it holds (`logretry ledger export`)", path.display())]
    Damaged {
        /// The ledger.
        path: PathBuf,
        /// What SQLite found.
        what: String,
    },
    /// The system refused a file.
    #[error("{doing} the ledger `{}`: {error}", path.display())]
    Io {
        /// The ledger.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// The system's words.
        #[source]
        error: io::Error,
    },
    /// SQLite may not write there.
    #[error(
        "{doing} the ledger `{}`: {error}; that file, and others beside it, must be writable; to look only, copy it to where they are, with those beside it",
        path.display()
    )]
    ReadOnly {
        /// The ledger.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// SQLite's words.
        #[source]
        error: rusqlite::Error,
    },
    /// SQLite refused.
    #[error("{doing} the ledger `{}`: {}", path.display(), Told(error))]
    Sqlite {
        /// The ledger.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// SQLite's words.
        #[source]
        error: rusqlite::Error,
    },
    /// The SQLite that is linked in is one whose WAL can be damaged (before 3.51.3, <https://sqlite.org/wal.html#walresetbug>).
    #[error(
        "keep a ledger with SQLite {found}: 3.51.3 or later is needed; build logretry with the SQLite that it brings along"
    )]
    TooOldSqlite {
        /// The version that is linked in.
        found: &'static str,
    },
    /// Something could not be written before; since then nothing is.
    #[error(
        "write {what}: {error}; nothing more is sent; once that is mended, run the same command again: it goes on where this run stopped"
    )]
    Failed {
        /// The ledger or the retry log.
        what: String,
        /// Why.
        error: String,
    },
    /// The id is not one that waits for a decision.
    #[error("decide about `{id}`: it is not held in `{}`; `logretry held` lists those that are", path.display())]
    NotHeld {
        /// The ledger.
        path: PathBuf,
        /// The id.
        id: String,
    },
}

/// What SQLite says, and what to do where that is known.
pub(crate) struct Told<'a>(pub(crate) &'a rusqlite::Error);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        match self.0.sqlite_error_code() {
            // All that belongs to logretry waits for its own lock.
            Some(rusqlite::ErrorCode::DatabaseBusy) => {
                f.write_str(" by another program, such as an `sqlite3` that has begun to change it; end that")
            }
            // SQLite keeps the system's own word to itself, and calls a disk "full" only where it writes a page.
            Some(rusqlite::ErrorCode::SystemIoFailure) => {
                f.write_str(" (it may be full, which `df` tells, or failing, which `dmesg` does)")
            }
            _ => Ok(()),
        }
    }
}

/// Names the ledger and the deed in an error of the system or of SQLite.
pub(crate) trait At<T> {
    fn at(self, path: &Path, doing: &'static str) -> Result<T, LedgerError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path, doing: &'static str) -> Result<T, LedgerError> {
        self.map_err(|error| LedgerError::Io { path: path.to_owned(), doing, error })
    }
}

impl<T> At<T> for rusqlite::Result<T> {
    fn at(self, path: &Path, doing: &'static str) -> Result<T, LedgerError> {
        self.map_err(|error| match error.sqlite_error_code() {
            // SQLite's words for it depend on how it was to be opened.
            _ if path.is_dir() => {
                let error = io::Error::other("it is a folder; name the file in it");
                LedgerError::Io { path: path.to_owned(), doing, error }
            }
            Some(rusqlite::ErrorCode::NotADatabase) => LedgerError::NoLedger { path: path.to_owned() },
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
                LedgerError::Damaged { path: path.to_owned(), what: error.to_string() }
            }
            Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen) => {
                LedgerError::ReadOnly { path: path.to_owned(), doing, error }
            }
            _ => LedgerError::Sqlite { path: path.to_owned(), doing, error },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the disk was full when a ledger was opened, it was a "disk I/O error", and no more.
    #[test]
    fn what_may_be_wrong_with_a_disk_is_said() {
        let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
        let full = Err::<(), _>(rusqlite::Error::SqliteFailure(full, Some("disk I/O error".to_owned())));
        assert_eq!(
            full.at(Path::new("ledger"), "open").expect_err("an error").to_string(),
            "open the ledger `ledger`: disk I/O error (it may be full, which `df` tells, or failing, which `dmesg` does)"
        );
    }

    #[test]
    fn who_keeps_a_ledger_locked_is_to_be_ended() {
        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        let busy = Err::<(), _>(rusqlite::Error::SqliteFailure(busy, Some("database is locked".to_owned())));
        assert_eq!(
            busy.at(Path::new("ledger"), "write").expect_err("an error").to_string(),
            "write the ledger `ledger`: database is locked by another program, such as an `sqlite3` that has begun to change it; end that"
        );
    }
}
