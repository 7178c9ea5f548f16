//! `lr-refire`: see `lr-refire --help`.

fn main() -> std::process::ExitCode {
    logretry::cli::main::<logretry::commands::Refire>()
}
