//! `lr-filter`: see `lr-filter --help`.

/// A record is made in one thread and let go in another, which costs other allocators locks and moving about.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    logretry::cli::main::<logretry::commands::Filter>()
}
