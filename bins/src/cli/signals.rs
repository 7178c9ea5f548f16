use std::io::{self, IsTerminal as _};
use std::sync::{Arc, OnceLock};

use logretry_record::Exit;
use logretry_stage::{Context, Fatal, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::systemd;

/// SIGINT and SIGTERM: the first begins a drain, the second aborts, the third ends the process. SIGHUP opens the files anew that are written; but
/// if it says that the terminal has gone, it stands for SIGTERM.
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

async fn obey(mut heard: Heard, cx: Context, first: Arc<OnceLock<Exit>>, ends_with_input: bool) {
    for count in 1.. {
        let exit = heard.stop(&cx).await;
        let exit = *first.get_or_init(|| exit);
        match count {
            1 if ends_with_input => {}
            1 => {
                systemd::stopping();
                cx.notes().say(format_args!("stopping: what is under way ends; once more cuts it off"));
                cx.stops().drain.cancel();
            }
            2 => {
                cx.stops().drain.cancel();
                cx.stops().abort.cancel();
            }
            _ => std::process::exit(exit.code().into()),
        }
    }
}
