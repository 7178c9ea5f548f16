//! Formats whose values have names: what is read of a line, and what becomes of it.

use logretry_format::{Change, Format, LineError, Spans, detect};
use logretry_record::{Exchange, Mark};

fn compiled(spec: &str) -> Format {
    Format::compile(spec).unwrap_or_else(|error| panic!("cannot read the format `{spec}`: {error}"))
}

fn read(spec: &str, line: &str) -> Exchange {
    let format = compiled(spec);
    let mut spans = Spans::new();
    let parsed = format.parse(line.as_bytes(), &mut spans);
    parsed.unwrap_or_else(|error| panic!("cannot use `{line}`: {error}")).exchange()
}

fn target(spec: &str, line: &str) -> (String, String) {
    let exchange = read(spec, line);
    (exchange.target.unwrap_or_default(), exchange.lossy.join(" "))
}

fn rewritten(spec: &str, line: &str) -> String {
    let format = compiled(spec);
    let mark = Mark::default();
    let time = "2026-12-01T00:30:05.250Z".parse().expect("a time");
    let change = Change { mark: &mark, time, status: Some(200), bytes: Some(512), duration_ms: Some(23.14) };
    let mut out = Vec::new();
    format
        .rewrite(line.as_bytes(), &change, &mut out)
        .unwrap_or_else(|error| panic!("cannot use `{line}`: {error}"));
    let mut again = Vec::new();
    format.rewrite(&out, &change, &mut again).expect("a rewritten line can be read");
    let out = String::from_utf8(out).expect("UTF-8");
    assert_eq!(out, String::from_utf8_lossy(&again), "rewriting is idempotent");
    let target = |line: &str| read(spec, line).target;
    assert_eq!(target(&out), target(line).map(|target| mark.put_on(&target)), "{spec}");
    assert_eq!(read(spec, &out).status, Some(200));
    out
}

