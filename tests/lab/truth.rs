use std::collections::BTreeMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Desk, corpus, ndjson, pipe};

/// Reads `lab-generated/NAME` with these arguments and compares each line with a 5xx status with what the client really
/// sent; `None` where the corpora are not installed.
///
/// The verdict counts lines: exact records, records that say what their format has lost, rejects. A 5xx line that is none of
/// these has vanished, and one that is another than the truth is wrong; the verdict shows both.
pub(crate) fn verdict(name: &str, arguments: &[&str]) -> Option<String> {
    let log = corpus(&format!("lab-generated/{name}"))?;
    let truth = corpus(&format!("lab-generated/expected/{name}.jsonl"))?;
    let desk = Desk::new();
    let ended = pipe([
        desk.program("lr-read", arguments).args(["--rejects", "rejects.ndjson"]).args([log]),
        desk.program("lr-filter", &["--include-marked"]),
    ]);
    assert_eq!(ended.codes, [0, 0], "{}", ended.stderr);
    let records = by_line(&ended.stdout, "/origin/line");
    let rejects = by_line(&desk.read("rejects.ndjson"), "/line");

    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut wrong = String::new();
    for truth in ndjson(&fs::read_to_string(truth).expect("it is UTF-8")) {
        let line = truth["line"].as_u64().expect("a line number");
        if !(500..=599).contains(&truth["status"].as_u64().expect("a status")) {
            assert!(!records.contains_key(&line), "line {line} has no 5xx status");
            continue;
        }
        let kind = match records.get(&line) {
            Some(record) => compare(record, &truth),
            None if rejects.contains_key(&line) => "rejected",
            None => "vanished",
        };
        *counts.entry(kind).or_default() += 1;
        if kind == "wrong" || kind == "vanished" {
            wrong.extend([format!("\n{kind}: {truth}\n{:?}", records.get(&line))]);
        }
    }
    let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    Some(counts.join(", ") + &wrong)
}

fn by_line(objects: &str, pointer: &str) -> BTreeMap<u64, Value> {
    let numbered =
        |object: Value| (object.pointer(pointer).and_then(Value::as_u64).expect("a line number"), object);
    ndjson(objects).into_iter().map(numbered).collect()
}

fn compare(record: &Value, truth: &Value) -> &'static str {
    let original = &record["original"];
    let target = STANDARD.decode(truth["target_b64"].as_str().expect("a target")).expect("base64");
    if original["status"] != truth["status"] || original["method"] != truth["method"] {
        "wrong"
    } else if original.get("lossy").is_some() {
        "lossy"
    } else if original["target"] == sendable(&target) {
        "exact"
    } else {
        "wrong"
    }
}

/// A target as it can be sent again: without its fragment, percent-encoded what may not stand in a URL.
fn sendable(target: &[u8]) -> String {
    let end = target.iter().position(|&byte| byte == b'#').unwrap_or(target.len());
    let encode = |&byte: &u8| match byte {
        0..=b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x7f.. => {
            format!("%{byte:02X}")
        }
        _ => char::from(byte).to_string(),
    };
    target[..end].iter().map(encode).collect()
}
