use std::path::Path;

use logretry_ledger::{Before, Digest, Look};
use logretry_record::{Outcome, RecordId, Retry};
use logretry_stage::{Fatal, Result};

/// What a ledger says about requests.
#[derive(Debug)]
pub(crate) struct Standings {
    look: Look,
    pub(crate) digest: Digest,
    /// The outcomes, by id, as the status of their lines.
    ended: Vec<(RecordId, u16)>,
    /// Ids with more than one outcome.
    pub(crate) twice: Vec<RecordId>,
}

/// How a request stands in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has ended: with an answer of this status, or without one (0).
    Ended { status: u16 },
    /// It was cut off on its way, and a person has to decide.
    Held,
    /// The next run sends it again, or finds out how it ended.
    GoesOn,
    /// No request of it went out, or none had a connection.
    New,
}

impl Standings {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let look = Look::open(path).map_err(Fatal::new)?;
        let digest = look.digest().map_err(Fatal::new)?;
        let mut ended = Vec::new();
        look.events(|entry| {
            if let ("outcome", Some(id), Some(retry)) = (entry.kind, entry.id, &entry.retry) {
                ended.push((id, status(retry)));
            }
            Ok(())
        })
        .map_err(|error: logretry_ledger::LedgerError| Fatal::new(error))?;
        ended.sort_unstable();
        let mut twice: Vec<_> =
            ended.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0).collect();
        twice.dedup();
        ended.dedup_by_key(|(id, _)| *id);
        Ok(Self { look, digest, ended, twice })
    }

    pub(crate) fn of(&self, id: RecordId) -> Result<Standing> {
        if let Ok(place) = self.ended.binary_search_by_key(&id, |(id, _)| *id) {
            return Ok(Standing::Ended { status: self.ended[place].1 });
        }
        Ok(match self.look.before(id).map_err(Fatal::new)? {
            Before::New | Before::Repeated => Standing::New,
            Before::Done(retry) => Standing::Ended { status: status(&retry) },
            Before::InDoubt(doubt) if doubt.is_held() => Standing::Held,
            Before::Answered(_) | Before::InDoubt(_) => Standing::GoesOn,
        })
    }

    /// How it ended, in words.
    pub(crate) fn end(&self, id: RecordId) -> Option<String> {
        let Ok(Before::Done(retry)) = self.look.before(id) else { return None };
        let status = retry.status.map_or_else(String::new, |status| format!(" with {status}"));
        Some(format!("{}{status} at {:.0}", retry.outcome.as_str(), retry.time))
    }

    /// Requests that have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.ended.len() as u64
    }

    /// Outcomes that were pruned.
    pub(crate) fn forgotten(&self) -> u64 {
        self.digest.forgotten.values().sum()
    }
}

/// The status that its line of the retry log has; 0 for `000`.
fn status(retry: &Retry) -> u16 {
    let has_answer = !matches!(retry.outcome, Outcome::Unanswered | Outcome::InDoubt);
    retry.status.filter(|_| has_answer).unwrap_or(0)
}
