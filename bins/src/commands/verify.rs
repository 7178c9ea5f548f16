use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Write as _;

use clap::Args;
use logretry_record::{Harmless, Outcome, Record, Shown};
use logretry_refirer::RefireArgs;
use logretry_rewriter::Form;
use logretry_stage::{Accounts, Context, Fatal, Result};

use super::run::RunFlags;
use crate::cli::{answer, listed, sentences};
use crate::verify::{
    Findings, Keys, Known, Place, Problem, Read, SHOWN_MAX, Selection, Standings, each_line,
};

/// Checks that a retry log has one line for each request that was sent, and no other.
///
/// It takes the flags of the run, reads the logs again, selects as the run did, and looks for the line of each request in the retry log: the two are the same but for
/// the mark, status, time, size and duration. The ledger has no part in that. Then it is asked what it knows: of a request without a line, why; of a line, whether
/// it has the outcome, with that status. Nothing is sent, and nothing is written.
///
/// The logs must be those of all runs that wrote this retry log. Without --base-url and --allow-host, every host counts as one that is sent to. Without a ledger
/// (beside the retry log, if not named otherwise) a request that was left unsent cannot be told from one whose line is lost. Of a retry log that was rotated, put
/// all parts into one file, oldest first, and give that with --output, and the ledger with --ledger.
///
/// Exit codes: 0 all selected requests have their line, and recovered; 1 something is missing, double or changed; 3 all is accounted for, and some requests are held, not to be
/// sent, or not recovered; 4 some are unsent, and the same run again goes on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  logretry verify access.log -o retry.log
  logretry verify --log access.log --output retry.log \\
    --ledger retry.log.ledger
  logretry verify access.log -o retry.log --no-ledger --status 502")]
pub(crate) struct Verify {
    /// The same as LOG; may be given more than once
    #[arg(long = "log", value_name = "LOG", help_heading = "Logs")]
    more_logs: Vec<OsString>,

    #[command(flatten)]
    pub(crate) flags: RunFlags,
}

impl Verify {
    pub(crate) async fn run(mut self, cx: &Context) -> Result<()> {
        self.flags.read.logs.append(&mut self.more_logs);
        let flags = any_host(self.flags);
        let output = flags.write.output.clone().ok_or_else(|| Fatal::usage(NO_RETRY_LOG))?;
        if !matches!(flags.write.form, Form::Same | Form::Combined) {
            return Err(Fatal::usage(NOT_A_LOG));
        }
        let has_default = flags.ledger.ledger.ledger.is_none();
        let ledger = flags.ledger.path(&flags.write).filter(|path| !has_default || path.exists());

        let mut keys = Keys::new(flags.write.form, &flags.mark.mark);
        let mut selection = Selection::default();
        let known_by = flags.known_by();
        let selecting = flags.judge_all(cx, |record, judged| {
            let method = judged.as_ref().ok().map(|planned| planned.method().to_owned());
            let method = method.as_deref().or(record.original().method.as_deref());
            let key = keys.of_record(record, method);
            selection.push(record, key, known_by(record), judged.err());
        });
        selecting.await?;
        selection.complete();

        let mut findings = Findings::default();
        let limit = flags.read.line_limit.saturating_add(LINE_MORE);
        each_line(&output, limit, |number, line| {
            let read = match line {
                Some(line) => keys.read(line, |key| selection.knows(key)),
                None => Read::Damaged { why: "it is too long" },
            };
            findings.take(number, read, &mut selection);
        })?;
        let ledger = ledger.as_deref().map(Standings::read).transpose()?;
        findings.weigh(&selection, ledger.as_ref())?;
        name(&mut findings, &flags, ledger.as_ref()).await?;

        let retry_log = output.display().to_string();
        let report = Report { findings: &findings, repeated: selection.repeated, retry_log: &retry_log };
        let text = report.text(&cx.tally().accounts(), ledger.as_ref());
        answer(Harmless(&text).to_string().as_bytes())?;
        findings.verdict(&retry_log, ledger.as_ref())?;
        findings.settle(cx.tally(), selection.repeated);
        Ok(())
    }
}

const NO_RETRY_LOG: &str = "verify without a retry log: name it with -o";

const NOT_A_LOG: &str =
    "verify a retry log of URLs, JSON or a table: it must be a log (`--as same` or `combined`)";

/// A line of the retry log may be longer than the log's by its mark and its numbers.
const LINE_MORE: usize = 64 << 10;

/// The same flags, where each host is one that may be sent to, if none is named.
fn any_host(mut flags: RunFlags) -> RunFlags {
    if flags.refire.base_url.is_none() && flags.refire.allow_host.is_empty() {
        let base_url = Some("http://logretry.invalid".to_owned());
        flags.refire = RefireArgs { base_url, ..flags.refire };
    }
    flags
}

/// Finds the requests at the places that are to be named: they were not kept, so the logs are read again.
async fn name(findings: &mut Findings, flags: &RunFlags, ledger: Option<&Standings>) -> Result<()> {
    let mut places: HashMap<(Vec<u8>, u64), Vec<&mut Place>> = HashMap::new();
    for (problem, found) in &mut findings.problems {
        for place in &mut found.first {
            if let (Problem::Lost | Problem::Changed, Some(ledger), Some(id)) = (problem, ledger, place.id) {
                let said = place.note.take().into_iter().chain(ledger.end(id));
                place.note = said.reduce(|line, ledger| format!("{line}, the ledger {ledger}"));
            }
            if let Some(source) = place.source.clone() {
                places.entry((source, place.line)).or_default().push(place);
            }
        }
    }
    if places.is_empty() || !flags.can_be_read_twice()? {
        return Ok(());
    }
    flags
        .judge_all(&Context::default(), |record, _| {
            let origin = record.origin();
            for place in places.get_mut(&(origin.source.to_vec(), origin.line)).into_iter().flatten() {
                place.text = request(record);
            }
        })
        .await
}

