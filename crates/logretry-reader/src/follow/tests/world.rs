use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::follow::files::{Disk, Files, Stat};

/// A folder in which things are done to logs.
pub(super) trait World: Files + Clone {
    /// A writer's open file.
    type Writer;

    fn path(&self, name: &str) -> PathBuf;
    fn exists(&self, name: &str) -> bool;
    /// Opens the file to write to its end, and creates it if need be.
    fn writer(&self, name: &str) -> Self::Writer;
    fn append(&self, writer: &Self::Writer, bytes: &[u8]);
    /// Writes where a writer is that does not append: it leaves a hole if the file has become shorter.
    fn write_at(&self, writer: &Self::Writer, bytes: &[u8], offset: u64);
    fn rename(&self, from: &str, to: &str);
    fn copy(&self, from: &str, to: &str);
    fn truncate(&self, name: &str);
    fn remove(&self, name: &str);
    /// Compresses it, to `NAME.gz`.
    fn gzip(&self, name: &str);
}

/// A real folder.
#[derive(Clone)]
pub(super) struct Folder(pub(super) PathBuf);

impl Files for Folder {
    type File = File;

    fn open(&self, path: &Path) -> io::Result<File> {
        Disk.open(path)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        Disk.stat(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Arc<[OsString]>> {
        Disk.names(folder)
    }
}

impl World for Folder {
    type Writer = (File, File);

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    fn writer(&self, name: &str) -> (File, File) {
        let open = |options: &mut OpenOptions| options.create(true).open(self.path(name)).expect("a file");
        (open(OpenOptions::new().append(true)), open(OpenOptions::new().write(true).truncate(false)))
    }

    fn append(&self, (file, _): &(File, File), bytes: &[u8]) {
        (&mut &*file).write_all(bytes).expect("a file");
    }

    fn write_at(&self, (_, file): &(File, File), bytes: &[u8], offset: u64) {
        file.write_all_at(bytes, offset).expect("a file");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("a file");
    }

    fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).expect("a file");
    }

    fn truncate(&self, name: &str) {
        File::options().write(true).open(self.path(name)).and_then(|file| file.set_len(0)).expect("a file");
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect("a file");
    }

    fn gzip(&self, name: &str) {
        let ended = Command::new("gzip").arg(self.path(name)).status().expect("gzip is installed");
        assert!(ended.success());
    }
}
