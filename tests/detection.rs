//! What is found out about each file of the corpora, by itself: its format, what is around it, and how many lines have which end.
//!
//! `LOGRETRY_UPDATE=1 cargo nextest run detection` writes `detection.txt` anew, to be read line by line before it is believed.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::lab::{Desk, corpus};

const EXPECTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/detection.txt");

/// All logs below `folder`, in the order of their names.
fn logs(folder: &Path, logs: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        let is_truth =
            ["expected", "parser.assert", "LOSSY.json", "cases.jsonl", "MANIFEST.tsv", "README.md"]
                .contains(&name);
        if path.is_dir() && !is_truth {
            self::logs(&path, logs);
        } else if !is_truth {
            logs.push(path);
        }
    }
}

/// `PATH: FORMAT in WRAPPERS: N records, N rejected, N screened`.
fn found(folder: &Path, log: &Path) -> String {
    let name = log.strip_prefix(folder).expect("it is in there").display();
    let ended = Desk::new().program("lr-read", &[]).args([log]).run();
    let about = |line: &str| line.split_once(": format ").map(|(_, about)| about.to_owned());
    let said: Vec<String> = ended.stderr.lines().filter_map(about).collect();
    let Some(first) = said.first() else {
        assert!(ended.stderr.contains("cannot tell the format"), "{name}: {}", ended.stderr);
        return format!("{name}: not known\n");
    };
    let (format, _) = first.split_once(", which ").expect("how many lines fit");
    let others: Vec<_> =
        said[1..].iter().map(|other| other.trim_end_matches(", from here on also")).collect();
    let format = [&[format], &others[..]].concat().join(" and ");
    let numbers =
        ended.stderr.lines().find_map(|line| line.strip_prefix("lr-read: ")?.split_once(" lines = "));
    let (lines, ends) = numbers.expect("the numbers");
    let count = |word: &str| -> u64 {
        let mut words = ends.split(" + ").filter_map(|end| end.split_once(' '));
        words.find(|(_, other)| *other == word).and_then(|(count, _)| count.parse().ok()).expect("a number")
    };
    let (records, rejected, screened) = (count("records"), count("rejected"), count("screened"));
    assert_eq!(lines.parse(), Ok(records + rejected + screened), "{name}");
    format!("{name}: {format}: {records} records, {rejected} rejected, {screened} screened\n")
}

#[test]
fn the_format_of_every_file_of_the_corpora_is_found_out() {
    let Some(manifest) = corpus("MANIFEST.tsv") else { return };
    let folder = manifest.parent().expect("a folder");
    let mut all = Vec::new();
    logs(folder, &mut all);
    let text: String = all.iter().map(|log| found(folder, log)).collect();
    if env::var_os("LOGRETRY_UPDATE").is_some() {
        fs::write(EXPECTED, text).expect("it can be written");
    } else {
        assert_eq!(
            text,
            fs::read_to_string(EXPECTED).expect("the list is there"),
            "run it with LOGRETRY_UPDATE=1"
        );
    }
}