fn request(record: &Record) -> String {
    let original = record.original();
    let method = original.method.as_deref().unwrap_or("-");
    format!("{method} {}", original.target.as_deref().unwrap_or("-"))
}

struct Report<'a> {
    findings: &'a Findings,
    repeated: u64,
    retry_log: &'a str,
}

impl Report<'_> {
    fn text(&self, accounts: &Accounts, ledger: Option<&Standings>) -> String {
        let mut sentences = sentences(accounts, None);
        self.alone(ledger.is_some(), &mut sentences);
        if let Some(ledger) = ledger {
            self.beside(ledger, &mut sentences);
        }
        let mut text = sentences.join("\n") + "\n";
        self.places(&mut text);
        text
    }

    /// What the logs alone say.
    fn alone(&self, has_ledger: bool, sentences: &mut Vec<String>) {
        let found = self.findings;
        let (selected, covered, retry_log) = (found.selected, found.covered, self.retry_log);
        let without = selected - covered;
        let of = |problem| found.number(problem);
        let repeated = self.repeated;
        let repeats = if repeated > 0 { format!(" + {repeated} repeated") } else { String::new() };
        sentences.push(format!(
            "{} selected = {covered} with a line in {retry_log} + {without} without{repeats}",
            selected + repeated
        ));
        sentences.push(format!(
            "{} lines in {retry_log} = {covered} + {} earlier ones without an answer + {} double + {} of no request + {} damaged",
            found.lines,
            found.earlier,
            of(Problem::Double),
            of(Problem::Foreign),
            of(Problem::Damaged)
        ));
        let outcome = |outcome| found.outcomes.get(&outcome).copied().unwrap_or(0);
        sentences.push(format!(
            "{covered} with a line = {} recovered + {} refused + {} failing + {} unanswered",
            outcome(Outcome::Recovered),
            outcome(Outcome::Refused),
            outcome(Outcome::Failing),
            outcome(Outcome::Unanswered)
        ));
        if !has_ledger {
            let not_to_be_sent = self.not_to_be_sent();
            sentences
                .push(format!("{without} without = {not_to_be_sent} + {} missing", of(Problem::Missing)));
        }
    }

    fn not_to_be_sent(&self) -> String {
        let reasons = &self.findings.reasons;
        let listed = listed(reasons.iter().map(|(reason, n)| (n, reason.as_str())));
        format!("{} not to be sent by these flags{listed}", reasons.values().sum::<u64>())
    }

    /// What the ledger says to it.
    fn beside(&self, ledger: &Standings, sentences: &mut Vec<String>) {
        let found = self.findings;
        let of = |known| found.standings.get(&known).copied().unwrap_or(0);
        let (ended, new) = (of(Known::Ended), of(Known::New));
        sentences.push(format!(
            "in the ledger: {} selected = {ended} ended + {} with a line only + {} held + {} to go on + {new} never sent",
            found.selected,
            of(Known::LineOnly),
            of(Known::Held),
            of(Known::GoesOn),
        ));
        let (lost, changed) = (found.number(Problem::Lost), found.number(Problem::Changed));
        let unlike =
            if changed > 0 { format!(" + {changed} whose line has another status") } else { String::new() };
        sentences.push(format!(
            "{ended} ended = {} with their line + {lost} whose line is lost{unlike}",
            ended - lost - changed
        ));
        let not_to_be_sent = self.not_to_be_sent();
        let unsent = found.number(Problem::Unsent);
        sentences.push(format!("{new} never sent = {not_to_be_sent} + {unsent} unsent"));
        let others = ledger.ended().saturating_sub(ended);
        if others > 0 {
            sentences.push(format!("{others} outcomes are of requests that are not selected here"));
        }
        if ledger.forgotten() > 0 {
            sentences.push(format!("{} outcomes were pruned from the ledger", ledger.forgotten()));
        }
        if let Some(holder) = &ledger.digest.holder {
            let holder = Shown(holder.as_bytes());
            sentences.push(format!("a run is under way ({holder}): what it does meanwhile may look missing"));
        }
    }

    fn places(&self, text: &mut String) {
        for (problem, found) in &self.findings.problems {
            let word = match problem {
                Problem::Missing => "missing",
                Problem::Lost => "lost",
                Problem::Changed => "changed",
                Problem::Double => "double",
                Problem::Foreign => "no request",
                Problem::LineOnly => "no outcome",
                Problem::Twice => "two outcomes",
                Problem::Damaged => "damaged",
                Problem::Held => "held",
                Problem::GoesOn => "to go on",
                Problem::Unsent => "unsent",
            };
            text.push('\n');
            for place in &found.first {
                let source = place.source.as_deref().unwrap_or(self.retry_log.as_bytes());
                let (source, request) = (Shown(source), Shown(place.text.as_bytes()));
                let note = place.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
                let _ = writeln!(text, "{word:<14}{source}:{}  {request}{note}", place.line);
            }
            if let Some(more) = found.number.checked_sub(SHOWN_MAX as u64).filter(|more| *more > 0) {
                let _ = writeln!(text, "{word:<14}and {more} more");
            }
        }
    }
}
