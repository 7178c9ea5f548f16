use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for something that takes milliseconds.
const LIMIT: Duration = Duration::from_secs(20);

/// Asks `look` again and again until it gives something.
///
/// # Panics
///
/// If it gives nothing within [`LIMIT`]; `what` says what was missed.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
