use std::collections::HashSet;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use logretry_ledger::{Before, Digest};
use logretry_record::{Harmless, Shown, shown_url};
use logretry_stage::{Fatal, Result};

use super::standing::Standing;
use super::{Halt, answered, look};

/// Lists the records of a ledger, one a line, in the order in which they came to stand so; then the totals.
///
/// A line says the id, the time, how the record stands, its status or what went wrong, the method and the URL. Values in URLs that look secret are hidden; `export` has them.
///
/// A record that has ended stands as its outcome. One that has not is `answered` (it will be sent again), `in_doubt` (it was cut off; the next run sends it
/// again, or settles it) or `held` (it was cut off, and `logretry held` decides).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  logretry ledger ls retry.log.ledger
  logretry ledger ls retry.log.ledger --outcome failing
  logretry ledger ls retry.log.ledger | sort -k 5 | less")]
pub(crate) struct Ls {
    /// The ledger: beside the retry log, if not named otherwise
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,

    /// Only the records that stand so
    #[arg(long, value_name = "WORD", value_parser = PossibleValuesParser::new(Standing::words()))]
    outcome: Option<String>,
}

impl Ls {
    pub(crate) fn run(&self) -> Result<()> {
        let look = look(&self.ledger)?;
        let digest = look.digest().map_err(Fatal::new)?;
        answered(|out| {
            let mut listed = 0;
            let mut unconnected = HashSet::new();
            look.events::<Halt>(|entry| {
                let Some(id) = entry.id else { return Ok(()) };
                let Some(standing) = Standing::of(&look, &entry)? else {
                    if entry.kind == "failure" && look.before(id)? == Before::New {
                        unconnected.insert(id);
                    }
                    return Ok(());
                };
                if self.outcome.as_ref().is_some_and(|wanted| wanted != standing.word) {
                    return Ok(());
                }
                listed += 1;
                let Standing { word, detail, method, url } = standing;
                let (time, method, url) = (entry.time, Shown(method.as_bytes()), shown_url(&url));
                writeln!(out, "{id}  {time:.3}  {word:<10}  {detail:<15}  {method} {url}")?;
                Ok(())
            })?;
            if listed > 0 {
                writeln!(out)?;
            }
            if let Some(word) = &self.outcome {
                writeln!(out, "{listed} listed: {word}")?;
            }
            Ok(totals(out, &digest, unconnected.len())?)
        })
    }
}

/// What the ledger holds, in equations.
fn totals(out: &mut dyn Write, digest: &Digest, unconnected: usize) -> io::Result<()> {
    let ended = digest.outcomes.iter().map(|(outcome, number)| (outcome.as_str(), *number));
    let open = Standing::OPEN.into_iter().zip([digest.answered, digest.in_doubt, digest.held]);
    writeln!(out, "{}", equation("records", ended.chain(open)))?;
    if !digest.forgotten.is_empty() {
        let forgotten = digest.forgotten.iter().map(|(word, number)| (word.as_str(), *number));
        writeln!(out, "{}", equation("more pruned", forgotten))?;
    }
    if unconnected > 0 {
        writeln!(out, "{unconnected} more never got a connection: the next run tries them anew")?;
    }
    if digest.unmarked_lines > 0 {
        let lines = digest.unmarked_lines;
        writeln!(out, "{lines} lines may not be in the retry log yet: the next run completes it")?;
    }
    writeln!(out, "sent to {}", Harmless(&digest.destination))?;
    if let Some(holder) = &digest.holder {
        writeln!(out, "{} is using it", Harmless(holder))?;
    }
    Ok(())
}

fn equation<'a>(title: &str, parts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let parts: Vec<_> = parts.filter(|(_, number)| *number > 0).collect();
    let sum: u64 = parts.iter().map(|(_, number)| number).sum();
    let words: Vec<_> = parts.iter().map(|(word, number)| format!("{number} {word}")).collect();
    let words = words.join(" + ").replace(Standing::IN_DOUBT, "in doubt");
    if words.is_empty() { format!("{sum} {title}") } else { format!("{sum} {title} = {words}") }
}
