//! Several items at a time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::{Fuse, Stream, StreamExt as _};
use tokio::time::{Instant, Sleep};

/// How long items gather at most: long enough that whoever takes them is woken a hundred times a second rather than thousands of times, for that costs more than what he does with some
/// dozens of them; and nobody who looks at a log as it grows sees it.
pub(crate) const GATHER: Duration = Duration::from_millis(5);

/// Bytes of items, by what `bytes` says that each holds, with which no more gather: a record may be of some mebibytes, and hundreds of those of a gibibyte.
const BYTES_MAX: usize = 1 << 20;

/// The items of `input`, `most` at a time at most, and no more once they are of a mebibyte. What comes after a quiet moment is handed on at once, with all that is ready; what comes within [`GATHER`] of that gathers
/// until that time has passed.
pub(crate) fn gathered<S: Stream>(input: S, most: usize, bytes: fn(&S::Item) -> usize) -> Gathered<S> {
    Gathered {
        input: Box::pin(input.fuse()),
        most,
        bytes,
        held_bytes: 0,
        items: Vec::new(),
        last: None,
        alarm: None,
        is_set: false,
    }
}

pub(crate) struct Gathered<S: Stream> {
    input: Pin<Box<Fuse<S>>>,
    most: usize,
    bytes: fn(&S::Item) -> usize,
    /// Bytes of the items.
    held_bytes: usize,
    items: Vec<S::Item>,
    /// When items were handed on.
    last: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
    /// Whether the alarm is set for the items that gather now.
    is_set: bool,
}

impl<S: Stream> Unpin for Gathered<S> {}

impl<S: Stream> Gathered<S> {
    fn is_full(&self) -> bool {
        self.items.len() >= self.most || self.held_bytes >= BYTES_MAX
    }

    fn hand_on(&mut self) -> Vec<S::Item> {
        self.held_bytes = 0;
        std::mem::take(&mut self.items)
    }

    /// Waits until items may be handed on that are not as many as they may be.
    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_set {
            let due = self.last.map(|last| last + GATHER).filter(|due| *due > Instant::now());
            let Some(due) = due else { return Poll::Ready(()) };
            self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due))).as_mut().reset(due);
            self.is_set = true;
        }
        self.alarm.as_mut().map_or(Poll::Ready(()), |alarm| alarm.as_mut().poll(cx))
    }
}

impl<S: Stream> Stream for Gathered<S> {
    type Item = Vec<S::Item>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while !this.is_full() {
            match this.input.poll_next_unpin(cx) {
                Poll::Ready(Some(item)) => {
                    this.held_bytes += (this.bytes)(&item);
                    this.items.push(item);
                }
                Poll::Ready(None) if this.items.is_empty() => return Poll::Ready(None),
                Poll::Ready(None) => return Poll::Ready(Some(this.hand_on())),
                Poll::Pending if this.items.is_empty() => return Poll::Pending,
                Poll::Pending if this.poll_time(cx).is_pending() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        this.last = Some(Instant::now());
        this.is_set = false;
        Poll::Ready(Some(this.hand_on()))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use tokio::sync::mpsc;

    use super::*;

    /// What comes with each handing on, and after how many milliseconds, of items that come after so many.
    async fn times(items: &'static [(u64, char)], most: usize) -> Vec<(u128, String)> {
        let start = Instant::now();
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for (at, item) in items {
                tokio::time::sleep_until(start + Duration::from_millis(*at)).await;
                sender.send(*item).expect("somebody takes it");
            }
        });
        let input = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
        let gathered =
            gathered(input, most, |_| 1).map(|items| (start.elapsed().as_millis(), items.iter().collect()));
        gathered.collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_goes_at_once_and_those_behind_it_gather() {
        let items = &[(0, 'a'), (1, 'b'), (3, 'c'), (7, 'd'), (30, 'e'), (31, 'f')];
        let expected = [(0, "a"), (5, "bc"), (10, "d"), (30, "e"), (31, "f")];
        assert_eq!(times(items, 9).await, expected.map(|(at, items)| (at, items.to_owned())));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_gather_than_may() {
        let expected = [(0, "a"), (1, "bc"), (1, "de"), (1, "f")];
        let items = &[(0, 'a'), (1, 'b'), (1, 'c'), (1, 'd'), (1, 'e'), (1, 'f')];
        assert_eq!(times(items, 2).await, expected.map(|(at, items)| (at, items.to_owned())));
    }

    #[tokio::test]
    async fn large_ones_do_not_gather() {
        let sizes = [BYTES_MAX / 2, BYTES_MAX / 2, 1, BYTES_MAX, 1, 1];
        let gathered = gathered(stream::iter(sizes), 9, |size| *size).map(|items| items.len());
        assert_eq!(gathered.collect::<Vec<_>>().await, [2, 2, 2]);
    }
}
