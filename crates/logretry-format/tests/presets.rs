//! What presets make of odd lines: each is one that a real producer writes.

use logretry_format::{Format, LineError, Spans};
use logretry_record::{Exchange, Scheme};

fn read(preset: &str, line: &str) -> Result<Exchange, LineError> {
    let format = Format::compile(preset).expect("a preset");
    format.parse(line.as_bytes(), &mut Spans::new()).map(|parsed| parsed.exchange())
}

fn exchange(preset: &str, line: &str) -> Exchange {
    read(preset, line).unwrap_or_else(|error| panic!("cannot use the line `{line}` in `{preset}`: {error}"))
}

/// Scheme, host and target as one text; `-` is a part that is not known.
fn url(exchange: &Exchange) -> String {
    let scheme = exchange.scheme.map_or("-", |scheme| if scheme == Scheme::Https { "https" } else { "http" });
    let host = exchange.host.as_ref().map_or("-".to_owned(), ToString::to_string);
    format!("{scheme} {host} {}", exchange.target.as_deref().unwrap_or("-"))
}

fn haproxy(rest: &str) -> String {
    format!("203.0.113.9:33317 [22/Nov/2026:06:41:42.866] fe be/s1 0/0/0/-1/1001 {rest}")
}

#[test]
fn haproxy_s_common_log_format_is_read_with_and_without_quotes_around_the_state() {
    for state in ["LR--", "\"LR--\""] {
        let line = format!(
            r#"1.2.3.4 - - [29/Nov/2026:13:41:14 +0000] "GET /q#22uo#22te?x=1 HTTP/1.1" 503 66 "" "" 35628 098 "clf" "none" "<NOSRV>" 0 -1 -1 -1 0 {state} 1 1 0 0 0 0 0 "" "" "shop.example" "curl/8.9" "#
        );
        assert_eq!(url(&exchange("haproxy_clf", &line)), "- shop.example /q%22uo%22te?x=1");
        let found = logretry_format::detect([line.as_bytes()].into_iter());
        assert_eq!(found.chosen().map(Format::name), Some("haproxy_clf"), "{state}");
    }
}

