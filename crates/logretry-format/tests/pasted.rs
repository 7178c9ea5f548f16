//! Formats of HAProxy, Envoy, Tomcat and Varnish as they stand in configurations, and expressions.

use logretry_format::{Change, Format, Spans, SpecError};
use logretry_record::{Exchange, Mark, Scheme};

fn compiled(spec: &str) -> Format {
    let format =
        Format::compile(spec).unwrap_or_else(|error| panic!("cannot read the format `{spec}`: {error}"));
    let again = Format::compile(format.name()).unwrap_or_else(|error| panic!("{}: {error}", format.name()));
    assert_eq!(again.name(), format.name(), "the name reads back as itself");
    assert!(again.fields().eq(format.fields()), "{spec}");
    format
}

fn read(spec: &str, line: &str) -> Exchange {
    let format = compiled(spec);
    let exchange = format.parse(line.as_bytes(), &mut Spans::new()).map(|parsed| parsed.exchange());
    exchange.unwrap_or_else(|error| panic!("cannot use the line `{line}` in `{spec}`: {error}"))
}

/// Method, target, host and status.
fn request(exchange: &Exchange) -> (&str, &str, String, u16) {
    (
        exchange.method.as_deref().unwrap_or_default(),
        exchange.target.as_deref().unwrap_or_default(),
        exchange.host.as_ref().map(ToString::to_string).unwrap_or_default(),
        exchange.status.unwrap_or_default(),
    )
}

#[test]
fn lists_of_upstreams_end_at_whatever_follows_them() {
    for (spec, line) in [
        ("$status|$upstream_status|$request", "502|502, 504|GET /a HTTP/1.1"),
        ("us=$upstream_status; $status $request", "us=502, 504 : 502; 502 GET /a HTTP/1.1"),
        ("($upstream_status) $status $request", "(-) 502 GET /a HTTP/1.1"),
        ("{${upstream_status}} $status $request", "{502, 502} 502 GET /a HTTP/1.1"),
        ("$upstream_addr/$status $request", "unix:/run/app.sock/502 GET /a HTTP/1.1"),
        ("$upstream_addr:$status $request", "10.0.0.1:80, 10.0.0.2:81:502 GET /a HTTP/1.1"),
        ("<$upstream_addr>$status $request", "<10.0.0.1:80>502 GET /a HTTP/1.1"),
        ("$upstream_response_time' $status $request", "0.001, -' 502 GET /a HTTP/1.1"),
        ("${upstream_response_time}s $status $request", "0.001s 502 GET /a HTTP/1.1"),
        (
            "$remote_addr [$upstream_addr] $status \"$request\"",
            "1.2.3.4 [[::1]:8080] 502 \"GET /a HTTP/1.1\"",
        ),
        (
            "$remote_addr [$upstream_addr] $status \"$request\"",
            "1.2.3.4 [[::1]:80, b] 502 \"GET /a HTTP/1.1\"",
        ),
        ("[$upstream_addr]$status $request", "[[::1]:80]502 GET /a HTTP/1.1"),
    ] {
        let exchange = read(&format!("nginx:{spec}"), line);
        assert_eq!(request(&exchange), ("GET", "/a", String::new(), 502), "{spec}");
    }
    let format = compiled("nginx:$status|$upstream_status|$request");
    let read =
        |line: &str| format.parse(line.as_bytes(), &mut Spans::new()).map(|parsed| parsed.exchange().method);
    assert_eq!(
        read("502|502|A|GET /a HTTP/1.1"),
        Ok(Some("A|GET".into())),
        "a client adds nothing to a list"
    );
}

