//! The README's commands do what it says: each block fenced as `sh` runs, from top to bottom.

use std::fs;

use crate::captures::HAR;
use crate::lab::{Backend, Desk, installed, line};

fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("there is a README")
}

/// The blocks that are fenced as `sh`, in their order.
fn blocks(readme: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while lines.by_ref().any(|line| line == "```sh") {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

#[test]
fn every_command_of_the_readme_runs() {
    installed("jq");
    let blocks = blocks(&readme());
    assert!(!blocks.is_empty(), "the README shows no command");
    for block in blocks {
        let backend = Backend::up();
        let requests = ["GET /a?b=c", "GET /cart", "HEAD /a", "POST /order"];
        let log: String = requests
            .iter()
            .zip([502, 200, 503, 504])
            .map(|(request, status)| line(request, status))
            .collect();
        let desk = Desk::with("access.log", log);
        desk.put("shop.har", HAR);
        desk.put(
            "orders.json",
            r#"{"method":"POST","uri":"/order","status":502,"content_type":"application/json","request_body":"{\"a\":1}"}"#,
        );
        desk.put("bodies.ndjson", r#"{"request_id":"7f2a","body":"{\"a\":1}"}"#);
        let ended = desk.shell(&block, &backend.url()).run();
        // 3: the POST is not sent, so not everything is recovered.
        assert!(
            [0, 3].contains(&ended.code),
            "exit {} of\n{block}\n{}{}",
            ended.code,
            ended.stdout,
            ended.stderr
        );
    }
}

/// They were left out without a word, or with one of jq alone.
#[test]
fn of_bodies_in_a_json_log_those_that_cannot_be_used_are_counted() {
    installed("jq");
    let block = blocks(&readme()).into_iter().find(|block| block.contains("request_body"));
    let entry = |body: &[u8]| {
        let start =
            br#"{"method":"POST","uri":"/order","status":502,"content_type":"text/plain","request_body":""#;
        [start, body, b"\"}\n"].concat()
    };
    let entries = [r"a\u0001=\u00e9".as_bytes(), b"\xff", b"-", b""].map(entry);
    let desk = Desk::with("orders.json", entries.concat());
    let backend = Backend::up();
    let ended = desk.shell(&block.expect("the README says how"), &backend.url()).run();
    assert!(ended.stderr.contains("4 selected = 1 sent + 3 not sent (3 no_body)"), "{}", ended.stderr);
    let heard = backend.heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].1.chars().map(u32::from).collect::<Vec<_>>(), [0x61, 1, 0x3d, 0xc3, 0xa9]);
    assert!(heard[0].0.to_lowercase().contains("content-type: text/plain"), "{}", heard[0].0);
}
