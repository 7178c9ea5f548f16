use std::fmt::Display;
use std::io::{self, Write as _};

use logretry_record::{Harmless, Outcome};
use logretry_stage::Accounts;

use super::{Setup, Summary};

/// Prints the numbers of a run, one equation a line, on standard error.
pub(crate) fn print(setup: &Setup, accounts: &Accounts) {
    let Summary::Numbers { output } = &setup.summary else { return };
    let sentences = sentences(accounts, output.as_deref());
    let text: Vec<_> = sentences.iter().map(|sentence| format!("{}: {sentence}\n", setup.name)).collect();
    // A person who has closed standard error does not want to know.
    let _ = io::stderr().write_all(Harmless(&text.concat()).to_string().as_bytes());
}

/// The numbers as sentences. Each speaks of one stage, and is left out where that stage had nothing to do.
pub(crate) fn sentences(accounts: &Accounts, output: Option<&str>) -> Vec<String> {
    let Accounts { lines, records, rejected, screened, selected, taken, written, .. } = *accounts;
    let dropped: u64 = accounts.dropped.values().sum();
    let mut sentences =
        vec![format!("{lines} lines = {records} records + {rejected} rejected + {screened} screened")];
    if selected + dropped > 0 {
        let reasons = listed(accounts.dropped.iter().map(|(why, n)| (n, why.as_str())));
        sentences.push(format!("{records} records = {selected} selected + {dropped} dropped{reasons}"));
    }
    let (sent, not_sent) = (accounts.sent(), accounts.not_sent());
    if taken > 0 {
        let reasons = listed(accounts.reasons.iter().map(|(why, n)| (n, why.as_str())));
        let before = match accounts.done_before() {
            0 => String::new(),
            before => format!("{before} done before + "),
        };
        let to_decide = accounts.to_decide();
        sentences.push(format!("{to_decide} selected = {before}{sent} sent + {not_sent} not sent{reasons}"));
    }
    if accounts.done_before() > 0 {
        let parts: Vec<_> = accounts
            .before
            .iter()
            .map(|(outcome, n)| format!("{n} {}", outcome.as_str().replace('_', " ")))
            .collect();
        sentences.push(format!("{} done before = {}", accounts.done_before(), parts.join(" + ")));
    }
    if sent > 0 {
        let outcomes = Outcome::ALL.into_iter().filter(|outcome| outcome.is_sent());
        let parts: Vec<_> = outcomes
            .map(|outcome| (accounts.outcome(outcome), outcome.as_str().replace('_', " ")))
            .filter(|(n, word)| *n > 0 || word != "in doubt")
            .map(|(n, word)| format!("{n} {word}"))
            .collect();
        sentences.push(format!("{sent} sent = {}", parts.join(" + ")));
    }
    for (reason, n) in &accounts.reasons {
        sentences.push(format!("{n} not sent: {}", reason.advice()));
    }
    if accounts.unfinished > 0 {
        sentences.push(format!(
            "{} of those that failed have attempts left: the same run again goes on with them",
            accounts.unfinished
        ));
    }
    if let Some(output) = output {
        sentences.push(format!("{written} lines written to {output}"));
    }
    sentences
}

/// ` (3 this, 1 that)`, or nothing.
pub(crate) fn listed<'a>(parts: impl Iterator<Item = (&'a u64, impl Display)>) -> String {
    let parts: Vec<_> = parts.map(|(n, word)| format!("{n} {word}")).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use logretry_record::Reason;
    use logretry_stage::Dropped;

    use super::*;

    #[test]
    fn the_summary_is_a_list_of_equations() {
        let accounts = Accounts {
            lines: 20,
            records: 17,
            rejected: 1,
            screened: 2,
            selected: 6,
            dropped: [(Dropped::Status, 10), (Dropped::Marked, 1)].into(),
            taken: 6,
            outcomes: [(Outcome::Recovered, 3), (Outcome::Failing, 1), (Outcome::Skipped, 2)].into(),
            reasons: [(Reason::NoBody, 2)].into(),
            written: 4,
            ..Accounts::default()
        };
        assert_eq!(accounts.check(), Ok(()));
        insta::assert_snapshot!(sentences(&accounts, Some("retry.log")).join("\n"), @"
        20 lines = 17 records + 1 rejected + 2 screened
        17 records = 6 selected + 11 dropped (1 our own, 10 other status)
        6 selected = 4 sent + 2 not sent (2 no_body)
        4 sent = 3 recovered + 0 refused + 1 failing + 0 unanswered
        2 not sent: the method needs its body, and the log does not hold it whole; give it with --bodies, or read a capture (HAR, GoReplay)
        4 lines written to retry.log
        ");
    }
}
