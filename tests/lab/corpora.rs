use std::env;
use std::path::PathBuf;

/// A file of the corpora of real logs, or `None` (said on stderr) where they are not installed.
///
/// They are in the folder that `LOGRETRY_CORPORA` names, else in `shared/corpora` beside the workspace.
pub(crate) fn corpus(path: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora");
    let folder = env::var_os("LOGRETRY_CORPORA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.is_dir() {
        let file = folder.join(path);
        assert!(file.exists(), "the corpora lack {path}");
        return Some(file);
    }
    skip(&format!("no corpora in {}", folder.display()));
    None
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
