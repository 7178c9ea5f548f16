//! The record on the pipe: what is written, what is read, and that the two do not change between releases.

use insta::assert_snapshot;
use jsonschema::Validator;
use logretry_record::{
    DecodeError, ErrorKind, Exchange, Header, Origin, Outcome, Predicate, Reason, Record, RecordId, Reject,
    Retry, Scheme, TimeRange,
};
use proptest::prelude::*;

fn schema() -> Validator {
    let schema = include_str!("../schema/record-v1.schema.json");
    jsonschema::validator_for(&serde_json::from_str(schema).expect("JSON")).expect("a schema")
}

fn line(record: &Record) -> String {
    let mut line = Vec::new();
    record.encode(&mut line);
    String::from_utf8(line).expect("records are UTF-8")
}

fn full() -> Record {
    let text =
        br#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9""#;
    let origin = Origin::new("access.log", 204, 18_231, "combined", text.as_slice());
    let original = Exchange {
        time: "2026-11-22T06:22:52Z".parse().ok(),
        method: Some("GET".into()),
        target: Some("/a?b=c".into()),
        host: Some("shop.example".into()),
        scheme: Some(Scheme::Https),
        status: Some(502),
        duration_ms: Some(1002.0),
        bytes: Some(157),
        client: Some("203.0.113.9".into()),
        user_agent: Some("curl/8.9".into()),
        request_id: Some("7f2a".into()),
        lossy: vec!["path".into()],
        ..Exchange::default()
    };
    Record::new(RecordId::of_line(text, 0), origin, original)
}

