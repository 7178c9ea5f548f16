use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use logretry_record::{Outcome, RecordId, Retry};
use rusqlite::Connection;

use crate::error::At as _;
use crate::event::{InDoubt, Kind};
use crate::live::{Live, Standing};
use crate::place::{self, Lock};
use crate::schema::{self, meta};
use crate::{Before, LedgerError, rows};

/// A ledger that is only read, also while another process writes it.
#[derive(Debug)]
pub struct Look {
    path: PathBuf,
    db: Connection,
    live: Live,
}

/// What a ledger holds, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Digest {
    /// Where its refires go.
    pub destination: String,
    /// When it was begun, as text.
    pub created: String,
    /// The time of the last event.
    pub last: Option<Timestamp>,
    /// Records that have ended, by outcome.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Records that will be sent again.
    pub answered: u64,
    /// Records in doubt that will be sent again, or are settled, in the next run.
    pub in_doubt: u64,
    /// Records in doubt that are held: sending them twice could do harm, and nothing is decided about them.
    pub held: u64,
    /// Outcomes that were pruned, by outcome.
    pub forgotten: BTreeMap<String, u64>,
    /// Lines of which it is not known yet whether they are in the retry log.
    pub unmarked_lines: u64,
    /// Who is writing it.
    pub holder: Option<String>,
}

/// One event, for a person or a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// When it happened; of a verdict that a request has arrived, when that was about to be sent.
    pub time: Timestamp,
    /// `intent`, `answer`, `outcome`, `failure`, `verdict` or `line`.
    pub kind: &'static str,
    /// The record's id.
    pub id: Option<RecordId>,
    /// Which request of the record it was.
    pub attempt: u32,
    /// `METHOD URL` of an intent; a verdict's words and those.
    pub request: Option<String>,
    /// How a request ended.
    pub retry: Option<Retry>,
    /// Its line of the retry log, until compaction takes it away.
    pub line: Option<Vec<u8>>,
}

