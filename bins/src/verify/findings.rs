use std::collections::BTreeMap;

use logretry_record::{Outcome, Reason, RecordId, Retry};
use logretry_stage::{Fatal, Result, Tally};

use super::books::{Standing, Standings};
use super::keys::Read;
use super::selection::{Lines, Selected, Selection, Took};

/// What was found, in numbers, and the first few of what is not as it should be.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Requests that are to have a line, or a reason.
    pub(crate) selected: u64,
    /// Those of them that have a line.
    pub(crate) covered: u64,
    /// How these ended, as their lines say.
    pub(crate) outcomes: BTreeMap<Outcome, u64>,
    /// Those of them that had no connection then, and have been cut off since, or are to be sent again.
    open_with_a_line: u64,
    /// Those without one that are not to be sent.
    pub(crate) reasons: BTreeMap<Reason, u64>,
    /// Lines in the retry log.
    pub(crate) lines: u64,
    /// Lines without an answer of requests that were tried again since.
    pub(crate) earlier: u64,
    /// Records by how they stand in the ledger.
    pub(crate) standings: BTreeMap<Known, u64>,
    pub(crate) problems: BTreeMap<Problem, Found>,
}

/// How a request stands, if there is a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Known {
    Ended,
    /// It has a line, and the ledger no outcome.
    LineOnly,
    Held,
    GoesOn,
    /// It was never sent.
    New,
}

/// What is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Problem {
    /// A request has no line, and there is no ledger that could say why.
    Missing,
    /// The ledger has the outcome, and the retry log no line.
    Lost,
    /// The line has another status than the ledger.
    Changed,
    /// A line whose request has one already.
    Double,
    /// A line of none of the requests.
    Foreign,
    /// A request has a line, and the ledger no outcome.
    LineOnly,
    /// The ledger has two outcomes.
    Twice,
    /// A line that cannot be read.
    Damaged,
    /// Cut off on its way, and a person has to decide.
    Held,
    /// Cut off on its way, or to be sent again.
    GoesOn,
    /// Never sent.
    Unsent,
}

/// How many there are of a problem, and the first few.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) number: u64,
    pub(crate) first: Vec<Place>,
}

/// Where a problem is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The log; none for the retry log.
    pub(crate) source: Option<Vec<u8>>,
    pub(crate) line: u64,
    /// What the person is to know of it: a request, or what is wrong with the line.
    pub(crate) text: String,
    /// What the ledger knows besides.
    pub(crate) note: Option<String>,
    pub(crate) id: Option<RecordId>,
}

/// Places that are named of each problem.
pub(crate) const SHOWN_MAX: usize = 5;

impl Findings {
    /// Takes the next line of the retry log.
    pub(crate) fn take(&mut self, line: u64, read: Read, selection: &mut Selection) {
        self.lines += 1;
        let (problem, text) = match read {
            Read::Refire { key, status, request } => match selection.take(key, status) {
                Took::One => {
                    if status > 0 {
                        *self.outcomes.entry(Outcome::of_status(status)).or_insert(0) += 1;
                    }
                    return;
                }
                Took::Double => (Problem::Double, request),
            },
            Read::Foreign { request } => (Problem::Foreign, request),
            Read::Damaged { why } => (Problem::Damaged, why.to_owned()),
        };
        self.found(problem, Place { source: None, line, text, note: None, id: None });
    }

    /// To be called when all lines have been taken: what each of the requests is.
    pub(crate) fn weigh(&mut self, selection: &Selection, ledger: Option<&Standings>) -> Result<()> {
        for (group, lines) in selection.groups() {
            let (answered, unanswered) = (lines.statuses.len(), lines.unanswered);
            let covered = group.len().min(answered + unanswered);
            self.selected += group.len() as u64;
            self.covered += covered as u64;
            self.earlier += (answered + unanswered - covered) as u64;
            let count = (covered - answered) as u64;
            if count > 0 {
                *self.outcomes.entry(Outcome::Unanswered).or_insert(0) += count;
            }
            match ledger {
                None => self.weigh_alone(&group[covered..], selection),
                Some(ledger) => self.compare(group, lines, selection, ledger)?,
            }
        }
        Ok(())
    }

