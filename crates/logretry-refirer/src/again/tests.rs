use jiff::Timestamp;
use logretry_record::{Exchange, Header, Origin, Reason, Record, RecordId};

use super::*;

#[test]
fn waits_double_up_to_their_cap_and_are_jittered_in_full() {
    let backoff: Backoff = "1s..60s".parse().expect("a backoff");
    assert_eq!(backoff, Backoff::default());
    for (attempts, random, wait_ms) in [
        (1, 1.0, 1000),
        (1, 0.0, 0),
        (1, 0.25, 250),
        (2, 1.0, 2000),
        (5, 0.5, 8000),
        (7, 1.0, 60_000),
        (99, 1.0, 60_000),
    ] {
        assert_eq!(backoff.wait(attempts, random), Duration::from_millis(wait_ms));
    }
    let steady: Backoff = "500ms".parse().expect("a backoff");
    assert_eq!(steady.wait(9, 1.0), Duration::from_millis(500));
    for text in ["", "..", "1s..", "..1s", "2s..1s", "1s...2s", "0..1s"] {
        assert!(text.parse::<Backoff>().is_err(), "{text:?} was taken");
    }
}

#[test]
fn retries_are_a_fifth_of_first_sends_and_a_few_more() {
    for (sends, retries) in [(0, 10), (4, 10), (6, 11), (101, 30), (1_000_000, 100)] {
        let mut budget = Budget::new();
        (0..sends).for_each(|_| budget.deposit());
        assert_eq!((0..10_000).filter(|_| budget.withdraw()).count(), retries, "{sends}");
    }
}

/// A request with this method and a body, perhaps with a header that asks for another method.
fn planned(method: &str, overriding: Option<&str>) -> Planned {
    let headers = overriding.and_then(|method| Header::recorded("X-HTTP-Method-Override", method));
    let original = Exchange {
        method: Some(method.to_owned()),
        target: Some("/a".to_owned()),
        headers: headers.into_iter().collect(),
        body: Some("x".into()),
        ..Exchange::default()
    };
    let methods = "GET,PUT,DELETE,POST,PATCH".parse().expect("methods");
    let mut options = Options { methods, ..Options::default() };
    options.destination.base_url = Some("http://shop.example".parse().expect("a base URL"));
    let origin = Origin::new("-", 1, 0, "har", "x");
    options.judge(&Record::new(RecordId::of_line(b"x", 0), origin, original)).expect("it may be sent")
}

#[test]
fn what_the_server_is_still_at_or_puts_off_is_asked_for_again_if_it_has_a_key() {
    let keyed = Options {
        attempts: 3.try_into().expect("not 0"),
        idempotency: Some(crate::IdempotencySecret::new([7; 32])),
        ..Options::default()
    };
    let unkeyed = Options { idempotency: None, ..keyed.clone() };
    for (method, status, attempts, again) in [
        ("POST", 409, 1, true),
        ("DELETE", 409, 2, true),
        ("POST", 409, 3, false),
        ("POST", 429, 2, true),
        ("POST", 429, 3, false),
        ("PATCH", 429, 1, true),
        ("POST", 422, 1, false),
        ("POST", 503, 1, false),
        ("GET", 409, 1, false),
    ] {
        let retry = Retry {
            method: Some(method.to_owned()),
            outcome: Outcome::of_status(status),
            status: Some(status),
            attempts,
            reason: None,
            ..Retry::not_sent(Timestamp::now(), Reason::Stopped)
        };
        assert_eq!(keyed.may_go_again(&planned(method, None), &retry), again, "{retry:?}");
        assert!(!unkeyed.may_go_again(&planned(method, None), &retry), "{retry:?}");
    }
}

#[test]
fn only_what_is_safe_and_may_pass_is_sent_again() {
    use Outcome::{Failing, InDoubt, Recovered, Refused, Unanswered};

    for (method, outcome, status, error, again) in [
        ("GET", Failing, Some(503), None, true),
        ("DELETE", Failing, Some(500), None, true),
        ("GET", Failing, Some(501), None, false),
        ("POST", Failing, Some(503), None, false),
        ("GET", Recovered, Some(200), None, false),
        ("GET", Refused, Some(404), None, false),
        ("GET", Refused, Some(429), None, true),
        ("GET", Unanswered, None, Some(ErrorKind::Timeout), true),
        ("GET", Unanswered, Some(200), Some(ErrorKind::Reset), true),
        ("POST", Unanswered, None, Some(ErrorKind::Timeout), false),
        ("POST", Unanswered, None, Some(ErrorKind::Connect), true),
        ("POST", Unanswered, None, Some(ErrorKind::Dns), true),
        ("POST", Unanswered, None, Some(ErrorKind::Proxy), false),
        ("GET", Unanswered, None, Some(ErrorKind::Tls), false),
        ("GET", Unanswered, None, Some(ErrorKind::BlockedAddress), false),
        ("GET", InDoubt, None, Some(ErrorKind::Aborted), false),
    ] {
        let nothing = Retry::not_sent(Timestamp::now(), Reason::Stopped);
        let retry = Retry { outcome, status, error, reason: None, ..nothing };
        assert_eq!(may_help(&planned(method, None), &retry), again, "{method} {retry:?}");
    }
}

#[test]
fn a_request_that_asks_for_another_method_goes_again_as_that_one_may() {
    let failing = Retry {
        outcome: Outcome::Failing,
        status: Some(503),
        reason: None,
        ..Retry::not_sent(Timestamp::now(), Reason::Stopped)
    };
    for (method, overriding, again) in [
        ("PUT", None, true),
        ("PUT", Some("DELETE"), true),
        ("PUT", Some("PATCH"), false),
        ("POST", Some("PUT"), false),
    ] {
        assert_eq!(may_help(&planned(method, overriding), &failing), again, "{method} {overriding:?}");
    }
}
