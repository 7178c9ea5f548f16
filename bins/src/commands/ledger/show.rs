use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use logretry_ledger::{Entry, Look};
use logretry_record::{Harmless, RecordId, Retry, Shown, shown_url};
use logretry_stage::{Fatal, Result};

use super::standing::{Standing, end};
use super::{Halt, answered, look};

/// Shows all that a ledger knows of records: each request with its time, how it ended, and the line that the retry log got.
///
/// An intent is written just before a request is sent; an answer ends a request whose record is sent again, an outcome ends the record. A verdict is what
/// was decided about a request that was cut off. A failure tells that there was no connection. What a later event has overtaken is taken away in quiet
/// moments, as are lines that the retry log holds for good. Values that look secret are hidden, and long lines are cut; `export` has them whole.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lr-read access.log --status 5xx | jq -r .id |
    xargs logretry ledger show retry.log.ledger")]
pub(crate) struct Show {
    /// The ledger: beside the retry log, if not named otherwise
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,

    /// Ids of records, as `ls`, lr-read and the user agent in the server's log have them: 32 hexadecimal digits
    #[arg(value_name = "ID", required = true)]
    ids: Vec<RecordId>,
}

impl Show {
    pub(crate) fn run(&self) -> Result<()> {
        let look = look(&self.ledger)?;
        let mut found: BTreeMap<RecordId, Vec<Entry>> = self.ids.iter().map(|id| (*id, Vec::new())).collect();
        let read = look.events(|entry| {
            if let Some(events) = entry.id.and_then(|id| found.get_mut(&id)) {
                events.push(entry);
            }
            Ok::<_, logretry_ledger::LedgerError>(())
        });
        read.map_err(Fatal::new)?;
        let missing: Vec<_> = self.ids.iter().filter(|id| found.get(id).is_none_or(Vec::is_empty)).collect();
        answered(|out| {
            let mut first = true;
            for id in &self.ids {
                // An id that is given twice is shown once.
                let Some(events) = found.remove(id).filter(|events| !events.is_empty()) else { continue };
                if !std::mem::take(&mut first) {
                    writeln!(out)?;
                }
                record(out, &look, *id, &events)?;
            }
            Ok(())
        })?;
        let Some(id) = missing.first() else { return Ok(()) };
        let (path, others) = (self.ledger.display(), missing.len() - 1);
        let others = if others > 0 { format!(" (and {others} others)") } else { String::new() };
        Err(Fatal::new(format!(
            "show `{id}`{others}: `{path}` knows no such record; it was never sent, or was pruned; `logretry ledger ls {path}` lists those that are known"
        )))
    }
}

fn record(out: &mut dyn Write, look: &Look, id: RecordId, events: &[Entry]) -> Result<(), Halt> {
    writeln!(out, "{id}")?;
    let mut standing = None;
    for entry in events {
        let Entry { time, kind, attempt, .. } = entry;
        let told = match (&entry.retry, &entry.request) {
            (Some(retry), _) => ended(retry),
            (None, Some(request)) => Shown(request.as_bytes()).to_string(),
            (None, None) => String::new(),
        };
        writeln!(out, "  {time:.3}  {kind:<7}  attempt {attempt}  {told}")?;
        if let Some(line) = &entry.line {
            writeln!(out, "    line: {}", Shown(line.trim_ascii_end()))?;
        }
        standing = Standing::of(look, entry)?.or(standing);
    }
    let stands = match standing.map(|standing| (standing.word, standing.detail)) {
        None => "as if new: no request of it got a connection, and the next run tries it anew".to_owned(),
        Some((Standing::ANSWERED, _)) => "answered: it will be sent again".to_owned(),
        Some((Standing::HELD, _)) => {
            "held: it was cut off, and sending it twice could do harm; `logretry held` decides".to_owned()
        }
        Some((Standing::IN_DOUBT, detail)) if detail.starts_with("settled") => {
            format!("in doubt: {detail}; the next run writes its line")
        }
        Some((Standing::IN_DOUBT, _)) => {
            "in doubt: it was cut off, and the next run sends it again".to_owned()
        }
        Some((word, _)) => word.to_owned(),
    };
    writeln!(out, "  stands: {stands}")?;
    Ok(())
}

/// How a request ended, in one line.
fn ended(retry: &Retry) -> String {
    let mut text = format!("{} {}", retry.outcome.as_str(), end(retry));
    if let (Some(_), Some(error)) = (retry.status, retry.error) {
        let _ = write!(text, ", {}", error.as_str());
    }
    if let Some(ms) = retry.duration_ms {
        let _ = write!(text, ", {ms:.1} ms");
    }
    if let Some(bytes) = retry.bytes {
        let _ = write!(text, ", {bytes} bytes");
    }
    if retry.in_doubt_retry {
        text += ", sent again after a crash";
    }
    if let (Some(method), Some(url)) = (&retry.method, &retry.url) {
        let _ = write!(text, "  {} {}", Shown(method.as_bytes()), shown_url(url));
    }
    if let Some(detail) = &retry.detail {
        let _ = write!(text, "  ({})", Shown(detail.as_bytes()));
    }
    Harmless(&text).to_string()
}
