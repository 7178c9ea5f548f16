//! How lines are read: what stands in fields, and what clients may try.

use logretry_format::{Format, LineError, Spans};
use logretry_record::{Exchange, Scheme};

fn read(spec: &str, line: &str) -> Result<Exchange, LineError> {
    let format =
        Format::compile(spec).unwrap_or_else(|error| panic!("cannot read the format `{spec}`: {error}"));
    format.parse(line.as_bytes(), &mut Spans::new()).map(|parsed| parsed.exchange())
}

fn exchange(spec: &str, line: &str) -> Exchange {
    read(spec, line).unwrap_or_else(|error| panic!("cannot use the line `{line}` in `{spec}`: {error}"))
}

fn host(spec: &str, line: &str) -> (Option<String>, Option<Scheme>) {
    let exchange = exchange(spec, line);
    (exchange.host.map(|host| host.to_string()), exchange.scheme)
}

#[test]
fn a_line_gives_all_that_it_holds() {
    let line = r#"203.0.113.9 - john doe [22/Nov/2026:08:22:52 +0200] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9 \x22x\x22" 130 1.002 [web] [] 10.0.0.1:80, 10.0.0.2:80 0, - 1.002, - 504, 502 7f2a"#;
    insta::assert_debug_snapshot!(exchange("ingress-nginx", line), @r#"
    Exchange {
        time: Some(
            2026-11-22T06:22:52Z,
        ),
        method: Some(
            "GET",
        ),
        target: Some(
            "/a?b=c",
        ),
        host: None,
        scheme: None,
        status: Some(
            502,
        ),
        duration_ms: Some(
            1002.0,
        ),
        bytes: Some(
            157,
        ),
        client: Some(
            "203.0.113.9",
        ),
        user_agent: Some(
            "curl/8.9 \"x\"",
        ),
        request_id: Some(
            "7f2a",
        ),
        headers: [],
        body: None,
        undelivered: None,
        lossy: [],
    }
    "#);
}

#[test]
fn fields_are_shown_as_the_format_names_them() {
    let format = Format::compile("%h \"%r\" %>s").expect("a format");
    let mut spans = Spans::new();
    let parsed = format.parse(br#"::1 "GET /\"a HTTP/1.1" 503"#, &mut spans).expect("a line");
    let fields: Vec<_> = parsed
        .fields()
        .map(|field| (field.name, String::from_utf8_lossy(field.raw), field.used_for))
        .collect();
    assert_eq!(
        fields,
        [
            ("%h", "::1".into(), "client"),
            ("%r", "GET /\\\"a HTTP/1.1".into(), "request line: method and URL"),
            ("%>s", "503".into(), "status"),
        ]
    );
}

#[test]
fn odd_lines_are_read_too() {
    let combined = |user: &str, request: &str, status: &str| {
        let exchange = exchange(
            "combined",
            &format!(r#"::1 - {user} [22/Nov/2026:06:41:41 +0000] "{request}" {status} - "" "-""#),
        );
        (exchange.method, exchange.target, exchange.status)
    };
    let get = |target: &str| (Some("GET".to_owned()), Some(target.to_owned()));
    for (user, request, status, (method, target), code) in [
        ("john doe", "GET /a HTTP/1.1", "500", get("/a"), Some(500)),
        (r#""""#, "GET /a HTTP/1.1", "500", get("/a"), Some(500)),
        ("a [b", "GET /a HTTP/1.1", "500", get("/a"), Some(500)),
        ("-", "GET /old", "000", get("/old"), Some(0)),
        ("-", "GET /a b c HTTP/1.1", "009", get("/a%20b%20c"), Some(9)),
        ("-", "GET http://h:8080/a HTTP/1.1", "504", get("http://h:8080/a"), Some(504)),
        ("-", "GET /a#f HTTP/1.1", "500", get("/a"), Some(500)),
        ("-", "", "400", (None, None), Some(400)),
        ("-", "-", "400", (None, None), Some(400)),
        ("-", r"\x16\x03\x01 \x02", "400", (None, None), Some(400)),
        ("-", "GET /a HTTP/1.1", "-", get("/a"), None),
    ] {
        assert_eq!(combined(user, request, status), (method, target, code), "{user} {request}");
    }
}

#[test]
fn a_line_that_does_not_fit_says_where() {
    let error = read("combined", r#"::1 - - [22/Nov/2026:06:41:41 +0000] "GET / HTTP/1.1" 50 1 "-" "-""#);
    assert_eq!(
        error.expect_err("no status").to_string(),
        "it is not in the format: at byte 54 there should be `%>s`"
    );
    let error = read("common", r#"::1 - - [22/Nov/2026:06:41:41 +0000] "GET / HTTP/1.1" 500 1 "-""#);
    assert_eq!(
        error.expect_err("too much").to_string(),
        "it is not in the format: at byte 59 there should be the end of the line"
    );
    assert!(
        exchange("common", "::1 - - [22/Nov/2026:06:41:41 +0000] \"GET / HTTP/1.1\" 500 1\r")
            .target
            .is_some()
    );
}

#[test]
fn hosts_come_from_the_best_field_that_has_one() {
    let some = |host: &str| Some(host.to_owned());
    for (spec, line, expected) in [
        (
            "$http_host $host $server_name \"$request\" $status",
            "h:81 h s \"GET / HTTP/1.1\" 500",
            (some("h:81"), None),
        ),
        (
            "$server_name $host $http_host \"$request\" $status",
            "s h - \"GET / HTTP/1.1\" 500",
            (some("h"), None),
        ),
        ("$host \"$request\" $status", "_ \"GET / HTTP/1.1\" 500", (None, None)),
        ("%v:%p \"%r\" %>s", "h:443 \"GET / HTTP/1.1\" 500", (some("h"), Some(Scheme::Https))),
        ("%v:%p \"%r\" %>s", "h:80 \"GET / HTTP/1.1\" 500", (some("h"), Some(Scheme::Http))),
        ("%v:%p \"%r\" %>s", "h:8080 \"GET / HTTP/1.1\" 500", (some("h:8080"), None)),
        ("$http_host $server_port \"$request\" $status", "h 8080 \"GET / HTTP/1.1\" 500", (some("h"), None)),
        (
            "$remote_port [$server_name:$server_port] \"$request\" $status",
            " [h:] \"GET / HTTP/1.1\" 500",
            (some("h"), None),
        ),
        (
            "$scheme $host $server_port \"$request\" $status",
            "https h 443 \"GET / HTTP/1.1\" 500",
            (some("h"), Some(Scheme::Https)),
        ),
        (
            "$http_x_forwarded_proto $scheme \"$request\" $status",
            "https http \"GET / HTTP/1.1\" 500",
            (None, Some(Scheme::Http)),
        ),
        ("%{X-Forwarded-Proto}i \"%r\" %>s", "https \"GET / HTTP/1.1\" 500", (None, Some(Scheme::Https))),
        ("%v \"%r\" %>s", "2001:db8::1 \"GET / HTTP/1.1\" 500", (some("2001:db8::1"), None)),
    ] {
        assert_eq!(host(spec, line), expected, "{spec}");
    }
}

#[test]
fn a_url_into_which_a_disk_has_put_nul_bytes_is_not_the_one_that_was_asked_for() {
    for (target, lossy) in
        [("/a\0\0", ["path"].as_slice()), ("/a?b\0", &["query"]), ("/a\\x00", &[]), ("/a b", &[])]
    {
        let line = format!("h - - [22/Nov/2026:06:22:52 +0000] \"GET {target} HTTP/1.1\" 502 7 \"-\" \"-\"");
        assert_eq!(exchange("combined", &line).lossy, lossy, "{target}");
    }
}

/// What a client had asked for in the next line was sent as the end of what another one had asked for in the torn one.
#[test]
fn a_line_that_stands_behind_a_torn_one_is_no_part_of_its_url() {
    let aiohttp = r#"203.0.113.9 [22/Nov/2026:06:22:52 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9""#;
    let envoy = r#"[2026-11-22T06:22:52.859Z] "GET /a?b=c HTTP/2" 503 UF 0 91 5 - "-" "curl/8.9" "7f2a" "shop.example" "-""#;
    for (format, line, part) in [
        ("aiohttp", aiohttp, "GET /a"),
        ("aiohttp", aiohttp, "GET /a?b=c HTTP/1.1\" 502 157 "),
        ("envoy", envoy, "GET /a?b"),
    ] {
        assert!(exchange(format, line).lossy.is_empty(), "{line}");
        let (whole, _) = line.split_once(part).expect("a part of it");
        let exchange = exchange(format, &[whole, part, line].concat());
        assert!(exchange.lossy == if part.contains('?') { ["query"] } else { ["path"] }, "{exchange:?}");
    }
    for target in [r#"/a?b="GET"c"#, r#"/a?b="get c""#] {
        assert!(exchange("envoy", &envoy.replacen("/a?b=c", target, 1)).lossy.is_empty(), "{target}");
    }
    // Node.js and Tornado take no request whose target has spaces, and log them without quotes.
    for (format, line) in [
        ("morgan_short", "203.0.113.9 - GET /a?b=c HTTP/1.1 500 5 - 0.163 ms"),
        ("morgan_tiny", "GET /a?b=c 500 5 - 0.163 ms"),
        ("morgan_dev", "GET /a?b=c 500 0.163 ms - 5"),
        ("tornado_plain", "502 GET /a?b=c (203.0.113.9) 0.50ms"),
        ("koa", "  --> GET /a?b=c 502 5ms 157b"),
    ] {
        assert_eq!(exchange(format, line).target.as_deref(), Some("/a?b=c"), "{line}");
        let (whole, _) = line.split_once("?b").expect("a query");
        assert!(read(format, &[whole, line].concat()).is_err(), "{line}");
    }
    let escaped = r#"h - - [22/Nov/2026:06:22:52 +0000] "GET /a?q=\"GET /b HTTP/1.1" 502 7 "-" "-""#;
    assert!(exchange("combined", escaped).lossy.is_empty());
}

#[test]
fn urls_are_put_together_from_parts() {
    for (spec, line, target) in [
        ("$scheme://$host$request_uri $status", "https://h/a?b=c 500", "/a?b=c"),
        ("$request_method $http_host$uri$is_args$args $status", "GET h:81/a b?c=d 500", "/a%20b?c=d"),
        ("$request_method $http_host$uri$is_args$args $status", "GET h:81/a- 500", "/a"),
        ("%m %U%q %>s", "GET /a?b=c 500", "/a?b=c"),
        ("%m %U%q %>s", "GET /100% 500", "/100%25"),
        ("%m %U %q %>s", "GET /a?b ?c=d 500", "/a%3Fb?c=d"),
        ("$uri?$args $status", "/a?- 500", "/a"),
        ("$request_uri|$uri|$status", "/%61|/a|500", "/%61"),
        ("\"$request\" $request_uri $status", "\"-\" /b 500", "/b"),
    ] {
        assert_eq!(exchange(spec, line).target.as_deref(), Some(target), "{spec}");
    }
}

#[test]
fn durations_are_milliseconds_and_no_bytes_are_a_dash() {
    for (spec, line, ms) in [
        ("%r %>s %D", "GET / 500 1500", 1.5),
        ("%r %>s %T", "GET / 500 2", 2000.0),
        ("%r %>s %{ms}T", "GET / 500 12", 12.0),
        ("%r %>s %T %{us}T", "GET / 500 2 2345678", 2345.678),
        ("%(r)s %(s)s %(L)s", "GET / 500 0.001002", 1.002),
        ("$request $status $request_time", "GET / 500 1.002", 1002.0),
    ] {
        assert_eq!(exchange(spec, line).duration_ms, Some(ms), "{spec}");
    }
    assert_eq!(exchange("%r %>s %b", "GET / 500 -").bytes, Some(0));
    assert_eq!(exchange("%r %>s %D", "GET / 500 -").duration_ms, None);
}

#[test]
fn what_a_client_writes_into_escaped_fields_forges_nothing() {
    // The server escapes the quotes of the user's name.
    let user = r"x [22/Nov/2026:06:00:00 +0000] \x22GET /evil HTTP/1.1\x22 200 1 \x22-\x22 \x22-\x22";
    let line = format!(r#"::1 - {user} [22/Nov/2026:06:41:41 +0000] "GET /a HTTP/1.1" 500 1 "-" "-""#);
    let exchange = exchange("combined", &line);
    assert_eq!((exchange.target.as_deref(), exchange.status), (Some("/a"), Some(500)));
}

#[test]
fn a_line_that_can_be_read_as_two_requests_is_refused() {
    // `escape=none`: the request or the user agent may hold the rest.
    let raw = "log_format r escape=none '$host \"$request\" $status \"$http_user_agent\"';";
    for line in [r#"a "GET /x HTTP/1.1" 200 "q" 503 "x""#, r#"a "GET /x" 503 "GET /y" 502 "z""#] {
        assert_eq!(read(raw, line), Err(LineError::Ambiguous), "{line}");
    }
    assert_eq!(
        exchange(raw, r#"a "GET /a"%20200%20"b\x HTTP/1.1" 503 "q"uo\te""#).target.as_deref(),
        Some("/a%22%20%20200%20%22b%5Cx".replace("%20%20", "%20").as_str())
    );
    // A decoded path may hold spaces.
    assert_eq!(read("%m %U %>s %D %f", "GET /x 200 5 /srv 500 12 /srv"), Err(LineError::Ambiguous));
    // A field that holds spaces may stand before them: a path begins with `/`.
    let exchange = exchange("$city $host $request_uri $status", "New York h /a 500");
    assert_eq!(exchange.host.map(|host| host.to_string()).as_deref(), Some("h"));
}

#[test]
fn two_readings_of_the_same_request_are_one() {
    assert_eq!(
        exchange("$http_x_forwarded_for - $remote_user \"$request\" $status", "1 - 2 - 3 \"GET /a\" 500")
            .status,
        Some(500)
    );
}

#[test]
fn a_line_with_too_many_readings_is_given_up() {
    let spec = "log_format r escape=none '$http_a $http_b $http_c $status $request';";
    let error = read(spec, &format!("{}500 GET /a", "x ".repeat(2000))).expect_err("hopeless");
    assert!(matches!(error, LineError::TooManyReadings { .. }), "{error}");
}

/// However many they are, the stack holds.
#[test]
fn a_line_with_too_many_fields_of_which_each_may_end_elsewhere_is_given_up() {
    let spec = format!("\"$request\" $status {}", "$a ".repeat(20_000));
    let error = read(&spec, &format!("\"GET /a\" 500 {}", "x ".repeat(20_010))).expect_err("hopeless");
    assert!(matches!(error, LineError::TooManyReadings { .. }), "{error}");
}