    fn weigh_alone(&mut self, without: &[Selected], selection: &Selection) {
        for one in without {
            match one.reason {
                Some(reason) => *self.reasons.entry(reason).or_insert(0) += 1,
                None => self.found_at(Problem::Missing, one, selection),
            }
        }
    }

    /// Gives each of some equal requests the line that it should have, as the ledger knows it.
    fn compare(
        &mut self,
        group: &[Selected],
        lines: Lines<'_>,
        selection: &Selection,
        ledger: &Standings,
    ) -> Result<()> {
        // By status: of a page that is asked for all day, there may be very many.
        let (mut answered, mut unanswered) = (BTreeMap::new(), lines.unanswered);
        for status in lines.statuses {
            *answered.entry(*status).or_insert(0) += 1;
        }
        let (mut others, mut unlike) = (Vec::new(), Vec::new());
        for one in group {
            if ledger.twice.binary_search(&one.id).is_ok() {
                self.found_at(Problem::Twice, one, selection);
            }
            let standing = ledger.of(one.id)?;
            let Standing::Ended { status } = standing else {
                others.push((one, standing));
                continue;
            };
            *self.standings.entry(Known::Ended).or_insert(0) += 1;
            let left = if status > 0 { answered.get_mut(&status) } else { Some(&mut unanswered) };
            if left.is_some_and(take_one) {
                continue;
            }
            if status > 0 {
                unlike.push(one);
            } else {
                self.found_at(Problem::Lost, one, selection);
            }
        }
        for one in unlike {
            match answered.iter_mut().find_map(|(status, left)| take_one(left).then_some(*status)) {
                None => self.found_at(Problem::Lost, one, selection),
                Some(_) if lines.is_double => {}
                Some(status) => self.found_with(Problem::Changed, one, selection, Some(status)),
            }
        }
        let mut answered: usize = answered.values().sum();
        for (one, standing) in others {
            let is_open = matches!(standing, Standing::Held | Standing::GoesOn);
            if is_open && answered == 0 && take_one(&mut unanswered) {
                self.open_with_a_line += 1;
            }
            let known = match standing {
                _ if take_one(&mut answered) => {
                    if ledger.forgotten() == 0 {
                        self.found_at(Problem::LineOnly, one, selection);
                    }
                    Known::LineOnly
                }
                Standing::Held => {
                    self.found_at(Problem::Held, one, selection);
                    Known::Held
                }
                Standing::GoesOn | Standing::Ended { .. } => {
                    self.found_at(Problem::GoesOn, one, selection);
                    Known::GoesOn
                }
                // It had no connection, and is tried anew by the next run.
                Standing::New if take_one(&mut unanswered) => Known::LineOnly,
                Standing::New => {
                    match one.reason {
                        Some(reason) => *self.reasons.entry(reason).or_insert(0) += 1,
                        None => self.found_at(Problem::Unsent, one, selection),
                    }
                    Known::New
                }
            };
            *self.standings.entry(known).or_insert(0) += 1;
        }
        Ok(())
    }

    fn found_at(&mut self, problem: Problem, one: &Selected, selection: &Selection) {
        self.found_with(problem, one, selection, None);
    }

    /// The same where its line says another `status`.
    fn found_with(&mut self, problem: Problem, one: &Selected, selection: &Selection, status: Option<u16>) {
        let source = Some(selection.source(one).to_vec());
        let (line, id) = (one.line, Some(one.id));
        let note = status.map(|status| format!("its line says {status}"));
        self.found(problem, Place { source, line, text: String::new(), note, id });
    }

    fn found(&mut self, problem: Problem, place: Place) {
        let found = self.problems.entry(problem).or_default();
        found.number += 1;
        if found.first.len() < SHOWN_MAX || found.first.last().is_some_and(|last| *last > place) {
            found.first.push(place);
            found.first.sort_unstable();
            found.first.truncate(SHOWN_MAX);
        }
    }

