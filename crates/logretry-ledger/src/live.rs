//! What is known of each record, in memory: what a database would keep in an index.
//!
//! About 50 bytes a record that has been sent. It is rebuilt from the events when a ledger is opened.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::path::Path;

use logretry_record::{IdHasher, RecordId};
use rusqlite::{Connection, Row};

use crate::LedgerError;
use crate::error::At as _;
use crate::event::{Kind, sum};

/// How a record stands, with the row that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing is written down about it.
    Nothing,
    /// A request went out, and its end is not known.
    Open(u64),
    /// Its last request has ended, and it was to be sent again.
    Answered(u64),
    /// It has ended.
    Done(u64),
    /// It was in doubt, and has been decided.
    Decided(u64),
}

/// A standing, and whether this process has taken the record up: the row's number in the upper 60 bits.
#[derive(Debug, Clone, Copy)]
struct Entry(u64);

impl Entry {
    const CLAIMED: u64 = 8;

    fn new(standing: Standing, claimed: bool) -> Self {
        let (seq, tag) = match standing {
            Standing::Nothing => (0, 0),
            Standing::Open(seq) => (seq, 1),
            Standing::Answered(seq) => (seq, 2),
            Standing::Done(seq) => (seq, 3),
            Standing::Decided(seq) => (seq, 4),
        };
        Self(seq << 4 | tag | if claimed { Self::CLAIMED } else { 0 })
    }

    fn standing(self) -> Standing {
        let seq = self.0 >> 4;
        match self.0 & 7 {
            1 => Standing::Open(seq),
            2 => Standing::Answered(seq),
            3 => Standing::Done(seq),
            4 => Standing::Decided(seq),
            _ => Standing::Nothing,
        }
    }

    fn is_claimed(self) -> bool {
        self.0 & Self::CLAIMED != 0
    }
}

/// Of a map that grows, the old one and the new one, twice as large, are there at once. In shards, that is so for a part of it at a time.
const SHARDS: usize = 64;

type Shard = HashMap<RecordId, Entry, BuildHasherDefault<IdHasher>>;

#[derive(Debug)]
pub(crate) struct Live {
    /// By the last byte of the id.
    shards: Box<[Shard; SHARDS]>,
}

impl Default for Live {
    fn default() -> Self {
        Self { shards: Box::new(std::array::from_fn(|_| Shard::default())) }
    }
}

impl Live {
    /// Reads all events of the ledger at `path`, and checks them.
    pub(crate) fn rebuild(db: &Connection, path: &Path) -> Result<Self, LedgerError> {
        let mut live = Self::default();
        let sql = "SELECT seq, time, kind, id, attempt, body, sum FROM event ORDER BY seq";
        let mut rows = db.prepare(sql).at(path, "read")?;
        let mut rows = rows.query(()).at(path, "read")?;
        while let Some(row) = rows.next().at(path, "read")? {
            let seq = row.get(0).at(path, "read")?;
            if !live.take(seq, row).unwrap_or(false) {
                let what = format!("row {seq} does not have its checksum");
                return Err(LedgerError::Damaged { path: path.to_owned(), what });
            }
        }
        Ok(live)
    }

    /// Enters a row, if it has its checksum.
    fn take(&mut self, seq: i64, row: &Row<'_>) -> rusqlite::Result<bool> {
        let (kind, id) = (row.get(2)?, row.get_ref(3)?.as_blob_or_null()?);
        let body = row.get_ref(5)?.as_str_or_null()?;
        let whole =
            sum(seq, row.get(1)?, kind, id, row.get(4)?, body.map(str::as_bytes)) == row.get::<_, u32>(6)?;
        let id = id.map(TryInto::try_into).transpose();
        match (whole, Kind::of(kind), id) {
            (true, Some(kind), Ok(Some(id))) => {
                self.enter(RecordId::from_bytes(id), kind, seq.unsigned_abs(), false);
                Ok(true)
            }
            (whole, Some(_), Ok(None)) => Ok(whole),
            _ => Ok(false),
        }
    }

    fn shard(&mut self, id: RecordId) -> &mut Shard {
        &mut self.shards[place(id)]
    }