#[test]
fn the_target_is_found_under_the_names_that_producers_use() {
    for (line, expected, lossy) in [
        (r#"{"status":502,"request":"GET /a?b=c HTTP/1.1"}"#, "/a?b=c", ""),
        (r#"{"status":"502","request_uri":"/a?b=c","uri":"/a","args":"b=c"}"#, "/a?b=c", ""),
        (r#"{"status":502,"uri":"/a?b=c"}"#, "/a?b=c", ""),
        (r#"{"status":502,"uri":"/a?b=c","args":"b=c"}"#, "/a?b=c", ""),
        (r#"{"status":502,"uri":"/a","args":"b=c"}"#, "/a?b=c", "path"),
        (r#"{"status":502,"uri":"/a","args":""}"#, "/a", "path"),
        (r#"{"status":502,"uri":"/a?b","args":"c"}"#, "/a%3Fb?c", "path"),
        (r#"{"status":502,"path":"/a","query":"?b=c"}"#, "/a?b=c", "path"),
        (r#"{"status":"502","method":"GET","request":"/a","query":"?b=c"}"#, "/a?b=c", "path"),
        (r#"{"status":"502","method":"GET","request":"/a","query":""}"#, "/a", "path"),
        (r#"{"status":502,"path":"/a?b=c"}"#, "/a?b=c", ""),
        (
            r#"{"request":{"method":"GET","uri":"/a?b","url":"http://h:8000/a?b"},"response":{"status":502}}"#,
            "/a?b",
            "",
        ),
        (r#"{"status":502,"path":"/a"}"#, "/a", "path query"),
        (r#"{"status":502,"url":"/a","query":{"b":"c"}}"#, "/a", "query"),
        (r#"{"status":502,"url":"/a","query":{ }}"#, "/a", ""),
        (r#"{"status":502,"url":"https://h.example:8443/a?b#f"}"#, "/a?b", ""),
        (r#"{"status":502,"url":"https://h.example"}"#, "/", ""),
        (r#"{"http":{"response":{"status_code":502}},"url":{"original":"/a?b=c"}}"#, "/a?b=c", ""),
        (r#"{"http.response.status_code":502,"url.path":"/a","url.query":"b=c"}"#, "/a?b=c", ""),
        (r#"{"res":{"statusCode":502},"req":{"url":"/a?b=c","query":{"b":"c"}}}"#, "/a?b=c", ""),
        ("{\"status\":502,\"uri\":\"/caf\u{fffd}?x\"}", "/caf%EF%BF%BD?x", "path"),
        (r#"{"status":502,"uri":"/a?\ufffd"}"#, "/a?%EF%BF%BD", "query"),
        (r#"{"status":502,"uri":"/a#22?b"}"#, "/a", "path"),
        (r#"{"status":502,"uri":"/a#top"}"#, "/a", ""),
        (r#"{"status":502,"uri":"/a#22?b#7C","t":"22/Nov/2026:06:41:42.866"}"#, "/a%22?b%7C", ""),
        (r#"{"status":502,"uri":"/a#22?b","state":"sH--"}"#, "/a%22?b", ""),
        (r#"{"status":502,"uri":"\/a\u0026b\x22\u00e9\ud83d\ude00"}"#, "/a&b%22%C3%A9%F0%9F%98%80", ""),
    ] {
        assert_eq!(target("json", line), (expected.to_owned(), lossy.to_owned()), "{line}");
        rewritten("json", line);
    }
}

#[test]
fn json_that_is_none_is_read() {
    for line in [
        r#"{"status":502,"upstream_status":502, 504,"bytes":,"t":-,"uri":"/a"}"#,
        "{\"status\":502,\"ua\":\"\\x22 \\v \x01\t\",\"uri\":\"/a\"}",
        r#" { "status" : 502 , "uri" : "/a" , } "#,
        r#"{"a":[[],{}],"b":[{"uri":"/no"}],"status":502,"uri":["/a","/b"]}"#,
    ] {
        assert_eq!(target("json", line).0, "/a", "{line}");
        rewritten("json", line);
    }
    let mut raw = br#"{"status":502,"ua":""#.to_vec();
    raw.extend_from_slice(b"\xff\xfe\",\"uri\":\"/a\xe9\"}");
    let format = compiled("json");
    let exchange = format.parse(&raw, &mut Spans::new()).expect("raw bytes").exchange();
    assert_eq!(exchange.target.as_deref(), Some("/a%E9"));
}

#[test]
fn what_is_no_whole_object_is_refused() {
    for line in [
        "",
        "{",
        "[]",
        r#"{"status":502,"uri":"/a""#,
        r#"{"status":502,"uri":"/a"#,
        r#"{"status":502,"uri":"/a"}x"#,
    ] {
        let format = compiled("json");
        let error = format.parse(line.as_bytes(), &mut Spans::new()).map(|parsed| parsed.status());
        assert!(matches!(error, Err(LineError::Mismatch { .. })), "{line}: {error:?}");
    }
}

#[test]
fn a_value_that_is_there_twice_is_no_guess() {
    let line = r#"{"status":502,"uri":"/a","ua":"x","uri":"/b"}"#;
    let format = compiled("json");
    let error = format.parse(line.as_bytes(), &mut Spans::new()).map(|parsed| parsed.status());
    assert_eq!(error, Err(LineError::Ambiguous));
}

#[test]
fn a_message_is_no_request() {
    for (spec, line) in [
        ("json", r#"{"level":"info","msg":"server running"}"#),
        ("json", r#"{"code":-1,"msg":"job failed"}"#),
        ("caddy", r#"{"level":"info","msg":"using config from file"}"#),
        (
            "caddy",
            r#"{"logger":"http.log.error","request":{"proto":"HTTP/1.1","method":"GET","uri":"/a"},"status":502}"#,
        ),
        ("logfmt", r#"level=info msg="server running""#),
        ("w3c", "#Version: 1.0"),
    ] {
        let format = compiled(spec);
        let error = format.parse(line.as_bytes(), &mut Spans::new()).map(|parsed| parsed.status());
        assert_eq!(error, Err(LineError::NoRequest), "{line}");
    }
}

#[test]
fn a_status_is_never_passed_over() {
    for line in [r#"{"status":502,"endpoint":"/a"}"#, r#"{"code":500,"msg":"job failed"}"#] {
        let exchange = read("json", line);
        assert!(exchange.status.is_some() && exchange.target.is_none(), "{line}");
        assert!(detect([line.as_bytes()].into_iter()).chosen().is_none(), "{line}");
    }
    for (spec, line) in [("json", r#"{"my_status":502,"at":"/a"}"#), ("caddy", r#"{"DownstreamStatus":502}"#)]
    {
        let format = compiled(spec);
        let error = format.parse(line.as_bytes(), &mut Spans::new()).map(|parsed| parsed.status());
        assert!(matches!(error, Err(LineError::Mismatch { .. })), "{line}: {error:?}");
    }
}

#[test]
fn a_request_without_an_answer_is_one() {
    for status in ["0", "-1", r#""-1""#] {
        let line = format!(r#"{{"uri":"/a","status":{status}}}"#);
        assert_eq!(read("json", &line).status, Some(0), "{line}");
    }
    let line = r#"{"startedDateTime":"2026-11-22T06:22:52Z","request":{"url":"http://h/a"},"response":{"status":-1}}"#;
    assert!(rewritten("har", line).contains(r#""response":{"status":200}"#), "{}", rewritten("har", line));
    // What another key says counts more.
    let spec = "json:status=.upstream,status=.status,url=.uri";
    assert_eq!(read(spec, r#"{"uri":"/a","upstream":-1,"status":502}"#).status, Some(502));
}

#[test]
fn a_host_is_trusted_beside_the_url_only() {
    for (line, host) in [
        (r#"{"host":"shop.example","uri":"/a","status":502}"#, Some("shop.example")),
        (r#"{"host":"web-1","request":"GET /a HTTP/1.1","status":502}"#, None),
        (r#"{"host":"203.0.113.9","remote_addr":"203.0.113.9","uri":"/a","status":502}"#, None),
        (
            r#"{"host":"web-1","request":{"url":"/a","host":"shop.example"},"status":502}"#,
            Some("shop.example"),
        ),
        (r#"{"host":"web-1","request":{"url":"/a"},"status":502}"#, None),
        (r#"{"url":"https://shop.example:443/a","status":502}"#, Some("shop.example")),
        (r#"{"url":"https://evil.example/a","http_host":"shop.example","status":502}"#, Some("shop.example")),
    ] {
        let host_read = read("json", line).host.map(|host| host.to_string());
        assert_eq!(host_read.as_deref(), host, "{line}");
    }
    let line = r#"{"url":"https://evil.example/a","http_host":"shop.example","status":502}"#;
    assert_eq!(target("json", line).0, "https://evil.example/a", "another host stays in the target");
}

#[test]
fn everything_else_in_the_line_stays() {
    for (spec, line, expected) in [
        (
            "json",
            r#"{ "time":"2026-11-22T06:41:40+00:00","status":"502","request":"GET /a HTTP/1.1","uri":"\/a","x":[1,{}],"bytes":9,"request_time":0.001 }"#,
            r#"{ "time":"2026-12-01T00:30:05+00:00","status":"200","request":"GET /a?retry=True HTTP/1.1","uri":"\/a?retry=True","x":[1,{}],"bytes":512,"request_time":0.023 }"#,
        ),
        (
            "json",
            r#"{"status":502,"uri":"/a\u003fb#f","args":"b"}"#,
            r#"{"status":200,"uri":"/a\u003fb&retry=True#f","args":"b&retry=True"}"#,
        ),
        (
            "json",
            r#"{"status":502,"path":"/a","query":""}"#,
            r#"{"status":200,"path":"/a","query":"retry=True"}"#,
        ),
        (
            "ltsv",
            "time:[22/Nov/2026:06:41:40 +0000]\thost:::1\treq:GET /a?b=c HTTP/1.1\tstatus:502\tsize:1\treqtime:0.100\tapptime:0.1",
            "time:[01/Dec/2026:00:30:05 +0000]\thost:::1\treq:GET /a?b=c&retry=True HTTP/1.1\tstatus:200\tsize:512\treqtime:0.023\tapptime:0.1",
        ),
        (
            "heroku",
            r#"2026-11-22T06:22:52.587782+00:00 heroku[router]: at=error method=GET path="/a" host=h fwd="::1" dyno= connect= service=30000ms status=503 bytes=0"#,
            r#"2026-12-01T00:30:05.250000+00:00 heroku[router]: at=error method=GET path="/a?retry=True" host=h fwd="::1" dyno= connect= service=23ms status=200 bytes=512"#,
        ),
        ("logfmt", "path=/a?b=c status=500 user=", "path=/a?b=c&retry=True status=200 user="),
        (
            "w3c:date time cs-uri-stem cs-uri-query sc-status time-taken",
            "2026-11-22 06:22:52 /a - 503 123",
            "2026-12-01 00:30:05 /a retry=True 200 23",
        ),
        (
            "gcp",
            r#"{"httpRequest":{"requestUrl":"https://h.example/a?b","status":502,"latency":"0.12s"}}"#,
            r#"{"httpRequest":{"requestUrl":"https://h.example/a?b&retry=True","status":200,"latency":"0.023s"}}"#,
        ),
        (
            "azure_appgw",
            r#"{"properties":{"requestUri":"/a","requestQuery":"SERVER-ROUTED=10.4.0.6","httpStatus":502}}"#,
            r#"{"properties":{"requestUri":"/a","requestQuery":"SERVER-ROUTED=10.4.0.6&retry=True","httpStatus":200}}"#,
        ),
    ] {
        assert_eq!(rewritten(spec, line), expected);
    }
}

#[test]
fn no_answer_is_written_as_each_syntax_can() {
    let mark = Mark::default();
    let time = "2026-12-01T00:30:05Z".parse().expect("a time");
    let change = Change { mark: &mark, time, status: None, bytes: None, duration_ms: None };
    for (spec, line, expected) in [
        (
            "json",
            r#"{"status":502,"uri":"/a","bytes":9,"request_time":0.1}"#,
            r#"{"status":0,"uri":"/a?retry=True","bytes":0,"request_time":null}"#,
        ),
        ("json", r#"{"status":"502","uri":"/a"}"#, r#"{"status":"000","uri":"/a?retry=True"}"#),
        ("logfmt", "path=/a status=502 duration_ms=9", "path=/a?retry=True status=000 duration_ms=-"),
    ] {
        let mut out = Vec::new();
        compiled(spec).rewrite(line.as_bytes(), &change, &mut out).expect("a line");
        assert_eq!(String::from_utf8_lossy(&out), expected);
        assert_eq!(read(spec, expected).status, Some(0));
    }
}

#[test]
fn a_map_names_the_keys() {
    let line = r#"{"res":{"code":502,"ms":12},"q":{"link":"https://shop.example/a?b"},"who":"x"}"#;
    let spec = "json:status=.res.code,url=.q.link,duration=.res.ms, client=.who";
    let exchange = read(spec, line);
    assert_eq!(exchange.target.as_deref(), Some("/a?b"));
    assert_eq!((exchange.status, exchange.duration_ms), (Some(502), Some(12.0)));
    let name = compiled(spec).name().to_owned();
    assert_eq!(name, "json:status=.res.code,url=.q.link,duration_ms=.res.ms,client=.who");
    assert_eq!(compiled(&name).name(), name);
    for (spec, message) in [
        ("json:url=.a", "it has no status; add `status=KEY`"),
        ("json:status=.a", "it has nothing to build a URL from; add `url=KEY`"),
        ("json:state=.a", "`state=.a` names no key; a map is written as `json:status=.code,url=.req.url`"),
        ("w3c:date time", "it has no status; add `sc-status`"),
    ] {
        let error = Format::compile(spec).map(|_| ()).expect_err(spec).to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_header_says_what_is_in_the_columns() {
    let waiting = compiled("iis");
    let line = b"2026-11-22 06:22:52 GET /a+b q=%20 80 curl/8.9+(x) 503 123";
    let error = waiting.parse(line, &mut Spans::new()).map(|parsed| parsed.status());
    let error = error.expect_err("no columns").to_string();
    assert_eq!(error, "its columns have no names: no `#Fields:` line stands before it");

    let header =
        b"#Fields: date time cs-method cs-uri-stem cs-uri-query s-port cs(User-Agent) sc-status time-taken";
    let format = waiting.header(header).expect("a header");
    assert_eq!(format.lossy(), ["path"]);
    let exchange = format.parse(line, &mut Spans::new()).expect("a line").exchange();
    assert_eq!(exchange.target.as_deref(), Some("/a+b?q=%20"));
    assert_eq!(exchange.user_agent.map(|agent| agent.to_string()).as_deref(), Some("curl/8.9 (x)"));
    assert_eq!((exchange.duration_ms, exchange.lossy), (Some(123.0), vec!["path".into()]));
    assert_eq!(compiled(format.name()).name(), format.name());

    let useless = format.header(b"#Fields: date time").expect("a header");
    let error = useless.parse(b"2026-11-22 06:22:52", &mut Spans::new()).map(|parsed| parsed.status());
    let error = error.expect_err("no status").to_string();
    assert_eq!(error, "its columns have no names: of the `#Fields:` line, it has no status; add `sc-status`");
    assert!(compiled("combined").header(header).is_none());

    let lines: [&[u8]; 3] = [b"#Version: 1.0", header, line];
    assert_eq!(detect(lines.into_iter()).chosen().map(Format::name), Some(format.name()));
    let lines: [&[u8]; 2] = [b"#Fields: date time", b"2026-11-22 06:22:52"];
    assert_eq!(
        detect(lines.into_iter()).chosen().map(Format::name),
        Some("w3c"),
        "its lines say what is missing"
    );
}

#[test]
fn cloudfront_s_layer_of_percent_encoding_is_undone_once() {
    let line = |stem: &str, query: &str| {
        format!(
            "2026-11-22\t06:22:52\tX\t1\t::1\tGET\td1.cloudfront.net\t{stem}\t502\t-\t-\t{query}\t-\tError\tid\tshop.example\thttps\t62\t0.113"
        )
    };
    for (stem, query, expected) in [
        ("/a%2520b%2525", "x=%22y%22", "/a%20b%25?x=%22y%22"),
        ("/a%C3%A9", "-", "/a%C3%A9"),
        ("/a%41", "b=%2541", "/a%41?b=%41"),
    ] {
        let line = line(stem, query);
        assert_eq!(target("cloudfront", &line), (expected.to_owned(), String::new()));
        rewritten("cloudfront", &line);
    }
    let exchange = read("cloudfront", &line("/a", "-"));
    assert_eq!(exchange.host.map(|host| host.to_string()).as_deref(), Some("shop.example"));
    assert_eq!(exchange.duration_ms, Some(113.0));
}

#[test]
fn hostile_nesting_and_many_keys_are_bounded() {
    let deep = |open: &str, close: &str| {
        format!(r#"{{"status":502,"uri":"/a","x":{}{}}}"#, open.repeat(10_000), close.repeat(10_000))
    };
    assert_eq!(target("json", &deep("[", "]")).0, "/a");
    assert_eq!(target("json", &deep(r#"{"a":"#, "}").replace("}}}", "1}}}")).0, "/a");
    let inside = format!(r#"{{"status":502,"uri":{}"/a"{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let found = compiled("json").parse(inside.as_bytes(), &mut Spans::new()).map(|parsed| parsed.status());
    assert_eq!(found, Ok(Some(502)));
    assert_eq!(read("json", &inside).target, None, "nothing is looked for so deep");
    let many = (0..1_000_000).fold(String::new(), |many, key| many + "\"k" + &key.to_string() + "\":1,");
    assert_eq!(target("json", &format!(r#"{{{many}"status":502,"uri":"/a"}}"#)).0, "/a");
}

/// The name of a shop is no client: all of its clients would be one, and the success of one would stand for the failure of another.
#[test]
fn the_host_of_an_ltsv_line_is_the_client_only_where_no_address_stands_beside_it() {
    for (line, client) in [
        ("status:502\trequest_uri:/a\thost:203.0.113.9", "203.0.113.9"),
        ("status:502\trequest_uri:/a\thost:shop.example\tremote_addr:203.0.113.9", "203.0.113.9"),
        ("status:502\trequest_uri:/a\tremote_addr:-\thost:203.0.113.9", "203.0.113.9"),
    ] {
        assert_eq!(read("ltsv", line).client.unwrap_or_default(), client, "{line}");
    }
}
