//! After hundreds of faults nothing is left behind.

use std::time::{Duration, Instant};

use super::{Fault, SHORT, Way, attempt, http1, none_complains, timeout_for};

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux").count()
}

/// The memory that this process holds, in KiB.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// How often the catalogue is gone through; `LOGRETRY_FAULT_ROUNDS=100` makes it ten thousand faults.
fn rounds() -> usize {
    std::env::var("LOGRETRY_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

#[tokio::test]
async fn faults_leave_no_descriptor_and_no_memory_behind() {
    let quick: Vec<_> =
        http1::catalogue().into_iter().filter(|fault| timeout_for(fault.expected) != SHORT).collect();
    // The first round is for what is made once: caches, arenas.
    round(&quick).await;
    let (descriptors, memory_kib) = (open_descriptors(), resident_kib());
    for _ in 0..rounds() {
        round(&quick).await;
        let deadline = Instant::now() + Duration::from_secs(20);
        while open_descriptors() > descriptors {
            assert!(Instant::now() < deadline, "{} are open, and were {descriptors}", open_descriptors());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let grown_kib = resident_kib().saturating_sub(memory_kib);
    assert!(grown_kib < 5_000, "{grown_kib} KiB more");
}

/// The catalogue once.
async fn round(faults: &[Fault]) {
    let attempts = faults.iter().map(|fault| attempt(fault, Way::Plain, &["/beside"], 2));
    none_complains(attempts).await;
}
