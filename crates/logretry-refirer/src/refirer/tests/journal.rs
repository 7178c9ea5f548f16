//! What a refirer writes down, and what it makes of what was written down before.

use super::*;
use crate::Planned;

/// Knows of each target what it was told, notes what it hears, and can fail at the `n`th intent.
#[derive(Debug, Clone, Default)]
struct Notebook {
    known: HashMap<String, Before>,
    heard: Arc<Mutex<Vec<String>>>,
    full_after: Option<usize>,
}

impl Notebook {
    fn knowing(known: &[(&str, Before)]) -> Self {
        let known = known.iter().map(|(target, before)| ((*target).to_owned(), before.clone())).collect();
        Self { known, ..Self::default() }
    }

    fn hear(&self, words: String) {
        self.heard.lock().expect("no panic").push(words);
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }
}

impl Journal for Notebook {
    fn before(&self, record: &Record) -> Result<Before> {
        let target = record.original().target.as_deref().unwrap_or_default();
        Ok(self.known.get(target).cloned().unwrap_or(Before::New))
    }

    async fn intend(&self, _: RecordId, attempt: u32, planned: &Planned) -> Result<()> {
        if self.full_after.is_some_and(|most| self.heard().len() >= most) {
            return Err(Fatal::new("write the journal: it is full"));
        }
        self.hear(format!("intend {attempt} {}", planned.target()));
        Ok(())
    }

    async fn answered(&self, _: &Record, retry: &Retry) -> Result<()> {
        self.hear(format!("answered {} {}", retry.attempts, retry.outcome.as_str()));
        Ok(())
    }

    async fn ended(&self, _: &Record, retry: &Retry, sent: bool) -> Result<()> {
        let sent = if sent { "" } else { ", never sent" };
        self.hear(format!("ended {} {}{sent}", retry.attempts, retry.outcome.as_str()));
        Ok(())
    }
}

fn attempts(number: u32) -> Options {
    Options { attempts: number.try_into().expect("not 0"), ..options() }
}

fn failed(attempts: u32) -> Retry {
    Retry {
        method: Some("GET".to_owned()),
        attempts,
        outcome: Outcome::Failing,
        status: Some(503),
        reason: None,
        ..Retry::not_sent(Timestamp::now(), Reason::Stopped)
    }
}

#[tokio::test(start_paused = true)]
async fn each_step_is_written_down_in_its_order() {
    let (wire, notebook) = (Pretend::new(), Notebook::default());
    let input = given(&["/503,200/10"]);
    let output = refires(attempts(3), Some(wire), notebook.clone(), input, Context::default());
    assert_eq!(output.map(outcome).collect::<Vec<_>>().await, [told("/503,200/10", Outcome::Recovered)]);
    let expected =
        ["intend 1 /503,200/10", "answered 1 failing", "intend 2 /503,200/10", "ended 2 recovered"];
    assert_eq!(notebook.heard(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_ended_before_comes_out_as_it_ended_and_is_counted_apart() {
    let (wire, cx) = (Pretend::new(), Context::default());
    let notebook = Notebook::knowing(&[
        ("/200/1", Before::Done(failed(1))),
        ("/200/2", Before::Repeated),
        ("/200/3", Before::Answered(failed(1))),
    ]);
    let input = given(&["/200/1", "/200/2", "/200/3", "/200/4"]);
    let output = refires(options(), Some(Arc::clone(&wire)), notebook.clone(), input, cx.clone());
    let expected = [
        told("/200/1", Outcome::Failing),
        told("/200/2", Outcome::Skipped),
        // No attempt is left for it, so that answer was the last.
        told("/200/3", Outcome::Failing),
        told("/200/4", Outcome::Recovered),
    ];
    assert_eq!(output.map(outcome).collect::<Vec<_>>().await, expected);
    assert_eq!(notebook.heard(), ["ended 1 failing", "intend 1 /200/4", "ended 1 recovered"]);
    let accounts = cx.tally().accounts();
    assert_eq!((accounts.done_before(), accounts.sent(), accounts.not_sent()), (2, 1, 1));
    assert_eq!((accounts.check(), accounts.not_recovered()), (Ok(()), 3));
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_is_sent_again_as_the_same_request_and_says_so() {
    let notebook = Notebook::knowing(&[
        ("/200/1", Before::Again { attempt: 2 }),
        ("/200/2", Before::Answered(failed(1))),
    ]);
    let input = given(&["/200/1", "/200/2"]);
    let output = refires(attempts(3), Some(Pretend::new()), notebook.clone(), input, Context::default());
    let retries: Vec<_> =
        output.map(|item| item.expect("a record").retry().expect("a decision").clone()).collect().await;
    let said: Vec<_> = retries.iter().map(|retry| (retry.attempts, retry.in_doubt_retry)).collect();
    assert_eq!(said, [(2, true), (2, false)]);
    let expected = ["intend 2 /200/1", "intend 2 /200/2", "ended 2 recovered", "ended 2 recovered"];
    assert_eq!(notebook.heard(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_a_drain_keeps_from_its_next_attempt_has_not_ended() {
    let (notebook, cx) = (Notebook::default(), Context::default());
    let drain = cx.stops().drain.clone();
    let input = given(&["/503/10", "/200/1000"]);
    let output = refires(attempts(2), Some(Pretend::new()), notebook.clone(), input, cx.clone());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        drain.cancel();
    });
    let retries: Vec<_> =
        output.map(|item| item.expect("a record").retry().expect("a decision").clone()).collect().await;
    let said: Vec<_> = retries.iter().map(|retry| (retry.outcome, retry.reason, retry.goes_on())).collect();
    let expected = [(Outcome::Failing, Some(Reason::Stopped), true), (Outcome::Recovered, None, false)];
    assert_eq!(said, expected);
    let expected = ["intend 1 /503/10", "intend 1 /200/1000", "answered 1 failing", "ended 1 recovered"];
    assert_eq!(notebook.heard(), expected);
    let accounts = cx.tally().accounts();
    assert_eq!((accounts.check(), accounts.sent(), accounts.unfinished), (Ok(()), 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_fails_ends_the_run_and_nothing_more_is_sent() {
    let (wire, cx) = (Pretend::new(), Context::default());
    let notebook = Notebook { full_after: Some(3), ..Notebook::default() };
    let options = Options { concurrency: 1.try_into().expect("not 0"), ..options() };
    let input = given(&["/200/1"; 10]);
    let output = refires(options, Some(Arc::clone(&wire)), notebook, input, cx.clone());
    let items: Vec<_> = output.collect().await;
    assert_eq!(wire.asked_ms().len(), 2);
    let Some(Err(fatal)) = items.last() else { panic!("it ends with an error: {items:?}") };
    assert_eq!(fatal.to_string(), "write the journal: it is full");
    let accounts = cx.tally().accounts();
    assert_eq!((accounts.sent(), accounts.not_sent()), (2, 8), "and every record went out");
    assert!(cx.is_draining());
}

#[tokio::test(start_paused = true)]
async fn an_abort_leaves_the_intent_without_an_end() {
    let (notebook, cx) = (Notebook::default(), Context::default());
    let stops = cx.stops().clone();
    let output = refires(options(), Some(Pretend::new()), notebook.clone(), given(&["/200/60000"]), cx);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        stops.drain.cancel();
        stops.abort.cancel();
    });
    // The head had come, and the whole answer had not.
    assert_eq!(output.map(outcome).collect::<Vec<_>>().await, [told("/200/60000", Outcome::InDoubt)]);
    assert_eq!(notebook.heard(), ["intend 1 /200/60000"]);
}
