use std::future::Future;

use clap::{Args, Parser};
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
    /// What is said at the end.
    pub summary: Summary,
    /// Whether the first Ctrl-C does not concern it: whoever stands before it in the pipe stops, and it ends with its input.
    pub ends_with_its_input: bool,
}

impl Setup {
    /// That of a program between the ends of a pipe. `ends_with_its_input`: the first Ctrl-C does not concern it.
    pub(crate) fn of_stage(name: &'static str, common: &Common, ends_with_its_input: bool) -> Self {
        Self { name, common: common.clone(), summary: Summary::Numbers { output: None }, ends_with_its_input }
    }

    /// The same, which says where its lines went.
    pub(crate) fn writing_to(self, place: String) -> Self {
        Self { summary: Summary::Numbers { output: Some(place) }, ..self }
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
