use std::fs;
use std::path::PathBuf;
use std::pin::pin;

use futures_util::StreamExt as _;
use logretry_reader::{Following, Reader};
use logretry_stage::{Context, Notes, Rejects, Source as _};

use crate::lab::options;

fn line(target: &str) -> String {
    format!("h - - [22/Nov/2026:06:22:52 +0000] \"GET {target} HTTP/1.1\" 502 7 \"-\" \"-\"\n")
}

/// It was taken for one that had been read, and its lines were lost.
#[test]
fn a_log_that_is_rotated_when_following_begins_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    let place = move |name: &str| -> PathBuf { path.join(name) };
    fs::write(place("access.log"), line("/before")).expect("a log");
    fs::write(place("access.rejects"), "").expect("a file");
    let there = place.clone();
    // This is said when the logs have been found, and none has been begun.
    let notes = Notes::to(move |sentence| {
        if sentence.to_string().contains("left out") {
            fs::rename(there("access.log"), there("access.log.1")).expect("a log");
            fs::write(there("access.log"), line("/after")).expect("a log");
        }
    });
    let cx = Context::new(Rejects::default(), notes);
    let mut following = Following::new(&[folder.path()]).expect("a folder");
    (following.from_start, following.exit_on_delete) = (true, true);
    let reader = Reader::following(following, options(&["combined"])).not_following(&place("access.rejects"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let targets = runtime.block_on(async {
        let (mut records, mut targets) = (pin!(reader.open(&cx)), Vec::new());
        while let Some(record) = records.next().await {
            let target = record.expect("a record").original().target.clone().unwrap_or_default();
            if target == "/after" {
                fs::remove_file(place("access.log")).expect("a log");
            }
            targets.push(target);
        }
        targets
    });
    assert_eq!(targets, ["/before", "/after"]);
}
