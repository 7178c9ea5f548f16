use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bstr::ByteSlice as _;
use logretry_record::Reject;
use logretry_stage::Notes;

use crate::ReaderError;
use crate::copies::leave_out_copies;
use crate::pattern::{fitting, is_hidden, is_pattern, is_there};
use crate::rotation::rotation;

/// One log to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, compressed or not.
    File(PathBuf),
}

impl Input {
    /// How it is called in records and messages: the path as it was given, or `-`.
    pub fn name(&self) -> &OsStr {
        match self {
            Self::Stdin => OsStr::new("-"),
            Self::File(path) => path.as_os_str(),
        }
    }

    /// Says so if somebody has to type the log: whoever left its name out would wait for what never comes.
    pub fn say_if_typed(&self, notes: &Notes) {
        if *self == Self::Stdin && io::stdin().is_terminal() {
            notes.say(format_args!("reading a log from the terminal, until Ctrl-D; to read a file, name it"));
        }
    }
}

/// What `arguments` name, in the order in which it is to be read.
///
/// `-`, or no argument at all, is standard input. A directory stands for the access logs in it, oldest first; a name with `*`, `?` or `[`
/// that is no file itself stands for the files that fit it, oldest first as well. Of these, what holds rejects of an earlier run is left out. A file that is named twice, directly,
/// through a link or as standard input, is read once, and so is a log that is named with its compressed copy: `access.log.1` and `access.log.1.gz`, while logrotate makes the one of the other.
///
/// # Errors
///
/// A file that is missing or may not be read, a directory without logs, a pattern that fits nothing. It is known now, before anything is
/// sent; only what is no regular file, such as a FIFO, is not opened before it is read.
pub fn inputs(arguments: &[impl AsRef<OsStr>]) -> Result<Vec<Input>, ReaderError> {
    if arguments.is_empty() {
        return Ok(vec![Input::Stdin]);
    }
    let mut inputs = Vec::new();
    let mut seen = HashSet::new();
    for argument in arguments.iter().map(AsRef::as_ref) {
        if argument == "-" {
            if !inputs.contains(&Input::Stdin) {
                inputs.push(Input::Stdin);
            }
            continue;
        }
        for path in files_of(Path::new(argument))? {
            let open_error = |error| ReaderError::Open { path: path.clone(), error };
            let metadata = look_at(&path).map_err(open_error)?;
            if seen.insert((metadata.dev(), metadata.ino())) {
                inputs.push(Input::File(path));
            }
        }
    }
    // What has been read of it by somebody else is in the file, too.
    let redirected =
        io::stdin().as_fd().try_clone_to_owned().map(fs::File::from).and_then(|file| file.metadata());
    if redirected.is_ok_and(|stdin| stdin.is_file() && seen.contains(&(stdin.dev(), stdin.ino()))) {
        inputs.retain(|input| *input != Input::Stdin);
    }
    leave_out_copies(&mut inputs);
    Ok(inputs)
}

/// Looks at what is to be read. A regular file is opened for that, so that it is known now if it may not be read. Anything else is opened once only, in the
/// thread that reads it: opening a FIFO waits for its writer, and whoever closes it again takes its reader from the writer.
fn look_at(path: &Path) -> io::Result<fs::Metadata> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() { fs::File::open(path)?.metadata() } else { Ok(metadata) }
}

fn files_of(path: &Path) -> Result<Vec<PathBuf>, ReaderError> {
    let mut troubles = Vec::new();
    let found = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => logs_in(path, &mut troubles).map(without_rejects),
        Ok(_) => Ok(vec![path.to_owned()]),
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_pattern(path) => {
            matches_of(path, &mut troubles).map(without_rejects)
        }
        Err(error) => Err(ReaderError::Open { path: path.to_owned(), error }),
    };
    troubles.into_iter().next().map_or(found, Err)
}

/// The files that hold no rejects of an earlier run, if there are any. What those rejects tell of stands in the logs as well.
fn without_rejects(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let (rejects, logs): (Vec<_>, _) =
        paths.into_iter().partition(|path| holds_rejects(path).unwrap_or(false));
    if logs.is_empty() { rejects } else { logs }
}

fn holds_rejects(path: &Path) -> io::Result<bool> {
    // Enough for the longest path and what is wrong with a line.
    const HEAD_BYTES: u64 = 16 << 10;
    let mut head = Vec::new();
    fs::File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head.lines().next().is_some_and(Reject::is_encoded))
}

/// The files that fit a pattern, oldest first. What may not be looked at is told to `troubles`.
pub(crate) fn matches_of(path: &Path, troubles: &mut Vec<ReaderError>) -> Result<Vec<PathBuf>, ReaderError> {
    let pattern = path.to_string_lossy();
    let mut paths = fitting(&pattern, troubles)?;
    paths.retain(|path| !path.file_name().is_some_and(is_of_a_ledger));
    paths.retain(|path| is_there(path, fs::Metadata::is_file, troubles));
    if paths.is_empty() {
        return Err(ReaderError::NoMatch { pattern: pattern.into_owned(), detail: None });
    }
    Ok(oldest_first(paths))
}

