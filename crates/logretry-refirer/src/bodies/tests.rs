use super::*;

fn opened(text: &str) -> Result<Bodies, String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("a file");
    let name = file.path().display().to_string();
    Bodies::open(file.path()).map_err(|error| error.to_string().replace(&name, "FILE"))
}

fn completed(bodies: &Bodies, id: &str) -> Option<Exchange> {
    bodies.complete(&Exchange { request_id: Some(id.into()), ..Exchange::default() })
}

#[test]
fn a_body_is_found_by_its_id() {
    let text = concat!(
        r#"{"request_id":"a","headers":{"Content-Type":"text/plain","Cookie":"b=c"},"body":"é"}"#,
        "\n\n",
        r#"{"request_id":"b","headers":[{"name":"X-A","value":"1"},{"name":"X-A","value":"2"}],"body_base64":"H4s="}"#,
        "\r\n",
        r#"{"request_id":"c","body":"","later":1}"#,
    );
    let bodies = opened(text).expect("bodies");
    let a = completed(&bodies, "a").expect("a body");
    assert_eq!(a.body, Some("é".into()));
    assert_eq!(a.headers, [Header { name: "Content-Type".into(), value: "text/plain".into() }]);
    let b = completed(&bodies, "b").expect("a body");
    assert_eq!((b.body, b.headers.len()), (Some(b"\x1f\x8b".into()), 2));
    assert_eq!(completed(&bodies, "c").and_then(|c| c.body), Some("".into()));
    assert_eq!(completed(&bodies, "d"), None);
    assert_eq!(bodies.complete(&Exchange::default()), None);
    let own = Exchange { request_id: Some("a".into()), body: Some("own".into()), ..Exchange::default() };
    assert_eq!(bodies.complete(&own), None);
}

