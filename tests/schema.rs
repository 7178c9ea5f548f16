//! The record on the pipe is what its published schema says.

use std::fs;

use jsonschema::Validator;

use crate::captures::HAR;
use crate::lab::{Backend, Desk, corpus, line, ndjson};

const SCHEMA: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/logretry-record/schema/record-v1.schema.json");

/// How many records there are, all of which the schema allows.
fn validate(records: &str) -> usize {
    let schema = fs::read_to_string(SCHEMA).expect("the schema is published");
    let schema = serde_json::from_str(&schema).expect("the schema is JSON");
    let validator = Validator::new(&schema).expect("it is a schema");
    let records = ndjson(records);
    for record in &records {
        let complaints: Vec<String> = validator.iter_errors(record).map(|error| error.to_string()).collect();
        assert!(complaints.is_empty(), "{record}\n{}", complaints.join("\n"));
    }
    records.len()
}

#[test]
fn every_stage_writes_records_that_the_schema_allows() {
    let backend = Backend::up();
    let requests =
        ["GET /well", "HEAD /always/404", "GET /always/503", "GET /always/drop", "POST /order", "OPTIONS *"];
    let mut log = requests.map(|request| line(request, 500)).concat().into_bytes();
    log.extend_from_slice(
        b"\xe9t\xe9 - - [22/Nov/2026:06:22:52 +0000] \"GET /a HTTP/1.1\" 500 - \"-\" \"\xff\"\n",
    );
    let desk = Desk::with("access.log", log);
    let read = desk.run("lr-read", &["access.log"]);
    assert_eq!(validate(&read.stdout), 7, "{}", read.stderr);
    let filtered = desk.program("lr-filter", &[]).reading(read.stdout).run();
    assert_eq!(validate(&filtered.stdout), 7, "{}", filtered.stderr);
    let refired = desk.program("lr-refire", &["--base-url", &backend.url()]).reading(filtered.stdout).run();
    assert_eq!(validate(&refired.stdout), 7, "{}", refired.stderr);
}

#[test]
fn the_records_of_a_capture_are_what_the_schema_allows() {
    let desk = Desk::with("shop.har", HAR);
    let read = desk.run("lr-read", &["shop.har"]);
    assert!(
        read.stdout.contains(r#""headers":[{"name":"content-type","value":"application/json"}"#),
        "{}",
        read.stdout
    );
    assert_eq!(validate(&read.stdout), 4, "{}", read.stderr);
}

#[test]
fn the_records_of_hostile_logs_are_what_the_schema_allows() {
    for log in ["lab-generated/nginx-combined.log", "hostile-nginx/combined.log"] {
        let Some(path) = corpus(log) else { return };
        let read = Desk::new().run("lr-read", &[path.to_str().expect("UTF-8")]);
        assert!(validate(&read.stdout) > 20, "{}", read.stderr);
    }
}
