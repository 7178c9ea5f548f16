//! The files that a program writes: each is one thing's.

use std::path::{Path, PathBuf};

use logretry_stage::{Fatal, Result};

use super::Setup;

/// Refuses to write two things into one file, of whatever names.
pub(super) fn refuse_one_for_two(setup: &Setup) -> Result<()> {
    let rejects = setup.common.rejects.rejects.clone().map(|path| ("the rejects", path));
    let files: Vec<_> = setup.writes.iter().cloned().chain(rejects).collect();
    for (index, (what, path)) in files.iter().enumerate() {
        if let Some((other, _)) = files[..index].iter().find(|(_, other)| is_same(path, other)) {
            let message =
                format!("write {what} into `{}`: {other} goes there; give them two names", path.display());
            return Err(Fatal::usage(message));
        }
    }
    Ok(())
}

/// Whether what is written to one is written to the other. What is below `/dev` is no file of ours.
fn is_same(one: &Path, other: &Path) -> bool {
    if [one, other].iter().all(|path| path.starts_with("/dev")) {
        return false;
    }
    is_same_file(one, other) || place(one).is_some_and(|one| Some(one) == place(other))
}

/// Where a file is or would be, if its folder is there.
fn place(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

/// Whether both are there, and the same.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |path| std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    identity(one).is_some_and(|one| Some(one) == identity(other))
}
