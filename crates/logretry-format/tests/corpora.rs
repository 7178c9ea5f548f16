//! Logs that real servers wrote for hostile requests, against what the clients really sent, line by line.
//!
//! The corpora are `LOGRETRY_CORPORA`, or `shared/corpora` beside the workspace; where they are absent, the tests say so.

mod corpus;

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use corpus::{corpora, lines};
use jiff::Timestamp;
use logretry_format::{Change, Format, LineError, Spans, Verdict, detect};
use logretry_record::{Exchange, Mark};
use serde::Deserialize;

const UPSTREAMINFO: &str = r#"
    log_format upstreaminfo '$remote_addr - $remote_user [$time_local] "$request" '
        '$status $body_bytes_sent "$http_referer" "$http_user_agent" '
        '$request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr '
        '$upstream_response_length $upstream_response_time $upstream_status $req_id';
"#;

const JSON: &str = r#"
    log_format json escape=json '{"time":"$time_iso8601","remote_addr":"$remote_addr","method":"$request_method",'
        '"scheme":"$scheme","host":"$host","uri":"$request_uri","protocol":"$server_protocol","status":$status,'
        '"bytes":$body_bytes_sent,"referer":"$http_referer","ua":"$http_user_agent",'
        '"upstream_status":"$upstream_status","upstream_time":"$upstream_response_time",'
        '"request_time":$request_time,"request_id":"$request_id","xff":"$http_x_forwarded_for"}';
"#;

const LTSV: &str = r"
    log_format ltsv 'time:$time_iso8601\thost:$remote_addr\tforwardedfor:$http_x_forwarded_for\treq:$request\t'
        'status:$status\tsize:$body_bytes_sent\treferer:$http_referer\tua:$http_user_agent\t'
        'reqtime:$request_time\tvhost:$host\tscheme:$scheme';
";

const CUSTOM: &str =
    r#"LogFormat "%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t%{%z}t %m %{Host}i %U%q %>s %D %{UNIQUE_ID}e" custom"#;

#[derive(Deserialize)]
struct Truth {
    line: usize,
    status: u16,
    id: Option<String>,
    method: Option<String>,
    target_b64: Option<String>,
    host_header: Option<String>,
}

fn percent_decode(text: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(text).collect()
}

/// `$request_uri` leaves out the origin of an absolute target.
fn without_origin(target: &[u8]) -> &[u8] {
    let text = std::str::from_utf8(target).unwrap_or_default();
    let origin = text.find("://").and_then(|scheme| Some(scheme + 3 + text[scheme + 3..].find('/')?));
    origin.map_or(target, |length| &target[length..])
}

fn exchange(format: &Format, line: &[u8]) -> Result<Exchange, LineError> {
    format.parse(line, &mut Spans::new()).map(|parsed| parsed.exchange())
}

/// Every line is read, with the status, method and target that `expected/` says, and so is its rewritten form.
fn check(format: &Format, log: &str, host: fn(&Exchange, &Truth)) {
    let Some(folder) = corpora("lab-generated") else { return };
    let bytes = fs::read(folder.join(format!("{log}.log"))).expect("the log");
    let truths = fs::read_to_string(folder.join(format!("expected/{log}.log.jsonl"))).expect("the truth");
    let lines = lines(&bytes);
    let mark = Mark::default();
    let mut checked = 0;
    for truth in truths.lines() {
        let truth: Truth = serde_json::from_str(truth).expect("a truth");
        let line = lines[truth.line - 1];
        let place = format!("{log}:{} {}", truth.line, line.escape_ascii());
        let exchange = exchange(format, line).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(exchange.status, Some(truth.status), "{place}");
        assert!(exchange.time.is_some(), "{place}");
        // What a server has refused as malformed it may log as it likes: Apache makes a space of a TAB.
        if truth.id.is_some() && truth.status != 400 {
            assert_eq!(exchange.method, truth.method, "{place}");
            let target = exchange.target.as_deref().unwrap_or_else(|| panic!("no target: {place}"));
            let sent = STANDARD.decode(truth.target_b64.as_deref().expect("a target")).expect("base64");
            let sent = sent.split(|&byte| byte == b'#').next().expect("a first part");
            let sent = if log.contains("nginx-json") { without_origin(sent) } else { sent };
            if exchange.lossy.is_empty() {
                assert_eq!(
                    percent_decode(target.as_bytes()).escape_ascii().to_string(),
                    percent_decode(sent).escape_ascii().to_string(),
                    "{place}"
                );
            }
            assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target}");
            host(&exchange, &truth);
            checked += 1;
        }
        check_rewrite(format, line, &exchange, &mark, &place);
    }
    assert!(checked > 40, "{log}: only {checked} lines have a target to compare");
    assert_eq!(truths.lines().count(), lines.len(), "every line has a truth");
}

