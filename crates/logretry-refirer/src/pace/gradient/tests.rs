use super::*;
use crate::random::{Random, SEED};

/// Lets so many requests at once begin and end in `rounds` rounds, each after what `ms` says for so many.
fn go_on(law: &mut Gradient, rounds: u32, ms: impl Fn(f64) -> f64) {
    for _ in 0..rounds {
        let number = law.round.number;
        while law.round.number == number {
            let places = law.places();
            let tickets: Vec<_> = (1..=places).map(|under_way| law.begin(under_way)).collect();
            let ms = ms(f64::from(u32::try_from(places).expect("not that many")));
            for ticket in tickets {
                law.end(ticket, Sign::Good(ms));
            }
        }
    }
}

/// A law at a limit, which it reached without a sign of a queue.
fn at(limit: f64) -> Gradient {
    Gradient { limit, threshold: limit, base_ms: Some(50.0), ..Gradient::new(256) }
}

#[test]
fn it_begins_with_one_request_and_grows_by_half_while_answers_are_fast() {
    let mut law = Gradient::new(64);
    let mut places = vec![law.places()];
    for _ in 0..10 {
        go_on(&mut law, 1, |_| 50.0);
        places.push(law.places());
    }
    assert_eq!(places, [1, 2, 3, 4, 6, 10, 15, 22, 34, 51, 64]);
}

#[test]
fn it_comes_to_rest_where_a_short_queue_keeps_the_server_busy() {
    for workers in [2_u32, 20, 100] {
        let mut law = Gradient::new(1000);
        let ms = |places: f64| 50.0 * (places / f64::from(workers)).max(1.0);
        go_on(&mut law, 60, ms);
        for _ in 0..600 {
            go_on(&mut law, 1, ms);
            let load = law.limit / f64::from(workers);
            let expected = if law.looking.is_some() { 0.5..1.2 } else { 1.0..2.0 + 1.0 / f64::from(workers) };
            assert!(expected.contains(&load), "{load} of {workers}: {law:?}");
        }
    }
}

#[test]
fn it_follows_a_server_that_becomes_slower_or_faster_for_good() {
    let mut law = at(40.0);
    go_on(&mut law, 300, |_| 150.0);
    assert!(law.limit > 30.0, "slower pages are no queue: {law:?}");
    go_on(&mut law, 1500, |places| 10.0 * (places / 20.0).max(1.0));
    assert!((20.0..50.0).contains(&law.limit), "{law:?}");
}

#[test]
fn a_flight_loses_as_many_places_as_failed_and_a_tenth() {
    for (limit, failures, expected) in [
        (64.0, 1, 57.0),
        (64.0, 20, 38.0),
        (64.0, 64, 1.0),
        (5.0, 1, 4.0),
        (2.0, 1, 1.0),
        (1.0, 1, 0.5),
        (0.5, 1, 0.4),
        (FLOOR, 1, FLOOR),
    ] {
        let mut law = at(limit);
        let tickets: Vec<_> = (1..=law.places()).map(|under_way| law.begin(under_way)).collect();
        tickets.into_iter().take(failures).for_each(|ticket| law.end(ticket, Sign::TooMuch));
        assert!((law.limit - expected).abs() < 1e-9, "{limit} and {failures}: {law:?}");
    }
}

#[test]
fn beyond_a_known_edge_it_takes_a_step_only_after_many_good_answers() {
    let mut law = at(20.0);
    let ticket = law.begin(20);
    law.end(ticket, Sign::TooMuch);
    assert_eq!(law.places(), 17);
    let mut good = 0;
    while law.places() == 17 {
        let under_way = law.places();
        let ticket = law.begin(under_way);
        law.end(ticket, Sign::Good(50.0));
        good += 1;
    }
    assert!((PATIENCE..PATIENCE + 20).contains(&good), "{good}");
    assert_eq!(law.places(), 18);
}

#[test]
fn a_failure_at_a_known_edge_costs_one_place_and_below_it_a_tenth_more() {
    for (edge, expected) in [(None, 17.0), (Some(40.0), 17.0), (Some(21.0), 19.0), (Some(19.0), 19.0)] {
        let mut law = Gradient { edge, ..at(20.0) };
        let ticket = law.begin(20);
        law.end(ticket, Sign::TooMuch);
        assert!((law.limit - expected).abs() < 1e-9, "{edge:?}: {law:?}");
    }
}

