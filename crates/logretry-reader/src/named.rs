//! Logs as they were when they were named.
//!
//! It may take hours until a run gets to the last log of a folder, and logs are rotated meanwhile: each is renamed to the next number, compressed, or
//! copied and emptied. Then another log is at its name, and the one that was meant would be left out without a word. So what is read is the file that was
//! there when it was named, wherever it has gone. Those that are read last are the newest, which are compressed next: they stay open.

use std::fs::{self, File, Metadata};
use std::io::{self, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::{Input, ReaderError};

/// How many files stay open until they are read: few, for a process may have few.
const OPEN_MAX: usize = 4;

/// An input, and the file that it was.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) input: Input,
    /// None: it is no regular file, or there was none.
    seen: Option<Seen>,
}

#[derive(Debug)]
struct Seen {
    identity: Identity,
    bytes: u64,
    modified: Option<SystemTime>,
    /// The folder of the file itself, where links to it may be elsewhere.
    folder: PathBuf,
    file: Option<File>,
}

/// Device, inode, and when it was made, as far as the file system says: inodes are used again.
type Identity = (u64, u64, Option<SystemTime>);

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino(), metadata.created().ok())
}

impl Named {
    /// What `inputs` are now.
    pub(crate) fn all(inputs: impl IntoIterator<Item = Input>) -> Vec<Self> {
        let mut all: Vec<_> = inputs.into_iter().map(Self::of).collect();
        let seen = all.iter_mut().rev().filter_map(|named| match &named.input {
            Input::File(path) => Some((path, named.seen.as_mut()?)),
            Input::Stdin => None,
        });
        for (path, seen) in seen.take(OPEN_MAX) {
            seen.file = open_if(path, |metadata| seen.is(metadata)).ok().flatten();
        }
        all
    }

    /// What `input` is now.
    pub(crate) fn of(input: Input) -> Self {
        let seen = match &input {
            Input::File(path) => Seen::at(path),
            Input::Stdin => None,
        };
        Self { input, seen }
    }

    /// Its bytes on disk, where that is known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.seen.as_ref().map(|seen| seen.bytes)
    }

    /// Opens the file that was at `path` when it was named.
    pub(crate) fn open(&self, path: &Path) -> Result<File, ReaderError> {
        let open_error = |error| ReaderError::Open { path: path.to_owned(), error };
        let Some(seen) = &self.seen else { return File::open(path).map_err(open_error) };
        match (seen.find(path), &seen.file) {
            (Ok(Some(file)), _) => return Ok(file),
            // It has no name any more. What was opened before from the one that is kept has moved on in it, and so it is not taken where there is another way: a thread
            // that unpacks may still read there.
            (_, Some(kept)) => {
                let again = kept.try_clone().and_then(|mut file| file.rewind().map(|()| file));
                return again.map_err(open_error);
            }
            (Err(error), None) => return Err(open_error(error)),
            (Ok(None), None) => {}
        }
        let unchanged = open_if(path, |metadata| seen.is_as(metadata)).map_err(open_error)?;
        unchanged.ok_or_else(|| ReaderError::Rotated { path: path.to_owned() })
    }

    /// Whether `file`, which was read to its end, has become shorter since it was named: what stood in it may be in a copy.
    pub(crate) fn was_emptied(&self, file: &File) -> bool {
        let bytes = |seen: &Seen| file.metadata().is_ok_and(|metadata| metadata.len() < seen.bytes);
        self.seen.as_ref().is_some_and(bytes)
    }
}

impl Seen {
    fn at(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok().filter(Metadata::is_file)?;
        let folder = fs::canonicalize(path).ok()?.parent()?.to_owned();
        let (bytes, modified) = (metadata.len(), metadata.modified().ok());
        Some(Self { identity: identity(&metadata), bytes, modified, folder, file: None })
    }

    /// Opens it wherever it is now: at `path`, or beside it.
    fn find(&self, path: &Path) -> io::Result<Option<File>> {
        // While it is looked for it may get another name once more.
        for _ in 0..2 {
            if let Some(file) = open_if(path, |metadata| self.is(metadata))? {
                return Ok(Some(file));
            }
            for entry in fs::read_dir(&self.folder)?.flatten() {
                if let Ok(Some(file)) = open_if(&entry.path(), |metadata| self.is(metadata)) {
                    return Ok(Some(file));
                }
            }
        }
        Ok(None)
    }

    fn is(&self, other: &Metadata) -> bool {
        identity(other) == self.identity
    }

    /// Whether it looks as this file did. Some file systems over a network give a file another inode when it is asked for again.
    fn is_as(&self, other: &Metadata) -> bool {
        other.len() == self.bytes && other.modified().ok() == self.modified
    }
}

/// Opens what is at `path`, if it is the file that is meant.
fn open_if(path: &Path, is_meant: impl Fn(&Metadata) -> bool) -> io::Result<Option<File>> {
    // What is no file, a FIFO for one, is not even opened.
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && is_meant(&metadata) => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => return Ok(None),
    }
    let file = File::open(path)?;
    let is_it = is_meant(&file.metadata()?);
    Ok(is_it.then_some(file))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_log_that_is_opened_twice_is_read_from_its_beginning_both_times() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, rotated) = (folder.path().join("access.log.1.gz"), folder.path().join("access.log.2.gz"));
        fs::write(&path, "one").expect("a file");
        let named = Named::all([Input::File(path.clone())]);
        let read_twice = || {
            let mut files = [(); 2].map(|()| named[0].open(&path).expect("a file"));
            for file in &mut files {
                let mut read = String::new();
                file.read_to_string(&mut read).expect("text");
                assert_eq!(read, "one");
            }
        };
        read_twice();
        fs::rename(&path, &rotated).expect("renamed");
        read_twice();
    }
}