    pub(crate) fn number(&self, problem: Problem) -> u64 {
        self.problems.get(&problem).map_or(0, |found| found.number)
    }

    /// Tells the tally, whose numbers decide how the program ends.
    pub(crate) fn settle(&self, tally: &Tally, repeated: u64) {
        let time = jiff::Timestamp::UNIX_EPOCH;
        let goes_on = self.number(Problem::Unsent) + self.number(Problem::GoesOn);
        let reasons = self.reasons.iter().map(|(reason, n)| (*reason, *n));
        for (reason, n) in reasons.chain([(Reason::Repeated, repeated), (Reason::Stopped, goes_on)]) {
            let not_sent = Retry::not_sent(time, reason);
            (0..n).for_each(|_| {
                tally.take();
                tally.settle(&not_sent);
            });
        }
        let held = (&Outcome::InDoubt, &self.number(Problem::Held));
        for (outcome, n) in self.outcomes.iter().chain([held]) {
            // These are counted as what they are now.
            let n =
                if *outcome == Outcome::Unanswered { n.saturating_sub(self.open_with_a_line) } else { *n };
            let retry = Retry { outcome: *outcome, reason: None, ..Retry::not_sent(time, Reason::Stopped) };
            (0..n).for_each(|_| {
                tally.take();
                tally.settle_before(&retry);
            });
        }
    }

    /// An error if the promise is broken: it says how, and what to do.
    pub(crate) fn verdict(&self, retry_log: &str, ledger: Option<&Standings>) -> Result<()> {
        let broken = [
            (Problem::Missing, "without a line"),
            (Problem::Lost, "whose line is lost"),
            (Problem::Double, "double"),
            (Problem::Foreign, "of no request"),
            (Problem::LineOnly, "without an outcome in the ledger"),
            (Problem::Changed, "whose line has another status than the ledger"),
            (Problem::Twice, "with two outcomes in the ledger"),
        ];
        let is_there = |(problem, _): &&(Problem, _)| self.number(*problem) > 0;
        let broken: Vec<_> = broken.iter().filter(is_there).collect();
        let Some((first, _)) = broken.first() else { return Ok(()) };
        let counts: Vec<_> =
            broken.iter().map(|(problem, words)| format!("{} {words}", self.number(*problem))).collect();
        let unmarked = ledger.is_some_and(|ledger| ledger.digest.unmarked_lines > 0);
        let is_another = self.lines > 0 && self.number(Problem::Damaged) == self.lines;
        let advice = match first {
            _ if is_another => {
                "none of its lines is in the format of the log: give the --as of the run, if it had one; what holds URLs, JSON or a table cannot be verified"
            }
            Problem::Missing => {
                "a run that was stopped goes on by the same command again; else give --ledger, which knows what was sent"
            }
            Problem::Lost if unmarked => "the same run again completes a retry log that a crash has cut off",
            Problem::Lost => {
                "they are not sent again; look for a part of the retry log that was moved away (in one file, given with -o, beside --ledger, all parts are checked together), or was cut off by hand"
            }
            Problem::Double if ledger.is_some_and(|ledger| ledger.forgotten() > 0) => {
                "whoever counts the lines counts these twice; their outcomes were pruned, and their requests sent again, or they come from a run with another ledger or none, or were copied"
            }
            Problem::Double => {
                "whoever counts the lines counts these twice; they come from a run with another ledger or none, or were copied"
            }
            Problem::Foreign => "give all logs that this retry log is of, and the flags that its run had",
            Problem::LineOnly => {
                "they were sent by a run with another ledger or none, and this one sends them again"
            }
            Problem::Changed => {
                "the ledger has how they ended; look for whoever has changed the retry log, or for another one"
            }
            _ => "the ledger was written by two programs, or changed by hand",
        };
        Err(Fatal::new(format!("vouch for {retry_log}: {}; {advice}", counts.join(", "))))
    }
}

/// Whether there was one to take.
fn take_one(left: &mut usize) -> bool {
    let is_there = *left > 0;
    *left -= usize::from(is_there);
    is_there
}
