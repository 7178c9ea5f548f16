use logretry_ledger::{Before, InDoubt, Look, Verdict};
use logretry_record::Outcome;

use crate::desk::{Desk, close, ended, id};

#[test]
fn what_happened_is_known_after_the_process_is_gone() {
    let desk = Desk::new();
    let ledger = desk.ledger();
    for number in 0..4 {
        assert_eq!(ledger.before(id(number)).expect("a ledger"), Before::New);
    }
    let (get, post) = (ended("GET", 200), ended("POST", 503));
    ledger.intent(id(0), 1, "GET", "http://shop.example/a").wait().expect("written");
    ledger.outcome(id(0), &get, None).wait().expect("written");
    ledger.intent(id(1), 1, "POST", "http://shop.example/b").wait().expect("synced");
    ledger.intent(id(2), 1, "DELETE", "http://shop.example/c").wait().expect("synced");
    ledger.answer(id(2), &post).wait().expect("synced");
    ledger.failure(id(3), &ended("GET", 500), None).wait().expect("written");
    assert_eq!(ledger.before(id(3)).expect("a ledger"), Before::Repeated, "not twice in one run");
    drop(ledger);

    let ledger = desk.ledger();
    assert_eq!(ledger.before(id(0)).expect("a ledger"), Before::Done(get.clone()));
    let Before::InDoubt(doubt) = ledger.before(id(1)).expect("a ledger") else { panic!("it is in doubt") };
    assert_eq!((doubt.method.as_str(), doubt.url.as_str()), ("POST", "http://shop.example/b"));
    assert!(doubt.is_held());
    assert_eq!(ledger.before(id(2)).expect("a ledger"), Before::Answered(post));
    assert_eq!(ledger.before(id(3)).expect("a ledger"), Before::New, "nothing of it was sent");
    assert_eq!(ledger.before(id(3)).expect("a ledger"), Before::Repeated);
    ledger.give_back(id(3));
    assert_eq!(ledger.before(id(3)).expect("a ledger"), Before::New);
    assert_eq!(ledger.before(id(0)).expect("a ledger"), Before::Done(get), "told as often as it is asked");
}

#[test]
fn a_verdict_stays_until_it_is_acted_on() {
    let desk = Desk::new();
    let ledger = desk.ledger();
    ledger.before(id(0)).expect("a ledger");
    ledger.intent(id(0), 1, "POST", "http://shop.example/a").wait().expect("synced");
    let [InDoubt { time: sent, .. }] = ledger.in_doubt().expect("a ledger")[..] else { panic!("one is") };
    drop(ledger);
    for verdict in [Verdict::Arrived, Verdict::Send, Verdict::Ended(201)] {
        let ledger = desk.ledger();
        let [doubt] = &ledger.in_doubt().expect("a ledger")[..] else { panic!("one is in doubt") };
        ledger.decide(doubt, verdict).wait().expect("synced");
        close(ledger);
        let [doubt] = &Look::open(&desk.path()).expect("a ledger").in_doubt().expect("a ledger")[..] else {
            panic!("it is still there")
        };
        let is_open = verdict == Verdict::Arrived;
        assert_eq!((doubt.verdict, doubt.is_held()), (Some(verdict), is_open));
        assert_eq!(doubt.time == sent, is_open, "what is open is looked for from when it was sent on");
    }
    let ledger = desk.ledger();
    ledger.outcome(id(0), &ended("POST", 201), None).wait().expect("synced");
    assert_eq!(ledger.in_doubt().expect("a ledger"), []);
}

#[test]
fn others_can_look_meanwhile_and_their_numbers_add_up() {
    let desk = Desk::new();
    let ledger = desk.ledger();
    for number in 0..10 {
        ledger.intent(id(number), 1, "GET", "http://shop.example/a").wait().expect("written");
        let status = if number < 7 { 200 } else { 503 };
        let ticket = ledger.outcome(id(number), &ended("GET", status), Some(b"line\n"));
        ticket.wait().expect("written");
    }
    ledger.intent(id(10), 1, "POST", "http://shop.example/b").wait().expect("synced");
    ledger.intent(id(11), 1, "GET", "http://shop.example/b").wait().expect("written");
    let digest = Look::open(&desk.path()).and_then(|look| look.digest()).expect("a ledger");
    assert_eq!(digest.outcomes, [(Outcome::Recovered, 7), (Outcome::Failing, 3)].into());
    assert_eq!((digest.held, digest.in_doubt, digest.unmarked_lines), (1, 1, 10));
    assert_eq!(digest.destination, "http://shop.example");
    assert!(digest.holder.is_some_and(|holder| holder.contains(&std::process::id().to_string())));
}

#[test]
fn the_secret_stays() {
    let desk = Desk::new();
    let ledger = desk.ledger();
    let secret = *ledger.secret();
    close(ledger);
    let ledger = desk.ledger();
    assert_eq!(*ledger.secret(), secret);
    assert_ne!(secret, [0; 32]);
    assert_ne!(Desk::new().ledger().secret(), &secret);
}
