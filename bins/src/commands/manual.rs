use std::io;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;
use logretry_stage::Result;

use super::{Filter, Logretry, Read, Refire, Write};
use crate::cli::{answer, cannot_answer};

/// Writes the completions of all five programs for a shell to standard output.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  logretry completions bash > logretry.bash
  logretry completions zsh > _logretry
  logretry completions fish | head -5")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

/// Writes a program's manual page, in roff, to standard output.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  logretry man > logretry.1
  logretry man lr-filter > lr-filter.1
  logretry man lr-read | head -5")]
pub(crate) struct Man {
    /// The program
    #[arg(value_enum, default_value_t)]
    program: Name,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Name {
    #[default]
    Logretry,
    LrRead,
    LrFilter,
    LrRefire,
    LrWrite,
}

impl Name {
    fn command(self) -> clap::Command {
        match self {
            Self::Logretry => Logretry::command(),
            Self::LrRead => Read::command(),
            Self::LrFilter => Filter::command(),
            Self::LrRefire => Refire::command(),
            Self::LrWrite => Write::command(),
        }
    }
}

impl Completions {
    pub(crate) fn run(&self) -> Result<()> {
        let mut text = Vec::new();
        for name in Name::value_variants() {
            let mut command = name.command();
            let program = command.get_name().to_owned();
            clap_complete::generate(self.shell, &mut command, program, &mut text);
        }
        answer(&text)
    }
}

impl Man {
    pub(crate) fn run(&self) -> Result<()> {
        let mut text = Vec::new();
        let page = clap_mangen::Man::new(self.program.command());
        page.render(&mut text).map_err(|error: io::Error| cannot_answer(&error))?;
        answer(&text)
    }
}
