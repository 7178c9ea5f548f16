//! The power fails. What strace saw a run do is played back up to a random moment: what had been synced by then is on the disk, and of what had not been, any
//! part may be, in blocks of 512 bytes. From what is left, the run goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::job::{Job, method};
use crate::oracle::Oracle;
use crate::seed;
use crate::trace::{self, Step};

/// What a disk writes at once.
const BLOCK_BYTES: usize = 512;

/// What a run writes. The last two are of no use to the next one.
const FILES: [&str; 6] = [
    "retry.log",
    "retry.log.ledger",
    "retry.log.ledger-wal",
    "retry.log.ledger-journal",
    "retry.log.ledger-shm",
    "retry.log.ledger.lock",
];
const KEPT: usize = 4;

#[test]
fn some_power_cuts_lose_nothing_and_double_nothing_unsafe() {
    cut_at_random(60, 6);
}

/// `just torture`
#[test]
#[ignore = "minutes"]
fn two_hundred_power_cuts_lose_nothing_and_double_nothing_unsafe() {
    cut_at_random(300, 200);
}

#[test]
fn with_full_durability_each_intent_is_synced_before_it_is_sent() {
    prove_syncs(100);
}

/// `just torture`
#[test]
#[ignore = "seconds"]
fn with_full_durability_each_of_a_thousand_intents_is_synced_before_it_is_sent() {
    prove_syncs(1_000);
}

/// No request goes out before the sync that covers its intent has come back.
fn prove_syncs(requests: u32) {
    let (job, oracle) = (Job::of(requests).with(&["--durability", "full"]), Oracle::start());
    let steps = traced(&job, &oracle);
    let known = sent_ids(&steps);
    assert_eq!(known.len(), requests as usize, "each was seen on its way");
    let mut written: BTreeMap<[u8; 16], usize> = BTreeMap::new();
    let mut synced = 0;
    for (index, step) in steps.iter().enumerate() {
        match step {
            Step::Write { file, data, .. } if file.ends_with(".ledger-wal") => {
                for id in trace::ids_in(data, &known) {
                    written.entry(id).or_insert(index);
                }
            }
            Step::Sync { file, begun } if file.ends_with(".ledger-wal") => synced = *begun,
            Step::Send { ids, .. } => {
                for id in ids {
                    let write = written.get(id).expect("an intent is written before its request is sent");
                    assert!(*write < synced, "a request was sent before its intent was synced");
                }
            }
            _ => {}
        }
    }
}

fn cut_at_random(requests: u32, cuts: u32) {
    for durability in ["full", "grouped"] {
        let (job, oracle) = (Job::of(requests).with(&["--durability", durability]), Oracle::start());
        let steps = traced(&job, &oracle);
        let mut random = fastrand::Rng::with_seed(seed());
        for _ in 0..cuts {
            let end = random.usize(0..=steps.len());
            power_cut(&job, &oracle, &steps[..end], durability == "full", &mut random);
        }
    }
}

/// Cuts the power after these steps, and goes on from what is left.
fn power_cut(job: &Job, oracle: &Oracle, steps: &[Step], full: bool, random: &mut fastrand::Rng) {
    for name in FILES {
        fs::remove_file(job.path(name)).unwrap_or(());
    }
    for (name, bytes) in left(steps, random) {
        fs::write(job.path(&name), bytes).expect("the folder can be written");
    }
    oracle.forget();
    job.finish(oracle);

    let at = format!("cut after {} steps (seed {})", steps.len(), seed());
    let (sent, executed, lines, ids) = (sent_ids(steps), oracle.executed(), job.lines(), job.ids());
    let mut doubles = 0;
    for n in 0..job.requests() {
        let again = executed.get(&format!("{} /{n}", method(n))).copied().unwrap_or(0);
        let was_sent = sent.contains(&ids[&n]);
        match (method(n), lines.get(&n)) {
            // Held: it was about to be sent.
            ("POST", None) => assert_eq!(again, 0, "{at}: POST /{n} is held"),
            (_, Some(1)) => assert!(was_sent || again == 1, "{at}: /{n} has a line and was never sent"),
            (method, lines) => panic!("{at}: {method} /{n} has {lines:?} lines"),
        }
        assert!(
            again <= 1 && (method(n) == "GET" || !was_sent || again == 0),
            "{at}: POST /{n} was sent twice"
        );
        doubles += u32::from(was_sent && again > 0);
    }
    assert!(!full || doubles <= job.concurrency(), "{at}: {doubles} were sent twice");
}

/// Runs the job under strace, from nothing to its end.
fn traced(job: &Job, oracle: &Oracle) -> Vec<Step> {
    let path = job.path("trace");
    let status = job.command(oracle, &trace::strace(&path)).status().expect("strace can be run");
    assert_eq!(status.code(), Some(0), "everything recovers");
    trace::read(&path)
}

fn sent_ids(steps: &[Step]) -> BTreeSet<[u8; 16]> {
    let sent = steps.iter().map(|step| match step {
        Step::Send { ids, .. } => &ids[..],
        _ => &[],
    });
    sent.flatten().copied().collect()
}

/// What is on the disk after these steps.
fn left(steps: &[Step], random: &mut fastrand::Rng) -> BTreeMap<String, Vec<u8>> {
    // For each step, whether a later sync covers it.
    let mut synced_up_to: BTreeMap<&str, usize> = BTreeMap::new();
    for step in steps {
        if let Step::Sync { file, begun } = step {
            // The other thing that is synced is the folder: its names.
            let what = if FILES.contains(&file.as_str()) { file } else { "" };
            synced_up_to.insert(what, *begun);
        }
    }
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    // Where the next write at the end of a file goes, whether or not the ones before it have reached the disk.
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let (Step::Write { file, .. } | Step::Truncate { file, .. } | Step::Remove { file }) = step else {
            continue;
        };
        if !FILES[..KEPT].contains(&file.as_str()) {
            continue;
        }
        let synced = if matches!(step, Step::Remove { .. }) { "" } else { file };
        let is_synced = synced_up_to.get(synced).is_some_and(|&end| index < end);
        let end = ends.entry(file).or_default();
        let bytes = files.entry(file.clone()).or_default();
        match step {
            Step::Write { offset, data, .. } => {
                let start = offset.unwrap_or(*end);
                *end = (*end).max(start + data.len() as u64);
                let mut at = start;
                for block in blocks(start, data) {
                    if is_synced || random.bool() {
                        put(bytes, at, block);
                    }
                    at += block.len() as u64;
                }
            }
            Step::Truncate { length, .. } => {
                *end = *length;
                if is_synced || random.bool() {
                    bytes.resize(usize::try_from(*length).expect("it is small"), 0);
                }
            }
            Step::Remove { .. } => {
                *end = 0;
                if is_synced || random.bool() {
                    files.remove(file);
                }
            }
            Step::Sync { .. } | Step::Send { .. } => {}
        }
    }
    files
}

/// `data` as the blocks of the disk cut it, if it begins at `start`.
fn blocks(start: u64, data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let first = BLOCK_BYTES - usize::try_from(start % BLOCK_BYTES as u64).expect("it is small");
    let (head, rest) = data.split_at(first.min(data.len()));
    std::iter::once(head).chain(rest.chunks(BLOCK_BYTES))
}

fn put(bytes: &mut Vec<u8>, at: u64, block: &[u8]) {
    let at = usize::try_from(at).expect("it is small");
    if bytes.len() < at + block.len() {
        bytes.resize(at + block.len(), 0);
    }
    bytes[at..at + block.len()].copy_from_slice(block);
}
