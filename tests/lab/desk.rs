use std::path::{Path, PathBuf};
use std::{env, fs};

use tempfile::TempDir;

use super::{Ended, Program, Server};

/// A scratch folder with files, in which programs run.
pub(crate) struct Desk(TempDir);

impl Desk {
    /// An empty desk.
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a scratch folder"))
    }

    /// A desk with `text` in the file `name`.
    pub(crate) fn with(name: &str, text: impl AsRef<[u8]>) -> Self {
        let desk = Self::new();
        desk.put(name, text);
        desk
    }

    /// A desk with a copy of a server's access log as it is now, `access.log`.
    pub(crate) fn with_log_of(server: &Server) -> Self {
        Self::with("access.log", fs::read(server.log()).expect("the server logs"))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the desk can be written");
        fs::write(path, text).expect("the desk can be written");
    }

    /// The text of a file; empty if there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        super::latin1(&fs::read(self.path(name)).unwrap_or_default())
    }

    /// A program that will run here.
    pub(crate) fn program(&self, name: &str, arguments: &[&str]) -> Program {
        Program::new(name, arguments).within(self.folder())
    }

    /// Runs a program here.
    pub(crate) fn run(&self, name: &str, arguments: &[&str]) -> Ended {
        self.program(name, arguments).run()
    }

    /// A shell script that will run here with the programs on its `PATH` and `base_url` as `BASE_URL`. It ends at the first
    /// command that fails.
    pub(crate) fn shell(&self, script: &str, base_url: &str) -> Program {
        let programs = Path::new(Program::path("logretry")).parent().expect("a folder");
        let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap_or_default());
        self.program("sh", &["-euc", script]).env("PATH", &path).env("BASE_URL", base_url)
    }
}
