//! Keeping the file small: what a later event has overtaken, and what the retry log holds for good, goes.

use jiff::Timestamp;
use logretry_record::RecordId;
use rusqlite::Connection;

use crate::event::Kind;
use crate::live::Live;
use crate::schema::{meta, set_meta};

/// Rows that one step looks at.
const STEP_ROWS: i64 = 5000;
/// The newest rows, which are left alone: most of what they tell is not decided yet.
const NEWEST: i64 = 20_000;

/// So many rows may be left for a quiet moment. Under load, walks would take a quarter of the time of the thread that writes; and as new rows never go
/// between old ones, what a walk frees is used again only where rows are long.
const LEFT_MAX: i64 = 2_000_000;

/// Walks over the events behind the writer, when that has nothing else to do.
#[derive(Debug)]
pub(crate) struct Compactor {
    /// The last row that has been looked at.
    done: i64,
}

impl Compactor {
    pub(crate) fn new(db: &Connection) -> rusqlite::Result<Self> {
        Ok(Self { done: meta(db, "compacted_seq")?.unwrap_or(0) })
    }

    /// Looks at the next rows, if there are any that are old enough. Nothing waits for its sync: a step that is lost is done again.
    pub(crate) fn step(&mut self, db: &Connection, live: &mut Live) -> rusqlite::Result<()> {
        let newest: Option<i64> = db.query_row("SELECT max(seq) FROM event", (), |row| row.get(0))?;
        let marked: i64 = meta(db, "mark_seq")?.unwrap_or(i64::MAX);
        let limit = marked.min(newest.unwrap_or(0) - NEWEST);
        if self.done < limit {
            self.walk(db, live, limit)?;
        }
        Ok(())
    }

    /// Whether it has had no quiet moment for so long that it should not wait for one.
    pub(crate) fn is_behind(&self, next_seq: u64) -> bool {
        next_seq.cast_signed() - self.done > LEFT_MAX
    }

    /// The same for all rows whose lines are in the retry log for good.
    pub(crate) fn finish(&mut self, db: &Connection, live: &mut Live) -> rusqlite::Result<()> {
        let newest: i64 = db.query_row("SELECT ifnull(max(seq), 0) FROM event", (), |row| row.get(0))?;
        let limit = meta(db, "mark_seq")?.unwrap_or(i64::MAX).min(newest);
        self.done = 0;
        while self.done < limit {
            self.walk(db, live, limit)?;
        }
        Ok(())
    }

    fn walk(&mut self, db: &Connection, live: &mut Live, limit: i64) -> rusqlite::Result<()> {
        let transaction = db.unchecked_transaction()?;
        let mut rows = db.prepare_cached(
            "SELECT seq, kind, id, line IS NOT NULL FROM event WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3",
        )?;
        let mut rows = rows.query((self.done, limit, STEP_ROWS))?;
        let mut end = limit;
        let (mut overtaken, mut written) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let (seq, kind): (i64, i64) = (row.get(0)?, row.get(1)?);
            let id = row.get_ref(2)?.as_blob_or_null()?.and_then(|id| id.try_into().ok());
            let current = id.is_some_and(|id| live.is_current(RecordId::from_bytes(id), seq.unsigned_abs()));
            match Kind::of(kind) {
                Some(Kind::Intent | Kind::Answer | Kind::Verdict | Kind::Failure | Kind::Line)
                    if !current =>
                {
                    overtaken.push(seq);
                }
                Some(_) if row.get(3)? => written.push(seq),
                _ => {}
            }
            end = seq;
        }
        for seq in overtaken {
            db.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([seq])?;
        }
        for seq in written {
            db.prepare_cached("UPDATE event SET line = NULL WHERE seq = ?1")?.execute([seq])?;
        }
        set_meta(db, "compacted_seq", end)?;
        transaction.commit()?;
        self.done = end;
        Ok(())
    }

    /// Forgets the outcomes from before `before`: of each day it is kept how many there were of which. Answers how many.
    pub(crate) fn forget(
        &mut self,
        db: &Connection,
        before: Timestamp,
        live: &mut Live,
    ) -> rusqlite::Result<u64> {
        self.finish(db, live)?;
        let transaction = db.unchecked_transaction()?;
        let time = before.as_microsecond();
        let marked: i64 = meta(db, "mark_seq")?.unwrap_or(i64::MAX);
        db.execute(
            "INSERT INTO forgotten
                SELECT strftime('%Y-%m-%d', time / 1e6, 'unixepoch'), ifnull(json_extract(body, '$.outcome'), '?'), count(*)
                FROM event WHERE kind = ?1 AND time < ?2 AND seq <= ?3 GROUP BY 1, 2
             ON CONFLICT DO UPDATE SET number = number + excluded.number",
            (Kind::Outcome as u8, time, marked),
        )?;
        let mut forgotten = 0;
        {
            let mut rows =
                db.prepare("DELETE FROM event WHERE kind = ?1 AND time < ?2 AND seq <= ?3 RETURNING id")?;
            let mut rows = rows.query((Kind::Outcome as u8, time, marked))?;
            while let Some(row) = rows.next()? {
                if let Some(Ok(id)) = row.get_ref(0)?.as_blob_or_null()?.map(TryInto::try_into) {
                    live.forget(RecordId::from_bytes(id));
                }
                forgotten += 1;
            }
        }
        transaction.commit()?;
        Ok(forgotten)
    }
}
