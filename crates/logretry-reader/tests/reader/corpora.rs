//! The same lines as eleven others write them: the same records, with the same ids.

use crate::lab::{Read, corpus, options, read_file};

fn wrapped(name: &str) -> Option<Read> {
    let path = corpus(&format!("wrapped-nginx-combined/{name}"))?;
    let read = read_file(&path, options(&[]));
    assert_eq!(read.fatal, None, "{name}");
    // Where the format is given, the wrappers are found as well.
    let given = read_file(&path, options(&["combined"]));
    assert_eq!((given.ids(), given.counts()), (read.ids(), read.counts()), "{name}");
    Some(read)
}

#[test]
fn a_wrapped_log_gives_the_records_of_the_plain_one() {
    let Some(plain) = wrapped("no-final-newline.log") else { return };
    assert_eq!((plain.failed(), plain.counts()), (55, (72, 0, 0)));
    for (name, wrapper) in [
        ("cri.log", " in CRI"),
        ("docker-compose-prefix.log", " in docker compose"),
        ("docker-json-file.log", " in docker json-file"),
        ("kubectl-prefix.log", " in kubectl --prefix"),
        ("rfc3164-no-pri.log", " in syslog (RFC 3164)"),
        ("rfc3164-pri.log", " in syslog (RFC 3164)"),
        ("rfc5424.log", " in syslog (RFC 5424)"),
        ("rsyslog-iso.log", " in syslog (ISO times)"),
        ("crlf.log", ""),
        ("nul-holes-copytruncate.log", ""),
        ("utf8-bom.log", ""),
        ("plain.log.bz2", ""),
        ("plain.log.gz", ""),
        ("two-members.log.gz", ""),
    ] {
        let read = wrapped(name).expect("all are there");
        assert_eq!((read.failed(), read.counts()), (55, (72, 0, 0)), "{name}");
        assert_eq!(read.ids(), plain.ids(), "{name}");
        assert_eq!(read.texts(), plain.texts(), "{name}");
        let note = format!("{name}: format combined{wrapper}, which 72 of 72 lines fit");
        assert_eq!(read.notes, [note]);
    }
}

#[test]
fn an_entry_that_journalctl_left_out_is_a_reject_that_says_what_to_do() {
    let (Some(plain), Some(read)) = (wrapped("no-final-newline.log"), wrapped("journald-o-json.log")) else {
        return;
    };
    assert_eq!((read.failed(), read.counts()), (54, (71, 1, 0)));
    let mut expected = plain.ids();
    let lost = expected.remove(41);
    assert_eq!(read.ids(), expected);
    let (number, reason, _) = &read.rejects[0];
    assert!((*number, reason.contains("journalctl --all")) == (42, true), "{lost} {reason}");
}

#[test]
fn lines_in_pieces_of_sixteen_kibibytes_are_put_together() {
    let Some(plain) = wrapped("long-lines-20k.log") else { return };
    assert_eq!((plain.failed(), plain.counts()), (3, (4, 0, 0)));
    for name in ["cri-partial-16k.log", "docker-json-file-partial-16k.log"] {
        let read = wrapped(name).expect("all are there");
        assert_eq!((read.failed(), read.counts()), (3, (4, 0, 3)), "{name}");
        assert_eq!((read.ids(), read.texts()), (plain.ids(), plain.texts()), "{name}");
        let numbers: Vec<_> = read.places().iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 3, 4, 6], "{name}: a line is where its first piece is");
    }
}

#[test]
fn a_last_line_that_is_cut_off_and_blank_lines_are_counted() {
    let Some(cut) = wrapped("truncated-last-line.log") else { return };
    assert_eq!((cut.failed(), cut.counts()), (55, (71, 1, 0)));
    let blank = wrapped("blank-and-comment-lines.log").expect("all are there");
    assert_eq!((blank.failed(), blank.accounts.records, blank.accounts.rejected), (55, 72, 0));
}
