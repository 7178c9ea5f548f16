//! Every `--help` is prose that ends with examples, and these run as they stand on a terminal of 80 columns.

use crate::lab::{Backend, Desk, Program, installed, line};

/// The programs and the commands that have a help.
const HELPS: &[&[&str]] = &[
    &["lr-read"],
    &["lr-filter"],
    &["lr-refire"],
    &["lr-write"],
    &["logretry"],
    &["logretry", "run"],
    &["logretry", "plan"],
    &["logretry", "held"],
    &["logretry", "ledger"],
    &["logretry", "ledger", "ls"],
    &["logretry", "ledger", "show"],
    &["logretry", "ledger", "export"],
    &["logretry", "ledger", "prune"],
    &["logretry", "verify"],
    &["logretry", "explain"],
    &["logretry", "demo"],
    &["logretry", "formats"],
    &["logretry", "completions"],
    &["logretry", "man"],
];

fn help(of: &[&str]) -> String {
    let ended = Program::new(of[0], &of[1..]).args(["--help"]).env("COLUMNS", "80").run();
    assert_eq!(ended.code, 0, "{of:?}: {}", ended.stderr);
    ended.stdout
}

/// The commands below `Examples:`, each on a line of its own (and those that end in `\` or `|` go on).
fn examples(help: &str) -> Vec<String> {
    let Some((_, examples)) = help.split_once("\nExamples:\n") else { return Vec::new() };
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in examples.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match commands.last_mut() {
            Some(command) if goes_on => command.extend(["\n", line]),
            _ => commands.push(line.to_owned()),
        }
        goes_on = line.ends_with(['\\', '|']);
    }
    commands
}

#[test]
fn every_help_is_prose_that_ends_with_examples() {
    for of in HELPS {
        let help = help(of);
        assert!(!examples(&help).is_empty(), "{of:?} has no examples:\n{help}");
        assert!(
            help.starts_with(|first: char| first.is_uppercase()),
            "{of:?} does not begin with a sentence:\n{help}"
        );
    }
}

#[test]
fn every_example_of_a_help_runs_as_it_stands() {
    installed("jq");
    let failures: Vec<String> =
        HELPS.iter().flat_map(|of| examples(&help(of))).filter_map(|command| failure(&command)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What went wrong when `command` ran where a log with one failure lies and the server is well.
fn failure(command: &str) -> Option<String> {
    let backend = Backend::up();
    let desk = Desk::with("access.log", [line("GET /a", 502), line("GET /b", 200)].concat());
    if command.contains("retry.log.ledger") || command.contains("logretry verify") {
        // A retry log and a ledger, as a run leaves them.
        desk.run("logretry", &["run", "access.log", "--base-url", &backend.url(), "-o", "retry.log"]);
    }
    let ended = desk.shell(&command.replace("https://shop.example", &backend.url()), "").run();
    (ended.code != 0).then(|| format!("{command}\nexit {}\n{}", ended.code, ended.stderr))
}
