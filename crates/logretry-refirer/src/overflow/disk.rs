//! The file itself.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What the blocks are on.
pub(crate) trait Disk: Send {
    /// Writes all of `bytes`, from byte `at` on.
    fn write_all_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Reads as many bytes as `bytes` has, from byte `at` on.
    fn read_exact_at(&mut self, bytes: &mut [u8], at: u64) -> io::Result<()>;

    /// Nothing of what is there is needed any more.
    fn clear(&mut self);
}

impl Disk for File {
    fn write_all_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, at)
    }

    fn read_exact_at(&mut self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, bytes, at)
    }

    fn clear(&mut self) {
        // If that fails, the file stays as long as it is, and is written over.
        drop(self.set_len(0));
    }
}

/// What gives a disk when it is needed.
pub(crate) type Open = fn() -> io::Result<Box<dyn Disk>>;

/// A file without a name, in the folder for those of the system.
pub(crate) fn open() -> io::Result<Box<dyn Disk>> {
    #[cfg(test)]
    if let Some(open) = tests::DISK.get() {
        return open();
    }
    Ok(Box::new(open_in(&folder())?))
}

fn open_in(folder: &Path) -> io::Result<File> {
    let file = tempfile::tempfile_in(folder)?;
    // `tempfile` leaves it to the umask where it makes the file without ever giving it a name (`O_TMPFILE`).
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// `TMPDIR`; without it `/var/tmp`, which is on a disk where `/tmp` is in memory (file-hierarchy(7)), if it is there.
fn folder() -> PathBuf {
    let large = Path::new("/var/tmp");
    if std::env::var_os("TMPDIR").is_none() && large.is_dir() {
        large.to_owned()
    } else {
        std::env::temp_dir()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    std::thread_local! {
        /// What a test has instead of a file.
        pub(crate) static DISK: std::cell::Cell<Option<Open>> =
            const { std::cell::Cell::new(None) };
    }

    /// A disk in memory on which so many more writes succeed, and so many more reads.
    #[derive(Debug, Default)]
    pub(crate) struct Failing {
        pub(crate) bytes: Vec<u8>,
        pub(crate) writes: usize,
        pub(crate) reads: usize,
    }

    impl Disk for Failing {
        fn write_all_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
            let at = usize::try_from(at).expect("a small file");
            // A disk that is full takes a part first.
            let whole = self.writes > 0;
            let bytes = if whole { bytes } else { &bytes[..bytes.len() / 2] };
            self.bytes.resize(self.bytes.len().max(at + bytes.len()), 0);
            self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
            self.writes = self.writes.saturating_sub(1);
            if whole { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        }

        fn read_exact_at(&mut self, bytes: &mut [u8], at: u64) -> io::Result<()> {
            self.reads = self.reads.checked_sub(1).ok_or_else(|| io::Error::other("it is gone"))?;
            let at = usize::try_from(at).expect("a small file");
            bytes.copy_from_slice(&self.bytes[at..at + bytes.len()]);
            Ok(())
        }

        fn clear(&mut self) {
            self.bytes.clear();
        }
    }

    #[test]
    fn the_file_is_its_owners_and_has_no_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = open_in(folder.path()).expect("a file");
        let permissions = file.metadata().expect("a file").permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
        assert!(open_in(&folder.path().join("nowhere")).is_err());
    }
}
