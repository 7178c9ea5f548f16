use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use logretry_ledger::{InDoubt, LedgerError, Verdict};
use logretry_record::{RecordId, Shown, shown_url};
use logretry_stage::{Context, Fatal, Result};

use super::ledger::{look, open_to};
use crate::cli::answer;

/// Shows the requests that are held, and decides what becomes of them.
///
/// A request is held when a crash or a second Ctrl-C cut it off on its way, when its method may change something, and when nobody knows whether it arrived.
/// Most such requests did arrive: look into the server's log for their id (it stands in the user agent), or let `logretry run` look there with
/// --resolve-from. Then --settle those that arrived, and --release those that did not: the next run sends them. Until it does, what has been decided
/// about an id can be decided anew.
///
/// Exit code 3 says that some are held.
#[derive(Debug, Args)]
#[command(override_usage = "logretry held <LEDGER> [--release <ID>... | --settle <ID>... --status <STATUS>]")]
#[command(after_help = "\
Examples:
  logretry held retry.log.ledger
  logretry held retry.log.ledger --release all
  logretry held retry.log.ledger --settle all --status 201")]
pub(crate) struct Held {
    /// The ledger: beside the retry log, if not named otherwise
    // Not required of the parser, for which it is one of the ids where it stands behind them.
    #[arg(value_name = "LEDGER")]
    ledger: Option<PathBuf>,

    /// They never arrived, or may be sent twice: the next run sends those with these ids, or `all`
    #[arg(long, value_name = "ID", num_args = 1.., conflicts_with = "settle")]
    release: Vec<String>,

    /// They arrived: those with these ids, or `all`, are not sent, and the next run writes their lines with --status
    #[arg(long, value_name = "ID", num_args = 1.., requires = "status")]
    settle: Vec<String>,

    /// The status that they were answered with
    #[arg(long, requires = "settle", value_parser = clap::value_parser!(u16).range(100..600))]
    status: Option<u16>,
}

impl Held {
    pub(crate) async fn run(self, cx: &Context) -> Result<()> {
        let verdict = match self.status {
            Some(status) => Verdict::Ended(status),
            None => Verdict::Send,
        };
        let (path, ids) = self.ledger_and_ids()?;
        if ids.is_empty() {
            return list(&path, cx);
        }
        // Asked before it is opened to be written: it may be somebody's file.
        drop(look(&path)?);
        // Whoever sends now must know it before.
        let ledger = open_to("decide in", &path)?;
        let chosen = chosen(&path, ledger.in_doubt().map_err(Fatal::new)?, &ids)?;
        for doubt in &chosen {
            ledger.decide(doubt, verdict).await.map_err(Fatal::new)?;
        }
        ledger.close().await.map_err(Fatal::new)?;
        let what = if verdict == Verdict::Send { "released: the next run sends them" } else { "settled" };
        answer(format!("{} {what}\n", chosen.len()).as_bytes())
    }

    /// LEDGER, and the ids, behind which it may stand.
    fn ledger_and_ids(&self) -> Result<(PathBuf, Vec<String>)> {
        let mut ids = [&self.release[..], &self.settle[..]].concat();
        let is_listing = ids.is_empty();
        let is_id = |word: &mut String| word == "all" || word.parse::<RecordId>().is_ok();
        let ledger = self.ledger.clone().or_else(|| ids.pop_if(|last| !is_id(last)).map(PathBuf::from));
        match ledger {
            None => Err(Fatal::usage(
                "tell what is held without a ledger: name it, `logretry held retry.log.ledger`",
            )),
            Some(_) if ids.is_empty() && !is_listing => Err(Fatal::usage(
                "decide about nothing: name ids that `logretry held LEDGER` lists, or `all`",
            )),
            Some(ledger) => Ok((ledger, ids)),
        }
    }
}

fn list(ledger: &Path, cx: &Context) -> Result<()> {
    let look = look(ledger)?;
    let held = held(look.in_doubt().map_err(Fatal::new)?);
    if let Some(holder) = look.holder().filter(|_| !held.is_empty()) {
        let holder = Shown(holder.as_bytes());
        cx.notes()
            .say(format_args!("a run is under way ({holder}): what it waits for an answer to is listed too"));
    }
    let mut text = String::new();
    for doubt in &held {
        let InDoubt { id, time, method, url, verdict, .. } = doubt;
        let arrived = match verdict {
            Some(Verdict::Arrived) => "  (arrived, and nobody knows how it ended)",
            _ => "",
        };
        let (method, url) = (Shown(method.as_bytes()), shown_url(url));
        let _ = writeln!(text, "{id}  {time:.3}  {method} {url}{arrived}");
    }
    for doubt in &held {
        cx.tally().take();
        cx.tally().settle_before(&crate::books::held(doubt));
    }
    answer(text.as_bytes())
}

/// Those of `doubts` with these ids: what is held, and by its id what was, as long as no run has acted on what was decided.
fn chosen(ledger: &Path, doubts: Vec<InDoubt>, ids: &[String]) -> Result<Vec<InDoubt>> {
    if ids.iter().any(|id| id == "all") {
        return Ok(held(doubts));
    }
    let find = |id: &String| {
        let found = doubts.iter().find(|doubt| !doubt.is_safe() && doubt.id.to_string() == *id);
        found.cloned().ok_or_else(|| {
            let (path, id) = (ledger.to_owned(), Shown(id.as_bytes()).to_string());
            Fatal::usage(LedgerError::NotHeld { path, id })
        })
    };
    ids.iter().map(find).collect()
}

fn held(doubts: Vec<InDoubt>) -> Vec<InDoubt> {
    doubts.into_iter().filter(InDoubt::is_held).collect()
}
