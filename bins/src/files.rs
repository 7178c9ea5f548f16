//! The files that a run writes: each is one thing's, and none is a log that it reads.

use std::path::{Path, PathBuf};

use logretry_reader::Reader;
use logretry_stage::{Fatal, Result};

use crate::books::beside_file;

/// Refuses to write two things into one file, of whatever names. Each stands with what a person calls it.
pub(crate) fn refuse_one_for_two(files: &[(&str, PathBuf)]) -> Result<()> {
    for (index, (what, path)) in files.iter().enumerate() {
        if let Some((other, _)) = files[..index].iter().find(|(_, other)| is_same(path, other)) {
            let message = format!(
                "write {what} into `{}`: it is the file of {other}; give them two names",
                path.display()
            );
            return Err(Fatal::usage(message));
        }
    }
    Ok(())
}

/// Leaves out the retry log of what a directory or a pattern among the arguments has `found`: the same command again goes on, wherever the first one has put it. It is one if its ledger
/// is beside it, or nothing is in it; and whoever names it means it.
pub(crate) fn leave_out_what_is_written(
    found: Reader,
    arguments: &[impl AsRef<Path>],
    retry_log: Option<&Path>,
) -> Reader {
    let output = retry_log.unwrap_or(Path::new("/dev/stdout"));
    let is_ours = |metadata: std::fs::Metadata| {
        metadata.is_file()
            && (metadata.len() == 0 || beside_file(output).is_some_and(|ledger| ledger.exists()))
    };
    let is_named = || arguments.iter().any(|argument| is_same_file(argument.as_ref(), output));
    if !output.metadata().is_ok_and(is_ours) || is_named() {
        return found;
    }
    found.without(|path| is_same_file(path, output))
}

/// The retry log must not be one of the logs: the reader would read what the writer writes. None is standard output, and the shell may have opened either (`< access.log`,
/// `>> access.log`).
pub(crate) fn refuse_to_append_to_a_log<'a>(
    mut logs: impl Iterator<Item = &'a Path>,
    retry_log: Option<&Path>,
) -> Result<()> {
    let output = retry_log.unwrap_or(Path::new("/dev/stdout"));
    if output.is_file() && logs.any(|path| is_same_file(path, output)) {
        let place = match retry_log {
            Some(output) => format!("into `{}`", output.display()),
            None => "to standard output".to_owned(),
        };
        return Err(Fatal::usage(format!(
            "write the retry log {place}: it is one of the logs to read; give it another name"
        )));
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
fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |path| std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    identity(one).is_some_and(|one| Some(one) == identity(other))
}
