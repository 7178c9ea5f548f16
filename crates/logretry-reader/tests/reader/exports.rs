//! Logs that are one JSON array, and journals.

use crate::lab::{line, options, read};

const JSON: &str = r#"log_format j escape=json '{"t":"$time_iso8601","r":"$request","s":$status}';"#;

fn element(target: &str) -> String {
    format!(r#"{{"t":"2026-11-22T06:41:40+00:00","r":"GET {target} HTTP/1.1","s":502}}"#)
}

#[test]
fn each_element_of_an_exported_array_is_a_line() {
    let (a, b) = (element("/a"), element("/b"));
    let spread = b.replace(',', ",\n    ").replace('{', "{\n    ").replace('}', "\n  }");
    for log in [
        format!("[{a},{b}]"),
        format!("[\n  {a},\n  {spread}\n]\n"),
        format!("{{\"records\": [ {a}, {b} ]}}\n"),
        format!("{{\"records\":[{a}]}}\n{{\"records\":[{b}]}}\n"),
    ] {
        let read = read(&log, options(&[JSON]));
        assert_eq!(read.texts(), [a.clone(), b.clone()], "{log}");
        assert_eq!(read.counts(), (2, 0, 0));
        let (number, offset) = read.places()[0];
        assert_eq!((number, &log[usize::try_from(offset).expect("short")..][..a.len()]), (1, a.as_str()));
        assert_eq!(read.notes.len(), 1);
        assert!(read.notes[0].ends_with(" in a JSON array"), "{:?}", read.notes);
    }
}

#[test]
fn an_element_that_is_no_request_is_rejected_alone() {
    let log = format!("[{}, {{\"x\":1}}, 7, {}", element("/a"), element("/b"));
    let read = read(&log, options(&[JSON]));
    assert_eq!((read.targets(), read.counts()), (vec!["/a", "/b"], (2, 2, 0)));
}

#[test]
fn a_journal_is_read_by_its_messages() {
    let mut log = Vec::new();
    for n in 0..30 {
        let message = line(&format!("/{n}"), 502);
        log.extend_from_slice(format!("__CURSOR=s={n}\n_HOSTNAME=web1\n").as_bytes());
        if n % 2 == 0 {
            log.extend_from_slice(format!("MESSAGE={message}\n").as_bytes());
        } else {
            log.extend_from_slice(b"MESSAGE\n");
            log.extend_from_slice(&(message.len() as u64).to_le_bytes());
            log.extend_from_slice(message.as_bytes());
            log.push(b'\n');
        }
        log.extend_from_slice(b"_PID=7\n\n");
    }
    log.extend_from_slice(b"__CURSOR=s=31\n_PID=7\n\n");
    let read = read(&log, options(&[]));
    assert_eq!((read.failed(), read.counts()), (30, (30, 0, 1)));
    assert_eq!(read.ids().len(), 30);
    assert_eq!(read.notes, ["access.log: format combined in journald export, which 30 of 30 lines fit"]);
}
