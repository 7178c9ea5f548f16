use std::io::{self, IsTerminal as _};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use logretry_record::Exit;
use logretry_stage::{Context, Fatal, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::systemd;

/// SIGINT and SIGTERM: the first begins a drain, the second aborts, the third ends the process. SIGHUP opens the files anew that are written; but
/// if it says that the terminal has gone, it stands for SIGTERM. The same one twice in a moment is one ([`Meant`]).
pub(crate) struct Signals {
    first: Arc<OnceLock<Exit>>,
}

impl Signals {
    /// `SIGXFSZ`.
    const FILE_TOO_LARGE: i32 = rustix::process::Signal::XFSZ.as_raw();

    /// Listens from now on. With `ends_with_input` the first signal is only remembered.
    pub(crate) fn listen(cx: &Context, ends_with_input: bool) -> Result<Self> {
        let first = Arc::new(OnceLock::new());
        let listen = |kind| signal(kind).map_err(|error| Fatal::new(format!("listen for signals: {error}")));
        let heard = Heard {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
            had_terminal: io::stderr().is_terminal(),
        };
        // What reaches the limit of `ulimit -f` is an error of whoever writes it, and not the end of the process.
        let _ = listen(SignalKind::from_raw(Signals::FILE_TOO_LARGE))?;
        tokio::spawn(obey(heard, cx.clone(), Arc::clone(&first), ends_with_input));
        Ok(Self { first })
    }

    /// What the process ends with because of a signal.
    pub(crate) fn first(&self) -> Option<Exit> {
        self.first.get().copied()
    }
}

struct Heard {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    had_terminal: bool,
}

impl Heard {
    /// The next signal to stop. Files are opened anew meanwhile.
    async fn stop(&mut self, cx: &Context) -> Exit {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return Exit::Interrupted,
                _ = self.terminate.recv() => return Exit::Terminated,
                _ = self.hang_up.recv() => {
                    if self.had_terminal && !io::stderr().is_terminal() {
                        return Exit::Terminated;
                    }
                    systemd::reloading();
                    cx.reopen().ask();
                    cx.notes().say(format_args!("the files that are written are opened anew"));
                    systemd::ready();
                }
            }
        }
    }
}

/// How soon a signal comes again that was sent once, and not by somebody who means it twice.
const ECHO: Duration = Duration::from_millis(100);

/// The stops that were meant. timeout(1) sends its signal to the process and then to its group, which the process is in: as two stops they would cut off what is under way.
#[derive(Debug, Default)]
struct Meant {
    count: u32,
    last: Option<(Exit, Instant)>,
}

impl Meant {
    /// The so-and-so-manieth stop, if `exit` is one at `now`.
    fn stop(&mut self, exit: Exit, now: Instant) -> Option<u32> {
        let is_echo = |(last, at): (Exit, Instant)| last == exit && now.duration_since(at) < ECHO;
        if self.last.is_some_and(is_echo) {
            return None;
        }
        self.count += 1;
        self.last = Some((exit, now));
        Some(self.count)
    }
}

async fn obey(mut heard: Heard, cx: Context, first: Arc<OnceLock<Exit>>, ends_with_input: bool) {
    let mut meant = Meant::default();
    loop {
        let exit = heard.stop(&cx).await;
        let Some(count) = meant.stop(exit, Instant::now()) else { continue };
        let exit = *first.get_or_init(|| exit);
        match count {
            1 if ends_with_input => {}
            1 => {
                systemd::stopping();
                cx.notes().say(format_args!("stopping: what is under way ends; once more cuts it off"));
                cx.stops().drain.cancel();
            }
            2 => cx.stops().abort.cancel(),
            _ => std::process::exit(exit.code().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_signal_twice_in_a_moment_is_one_stop() {
        let mut meant = Meant::default();
        let start = Instant::now();
        let mut stop = |exit, at_ms| meant.stop(exit, start + Duration::from_millis(at_ms));
        assert_eq!(stop(Exit::Terminated, 0), Some(1));
        assert_eq!(stop(Exit::Terminated, 1), None, "timeout(1) sends it to the group as well");
        assert_eq!(stop(Exit::Interrupted, 2), Some(2), "somebody else sends another one");
        assert_eq!(stop(Exit::Interrupted, 101), None);
        assert_eq!(stop(Exit::Interrupted, 102), Some(3), "it is meant");
    }
}