#[test]
fn a_line_without_headers_leaves_those_that_were_captured() {
    let completed = |captured: &[(&str, &str)], line: &str| {
        let original = Exchange {
            request_id: Some("a".into()),
            headers: captured.iter().filter_map(|(name, value)| Header::recorded(name, *value)).collect(),
            lossy: vec!["body".into()],
            ..Exchange::default()
        };
        let bodies = opened(&format!(r#"{{"request_id":"a",{line}}}"#)).expect("bodies");
        let completed = bodies.complete(&original).expect("a body, or none");
        let names: Vec<_> = completed.headers.into_iter().map(|header| header.name).collect();
        (names, completed.body)
    };
    let form = [("Content-Type", "multipart/form-data; boundary=b")];
    assert_eq!(completed(&form, r#""body":"--b--""#), (vec!["Content-Type".into()], Some("--b--".into())));
    assert_eq!(completed(&form, r#""body":"--b--","headers":{}"#), (vec![], Some("--b--".into())));
    let packed = [("Content-Encoding", "gzip")];
    assert_eq!(completed(&packed, r#""body":"unpacked""#).1, None);
    assert_eq!(completed(&packed, r#""body_base64":"H4s=""#).1, Some(b"\x1f\x8b".into()));
}

#[test]
fn an_id_with_two_bodies_has_none() {
    let line = |id: &str, body: &str| format!("{{\"request_id\":\"{id}\",\"body\":\"{body}\"}}\n");
    let bodies =
        opened(&[line("a", "x"), line("b", "x"), line("a", "x"), line("b", "y"), line("b", "x")].concat());
    let bodies = bodies.expect("bodies");
    assert!(completed(&bodies, "a").is_some_and(|a| a.body.is_some() && a.lossy.is_empty()));
    let b = completed(&bodies, "b").expect("one that has lost it");
    assert_eq!((b.body, b.lossy), (None, vec!["body".into()]), "a DELETE too is not sent without it");
    assert!(
        bodies
            .complaints()
            .eq(["1 request ids have several bodies in --bodies; requests with these ids are not sent"])
    );
}

#[test]
fn a_body_that_is_not_as_its_headers_say_is_lost() {
    let bodies = |headers: &str, body: &str| {
        opened(&format!(r#"{{"request_id":"a","headers":{{{headers}}},"body{body}}}"#)).expect("bodies")
    };
    let body = |headers: &str, body: &str| completed(&bodies(headers, body), "a").and_then(|a| a.body);
    assert_eq!(body(r#""Content-Length":"2""#, r#"":"é""#), Some("é".into()));
    assert_eq!(body(r#""content-encoding":"identity""#, r#"":"x""#), Some("x".into()));
    let latin = r#""Content-Type":"text/plain; charset=ISO-8859-1""#;
    assert_eq!(body(latin, r#"_base64":"6Q==""#), Some(b"\xe9".into()));
    assert_eq!(body(r#""Content-Encoding":"gzip""#, r#"_base64":"H4s=""#), Some(b"\x1f\x8b".into()));
    for (headers, body) in [
        (r#""content-length":"4096""#, r#"":"cut""#),
        (r#""Content-Length":"1""#, r#"":"é""#),
        (r#""Content-Length":"x""#, r#"":"""#),
        (r#""Content-Encoding":"gzip""#, r#"":"unpacked""#),
        (latin, r#"":"é""#),
    ] {
        let bodies = bodies(headers, body);
        let a = completed(&bodies, "a").expect("one that has lost it");
        assert_eq!((a.body, a.lossy), (None, vec!["body".into()]), "{headers}");
        assert!(bodies.complaints().all(|complaint| complaint.starts_with("1 bodies in --bodies are not")));
        assert_eq!(bodies.complaints().count(), 1);
    }
}

#[test]
fn what_cannot_be_used_is_said_with_its_line() {
    for (line, why) in [
        ("a=b", "expected value at line 1 column 1"),
        (r#"{"body":"x"}"#, "missing field `request_id` at line 1 column 12"),
        (r#"{"request_id":"a"}"#, "it has neither `body` nor `body_base64`"),
        (r#"{"request_id":"a","body":"","body_base64":""}"#, "it has both `body` and `body_base64`"),
        (
            r#"{"request_id":"a","body":"","headers":7}"#,
            "`headers` is neither an object of texts nor a list of `name` and `value` at line 1 column 40",
        ),
    ] {
        let error = opened(&format!("\n{line}\n")).expect_err(line);
        assert_eq!(error, format!("use the bodies of `FILE`, line 2: {why}"));
    }
}

#[test]
fn a_byte_order_mark_is_passed_over_at_the_very_beginning_alone() {
    let line = r#"{"request_id":"a","body":"x"}"#;
    let bodies = opened(&format!("\u{feff}{line}\n")).expect("bodies");
    assert_eq!(completed(&bodies, "a").and_then(|a| a.body), Some("x".into()));
    opened(&format!("{line}\n\u{feff}{line}\n")).expect_err("not at the beginning");
}

#[test]
fn a_compressed_file_is_told_from_one_of_bodies() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), b"\x1f\x8b\x08\x00").expect("a file");
    let error = Bodies::open(file.path()).expect_err("no text").to_string();
    assert!(
        error.ends_with("line 1: it is no text in UTF-8; unpack the file first, if it is compressed"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_read_again_is_no_file_of_bodies() {
    let error = Bodies::open(Path::new("/dev/null")).expect_err("no file").to_string();
    assert!(error.starts_with("read `/dev/null`: it is no regular file"), "{error}");
}

#[test]
fn a_file_that_is_written_anew_meanwhile_gives_nobody_the_body_of_another() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let line = |id: &str| format!("{{\"request_id\":\"{id}\",\"body\":\"{id}\"}}\n");
    std::fs::write(file.path(), [line("a"), line("b")].concat()).expect("a file");
    let bodies = Bodies::open(file.path()).expect("bodies");
    std::fs::write(file.path(), [line("b"), line("a")].concat()).expect("a file");
    let a = completed(&bodies, "a").expect("one that has lost it");
    assert_eq!((a.body, a.lossy), (None, vec!["body".into()]));
}
