/// How a logretry program ends; the same codes for every binary.
///
/// When several apply, a fatal error hides everything else, a signal hides a safety stop, a safety stop hides rejects, and rejects hide requests that did not recover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done: everything selected has recovered, or there was nothing to do.
    Done = 0,
    /// A fatal error stopped the work; it was printed once, on stderr.
    Fatal = 1,
    /// The command line was not understood or contradicts itself; nothing was done.
    Usage = 2,
    /// Done, but some of the selected requests are still not recovered.
    NotRecovered = 3,
    /// A safety stop left some requests unsent. With a ledger, the same run again goes on with them.
    Unsent = 4,
    /// Some lines or records were rejected, and `--strict` was given.
    Rejects = 5,
    /// Stopped by SIGINT (128 + 2).
    Interrupted = 130,
    /// Stopped by SIGTERM (128 + 15).
    Terminated = 143,
}

impl Exit {
    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// All codes with their meaning, as the manual lists them.
    pub const TABLE: &'static [(Exit, &'static str)] = &[
        (Exit::Done, "done: everything selected recovered, or there was nothing to do"),
        (Exit::Fatal, "a fatal error stopped the work"),
        (Exit::Usage, "the command line was not understood"),
        (Exit::NotRecovered, "done, but some requests are still not recovered"),
        (Exit::Unsent, "a safety stop left some requests unsent; run again to go on"),
        (Exit::Rejects, "some lines were rejected, and --strict was given"),
        (Exit::Interrupted, "stopped by SIGINT"),
        (Exit::Terminated, "stopped by SIGTERM"),
    ];
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