impl Look {
    /// Looks into the ledger at `path`.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        place::refuse_unreadable(path)?;
        let db = schema::open_to_read(path)?;
        // One view for as long as this exists: what is told adds up, whatever is written meanwhile.
        db.execute_batch("BEGIN").at(path, "read")?;
        let live = Live::rebuild(&db, path)?;
        Ok(Self { path: path.to_owned(), db, live })
    }

    /// The same, which [`Ledger::open`](crate::Ledger::open) would refuse for refires to another destination.
    pub fn open_for(path: &Path, destination: &str) -> Result<Self, LedgerError> {
        let look = Self::open(path)?;
        schema::refuse_another(&look.db, path, destination)?;
        Ok(look)
    }

    /// Looks into a ledger that [`Look::open`] finds damaged, to save what can be read: only [`Look::events`] tells anything then, and nothing that it tells
    /// has been checked.
    pub fn open_damaged(path: &Path) -> Result<Self, LedgerError> {
        place::refuse_unreadable(path)?;
        let db = schema::open_to_read(path)?;
        Ok(Self { path: path.to_owned(), db, live: Live::default() })
    }

    /// Whether the event says how its record stands now; if not, a later one does, or the record is as if it were new.
    pub fn is_current(&self, entry: &Entry) -> bool {
        entry.id.is_some_and(|id| self.live.is_current(id, entry.seq))
    }

    /// What it knows of the record.
    pub fn before(&self, id: RecordId) -> Result<Before, LedgerError> {
        rows::before(&self.db, &self.path, self.live.standing(id))
    }

    /// All requests in doubt, also those about which something was decided that has not been acted on.
    pub fn in_doubt(&self) -> Result<Vec<InDoubt>, LedgerError> {
        rows::in_doubt(&self.db, self.live.in_doubt()).at(&self.path, "read")
    }

    /// The ids of the records that have ended.
    pub fn done(&self) -> impl Iterator<Item = RecordId> {
        self.live.standings().filter(|(_, standing)| matches!(standing, Standing::Done(_))).map(|(id, _)| id)
    }

    /// What it holds, in numbers.
    pub fn digest(&self) -> Result<Digest, LedgerError> {
        let mut digest = self.counted().at(&self.path, "read")?;
        for doubt in self.in_doubt()? {
            if doubt.is_held() {
                digest.held += 1;
            } else {
                digest.in_doubt += 1;
            }
        }
        digest.answered =
            self.live.standings().filter(|(_, standing)| matches!(standing, Standing::Answered(_))).count()
                as u64;
        digest.holder = self.holder();
        Ok(digest)
    }

    /// Who works with it now, if anybody does.
    pub fn holder(&self) -> Option<String> {
        Lock::holder(&self.path)
    }

    fn counted(&self) -> rusqlite::Result<Digest> {
        let db = &self.db;
        let last: Option<i64> = db.query_row("SELECT max(time) FROM event", (), |row| row.get(0))?;
        let mark: i64 = meta(db, "mark_seq")?.unwrap_or(0);
        let mut digest = Digest {
            destination: meta(db, "destination")?.unwrap_or_default(),
            created: meta(db, "created")?.unwrap_or_default(),
            last: last.and_then(|time| Timestamp::from_microsecond(time).ok()),
            unmarked_lines: db
                .query_row("SELECT count(*) FROM event WHERE seq > ?1 AND line IS NOT NULL", [mark], |row| {
                    row.get::<_, i64>(0)
                })?
                .unsigned_abs(),
            ..Digest::default()
        };
        let mut rows =
            db.prepare("SELECT seq, id, json_extract(body, '$.outcome') FROM event WHERE kind = ?1")?;
        let mut rows = rows.query([Kind::Outcome as u8])?;
        while let Some(row) = rows.next()? {
            let (seq, id): (i64, [u8; 16]) = (row.get(0)?, row.get(1)?);
            let word: String = row.get(2)?;
            let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == word);
            if let Some(outcome) =
                outcome.filter(|_| self.live.is_current(RecordId::from_bytes(id), seq.unsigned_abs()))
            {
                *digest.outcomes.entry(outcome).or_insert(0) += 1;
            }
        }
        let mut rows = db.prepare("SELECT outcome, sum(number) FROM forgotten GROUP BY outcome")?;
        for row in rows.query_map((), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))? {
            let (word, number) = row?;
            digest.forgotten.insert(word, number);
        }
        Ok(digest)
    }

    /// Hands all events to `take`, in their order, until it fails.
    pub fn events<E: From<LedgerError>>(
        &self,
        mut take: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT seq, kind, id, attempt, time, body, line FROM event ORDER BY seq";
        let mut rows = self.db.prepare(sql).at(&self.path, "read")?;
        let mut rows = rows.query(()).at(&self.path, "read")?;
        while let Some(row) = rows.next().at(&self.path, "read")? {
            if let Some(entry) = entry(row).at(&self.path, "read")? {
                take(entry)?;
            }
        }
        Ok(())
    }
}

impl InDoubt {
    /// Whether it waits for a person: a second one could do harm, and nothing has been decided that lets it be sent or ends it.
    pub fn is_held(&self) -> bool {
        !self.is_safe() && !matches!(self.verdict, Some(crate::Verdict::Send | crate::Verdict::Ended(_)))
    }
}

fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Entry>> {
    let kind: i64 = row.get(1)?;
    let id: Option<[u8; 16]> = row.get(2)?;
    let body: Option<String> = row.get(5)?;
    let (Some(kind), Ok(time)) = (Kind::of(kind), Timestamp::from_microsecond(row.get(4)?)) else {
        return Ok(None);
    };
    let asks = matches!(kind, Kind::Intent | Kind::Verdict);
    Ok(Some(Entry {
        seq: row.get::<_, i64>(0)?.unsigned_abs(),
        time,
        kind: kind.as_str(),
        id: id.map(RecordId::from_bytes),
        attempt: row.get(3)?,
        retry: body.as_ref().filter(|_| !asks).and_then(|body| serde_json::from_str(body).ok()),
        request: body.filter(|_| asks),
        line: row.get(6)?,
    }))
}
