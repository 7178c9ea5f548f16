use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::sync::oneshot;

use crate::LedgerError;
use crate::group::Seat;

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
    /// For the commit of its group.
    Seated(Seat),
    /// For an answer of its own.
    Waiting(oneshot::Receiver<Result<(), Failure>>),
}

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Ticket {
    pub(crate) fn settled(result: Result<(), Failure>) -> Self {
        Self(State::Settled(Some(result)))
    }

    pub(crate) fn seated(seat: Seat) -> Self {
        Self(State::Seated(seat))
    }

    pub(crate) fn waiting(answer: oneshot::Receiver<Result<(), Failure>>) -> Self {
        Self(State::Waiting(answer))
    }

    /// Waits for it in a thread. Must not be called in async code.
    pub fn wait(self) -> Result<(), LedgerError> {
        let mut ticket = pin!(self);
        let waker = Waker::from(Arc::new(Parked(thread::current())));
        loop {
            if let Poll::Ready(result) = ticket.as_mut().poll(&mut Context::from_waker(&waker)) {
                return result;
            }
            thread::park();
        }
    }
}

impl Future for Ticket {
    type Output = Result<(), LedgerError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &mut self.0 {
            State::Settled(result) => Poll::Ready(result.take().unwrap_or(Ok(()))),
            State::Seated(seat) => seat.poll(cx),
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