fn captured() -> Record {
    let header = |name, value: &[u8]| Header::recorded(name, value).expect("a header to record");
    let original = Exchange {
        method: Some("POST".into()),
        target: Some("/a".into()),
        status: Some(502),
        headers: vec![header("Content-Type", b"application/json"), header("x-name", b"Jos\xe9")],
        body: Some(r#"{"a":"b"}"#.into()),
        ..Exchange::default()
    };
    let line = br#"{"request":{"method":"POST"}}"#;
    Record::new(RecordId::of_line(line, 0), Origin::new("shop.har", 1, 0, "har", line.as_slice()), original)
}

fn recovered() -> Retry {
    Retry {
        time: "2026-11-22T06:25:01.112Z".parse().expect("a time"),
        method: Some("GET".into()),
        url: Some("https://shop.example/a?b=c".into()),
        attempts: 1,
        outcome: Outcome::Recovered,
        in_doubt_retry: false,
        sent_before: false,
        status: Some(200),
        duration_ms: Some(23.1),
        bytes: Some(512),
        error: None,
        reason: None,
        detail: None,
    }
}

#[test]
fn a_record_is_written_with_every_field() {
    assert_snapshot!(line(&full().with_retry(recovered())), @r#"{"v":1,"id":"635adedea91f088e3fa2b1bfd27ed03e","origin":{"source":"access.log","line":204,"offset":18231,"format":"combined","text":"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /a?b=c HTTP/1.1\" 502 157 \"-\" \"curl/8.9\""},"original":{"time":"2026-11-22T06:22:52Z","method":"GET","target":"/a?b=c","host":"shop.example","scheme":"https","status":502,"duration_ms":1002.0,"bytes":157,"client":"203.0.113.9","user_agent":"curl/8.9","request_id":"7f2a","lossy":["path"]},"retry":{"time":"2026-11-22T06:25:01.112Z","method":"GET","url":"https://shop.example/a?b=c","attempts":1,"outcome":"recovered","status":200,"duration_ms":23.1,"bytes":512}}"#);
}

#[test]
fn a_captured_request_is_written_with_its_headers_and_its_body() {
    let record = captured();
    assert_snapshot!(line(&record), @r#"{"v":1,"id":"43a7b8086704088edcd0d63479abdc4d","origin":{"source":"shop.har","line":1,"offset":0,"format":"har","text":"{\"request\":{\"method\":\"POST\"}}"},"original":{"method":"POST","target":"/a","status":502,"headers":[{"name":"Content-Type","value":"application/json"},{"name":"x-name","value_base64":"Sm9z6Q=="}],"body":"{\"a\":\"b\"}"}}"#);
    assert_eq!(Record::decode(line(&record).as_bytes()).expect("a record"), record);

    let none = Record::new(
        record.id(),
        record.origin().clone(),
        Exchange { body: None, ..record.original().clone() },
    );
    let empty = Exchange { body: Some("".into()), ..record.original().clone() };
    let empty = Record::new(record.id(), record.origin().clone(), empty);
    assert!(line(&empty).contains(r#""body":"""#) && !line(&none).contains(r#""body""#));
    assert_ne!(
        Record::decode(line(&empty).as_bytes()).expect("a record"),
        none,
        "no body is not an unknown one"
    );
}

#[test]
fn a_record_without_values_is_short() {
    let origin = Origin::new("-", 1, 0, "combined", "x");
    assert_snapshot!(line(&Record::new(RecordId::of_line(b"x", 0), origin, Exchange::default())), @r#"{"v":1,"id":"2ec1f27c0a68014f1390653f17db48e8","origin":{"source":"-","line":1,"offset":0,"format":"combined","text":"x"},"original":{}}"#);
}

#[test]
fn bytes_that_are_not_utf8_are_kept_in_a_twin() {
    let origin = Origin::new(b"caf\xe9.log".as_slice(), 1, 0, "combined", b"\xff\x00".as_slice());
    let original = Exchange {
        host: Some(b"\xe9".into()),
        client: Some(b"\xe8".into()),
        user_agent: Some(b"\xe7".into()),
        request_id: Some(b"\xe6".into()),
        body: Some(b"\x1f\x8b".into()),
        ..Exchange::default()
    };
    let record = Record::new(RecordId::of_line(b"\xff\x00", 0), origin, original);
    assert_snapshot!(line(&record), @r#"{"v":1,"id":"72c2e9d4ad98be103c458895fe7ab7b9","origin":{"source_base64":"Y2Fm6S5sb2c=","line":1,"offset":0,"format":"combined","text_base64":"/wA="},"original":{"host_base64":"6Q==","client_base64":"6A==","user_agent_base64":"5w==","request_id_base64":"5g==","body_base64":"H4s="}}"#);
    assert_eq!(Record::decode(line(&record).as_bytes()).expect("a record"), record);
}

/// This file was written by the first release. It is read by every later one, and says the same.
#[test]
fn the_frozen_file_of_version_1_is_read_and_echoed() {
    let frozen = include_str!("v1/records.ndjson");
    let schema = schema();
    let mut written = Vec::new();
    let mut outcomes = Vec::new();
    for line in frozen.lines() {
        assert!(schema.is_valid(&serde_json::from_str(line).expect("JSON")), "{line}");
        let record = Record::decode(line.as_bytes()).expect("a record of version 1");
        outcomes.push(record.retry().map(|retry| retry.outcome));
        record.encode(&mut written);
    }
    assert_eq!(String::from_utf8(written).expect("UTF-8"), frozen);
    let sent = [Outcome::Recovered, Outcome::Refused, Outcome::Failing, Outcome::Unanswered];
    let rest = [Outcome::InDoubt, Outcome::Skipped, Outcome::Unsent];
    let expected: Vec<_> =
        [None, None].into_iter().chain(sent.into_iter().chain(rest).map(Some)).chain([None]).collect();
    assert_eq!(outcomes, expected);
}

#[test]
fn what_this_release_writes_is_what_the_schema_says() {
    let schema = schema();
    let not_sent = |reason| Retry::not_sent("2026-11-22T06:25:01Z".parse().expect("a time"), reason);
    let mut records = vec![full(), full().with_retry(recovered()), captured()];
    records.extend(Reason::ALL.iter().map(|&reason| full().with_retry(not_sent(reason))));
    let broken =
        Retry { outcome: Outcome::Unanswered, status: None, error: Some(ErrorKind::Reset), ..recovered() };
    records.push(full().with_retry(broken));
    for record in records {
        let json = serde_json::from_str(&line(&record)).expect("JSON");
        let errors: Vec<_> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {json}");
    }
}

#[test]
fn the_schema_refuses_what_is_no_record() {
    let schema = schema();
    for text in [
        "{}",
        r#"{"v":2,"id":"00000000000000000000000000000000","origin":{"source":"-","line":1,"offset":0,"format":"x","text":""},"original":{}}"#,
        r#"{"v":1,"id":"0","origin":{"source":"-","line":1,"offset":0,"format":"x","text":""},"original":{}}"#,
        r#"{"v":1,"id":"00000000000000000000000000000000","origin":{"line":1,"offset":0,"format":"x","text":""},"original":{}}"#,
        r#"{"v":1,"id":"00000000000000000000000000000000","origin":{"source":"-","line":1,"offset":0,"format":"x","text":""},"original":{"target":"a b"}}"#,
    ] {
        assert!(!schema.is_valid(&serde_json::from_str(text).expect("JSON")), "{text}");
    }
}

#[test]
fn fields_of_a_later_version_survive_and_the_bytes_stay_as_they_were() {
    let text = line(&full()).replacen('{', "{ \"later\" : [1, {\"a\":null}], ", 1);
    let record = Record::decode(text.as_bytes()).expect("a record");
    assert_eq!(line(&record), text);

    let completed = line(&record.with_retry(recovered()));
    assert!(completed.starts_with(text.trim_end().trim_end_matches('}')), "{completed}");
    let read = Record::decode(completed.as_bytes()).expect("a record");
    assert_eq!(read.retry(), Some(&recovered()));
    assert_eq!(line(&read), completed);
}

/// They went out on several lines, of which none was a record.
#[test]
fn a_record_that_came_on_several_lines_goes_out_on_one() {
    let text = line(&full()).trim_end().replace(",\"", ",\r\n  \"");
    let record = Record::decode(text.as_bytes()).expect("a record");
    assert_eq!(line(&record), text.replace('\n', " ") + "\n");
    let completed = line(&record.with_retry(recovered()));
    assert_eq!(completed.matches('\n').count(), 1);
    assert_eq!(Record::decode(completed.as_bytes()).expect("a record").retry(), Some(&recovered()));
}

#[test]
fn null_is_no_value_wherever_one_may_be_left_out() {
    let whole = full().with_retry(recovered());
    let text: serde_json::Value = serde_json::from_str(&line(&whole)).expect("JSON");
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../schema/record-v1.schema.json")).expect("JSON");
    for part in ["origin", "original", "retry"] {
        let part_schema = &schema["$defs"][part];
        let required = part_schema["required"].as_array().cloned().unwrap_or_default();
        let fields = part_schema["properties"].as_object().expect("fields").keys();
        for field in fields.filter(|field| !required.contains(&field.as_str().into())) {
            let (mut null, mut left_out) = (text.clone(), text.clone());
            null[part][field] = serde_json::Value::Null;
            left_out[part].as_object_mut().expect("an object").remove(field);
            let [null, left_out] = [null, left_out].map(|text| Record::decode(text.to_string().as_bytes()));
            match left_out {
                Ok(record) => assert_eq!(null.expect(field), record, "{part}.{field}"),
                // One of two twins must be there.
                Err(missing) => {
                    assert_eq!(null.expect_err(field).to_string(), missing.to_string(), "{part}.{field}");
                }
            }
        }
    }
}

/// Tables write whole numbers so that have stood in a column with gaps.
#[test]
fn a_whole_number_may_be_spelled_as_a_float() {
    let text = line(&full().with_retry(recovered()));
    let read = |text: &str| Record::decode(text.as_bytes());
    let expected = read(&text).expect("a record");
    let numbers = [
        ("\"v\":1", ".0"),
        ("\"line\":204", ".0"),
        ("\"offset\":18231", "e0"),
        ("\"status\":502", ".0"),
        ("\"bytes\":157", ".0"),
        ("\"attempts\":1", ".0"),
        ("\"status\":200", ".00"),
        ("\"bytes\":512", ".0"),
    ];
    for (number, more) in numbers {
        assert!(text.contains(number), "{number}: {text}");
        let spelled = text.replacen(number, &format!("{number}{more}"), 1);
        let record = read(&spelled).expect(number);
        assert_eq!(record, expected, "{number}");
        assert_eq!(line(&record), spelled);
        let half = text.replacen(number, &format!("{number}.5"), 1);
        assert!(matches!(read(&half), Err(DecodeError::Json(_))), "{number}");
    }
    assert!(matches!(read("{\"v\":2.0}"), Err(DecodeError::Version(2))));
    for status in ["-1.0", "65536.0", "1e300"] {
        let spelled = text.replacen("\"status\":502", &format!("\"status\":{status}"), 1);
        assert!(read(&spelled).is_err(), "{status}");
    }
}

#[test]
fn keys_that_are_spelled_with_escapes_stay_so_and_the_fields_beside_them_too() {
    let text = line(&full()).replacen("\"origin\"", r#""later":1,"retr\u0079":null,"\u006frigin""#, 1);
    let record = Record::decode(text.as_bytes()).expect("a record");
    let completed = line(&record.with_retry(recovered()));
    let rest = text.trim_end().trim_end_matches('}').replacen(r#""retr\u0079":null,"#, "", 1);
    assert!(completed.starts_with(&rest), "{completed}");
    assert_eq!(Record::decode(completed.as_bytes()).expect("a record").retry(), Some(&recovered()));
}

#[test]
fn a_second_refire_replaces_the_first() {
    let once = Record::decode(line(&full().with_retry(recovered())).as_bytes()).expect("a record");
    let failing = Retry { outcome: Outcome::Failing, status: Some(503), ..recovered() };
    let twice = once.with_retry(failing.clone());
    assert_eq!(line(&twice).matches("\"retry\"").count(), 1);
    assert_eq!(Record::decode(line(&twice).as_bytes()).expect("a record").retry(), Some(&failing));
}

#[test]
fn a_refire_has_the_only_word_on_how_it_ended_and_leaves_the_rest() {
    // `jq -c '{v,id,origin,original,retry}'` writes a `retry` of null; an earlier refire leaves one of its own.
    for before in ["null".to_owned(), serde_json::to_string(&recovered()).expect("JSON")] {
        for place in ["{\"v\":1,", "\"later\":{\"retry\":1},"] {
            let text = line(&full()).replacen("{\"v\":1,", "{\"v\":1,\"later\":{\"retry\":1},", 1);
            let text = text.replacen(place, &format!("{place}\"retry\":{before},"), 1);
            let record = Record::decode(text.as_bytes()).expect("a record");
            let failing = Retry { outcome: Outcome::Failing, status: Some(503), ..recovered() };
            let completed = line(&record.with_retry(failing.clone()));
            assert!(completed.starts_with("{\"v\":1,\"later\":{\"retry\":1},\"id\""), "{completed}");
            assert_eq!(completed.matches("\"retry\"").count(), 2, "{completed}");
            let read = Record::decode(completed.as_bytes()).expect("a record");
            assert_eq!(read.retry(), Some(&failing), "{completed}");
        }
    }
}

#[test]
fn words_of_a_later_version_are_read_as_other() {
    let text = line(&full().with_retry(Retry { error: Some(ErrorKind::Dns), ..recovered() }));
    let later = text.replace("\"dns\"", "\"quantum\"");
    let record = Record::decode(later.as_bytes()).expect("a record");
    assert_eq!(record.retry().and_then(|retry| retry.error), Some(ErrorKind::Other));
    assert_eq!(line(&record), later);
}

#[test]
fn what_is_no_record_is_said_with_its_reason() {
    let id = "\"id\":\"00000000000000000000000000000000\"";
    let messages = [
        "",
        "not json",
        "[]",
        r#"{"v":1}"#,
        r#"{"v":2,"shape":"new"}"#,
        &format!(r#"{{"v":1,{id},"origin":{{"line":1,"offset":0,"format":"x","text":""}},"original":{{}}}}"#),
        &format!(
            r#"{{"v":1,{id},"origin":{{"source":"-","line":1,"offset":0,"format":"x","text_base64":"?"}},"original":{{}}}}"#
        ),
        r#"{"v":1,"id":"7","origin":{"source":"-","line":1,"offset":0,"format":"x","text":""},"original":{}}"#,
        &format!(
            r#"{{"v":1,{id},"origin":{{"source":"-","line":1,"offset":0,"format":"x","text":""}},"original":{{"body":"a","body_base64":"H4s="}}}}"#
        ),
    ]
    .map(|text| Record::decode(text.as_bytes()).expect_err("no record").to_string())
    .join("\n");
    assert_snapshot!(messages, @"
    not a record: EOF while parsing a value at line 1 column 0
    not a record: expected ident at line 1 column 2
    not a record: invalid length 0, expected struct RecordV1 with 5 elements at line 1 column 2
    not a record: missing field `id` at line 1 column 7
    the record has version 2, and this program reads version 1; use the same release for all stages
    not a record: missing field `source`
    not a record: `text_base64` is not base64
    not a record: `id` is not 32 hexadecimal digits
    not a record: it has both `body` and `body_base64`
    ");
    assert!(matches!(Record::decode(br#"{"v":3}"#), Err(DecodeError::Version(3))));
}

#[test]
fn a_reject_is_one_line() {
    let reject = Reject {
        source: "access.log".into(),
        line: 7,
        offset: 812,
        reason: "not `combined`: no status".into(),
        text: b"\x16\x03\xff\n".into(),
    };
    let mut line = Vec::new();
    reject.encode(&mut line);
    assert_snapshot!(String::from_utf8(line).expect("UTF-8"), @r#"{"v":1,"source":"access.log","line":7,"offset":812,"reason":"not `combined`: no status","text_base64":"FgP/Cg=="}"#);
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_back(
        text in prop::collection::vec(any::<u8>(), 0..60),
        agent in prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
        body in prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
        status in prop::option::of(0_u16..1000),
        ms in prop::option::of(0.0_f64..1e9),
        line_number in 1_u64..,
    ) {
        let original = Exchange {
            headers: agent.iter().filter_map(|agent| Header::recorded("X-A", agent.clone())).collect(),
            user_agent: agent.map(Into::into),
            body: body.map(Into::into),
            status,
            duration_ms: ms,
            ..Exchange::default()
        };
        let origin = Origin::new("-", line_number, line_number / 2, "combined", text.clone());
        let record = Record::new(RecordId::of_line(&text, 0), origin, original);
        let written = line(&record);
        prop_assert_eq!(written.matches('\n').count(), 1);
        prop_assert_eq!(Record::decode(written.as_bytes()).expect("a record"), record);
    }

    /// Ruling a line out early changes speed, never what is selected.
    #[test]
    fn what_is_ruled_out_early_would_not_have_been_selected(
        status in prop::option::of(prop_oneof![Just(200_u16), Just(502), 0_u16..1000]),
        second in prop::option::of(0_i64..100),
        agent in "\\PC{0,12}",
        since in prop::option::of(0_i64..100),
        spaced in any::<bool>(),
    ) {
        let instant = |second| jiff::Timestamp::from_second(second).expect("a time");
        let original = Exchange {
            status,
            time: second.map(instant),
            user_agent: Some(agent.into()),
            ..Exchange::default()
        };
        let text = r#"{"status":200} "original":{"status":502}"#;
        let record = Record::new(RecordId::of_line(b"", 0), Origin::new("-", 1, 0, "x", text), original);
        let mut written = line(&record.with_retry(recovered()));
        if spaced {
            written = written.replace("\":", "\" : ");
        }
        let wanted = Predicate {
            time: TimeRange { since: since.map(instant), until: None },
            ..Predicate::default()
        };
        let read = Record::decode(written.as_bytes()).expect("a record");
        let selected = wanted.has_status(read.original().status) && wanted.time.contains(read.original().time);
        prop_assert_eq!(wanted.rules_out_line(written.as_bytes()), !selected, "{}", written);
    }

    #[test]
    fn no_bytes_make_the_skimmer_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Predicate::default().rules_out_line(&bytes);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Record::decode(&bytes);
    }
}
