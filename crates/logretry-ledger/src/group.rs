//! Who waits for the same commit.
//!
//! To wake a task of another thread's runtime takes a system call and the locks of that runtime. A commit is waited for by dozens of tasks, so the
//! thread that writes wakes one of them, and that one, as soon as it runs, the others: for tasks of its own runtime that is a step in memory. It may
//! be slow to run, for whoever polls it may be busy; so after [`PATIENCE`] the thread wakes those who are left.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::ticket::{Failure, thread_is_gone};

/// How long the one who was woken has time to wake the others.
pub(crate) const PATIENCE: Duration = Duration::from_millis(5);

type Outcome = Result<(), Failure>;

/// Events of one commit, as those see it who wait for it.
#[derive(Debug, Default)]
pub(crate) struct Group(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    outcome: Option<Outcome>,
    /// Whoever waits has a seat, and leaves his waker there.
    seats: Vec<Option<Waker>>,
}

/// A place among those who wait for a commit.
#[derive(Debug)]
pub(crate) struct Seat {
    group: Arc<Group>,
    number: usize,
}

impl Group {
    /// The commit has ended. Wakes one of those who wait for it, and says whether others are left.
    fn settle(&self, outcome: Outcome) -> bool {
        let mut state = self.state();
        state.outcome = Some(outcome);
        let mut wakers = state.seats.iter_mut().filter(|seat| seat.is_some());
        let first = wakers.next().and_then(Option::take);
        let are_left = wakers.next().is_some();
        drop(state);
        first.into_iter().for_each(Waker::wake);
        are_left
    }

    /// Wakes those who are left.
    pub(crate) fn wake(&self) {
        let seats = std::mem::take(&mut self.state().seats);
        seats.into_iter().flatten().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change of it is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The group whose commit is owed. If it is dropped without that, those who wait are told that there is nobody to do it any more.
#[derive(Debug, Default)]
pub(crate) struct Owed(Option<Arc<Group>>);

impl Owed {
    /// A seat for one more, whose event is in the group.
    pub(crate) fn seat(&mut self) -> Seat {
        let group = self.0.get_or_insert_default();
        let mut state = group.state();
        state.seats.push(None);
        Seat { number: state.seats.len() - 1, group: Arc::clone(group) }
    }

    /// How many were given a seat.
    pub(crate) fn seats(&self) -> usize {
        self.0.as_ref().map_or(0, |group| group.state().seats.len())
    }

    /// The commit has ended. Wakes one of those who wait for it, and gives the group back if others are left.
    pub(crate) fn settle(mut self, outcome: Outcome) -> Option<Arc<Group>> {
        self.0.take().filter(|group| group.settle(outcome))
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            group.settle(Err(thread_is_gone()));
            group.wake();
        }
    }
}

impl Seat {
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Outcome> {
        let mut state = self.group.state();
        let Some(outcome) = state.outcome.clone() else {
            state.seats[self.number] = Some(cx.waker().clone());
            return Poll::Pending;
        };
        drop(state);
        self.group.wake();
        Poll::Ready(outcome)
    }
}

impl Drop for Seat {
    /// Nobody may be woken for somebody who has gone, and so be the last to be woken.
    fn drop(&mut self) {
        let mut state = self.group.state();
        if state.outcome.is_some() {
            drop(state);
            self.group.wake();
        } else {
            state.seats[self.number] = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Bell {
        fn rung(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    /// A group of three that wait, each with its bell.
    fn waiting() -> (Owed, Vec<Option<Seat>>, Vec<Arc<Bell>>) {
        let mut group = Owed::default();
        let bells: Vec<Arc<Bell>> = (0..3).map(|_| Arc::default()).collect();
        let mut seat = |bell| {
            let seat = group.seat();
            assert!(look(&seat, bell).is_pending());
            Some(seat)
        };
        let seats = bells.iter().map(&mut seat).collect();
        (group, seats, bells)
    }

    fn look(seat: &Seat, bell: &Arc<Bell>) -> Poll<Outcome> {
        seat.poll(&Context::from_waker(&Waker::from(Arc::clone(bell))))
    }

    fn rung(bells: &[Arc<Bell>]) -> Vec<usize> {
        bells.iter().map(|bell| bell.rung()).collect()
    }

    #[test]
    fn the_first_is_woken_and_wakes_the_others() {
        let (group, seats, bells) = waiting();
        assert!(group.settle(Ok(())).is_some());
        assert_eq!(rung(&bells), [1, 0, 0]);
        let first = seats[0].as_ref().expect("it waits");
        assert!(matches!(look(first, &bells[0]), Poll::Ready(Ok(()))));
        assert_eq!(rung(&bells), [1, 1, 1]);
        assert!(matches!(look(seats[2].as_ref().expect("it waits"), &bells[2]), Poll::Ready(Ok(()))));
        assert_eq!(rung(&bells), [1, 1, 1], "once is enough");
    }

    #[test]
    fn whoever_goes_away_leaves_nobody_waiting() {
        // Before the commit: another one is the first.
        let (group, mut seats, bells) = waiting();
        seats[0] = None;
        assert!(group.settle(Ok(())).is_some());
        assert_eq!(rung(&bells), [0, 1, 0]);
        // After it, woken and never polled.
        seats[1] = None;
        assert_eq!(rung(&bells), [0, 1, 1]);
    }

    #[test]
    fn those_who_are_left_can_be_woken_by_the_thread() {
        let (group, _seats, bells) = waiting();
        group.settle(Ok(())).expect("two are left").wake();
        assert_eq!(rung(&bells), [1, 1, 1]);
    }

    #[test]
    fn who_looks_after_the_commit_need_not_wait() {
        let mut group = Owed::default();
        let seat = group.seat();
        assert!(group.settle(Ok(())).is_none(), "nobody has looked yet");
        assert!(matches!(look(&seat, &Arc::default()), Poll::Ready(Ok(()))));
    }

    #[test]
    fn who_waits_for_a_thread_that_dies_is_told() {
        let (group, seats, bells) = waiting();
        drop(group);
        assert_eq!(rung(&bells), [1, 1, 1]);
        assert!(matches!(look(seats[1].as_ref().expect("it waits"), &bells[1]), Poll::Ready(Err(_))));
    }
}
