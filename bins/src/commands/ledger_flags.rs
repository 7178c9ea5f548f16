use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use logretry_ledger::Durability;
use logretry_reader::ReadArgs;
use logretry_record::Shown;
use logretry_refirer::{IdempotencySecret, Options, RefireArgs};
use logretry_rewriter::WriteArgs;
use logretry_stage::{Context, Fatal, Result, file_to_write};

use crate::books::{Books, Output, ServerLog, beside_file, refuse_to_begin_anew};

/// Where it is kept what has been sent and how it ended.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Ledger")]
pub(crate) struct LedgerArgs {
    /// Keep in FILE what has been sent and how it ended, so that the same command again goes on where this one stopped
    #[arg(long, value_name = "FILE", value_parser = file_to_write())]
    pub(crate) ledger: Option<PathBuf>,

    /// What a request waits for: `grouped`, the default, syncs to the disk before a method that changes something is sent, and for the others within
    /// 50 ms, so that a power cut can double what was sent in that time; `full` syncs before each
    #[arg(long, value_name = "WHAT", value_parser = ["grouped", "full"])]
    durability: Option<String>,
}

impl LedgerArgs {
    pub(crate) fn durability(&self) -> Durability {
        self.durability.as_deref().and_then(|what| what.parse().ok()).unwrap_or_default()
    }

    /// Refuses to be told what is synced where `ledger`, which would be, is not kept.
    pub(crate) fn refuse_without(&self, ledger: Option<&Path>) -> Result<()> {
        if ledger.is_some() || self.durability.is_none() {
            return Ok(());
        }
        Err(Fatal::usage(
            "sync (--durability) without the ledger that would be synced: name one with --ledger",
        ))
    }
}

/// Where the ledger of a whole run is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Ledger")]
pub(crate) struct RunLedgerArgs {
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,

    /// Keep no ledger. Without this, a retry log in a file has one beside it, FILE.ledger
    #[arg(long, conflicts_with_all = ["ledger", "durability", "resolve_from"])]
    no_ledger: bool,
}

impl RunLedgerArgs {
    /// Where the ledger of a run that writes there is; none if it keeps none.
    pub(crate) fn path(&self, write: &WriteArgs) -> Option<PathBuf> {
        if self.no_ledger {
            return None;
        }
        self.ledger.ledger.clone().or_else(|| beside_file(write.output.as_deref()?))
    }

    /// Says of a run that changes something that it keeps no ledger, where nobody has asked for that.
    pub(crate) fn tell_where_none_is_kept(&self, write: &WriteArgs, cx: &Context) {
        if !self.no_ledger && self.path(write).is_none() {
            cx.notes().say(format_args!(
                "no ledger is kept, for the retry log goes into no file: the same command again sends again what changes something; give -o FILE, or --ledger FILE"
            ));
        }
    }

    /// Opens the ledger that these flags ask for, with the retry log.
    pub(crate) async fn open(
        &self,
        options: &mut Options,
        refire: &RefireArgs,
        write: &WriteArgs,
        mark: &logretry_record::Mark,
        cx: &Context,
    ) -> Result<Option<Books>> {
        let Some(path) = self.path(write).filter(|_| !options.dry_run) else { return Ok(None) };
        if let Some(output) = &write.output {
            refuse_to_begin_anew(&path, output, &options.methods)?;
        }
        let output = Output::open(write.output.as_deref())?;
        let books = open(&path, options, refire, self.ledger.durability(), cx)?;
        books.writing(output, write.form, mark).await.map(Some)
    }
}

/// Says that a rehearsal does not know what the ledger at `path` has as done.
pub(crate) fn tell_that_it_is_not_asked(path: Option<&Path>, cx: &Context) {
    if let Some(path) = path.filter(|path| path.exists()) {
        cx.notes().say(format_args!(
            "a dry run does not ask the ledger `{}`: what that has as done is counted, too; `logretry plan` leaves it out",
            Shown(path.as_os_str().as_encoded_bytes())
        ));
    }
}

/// Opens the ledger at `path` for what `options` send. Keys for servers are made with its secret then, so that the next run makes the same.
pub(crate) fn open(
    path: &Path,
    options: &mut Options,
    refire: &RefireArgs,
    durability: Durability,
    cx: &Context,
) -> Result<Books> {
    let books = Books::open(path, &options.destination.to_string(), durability, cx)?;
    if options.idempotency.is_some() && refire.idempotency_secret.is_none() {
        options.idempotency = Some(IdempotencySecret::new(books.secret()));
    }
    Ok(books)
}

/// How it is found out what became of requests that a crash cut off.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Ledger")]
pub(crate) struct ResolveArgs {
    /// Look in LOG, an access log of the server itself, for requests that an earlier run was cut off in: they stand there with their id in the user
    /// agent. May be given more than once
    #[arg(long, value_name = "LOG")]
    resolve_from: Vec<OsString>,

    /// The logs of --resolve-from are whole: what they do not tell of never arrived, and is sent. Do not give it if the server was killed
    /// too, holds lines back, or logs only a part, nor while it may still be at a request, which it logs when that is done: of what began less than
    /// --timeout ago it is not believed. It counts only if each of their lines can be read, they name user agents in a field of their own, and they go on after the request
    #[arg(long, requires = "resolve_from")]
    resolve_complete: bool,
}

impl ResolveArgs {
    /// The logs that are looked in, with what a person calls each.
    pub(crate) fn reads(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        self.resolve_from.iter().map(|log| ("the server's log", PathBuf::from(log)))
    }

    /// Refuses to be given where no ledger is kept, which knows what was cut off.
    pub(crate) fn refuse_without(&self, ledger: Option<&Path>) -> Result<()> {
        if ledger.is_some() || self.resolve_from.is_empty() {
            return Ok(());
        }
        Err(Fatal::usage(
            "find out what became of requests (--resolve-from) without the ledger that knows which were cut off: name it with --ledger",
        ))
    }

    /// Asks the logs about what is in doubt. An answer is waited for so long as `timeout`.
    pub(crate) async fn ask(
        &self,
        books: &Books,
        read: Option<&ReadArgs>,
        timeout: Duration,
        cx: &Context,
    ) -> Result<()> {
        if self.resolve_from.is_empty() {
            return Ok(());
        }
        let reading = read.map(|read| read.options(None, false)).transpose()?.unwrap_or_default();
        let doubts = books.in_doubt()?;
        let (logs, whole_after) = (&self.resolve_from, self.resolve_complete.then_some(timeout));
        books.ask(ServerLog::read(logs, reading, &doubts, whole_after, cx.notes()).await?);
        Ok(())
    }
}
