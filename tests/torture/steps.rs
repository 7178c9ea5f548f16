//! The process is killed at each system call that matters, or the disk fails there; strace injects it.

use std::collections::BTreeSet;
use std::process::Command;

use crate::job::{Job, digits, method};
use crate::oracle::Oracle;

/// A job small enough to be run once for each of its steps.
const REQUESTS: u32 = 20;

#[test]
fn a_kill_at_some_of_the_steps_loses_nothing() {
    kill_at_each(11);
}

/// `just torture`
#[test]
#[ignore = "minutes"]
fn a_kill_at_each_step_loses_nothing() {
    kill_at_each(1);
}

#[test]
fn after_a_failed_write_nothing_is_sent() {
    fail_at_each(11);
}

/// `just torture`
#[test]
#[ignore = "minutes"]
fn after_a_failed_write_at_any_place_nothing_is_sent() {
    fail_at_each(1);
}

/// Kills a job before its nth step of each kind, for every `stride`th n; so the step before that one is the last.
fn kill_at_each(stride: usize) {
    for calls in
        ["pwrite64,write,ftruncate", "fdatasync,fsync", "writev,sendto", "recvfrom", "openat,unlink,rename"]
    {
        for n in (1..).step_by(stride) {
            let (job, oracle) = (Job::of(REQUESTS), Oracle::start());
            let fault = format!("inject={calls}:signal=KILL:when={n}");
            let status = under_strace(&job, &oracle, &fault, &[]).status().expect("strace can be run");
            let came_to_its_end = status.code().is_some_and(|code| code < 128);
            job.finish(&oracle);
            let at = format!("killed at {calls} {n}");
            all_is_well(&job, &oracle, &at);
            if came_to_its_end {
                assert!(n > 1, "no {calls} was seen");
                break;
            }
        }
    }
}

/// Lets every write into the ledger or the retry log fail from the nth on, for every `stride`th n.
fn fail_at_each(stride: usize) {
    for (calls, error) in [("pwrite64,write,ftruncate", "ENOSPC"), ("fdatasync,fsync", "EIO")] {
        for file in ["retry.log.ledger-wal", "retry.log.ledger", "retry.log"] {
            for n in (1..).step_by(stride) {
                let (job, oracle) = (Job::of(REQUESTS), Oracle::start());
                let path = job.path(file).display().to_string();
                let fault = format!("inject={calls}:error={error}:when={n}+");
                let mut command = under_strace(&job, &oracle, &fault, &["-P", &path]);
                let output = command.output().expect("strace can be run");
                let at = format!("{file}: {calls} {n} fails with {error}");
                if matches!(output.status.code(), Some(0 | 3)) {
                    assert!(n > 1, "{file}: no {calls} was seen");
                    break;
                }
                let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(1), "{at}: {complaint}");
                assert!(complaint.contains("retry.log"), "{at}: it does not say which file: {complaint}");
                let sent = sent(&job, &oracle);
                let known = written_down(&job);
                assert!(
                    sent.is_subset(&known),
                    "{at}: sent and not written down: {:?}",
                    sent.difference(&known)
                );
                job.finish(&oracle);
                all_is_well(&job, &oracle, &at);
            }
        }
    }
}

fn under_strace(job: &Job, oracle: &Oracle, fault: &str, only: &[&str]) -> Command {
    let calls = fault.split([':', '=']).nth(1).expect("it names calls");
    let trace = format!("trace={calls}");
    let strace = ["strace", "-f", "-q", "-o", "/dev/null", "-e", &trace, "-e", fault];
    job.command(oracle, &[&strace[..], only].concat())
}

/// The ids of the requests that the server has seen.
fn sent(job: &Job, oracle: &Oracle) -> BTreeSet<String> {
    let (ids, executed) = (job.ids(), oracle.executed());
    let seen = ids.iter().filter(|(n, _)| executed.contains_key(&format!("{} /{n}", method(**n))));
    seen.map(|(_, id)| digits(*id)).collect()
}

/// The ids of all requests that the ledger knows of, as anybody can ask for them.
fn written_down(job: &Job) -> BTreeSet<String> {
    let path = job.path("retry.log.ledger").display().to_string();
    let output = Command::new("sqlite3").args(["-readonly", &path, "SELECT id FROM refires"]).output();
    let text = String::from_utf8(output.expect("sqlite3 can be run").stdout).expect("it is text");
    text.lines().map(str::to_owned).collect()
}

/// Each request was executed and has its line, or is held; none that changes something was executed twice.
fn all_is_well(job: &Job, oracle: &Oracle, at: &str) {
    let (executed, lines) = (oracle.executed(), job.lines());
    for n in 0..job.requests() {
        let times = executed.get(&format!("{} /{n}", method(n))).copied().unwrap_or(0);
        match (method(n), lines.get(&n)) {
            ("POST", None) => assert!(times <= 1, "{at}: POST /{n} was sent {times} times"),
            ("POST", Some(1)) => assert_eq!(times, 1, "{at}: POST /{n}"),
            ("GET", Some(1)) => assert!((1..=2).contains(&times), "{at}: GET /{n} was sent {times} times"),
            (method, lines) => panic!("{at}: {method} /{n} has {lines:?} lines"),
        }
    }
}
