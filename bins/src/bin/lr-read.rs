//! `lr-read`: see `lr-read --help`.

fn main() -> std::process::ExitCode {
    logretry::cli::main::<logretry::commands::Read>()
}
