use std::sync::{Arc, OnceLock};

use logretry_record::Exit;
use logretry_stage::{Context, Fatal, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM: the first begins a drain, the second aborts, the third ends the process.
pub(crate) struct Signals {
    first: Arc<OnceLock<Exit>>,
}

impl Signals {
    /// Listens from now on. With `ends_with_input` the first signal is only remembered.
    pub(crate) fn listen(cx: &Context, ends_with_input: bool) -> Result<Self> {
        let first = Arc::new(OnceLock::new());
        let listen = |kind| signal(kind).map_err(|error| Fatal::new(format!("listen for signals: {error}")));
        let (interrupt, terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        tokio::spawn(obey(interrupt, terminate, cx.clone(), Arc::clone(&first), ends_with_input));
        Ok(Self { first })
    }

    /// What the process ends with because of a signal.
    pub(crate) fn first(&self) -> Option<Exit> {
        self.first.get().copied()
    }
}

async fn obey(
    mut interrupt: Signal,
    mut terminate: Signal,
    cx: Context,
    first: Arc<OnceLock<Exit>>,
    ends_with_input: bool,
) {
    for count in 1.. {
        let exit = tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
        };
        let exit = *first.get_or_init(|| exit);
        match count {
            1 if ends_with_input => {}
            1 => {
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
