//! The file system as a follower sees it.
//!
//! A trait, because what can happen to a log while it is read is a matter of moments, and only a file system whose moments are chosen shows them all: the
//! tests put a simulated one in the place of [`Disk`].

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

/// What a follower asks a file system.
pub(crate) trait Files {
    /// An open file.
    type File: ReadAt;

    /// Opens a file to read it.
    fn open(&self, path: &Path) -> io::Result<Self::File>;

    /// What is there under this name now.
    fn stat(&self, path: &Path) -> io::Result<Stat>;

    /// The names in a folder, in any order.
    fn names(&self, folder: &Path) -> io::Result<Arc<[OsString]>>;
}

/// An open file, which stays the same whatever becomes of its name.
pub(crate) trait ReadAt: Send + Sync + 'static {
    fn stat(&self) -> io::Result<Stat>;

    /// Whether it has no name any more.
    fn is_removed(&self) -> bool;

    /// Reads from `offset` on; nothing read is the end, as it is now.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

/// Device and inode. Another file may have them once this one is gone and closed.
pub(crate) type Identity = (u64, u64);

/// Which file, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) identity: Identity,
    pub(crate) bytes: u64,
}

impl Stat {
    fn of(metadata: &fs::Metadata) -> Self {
        Self { identity: (metadata.dev(), metadata.ino()), bytes: metadata.len() }
    }
}

/// The real file system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disk;

/// Linux: `open` of a pipe without a writer does not wait.
const O_NONBLOCK: i32 = if cfg!(target_os = "linux") { 0o4000 } else { 4 };

impl Files for Disk {
    type File = File;

    fn open(&self, path: &Path) -> io::Result<File> {
        // A FIFO is not even opened: its writer would take this for the reader, and lose it at once.
        refuse_special(&fs::metadata(path)?)?;
        let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path)?;
        // Another file may stand there by now.
        refuse_special(&file.metadata()?)?;
        Ok(file)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        fs::metadata(path).map(|metadata| Stat::of(&metadata))
    }

    fn names(&self, folder: &Path) -> io::Result<Arc<[OsString]>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
    }
}

fn refuse_special(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "it is no regular file"));
    }
    Ok(())
}

impl ReadAt for File {
    fn stat(&self) -> io::Result<Stat> {
        self.metadata().map(|metadata| Stat::of(&metadata))
    }

    fn is_removed(&self) -> bool {
        self.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match FileExt::read_at(self, buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_is_not_even_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        // Opening a socket is another error.
        assert_eq!(Disk.open(&path).expect_err("no log").kind(), io::ErrorKind::Unsupported);
        assert_eq!(Disk.open(folder.path()).expect_err("no log").kind(), io::ErrorKind::IsADirectory);
    }
}
