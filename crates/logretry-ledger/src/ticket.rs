use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::LedgerError;

/// What could not be written, and why. From then on nothing is.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) what: String,
    pub(crate) error: String,
}

impl From<Failure> for LedgerError {
    fn from(Failure { what, error }: Failure) -> Self {
        Self::Failed { what, error }
    }
}

/// The answer that an event is in the ledger as safely as was asked for: to be awaited, or waited for.
#[must_use = "without its ticket nobody knows whether the event is in the ledger"]
pub struct Ticket(State);

enum State {
    Settled(Option<Result<(), Failure>>),
    Waiting(oneshot::Receiver<Result<(), Failure>>),
}

impl Ticket {
    pub(crate) fn settled(result: Result<(), Failure>) -> Self {
        Self(State::Settled(Some(result)))
    }

    pub(crate) fn waiting(answer: oneshot::Receiver<Result<(), Failure>>) -> Self {
        Self(State::Waiting(answer))
    }

    /// Waits for it in a thread. Must not be called in async code.
    pub fn wait(self) -> Result<(), LedgerError> {
        match self.0 {
            State::Settled(result) => result.unwrap_or(Ok(())).map_err(LedgerError::from),
            State::Waiting(answer) => {
                answer.blocking_recv().unwrap_or_else(|_| Err(thread_is_gone())).map_err(LedgerError::from)
            }
        }
    }
}

impl Future for Ticket {
    type Output = Result<(), LedgerError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &mut self.0 {
            State::Settled(result) => Poll::Ready(result.take().unwrap_or(Ok(()))),
            State::Waiting(answer) => {
                Pin::new(answer).poll(cx).map(|answer| answer.unwrap_or_else(|_| Err(thread_is_gone())))
            }
        };
        result.map_err(LedgerError::from)
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

pub(crate) fn thread_is_gone() -> Failure {
    Failure { what: "the ledger".to_owned(), error: "its thread is gone".to_owned() }
}
