//! `logretry`: see `logretry --help`.

fn main() -> std::process::ExitCode {
    logretry::cli::main::<logretry::commands::Logretry>()
}