    /// An event of the record is in the file, as row `seq`.
    pub(crate) fn enter(&mut self, id: RecordId, kind: Kind, seq: u64, here: bool) {
        let standing = match kind {
            Kind::Intent => Standing::Open(seq),
            Kind::Answer => Standing::Answered(seq),
            Kind::Outcome => Standing::Done(seq),
            Kind::Verdict => Standing::Decided(seq),
            // Nothing of it was ever looked at, so it is as if new; but not twice in one run.
            Kind::Failure => Standing::Nothing,
            Kind::Line => return,
        };
        if standing == Standing::Nothing && !here {
            self.shard(id).remove(&id);
            return;
        }
        // Whoever has taken up a record keeps it: what comes twice is told alike, however soon the first has ended.
        let claimed = here && kind != Kind::Verdict;
        self.shard(id).insert(id, Entry::new(standing, claimed));
    }

    /// Takes up the record; none if this process has already done so.
    pub(crate) fn claim(&mut self, id: RecordId) -> Option<Standing> {
        let entry = self.shard(id).entry(id).or_insert(Entry(0));
        let standing = entry.standing();
        if entry.is_claimed() {
            return None;
        }
        if !matches!(standing, Standing::Done(_)) {
            *entry = Entry::new(standing, true);
        }
        Some(standing)
    }

    /// Gives the record back without having sent it, so that it can be taken up again.
    pub(crate) fn give_back(&mut self, id: RecordId) {
        let shard = self.shard(id);
        match shard.get_mut(&id) {
            Some(entry) if entry.standing() == Standing::Nothing => {
                self.shard(id).remove(&id);
            }
            Some(entry) => *entry = Entry::new(entry.standing(), false),
            None => {}
        }
    }

    /// How the record stands.
    pub(crate) fn standing(&self, id: RecordId) -> Standing {
        self.shards[place(id)].get(&id).map_or(Standing::Nothing, |entry| entry.standing())
    }

    /// Whether the row still says how its record stands; if not, a later one does.
    pub(crate) fn is_current(&self, id: RecordId, seq: u64) -> bool {
        match self.standing(id) {
            Standing::Nothing => false,
            Standing::Open(now) | Standing::Answered(now) | Standing::Done(now) | Standing::Decided(now) => {
                now == seq
            }
        }
    }

    /// Forgets the record.
    pub(crate) fn forget(&mut self, id: RecordId) {
        self.shard(id).remove(&id);
    }

    /// The rows of those that are in doubt, decided or not, in their order.
    pub(crate) fn in_doubt(&self) -> Vec<u64> {
        let rows = self.shards.iter().flat_map(HashMap::values).filter_map(|entry| match entry.standing() {
            Standing::Open(seq) | Standing::Decided(seq) => Some(seq),
            _ => None,
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_unstable();
        rows
    }

    /// All standings that rows speak of.
    pub(crate) fn standings(&self) -> impl Iterator<Item = (RecordId, Standing)> {
        self.shards.iter().flatten().map(|(id, entry)| (*id, entry.standing()))
    }
}

fn place(id: RecordId) -> usize {
    usize::from(id.as_bytes()[15]) % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_taken_up_once() {
        let (mut live, id) = (Live::default(), RecordId::of_line(b"x", 0));
        assert_eq!(live.claim(id), Some(Standing::Nothing));
        assert_eq!(live.claim(id), None);
        live.enter(id, Kind::Intent, 7, true);
        assert_eq!(live.claim(id), None, "it is under way");
        live.enter(id, Kind::Outcome, 9, true);
        assert_eq!(live.claim(id), None, "it has ended here");
        live.enter(id, Kind::Outcome, 9, false);
        assert_eq!(live.claim(id), Some(Standing::Done(9)), "it had ended before");
        assert!(live.is_current(id, 9) && !live.is_current(id, 7));
    }

    #[test]
    fn what_was_given_back_can_be_taken_up_again() {
        let (mut live, id) = (Live::default(), RecordId::of_line(b"x", 0));
        live.enter(id, Kind::Intent, 7, false);
        assert_eq!(live.claim(id), Some(Standing::Open(7)));
        live.give_back(id);
        assert_eq!((live.claim(id), live.in_doubt()), (Some(Standing::Open(7)), vec![7]));
    }

    #[test]
    fn what_never_left_is_new_in_the_next_run_and_not_in_this_one() {
        let (mut live, id) = (Live::default(), RecordId::of_line(b"x", 0));
        assert_eq!(live.claim(id), Some(Standing::Nothing));
        live.enter(id, Kind::Failure, 3, true);
        assert_eq!(live.claim(id), None);
        live.enter(id, Kind::Failure, 3, false);
        assert_eq!(live.claim(id), Some(Standing::Nothing));
    }
}