#[test]
fn haproxy_lines_have_captures_or_not() {
    let counters = "- - sH-- 1/1/0/0/0 0/0";
    for (rest, expected) in [
        (format!(r#"504 198 {counters} "GET /a?b HTTP/1.1""#), "- - /a?b"),
        (r#"504 +198 - - sH-- 1/1/0/0/+3 0/0 "GET /a?b HTTP/1.1""#.to_owned(), "- - /a?b"),
        (
            format!(r#"504 198 {counters} {{shop.example.com|a b}} {{x|}} "GET /a?b HTTP/1.1""#),
            "- shop.example.com /a?b",
        ),
        (format!(r#"504 198 {counters} {{}} "GET /q#22 HTTP/1.1""#), "- - /q%22"),
        (
            format!(r#"503 198 {counters} {{h.example}} "GET https://h2.example/a HTTP/2.0""#),
            "https h2.example /a",
        ),
        (
            format!(r#"503 198 {counters} {{h.example}} "GET http://h1.example/a HTTP/1.1""#),
            "- h.example http://h1.example/a",
        ),
        (format!(r#"400 0 {counters} "<BADREQ>""#), "- - -"),
    ] {
        let exchange = exchange("haproxy", &haproxy(&rest));
        assert_eq!(url(&exchange), expected, "{rest}");
        assert!(exchange.lossy.is_empty());
    }
    let tls = haproxy(&format!(r#"504 198 {counters} "GET /a HTTP/1.1""#)).replace(" fe ", " fe~ ");
    assert_eq!(url(&exchange("haproxy", &tls)), "https - /a");
    let unanswered = haproxy(&format!(r#"-1 0 {counters} "GET /a HTTP/1.1""#)).replace("be/s1", "fe/<NOSRV>");
    assert_eq!(exchange("haproxy", &unanswered).status, None);
}

#[test]
fn a_haproxy_line_that_was_cut_is_lossy() {
    for (request, target, lossy) in [
        ("GET /aaaa", "/aaaa", ["path", "query"].as_slice()),
        ("GET /aaaa?b=", "/aaaa?b=", &["query"]),
        ("GET /aaaa?b=c HTTP/1.1", "/aaaa?b=c", &[]),
        ("GET /aaaa?b=c HTTP/1.", "/aaaa?b=c%20HTTP/1.", &["query"]),
    ] {
        let exchange = exchange("haproxy", &haproxy(&format!("504 198 - - sH-- 1/1/0/0/0 0/0 \"{request}")));
        assert_eq!(
            (exchange.target.as_deref(), exchange.lossy.as_slice()),
            (Some(target), lossy.iter().map(|&part| part.into()).collect::<Vec<_>>().as_slice())
        );
    }
    assert!(read("haproxy", &haproxy("504 198 - - sH-- 1/1/0/0/0 0/0 {shop.exa")).is_err());
}

#[test]
fn balancers_of_aws_name_host_and_scheme_in_the_request() {
    let alb = |request: &str, targets: &str| {
        format!(
            r#"h2 2026-11-22T06:41:42.866102Z app/shop/50dc 203.0.113.9:4417 {targets} 34 366 "{request}" "ua \x22 x" - - - "Root=1" "-" "-" 0 2026-11-22T06:41:42.865000Z "forward" "-" "-" "-" "-" "-" "-" TID_1 "new" "fields""#
        )
    };
    let failed = "- -1 -1 -1 502 -";
    for (request, expected) in [
        ("GET https://www.example.com:443/p?q HTTP/1.1", "https www.example.com /p?q"),
        ("GET http://www.example.com:80/ HTTP/1.1", "http www.example.com /"),
        ("GET https://10.0.2.105:773/ HTTP/2.0", "https 10.0.2.105:773 /"),
        ("GET wss://www.example.com:443/ws HTTP/1.1", "- - wss://www.example.com:443/ws"),
        (r"GET https://h:443/quo\x22te HTTP/1.1", "https h /quo%22te"),
        ("- http://shop-1.us-east-2.elb.amazonaws.com:80- -", "- - -"),
    ] {
        assert_eq!(url(&exchange("alb", &alb(request, failed))), expected);
    }
    let of_target =
        exchange("alb", &alb("GET https://h:443/ HTTP/1.1", "10.0.0.1:80 0.086 0.048 0.037 503 200"));
    assert_eq!(
        (of_target.status, of_target.request_id.map(|id| id.to_string())),
        (Some(503), Some("Root=1".to_owned()))
    );
    assert!(read("alb", &alb("GET /p HTTP/1.1", failed)).is_err(), "a balancer writes whole URLs");
    let elb = |rest: &str| format!("2026-11-22T06:41:42.694172Z lb 203.0.113.9:54106 - -1 -1 -1 {rest}");
    assert_eq!(
        url(&exchange("elb", &elb(r#"504 0 0 0 "GET http://h:80/?a HTTP/1.1" "ua" - -"#))),
        "http h /?a"
    );
    assert_eq!(
        url(&exchange("elb", &elb(r#"504 0 0 0 "GET http://h:8080/?a HTTP/1.1""#))),
        "http h:8080 /?a"
    );
    assert_eq!(url(&exchange("elb", &elb(r#"- - 0 0 "- - - " "-" - -"#))), "- - -");
}

#[test]
fn s3_lines_grew_over_the_years() {
    let s3 = |rest: &str| {
        format!("79a5 bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - 3E57 REST.GET.OBJECT k {rest}")
    };
    for (rest, expected) in [
        (
            r#""GET /bucket/k?x HTTP/1.1" 503 SlowDown 113 - 7 - "-" "S3 "x" y" - h= SigV4 C A b.s3.amazonaws.com TLSv1.2 - - -"#,
            "https b.s3.amazonaws.com /bucket/k?x",
        ),
        (
            r#""GET /k HTTP/1.1" 503 - - - 7 - "-" "ua" - h= - - - b.s3.amazonaws.com -"#,
            "- b.s3.amazonaws.com /k",
        ),
        (r#""GET /k HTTP/1.1" 503 - - - 7 - "-" "ua" -"#, "- - /k"),
        ("- 200 - - - - -", "- - -"),
    ] {
        assert_eq!(url(&exchange("s3", &s3(rest))), expected, "{rest}");
    }
}

#[test]
fn nothing_is_escaped_by_envoy_so_forgeries_are_refused() {
    let envoy = |agent: &str| {
        format!(
            r#"[2026-11-22T06:41:42.866Z] "GET /a HTTP/2" 200 - 0 0 0 - "-" "{agent}" "id" "h.example" "10.0.0.1:80""#
        )
    };
    assert_eq!(url(&exchange("envoy", &envoy("ua \"quoted\" ua"))), "- h.example /a");
    // The request may end here or there.
    let forged = envoy(r#"x" "id" "h.example" "u""#).replacen(
        "/a HTTP/2\" 200",
        "/a HTTP/1\" 500 UF 0 0 0 - \"-\" \"x HTTP/2\" 200",
        1,
    );
    assert!(!matches!(read("envoy", &forged), Ok(exchange) if exchange.status == Some(500)));
    let unanswered = envoy("ua").replace(" 200 - ", " 0 DC ");
    assert_eq!(exchange("envoy", &unanswered).status, Some(0));
}

#[test]
fn what_squid_does_not_escape_is_read_in_one_way_or_not_at_all() {
    let squid = |agent: &str| {
        format!(
            r#"203.0.113.9 - - [22/Nov/2026:06:44:26 +0000] "GET http://h:8080/a HTTP/1.1" 200 33 "-" "{agent}" TCP_MISS:HIER_DIRECT"#
        )
    };
    assert_eq!(url(&exchange("squid_combined", &squid("a \"b\" c"))), "http h:8080 /a");
    // A request line ends in a protocol, so most of what clients put behind a quote makes none.
    let forged = exchange("squid_combined", &squid("x\" 503 1 \"-\" \"y"));
    assert_eq!((url(&forged).as_str(), forged.status), ("http h:8080 /a", Some(200)));
    assert_eq!(read("squid_combined", &squid("x HTTP/1.1\" 503 1 \"-\" \"y")), Err(LineError::Ambiguous));
    let native = |request: &str| {
        format!("1795329985.639      0 203.0.113.9 TCP_MISS/503 279 {request} - HIER_NONE/- -")
    };
    for (request, expected, lossy) in [
        ("GET http://h/item?", "http h /item?", 1),
        ("GET http://h/item?a=b?", "http h /item?a=b?", 0),
        ("GET https://h:8443/item", "https h:8443 /item", 0),
        ("CONNECT h:443", "- - h:443", 0),
        ("OPTIONS http://:80*", "http - *", 0),
        ("GET error:invalid-request", "- - -", 0),
        ("- error:transaction-end-before-headers", "- - -", 0),
    ] {
        let exchange = exchange("squid", &native(request));
        assert_eq!((url(&exchange).as_str(), exchange.lossy.len()), (expected, lossy), "{request}");
    }
}

#[test]
fn npm_s_second_status_is_the_client_s() {
    let npm = |statuses: &str| {
        format!(
            r#"[22/Nov/2026:06:41:40 +0000] {statuses} - GET https h.example "/a\x22?b" [Client 203.0.113.9] [Length 157] [Gzip 2.45] [Sent-to app] "ua" "-""#
        )
    };
    for (statuses, status) in
        [("- 502, 504 504", 504), ("HIT - 500", 500), ("- 502 : 200 200", 200), ("MISS 502 503", 503)]
    {
        let exchange = exchange("npm", &npm(statuses));
        assert_eq!(
            (url(&exchange).as_str(), exchange.status),
            ("https h.example /a%22?b", Some(status)),
            "{statuses}"
        );
    }
    let standard = npm("444").replace(" [Sent-to app]", "");
    assert_eq!(exchange("npm", &standard).status, Some(444));
}

#[test]
fn traefik_s_backend_is_not_the_url() {
    let traefik = |status: &str, router: &str| {
        format!(
            r#"203.0.113.9 - - [22/Nov/2026:06:41:40 +0000] "GET /a?b HTTP/2.0" {status} "-" "-" 262 "{router}" "http://172.19.0.3:5601" 2ms"#
        )
    };
    let exchange = exchange("traefik_clf", &traefik("502 11", "root@docker -> leaf@docker"));
    assert_eq!((url(&exchange).as_str(), exchange.duration_ms), ("- - /a?b", Some(2.0)));
    assert_eq!(read("traefik_clf", &traefik("- -", "-")).map(|exchange| exchange.status), Ok(None));
}

#[test]
fn application_servers_say_what_they_lose() {
    let uvicorn = exchange("uvicorn", r#"INFO:     203.0.113.9:38380 - "GET /a%20b?c HTTP/1.1" 599 "#);
    assert_eq!(
        (url(&uvicorn).as_str(), uvicorn.status, uvicorn.lossy.as_slice()),
        ("- - /a%20b?c", Some(599), ["path".into()].as_slice())
    );
    assert_eq!(Format::compile("uvicorn").expect("a preset").lossy(), ["path"]);
    let uwsgi = |duration: &str| {
        format!(
            "[pid: 1|app: -1|req: -1/1] ::1 (john doe) {{38 vars in 696 bytes}} [Sun Nov  1 06:41:42 2026] GET /a?b => generated 0 bytes in {duration} (HTTP/1.1 500) 2 headers in 90 bytes (1 switches on core 3)"
        )
    };
    for (duration, ms) in [("129 msecs", 129.0), ("68 micros", 0.068)] {
        let exchange = exchange("uwsgi", &uwsgi(duration));
        assert_eq!((url(&exchange).as_str(), exchange.duration_ms), ("- - /a?b", Some(ms)));
        assert_eq!(exchange.time.map(|time| time.to_string()).as_deref(), Some("2026-11-01T06:41:42Z"));
    }
    for (preset, line) in [
        ("morgan_tiny", "GET /a?b 500 - - - ms"),
        ("morgan_short", "::1 - GET /a?b HTTP/1.1 500 5 - 0.163 ms"),
        ("morgan_dev", "GET /a?b 500 0.163 ms - -"),
        ("tomcat", r#"::1 - - [22/Nov/2026:06:41:42 +0000] "GET /a?b HTTP/1.1" 500 -"#),
        (
            "kong",
            r#"::1 - - [22/Nov/2026:06:41:42 +0000] "GET /a?b HTTP/1.1" 500 1 "-" "-" kong_request_id: "7f""#,
        ),
    ] {
        assert_eq!(url(&exchange(preset, line)), "- - /a?b", "{preset}");
    }
    // Jetty escapes nothing.
    let jetty = |agent: &str| {
        format!(r#"[::1] - - [22/Nov/2026:06:41:42 +0000] "GET /a HTTP/1.1" 200 1 "-" "{agent}""#)
    };
    assert_eq!(exchange("jetty", &jetty("a \"b\" c")).status, Some(200));
    assert_eq!(exchange("jetty", &jetty("x\" 500 1 \"-\" \"y")).status, Some(200));
    assert_eq!(read("jetty", &jetty("x HTTP/1.1\" 500 1 \"-\" \"y")), Err(LineError::Ambiguous));
}

#[test]
fn lighttpd_names_the_host_that_the_client_sent() {
    let lighttpd = |host: &str, request: &str| {
        format!(r#"203.0.113.9 {host} - [22/Nov/2026:06:44:26 +0000] "{request}" 501 353 "-" "-""#)
    };
    for (host, request, expected) in [
        ("shop.example.com:8443", r"GET /a\\x22 HTTP/1.1", "- shop.example.com:8443 /a%5Cx22"),
        ("[2001:db8::1]:8080", "GET /a HTTP/1.1", "- [2001:db8::1]:8080 /a"),
        ("-", "  HTTP/1.1", "- - -"),
    ] {
        assert_eq!(url(&exchange("lighttpd", &lighttpd(host, request))), expected);
    }
    assert!(read("lighttpd", &lighttpd("identity", "GET /a HTTP/1.1")).is_err(), "that is identd's answer");
}

#[test]
fn an_apache_without_a_name_logs_its_address() {
    let rest = r#"- - [29/Nov/2026:13:44:12 +0000] "GET /fail?1 HTTP/1.1" 503 529 "-" "curl/7.88.1""#;
    for (beginning, url_of_host) in
        [("127.0.0.1:80 127.0.0.1", "http 127.0.0.1"), ("[::1]:8080 ::1", "- [::1]:8080")]
    {
        let line = format!("{beginning} {rest}");
        assert_eq!(url(&exchange("vhost_combined", &line)), format!("{url_of_host} /fail?1"));
        let detection = logretry_format::detect([line.as_bytes()].into_iter());
        assert_eq!(detection.chosen().map(Format::name), Some("vhost_combined"), "{line}");
    }
    // Without a port the first address may as well be another client.
    let line = format!("127.0.0.1 127.0.0.1 {rest}");
    assert!(read("vhost_combined", &line).is_err());
    assert!(logretry_format::detect([line.as_bytes()].into_iter()).chosen().is_none());
}

#[test]
fn what_frameworks_log_by_themselves_is_read() {
    let lost: [&[&str]; 4] = [&[], &["path"], &["query"], &["path", "query"]];
    let [nothing, path, query, both] = lost;
    for (preset, line, expected, lossy) in [
        (
            "aiohttp",
            r#"127.0.0.1 [29/Nov/2026:16:04:55 +0000] "GET /s/503/a"b?x="y" HTTP/1.1" 503 190 "http://r/"q"" "curl/8.9 "x" \y""#,
            "- - /s/503/a%22b?x=%22y%22",
            nothing,
        ),
        (
            "cherrypy",
            r#"127.0.0.1 - - [29/Nov/2026:16:04:56] "GET /s/500/a\"b c?x=\n HTTP/1.1" 503 2 "http://r/\"q\"" "curl/8.9 \y""#,
            "- - /s/500/a%22b%20c?x=%5Cn",
            path,
        ),
        (
            "daphne",
            r#"127.0.0.1:43278 - - [29/Nov/2026:16:05:00] "GET /s/503/a"b?x="y"" 503 2"#,
            "- - /s/503/a%22b?x=%22y%22",
            nothing,
        ),
        ("granian", r#"[2026-11-29 16:04:59 +0000] ::1 - "GET /a b HTTP/1.1" 503 0.016"#, "- - /a%20b", both),
        (
            "sanic",
            r#"[::1]:38836 GET https://shop.example:8443/s/503/a"b?x="y" 503 2  0.0ms"#,
            "https shop.example:8443 /s/503/a%22b?x=%22y%22",
            nothing,
        ),
        ("sanic", "GET http://shop.example/a?b=c  503 2", "http shop.example /a?b=c", nothing),
        (
            "tornado",
            r"[E 261129 16:04:58 web:2591] 503 GET /a\b?x=(y) (127.0.0.1) 0.24ms",
            r"- - /a%5Cb?x=(y)",
            nothing,
        ),
        ("tornado_plain", "503 GET /p? (::1) 1204.26ms", "- - /p?", nothing),
        (
            "fiber",
            "06:22:52 | 503 |       1.2ms |       127.0.0.1 | DELETE  | /a%20b           | Service Unavailable",
            "- - /a%20b",
            query,
        ),
        ("ktor", "503 Service Unavailable: GET - /a in 12ms", "- - /a", query),
        ("ktor", "503 Service Unavailable: GET - /a", "- - /a", query),
        ("koa", "  --> GET /a?b=c 503 5ms 2b", "- - /a?b=c", nothing),
        ("koa", "  xxx GET /a?b=c 503 1.2s -", "- - /a?b=c", nothing),
        (
            "aspnet",
            "      Request finished HTTP/2 GET https://shop.example/a?b=c - 503 null text/plain; charset=utf-8 12.3456ms",
            "https shop.example /a?b=c",
            path,
        ),
        ("warp", r#"- "GET /a|b HTTP/1.1" 503 "http://r/"q"" "curl "x"" 29.414µs"#, "- - /a%7Cb", query),
        (
            "tower_http",
            "api{id=7}:request{method=GET uri=/a?b={c} version=HTTP/1.1}: tower_http::trace::on_response: finished processing request latency=0 ms status=503",
            "- - /a?b=%7Bc%7D",
            nothing,
        ),
        (
            "tower_http",
            "request{method=GET uri=/a}: tower_http::trace::on_response: finished processing request latency=12 μs status=503",
            "- - /a",
            nothing,
        ),
        ("php-fpm", r#"1.2.3.4 -  22/Nov/2026:06:22:52 +0000 "GET /a HTTP/1.1" 503"#, "- - /a", both),
    ] {
        let exchange = exchange(preset, line);
        assert_eq!(url(&exchange), expected, "{preset}: {line}");
        assert_eq!(exchange.status, Some(503), "{preset}");
        assert!(
            exchange.lossy.iter().map(AsRef::as_ref).eq(lossy.iter().copied()),
            "{preset}: {:?}",
            exchange.lossy
        );
    }
}
