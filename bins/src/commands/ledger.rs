//! `logretry ledger`: what a ledger holds, for a person, for a program, and how it is kept from growing.

mod export;
mod ls;
mod prune;
mod show;
mod standing;

use std::io::{self, BufWriter, Write};
use std::path::Path;

use clap::{Args, Subcommand};
use logretry_ledger::{LedgerError, Look};
use logretry_stage::{Fatal, Result};

use crate::books::beside;
use crate::cli::cannot_answer;

/// Shows what a ledger knows: what has been sent again, and how it ended.
///
/// A run that writes retry.log keeps its ledger beside it, in retry.log.ledger. All but prune only read, and may be asked while a run is going on: they tell how things stood
/// at one moment. What is held, `logretry held` decides.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  logretry ledger ls retry.log.ledger
  logretry ledger export retry.log.ledger | jq -c '.retry // empty'
  logretry ledger prune retry.log.ledger --older-than 90d")]
pub(crate) struct Ledger {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ls(ls::Ls),
    Show(show::Show),
    Export(export::Export),
    Prune(prune::Prune),
}

impl Ledger {
    pub(crate) async fn run(self) -> Result<()> {
        match self.command {
            Command::Ls(ls) => ls.run(),
            Command::Show(show) => show.run(),
            Command::Export(export) => export.run(),
            Command::Prune(prune) => prune.run().await,
        }
    }
}

/// Looks into the ledger at `path`.
pub(super) fn look(path: &Path) -> Result<Look> {
    Look::open(path).map_err(|error| unreadable(path, &error))
}

/// Opens the ledger at `path` to change it, as `doing` says it.
pub(super) fn open_to(doing: &str, path: &Path) -> Result<logretry_ledger::Ledger> {
    logretry_ledger::Ledger::open_existing(path).map_err(|error| match error {
        LedgerError::InUse { path, holder } => Fatal::new(format!(
            "{doing} the ledger `{}`: {holder} is using it; run the same command again when that has ended",
            path.display()
        )),
        error => Fatal::new(error),
    })
}

/// Why the ledger at `path` cannot be looked into, and what to do.
fn unreadable(path: &Path, error: &LedgerError) -> Fatal {
    let shown = path.display();
    let ledger = beside(path);
    let advice = if ledger.is_file() {
        format!("its ledger is `{}`", ledger.display())
    } else {
        "a run that writes `retry.log` keeps its ledger in `retry.log.ledger`".to_owned()
    };
    match error {
        LedgerError::NoLedger { .. } => {
            Fatal::new(format!("read `{shown}` as a ledger: it is another kind of file; {advice}"))
        }
        LedgerError::Io { error, .. } if error.kind() == io::ErrorKind::NotFound => {
            Fatal::new(format!("open the ledger `{shown}`: {error}; {advice}"))
        }
        error => Fatal::new(error.to_string()),
    }
}

/// What ends the writing of an answer.
enum Halt {
    Writing(io::Error),
    Reading(LedgerError),
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Writing(error)
    }
}

impl From<LedgerError> for Halt {
    fn from(error: LedgerError) -> Self {
        Self::Reading(error)
    }
}

/// Lets `write` answer on standard output, piece by piece: a ledger may hold a year. A reader that has gone is no error.
fn answered(write: impl FnOnce(&mut dyn Write) -> Result<(), Halt>) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let end = write(&mut out).and_then(|()| Ok(out.flush()?));
    // What is left in it after a failure is not tried again.
    let _ = out.into_parts();
    match end {
        Err(Halt::Writing(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(cannot_answer(&error)),
        Err(Halt::Reading(error)) => Err(Fatal::new(error)),
        _ => Ok(()),
    }
}
