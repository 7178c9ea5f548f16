//! The files that a run writes: each is one thing's, and none is a log that it reads.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use logretry_reader::Reader;
use logretry_record::Mark;
#[cfg(feature = "cli")]
use logretry_record::Shown;
#[cfg(feature = "cli")]
use logretry_stage::Context;
use logretry_stage::{Fatal, Result};

use crate::books::beside_file;

/// Refuses to write two things into one file, of whatever names. Each stands with what a person calls it.
pub(crate) fn refuse_one_for_two(files: &[(&str, PathBuf)]) -> Result<()> {
    (0..files.len()).try_for_each(|index| refuse_to_write_into(&files[..index], &files[index..=index]))
}

/// Refuses to write `files` into those of `others`.
pub(crate) fn refuse_to_write_into(others: &[(&str, PathBuf)], files: &[(&str, PathBuf)]) -> Result<()> {
    for (what, path) in files {
        if let Some((other, _)) = others.iter().find(|(_, other)| is_same(path, other)) {
            let message = format!(
                "write {what} into `{}`: it is the file of {other}; give them two names",
                path.display()
            );
            return Err(Fatal::usage(message));
        }
    }
    Ok(())
}

/// Leaves out what the run writes of what a directory or a pattern among the arguments has `found`, or will find while it follows: the retry log, so that the same command again goes on wherever
/// the first one has put it, and the `others`. Whoever names one of them means it.
pub(crate) fn leave_out_what_is_written<'a>(
    found: Reader,
    arguments: &[impl AsRef<Path>],
    retry_log: Option<&'a Path>,
    mark: &Mark,
    others: impl IntoIterator<Item = &'a PathBuf>,
) -> Reader {
    let output = retry_log.unwrap_or(Path::new("/dev/stdout"));
    let retry_log = is_retry_log(output, mark).then_some(output);
    let others = others.into_iter().map(PathBuf::as_path);
    leave_out(found, arguments, retry_log.into_iter().chain(others))
}

/// Leaves out the files at `paths` of what a directory or a pattern among the arguments has `found`, or will find while it follows.
pub(crate) fn leave_out<'a>(
    found: Reader,
    arguments: &[impl AsRef<Path>],
    paths: impl Iterator<Item = &'a Path>,
) -> Reader {
    paths.fold(found, |found, path| {
        let found = found.not_following(path);
        if !path.is_file() || arguments.iter().any(|argument| is_same_file(argument.as_ref(), path)) {
            return found;
        }
        found.without(|other| is_same_file(path, other))
    })
}

/// Whether what is there, or will be, is a retry log: its ledger is beside it, or nothing is in it, or its first lines carry the mark.
fn is_retry_log(output: &Path, mark: &Mark) -> bool {
    let Ok(metadata) = output.metadata() else { return true };
    metadata.is_file()
        && (metadata.len() == 0
            || beside_file(output).is_some_and(|ledger| ledger.exists())
            || begins_marked(output, mark).unwrap_or(false))
}

/// Says of a retry log that begins without `mark` that it will have lines with it and without: whoever reads it takes the latter for requests of clients.
#[cfg(feature = "cli")]
pub(crate) fn tell_of_another_mark(retry_log: Option<&Path>, mark: &Mark, cx: &Context) {
    let begun = |path: &&Path| path.metadata().is_ok_and(|found| found.is_file() && found.len() > 0);
    let Some(path) = retry_log.filter(begun) else { return };
    if begins_marked(path, mark).is_ok_and(|marked| !marked) {
        cx.notes().say(format_args!(
            "`{}` begins with lines that do not carry the mark `{}`: whoever reads it with that mark takes them for requests of clients; give the `--mark` that it had before",
            Shown(path.as_os_str().as_encoded_bytes()),
            Shown(mark.parameter().as_bytes())
        ));
    }
}

/// Whether one of the first two lines carries the mark: CSV has its names in the first.
fn begins_marked(output: &Path, mark: &Mark) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(output)?.take(64 << 10).read_to_end(&mut head)?;
    let lines: Vec<&[u8]> = head.split_inclusive(|byte| *byte == b'\n').take(2).collect();
    let parameter = mark.parameter().as_bytes();
    Ok(lines.concat().windows(parameter.len()).any(|bytes| bytes == parameter))
}

/// The retry log must not be one of the logs: the reader would read what the writer writes. None is standard output, and the shell may have opened either (`< access.log`,
/// `>> access.log`).
pub(crate) fn refuse_to_append_to_a_log(
    mut logs: impl Iterator<Item = PathBuf>,
    retry_log: Option<&Path>,
) -> Result<()> {
    let output = retry_log.unwrap_or(Path::new("/dev/stdout"));
    if output.is_file() && logs.any(|path| is_same_file(&path, output)) {
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
