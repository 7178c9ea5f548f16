//! Lines after a refire: which bytes change, and into what.

use jiff::Timestamp;
use logretry_format::{Change, Format, Spans};
use logretry_record::Mark;

fn rewritten(spec: &str, line: &str, change: impl FnOnce(&mut Change<'_>)) -> String {
    let format =
        Format::compile(spec).unwrap_or_else(|error| panic!("cannot read the format `{spec}`: {error}"));
    let mark = Mark::default();
    let time: Timestamp = "2026-12-01T00:30:05.250Z".parse().expect("a time");
    let mut new = Change { mark: &mark, time, status: Some(200), bytes: Some(512), duration_ms: Some(23.14) };
    change(&mut new);
    let mut out = Vec::new();
    format
        .rewrite(line.as_bytes(), &new, &mut out)
        .unwrap_or_else(|error| panic!("cannot use `{line}`: {error}"));
    let mut again = Vec::new();
    format.rewrite(&out, &new, &mut again).expect("a rewritten line can be read");
    assert_eq!(out, again, "rewriting is idempotent");
    let target = |line: &[u8]| format.parse(line, &mut Spans::new()).expect("a line").exchange().target;
    assert_eq!(target(&out), target(line.as_bytes()).map(|target| mark.put_on(&target)), "{spec}");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn every_place_of_the_url_is_marked() {
    for (spec, line, expected) in [
        ("%r|%>s", "GET /a HTTP/1.1|500", "GET /a?retry=True HTTP/1.1|200"),
        ("%r|%>s", "GET /a?b#f HTTP/1.1|500", "GET /a?b&retry=True#f HTTP/1.1|200"),
        ("%r|%>s", "GET /a b|500", "GET /a b?retry=True|200"),
        ("%r|%>s", "GET /a\\\"b?c HTTP/1.1|500", "GET /a\\\"b?c&retry=True HTTP/1.1|200"),
        ("%r|%>s", "GET http://h/a HTTP/1.1|500", "GET http://h/a?retry=True HTTP/1.1|200"),
        ("%r|%>s", "GET /a?retry=True HTTP/1.1|500", "GET /a?retry=True HTTP/1.1|200"),
        ("%r|%>s", "-|500", "-|200"),
        ("$request|$request_uri|$status", "GET /a|/a|500", "GET /a?retry=True|/a?retry=True|200"),
        ("$request|$args|$status", "GET /a|-|500", "GET /a?retry=True|retry=True|200"),
        ("$request|$uri|$status", "GET /%61|/a|500", "GET /%61?retry=True|/a?retry=True|200"),
        ("$host$request_uri $status", "h/a? 500", "h/a?retry=True 200"),
        ("%U%q %>s", "/a 500", "/a?retry=True 200"),
        ("%U%q %>s", "/a?b 500", "/a?b&retry=True 200"),
        ("%U %q %>s", "/a - 500", "/a ?retry=True 200"),
        ("%U %q %>s", "/a  500", "/a ?retry=True 200"),
        ("$uri$is_args$args $status", "/a- 500", "/a?retry=True 200"),
        ("log_format x escape=json '$uri$is_args$args $status';", "/a 500", "/a?retry=True 200"),
        ("$uri$is_args$args $status", "/a?b=c 500", "/a?b=c&retry=True 200"),
        ("$uri $args $status", "/a b=c 500", "/a b=c&retry=True 200"),
        ("$uri $status", "/a#b 500", "/a#b?retry=True 200"),
        ("$uri $status", "/a?b 500", "/a?b&retry=True 200"),
    ] {
        assert_eq!(rewritten(spec, line, |_| {}), expected, "{spec}");
    }
}

/// varnishncsa writes the `Host` before the URL: what stands in it is no part of that.
#[test]
fn a_host_that_a_client_made_up_does_not_move_the_mark() {
    let line = |url| {
        format!("203.0.113.9 - - [22/Nov/2026:06:44:26 +0000] \"GET {url} HTTP/1.1\" 503 282 \"-\" \"-\"")
    };
    for (url, expected) in [
        ("http://h#x/a?b=c", "http://h#x/a?b=c&retry=True"),
        ("http://h?x#/a#f", "http://h?x#/a?retry=True#f"),
        ("http://h/a", "http://h/a?retry=True"),
    ] {
        let written = rewritten("varnishncsa", &line(url), |_| {});
        assert!(written.contains(&format!("\"GET {expected} HTTP/1.1\"")), "{written}");
    }
}

#[test]
fn new_values_are_written_as_the_line_writes_them() {
    for (spec, line, expected) in [
        (
            "[$time_local] $request $status",
            "[22/Nov/2026:08:22:52 -0330] - 500",
            "[30/Nov/2026:21:00:05 -0330] - 200",
        ),
        (
            "$time_iso8601 $request $status",
            "2026-11-22T08:22:52+02:00 - 500",
            "2026-12-01T02:30:05+02:00 - 200",
        ),
        (
            "$msec [$time_local] $request $status",
            "1.000 [22/Nov/2026:08:22:52 +0200] - 500",
            "1796085005.250 [01/Dec/2026:02:30:05 +0200] - 200",
        ),
        (
            "%{%F %T}t.%{usec_frac}t%{%z}t %r %>s",
            "2026-11-22 08:22:52.000001+0100 - 500",
            "2026-12-01 01:30:05.250000+0100 - 200",
        ),
        ("%{end:sec}t %r %>s", "1 - 500", "1796085005 - 200"),
        ("$request $status $request_time", "- 500 1.002", "- 200 0.023"),
        ("$request $status $request_time", "- 500 -", "- 200 0.023"),
        ("%r %>s %D %T %{ms}T", "- 500 1 1 1", "- 200 23140 0 23"),
        ("%r %>s %b %O", "- 500 - 10", "- 200 512 512"),
        ("%r %s %>s", "- 500 500", "- 200 200"),
        (
            "$request $status $upstream_status $upstream_response_time",
            "- 500 502, 500 0.1, 0.2",
            "- 200 502, 500 0.1, 0.2",
        ),
    ] {
        assert_eq!(rewritten(spec, line, |_| {}), expected, "{spec}");
    }
}

#[test]
fn a_duration_with_more_decimals_than_can_be_asked_for_is_written_with_fewer() {
    let line = format!("- 500 1.{}", "0".repeat(70_000));
    let written = rewritten("$request $status $request_time", &line, |_| {});
    assert!(written.starts_with("- 200 0.02314") && written.len() < 100, "{written}");
}

#[test]
fn no_answer_is_written_as_000() {
    let nothing =
        |change: &mut Change<'_>| (change.status, change.bytes, change.duration_ms) = (None, None, None);
    assert_eq!(rewritten("%r %>s %b %D", "- 500 10 9", nothing), "- 000 - -");
    assert_eq!(rewritten("$request $status $body_bytes_sent", "- 500 10", nothing), "- 000 0");
    let line = r#"::1 - - [22/Nov/2026:06:41:41 +0000] "GET / HTTP/1.1" 500 BYTES "-" "-""#;
    for (before, after) in [("10", "0"), ("-", "-")] {
        let line = rewritten("combined", &line.replace("BYTES", before), nothing);
        assert!(line.contains(&format!("000 {after} \"-\"")), "{line}");
    }
}

#[test]
fn the_end_of_a_line_and_all_other_bytes_stay() {
    let line =
        "::1 - \"\" [22/Nov/2026:06:41:41 +0000] \"GET /\\xe9 HTTP/1.1\" 500 9 \"\\\"r\\\"\" \"\\\\ UA\"\r";
    assert_eq!(
        rewritten("combined", line, |_| {}),
        "::1 - \"\" [01/Dec/2026:00:30:05 +0000] \"GET /\\xe9?retry=True HTTP/1.1\" 200 512 \"\\\"r\\\"\" \"\\\\ UA\"\r"
    );
}
