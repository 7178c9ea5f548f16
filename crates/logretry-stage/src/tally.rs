use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use logretry_record::{Outcome, Reason, Retry};

/// The numbers of a run, counted by its stages while they work.
///
/// Each number has one stage that counts it, at the moment at which the record leaves that stage; [`Tally::accounts`] reads
/// them all, and [`Accounts::check`] says whether they add up.
#[derive(Debug, Default)]
pub struct Tally {
    bytes: AtomicU64,
    bytes_total: AtomicU64,
    lines: AtomicU64,
    records: AtomicU64,
    rejected: AtomicU64,
    screened: AtomicU64,
    selected: AtomicU64,
    dropped: [AtomicU64; Dropped::ALL.len()],
    taken: AtomicU64,
    outcomes: [AtomicU64; Outcome::ALL.len()],
    before: [AtomicU64; Outcome::ALL.len()],
    reasons: [AtomicU64; Reason::ALL.len() + 1],
    unfinished: AtomicU64,
    in_flight: AtomicU64,
    written: AtomicU64,
}

/// Why the filter dropped a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dropped {
    /// Its URL carries the mark, or it was sent by logretry itself.
    Marked,
    /// Its status is not selected.
    Status,
    /// Its method is not selected.
    Method,
    /// Its host is not selected.
    Host,
    /// Its path is not selected.
    Path,
    /// Its time is not selected.
    Time,
    /// The expression does not hold for it.
    Expression,
    /// The expression cannot be told for it.
    ExpressionFailed,
    /// A later line shows that it has succeeded since.
    Recovered,
    /// An equal request was selected before.
    Duplicate,
    /// It was left out by sampling.
    Sample,
    /// The limit was reached.
    Limit,
}

impl Dropped {
    /// All of them, in the order in which a filter decides.
    pub const ALL: [Self; 12] = [
        Self::Marked,
        Self::Status,
        Self::Method,
        Self::Host,
        Self::Path,
        Self::Time,
        Self::Expression,
        Self::ExpressionFailed,
        Self::Recovered,
        Self::Duplicate,
        Self::Sample,
        Self::Limit,
    ];

    /// What a summary calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Marked => "our own",
            Self::Status => "other status",
            Self::Method => "other method",
            Self::Host => "other host",
            Self::Path => "other path",
            Self::Time => "other time",
            Self::Expression => "excluded by --where",
            Self::ExpressionFailed => "failed in --where",
            Self::Recovered => "recovered since",
            Self::Duplicate => "duplicate",
            Self::Sample => "not sampled",
            Self::Limit => "over the limit",
        }
    }
}

impl Tally {
    /// A reader has handed on `records`, having used up `lines` lines of which it rejected and screened so many.
    pub fn read(&self, lines: u64, records: u64, rejected: u64, screened: u64) {
        add(&self.lines, lines);
        add(&self.records, records);
        add(&self.rejected, rejected);
        add(&self.screened, screened);
    }

    /// A reader has used up so many bytes of its files as they lie on disk.
    pub fn read_bytes(&self, bytes: u64) {
        add(&self.bytes, bytes);
    }

    /// A reader knows that so many more bytes are to come.
    pub fn expect_bytes(&self, bytes: u64) {
        add(&self.bytes_total, bytes);
    }

    /// The filter has let a record pass.
    pub fn select(&self) {
        add(&self.selected, 1);
    }

    /// The filter has dropped a record.
    pub fn drop_for(&self, why: Dropped) {
        add(&self.dropped[why as usize], 1);
    }

    /// The refirer has taken a record.
    pub fn take(&self) {
        add(&self.taken, 1);
    }