#[test]
fn haproxy_s_format_is_the_same_however_it_is_quoted() {
    for spec in [
        r#"log-format "%ci:%cp [%tr] %ST %{+Q}r""#,
        r"log-format %ci:%cp\ [%tr]\ %ST\ %{+Q}r",
        "log-format '%ci:%cp [%tr] %ST %{+Q}r'",
        "%ci:%cp [%tr] %ST %{+Q}r",
        "\"%ci:%cp [%tr] %ST %{+Q}r\"",
        "haproxy:%ci:%cp [%tr] %ST %{+Q}r",
    ] {
        assert_eq!(compiled(spec).name(), r#"haproxy:"%ci:%cp [%tr] %ST %{+Q}r""#, "{spec}");
    }
}

#[test]
fn haproxy_s_variables_samples_and_flags_are_read() {
    let time = "[22/Nov/2026:06:41:42.866]";
    for (spec, line, expected) in [
        ("%[hdr(host)] %HM %HU %ST", "shop.example:81 GET /a?b 503", ("GET", "/a?b", "shop.example:81", 503)),
        ("%HM %HP%HQ %ST", "GET /a?b 503", ("GET", "/a?b", "", 503)),
        ("%HM %HP %ST", "GET /a 503", ("GET", "/a", "", 503)),
        ("%[capture.req.hdr(0)] %{+Q}r %ST", "x \"GET /a#22 HTTP/1.1\" 503", ("GET", "/a%22", "", 503)),
        ("%{+Q}o %ST %r %{-Q}ci", "503 \"GET /a HTTP/1.1\" ::1", ("GET", "/a", "", 503)),
        ("%{+E}r|%ST", r"GET /a\\b\]#22 HTTP/1.1|503", ("GET", "/a%5Cb]%22", "", 503)),
        ("%ST %% %r", "503 % GET /a HTTP/1.1", ("GET", "/a", "", 503)),
        ("%hr %hs %ST %r", "{h.example|x} {} 503 GET /a", ("GET", "/a", "h.example", 503)),
        ("%hr %hs %ST %r", "503 GET /a", ("GET", "/a", "", 503)),
        ("%[req.hdr(Host),lower] %ST %{+Q}r", "h 503 \"GET http://H/a HTTP/2.0\"", ("GET", "/a", "H", 503)),
        ("%ST %B/%U %{+Q}r", "-1 +10/20 \"<BADREQ>\"", ("", "", "", 0)),
    ] {
        assert_eq!(
            request(&read(spec, line)),
            (expected.0, expected.1, expected.2.to_owned(), expected.3),
            "{spec}"
        );
        let (spec, line) = (format!("[%tr] {spec}"), format!("{time} {line}"));
        let exchange = read(&format!("haproxy:{spec}"), &line);
        assert_eq!(exchange.time.map(|time| time.to_string()).as_deref(), Some("2026-11-22T06:41:42.866Z"));
    }
    // An operator's own name for a variable; gunicorn has parentheses too.
    assert_eq!(request(&read("haproxy:%(code)ST %r", "503 GET /a")).3, 503);
    assert!(compiled("[%tr] %ST %r").notes()[0].contains("UTC is assumed"));
    assert!(compiled("[%trg] %ST %r").notes().is_empty());
    assert_eq!(compiled("%HM %HP %ST").lossy(), ["query"]);
}

#[test]
fn what_haproxy_has_put_into_json_is_read() {
    for (spec, line, target) in [
        (
            r#"{"u":"%[capture.req.uri,json(utf8s)]","m":"%HM","s":%ST}"#,
            r#"{"u":"\/a?b=\"c#22\\","m":"GET","s":503}"#,
            "/a?b=%22c",
        ),
        (
            r#"{"u":"%[path,json()]","q":"%[query,json(utf8s)]","s":%ST}"#,
            r#"{"u":"\/a","q":"b=\u00e9","s":503}"#,
            "/a?b=%C3%A9",
        ),
        // Of the same in another way, it is that which is read.
        (
            r#"{"u":"%[capture.req.uri,json(utf8s)]","r":"%r","s":%ST}"#,
            r#"{"u":"\/a","r":"GET /a#22b HTTP/1.1","s":503}"#,
            "/a%22b",
        ),
    ] {
        assert_eq!(request(&read(&format!("haproxy:{spec}"), line)).1, target, "{spec}");
    }
    let spec = r#"haproxy:{"u":"%[capture.req.uri,json(utf8s)]","m":"%HM","s":%ST}"#;
    assert_eq!(read(spec, r#"{"u":"-","m":"<BADREQ>","s":400}"#).target, None);
    assert!(Format::compile("haproxy:%[capture.req.uri,lower] %ST").is_err());
}

#[test]
fn haproxy_s_quotes_stand_where_its_versions_write_them() {
    let spec = r"log-format %{+Q}o\ %{-Q}ci\ -\ -\ [%trg]\ %hrl\ %r\ %ST\ %B\ %tsc\ %hrl\ %hsl";
    for rest in [
        r#""GET /a HTTP/1.1" 503 66 LR-- "shop.example" "curl/8.9" "#,
        r#""GET /a HTTP/1.1" 503 66 "LR--" "shop.example" "" "x""#,
        r#""shop.example" "curl/8.9" "GET /a HTTP/1.1" 503 66 "LR--" "#,
    ] {
        let line = format!("::1 - - [29/Nov/2026:13:41:14 +0000] {rest}");
        assert_eq!(request(&read(spec, &line)), ("GET", "/a", String::new(), 503), "{rest}");
    }
}

#[test]
fn envoy_s_format_is_read_with_and_without_its_quoting() {
    let text = r#"[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %REQ(:AUTHORITY):20%"#;
    let yaml = format!("text_format: \"{}\\n\"", text.replace('"', "\\\""));
    for spec in [text.to_owned(), format!("envoy:{text}"), yaml, format!("'{text}\\n'")] {
        let line = r#"[2026-11-22T06:41:42.866Z] "GET /a"b?c HTTP/2" 503 h.example"#;
        assert_eq!(request(&read(&spec, line)), ("GET", "/a%22b?c", "h.example".to_owned(), 503), "{spec}");
    }
    let long = text.replace("%REQ(", "%REQUEST_HEADER(");
    let line = r#"[2026-11-22T06:41:42.866Z] "GET /a HTTP/2" 503 h.example"#;
    assert_eq!(request(&read(&long, line)), ("GET", "/a", "h.example".to_owned(), 503));
    let exchange = read(
        "%START_TIME(%Y/%m/%d %H:%M:%S.%6f %z)% %REQ(:SCHEME)% %REQ(:PATH)% %RESPONSE_CODE% %DURATION%",
        "2026/11/22 08:41:42.000001 +0200 https /a 0 12",
    );
    assert_eq!(exchange.time.map(|time| time.to_string()).as_deref(), Some("2026-11-22T06:41:42.000001Z"));
    assert_eq!(
        (exchange.scheme, exchange.status, exchange.duration_ms),
        (Some(Scheme::Https), Some(0), Some(12.0))
    );
}

#[test]
fn tomcat_s_pattern_is_read_with_and_without_its_valve() {
    for spec in [
        r#"<Valve className="org.apache.catalina.valves.AccessLogValve" directory="logs" pattern="%h &quot;%r&quot; %s %D" />"#,
        r#"pattern="%h &quot;%r&quot; %s %D""#,
        r#"tomcat:%h "%r" %s %D"#,
    ] {
        assert_eq!(compiled(spec).name(), r#"tomcat:%h "%r" %s %D"#);
    }
    let exchange = read(
        "tomcat:%{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}t %m %U%q %s %{Host}i",
        "2026-11-22T08:41:42.866+02:00 GET /a%41?b 500 h",
    );
    assert_eq!(request(&exchange), ("GET", "/a%41?b", "h".to_owned(), 500));
    assert!(exchange.lossy.is_empty(), "Tomcat logs the path as it was sent");
    assert_eq!(exchange.time.map(|time| time.to_string()).as_deref(), Some("2026-11-22T06:41:42.866Z"));
    // Where there is no query it may write `-`.
    assert_eq!(request(&read("tomcat:%m %U %q %s", "GET /a - 500")).1, "/a");
    assert_eq!(
        read(
            "tomcat:combined",
            r#"::1 - - [22/Nov/2026:06:41:42 +0000] "GET /\u00e9 HTTP/1.1" 500 1 "-" "-""#
        )
        .target
        .as_deref(),
        Some("/%E9")
    );
}

#[test]
fn varnish_s_string_gives_hosts_and_no_scheme() {
    for spec in [r#"varnishncsa -a -w /var/log/x -F '%{Host}i "%r" %s'"#, r#"varnish:%{Host}i "%r" %s"#] {
        let exchange = read(spec, r#"h "GET http://h/a?b HTTP/1.1" 503"#);
        assert_eq!(request(&exchange), ("GET", "/a?b", "h".to_owned(), 503));
        assert_eq!(exchange.scheme, None);
    }
    let exchange = read("varnish:%m %U%q %s %{Varnish:handling}x", "GET /a?b 503 miss");
    assert_eq!((request(&exchange).1, exchange.lossy.len()), ("/a?b", 0));
}

#[test]
fn an_expression_reads_and_rewrites_by_its_groups() {
    let spec = r#"regex:(?<time>\S+) (?<client>\S+) "(?<method>[A-Z]+) (?<url>\S+)" (?<status>\d{3})(?: (?<duration_s>[\d.]+)s)?.*"#;
    for (line, after) in [
        (
            r#"2026-11-22T06:41:42.866Z ::1 "GET https://h.example:443/a" 502 0.250s tail"#,
            r#"2026-12-01T00:30:05.250Z ::1 "GET https://h.example:443/a?retry=True" 200 0.023s tail"#,
        ),
        (
            r#"1795329702 ::1 "GET https://h.example/a?b" 502"#,
            r#"1796085005 ::1 "GET https://h.example/a?b&retry=True" 200"#,
        ),
    ] {
        let exchange = read(spec, line);
        assert_eq!((request(&exchange).2.as_str(), request(&exchange).3), ("h.example", 502));
        assert_eq!(exchange.scheme, Some(Scheme::Https));
        assert!(exchange.target.is_some_and(|target| target.starts_with("/a")) && exchange.time.is_some());
        assert_eq!(rewritten(spec, line), after);
    }
    for (spec, line, after) in [
        // Nested groups are changed once.
        (
            r"regex:(?<request>\S+ (?<target>\S+) HTTP/1\.1) (?<status>\d+)",
            "GET /a HTTP/1.1 500",
            "GET /a?retry=True HTTP/1.1 200",
        ),
        // A query that is not there is put behind the path.
        (r"regex:(?<path>/[^? ]*)(?:\?(?<query>\S*))? (?<status>\d+)", "/a 500", "/a?retry=True 200"),
        (r"regex:(?<path>/[^? ]*)(?:\?(?<query>\S*))? (?<status>\d+)", "/a?b 500", "/a?b&retry=True 200"),
    ] {
        assert_eq!(rewritten(spec, line), after, "{spec}");
    }
    let format = compiled(spec);
    assert!(
        format.parse(br#"x 1 ::1 "GET /a" 502"#, &mut Spans::new()).is_err(),
        "the whole line must match"
    );
}

fn rewritten(spec: &str, line: &str) -> String {
    let mark = Mark::default();
    let time = "2026-12-01T00:30:05.250Z".parse().expect("a time");
    let change = Change { mark: &mark, time, status: Some(200), bytes: Some(512), duration_ms: Some(23.14) };
    let mut out = Vec::new();
    compiled(spec).rewrite(line.as_bytes(), &change, &mut out).expect("a line of the format");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn haproxy_s_escapes_begin_no_fragment() {
    let spec = "%ST %{+Q}r";
    assert_eq!(rewritten(spec, r#"500 "GET /a#22b HTTP/1.1""#), r#"200 "GET /a#22b?retry=True HTTP/1.1""#);
    assert_eq!(
        rewritten(spec, r#"500 "GET /a?b#22#23c HTTP/1.1""#),
        r#"200 "GET /a?b#22&retry=True#23c HTTP/1.1""#
    );
}

#[test]
fn what_is_missing_is_said_at_the_start() {
    for (spec, message) in [
        ("%ci [%tr] %{+Q}r", "it has no status; add `%ST`"),
        ("%ci [%tr] %ST", "it has nothing to build a URL from; add `%{+Q}r`, or `%HM` and `%HU`"),
        ("haproxy:%ST %zz", "`%zz` at byte 12 is nothing that HAProxy can log"),
        ("log-format", "`log-format` needs a string"),
        ("%START_TIME% %REQ(:PATH)%", "it has no status; add `%RESPONSE_CODE%`"),
        ("%RESPONSE_CODE% %REQ(:METHOD)%", "add `%REQ(:METHOD)%` and `%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%`"),
        ("tomcat:%h %r", "it has no status; add `%s`"),
        ("tomcat:%r %s %{QQ}t", "the time conversion `QQ`"),
        ("varnish:%s", "it has nothing to build a URL from; add `%r`"),
        (
            "regex:(?<status>\\d+)",
            "it has nothing to build a URL from; add `(?<request>…)`, `(?<target>…)` or `(?<url>…)`",
        ),
        ("regex:(?<target>.*)", "it has no status; add `(?<status>\\d{3})`"),
        ("regex:(?<status>", "the expression cannot be used: unclosed group"),
        ("regex:.*", "the expression cannot be used: it has no named group"),
        ("regex:(?<status>(a{1000}){1000})", "the expression cannot be used: it is too big"),
    ] {
        let refusal = Format::compile(spec).expect_err(spec).to_string();
        assert!(refusal.contains(message), "{spec}: {refusal}");
    }
    assert!(matches!(Format::from_config("", None), Err(SpecError::NoneInConfig)));
}

/// Fuzzing found the first: a carriage return has no escape in a varnishncsa string.
#[test]
fn a_name_with_backslashes_and_controls_compiles_to_the_same_format() {
    for spec in [
        "varnish:%s%r\\\r",
        "varnish:%s \\\\x\t%r\"",
        "haproxy:%ST \\\\ %{+Q}r \r",
        "envoy:%RESPONSE_CODE% \\ %REQ(:METHOD)% %REQ(:PATH)% \r",
        "nginx:$status \\ $request_uri \r'",
        "apache:%>s \\\\ %r \r",
    ] {
        let Ok(format) = Format::compile(spec) else { panic!("{spec:?} compiles") };
        let again = Format::compile(format.name()).expect("a name compiles");
        assert_eq!(again.name(), format.name(), "{spec:?}");
    }
}
