//! What a service manager is told (`sd_notify(3)`). Where there is none, nobody is.

use std::time::Duration;

use sd_notify::NotifyState;

/// The logs, the flags and the files have been found to be in order, and work begins.
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Files are opened anew; [`ready`] follows.
pub(crate) fn reloading() {
    let now = NotifyState::monotonic_usec_now().ok();
    tell(&[NotifyState::Reloading].into_iter().chain(now).collect::<Vec<_>>());
}

/// A drain has begun.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says again and again that this process is well, twice as often as it is asked to: as long as its tasks have their turns.
pub(crate) async fn watch() {
    let Some(interval) = sd_notify::watchdog_enabled().filter(|interval| !interval.is_zero()) else {
        return;
    };
    let mut ticks = tokio::time::interval((interval / 2).max(Duration::from_millis(10)));
    loop {
        ticks.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(state: &[NotifyState<'_>]) {
    // Whoever does not listen does not miss it.
    let _ = sd_notify::notify(state);
}
