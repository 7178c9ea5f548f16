//! The process is killed, or told to end, at random moments, and started again.

use std::process::{Child, Command};
use std::time::Duration;

use crate::job::{Job, method};
use crate::oracle::Oracle;
use crate::seed;

#[test]
fn a_few_kills_lose_nothing_and_double_nothing_unsafe() {
    kill_and_go_on(2_000, 8);
}

/// `just torture`
#[test]
#[ignore = "minutes"]
fn two_hundred_kills_lose_nothing_and_double_nothing_unsafe() {
    kill_and_go_on(100_000, 200);
}

#[test]
fn a_stopped_run_leaves_nothing_in_doubt() {
    stop_and_go_on(1_000, 4);
}

/// `just torture`
#[test]
#[ignore = "minutes"]
fn a_hundred_stopped_runs_leave_nothing_in_doubt() {
    stop_and_go_on(50_000, 100);
}

#[expect(clippy::print_stderr, reason = "what was measured is told")]
/// Kills a job of so many `requests` so many times, lets it end, and holds what has come of it against the promise.
fn kill_and_go_on(requests: u32, kills: u32) {
    let (job, oracle) = (Job::of(requests), Oracle::start());
    let mut random = fastrand::Rng::with_seed(seed());
    for _ in 0..kills {
        let mut child = job.start(&oracle);
        interrupt(&mut child, &oracle, requests / kills, &mut random, |child| {
            child.kill().expect("it can be killed");
        });
    }
    job.finish(&oracle);

    let (executed, lines) = (oracle.executed(), job.lines());
    let times = |n: u32| executed.get(&format!("{} /{n}", method(n))).copied().unwrap_or(0);
    let held = held(&job);
    let mut doubles = 0;
    for n in 0..requests {
        let is_held = !lines.contains_key(&n);
        assert!(!is_held || method(n) == "POST", "GET /{n} has no line (seed {})", seed());
        assert!(times(n) > 0 || is_held, "{} /{n} was lost (seed {})", method(n), seed());
        assert!(
            lines.get(&n).is_none_or(|&lines| lines == 1),
            "/{n} has more than one line (seed {})",
            seed()
        );
        if method(n) == "POST" {
            assert!(times(n) <= 1, "POST /{n} was sent {} times (seed {})", times(n), seed());
        } else {
            doubles += times(n) - 1;
        }
    }
    let without_line = requests - u32::try_from(lines.len()).expect("it is not more");
    assert_eq!(held, without_line, "what has no line is held (seed {})", seed());
    assert!(doubles <= kills * job.concurrency(), "{doubles} doubles (seed {})", seed());
    assert!(executed.len() <= requests as usize, "something else was sent");
    eprintln!(
        "{kills} kills, {requests} requests: 0 lost, {doubles} safe doubles, 0 unsafe doubles, {held} held"
    );
    vouched_for(&job);
}

fn stop_and_go_on(requests: u32, stops: u32) {
    let (job, oracle) = (Job::of(requests), Oracle::start());
    let mut random = fastrand::Rng::with_seed(seed());
    for _ in 0..stops {
        let mut child = job.start(&oracle);
        interrupt(&mut child, &oracle, requests / stops, &mut random, |child| {
            let sent = Command::new("kill").arg(child.id().to_string()).status();
            assert!(sent.is_ok_and(|status| status.success()), "it can be told to end");
        });
        assert_eq!(held(&job), 0, "nothing is in doubt after a drain (seed {})", seed());
    }
    let output = job.finish(&oracle);
    assert_eq!(output.status.code(), Some(0));
    let executed = oracle.executed();
    assert!(executed.values().all(|&times| times == 1), "each was sent once (seed {})", seed());
    assert_eq!(executed.len(), requests as usize);
    let lines = job.lines();
    assert!(lines.values().all(|&lines| lines == 1) && lines.len() == requests as usize);
    vouched_for(&job);
}

/// Interrupts `child` when the server has executed a random number of requests more, or after a random time, and waits for its end.
fn interrupt(
    child: &mut Child,
    oracle: &Oracle,
    requests: u32,
    random: &mut fastrand::Rng,
    how: impl FnOnce(&mut Child),
) {
    // By the server's count the job goes on; by the clock it is also met while it starts and recovers.
    let more = random.u32(0..=2 * requests);
    let time = Duration::from_millis(random.u64(1..2_000));
    oracle.wait_for(oracle.count() + more, time);
    how(child);
    // It may have come to its end just before.
    child.wait().expect("it can be waited for");
}

/// How many records are held in doubt.
fn held(job: &Job) -> u32 {
    let output = job.logretry(&["held", "retry.log.ledger"]);
    let text = String::from_utf8(output.stdout).expect("it is text");
    u32::try_from(text.lines().count()).expect("they are few")
}

/// `logretry verify` comes to the same verdict from the logs.
fn vouched_for(job: &Job) {
    let arguments =
        ["verify", "--log", "access.log", "--output", "retry.log", "--ledger", "retry.log.ledger"];
    let output = job.logretry(&arguments);
    assert!(
        matches!(output.status.code(), Some(0 | 3)),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
