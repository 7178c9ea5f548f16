//! `lr-filter`: see `lr-filter --help`.

fn main() -> std::process::ExitCode {
    logretry::cli::main::<logretry::commands::Filter>()
}
