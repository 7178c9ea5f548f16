use std::path::{Path, PathBuf};

/// The corpora's folder, if it is there.
pub(crate) fn corpora(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("LOGRETRY_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from);
    let path = root.join(part);
    if path.exists() {
        return Some(path);
    }
    #[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
    {
        eprintln!("skipped: {} absent; set LOGRETRY_CORPORA", path.display());
    }
    None
}

/// The lines of a log, without their line ends.
pub(crate) fn lines(log: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<_> = log.split(|&byte| byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}
