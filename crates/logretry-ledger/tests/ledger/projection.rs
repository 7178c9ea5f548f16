use logretry_ledger::{Durability, Look};

use crate::desk::{Desk, Paper, close, ended, id, line};

#[test]
fn lines_are_appended_in_the_order_of_their_outcomes() {
    let desk = Desk::new();
    let (ledger, paper) = (desk.ledger(), Paper::default());
    ledger.attach(paper.boxed()).wait().expect("a retry log");
    for number in 0..500 {
        ledger.intent(id(number), 1, "GET", "http://shop.example/a").wait().expect("written");
        ledger.outcome(id(number), &ended("GET", 200), Some(&line(number))).wait().expect("written");
    }
    close(ledger);
    let expected: Vec<u8> = (0..500).flat_map(line).collect();
    assert_eq!(paper.text().into_bytes(), expected);
}

#[test]
fn lines_of_which_nothing_is_known_are_handed_over_at_the_next_start() {
    let desk = Desk::new();
    let ledger = desk.ledger();
    let paper = Paper::default();
    ledger.attach(paper.boxed()).wait().expect("a retry log");
    ledger.outcome(id(0), &ended("GET", 200), Some(&line(0))).wait().expect("written");
    close(ledger);

    let ledger = desk.ledger();
    ledger.attach(Paper::default().boxed()).wait().expect("a retry log");
    ledger.outcome(id(1), &ended("GET", 200), Some(&line(1))).wait().expect("written");
    ledger.outcome(id(2), &ended("GET", 200), Some(&line(2))).wait().expect("written");
    ledger.sync().wait().expect("synced");
    let crashed = desk.copied();

    let ledger = crashed.ledger();
    let paper = Paper::default();
    ledger.attach(paper.boxed()).wait().expect("a retry log");
    paper.look(|written| {
        assert_eq!(
            written.mark.as_deref(),
            Some("0"),
            "nothing was in the second paper when it was attached"
        );
        assert_eq!(written.resumed, [line(1), line(2)]);
    });
    close(ledger);
    let look = Look::open(&crashed.path()).and_then(|look| look.digest()).expect("a ledger");
    assert_eq!(look.unmarked_lines, 0);
}

#[test]
fn a_line_is_appended_only_when_its_outcome_is_synced() {
    let desk = Desk::new();
    let (ledger, paper) = (desk.open(Durability::Full).expect("a ledger"), Paper::default());
    ledger.attach(paper.boxed()).wait().expect("a retry log");
    ledger.outcome(id(0), &ended("GET", 200), Some(&line(0))).wait().expect("synced");
    ledger.sync().wait().expect("synced");
    assert_eq!(paper.text(), "line 0\n");
}

#[test]
fn a_retry_log_that_cannot_be_written_ends_the_sending_and_not_the_ledger() {
    let desk = Desk::new();
    let (ledger, paper) = (desk.ledger(), Paper::default());
    ledger.attach(paper.boxed()).wait().expect("a retry log");
    ledger.intent(id(1), 1, "GET", "http://shop.example/a").wait().expect("written");
    ledger.outlook().expect("all is well");
    paper.look(|written| written.is_full = true);
    ledger.outcome(id(0), &ended("GET", 200), Some(&line(0))).wait().expect("written");
    ledger.sync().wait().expect("the ledger itself is well");
    ledger.outlook().expect_err("no more is sent");
    let refused =
        ledger.intent(id(2), 1, "GET", "http://shop.example/a").wait().expect_err("no more is sent");
    assert!(refused.to_string().contains("the retry log `paper`"), "{refused}");
    // What was under way ends, and is known.
    ledger.outcome(id(1), &ended("GET", 200), Some(&line(1))).wait().expect("written");
    ledger.close().wait().expect_err("lines are missing");
    drop(ledger);

    let (ledger, paper) = (desk.ledger(), Paper::default());
    ledger.attach(paper.boxed()).wait().expect("a retry log");
    assert_eq!(paper.text(), "line 0\nline 1\n");
}

#[test]
fn a_retry_log_that_cannot_be_completed_begins_no_sending() {
    let desk = Desk::new();
    let (ledger, paper) = (desk.ledger(), Paper::default());
    paper.look(|written| written.is_full = true);
    let refused = ledger.attach(paper.boxed()).wait().expect_err("it is full");
    assert!(refused.to_string().contains("the retry log `paper`"), "{refused}");
    ledger.intent(id(1), 1, "GET", "http://shop.example/a").wait().expect_err("nothing is sent");
}

#[test]
fn a_retry_log_that_was_moved_away_goes_on_in_a_new_file() {
    let desk = Desk::new();
    let (ledger, paper) = (desk.ledger(), Paper::default());
    ledger.attach(paper.boxed()).wait().expect("a retry log");
    ledger.outcome(id(0), &ended("GET", 200), Some(&line(0))).wait().expect("written");
    ledger.reopen().wait().expect("reopened");
    assert_eq!((paper.text().as_str(), paper.look(|written| written.reopened)), ("line 0\n", 1));
}
