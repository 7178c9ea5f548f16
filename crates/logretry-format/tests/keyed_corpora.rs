//! Logs of other people in keyed formats, read where they are: each line that tells of a request is read, with its status and its URL.

use std::fs;
use std::path::{Path, PathBuf};

use logretry_format::{Change, Format, LineError, Spans, detect};
use logretry_record::{Exchange, Mark};

/// A log, if the corpora are there: its lines, without what wrappers put before them.
fn log(name: &str, unwrap: fn(&str) -> &str) -> Option<Vec<String>> {
    let root = std::env::var_os("LOGRETRY_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from);
    let path = root.join(name);
    let Ok(bytes) = fs::read(&path) else {
        #[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
        {
            eprintln!("skipped: {} absent; set LOGRETRY_CORPORA", path.display());
        }
        return None;
    };
    let text = String::from_utf8(bytes).expect("UTF-8");
    Some(text.lines().map(|line| unwrap(line).to_owned()).collect())
}

fn as_it_is(line: &str) -> &str {
    line
}

/// What stands behind CRI's time, stream and tag.
fn of_cri(line: &str) -> &str {
    line.splitn(4, ' ').nth(3).unwrap_or(line)
}

/// What stands behind a service's name.
fn of_compose(line: &str) -> &str {
    line.split_once("| ").map_or(line, |(_, rest)| rest)
}

/// What stands behind a syslog time and a host.
fn of_syslog(line: &str) -> &str {
    line.find('{').map_or(line, |start| &line[start..])
}

/// What a log is detected as, and its requests; `#Fields:` lines are followed.
fn requests(lines: &[String]) -> (String, Vec<(String, Exchange)>) {
    let detection = detect(lines.iter().map(String::as_bytes));
    let Some(chosen) = detection.chosen() else { panic!("{:?}", detection.verdict) };
    let (mut format, mut requests) = (chosen.clone(), Vec::new());
    for line in lines.iter().filter(|line| !line.is_empty()) {
        if let Some(next) = format.header(line.as_bytes()) {
            format = next;
        }
        match format.parse(line.as_bytes(), &mut Spans::new()).map(|parsed| parsed.exchange()) {
            Ok(exchange) => {
                check_rewrite(&format, line, &exchange);
                requests.push((line.clone(), exchange));
            }
            // Messages, those of another program too.
            Err(LineError::NoRequest | LineError::Mismatch { at: 0, .. }) => {}
            Err(error) => panic!("{}: {error}: {line}", format.name()),
        }
    }
    (chosen.name().to_owned(), requests)
}

fn check_rewrite(format: &Format, line: &str, before: &Exchange) {
    let mark = Mark::default();
    let time = "2026-11-22T09:08:07.654Z".parse().expect("a time");
    let change =
        Change { mark: &mark, time, status: Some(204), bytes: Some(1234), duration_ms: Some(1500.0) };
    let mut out = Vec::new();
    format.rewrite(line.as_bytes(), &change, &mut out).expect("a line that was read");
    let after = format.parse(&out, &mut Spans::new()).expect("a line of the same format").exchange();
    assert_eq!(after.target, before.target.as_deref().map(|target| mark.put_on(target)), "{line}");
    assert_eq!(after.status, Some(204), "{line}");
    assert_eq!(after.time.is_some(), before.time.is_some(), "{line}");
    assert_eq!(
        (after.host, after.method, after.user_agent),
        (before.host.clone(), before.method.clone(), before.user_agent.clone())
    );
    if line.starts_with('{') {
        let is_json = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).is_ok();
        assert_eq!(is_json(&out), is_json(line.as_bytes()), "JSON stays JSON");
    }
}