    /// The refirer begins (`1`) or ends (`-1`) a request.
    pub fn in_flight(&self, change: i8) {
        if change >= 0 {
            add(&self.in_flight, 1);
        } else {
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The refirer has decided a record.
    pub fn settle(&self, retry: &Retry) {
        add(&self.outcomes[position(&Outcome::ALL, &retry.outcome)], 1);
        if !retry.outcome.is_sent() {
            // Another program may have taken it away.
            let reason = retry.reason.unwrap_or(Reason::Other);
            add(&self.reasons[position(Reason::ALL, &reason)], 1);
        }
        self.note_unfinished(retry);
    }

    /// The refirer has found that a record was decided by an earlier run.
    pub fn settle_before(&self, retry: &Retry) {
        add(&self.before[position(&Outcome::ALL, &retry.outcome)], 1);
        self.note_unfinished(retry);
    }

    fn note_unfinished(&self, retry: &Retry) {
        if retry.outcome.is_sent() && retry.goes_on() {
            add(&self.unfinished, 1);
        }
    }

    /// The writer has written so many lines into the retry log.
    pub fn write(&self, lines: u64) {
        add(&self.written, lines);
    }

    /// The numbers as they are now.
    pub fn accounts(&self) -> Accounts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let reasons = Reason::ALL.iter().copied().chain([Reason::Other]);
        Accounts {
            bytes: get(&self.bytes),
            bytes_total: get(&self.bytes_total),
            lines: get(&self.lines),
            records: get(&self.records),
            rejected: get(&self.rejected),
            screened: get(&self.screened),
            selected: get(&self.selected),
            dropped: counted(Dropped::ALL.into_iter(), &self.dropped),
            taken: get(&self.taken),
            outcomes: counted(Outcome::ALL.into_iter(), &self.outcomes),
            before: counted(Outcome::ALL.into_iter(), &self.before),
            reasons: counted(reasons, &self.reasons),
            unfinished: get(&self.unfinished),
            in_flight: get(&self.in_flight),
            written: get(&self.written),
        }
    }
}

fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}

/// Where `wanted` stands in `all`; one past the end if it does not.
fn position<T: PartialEq>(all: &[T], wanted: &T) -> usize {
    all.iter().position(|one| one == wanted).unwrap_or(all.len())
}

fn counted<K: Ord>(keys: impl Iterator<Item = K>, counters: &[AtomicU64]) -> BTreeMap<K, u64> {
    keys.zip(counters)
        .map(|(key, counter)| (key, counter.load(Ordering::Relaxed)))
        .filter(|(_, n)| *n > 0)
        .collect()
}

/// The numbers of a run at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accounts {
    /// Bytes read, as they lie on disk.
    pub bytes: u64,
    /// Bytes to be read, as far as that is known.
    pub bytes_total: u64,
    /// Lines read: `records + rejected + screened`.
    pub lines: u64,
    /// Lines that became records.
    pub records: u64,
    /// Lines that could not be used.
    pub rejected: u64,
    /// Lines left out by the reader because they hold no request or cannot be selected.
    pub screened: u64,
    /// Records that the filter let pass.
    pub selected: u64,
    /// Records that the filter dropped, by reason.
    pub dropped: BTreeMap<Dropped, u64>,
    /// Records that reached the refirer.
    pub taken: u64,
    /// Records that the refirer decided, by outcome.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Records that an earlier run has decided, by outcome.
    pub before: BTreeMap<Outcome, u64>,
    /// Records that were not sent, by reason.
    pub reasons: BTreeMap<Reason, u64>,
    /// Records among those that were sent, now or before, which the same run again sends once more: a stop came before their next attempt.
    pub unfinished: u64,
    /// Requests that are under way.
    pub in_flight: u64,
    /// Lines written into the retry log.
    pub written: u64,
}

impl Accounts {
    /// Records that ended with `outcome`.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// Requests that went out.
    pub fn sent(&self) -> u64 {
        self.outcomes.iter().filter(|(outcome, _)| outcome.is_sent()).map(|(_, n)| n).sum()
    }

    /// Records that were decided without a request.
    pub fn not_sent(&self) -> u64 {
        self.outcomes.iter().filter(|(outcome, _)| !outcome.is_sent()).map(|(_, n)| n).sum()
    }

    /// Records that an earlier run has decided.
    pub fn done_before(&self) -> u64 {
        self.before.values().sum()
    }

    /// Requests sent that did not recover, now or before, and records that were not sent.
    pub fn not_recovered(&self) -> u64 {
        let before = self.before.get(&Outcome::Recovered).copied().unwrap_or(0);
        self.sent() + self.not_sent() + self.done_before() - self.outcome(Outcome::Recovered) - before
    }

