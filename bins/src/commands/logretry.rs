use clap::{Parser, Subcommand};
use logretry_stage::{Context, Result};

use super::run::RunFlags;
use super::{demo, explain, formats, held, ledger, manual, plan, run, verify};
use crate::cli::{Common, Program, Setup, Summary};

/// Sends the requests again that a web server answered with a 5xx status.
///
/// Web servers write access logs. logretry reads them, picks the requests that failed on the server's side, sends each of them again exactly once, and keeps a log
/// of these refires in which every URL carries retry=True. New here? `logretry demo` shows a whole round in a second, and touches nothing of yours.
///
/// The same stages are programs of their own, for pipes: lr-read | lr-filter | lr-refire | lr-write.
///
/// Exit codes: 0 everything selected recovered, or there was nothing to do; 1 a fatal error; 2 usage; 3 some requests are still not recovered; 4 a safety stop
/// left some unsent; 5 rejects under --strict; 130 and 143 signals.
#[derive(Debug, Parser)]
#[command(name = "logretry", version, after_help = EXAMPLES)]
pub struct Logretry {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  logretry demo
  logretry plan access.log --base-url https://shop.example
  logretry run access.log --base-url https://shop.example -o retry.log";

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Run>),
    Plan(Box<plan::Plan>),
    Held(held::Held),
    Ledger(ledger::Ledger),
    Verify(Box<verify::Verify>),
    Explain(explain::Explain),
    Demo(demo::Demo),
    Formats(formats::Formats),
    Completions(manual::Completions),
    Man(manual::Man),
}

impl Program for Logretry {
    fn setup(&self) -> Setup {
        let (common, summary) = match &self.command {
            Command::Run(run) => {
                let RunFlags { common, write, ledger, refire, resolve, .. } = &run.flags;
                let setup = Setup::of_stage("logretry", common, false).writing(write, ledger.path(write));
                let setup = setup.sending(refire).reading(resolve.reads());
                return setup.with_file("the positions", run.positions.as_ref());
            }
            Command::Plan(plan) => (plan.flags.common.clone(), Summary::None),
            Command::Verify(verify) => (verify.flags.common.clone(), Summary::None),
            Command::Held(_) => (Common::default(), Summary::None),
            Command::Explain(explain) if explain.reads_stdin() => (Common::default(), Summary::None),
            // The other commands answer on standard output, and the demo tells its story there.
            _ => (Common { quiet: true, ..Common::default() }, Summary::None),
        };
        Setup { summary, ..Setup::of_stage("logretry", &common, false) }
    }

    async fn ask(&self, cx: &Context) -> Result<()> {
        match &self.command {
            Command::Run(run) => run.ask(cx).await,
            _ => Ok(()),
        }
    }

    async fn run(self, cx: &Context) -> Result<()> {
        match self.command {
            Command::Run(run) => run.run(cx).await,
            Command::Plan(plan) => plan.run(cx).await,
            Command::Held(held) => held.run(cx).await,
            Command::Ledger(ledger) => ledger.run().await,
            Command::Verify(verify) => verify.run(cx).await,
            Command::Explain(explain) => explain.run(cx).await,
            Command::Demo(demo) => demo.run().await,
            Command::Formats(formats) => formats.run(),
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
        }
    }
}
