use std::future::Future;
use std::path::PathBuf;

use clap::{Args, Parser};
use logretry_refirer::RefireArgs;
use logretry_rewriter::WriteArgs;
use logretry_stage::{Context, RejectArgs, Result};

/// One of the programs: its arguments, and what it does with them.
pub trait Program: Parser {
    /// What the frame around it must know before it runs.
    fn setup(&self) -> Setup;

    /// Asks the person who started it whether it may go on, and says what that person should know. Nothing has begun yet.
    fn ask(&self, _: &Context) -> impl Future<Output = Result<()>> {
        async { Ok(()) }
    }

    /// Does the work.
    fn run(self, cx: &Context) -> impl Future<Output = Result<()>>;
}

/// What the frame must know of a program.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What stands before each of its messages.
    pub name: &'static str,
    /// The flags that all programs have.
    pub common: Common,
    /// The files that it writes besides those of `common`, with what a person calls them.
    pub writes: Vec<(&'static str, PathBuf)>,
    /// Files that are read besides the logs, with what a person calls them.
    pub reads: Vec<(&'static str, PathBuf)>,
    /// Whether lines or records go to standard output.
    pub prints: bool,
    /// What is said at the end.
    pub summary: Summary,
    /// Whether the first Ctrl-C does not concern it: whoever stands before it in the pipe stops, and it ends with its input.
    pub ends_with_its_input: bool,
    /// Whether it sends requests.
    pub sends: bool,
}

impl Setup {
    /// That of a program between the ends of a pipe. `ends_with_its_input`: the first Ctrl-C does not concern it.
    pub(crate) fn of_stage(name: &'static str, common: &Common, ends_with_its_input: bool) -> Self {
        let summary = Summary::Numbers { output: None };
        Self {
            name,
            common: common.clone(),
            writes: Vec::new(),
            reads: Vec::new(),
            prints: true,
            summary,
            ends_with_its_input,
            sends: false,
        }
    }

    /// The same for one that sends requests as told.
    pub(crate) fn sending(self, refire: &RefireArgs) -> Self {
        let setup = Self { sends: true, reads: refire.reads().collect(), ..self };
        setup.with_file("the secret", refire.idempotency_secret.as_ref())
    }

    /// The same, which writes the retry log and dead letters as told, and keeps a ledger if there is one.
    pub(crate) fn writing(self, log: &WriteArgs, ledger: Option<PathBuf>) -> Self {
        let named = [
            ("the retry log", log.output.clone()),
            ("the ledger", ledger),
            ("the dead letters", log.dead_letter.clone()),
        ];
        let prints = log.output.is_none();
        let writes = named.into_iter().filter_map(|(what, path)| Some((what, path?))).collect();
        Self { writes, prints, summary: Summary::Numbers { output: Some(log.place()) }, ..self }
    }

    /// All files that it writes.
    pub(super) fn files(&self) -> Vec<(&'static str, PathBuf)> {
        let rejects = self.common.rejects.rejects.clone().map(|path| ("the rejects", path));
        self.writes.iter().cloned().chain(rejects).collect()
    }

    /// The same, which also reads these files.
    pub(crate) fn reading(mut self, files: impl Iterator<Item = (&'static str, PathBuf)>) -> Self {
        self.reads.extend(files);
        self
    }

    /// The same, which also writes `what` into a file.
    pub(crate) fn with_file(mut self, what: &'static str, path: Option<&PathBuf>) -> Self {
        self.writes.extend(path.map(|path| (what, path.clone())));
        self
    }
}

/// What is said at the end of a run.
#[derive(Debug, Clone, Default)]
pub enum Summary {
    /// Nothing: the program's output is its answer.
    #[default]
    None,
    /// The numbers.
    Numbers {
        /// Where written lines went.
        output: Option<String>,
    },
}

/// Flags that every program has.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// Lines that cannot be used.
    #[command(flatten)]
    pub rejects: RejectArgs,

    /// Say nothing but errors: no progress, no notes, no summary
    #[arg(short, long)]
    pub quiet: bool,
}
