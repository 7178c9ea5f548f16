use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

/// A program to be run: one of the five under test by its name, or any other of the system.
pub(crate) struct Program {
    command: Command,
    stdin: Vec<u8>,
    stdout: Option<File>,
}

/// What became of one program, or of a pipe of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The exit code of the (last) program; 128 + N if signal N ended it.
    pub(crate) code: i32,
    /// The exit codes of all programs of the pipe.
    pub(crate) codes: Vec<i32>,
    /// What the (last) program wrote to standard output.
    pub(crate) stdout: String,
    /// What the programs wrote to standard error, one after the other.
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn new<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(Self::path(name));
        command.args(arguments);
        Self { command, stdin: Vec::new(), stdout: None }
    }

    /// Where the program of this name is.
    pub(crate) fn path(name: &str) -> &str {
        match name {
            "lr-read" => env!("CARGO_BIN_EXE_lr-read"),
            "lr-filter" => env!("CARGO_BIN_EXE_lr-filter"),
            "lr-refire" => env!("CARGO_BIN_EXE_lr-refire"),
            "lr-write" => env!("CARGO_BIN_EXE_lr-write"),
            "logretry" => env!("CARGO_BIN_EXE_logretry"),
            other => other,
        }
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Runs it in `folder`.
    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Gives it `bytes` on standard input, which is empty otherwise.
    pub(crate) fn reading(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sends its standard output to `target`, not to the test.
    pub(crate) fn writing_to(mut self, target: &Path) -> Self {
        self.stdout = Some(File::options().append(true).create(true).open(target).expect("it can be opened"));
        self
    }

    /// Runs it on a terminal of its own, which is then its standard output and its standard error; a line end is `\r\n` there.
    pub(crate) fn on_a_terminal(self) -> Self {
        let mut command = Command::new("script");
        // A word that the shell of `script` takes apart again is put in quotation marks.
        let quoted = |word: &OsStr| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''"));
        let words: Vec<_> =
            [self.command.get_program()].into_iter().chain(self.command.get_args()).map(quoted).collect();
        command.args(["-qec", &words.join(" "), "/dev/null"]);
        if let Some(folder) = self.command.get_current_dir() {
            command.current_dir(folder);
        }
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self { command, ..self }
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ended {
        self.start().end()
    }

    /// Starts it.
    pub(crate) fn start(self) -> Running {
        Running::start([self])
    }

    fn spawn(&mut self, stdin: Stdio) -> Child {
        let stdout = self.stdout.take().map_or_else(Stdio::piped, Stdio::from);
        let child = self.command.stdin(stdin).stdout(stdout).stderr(Stdio::piped()).spawn();
        child.unwrap_or_else(|error| panic!("cannot run {}: {error}", self.command.get_program().display()))
    }
}

/// Runs `programs` as the shell runs `a | b | c`, joined by real pipes.
pub(crate) fn pipe(programs: impl IntoIterator<Item = Program>) -> Ended {
    Running::start(programs).end()
}

/// A program, or a pipe of them, that has not ended yet.
pub(crate) struct Running {
    children: Vec<Child>,
    feeder: JoinHandle<()>,
}

impl Running {
    fn start(programs: impl IntoIterator<Item = Program>) -> Self {
        let mut children: Vec<Child> = Vec::new();
        let mut feeder = None;
        for mut program in programs {
            let before = children.last_mut().map(|child| child.stdout.take().expect("it is a pipe"));
            let mut child = program.spawn(before.map_or_else(Stdio::piped, Stdio::from));
            feeder = feeder.or_else(|| Some(feed(child.stdin.take()?, program.stdin)));
            children.push(child);
        }
        Self { children, feeder: feeder.expect("a pipe has a program") }
    }

    /// Sends the signal `name` (`INT`, `TERM`) to the (first) program.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.children[0].id().to_string();
        let sent = Command::new("sh").args(["-c", r#"kill -s "$0" "$1""#, name, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot signal process {id}");
    }

    /// From now on no file can grow beyond `bytes` by what the (first) program writes (`ulimit -f`).
    pub(crate) fn limit_files_to(&self, bytes: u64) {
        let id = self.children[0].id().to_string();
        let limited =
            Command::new("prlimit").args([format!("--fsize={bytes}"), format!("--pid={id}")]).status();
        assert!(limited.is_ok_and(|status| status.success()), "cannot limit process {id}");
    }

    /// Whether the (first) program has a thread called `name` by now.
    pub(crate) fn has_thread(&self, name: &str) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.children[0].id()));
        let names = tasks.into_iter().flatten().flatten().map(|task| task.path().join("comm"));
        names.filter_map(|comm| std::fs::read_to_string(comm).ok()).any(|comm| comm.trim_end() == name)
    }

    /// Whether the (first) program waits for the other end of a named pipe.
    pub(crate) fn waits_for_partner(&self) -> bool {
        let place = std::fs::read_to_string(format!("/proc/{}/wchan", self.children[0].id()));
        // The one is a part of the other, and has no name of its own in every kernel.
        place.is_ok_and(|place| place.contains("wait_for_partner") || place.contains("fifo_open"))
    }

    /// Waits for the end.
    pub(crate) fn end(self) -> Ended {
        let ended = finish(self.children);
        self.feeder.join().expect("the feeder ends");
        ended
    }
}

fn feed(mut stdin: ChildStdin, bytes: Vec<u8>) -> JoinHandle<()> {
    // A program may end before it has read all.
    thread::spawn(move || stdin.write_all(&bytes).unwrap_or(()))
}

fn finish(mut children: Vec<Child>) -> Ended {
    let stdout = collect(children.last_mut().and_then(|last| last.stdout.take()));
    let complaints: Vec<_> = children.iter_mut().map(|child| collect(child.stderr.take())).collect();
    let codes: Vec<i32> =
        children.iter_mut().map(|child| code(child.wait().expect("it can be waited for"))).collect();
    let text = |thread: JoinHandle<Vec<u8>>| {
        String::from_utf8(thread.join().expect("the reader ends")).expect("programs write UTF-8")
    };
    Ended {
        code: *codes.last().expect("a pipe has a program"),
        codes,
        stdout: text(stdout),
        stderr: complaints.into_iter().map(text).collect(),
    }
}

fn collect(from: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            from.read_to_end(&mut bytes).expect("a pipe can be read");
        }
        bytes
    })
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().expect("a signal ended it"))
}
