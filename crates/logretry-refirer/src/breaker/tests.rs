use super::*;

/// Puts answers into a breaker, one after the other: `.` good, `x` too much, `b` broken, `?` nothing. Gives the last turn.
fn told(breaker: &mut Breaker, answers: &str, now: Instant) -> Option<Turn> {
    let turn = |answer| {
        let epoch = breaker.begin();
        let sign = match answer {
            '.' => Sign::Good(1.0),
            'x' => Sign::TooMuch,
            'b' => Sign::Broken,
            _ => Sign::Nothing,
        };
        breaker.end(epoch, sign, 1, now, 1.0)
    };
    answers.chars().filter_map(turn).last()
}

#[test]
fn it_opens_when_half_of_the_last_answers_failed_and_there_are_enough() {
    let now = Instant::now();
    let first = Some(Turn::Held(HOLD, 1));
    for (answers, turn) in [
        ("", None),
        ("xxxxxxxxx", None),
        ("xxxxxxxxxx", first),
        (".....xxxxx", first),
        ("......xxxxx", None),
        ("......xxxxxx", first),
        ("?????????xxxxxxxxx", None),
        (".x..x..x..x..x..x..x..x..x..x", None),
        ("....................xxxxxxxxx", None),
        ("....................xxxxxxxxxx", first),
        // Of broken pages it takes two thirds of twice as many, or half of very many.
        ("bbbbbbbbbbbbbbbbbbb", None),
        ("bbbbbbbbbbbbbbbbbbbb", first),
        (".............bbbbbbbbbbbbbbbbbbbbbbbbb", None),
        (".............bbbbbbbbbbbbbbbbbbbbbbbbbb", first),
        ("xxxxbbbbbbbbbbbbbbb", None),
        ("xxxxbbbbbbbbbbbbbbbb", first),
        (&".b".repeat(49), None),
        (&".b".repeat(50), first),
        (&"..b".repeat(400), None),
    ] {
        assert_eq!(told(&mut Breaker::new(5), answers, now), turn, "{answers}");
    }
    assert_eq!(told(&mut Breaker::new(0), &"x".repeat(99), now), None, "0 trips are no breaker");
}

#[test]
fn a_ceiling_that_is_no_ceiling_is_no_overflow() {
    let mut breaker = Breaker::new(5);
    let epoch = breaker.begin();
    for _ in 0..1000 {
        assert_eq!(breaker.end(epoch, Sign::TooMuch, usize::MAX, Instant::now(), 1.0), None);
    }
}

#[test]
fn a_probe_that_fails_opens_it_for_longer_until_the_host_is_given_up() {
    let now = Instant::now();
    let mut breaker = Breaker::new(3);
    told(&mut breaker, "xxxxxxxxxx", now);
    assert_eq!(breaker.state(), State::Open { until: now + HOLD });
    let probe = breaker.begin();
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.end(probe - 1, Sign::Good(1.0), 1, now, 1.0), None, "an old answer closes nothing");
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.end(probe, Sign::Nothing, 1, now, 1.0), None);
    assert_eq!(breaker.state(), State::Open { until: now }, "another probe may go");
    assert_eq!(told(&mut breaker, "x", now), Some(Turn::Held(hold(2, 1.0), 2)));
    assert_eq!(told(&mut breaker, "x", now), Some(Turn::GivenUp));
    assert_eq!(told(&mut breaker, ".", now), None);
    assert_eq!(breaker.state(), State::GivenUp);
}

#[test]
fn a_probe_that_succeeds_closes_it_and_health_forgives_its_trips() {
    let now = Instant::now();
    let mut breaker = Breaker::new(5);
    told(&mut breaker, "xxxxxxxxxx", now);
    assert_eq!(told(&mut breaker, ".", now), None);
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(told(&mut breaker, "xxxxxxxxx", now), Some(Turn::Held(hold(2, 1.0), 2)));
    told(&mut breaker, &"...b".repeat(50), now);
    assert_eq!(told(&mut breaker, &"x".repeat(10), now), Some(Turn::Held(HOLD, 1)));
}

#[test]
fn a_host_of_which_half_fails_is_given_up_and_one_of_which_a_third_does_is_not() {
    let ends = |answers: &str| {
        let mut breaker = Breaker::new(12);
        (0..2000).any(|_| told(&mut breaker, answers, Instant::now()) == Some(Turn::GivenUp))
    };
    assert!(ends(".b") && ends(".x") && ends("b") && ends(".bb"));
    assert!(!ends("..b") && !ends("..x"));
}

#[test]
fn holds_grow_by_a_third_up_to_a_minute_and_are_jittered_by_half() {
    for (trip, random, hold_ms) in [
        (1, 1.0, 1000),
        (1, 0.0, 500),
        (2, 1.0, 1333),
        (4, 0.5, 1778),
        (11, 1.0, 17_758),
        (99, 0.0, 30_000),
        (u32::MAX, 1.0, 60_000),
    ] {
        let ms = hold(trip, random).as_secs_f64() * 1e3;
        assert!((ms - f64::from(hold_ms)).abs() < 1.0, "{trip}: {ms}");
    }
    let together: Duration = (1..12).map(|trip| hold(trip, 1.0)).sum();
    assert_eq!(together.as_secs(), 68);
}

#[test]
fn a_part_of_a_large_flight_does_not_open_it() {
    let now = Instant::now();
    let told = |failures: usize, places| {
        let mut breaker = Breaker::new(5);
        (0..100).for_each(|_| assert_eq!(breaker.end(0, Sign::Good(1.0), places, now, 1.0), None));
        (0..failures).find_map(|_| breaker.end(0, Sign::TooMuch, places, now, 1.0)).is_some()
    };
    assert!(told(10, 20));
    assert!(!told(40, 100));
    assert!(told(50, 100));
}