#[test]
fn a_broken_page_is_not_load_but_many_are() {
    for (broken, expected) in [(0, 41), (4, 41), (8, 41), (9, 28), (40, 28)] {
        let mut law = at(40.0);
        let tickets: Vec<_> = (1..=40).map(|under_way| law.begin(under_way)).collect();
        for (number, ticket) in tickets.into_iter().enumerate() {
            law.end(ticket, if number < broken { Sign::Broken } else { Sign::Good(50.0) });
        }
        assert_eq!(law.places(), expected, "{broken} of 40");
    }
}

#[test]
fn pages_that_are_always_broken_are_no_load() {
    for one_in in [20, 5, 3] {
        let mut law = Gradient::new(64);
        for number in 0..3000 {
            let ticket = law.begin(law.places());
            law.end(ticket, if number % one_in == 0 { Sign::Broken } else { Sign::Good(50.0) });
        }
        assert_eq!(law.places(), 64, "one in {one_in}: {law:?}");
    }
}

#[test]
fn slow_start_stands_still_at_one_sign_of_a_queue_and_ends_at_the_second() {
    let mut law = Gradient::new(64);
    go_on(&mut law, 4, |_| 50.0);
    assert_eq!(law.places(), 6);
    go_on(&mut law, 1, |_| 70.0);
    assert_eq!(law.places(), 6);
    go_on(&mut law, 1, |_| 50.0);
    assert_eq!(law.places(), 10, "it was none");
    go_on(&mut law, 2, |_| 70.0);
    assert_eq!((law.places(), law.threshold), (8, law.limit));
    let mut law = Gradient::new(64);
    go_on(&mut law, 5, |_| 50.0);
    go_on(&mut law, 1, |_| 100.0);
    assert_eq!((law.places(), law.threshold), (6, law.limit), "nobody doubts that");
}

#[test]
fn a_server_that_is_slower_for_a_while_is_asked_no_less() {
    let mut law = at(40.0);
    let mut lowest = law.limit;
    for slower in [1.0, 2.0, 1.0, 1.6, 3.0, 1.0] {
        for _ in 0..20 {
            go_on(&mut law, 1, |places| 50.0 * slower * (places / 40.0).max(1.0));
            // A look at the server without its queue is something else.
            lowest = lowest.min(law.looking.unwrap_or(law.limit));
        }
        assert!((38.0..60.0).contains(&law.looking.unwrap_or(law.limit)), "{slower}: {law:?}");
    }
    assert!(lowest > 25.0, "{lowest}");
}

/// Seven pages in ten from a cache, and three that take thirty times as long, until twenty are worked on; then all of them queue.
#[test]
fn pages_that_differ_are_no_queue_and_hide_none() {
    for seed in 1..=20 {
        SEED.set(seed);
        let mut random = Random::new();
        let mut law = Gradient::new(256);
        for flight in 0..1200 {
            let tickets: Vec<_> = (1..=law.places()).map(|under_way| law.begin(under_way)).collect();
            let load = f64::from(u32::try_from(tickets.len()).expect("few")) / 20.0;
            for ticket in tickets {
                let page_ms = if random.unit() < 0.7 { 4.0 } else { 124.0 };
                law.end(ticket, Sign::Good(page_ms + 40.0 * (load - 1.0).max(0.0)));
            }
            let limit = law.looking.unwrap_or(law.limit);
            assert!(limit < 50.0, "flight {flight}, seed {seed}: {law:?}");
        }
        let limit = law.looking.unwrap_or(law.limit);
        assert!(limit > 16.0, "seed {seed}: {law:?}");
    }
}

#[test]
fn a_limit_that_is_not_reached_does_not_grow() {
    let mut law = at(40.0);
    for _ in 0..1000 {
        let ticket = law.begin(3);
        law.end(ticket, Sign::Good(50.0));
    }
    assert_eq!(law.places(), 40);
}

#[test]
fn below_one_request_at_a_time_there_are_pauses() {
    assert_eq!(at(1.0).gap(), Duration::ZERO);
    assert_eq!(at(0.5).gap(), Duration::from_millis(100));
    assert_eq!(at(0.5).places(), 1);
    let unknown = Gradient { base_ms: None, ..at(0.25) };
    assert_eq!(unknown.gap(), Duration::from_millis(200));
}