/// The access logs of a directory: files that are not hidden, and whose names speak of access, or, where no name does, all `*.log*` that do not speak of errors.
/// One that may not be looked at is told to `troubles`.
pub(crate) fn logs_in(
    directory: &Path,
    troubles: &mut Vec<ReaderError>,
) -> Result<Vec<PathBuf>, ReaderError> {
    let names = fs::read_dir(directory).and_then(|entries| {
        entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<OsString>>>()
    });
    let names = names.map_err(|error| ReaderError::Open { path: directory.to_owned(), error })?;
    let speaks_of = |name: &OsStr, word: &str| name.to_string_lossy().to_ascii_lowercase().contains(word);
    let access = |name: &OsStr| speaks_of(name, "access") && !is_of_a_ledger(name);
    let any_log =
        |name: &OsStr| speaks_of(name, ".log") && !speaks_of(name, "error") && !is_of_a_ledger(name);
    let mut logs = |is_meant: &dyn Fn(&OsStr) -> bool| -> Vec<PathBuf> {
        let names = names.iter().filter(|name| !is_hidden(name) && is_meant(name));
        let mut paths: Vec<_> = names.map(|name| directory.join(name)).collect();
        paths.retain(|path| is_there(path, fs::Metadata::is_file, troubles));
        paths
    };
    let mut paths = logs(&access);
    if paths.is_empty() {
        paths = logs(&any_log);
    }
    if paths.is_empty() {
        return Err(ReaderError::NoLogs { path: directory.to_owned() });
    }
    Ok(oldest_first(paths))
}

/// Whether a name is that of a ledger, or of what SQLite and its lock put beside one. A log may speak of ledgers too: `api.ledger.example-access.log`.
fn is_of_a_ledger(name: &OsStr) -> bool {
    let name = name.as_bytes();
    ["", "-wal", "-shm", "-journal", ".lock"]
        .iter()
        .any(|end| name.strip_suffix(end.as_bytes()).is_some_and(|ledger| ledger.ends_with(b".ledger")))
}

/// Sorts rotated logs by time, as logrotate names them: `access.log.10.gz`, `access.log.2.gz`, `access.log.1`, `access.log`, and
/// `access.log-20261121.gz` before `access.log`. Logs of different names stay together.
pub(crate) fn oldest_first(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (log, age) = rotation(&name);
        (path.parent().map(Path::to_owned), log, age, name)
    });
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &[&str]) -> Vec<String> {
        oldest_first(names.iter().map(PathBuf::from).collect())
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    }

    #[test]
    fn rotated_logs_are_read_oldest_first() {
        assert_eq!(
            sorted(&["access.log", "access.log.1", "access.log.10.gz", "access.log.2.gz"]),
            ["access.log.10.gz", "access.log.2.gz", "access.log.1", "access.log"]
        );
        assert_eq!(
            sorted(&["b.log", "a.log", "b.log-20261121.gz", "b.log-20261120.gz", "a.log.1"]),
            ["a.log.1", "a.log", "b.log-20261120.gz", "b.log-20261121.gz", "b.log"]
        );
    }

    #[test]
    fn a_directory_stands_for_its_access_logs() {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["error.log", "access.log", "access.log.1", "notes.txt", ".access.log.swp"] {
            fs::write(dir.path().join(name), "").expect("a file");
        }
        let found = inputs(&[dir.path()]).expect("two logs");
        assert_eq!(names(&found), ["access.log.1", "access.log"]);
        fs::remove_file(dir.path().join("access.log")).expect("removed");
        fs::remove_file(dir.path().join("access.log.1")).expect("removed");
        assert!(matches!(inputs(&[dir.path()]), Err(ReaderError::NoLogs { .. })));
    }

    fn names(found: &[Input]) -> Vec<&OsStr> {
        found.iter().map(|input| Path::new(input.name()).file_name().expect("a name")).collect()
    }

    #[test]
    fn a_ledger_is_no_log_whatever_finds_it() {
        let dir = tempfile::tempdir().expect("a directory");
        for end in ["", ".retry.ledger", ".retry.ledger.lock", ".retry.ledger-wal", ".retry.ledger-shm"] {
            fs::write(dir.path().join(format!("access.log{end}")), "").expect("a file");
        }
        fs::write(dir.path().join("api.ledger.example-access.log"), "").expect("a file");
        let pattern = dir.path().join("*access.log*");
        for argument in [dir.path(), &pattern] {
            let found = inputs(&[argument]).expect("two logs");
            assert_eq!(names(&found), ["access.log", "api.ledger.example-access.log"]);
        }
    }

    #[test]
    fn a_file_named_twice_is_read_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let (log, link) = (dir.path().join("access.log"), dir.path().join("link.log"));
        fs::write(&log, "").expect("a file");
        std::os::unix::fs::symlink(&log, &link).expect("a link");
        let pattern = dir.path().join("*.log");
        assert_eq!(inputs(&[&log, &link, &log, &pattern]).expect("one log"), [Input::File(log)]);
    }

    #[test]
    fn a_fifo_is_named_without_being_opened() {
        let dir = tempfile::tempdir().expect("a directory");
        let fifo = dir.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs");
        assert!(made.success());
        let (found, wait) = std::sync::mpsc::channel();
        let path = fifo.clone();
        std::thread::spawn(move || found.send(inputs(&[path])));
        // Opening it would wait for a writer, and none comes.
        let found = wait.recv_timeout(std::time::Duration::from_secs(10)).expect("it has not been opened");
        assert_eq!(found.expect("one log"), [Input::File(fifo)]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let none: [&str; 0] = [];
        assert_eq!(inputs(&none).expect("stdin"), [Input::Stdin]);
        for (argument, message) in [
            ("/nowhere/access.log", "open `/nowhere/access.log`: No such file or directory (os error 2)"),
            ("/nowhere/*.log", "find a file that fits `/nowhere/*.log`"),
        ] {
            assert_eq!(inputs(&[argument]).expect_err("not there").to_string(), message);
        }
    }
}