fn check_rewrite(format: &Format, line: &[u8], before: &Exchange, mark: &Mark, place: &str) {
    let time = "2026-11-22T09:08:07.654Z".parse().expect("a time");
    let change = Change { mark, time, status: Some(204), bytes: Some(1234), duration_ms: Some(1500.0) };
    let mut once = Vec::new();
    format.rewrite(line, &change, &mut once).unwrap_or_else(|error| panic!("{place}: {error}"));
    let after =
        exchange(format, &once).unwrap_or_else(|error| panic!("{place}: {error}: {}", once.escape_ascii()));
    assert_eq!(after.target, before.target.as_deref().map(|target| mark.put_on(target)), "{place}");
    assert_eq!((after.status, after.bytes.unwrap_or(1234)), (Some(204), 1234), "{place}");
    assert_eq!(after.time.map(Timestamp::as_second), Some(1_795_338_487), "{place}");
    assert_eq!(after.duration_ms.unwrap_or(1500.0).to_bits(), 1500_f64.to_bits(), "{place}");
    assert_eq!(
        (&after.method, &after.host, &after.user_agent, &after.client, &after.request_id),
        (&before.method, &before.host, &before.user_agent, &before.client, &before.request_id),
    );
    let mut twice = Vec::new();
    format.rewrite(&once, &change, &mut twice).expect("a rewritten line can be rewritten");
    assert_eq!(once.escape_ascii().to_string(), twice.escape_ascii().to_string(), "marking is idempotent");
}

fn any_host(_: &Exchange, _: &Truth) {}

fn no_host(exchange: &Exchange, _: &Truth) {
    assert_eq!(exchange.host, None);
}

fn compiled(spec: &str) -> Format {
    let format = Format::compile(spec).unwrap_or_else(|error| panic!("cannot read the format: {error}"));
    let again = Format::compile(format.name()).unwrap_or_else(|error| panic!("{}: {error}", format.name()));
    assert_eq!(again.name(), format.name(), "the name reads back as itself");
    format
}

#[test]
fn logs_in_the_presets_are_read_to_the_byte() {
    check(&compiled("combined"), "nginx-combined", no_host);
    check(&compiled("combined"), "morgan-combined", no_host);
    check(&compiled("main"), "nginx-main", no_host);
    check(&compiled("ingress-nginx"), "nginx-upstreaminfo", no_host);
    check(&compiled("common"), "apache-common", no_host);
    check(&compiled("gunicorn"), "gunicorn-default", no_host);
    check(&compiled("vhost_combined"), "apache-vhost_combined", |exchange, _| {
        assert_eq!(exchange.host.as_ref().map(|host| host.as_slice()), Some(b"lab.example".as_slice()));
    });
}

#[test]
fn logs_in_pasted_formats_are_read_to_the_byte() {
    check(&compiled(UPSTREAMINFO), "nginx-upstreaminfo", no_host);
    check(&compiled(LTSV), "nginx-ltsv", any_host);
    check(&compiled(JSON), "nginx-json-escape-json", |exchange, truth| {
        // `$host` is the header's name without its port.
        let sent = truth.host_header.as_deref().unwrap_or_default();
        if let Some(host) = &exchange.host {
            let host = std::str::from_utf8(host).expect("ASCII");
            assert!(sent.starts_with(host) || host.ends_with(".example"), "{host} for {sent}");
        }
    });
}

