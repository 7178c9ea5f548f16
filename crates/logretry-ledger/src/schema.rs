//! The tables, and how the file is opened.
//!
//! | table | what |
//! |---|---|
//! | `event` | what happened, in its order; rows are only ever appended, and taken away by compaction |
//! | `meta` | one value a name: destination, secret, how far the retry log is, whether the last run ended well |
//! | `forgotten` | how many outcomes of a day were taken away by `prune` |
//! | `refires` | a view of `event` for people: times and ids as text |
//!
//! The key of `event` is its rowid, and there is no index on the ids: these are random, and keeping 16 random bytes in order costs ten times the
//! rest. What is known of an id is found in memory ([`live`](crate::live)).

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::LedgerError;
use crate::error::At as _;
use crate::place;

/// `lgry`: what `file(1)` and SQLite know a ledger by.
pub(crate) const APPLICATION_ID: i32 = 0x6C67_7279;
/// The version of the tables and of the ids in them: with other ids no line would be found again, and each be sent once more.
pub(crate) const VERSION: i32 = 2;
/// The first SQLite without the WAL-reset bug.
const SQLITE_MIN: i32 = 3_051_003;

const TABLES: &str = "
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,  -- microseconds since 1970, UTC
    kind INTEGER NOT NULL,  -- 1 intent, 2 answer, 3 outcome, 4 failure, 5 verdict, 6 line
    id BLOB,                -- the record's, 16 bytes
    attempt INTEGER,
    body TEXT,              -- intent: METHOD URL; answer, outcome, failure: the record's `retry`; verdict: its words
    sum INTEGER NOT NULL,   -- checksum of all that stands before (CRC-32)
    line BLOB               -- what the retry log gets
);
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE forgotten (day TEXT, outcome TEXT, number INTEGER NOT NULL, PRIMARY KEY (day, outcome)) WITHOUT ROWID;
CREATE VIEW refires AS SELECT
    seq,
    strftime('%Y-%m-%dT%H:%M:%fZ', time / 1e6, 'unixepoch') AS time,
    CASE kind WHEN 1 THEN 'intent' WHEN 2 THEN 'answer' WHEN 3 THEN 'outcome' WHEN 4 THEN 'failure'
        WHEN 5 THEN 'verdict' ELSE 'line' END AS kind,
    lower(hex(id)) AS id,
    attempt,
    body,
    CAST(line AS TEXT) AS line
FROM event;
";

/// Opens the ledger at `path` to write it, and makes its tables if the file is empty.
pub(crate) fn open(path: &Path) -> Result<Connection, LedgerError> {
    check_sqlite()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).at(path, "open")?;
    let (application, version) = identity(&db, path)?;
    let is_new = (application, version) == (0, 0) && is_empty(&db).at(path, "open")?;
    // Before anything in it is changed: it may be somebody's file. What is shorter than a header, SQLite takes for nothing.
    if !is_new || (1..512).contains(&path.metadata().at(path, "open")?.len()) {
        check_identity(path, application, version)?;
    }
    prepare(&db).at(path, "open")?;
    if is_new {
        let identity = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};");
        db.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} {identity} COMMIT"))
            .at(path, "make the tables of")?;
    }
    Ok(db)
}

/// Opens the ledger at `path` to read it, also while another process writes it.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, LedgerError> {
    check_sqlite()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags).at(path, "open")?;
    db.busy_timeout(Duration::from_secs(5)).at(path, "open")?;
    let mut found = identity(&db, path);
    if matches!(found, Err(LedgerError::ReadOnly { .. })) && !has_wal(path) {
        // Its readers share memory in a file beside it, and there can be none. Nobody has it open, for who writes it has a WAL: what the file holds is all.
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        db = Connection::open_with_flags(as_it_lies(path), flags).at(path, "open")?;
        found = identity(&db, path);
    }
    let (application, version) = found?;
    check_identity(path, application, version)?;
    Ok(db)
}

/// Whether there is more of the ledger than the file at `path`.
fn has_wal(path: &Path) -> bool {
    let wal = place::beside(path, "-wal");
    wal.metadata().is_ok_and(|metadata| metadata.len() > 0)
}

/// The URI of a database that is read without anything beside it (<https://sqlite.org/uri.html>).
fn as_it_lies(path: &Path) -> String {
    let mut uri = if path.is_absolute() { "file://".to_owned() } else { "file:".to_owned() };
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/.-_".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri + "?immutable=1"
}

fn check_sqlite() -> Result<(), LedgerError> {
    if rusqlite::version_number() < SQLITE_MIN {
        return Err(LedgerError::TooOldSqlite { found: rusqlite::version() });
    }
    Ok(())
}

fn prepare(db: &Connection) -> rusqlite::Result<()> {
    // Readers such as `sqlite3 -readonly` hold the file for moments.
    db.busy_timeout(Duration::from_secs(5))?;
    // Answers with the mode that it has set; a mode other than WAL would show in the first commit, so it is asked for.
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0))?;
    if mode != "wal" {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
            Some(format!("no write-ahead log here (journal mode `{mode}`)")),
        ));
    }
    db.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA mmap_size = 0;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA wal_autocheckpoint = 4000;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA temp_store = MEMORY;",
    )
}

fn identity(db: &Connection, path: &Path) -> Result<(i32, i32), LedgerError> {
    let ask = |pragma: &str| db.query_row(pragma, (), |row| row.get(0)).at(path, "open");
    Ok((ask("PRAGMA application_id")?, ask("PRAGMA user_version")?))
}

fn check_identity(path: &Path, application: i32, version: i32) -> Result<(), LedgerError> {
    if application != APPLICATION_ID {
        return Err(LedgerError::NoLedger { path: path.to_owned() });
    }
    if version != VERSION {
        return Err(LedgerError::Version { path: path.to_owned(), found: version, known: VERSION });
    }
    Ok(())
}

fn is_empty(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", (), |row| row.get(0))
}

/// What SQLite finds wrong with the file; none if nothing is.
pub(crate) fn complaint(db: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = db.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    Ok((found != "ok").then_some(found))
}

/// Refuses a ledger that keeps the refires to another destination than the `wanted` one.
pub(crate) fn refuse_another(db: &Connection, path: &Path, wanted: &str) -> Result<(), LedgerError> {
    let held: String = meta(db, "destination").at(path, "read")?.unwrap_or_default();
    if held == wanted {
        return Ok(());
    }
    Err(LedgerError::Destination { path: path.to_owned(), wanted: wanted.to_owned(), held })
}

/// A value of `meta`.
pub(crate) fn meta<T: rusqlite::types::FromSql>(db: &Connection, key: &str) -> rusqlite::Result<Option<T>> {
    db.prepare_cached("SELECT value FROM meta WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()
}

/// Sets a value of `meta`.
pub(crate) fn set_meta(
    db: &Connection,
    key: &str,
    value: impl rusqlite::types::ToSql,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value")?
        .execute((key, value))
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_itself_in_a_uri() {
        assert_eq!(
            as_it_lies(Path::new("/a b/100%?#\u{e9}")),
            "file:///a%20b/100%25%3F%23%C3%A9?immutable=1"
        );
        assert_eq!(as_it_lies(Path::new("retry.log.ledger")), "file:retry.log.ledger?immutable=1");
        assert_eq!(as_it_lies(Path::new("//a")), "file:////a?immutable=1", "`a` is no other machine");
    }
}
