//! What the five programs have in common: from the command line to the exit code.
//!
//! ```text
//!   arguments ─▶ Program ─▶ Context ─▶ run, while signals and the progress line look on ─▶ summary ─▶ exit code
//! ```

mod confirm;
mod notes;
pub(crate) mod open_files;
mod program;
mod progress;
mod signals;
mod summary;
pub(crate) mod systemd;

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use logretry_record::{Exit, Harmless, Outcome, Reason};
use logretry_stage::{Accounts, Dropped, Fatal, Notes, Result, pipe};

use crate::files::{refuse_one_for_two, refuse_to_write_into};

pub(crate) use confirm::{Changes, confirm};
pub use program::{Common, Program, Setup, Summary};
pub(crate) use summary::{listed, sentences};

/// How long an aborted run may take to write down what it has before the process ends all the same.
const ABORT_TIME: Duration = Duration::from_millis(800);

/// Runs the program `P` with the arguments of the process.
pub fn main<P: Program>() -> ExitCode {
    let program = P::try_parse().unwrap_or_else(|error| redirected(error, &P::command()).exit());
    let setup = program.setup();
    let progress = progress::Progress::new(&setup);
    let notes = notes::notes(setup.name, setup.common.quiet, progress.bar());
    let exit = match start(program, &setup, &progress, notes) {
        Ok(exit) => exit,
        Err(fatal) => {
            progress.end();
            // Nothing is left to tell if not even this can be written.
            let _ = writeln!(io::stderr(), "{}: cannot {}", setup.name, Harmless(&fatal.to_string()));
            fatal.exit()
        }
    };
    exit.into()
}

/// The same error, with what helps whoever has named a file of records: a stage reads its standard input.
fn redirected(mut error: clap::Error, command: &clap::Command) -> clap::Error {
    let is_stage = !command.has_subcommands() && command.get_positionals().next().is_none();
    let Some(ContextValue::String(file)) = error.get(ContextKind::InvalidArg) else { return error };
    if is_stage && error.kind() == ErrorKind::UnknownArgument && Path::new(file).exists() {
        let name = command.get_name();
        let tip = format!("records are read from standard input: `{name} … < {file}`");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

fn start<P: Program>(program: P, setup: &Setup, progress: &progress::Progress, notes: Notes) -> Result<Exit> {
    let files = setup.files();
    refuse_one_for_two(&files)?;
    refuse_to_write_into(&setup.reads, &files)?;
    let _read = await_readers(&files);
    open_files::open_as_many_as_allowed();
    let cx = setup.common.rejects.context(notes)?;
    // One thread: what takes long (reading, unpacking, writing) has threads of its own, and requests, which are mostly waited for, cost less
    // if nobody has to wake another thread for them. Where there are very many at once, the refirer spreads them over threads itself.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fatal::new(format!("start a runtime: {error}")))?;
    let (result, signal) = runtime.block_on(async {
        // At a terminal nobody stands before it who would end its input.
        let ends_with_its_input = setup.ends_with_its_input && !io::stdin().is_terminal();
        let signals = signals::Signals::listen(&cx, ends_with_its_input)?;
        // Before the progress line, which would write over the question.
        program.ask(&cx).await?;
        if let Some(exit) = signals.first().filter(|_| cx.is_draining()) {
            // What has not begun makes no file: its ledger would be of a server that was never asked.
            if setup.sends {
                cx.notes().say(format_args!("nothing was sent"));
            }
            return Ok((None, Some(exit)));
        }
        let ticking = progress.tick(&cx);
        let watching = tokio::spawn(systemd::watch());
        let aborted = async {
            cx.stops().abort.cancelled().await;
            tokio::time::sleep(ABORT_TIME).await;
        };
        let result = tokio::select! {
            result = program.run(&cx) => result,
            () = aborted => Ok(()),
        };
        drop(ticking);
        watching.abort();
        Ok::<_, Fatal>((Some(result), signals.first()))
    })?;
    // A thread may still wait for standard input; nobody waits for it.
    runtime.shutdown_background();
    progress.end();
    let has_begun = result.is_some();
    let result = result.unwrap_or(Ok(()));
    let accounts = cx.tally().accounts();
    // Where nothing was begun, the rejects of an earlier run stay.
    let ended = if accounts.lines > 0 || (has_begun && result.is_ok()) {
        result.and(cx.flush_rejects())
    } else {
        result
    };
    // Where nothing was begun there is nothing to count.
    if !setup.common.quiet && has_begun && (ended.is_ok() || accounts.lines > 0) {
        summary::print(setup, &accounts);
    }
    ended?;
    if let Some(exit) = signal {
        return Ok(exit);
    }
    accounts.check().map_err(Fatal::new)?;
    // What would have been sent is not known, for nothing was read.
    if setup.sends && setup.prints && accounts.lines == 0 && cx.is_draining() && pipe::is_stdout_closed() {
        return Ok(Exit::Unsent);
    }
    Ok(verdict(&accounts, setup.common.rejects.strict))
}

/// Waits for whoever reads the named pipes among `files`, and holds them open. It takes until then to open one, and once the program listens to signals, none would end it meanwhile.
fn await_readers(files: &[(&str, PathBuf)]) -> Vec<File> {
    let is_pipe = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.file_type().is_fifo());
    let pipes = files.iter().map(|(_, path)| path).filter(|path| is_pipe(path));
    // One that cannot be opened is told of by whoever writes it.
    pipes.filter_map(|path| File::options().write(true).open(path).ok()).collect()
}

/// What the numbers of a run that came to its end mean to the shell.
fn verdict(accounts: &Accounts, strict: bool) -> Exit {
    let undecided = accounts.dropped.get(&Dropped::ExpressionFailed).copied().unwrap_or(0);
    let rehearsed = accounts.reasons.get(&Reason::DryRun).copied().unwrap_or(0);
    if accounts.outcome(Outcome::Unsent) + accounts.unfinished > rehearsed {
        Exit::Unsent
    } else if strict && accounts.rejected + undecided > 0 {
        Exit::Rejects
    } else if accounts.not_recovered() > rehearsed {
        Exit::NotRecovered
    } else {
        Exit::Done
    }
}

/// Writes a command's answer to standard output. A reader that has gone is no error.
pub(crate) fn answer(text: &[u8]) -> Result<()> {
    match io::stdout().write_all(text).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(cannot_answer(&error)),
        _ => Ok(()),
    }
}

pub(crate) fn cannot_answer(error: &io::Error) -> Fatal {
    Fatal::new(format!("write to standard output: {error}"))
}
