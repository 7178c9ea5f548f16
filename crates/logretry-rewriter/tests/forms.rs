//! The forms of the retry log, whole.

use bstr::ByteSlice as _;
use futures_util::stream;
use insta::assert_snapshot;
use logretry_format::{Format, Spans};
use logretry_record::{ErrorKind, Exchange, Mark, Origin, Outcome, Reason, Record, RecordId, Retry};
use logretry_rewriter::{Form, Renderer, Rewriter};
use logretry_stage::{Context, Sink as _};

fn record(format: &str, text: &str, target: &str) -> Record {
    let original = Exchange {
        time: "2026-11-22T06:22:52Z".parse().ok(),
        method: Some("GET".into()),
        target: Some(target.into()),
        status: Some(502),
        client: Some("203.0.113.9".into()),
        user_agent: Some(b"say \"hi\"\x1b\xe9".into()),
        ..Exchange::default()
    };
    Record::new(
        RecordId::of_line(text.as_bytes(), 0),
        Origin::new("access.log", 7, 0, format, text),
        original,
    )
}

fn retry(outcome: Outcome, status: Option<u16>) -> Retry {
    Retry {
        time: "2026-11-22T09:40:03.5Z".parse().expect("a time"),
        method: Some("GET".into()),
        url: Some("https://shop.example/a?b=c".into()),
        attempts: 1,
        outcome,
        in_doubt_retry: false,
        sent_before: false,
        status,
        duration_ms: Some(23.5),
        bytes: Some(512),
        error: None,
        reason: None,
        detail: None,
    }
}

const COMBINED: &str =
    r#"203.0.113.9 - - [22/Nov/2026:08:22:52 +0200] "GET /a?b=c HTTP/1.1" 502 157 "-" "say \x22hi\x22\x1B""#;

/// A recovered and an unanswered refire, and a record that was not sent.
fn rendered(form: Form) -> String {
    let record = || record("combined", COMBINED, "/a?b=c");
    let unanswered = Retry {
        error: Some(ErrorKind::Timeout),
        bytes: None,
        duration_ms: Some(30_000.0),
        ..retry(Outcome::Unanswered, Some(200))
    };
    let skipped = Retry::not_sent(unanswered.time, Reason::NoTarget);
    let mut renderer = Renderer::new(form, Mark::default()).headed();
    let mut lines = Vec::new();
    for retry in [retry(Outcome::Recovered, Some(200)), unanswered, skipped] {
        assert_eq!(renderer.render(&record().with_retry(retry), &mut lines), None);
    }
    assert_eq!(renderer.render(&record(), &mut lines), None, "a record without a refire has no line");
    String::from_utf8(lines).expect("UTF-8")
}

