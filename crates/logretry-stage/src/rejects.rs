use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use logretry_record::{Reject, Shown};

use crate::line_file::lock;
use crate::{Fatal, LineFile, Notes, Reopen, Result, open_own, refuse_what_others_hold};

/// Where lines and records go that could not be used: the first few to the person who watches, all of them to a file.
#[derive(Debug, Default)]
pub struct Rejects {
    file: Option<PathBuf>,
    reopen: Reopen,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    shown: u32,
    writer: Option<BufWriter<LineFile>>,
}

/// How many rejects a person is shown.
const SHOWN_MAX: u32 = 3;

impl Rejects {
    /// Rejects that are also written to `file` as NDJSON. The file is readable by its owner only. What an earlier run has left in it goes with the first reject, or when
    /// they are first flushed: whoever finds out before that it cannot go on leaves it.
    ///
    /// # Errors
    ///
    /// If it cannot be created, if it holds anything but rejects, or if another program is writing it.
    pub fn to_file(file: &Path) -> Result<Self> {
        let error = |error| RejectsError { action: "create", file: file.to_owned(), error };
        refuse_what_others_hold(Reject::BEGINNING, file).map_err(error)?;
        let mut options = OpenOptions::new();
        let options = options.append(true).create(true);
        let writer = open_own(options, file).map_err(error)?;
        // The stages of a pipe would write over each other's lines.
        lock(&writer).map_err(error)?;
        let reopen = Reopen::default();
        let writer = LineFile::new(file, writer, &reopen).locked();
        // `/dev/stderr` may be a file, to which others have written and still write.
        let writer = BufWriter::new(if file.starts_with("/dev") { writer } else { writer.replacing() });
        let state = Mutex::new(State { shown: 0, writer: Some(writer) });
        Ok(Self { file: Some(file.to_owned()), reopen, state })
    }

    /// Where to ask that the file be opened anew.
    pub(crate) fn reopen(&self) -> &Reopen {
        &self.reopen
    }

    pub(crate) fn take(&self, reject: &Reject, notes: &Notes) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.shown < SHOWN_MAX {
            state.shown += 1;
            notes.say(format_args!(
                "{}:{}: cannot use the line: {}: {}",
                Shown(&reject.source),
                reject.line,
                Shown(reject.reason.as_bytes()),
                Shown(&reject.text),
            ));
        } else if state.shown == SHOWN_MAX {
            state.shown += 1;
            let more = if self.file.is_some() { "" } else { "; `--rejects FILE` keeps them all" };
            notes.say(format_args!("further lines that cannot be used are only counted{more}"));
        }
        if let Some(writer) = &mut state.writer {
            let mut line = Vec::new();
            reject.encode(&mut line);
            writer.write_all(&line).map_err(|error| self.error(error))?;
        }
        Ok(())
    }

    pub(crate) fn flush(&self) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = &mut state.writer else { return Ok(()) };
        writer.get_mut().begin().and_then(|()| writer.flush()).map_err(|error| self.error(error))
    }

    fn error(&self, error: io::Error) -> Fatal {
        let file = self.file.clone().unwrap_or_default();
        RejectsError { action: "write", file, error }.into()
    }
}

/// The file for rejects cannot be created or written.
#[derive(Debug, thiserror::Error)]
#[error("{action} the file for rejects `{}`: {error}", file.display())]
pub struct RejectsError {
    action: &'static str,
    file: PathBuf,
    #[source]
    error: io::Error,
}

impl From<RejectsError> for Fatal {
    fn from(error: RejectsError) -> Self {
        Self::new(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_by_one_program_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rejects.ndjson");
        std::fs::write(&path, Reject::BEGINNING).expect("a file");
        let first = Rejects::to_file(&path).expect("nobody is writing it");
        let told = Rejects::to_file(&path).expect_err("the first one is").to_string();
        assert!(told.ends_with("another program is writing it; give each a file of its own"), "{told}");
        drop(first);
        assert!(Rejects::to_file(&path).is_ok());
    }

    /// A run whose flags were found not to fit together had emptied it.
    #[test]
    fn what_an_earlier_run_has_left_stays_until_something_is_known_of_this_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, moved) = (folder.path().join("rejects.ndjson"), folder.path().join("rejects.1"));
        let earlier = [Reject::BEGINNING, b"\n"].concat();
        let begun = || {
            std::fs::write(&path, &earlier).expect("a file");
            Rejects::to_file(&path).expect("nobody is writing it")
        };
        drop(begun());
        assert_eq!(std::fs::read(&path).expect("a file"), earlier);
        begun().flush().expect("it can be written");
        assert_eq!(std::fs::read(&path).expect("a file"), b"");
        let rotated = begun();
        std::fs::rename(&path, &moved).expect("a rename");
        rotated.reopen().ask();
        rotated.flush().expect("it can be written");
        assert_eq!(std::fs::read(&path).expect("a new file"), b"");
        assert_eq!(std::fs::read(&moved).expect("a file"), earlier);
    }

    #[test]
    fn what_is_no_file_may_be_written_by_many() {
        let all = [(); 2].map(|()| Rejects::to_file(Path::new("/dev/null")));
        assert!(all.iter().all(Result::is_ok));
    }
}
