use std::os::fd::AsFd;
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Context;

/// How long it may take until a thread notices that nobody wants to know any more.
const ROUND: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// Begins a drain as soon as nobody listens at the other end of the pipe `end`, until the guard is dropped.
///
/// Writing tells that too, but not before something has been sent whose outcome is then lost: a retry log that cannot be opened ends `lr-write` before `lr-refire` has begun. And a follower
/// may have nothing to write for hours.
pub(super) fn watch(end: impl AsFd + Send + 'static, cx: &Context) -> DropGuard {
    let (done, drain) = (CancellationToken::new(), cx.stops().drain.clone());
    let guard = done.clone().drop_guard();
    let watching = move || {
        while !done.is_cancelled() && !drain.is_cancelled() {
            match has_gone(&end, &ROUND) {
                Ok(true) => drain.cancel(),
                Ok(false) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    };
    // Where no thread can be started, writing tells.
    let _ = thread::Builder::new().name("pipe-listener".to_owned()).spawn(watching);
    guard
}

/// Whether nobody listens at the other end of `end` within `time`.
pub(super) fn has_gone(end: impl AsFd, time: &Timespec) -> Result<bool, Errno> {
    // Nothing is waited for: this alone is told unasked.
    let mut polled = [PollFd::new(&end, PollFlags::empty())];
    poll(&mut polled, Some(time))?;
    let told = polled[0].revents();
    if told.contains(PollFlags::NVAL) { Err(Errno::BADF) } else { Ok(!told.is_empty()) }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_drain_begins_when_nobody_listens_any_more() {
        let (reader, writer) = io::pipe().expect("a pipe");
        let cx = Context::default();
        let _watching = watch(writer, &cx);
        assert!(!cx.is_draining());
        drop(reader);
        let drained = tokio::time::timeout(Duration::from_secs(10), cx.stops().drain.cancelled()).await;
        drained.expect("it is not noticed");
    }
}
