use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use logretry_ledger::{Entry, LedgerError, Look};
use logretry_record::Retry;
use logretry_stage::{Fatal, Result};
use serde::Serialize;

use super::{Halt, answered, unreadable};

/// Writes all events of a ledger to standard output, as JSON, one object a line, in their order.
///
/// It is for programs: URLs stand there exactly as they were sent, with all that is secret in them. Mind where you put it.
///
/// Fields: `seq`, the number of the event, which only grows; `time`, UTC; `event`, one of intent, answer, outcome, failure, verdict and line; `id`, the record's;
/// `attempt`, which request of the record, from 1; `current`, true if no later event of its record has overtaken it; `method` and `url` of an intent or a
/// verdict; `verdict`, one of send, arrived and ended:STATUS; `retry` of an answer, an outcome or a failure, as the record has it on the pipe; `line`, what the retry log gets,
/// until that holds it for good (bytes that are no UTF-8 are U+FFFD there). What an event does not have is left out.
///
/// A damaged ledger is exported as far as it can be read, unchecked and without `current`; then the exit code is 1.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  logretry ledger export retry.log.ledger > ledger.ndjson
  logretry ledger export retry.log.ledger |
    jq -r 'select(.event == \"outcome\") | .retry.url'")]
pub(crate) struct Export {
    /// The ledger: beside the retry log, if not named otherwise
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,
}

/// An event on its way out. The help says what its fields mean.
#[derive(Serialize)]
struct Event<'a> {
    seq: u64,
    time: Timestamp,
    #[serde(rename = "event")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<&'a Retry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<String>,
}

impl Export {
    pub(crate) fn run(&self) -> Result<()> {
        let (look, damage) = match Look::open(&self.ledger) {
            Ok(look) => (look, None),
            Err(error @ LedgerError::Damaged { .. }) => {
                (Look::open_damaged(&self.ledger).map_err(Fatal::new)?, Some(error))
            }
            Err(error) => return Err(unreadable(&self.ledger, &error)),
        };
        answered(|out| {
            look.events::<Halt>(|entry| {
                let current = damage.is_none().then(|| look.is_current(&entry));
                serde_json::to_writer(&mut *out, &event(&entry, current)).map_err(std::io::Error::from)?;
                Ok(out.write_all(b"\n")?)
            })
        })?;
        damage.map_or(Ok(()), |error| Err(Fatal::new(error)))
    }
}

fn event(entry: &Entry, current: Option<bool>) -> Event<'_> {
    let request = entry.request.as_deref().unwrap_or_default();
    let (verdict, request) = match (entry.kind, request.split_once(' ')) {
        ("verdict", Some((verdict, request))) => (Some(verdict), request),
        _ => (None, request),
    };
    let (method, url) = request.split_once(' ').unzip();
    let line = entry.line.as_deref().map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    Event {
        seq: entry.seq,
        time: entry.time,
        kind: entry.kind,
        id: entry.id.map(|id| id.to_string()),
        attempt: entry.id.map(|_| entry.attempt),
        current: current.filter(|_| entry.id.is_some()),
        verdict,
        method,
        url,
        retry: entry.retry.as_ref(),
        line: line.map(|line| String::from_utf8_lossy(line).into_owned()),
    }
}
