//! Rows, read back.

use std::path::Path;

use logretry_record::{RecordId, Retry};
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::At as _;
use crate::event::{InDoubt, Kind};
use crate::live::Standing;
use crate::schema::meta;
use crate::{Before, LedgerError};

/// The last number that an event has had; also of those that compaction has taken away.
pub(crate) fn last_seq(db: &Connection) -> rusqlite::Result<u64> {
    let mut last: i64 = db.query_row("SELECT ifnull(max(seq), 0) FROM event", (), |row| row.get(0))?;
    for key in ["mark_seq", "compacted_seq"] {
        last = last.max(meta(db, key)?.unwrap_or(0));
    }
    Ok(last.unsigned_abs())
}

/// What the row that a standing names says.
pub(crate) fn before(db: &Connection, path: &Path, standing: Standing) -> Result<Before, LedgerError> {
    let damaged =
        |seq| LedgerError::Damaged { path: path.to_owned(), what: format!("row {seq} is not readable") };
    Ok(match standing {
        Standing::Nothing => Before::New,
        Standing::Answered(seq) => {
            Before::Answered(retry(db, seq).at(path, "read")?.ok_or_else(|| damaged(seq))?)
        }
        Standing::Done(seq) => Before::Done(retry(db, seq).at(path, "read")?.ok_or_else(|| damaged(seq))?),
        Standing::Open(seq) | Standing::Decided(seq) => {
            Before::InDoubt(doubt(db, seq).at(path, "read")?.ok_or_else(|| damaged(seq))?)
        }
    })
}

fn retry(db: &Connection, seq: u64) -> rusqlite::Result<Option<Retry>> {
    let mut row = db.prepare_cached("SELECT body FROM event WHERE seq = ?1")?;
    let body: Option<String> = row.query_row([seq.cast_signed()], |row| row.get(0)).optional()?.flatten();
    Ok(body.and_then(|body| serde_json::from_str(&body).ok()))
}

fn doubt(db: &Connection, seq: u64) -> rusqlite::Result<Option<InDoubt>> {
    let mut row = db.prepare_cached("SELECT kind, id, attempt, time, body FROM event WHERE seq = ?1")?;
    let found = row
        .query_row([seq.cast_signed()], |row| {
            let kind: i64 = row.get(0)?;
            let id: [u8; 16] = row.get(1)?;
            let body: String = row.get(4)?;
            Ok((kind, id, row.get(2)?, row.get(3)?, body))
        })
        .optional()?;
    Ok(found.and_then(|(kind, id, attempt, time, body)| {
        InDoubt::from_row(Kind::of(kind)?, RecordId::from_bytes(id), attempt, time, &body)
    }))
}

/// What ended before anything was sent, and when.
pub(crate) fn failures(db: &Connection) -> rusqlite::Result<Vec<(RecordId, i64)>> {
    let mut rows = db.prepare("SELECT id, time FROM event WHERE kind = ?1")?;
    let rows =
        rows.query_map([Kind::Failure as u8], |row| Ok((RecordId::from_bytes(row.get(0)?), row.get(1)?)))?;
    rows.collect()
}

/// Those that these rows tell of.
pub(crate) fn in_doubt(db: &Connection, seqs: Vec<u64>) -> rusqlite::Result<Vec<InDoubt>> {
    let mut all = Vec::with_capacity(seqs.len());
    for seq in seqs {
        all.extend(doubt(db, seq)?);
    }
    Ok(all)
}