/// One in ten of a fast host's URLs failed for good, and it was asked once in 1.6 s: no round ever came to its end, which would have told how fast it is.
#[test]
fn pauses_of_a_host_whose_rounds_never_end_are_as_long_as_its_answers_need() {
    let mut law = Gradient::new(64);
    for number in 0..1000 {
        let ticket = law.begin(1);
        law.end(ticket, if number % 10 == 0 { Sign::TooMuch } else { Sign::Good(1.0) });
    }
    assert!(law.base_ms.is_none() && law.limit < 2.0 * FLOOR, "{law:?}");
    assert!(law.gap() < Duration::from_millis(50), "{:?}", law.gap());
}

/// It was asked thirty times a minute for ten minutes.
#[test]
fn failures_at_the_first_requests_are_made_good_within_two_minutes() {
    for answer_ms in [5.0, 50.0, 500.0] {
        let (mut law, mut time) = (Gradient::new(64), Duration::ZERO);
        for number in 0.. {
            let tickets: Vec<_> = (1..=law.places()).map(|under_way| law.begin(under_way)).collect();
            for ticket in tickets {
                let failed = number < 12 && number % 3 == 0;
                law.end(ticket, if failed { Sign::TooMuch } else { Sign::Good(answer_ms) });
            }
            if law.places() >= 8 {
                break;
            }
            time += law.gap().max(Duration::from_secs_f64(answer_ms / 1e3));
        }
        assert!(time < Duration::from_secs(120), "{answer_ms}: {time:?}");
    }
}

/// A law that has found out how seldom it may ask, long after which an answer is slow or quick by chance.
fn metered() -> Gradient {
    let mut law = Gradient { base_ms: Some(0.5), ..at(1.0) };
    for _ in 0..40 {
        let ticket = law.begin(1);
        law.end(ticket, Sign::TooOften);
    }
    assert_eq!(law.gap(), Duration::from_secs(2));
    law
}

#[test]
fn how_long_answers_take_says_nothing_of_how_often_one_may_ask() {
    let mut law = metered();
    for ms in [3.0, 0.2, 1.0, 0.1] {
        let before = law.gap();
        go_on(&mut law, 1, |_| ms);
        assert!(law.gap() * 2 > before, "a round after {before:?}: {law:?}");
    }
}

#[test]
fn what_was_refused_for_a_while_is_asked_as_often_as_before_within_minutes() {
    let mut law = metered();
    let mut waited = Duration::ZERO;
    while law.gap() > Duration::ZERO {
        waited += law.gap();
        let ticket = law.begin(1);
        law.end(ticket, Sign::Good(0.5));
    }
    assert!(waited < Duration::from_secs(300), "{waited:?}");
}

#[test]
fn a_host_that_allows_little_and_fails_is_not_asked_more_often() {
    let mut law = metered();
    let ticket = law.begin(1);
    law.end(ticket, Sign::TooMuch);
    assert!(law.gap() >= Duration::from_secs(2), "{law:?}");
}

#[test]
fn after_a_hold_it_begins_again_with_one_and_is_fast_up_to_half_of_what_it_had() {
    let mut law = at(40.0);
    law.restart();
    assert_eq!(law.places(), 1);
    go_on(&mut law, 6, |_| 50.0);
    assert_eq!(law.places(), 15);
    go_on(&mut law, 1, |_| 50.0);
    assert_eq!(law.places(), 20);
    go_on(&mut law, 1, |_| 50.0);
    assert_eq!(law.places(), 20);
}

#[test]
fn after_a_hold_what_it_bore_before_its_failures_counts_and_not_what_they_left() {
    let mut law = at(40.0);
    go_on(&mut law, 3, |_| 50.0);
    let tickets: Vec<_> = (1..=law.places()).map(|under_way| law.begin(under_way)).collect();
    for ticket in tickets {
        law.end(ticket, Sign::TooMuch);
    }
    assert_eq!(law.places(), 1);
    law.restart();
    go_on(&mut law, 7, |_| 50.0);
    assert!((20..=22).contains(&law.places()), "{law:?}");
}

#[test]
fn what_says_nothing_changes_nothing() {
    let mut law = at(40.0);
    let before = format!("{law:?}");
    law.end(Ticket::default(), Sign::Nothing);
    assert_eq!(format!("{law:?}"), before);
}
