use std::error::Error;
use std::{fmt, io};

use logretry_record::Exit;

/// What functions of the stages return.
pub type Result<T, E = Fatal> = std::result::Result<T, E>;

/// An error that ends the run: printed once, as `PROGRAM: cannot …`, and told to the shell by its exit code.
///
/// Its message is a fragment that fits after "cannot ". It is complete: the words of its sources are part of it.
pub struct Fatal {
    exit: Exit,
    error: Box<dyn Error + Send + Sync>,
}

impl Fatal {
    /// The end of a run by `error`, with [`Exit::Fatal`].
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit: Exit::Fatal, error: error.into() }
    }

    /// The end of a run because the command line asks for something that does not work, with [`Exit::Usage`].
    pub fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit: Exit::Usage, error: error.into() }
    }

    /// The end of a run because the system has no thread left.
    pub fn no_thread(error: &io::Error) -> Self {
        Self::new(format!(
            "start a thread: {error}; the limit is that of `ulimit -u`, or of the container or service (`pids.max`, `TasksMax`)"
        ))
    }

    /// What the process ends with.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The error of the stage that failed.
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.error.as_ref()
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fatal").field("exit", &self.exit).field("error", &self.error).finish()
    }
}

impl Error for Fatal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
