use std::time::Duration;

use futures_util::StreamExt as _;
use logretry_record::{Exchange, Origin, RecordId};

use super::*;

fn record(line: u64) -> Record {
    Record::new(RecordId::of_line(b"", line), Origin::new("-", line, 0, "combined", ""), Exchange::default())
}

fn reject() -> Reject {
    Reject { source: "-".into(), line: 7, offset: 0, reason: "no".to_owned(), text: "".into() }
}

#[tokio::test]
async fn every_record_crosses_in_its_order_and_is_counted() {
    let cx = Context::default();
    let stream = from_thread(&cx, "test", |feed| {
        for line in 0..1000 {
            feed.record(record(line))?;
            feed.screened();
        }
        feed.reject(reject())?;
        Ok(())
    });
    let lines: Vec<_> = stream.map(|item| item.expect("no error").origin().line).collect().await;
    assert_eq!(lines, (0..1000).collect::<Vec<_>>());
    let accounts = cx.tally().accounts();
    assert_eq!(
        (accounts.lines, accounts.records, accounts.rejected, accounts.screened),
        (2001, 1000, 1, 1000)
    );
}

#[tokio::test]
async fn large_records_make_small_batches() {
    let stream = batches(&Context::default(), "test", false, |feed| {
        for line in 0..10 {
            let text = vec![b'x'; BATCH_BYTES / 3];
            let origin = Origin::new("-", line, 0, "combined", text.clone());
            let body = Exchange { body: Some(text.into()), ..Exchange::default() };
            feed.record(Record::new(RecordId::of_line(b"", line), origin, body))?;
        }
        Ok(())
    });
    let sizes: Vec<_> = stream.map(|batch| batch.expect("no error").records.len()).collect().await;
    assert_eq!(sizes, [2; 5]);
}

#[tokio::test]
async fn counts_alone_wait_for_items() {
    let stream = batches(&Context::default(), "test", false, |feed| {
        for _ in 0..2 {
            feed.screened_lines(7);
            feed.flush_items()?;
            feed.record(record(1))?;
            feed.flush_items()?;
            feed.reject(reject())?;
            feed.flush_items()?;
        }
        Ok(())
    });
    let lines: Vec<_> = stream.map(|batch| batch.expect("no error").lines).collect().await;
    assert_eq!(lines, [8, 1, 8, 1]);
}

#[tokio::test]
async fn items_gather_for_a_while_where_nothing_waits() {
    let stream = batches(&Context::default(), "test", false, |feed| {
        for line in 0..6 {
            feed.record(record(line))?;
            feed.flush_gathered()?;
            if line == 3 {
                feed.kept_since = feed.kept_since.and_then(|since| since.checked_sub(GATHER));
                feed.flush_gathered()?;
            }
        }
        Ok(())
    });
    let sizes: Vec<_> = stream.map(|batch| batch.expect("no error").records.len()).collect().await;
    assert_eq!(sizes, [4, 2]);
}

#[tokio::test]
async fn encoded_records_cross_in_their_order_and_are_counted() {
    let cx = Context::default();
    let mut expected = Vec::new();
    (0..4).for_each(|line| record(line).encode(&mut expected));
    let lines = expected.clone();
    let stream = encoded_from_thread(&cx, "test", move |feed| {
        let half = lines.len() / 2;
        feed.record(record(0))?;
        feed.screened_lines(7);
        feed.record(record(1))?;
        feed.encoded(Encoded { bytes: lines[half..].to_vec(), records: 2, spares: None })?;
        Ok(())
    });
    let encoded: Vec<_> = stream.map(|item| item.expect("no error")).collect().await;
    let encoded: Vec<_> = encoded.iter().map(|encoded| (&encoded.bytes, encoded.records)).collect();
    assert_eq!(encoded, [(&expected, 4)]);
    let accounts = cx.tally().accounts();
    assert_eq!((accounts.lines, accounts.records, accounts.screened), (11, 4, 7));
}

#[tokio::test]
async fn an_error_comes_after_the_records_before_it() {
    let stream = from_thread(&Context::default(), "test", |feed| {
        feed.record(record(1))?;
        Err(Fatal::new("go on").into())
    });
    let items: Vec<_> = stream.collect().await;
    assert!(matches!(&items[..], [Ok(_), Err(fatal)] if fatal.to_string() == "go on"));
}

#[tokio::test]
async fn a_thread_that_dies_is_an_error_and_not_an_end() {
    let stream = from_thread(&Context::default(), "test", |_| panic!("on purpose"));
    let items: Vec<_> = stream.collect().await;
    assert!(matches!(&items[..], [Err(_)]));
}

/// A follower whose stream was dropped stayed, with all that it had open, until its log grew.
#[test]
fn a_thread_that_has_nothing_to_send_learns_that_its_consumer_has_gone() {
    let (end, ended) = std::sync::mpsc::channel();
    let stream = from_thread(&Context::default(), "test", move |feed| {
        while feed.flush().is_ok() {
            thread::yield_now();
        }
        end.send(()).map_err(Fatal::new)?;
        Ok(())
    });
    drop(stream);
    ended.recv_timeout(Duration::from_secs(10)).expect("it has ended");
}

#[tokio::test]
async fn a_stop_ends_the_stream_while_its_thread_waits() {
    let cx = Context::default();
    let (wake, waits) = std::sync::mpsc::channel::<()>();
    let stream = from_thread(&cx, "test", move |feed| {
        feed.record(record(1))?;
        feed.flush()?;
        let _ = waits.recv();
        feed.record(record(2))?;
        Ok(())
    });
    let mut stream = std::pin::pin!(stream);
    assert!(stream.next().await.is_some_and(|item| item.is_ok()));
    cx.stops().drain.cancel();
    assert!(stream.next().await.is_none());
    drop(wake);
    assert_eq!(cx.tally().accounts().records, 1);
}
