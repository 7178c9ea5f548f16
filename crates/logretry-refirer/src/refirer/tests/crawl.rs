//! Whoever waits for a slow run is told why it is slow, and is not told so of one that is not.

use std::num::NonZeroUsize;

use logretry_stage::{Notes, Rejects};

use super::*;

/// What the line of a number asks for.
type Line = fn(u64) -> &'static str;

/// What was said of pauses in three minutes of a log.
async fn said(options: Options, line: Line) -> Vec<String> {
    let said = Arc::<Mutex<Vec<String>>>::default();
    let heard = Arc::clone(&said);
    let notes = Notes::to(move |note| heard.lock().expect("no panic").push(note.to_string()));
    let watch = Duration::from_secs(180);
    let options = Options { max_time: Some(watch), per_host: NonZeroUsize::new(4), ..options };
    let end = Instant::now() + watch;
    let lines = futures_util::stream::iter(0..).map(move |number| Ok(get(line(number))));
    let lines = lines.take_while(move |_| std::future::ready(Instant::now() < end));
    let cx = Context::new(Rejects::default(), notes);
    run(options, Some(Pretend::new()), lines, cx).for_each(|_| std::future::ready(())).await;
    let mut said = said.lock().expect("no panic").clone();
    said.retain(|note| note.contains("it is asked only"));
    said
}

fn adaptive() -> Options {
    Options { pace: Pace::Adaptive, ..options() }
}

/// One that got slower and slower, to one request in 1.6 s, had 0 requests in flight on the screen, and not a word.
#[tokio::test(start_paused = true)]
async fn why_a_host_is_asked_so_seldom_is_said_once() {
    let expected = "http://shop.example: it is asked only 6.2 times a second: 23 of its last 221 answers (10 %) failed, the last with 502 for /502/5/0/0/, and \
                    each is taken as too much for the whole host; if only a part of it is down, keep those URLs back for a later run (--deny-path), or give \
                    --pace fixed --concurrency N";
    let part: Line = |number| if number.is_multiple_of(10) { "/502/5/0/0/?a=b" } else { "/200/5" };
    assert_eq!(said(adaptive(), part).await, [expected]);
    let metered = said(adaptive(), |number| if number.is_multiple_of(5) { "/503/5" } else { "/200/5" }).await;
    let rate = "; if it says 503 to clients that come too often, give --rate";
    assert!(metered.len() == 1 && metered[0].ends_with(rate), "{metered:?}");
}

#[tokio::test(start_paused = true)]
async fn it_is_not_said_of_a_host_that_is_slow_for_another_reason() {
    let rate = Some("1/s".parse().expect("a rate"));
    for (why, options, line) in [
        ("it is well", adaptive(), (|_| "/200/50") as Line),
        ("all of it fails", Options { trips: 0, ..adaptive() }, |_| "/502/50"),
        ("a failure is rare", adaptive(), |number| if number % 1000 == 999 { "/502/50" } else { "/200/50" }),
        ("its pages are broken", adaptive(), |number| if number % 5 == 0 { "/500/50" } else { "/200/50" }),
        ("it asks for that", adaptive(), |number| if number % 10 == 0 { "/503/50/30" } else { "/200/50" }),
        ("a rate is kept", Options { rate, ..adaptive() }, |number| {
            if number % 20 == 0 { "/502/5" } else { "/200/5" }
        }),
        ("the pace is fixed", options(), |number| if number % 10 == 0 { "/502/50" } else { "/200/50" }),
    ] {
        assert_eq!(said(options, line).await, [""; 0], "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_not_said_of_a_host_that_comes_back() {
    let dips: Line = |number| if (500..508).contains(&(number % 1000)) { "/502/50" } else { "/200/50" };
    let outage: Line = |number| if (1000..1015).contains(&number) { "/502/50" } else { "/200/50" };
    let at_first: Line = |number| if number < 12 && number % 3 == 0 { "/502/5" } else { "/200/500" };
    for line in [dips, outage, at_first, |number| if number < 15 { "/503/50" } else { "/200/50" }] {
        assert_eq!(said(Options { trips: u32::MAX, ..adaptive() }, line).await, [""; 0]);
    }
}
