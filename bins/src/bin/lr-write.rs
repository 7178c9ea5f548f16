//! `lr-write`: see `lr-write --help`.

fn main() -> std::process::ExitCode {
    logretry::cli::main::<logretry::commands::Write>()
}
