//! How many files may be open, of which each connection is one.

use std::num::NonZeroUsize;

use logretry_refirer::Options;
use logretry_stage::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that are no connections: logs that are read, the retry log, the ledger's, those of the runtime.
const OTHERS: u64 = 40;

/// Open files of a log that is followed: while it is rotated, the old file and the new one.
const OF_A_LOG: u64 = 2;

/// Open files of a request at most: its connection, and one that rests, or asks for a name.
const OF_A_REQUEST: u64 = 2;

/// Raises the limit of open files as far as this process may. Each connection is one, and each log that is followed; shells and systemd allow 1024 at first,
/// for the sake of programs that call `select`, and what cannot be opened any more would count as a fault of the server.
pub(super) fn open_as_many_as_allowed() {
    let limit = getrlimit(Resource::Nofile);
    // Where even this is forbidden, it stays as it is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Lets no more requests be under way than there may be connections beside `logs` that are followed, and says so.
pub(crate) fn keep_within_the_limit(options: &mut Options, logs: usize, cx: &Context) {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return };
    let most = requests_within(limit, logs);
    if options.dry_run || options.concurrency <= most {
        return;
    }
    let beside = if logs > 0 {
        format!(", and logs that are followed need some of them ({logs})")
    } else {
        String::new()
    };
    cx.notes().say(format_args!(
        "no more than {most} requests are under way at once, and not {}: {limit} open files are all that this machine allows{beside}; raise that (`ulimit -n`, or `LimitNOFILE` of a service)",
        options.concurrency
    ));
    options.concurrency = most;
}

/// How many requests may be under way where so many files may be open, and so many logs are followed.
fn requests_within(limit: u64, logs: usize) -> NonZeroUsize {
    let logs = u64::try_from(logs).unwrap_or(u64::MAX).saturating_mul(OF_A_LOG);
    let most = limit.saturating_sub(OTHERS).saturating_sub(logs) / OF_A_REQUEST;
    usize::try_from(most).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_leaves_room_for_what_is_no_connection() {
        let most = [0, 24, 64, 1024].map(|limit| requests_within(limit, 0).get());
        assert_eq!(most, [1, 1, 12, 492]);
        assert!(requests_within(65_536, 0).get() > 30_000);
    }

    #[test]
    fn logs_that_are_followed_are_open_too_and_twice_while_they_are_rotated() {
        let most = [1, 400, 492, 3_000].map(|logs| requests_within(1024, logs).get());
        assert_eq!(most, [491, 92, 1, 1]);
    }
}
