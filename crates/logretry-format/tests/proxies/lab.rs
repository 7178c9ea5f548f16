//! Logs that real servers wrote for hostile requests: each line has the target that the client sent, or says what is lost.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use logretry_record::Exchange;
use serde::Deserialize;

use crate::{check_rewrite, corpora, exchange, format, lines, peeled};

#[derive(Deserialize)]
struct Truth {
    line: usize,
    status: u16,
    id: Option<String>,
    method: Option<String>,
    target_b64: Option<String>,
    host_header: Option<String>,
}

/// How many lines of a log can be refired, how many have lost something, and how many have no URL.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    exact: usize,
    lossy: usize,
    without_url: usize,
}

/// Reads every line of `log` in `spec`, and compares what has a truth.
fn check(spec: &str, log: &str) -> Option<(Counts, usize)> {
    let folder = corpora("lab-generated")?;
    let bytes = fs::read(folder.join(format!("{log}.log"))).expect("the log");
    let truths = fs::read_to_string(folder.join(format!("expected/{log}.log.jsonl"))).expect("the truth");
    let (format, lines) = (format(spec), lines(&bytes));
    let (mut failed, mut compared) = (Counts::default(), 0);
    for truth in truths.lines() {
        let truth: Truth = serde_json::from_str(truth).expect("a truth");
        let line = peeled(lines[truth.line - 1]);
        let place = format!("{log}:{} {}", truth.line, line.escape_ascii());
        if line.contains(&0) {
            // Squid cuts a line of 8 KB with a NUL and goes on with the next one behind it.
            assert!(exchange(&format, line).is_err(), "{place}");
            continue;
        }
        let exchange = exchange(&format, line).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(exchange.status, Some(truth.status), "{place}");
        assert!(exchange.time.is_some(), "{place}");
        if truth.status >= 500 {
            let count = match (&exchange.target, exchange.lossy.as_slice()) {
                (None, _) => &mut failed.without_url,
                (_, []) => &mut failed.exact,
                _ => &mut failed.lossy,
            };
            *count += 1;
        }
        if truth.id.is_some() && truth.status != 400 && exchange.lossy.is_empty() {
            check_truth(&exchange, &truth, &place);
            compared += 1;
        }
        check_rewrite(&format, line, &exchange);
    }
    assert_eq!(truths.lines().count(), lines.len(), "every line has a truth");
    Some((failed, compared))
}

fn check_truth(exchange: &Exchange, truth: &Truth, place: &str) {
    assert_eq!(exchange.method, truth.method, "{place}");
    let target = exchange.target.as_deref().unwrap_or_else(|| panic!("no target: {place}"));
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target}");
    let sent = STANDARD.decode(truth.target_b64.as_deref().expect("a target")).expect("base64");
    let sent = sent.split(|&byte| byte == b'#').next().expect("a first part");
    let host = exchange.host.as_ref().map(ToString::to_string);
    // Varnish takes the host out of an absolute target, and then it is the host that was asked.
    let of_target = sent.strip_prefix(b"http://").filter(|_| target.starts_with('/')).map(|rest| {
        let slash = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
        rest.split_at(slash)
    });
    let sent = of_target.map_or(sent, |(host_of_target, path)| {
        assert_eq!(host.as_deref().map(str::as_bytes), Some(host_of_target), "{place}");
        path
    });
    assert_eq!(percent_decode(target.as_bytes()), percent_decode(sent), "{place}");
    // A tunnel's host is its target.
    if of_target.is_none() && host.is_some() && exchange.method.as_deref() != Some("CONNECT") {
        assert_eq!(host, truth.host_header, "{place}");
    }
}

fn percent_decode(text: &[u8]) -> String {
    percent_encoding::percent_decode(text).collect::<Vec<_>>().escape_ascii().to_string()
}

#[test]
fn every_failed_request_is_exact_or_named_as_lossy() {
    for (spec, log, counts, compared) in [
        // One line is cut at 1024 bytes.
        ("haproxy", "haproxy-http-rfc3164", Counts { exact: 52, lossy: 1, without_url: 0 }, 56),
        // It logs no URL with 501 and 505.
        ("lighttpd", "lighttpd-default", Counts { exact: 56, lossy: 0, without_url: 3 }, 59),
        ("squid", "squid-native", Counts { exact: 1, lossy: 59, without_url: 0 }, 0),
        ("varnishncsa", "varnishncsa-default", Counts { exact: 58, lossy: 0, without_url: 0 }, 60),
    ] {
        let Some(found) = check(spec, log) else { return };
        assert_eq!(found, (counts, compared), "{log}");
    }
}

#[test]
fn hosts_are_those_that_clients_named() {
    let Some(folder) = corpora("lab-generated") else { return };
    for (spec, log, least) in [
        ("haproxy", "haproxy-http-rfc3164", 50),
        ("lighttpd", "lighttpd-default", 50),
        ("varnishncsa", "varnishncsa-default", 50),
        ("squid", "squid-native", 50),
    ] {
        let bytes = fs::read(folder.join(format!("{log}.log"))).expect("the log");
        let format = format(spec);
        assert!(format.has_host());
        let hosts = lines(&bytes)
            .into_iter()
            .filter(|line| exchange(&format, peeled(line)).is_ok_and(|exchange| exchange.host.is_some()))
            .count();
        assert!(hosts >= least, "{log}: {hosts}");
    }
}