/// The value at `path` of a JSON line, as text.
fn value(line: &str, path: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
    match value.pointer(path).unwrap_or_else(|| panic!("{path} in {line}")) {
        serde_json::Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[test]
fn families_are_read_as_a_json_parser_reads_them() {
    for (name, unwrap, family, count, status, target, host) in [
        (
            "crowdsec-hub/caddy-logs/caddy-logs.log",
            as_it_is as fn(&str) -> &str,
            "caddy",
            10,
            "/status",
            "/request/uri",
            "/request/host",
        ),
        ("lnav/logfile_caddy_log.0", of_compose, "caddy", 4, "/status", "/request/uri", "/request/host"),
        ("lnav/logfile_caddy_log.1", as_it_is, "caddy", 4, "/status", "/request/uri", "/request/host"),
        (
            "crowdsec-hub/traefik_json/traefik_json.log",
            as_it_is,
            "traefik",
            6,
            "/DownstreamStatus",
            "/RequestPath",
            "/RequestAddr",
        ),
        (
            "lnav/logfile_cloudflare.1",
            as_it_is,
            "cloudflare",
            15,
            "/EdgeResponseStatus",
            "/ClientRequestURI",
            "/ClientRequestHost",
        ),
        (
            "lnav/logfile_cloudflare.json",
            as_it_is,
            "cloudflare",
            1,
            "/EdgeResponseStatus",
            "/ClientRequestURI",
            "/ClientRequestHost",
        ),
        (
            "crowdsec-hub/fastly-logs/fastly-logs.log",
            of_syslog,
            "json",
            4,
            "/response_status",
            "/url",
            "/host",
        ),
    ] {
        let Some(lines) = log(name, unwrap) else { return };
        let (chosen, requests) = requests(&lines);
        assert_eq!(chosen, family, "{name}");
        for (line, exchange) in &requests {
            assert_eq!(exchange.status.map(|status| status.to_string()), Some(value(line, status)), "{line}");
            assert_eq!(exchange.target, Some(value(line, target)), "{line}");
            assert_eq!(exchange.host.as_ref().map(ToString::to_string), Some(value(line, host)), "{line}");
            assert!(
                exchange.time.is_some() && exchange.method.is_some() && exchange.lossy.is_empty(),
                "{line}"
            );
        }
        assert_eq!(requests.len(), count, "{name}");
    }
}

#[test]
fn envoy_s_objects_are_read_beside_its_text_lines() {
    let Some(lines) = log("crowdsec-hub/envoy-logs/envoy.log", of_cri) else { return };
    let objects: Vec<_> = lines.into_iter().filter(|line| line.starts_with('{')).collect();
    let (chosen, requests) = requests(&objects);
    assert_eq!(chosen, "envoy_json");
    assert_eq!(requests.len(), objects.len());
    for (line, exchange) in requests {
        assert_eq!(exchange.target, Some(value(&line, "/x-envoy-origin-path")));
        assert_eq!(exchange.status.map(|status| status.to_string()), Some(value(&line, "/response_code")));
    }
}

#[test]
fn cloudfront_is_known_without_its_header() {
    let Some(lines) = log("crowdsec-hub/aws-cloudfront-logs/aws-cloudfront-logs.log", as_it_is) else {
        return;
    };
    let (chosen, requests) = requests(&lines);
    assert_eq!((chosen.as_str(), requests.len()), ("cloudfront", lines.len()));
    let exchange = &requests[0].1;
    assert_eq!(exchange.target.as_deref(), Some("/testseb?query_param=42"));
    assert_eq!(exchange.host.as_ref().map(ToString::to_string).as_deref(), Some("hub-cdn.crowdsec.net"));
    assert_eq!((exchange.status, exchange.duration_ms), (Some(400), Some(113.0)));
    assert!(exchange.lossy.is_empty());
}

#[test]
fn w3c_logs_are_read_by_their_headers() {
    for (name, count, target) in [
        ("lnav/logfile_w3c.0", 1, "/images/picture.jpg"),
        ("lnav/logfile_w3c.1", 1, "/admin/images/oc_bottomleft.gif"),
        ("lnav/logfile_w3c.3", 3, "/Products/theProduct"),
        ("lnav/logfile_w3c.6", 1, "/robots.txt"),
        ("lnav/logfile_w3c_big.0", 200, "/robots.txt"),
    ] {
        let Some(lines) = log(name, as_it_is) else { return };
        let (chosen, requests) = requests(&lines);
        assert!(chosen.starts_with("w3c:"), "{name}: {chosen}");
        assert_eq!(requests[0].1.target.as_deref(), Some(target), "{name}");
        assert!(requests.len() >= count, "{name}: {}", requests.len());
        assert!(
            requests.iter().all(|(_, exchange)| exchange.status.is_some() && exchange.method.is_some()),
            "{name}"
        );
    }
}

#[test]
fn logs_without_requests_are_none() {
    for name in ["lnav/logfile_logfmt.0", "lnav/logfile_ecs_log.json", "lnav/logfile_json.json"] {
        let Some(lines) = log(name, as_it_is) else { return };
        let detection = detect(lines.iter().map(String::as_bytes));
        assert!(detection.chosen().is_none(), "{name}: {:?}", detection.verdict);
        let format =
            Format::compile(if name.contains("logfmt") { "logfmt" } else { "json" }).expect("a preset");
        let requests = lines.iter().filter(|line| format.parse(line.as_bytes(), &mut Spans::new()).is_ok());
        assert_eq!(requests.count(), 0, "{name}");
    }
}