    /// Records that the refirer was to decide: those that the filter selected, or, without one, those that the refirer took.
    pub fn to_decide(&self) -> u64 {
        if self.selected > 0 { self.selected } else { self.taken }
    }

    /// Whether the numbers add up. Each equation speaks of one stage, and holds for a run without that stage too.
    pub fn check(&self) -> Result<(), Imbalance> {
        let dropped: u64 = self.dropped.values().sum();
        let decided = self.done_before() + self.sent() + self.not_sent();
        let reasons: u64 = self.reasons.values().sum();
        let equations = [
            (
                "lines = records + rejected + screened",
                self.lines,
                self.records + self.rejected + self.screened,
            ),
            ("records = selected + dropped", self.records, self.selected + dropped),
            ("selected = done before + sent + not sent", self.to_decide(), decided),
            ("not sent = sum of its reasons", self.not_sent(), reasons),
        ];
        // A run without a filter or a refirer has nothing to say about theirs.
        let applies = [true, self.selected + dropped > 0, self.taken > 0, true];
        match equations.iter().zip(applies).find(|((_, left, right), applies)| *applies && left != right) {
            None => Ok(()),
            Some(((equation, left, right), _)) => Err(Imbalance { equation, left: *left, right: *right }),
        }
    }
}

/// Numbers that do not add up: a defect of logretry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "vouch for the numbers, which do not add up ({equation}: {left} is not {right}); this is a defect of logretry, please report it"
)]
pub struct Imbalance {
    equation: &'static str,
    left: u64,
    right: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_gets_lost_anywhere_is_noticed() {
        let whole = Accounts {
            lines: 10,
            records: 7,
            rejected: 1,
            screened: 2,
            selected: 5,
            dropped: [(Dropped::Status, 2)].into(),
            taken: 5,
            outcomes: [(Outcome::Recovered, 3), (Outcome::Skipped, 2)].into(),
            reasons: [(Reason::NoBody, 2)].into(),
            ..Accounts::default()
        };
        assert_eq!(whole.check(), Ok(()));
        for (broken, equation) in [
            (Accounts { lines: 11, ..whole.clone() }, "lines = records + rejected + screened"),
            (Accounts { dropped: BTreeMap::new(), ..whole.clone() }, "records = selected + dropped"),
            (
                Accounts {
                    taken: 4,
                    outcomes: [(Outcome::Recovered, 2), (Outcome::Skipped, 2)].into(),
                    ..whole.clone()
                },
                "selected = done before + sent + not sent",
            ),
            (
                Accounts { before: [(Outcome::Recovered, 1)].into(), ..whole.clone() },
                "selected = done before + sent + not sent",
            ),
            (
                Accounts { reasons: [(Reason::NoBody, 1)].into(), ..whole.clone() },
                "not sent = sum of its reasons",
            ),
        ] {
            let imbalance = broken.check().expect_err(equation);
            assert_eq!(imbalance.equation, equation);
        }
    }

    #[test]
    fn without_a_filter_or_a_refirer_their_equations_say_nothing() {
        let read = Accounts { lines: 3, records: 3, ..Accounts::default() };
        assert_eq!(read.check(), Ok(()));
        let refired = Accounts { taken: 3, outcomes: [(Outcome::Failing, 3)].into(), ..read.clone() };
        assert_eq!((refired.check(), refired.to_decide()), (Ok(()), 3));
        let filtered = Accounts { selected: 3, ..read };
        assert_eq!(filtered.check(), Ok(()));
    }

    /// What `jq` had made so ended with "this is a defect of logretry".
    #[test]
    fn a_record_that_was_not_sent_and_does_not_say_why_is_counted_all_the_same() {
        let tally = Tally::default();
        tally.take();
        let time = "2026-11-22T06:22:52Z".parse().expect("a time");
        tally.settle(&Retry { reason: None, ..Retry::not_sent(time, Reason::NoBody) });
        let accounts = tally.accounts();
        assert_eq!((accounts.check(), accounts.reasons), (Ok(()), [(Reason::Other, 1)].into()));
    }
}