#[test]
fn the_same_line_with_the_values_of_the_refire() {
    assert_snapshot!(rendered(Form::Same), @r#"
    203.0.113.9 - - [22/Nov/2026:11:40:03 +0200] "GET /a?b=c&retry=True HTTP/1.1" 200 512 "-" "say \x22hi\x22\x1B"
    203.0.113.9 - - [22/Nov/2026:11:40:03 +0200] "GET /a?b=c&retry=True HTTP/1.1" 000 0 "-" "say \x22hi\x22\x1B"
    "#);
}

#[test]
fn the_marked_url_alone() {
    assert_snapshot!(rendered(Form::Url), @"
    https://shop.example/a?b=c&retry=True
    https://shop.example/a?b=c&retry=True
    ");
}

/// An empty line stood for it, which is no URL.
#[test]
fn a_refire_without_a_url_is_not_among_the_urls() {
    let without = Retry { url: None, ..retry(Outcome::Recovered, Some(200)) };
    let mut lines = Vec::new();
    Renderer::new(Form::Url, Mark::default())
        .render(&record("combined", COMBINED, "/a?b=c").with_retry(without), &mut lines);
    assert!(lines.is_empty(), "{lines:?}");
}

/// Whoever read the URLs line by line read one more, and a terminal its controls.
#[test]
fn a_url_of_another_program_stands_on_one_line() {
    let url = Some("https://shop.example/a\nhttps://evil.example/\u{1b}é?b".to_owned());
    let record = record("combined", COMBINED, "/a?b=c");
    let record = record.with_retry(Retry { url, ..retry(Outcome::Recovered, Some(200)) });
    let plain = "https://shop.example/a%0Ahttps://evil.example/%1B%C3%A9?b&retry=True";
    for (form, expected) in
        [(Form::Url, format!("{plain}\n")), (Form::Csv, format!("2026-11-22T09:40:03.5Z,GET,{plain},"))]
    {
        let mut line = Vec::new();
        assert_eq!(Renderer::new(form, Mark::default()).render(&record, &mut line), None);
        let line = String::from_utf8(line).expect("UTF-8");
        assert!(line.starts_with(&expected), "{line}");
    }
}

#[test]
fn a_line_in_combined_format() {
    assert_snapshot!(rendered(Form::Combined), @r#"
    203.0.113.9 - - [22/Nov/2026:09:40:03 +0000] "GET /a?b=c&retry=True HTTP/1.1" 200 512 "-" "say \x22hi\x22\x1B\xE9"
    203.0.113.9 - - [22/Nov/2026:09:40:03 +0000] "GET /a?b=c&retry=True HTTP/1.1" 000 0 "-" "say \x22hi\x22\x1B\xE9"
    "#);
}

/// The line was in no format: a blank ends a client.
#[test]
fn a_list_of_addresses_is_one_client_in_combined_format() {
    let format = Format::compile("combined").expect("a format");
    for (client, written) in
        [("192.0.2.1, 10.0.0.7", "192.0.2.1,\\x2010.0.0.7"), ("unknown", "unknown"), ("", "-")]
    {
        let plain = record("json", "{}", "/a");
        let original = Exchange { client: Some(client.into()), ..plain.original().clone() };
        let record = Record::new(plain.id(), plain.origin().clone(), original);
        let mut line = Vec::new();
        let mut renderer = Renderer::new(Form::Combined, Mark::default());
        renderer.render(&record.with_retry(retry(Outcome::Recovered, Some(200))), &mut line);
        assert!(line.starts_with(format!("{written} - - [").as_bytes()), "{}", line.as_bstr());
        let mut spans = Spans::new();
        let parsed = format.parse(line.trim_ascii_end(), &mut spans).expect("it is in the format");
        let read = parsed.exchange().client.unwrap_or_default();
        assert_eq!(read, client, "{}", line.as_bstr());
    }
}

#[test]
fn the_record_with_its_url_marked() {
    assert_snapshot!(rendered(Form::Json), @r#"
    {"v":1,"id":"45ffed15ecf15682e9ddcae39a220211","origin":{"source":"access.log","line":7,"offset":0,"format":"combined","text":"203.0.113.9 - - [22/Nov/2026:08:22:52 +0200] \"GET /a?b=c HTTP/1.1\" 502 157 \"-\" \"say \\x22hi\\x22\\x1B\""},"original":{"time":"2026-11-22T06:22:52Z","method":"GET","target":"/a?b=c","status":502,"client":"203.0.113.9","user_agent_base64":"c2F5ICJoaSIb6Q=="},"retry":{"time":"2026-11-22T09:40:03.5Z","method":"GET","url":"https://shop.example/a?b=c&retry=True","attempts":1,"outcome":"recovered","status":200,"duration_ms":23.5,"bytes":512}}
    {"v":1,"id":"45ffed15ecf15682e9ddcae39a220211","origin":{"source":"access.log","line":7,"offset":0,"format":"combined","text":"203.0.113.9 - - [22/Nov/2026:08:22:52 +0200] \"GET /a?b=c HTTP/1.1\" 502 157 \"-\" \"say \\x22hi\\x22\\x1B\""},"original":{"time":"2026-11-22T06:22:52Z","method":"GET","target":"/a?b=c","status":502,"client":"203.0.113.9","user_agent_base64":"c2F5ICJoaSIb6Q=="},"retry":{"time":"2026-11-22T09:40:03.5Z","method":"GET","url":"https://shop.example/a?b=c&retry=True","attempts":1,"outcome":"unanswered","status":200,"duration_ms":30000.0,"error":"timeout"}}
    "#);
}

#[test]
fn a_table_with_a_header() {
    assert_snapshot!(rendered(Form::Csv), @"
    time,method,url,outcome,status,error,duration_ms,bytes,attempts,original_time,original_status,source,line,id
    2026-11-22T09:40:03.5Z,GET,https://shop.example/a?b=c&retry=True,recovered,200,,23.5,512,1,2026-11-22T06:22:52Z,502,access.log,7,45ffed15ecf15682e9ddcae39a220211
    2026-11-22T09:40:03.5Z,GET,https://shop.example/a?b=c&retry=True,unanswered,200,timeout,30000,,1,2026-11-22T06:22:52Z,502,access.log,7,45ffed15ecf15682e9ddcae39a220211
    ");
}

#[test]
fn a_cell_is_never_a_formula() {
    for (source, cell) in [("=cmd|' /C calc'!A0", ",'=cmd|"), ("-1", ",'-1,"), ("-", ",-,")] {
        let mut line = Vec::new();
        let named = Record::new(
            RecordId::of_line(b"", 0),
            Origin::new(source, 1, 0, "combined", ""),
            Exchange::default(),
        );
        let refired = named.with_retry(retry(Outcome::Recovered, Some(200)));
        Renderer::new(Form::Csv, Mark::default()).render(&refired, &mut line);
        let line = String::from_utf8_lossy(&line);
        assert!(line.contains(cell), "{line}");
    }
}

#[test]
fn a_line_that_its_format_does_not_fit_is_written_in_combined_format() {
    let two_lines = COMBINED.replace("say", "say\n");
    for (format, text) in [("combined", "not a line"), ("no such format", COMBINED), ("combined", &two_lines)]
    {
        let mut line = Vec::new();
        let refired = record(format, text, "/a?b=c").with_retry(retry(Outcome::Recovered, Some(200)));
        let fallback = Renderer::new(Form::Same, Mark::default()).render(&refired, &mut line);
        assert!(fallback.is_some());
        let expected = "203.0.113.9 - - [22/Nov/2026:09:40:03 +0000] \"GET /a?b=c&retry=True HTTP/1.1\" 200 512 \"-\" \"say";
        assert!(line.starts_with(expected.as_bytes()), "{}", String::from_utf8_lossy(&line));
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
    }
}

#[tokio::test]
async fn a_full_disk_ends_the_run_and_begins_a_drain() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let refired = record("combined", COMBINED, "/a").with_retry(retry(Outcome::Recovered, Some(200)));
    let cx = Context::default();
    let rewriter = Rewriter::new(Renderer::new(Form::Same, Mark::default()), "retry.log", full);
    let fatal = rewriter.drain(stream::iter([Ok(refired)]), &cx).await.expect_err("it is full");
    assert_eq!(fatal.to_string(), "write the retry log `retry.log`: No space left on device (os error 28)");
    assert!(cx.is_draining());
    assert_eq!(cx.tally().accounts().written, 0);
}
