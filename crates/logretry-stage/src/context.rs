use std::sync::Arc;

use logretry_record::Reject;
use tokio_util::sync::CancellationToken;

use crate::{Notes, Rejects, Reopen, Result, Tally};

/// What the stages of one run share. Cloning it gives another handle to the same run.
#[derive(Debug, Clone, Default)]
pub struct Context {
    stops: Stops,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    tally: Tally,
    rejects: Rejects,
    notes: Notes,
    reopen: Reopen,
}

/// The two ways to be stopped, in the order in which a person presses Ctrl-C.
#[derive(Debug, Clone)]
pub struct Stops {
    /// Begin nothing new: no line is read, no request sent. What is in flight ends, and everything is written down.
    pub drain: CancellationToken,
    /// Cut off what is in flight too. It sets `drain` as well: what begins after it would be cut off, one request after the other.
    pub abort: CancellationToken,
}

impl Default for Stops {
    fn default() -> Self {
        let abort = CancellationToken::new();
        Self { drain: abort.child_token(), abort }
    }
}

impl Context {
    /// The context of a run that rejects and speaks as told. `Context::default()` counts its rejects and is silent.
    pub fn new(rejects: Rejects, notes: Notes) -> Self {
        Self {
            stops: Stops::default(),
            shared: Arc::new(Shared {
                tally: Tally::default(),
                reopen: rejects.reopen().clone(),
                rejects,
                notes,
            }),
        }
    }

    /// The stop signals.
    pub fn stops(&self) -> &Stops {
        &self.stops
    }

    /// Whether nothing new may be begun.
    pub fn is_draining(&self) -> bool {
        self.stops.drain.is_cancelled()
    }

    /// The numbers of the run.
    pub fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// Where sentences for a person go.
    pub fn notes(&self) -> &Notes {
        &self.shared.notes
    }

    /// Where to ask that the files which are written be opened anew, because they have been renamed.
    pub fn reopen(&self) -> &Reopen {
        &self.shared.reopen
    }

    /// Takes a line or record that could not be used. It is not counted here: whoever read it counts it.
    pub fn reject(&self, reject: &Reject) -> Result<()> {
        self.shared.rejects.take(reject, self.notes())
    }

    /// Writes out the rejects that are still in memory. To be called at the end; whoever watches their file is glad of it before, too.
    pub fn flush_rejects(&self) -> Result<()> {
        self.shared.rejects.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every request that was left was sent, and cut off.
    #[test]
    fn whoever_aborts_drains() {
        let stops = Stops::default();
        stops.drain.cancel();
        assert!(!stops.abort.is_cancelled());

        let stops = Stops::default();
        stops.abort.cancel();
        assert!(stops.drain.is_cancelled());
    }
}
