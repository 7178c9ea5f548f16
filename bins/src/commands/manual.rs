use std::io;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;
use logretry_stage::{Fatal, Result};

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

/// Writes the manual page of a program, or of one of its commands, in roff, to standard output.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  logretry man > logretry.1
  logretry man logretry-run > logretry-run.1
  logretry man lr-filter | head -5")]
pub(crate) struct Man {
    /// The page, as pages refer to each other: a program, or `logretry-` and a command
    #[arg(default_value = "logretry")]
    page: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
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
        let mut texts = Vec::new();
        let mut programs = Vec::new();
        for name in Name::value_variants() {
            let mut command = name.command();
            let (program, mut text) = (command.get_name().to_owned(), Vec::new());
            clap_complete::generate(self.shell, &mut command, &program, &mut text);
            programs.push(program);
            texts.push(text);
        }
        let text = texts.concat();
        match self.shell {
            Shell::Zsh => answer(for_all(&programs, &String::from_utf8_lossy(&text)).as_bytes()),
            _ => answer(&text),
        }
    }
}

/// zsh looks for a program's completions in a file of its name, or in one whose first line names it; it then runs the file as a function, and expects to be
/// answered. What is generated for each of several programs in one file answers for the first one only.
fn for_all(programs: &[String], generated: &str) -> String {
    let mut text = format!("#compdef {}\n", programs.join(" "));
    let mut rest = generated;
    while let Some((functions, behind)) = rest.split_once("if [ \"$funcstack[1]\" = ") {
        text += functions;
        rest = behind.split_once("\nfi\n").map_or("", |(_, behind)| behind);
    }
    text += rest;
    let compdefs = programs.iter().map(|program| format!("compdef _{program} {program}\n"));
    text + &compdefs.collect::<String>()
        + "if [ \"$funcstack[1]\" = \"_logretry\" ]; then\n    \"_$service\" \"$@\"\nfi\n"
}

impl Man {
    pub(crate) fn run(&self) -> Result<()> {
        let mut pages = Vec::new();
        for name in Name::value_variants() {
            let mut command = name.command().disable_help_subcommand(true);
            command.build();
            push_pages(command.get_name().to_owned(), command, &mut pages);
        }
        let Some((_, command)) = pages.iter().find(|(name, _)| *name == self.page) else {
            let names: Vec<_> = pages.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Fatal::usage(format!(
                "find the page `{}`; there are {}",
                self.page,
                names.join(", ")
            )));
        };
        let mut text = Vec::new();
        // Commands have no version of their own.
        let page =
            clap_mangen::Man::new(command.clone()).source(concat!("logretry ", env!("CARGO_PKG_VERSION")));
        page.render(&mut text).map_err(|error: io::Error| cannot_answer(&error))?;
        answer(with_whole_examples(&String::from_utf8_lossy(&text)).as_bytes())
    }
}

/// What stands behind a help is text for `clap_mangen`, which is filled: lines that are to be pasted would be broken, words at hyphens too. So its section is not.
fn with_whole_examples(page: &str) -> String {
    let Some((before, examples)) = page.split_once(".SH EXTRA\nExamples:\n") else { return page.to_owned() };
    let (examples, behind) = examples.split_at(examples.find("\n.SH ").unwrap_or(examples.trim_end().len()));
    format!("{before}.SH EXAMPLES\n.nf\n{examples}\n.fi{behind}")
}

/// Adds the page of `command` and those of its commands.
fn push_pages(name: String, command: clap::Command, pages: &mut Vec<(String, clap::Command)>) {
    for below in command.get_subcommands() {
        push_pages(format!("{name}-{}", below.get_name()), below.clone(), pages);
    }
    pages.push((name, command));
}
