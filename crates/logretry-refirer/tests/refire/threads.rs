//! Requests that are sent from threads of their own: nothing of what is promised depends on where a request is sent from.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Instant;

use futures_util::StreamExt as _;
use logretry_record::{Outcome, Record};
use logretry_refirer::{Options, Pace, Refirer};
use logretry_stage::{Context, Stage as _};

use crate::server::{Act, OK, Server, connections_for, options, record, refire_all};

fn in_threads(url: &str, threads: usize) -> Options {
    let concurrency = NonZeroUsize::new(24).expect("24 is not 0");
    Options { threads: Some(threads), concurrency, pace: Pace::Fixed, trips: 0, ..options(url) }
}

fn records(count: usize) -> Vec<Record> {
    (0..count).map(|n| record("GET", &format!("/{n}"))).collect()
}

#[tokio::test]
async fn each_request_is_sent_once_over_as_many_connections_as_are_needed() {
    for threads in [0, 1, 3] {
        let (server, start) = (Server::start(Act::Answer(OK)).await, Instant::now());
        for record in refire_all(in_threads(&server.url(), threads), records(600)).await {
            assert_eq!(record.retry().map(|retry| retry.outcome), Some(Outcome::Recovered), "{record:?}");
        }
        let lines = server.request_lines();
        let expected: BTreeSet<_> = (0..600).map(|n| format!("GET /{n} HTTP/1.1")).collect();
        assert_eq!((lines.len(), lines.into_iter().collect()), (600, expected));
        let connections = server.connections();
        let most = *connections_for(24, 24, start).end();
        assert!(connections <= most, "{connections} connections from {threads} threads");
    }
}

#[tokio::test]
async fn an_abort_cuts_them_off_and_the_numbers_add_up() {
    let server = Server::start(Act::Hang("HTTP/1.1 200 OK\r\n")).await;
    let (cx, heard) = (Context::default(), server.clone());
    let refirer = Refirer::new(in_threads(&server.url(), 2)).expect("a refirer");
    let input = futures_util::stream::iter(records(100).into_iter().map(Ok));
    let stops = cx.stops().clone();
    let abort = async {
        while heard.heads().len() < 24 {
            tokio::task::yield_now().await;
        }
        stops.drain.cancel();
        stops.abort.cancel();
    };
    let output = refirer.apply(input, &cx).map(|item| item.expect("a record")).collect::<Vec<_>>();
    let (output, ()) = tokio::join!(output, abort);
    let accounts = cx.tally().accounts();
    assert_eq!((accounts.outcome(Outcome::InDoubt), accounts.outcome(Outcome::Unsent)), (24, 76));
    assert_eq!((output.len(), accounts.check()), (100, Ok(())));
}

#[tokio::test]
async fn nothing_is_under_way_any_more_when_nobody_wants_the_answers() {
    let server = Server::start(Act::Hang("HTTP/1.1 200 OK\r\n")).await;
    let cx = Context::default();
    let refirer = Refirer::new(in_threads(&server.url(), 2)).expect("a refirer");
    let input = futures_util::stream::iter(records(100).into_iter().map(Ok));
    {
        let mut output = std::pin::pin!(refirer.apply(input, &cx));
        while server.heads().len() < 24 {
            assert!(futures_util::poll!(output.next()).is_pending());
            tokio::task::yield_now().await;
        }
        assert_eq!(cx.tally().accounts().in_flight, 24);
    }
    let accounts = cx.tally().accounts();
    assert_eq!((accounts.in_flight, accounts.outcome(Outcome::InDoubt)), (0, 24));
    while server.closed() < server.connections() {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.heads().len(), 24);
}
