use jiff::Timestamp;
use logretry_ledger::{Before, Look};

use crate::desk::{Desk, Paper, close, ended, id, line};

fn refired(desk: &Desk, numbers: std::ops::Range<u64>) {
    let ledger = desk.ledger();
    ledger.attach(Paper::default().boxed()).wait().expect("a retry log");
    for number in numbers {
        ledger.intent(id(number), 1, "GET", "http://shop.example/a").wait().expect("written");
        ledger.outcome(id(number), &ended("GET", 200), Some(&line(number))).wait().expect("written");
    }
    close(ledger);
}

fn kinds(desk: &Desk) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    let look = Look::open(&desk.path()).expect("a ledger");
    look.events::<logretry_ledger::LedgerError>(|entry| {
        kinds.push(entry.kind);
        Ok(())
    })
    .expect("a ledger");
    kinds
}

#[test]
fn what_is_old_is_forgotten_but_for_its_number_and_the_rest_stays() {
    let desk = Desk::new();
    refired(&desk, 0..50);
    assert_eq!(kinds(&desk).len(), 100);

    let ledger = desk.ledger();
    ledger.intent(id(100), 1, "POST", "http://shop.example/a").wait().expect("synced");
    // Nothing is older than that; intents and lines go all the same.
    assert_eq!(ledger.forget_before(Timestamp::from_second(0).expect("a time")).expect("a ledger"), 0);
    close(ledger);
    assert_eq!(kinds(&desk).iter().filter(|kind| **kind == "intent").count(), 1, "the one in doubt");
    let ledger = desk.ledger();
    assert!(matches!(ledger.before(id(7)).expect("a ledger"), Before::Done(_)));

    assert_eq!(ledger.forget_before(Timestamp::now()).expect("a ledger"), 0, "they happened in the future");
    let later = Timestamp::from_second(2_000_000_000).expect("a time");
    assert_eq!(ledger.forget_before(later).expect("a ledger"), 50);
    assert_eq!(ledger.before(id(8)).expect("a ledger"), Before::New);
    close(ledger);
    let digest = Look::open(&desk.path()).and_then(|look| look.digest()).expect("a ledger");
    assert_eq!((digest.forgotten, digest.held), ([("recovered".to_owned(), 50)].into(), 1));
    assert_eq!(kinds(&desk), ["intent"]);
}

#[test]
fn numbers_of_events_are_never_used_again() {
    let desk = Desk::new();
    refired(&desk, 0..10);
    let ledger = desk.ledger();
    ledger.forget_before(Timestamp::from_second(2_000_000_000).expect("a time")).expect("a ledger");
    close(ledger);
    assert_eq!(kinds(&desk).len(), 0);
    // Their lines would be taken for written ones.
    refired(&desk, 10..11);
    let look = Look::open(&desk.path()).expect("a ledger");
    look.events::<logretry_ledger::LedgerError>(|entry| {
        assert!(entry.seq > 20, "{}", entry.seq);
        Ok(())
    })
    .expect("a ledger");
}
