use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Whether more of a log is here, as far as that can be told without reading it.
///
/// What format is found should depend on the log alone, and not on how much of it happened to come with the first read. So as many lines are looked at
/// from wherever it comes; only an input on which nothing comes for a while is decided on early.
pub(crate) struct Arrival {
    /// None where it never waits, or nothing can be told.
    from: Option<Box<dyn AsFd + Send>>,
    patience: Duration,
}

/// What a program that writes into a pipe, and is not idle, may take in all until there are enough lines.
const PATIENCE: Duration = Duration::from_millis(500);

impl Arrival {
    /// The arrival of what is read from `from`.
    pub(crate) fn of(from: Option<Box<dyn AsFd + Send>>) -> Self {
        Self { from, patience: PATIENCE }
    }

    /// Whether nothing more is here, and nothing has come in as long as it may take.
    pub(crate) fn is_idle(&mut self) -> bool {
        let Some(from) = &self.from else { return false };
        let start = Instant::now();
        loop {
            let patience = self.patience.saturating_sub(start.elapsed());
            let timeout = Timespec::try_from(patience).ok();
            let found = poll(&mut [PollFd::from_borrowed_fd(from.as_fd(), PollFlags::IN)], timeout.as_ref());
            if found != Err(Errno::INTR) {
                self.patience = self.patience.saturating_sub(start.elapsed());
                return !matches!(found, Ok(1..));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write as _};

    use super::*;

    #[test]
    fn what_has_come_and_what_has_ended_is_not_waited_for() {
        let (reader, mut writer) = io::pipe().expect("a pipe");
        let mut arrival = Arrival { from: Some(Box::new(reader)), patience: Duration::ZERO };
        assert!(arrival.is_idle());
        writer.write_all(b"a").expect("room in the pipe");
        assert!(!arrival.is_idle());
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(writer);
        assert!(!Arrival::of(Some(Box::new(reader))).is_idle());
        let file = tempfile::tempfile().expect("a file");
        assert!(!Arrival::of(Some(Box::new(file))).is_idle() && !Arrival::of(None).is_idle());
    }
}
