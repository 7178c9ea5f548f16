//! What a ledger knows after a crash: everything that was acknowledged, or a beginning of it, and nothing else.

use std::fs::{self, OpenOptions};

use logretry_ledger::{Before, Durability, LedgerError};

use crate::desk::{Desk, at_most, ended, id};

/// Refires in a test.
const NUMBER: u64 = 40;

fn status(number: u64) -> u16 {
    200 + u16::try_from(number).expect("a small number")
}

/// A desk whose ledger got an intent and an outcome of each record, one after the other, copied while it was open.
fn crashed(durability: Durability) -> Desk {
    let desk = Desk::new();
    let ledger = desk.open(durability).expect("a ledger");
    for number in 0..NUMBER {
        ledger.intent(id(number), 1, "GET", "http://shop.example/a").wait().expect("written");
        ledger.outcome(id(number), &ended("GET", status(number)), None).wait().expect("written");
    }
    ledger.sync().wait().expect("synced");
    desk.copied()
}

/// How many records are done in the ledger; panics unless these are the first ones, with their own outcomes.
fn done_of_a_clean_beginning(desk: &Desk) -> Result<u64, LedgerError> {
    let ledger = desk.open(Durability::Grouped)?;
    let mut done = 0;
    let mut over = false;
    for number in 0..NUMBER {
        match ledger.before(id(number))? {
            Before::Done(retry) => {
                assert!(!over, "record {number} is done, and one before it is not");
                assert_eq!(retry.status, Some(status(number)));
                done += 1;
            }
            Before::InDoubt(_) => {
                assert!(!over, "record {number} is in doubt, and one before it is new");
                over = true;
            }
            Before::New => over = true,
            other => panic!("record {number}: {other:?}"),
        }
    }
    Ok(done)
}

#[test]
fn everything_acknowledged_survives_the_death_of_the_process() {
    for durability in [Durability::Grouped, Durability::Full] {
        assert_eq!(done_of_a_clean_beginning(&crashed(durability)).expect("a ledger"), NUMBER);
    }
}

#[test]
fn written_is_enough_to_survive_the_death_of_the_process() {
    let desk = Desk::new();
    let ledger = desk.ledger();
    ledger.intent(id(0), 1, "GET", "http://shop.example/a").wait().expect("written");
    // The copy sees what the system has, as a process started after the death of this one would.
    let copy = desk.copied();
    assert!(matches!(copy.ledger().before(id(0)).expect("a ledger"), Before::InDoubt(_)));
}

#[test]
fn a_wal_cut_off_anywhere_gives_a_clean_beginning_or_an_error() {
    let crashed = crashed(Durability::Full);
    let whole = fs::metadata(crashed.wal()).expect("a WAL").len();
    let (mut counts, mut last) = (Vec::new(), u64::MAX);
    for cut in (0..whole).rev().step_by(512).take(at_most(200)) {
        let copy = crashed.copied();
        OpenOptions::new().write(true).open(copy.wal()).and_then(|wal| wal.set_len(cut)).expect("a cut");
        match done_of_a_clean_beginning(&copy) {
            Ok(done) => {
                assert!(done <= last, "a shorter WAL cannot know more");
                last = done;
                counts.push(done);
            }
            Err(error) => assert!(
                matches!(error, LedgerError::Damaged { .. } | LedgerError::NoLedger { .. }),
                "{error}"
            ),
        }
    }
    counts.dedup();
    assert!(counts.len() > 5, "the cuts went through the events: {counts:?}");
}

#[test]
fn a_turned_bit_gives_a_clean_beginning_or_an_error() {
    let crashed = crashed(Durability::Full);
    // With everything in the WAL, and with everything in the main file.
    let closed = crashed.copied();
    drop(closed.ledger());
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..at_most(100).min(10_000) {
        let copy = if round % 2 == 0 { crashed.copied() } else { closed.copied() };
        let file = if round % 2 == 0 { copy.wal() } else { copy.path() };
        let mut bytes = fs::read(&file).expect("a file");
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bit = usize::try_from(random >> 33).expect("31 bits") % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, bytes).expect("a file");
        // Many bits are in no row, or in one that a later row overtakes.
        let _ = done_of_a_clean_beginning(&copy);
    }
    let mut bytes = fs::read(closed.path()).expect("a file");
    let id = id(NUMBER - 1);
    let place =
        bytes.windows(16).rposition(|part| part == id.as_bytes()).expect("the outcome of the last record");
    bytes[place] ^= 1;
    fs::write(closed.path(), bytes).expect("a file");
    assert!(done_of_a_clean_beginning(&closed).is_err(), "a bit of an id matters");
}
