use std::collections::BTreeMap;
use std::{fmt, fs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Desk, corpus, ndjson, pipe};

/// What became of the lines with a 5xx status.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Records that say what the client really sent.
    pub(crate) exact: u32,
    /// Records that say which part of the URL their format has lost.
    pub(crate) lossy: u32,
    /// Records without a URL, because the line has none.
    pub(crate) without_url: u32,
    /// Rejects.
    pub(crate) rejected: u32,
    /// Lines that are none of these, and records that say something else than the truth; each is shown.
    pub(crate) wrong: Vec<String>,
}

impl Verdict {
    pub(crate) fn lines(&self) -> u32 {
        let wrong = u32::try_from(self.wrong.len()).expect("a log has few lines");
        self.exact + self.lossy + self.without_url + self.rejected + wrong
    }
}

/// Only what there is: `110 exact`.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.exact, "exact"),
            (self.lossy, "lossy"),
            (self.without_url, "without a URL"),
            (self.rejected, "rejected"),
        ];
        let there = kinds.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = there.map(|(count, kind)| format!("{count} {kind}")).collect();
        write!(f, "{}{}", counts.join(", "), self.wrong.concat())
    }
}

/// Reads `lab-generated/NAME` with these arguments and compares each line with a 5xx status with what the client really
/// sent; `None` where the corpora are not installed.
pub(crate) fn verdict(name: &str, arguments: &[&str]) -> Option<Verdict> {
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

    let mut verdict = Verdict::default();
    for truth in ndjson(&fs::read_to_string(truth).expect("it is UTF-8")) {
        let line = truth["line"].as_u64().expect("a line number");
        if !(500..=599).contains(&truth["status"].as_u64().expect("a status")) {
            assert!(!records.contains_key(&line), "line {line} has no 5xx status");
            continue;
        }
        let wrong = |what: &str| format!("\n{what}: {truth}\n{:?}", records.get(&line));
        match records.get(&line) {
            Some(record) if record["original"]["status"] != truth["status"] => {
                verdict.wrong.push(wrong("another status"));
            }
            Some(record) if record["original"].get("lossy").is_some() => verdict.lossy += 1,
            Some(record) if record["original"].get("target").is_none() => verdict.without_url += 1,
            Some(record) if is_exact(record, &truth) => verdict.exact += 1,
            Some(_) => verdict.wrong.push(wrong("another request")),
            None if rejects.contains_key(&line) => verdict.rejected += 1,
            None => verdict.wrong.push(wrong("vanished")),
        }
    }
    Some(verdict)
}

fn by_line(objects: &str, pointer: &str) -> BTreeMap<u64, Value> {
    let numbered =
        |object: Value| (object.pointer(pointer).and_then(Value::as_u64).expect("a line number"), object);
    ndjson(objects).into_iter().map(numbered).collect()
}

/// Whether method and target are what the client sent; a line without an id has no truth about them.
///
/// Of an absolute target some servers log the path alone, which asks the same of them (RFC 9112 §3.2.2).
fn is_exact(record: &Value, truth: &Value) -> bool {
    if truth.get("id").is_none_or(Value::is_null) {
        return true;
    }
    let original = &record["original"];
    let target = STANDARD.decode(truth["target_b64"].as_str().expect("a target")).expect("base64");
    let target = sendable(&target);
    let path = target.split_once("://").and_then(|(_, rest)| Some(&rest[rest.find('/')?..]));
    original["method"] == truth["method"]
        && (original["target"] == target || path.is_some_and(|path| original["target"] == path))
}

/// A target as it can be sent again: without its fragment, percent-encoded what may not stand in a URL.
pub(crate) fn sendable(target: &[u8]) -> String {
    let end = target.iter().position(|&byte| byte == b'#').unwrap_or(target.len());
    let encode = |&byte: &u8| match byte {
        0..=b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x7f.. => {
            format!("%{byte:02X}")
        }
        _ => char::from(byte).to_string(),
    };
    target[..end].iter().map(encode).collect()
}