#[test]
fn keyed_logs_are_read_to_the_byte() {
    let sent = |exchange: &Exchange, truth: &Truth| {
        let host = exchange.host.as_ref().map(ToString::to_string).unwrap_or_default();
        let sent = truth.host_header.as_deref().unwrap_or_default();
        // nginx logs `$host`: the header's name without its port, or its own.
        assert!(sent.starts_with(&host) || host.ends_with(".example"), "{host} for {sent}");
    };
    check(&compiled("json"), "nginx-json-escape-json", sent);
    check(&compiled("ltsv"), "nginx-ltsv", any_host);
    check(&compiled("caddy"), "caddy-json", any_host);
}

#[test]
fn what_caddy_could_not_write_is_lossy() {
    let Some(folder) = corpora("lab-generated") else { return };
    let log = fs::read(folder.join("caddy-json.log")).expect("the log");
    let lossy = lines(&log)
        .into_iter()
        .filter(|line| !exchange(&compiled("caddy"), line).expect("a line").lossy.is_empty())
        .inspect(|line| {
            assert!(line.contains(&0xef) || line.windows(6).any(|part| part == br"\ufffd"), "U+FFFD");
        })
        .count();
    assert!((1..10).contains(&lossy), "{lossy}");
}

#[test]
fn a_format_that_logs_the_decoded_path_says_that_it_is_lossy() {
    let format = compiled(CUSTOM);
    assert_eq!(format.lossy(), ["path"]);
    check(&format, "apache-custom-UqHost", |exchange, truth| {
        assert_eq!(exchange.lossy, ["path"]);
        if exchange.status != Some(400)
            && !truth.target_b64.as_deref().is_some_and(|target| target.starts_with("aHR0c"))
        {
            let host = exchange.host.as_ref().map(ToString::to_string);
            assert_eq!(host, truth.host_header);
        }
    });
}

#[test]
fn each_preset_s_log_is_detected() {
    let Some(folder) = corpora("lab-generated") else { return };
    for (log, name) in [
        ("nginx-combined", "combined"),
        ("morgan-combined", "combined"),
        ("nginx-main", "nginx_main"),
        ("nginx-upstreaminfo", "ingress-nginx"),
        ("apache-common", "common"),
        ("apache-vhost_combined", "vhost_combined"),
        ("gunicorn-default", "gunicorn"),
        ("nginx-json-escape-json", "json"),
        ("nginx-ltsv", "ltsv"),
        ("caddy-json", "caddy"),
    ] {
        let bytes = fs::read(folder.join(format!("{log}.log"))).expect("the log");
        let detection = detect(lines(&bytes).into_iter());
        match &detection.verdict {
            Verdict::Chosen(format) => assert_eq!(format.name(), name, "{log}"),
            verdict => panic!("{log}: {verdict:?}"),
        }
        assert_eq!(detection.unmatched(), 0, "{log}");
    }
}

#[test]
fn attacks_never_make_a_wrong_url() {
    let Some(folder) = corpora("hostile-nginx") else { return };
    let read = |name: &str| fs::read(folder.join(format!("{name}.log"))).expect("the log");
    let combined = read("combined");
    let truth: Vec<_> = lines(&combined)
        .into_iter()
        .map(|line| exchange(&compiled("combined"), line).expect("combined hides everything"))
        .collect();
    for (name, spec) in [
        (
            "vhost",
            r#"log_format v '$http_host $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';"#,
        ),
        (
            "json",
            r#"log_format j escape=json '{"h":"$http_host","host":"$host","r":"$request","u":"$request_uri","s":$status,"ua":"$http_user_agent"}';"#,
        ),
        ("json", "json"),
        ("raw", r#"log_format r escape=none '$host "$request" $status "$http_user_agent"';"#),
    ] {
        let log = read(name);
        let format = compiled(spec);
        for (line, truth) in lines(&log).into_iter().zip(&truth) {
            match exchange(&format, line) {
                Ok(exchange) => assert_eq!(
                    (&exchange.method, &exchange.target, exchange.status),
                    (&truth.method, &truth.target, truth.status),
                    "{name}"
                ),
                Err(LineError::Ambiguous) if name == "raw" => {}
                Err(error) => panic!("{name}: {error}: {}", line.escape_ascii()),
            }
        }
    }
}
