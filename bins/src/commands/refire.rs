use clap::Parser;
use logretry_refirer::{RefireArgs, Refirer};
use logretry_stage::{Context, MarkArgs, Result, Sink as _, Source as _, Stage as _, pipe};

use super::ledger_flags::{LedgerArgs, ResolveArgs, open, tell_that_it_is_not_asked};
use crate::cli::{Changes, Common, Program, Setup, confirm, open_files};

/// Sends the request of each record again, once, and adds how that ended.
///
/// Whether a request is sent is decided in this order: does the line hold a URL? is its method one of --methods, with all that it needs? is the target a
/// path, and whole? does it go to the server of --base-url, or to a host that --allow-host names? does --deny-path not name it, and does the URL of a GET
/// not say that it acts? Then it waits for its turn (--pace, --rate)
/// and is sent byte for byte: no redirect is followed, nothing is repeated unless --attempts says so, no proxy and no header comes from the environment unasked. A record that is not sent passes with the reason.
///
/// Methods that change something (all but GET, HEAD and OPTIONS) must be named and confirmed: with --yes, or by a word typed on the terminal.
///
/// With --ledger, a record that has ended in an earlier run comes out as it ended then, and nothing is sent for it.
///
/// Ctrl-C sends nothing more and waits for the requests under way; a second one cuts them off. The exit code means what `logretry --help` says.
#[derive(Debug, Parser)]
#[command(name = "lr-refire", version, after_help = EXAMPLES)]
pub struct Refire {
    #[command(flatten)]
    sending: RefireArgs,

    #[command(flatten)]
    ledger: LedgerArgs,

    #[command(flatten)]
    resolve: ResolveArgs,

    #[command(flatten)]
    mark: MarkArgs,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  lr-read access.log | lr-filter |
    lr-refire --base-url https://shop.example | lr-write -o retry.log
  lr-read access.log | lr-filter |
    lr-refire --base-url https://shop.example --rate 5/s | jq -c .retry
  lr-read access.log | lr-filter | lr-refire --base-url https://shop.example |
    tee refired.ndjson | lr-write --as url";

impl Program for Refire {
    fn setup(&self) -> Setup {
        let setup = Setup::of_stage("lr-refire", &self.common, false)
            .sending(&self.sending)
            .reading(self.resolve.reads());
        setup.with_file("the ledger", self.ledger.ledger.as_ref())
    }

    async fn ask(&self, cx: &Context) -> Result<()> {
        for warning in self.sending.warnings() {
            cx.notes().say(format_args!("{warning}"));
        }
        confirm(&Changes::Possible(self.sending.methods_to_confirm()?), cx).await
    }

    async fn run(self, cx: &Context) -> Result<()> {
        self.ledger.refuse_without(self.ledger.ledger.as_deref())?;
        self.resolve.refuse_without(self.ledger.ledger.as_deref())?;
        let mut options = self.sending.clone().into_options(&self.mark.mark)?;
        if options.dry_run {
            tell_that_it_is_not_asked(self.ledger.ledger.as_deref(), cx);
        }
        open_files::keep_within_the_limit(&mut options, 0, cx);
        let records = pipe::Input::stdin().open(cx);
        let Some(path) = self.ledger.ledger.as_deref().filter(|_| !options.dry_run) else {
            let refirer = Refirer::new(options)?;
            return Box::pin(pipe::Output::stdout().drain(refirer.apply(records, cx), cx)).await;
        };
        let books = open(path, &mut options, &self.sending, self.ledger.durability(), cx)?;
        self.resolve.ask(&books, None, options.timeout, cx).await?;
        let refirer = Refirer::new(options)?.with_journal(books.clone());
        let end = Box::pin(pipe::Output::stdout().drain(refirer.apply(records, cx), cx)).await;
        end.and(books.close().await)
    }
}
