//! Test logs of other projects, read in place: each line that holds a request is read, and no log is taken for another format.

use std::fs;

use logretry_format::{Verdict, detect};

use crate::{check_rewrite, corpora, exchange, format, lines, peeled};

/// A log, the preset that it is in, how many of its lines hold a request in that format, and how many others.
const LOGS: &[(&str, &str, usize, usize)] = &[
    ("crowdsec-hub/haproxy-logs/haproxy-logs.log", "haproxy", 2, 3),
    ("crowdsec-hub/nginx-proxy-manager-logs/nginx-proxy-manager-logs.log", "nginx-proxy-manager", 11, 3),
    ("crowdsec-hub/aws-alb-logs/aws-alb-logs.log", "alb", 14, 0),
    ("crowdsec-hub/traefik_clf/traefik_clf.log", "traefik_clf", 7, 0),
    ("crowdsec-hub/litespeed-logs/litespeed-logs.log", "combined", 1, 2),
    ("crowdsec-hub/nginx_http-logs/nginx_http-logs.log", "combined", 4, 5),
    ("crowdsec-hub/apache2-logs/apache2-logs.log", "combined", 4, 5),
    ("lnav/logfile_haproxy.0", "haproxy", 13, 4),
    ("lnav/logfile_uwsgi.0", "uwsgi", 19, 0),
    ("lnav/logfile_access_log.0", "combined", 3, 0),
    ("lnav/logfile_access_log.1", "combined", 1, 0),
    ("lnav/logfile_shop_access_log.0", "nginx_main", 1000, 0),
    ("mtail/lighttpd_access.log", "lighttpd", 19, 0),
    ("mtail/apache-combined.log", "combined", 5, 0),
    // A number stands before the referer.
    ("mtail/apache-common.log", "combined_more", 3, 0),
    ("elastic-examples/apache_logs.first3000.log", "combined", 3000, 0),
    ("nielsbasjes-logparser/hackers-access.part1.log", "combined", 1152, 0),
];

#[test]
fn every_line_that_holds_a_request_is_read_and_rewritten() {
    for &(log, preset, requests, others) in LOGS {
        let Some(path) = corpora(log) else { return };
        let bytes = fs::read(path).expect("the log");
        let lines: Vec<_> = lines(&bytes).into_iter().map(peeled).filter(|line| !line.is_empty()).collect();
        let format = format(preset);
        let mut read = 0;
        for line in &lines {
            if let Ok(exchange) = exchange(&format, line) {
                read += 1;
                if exchange.status.is_some() {
                    check_rewrite(&format, line, &exchange);
                }
            }
        }
        assert_eq!((read, lines.len() - read), (requests, others), "{log}");
    }
}

#[test]
fn no_log_is_taken_for_another_format() {
    for &(log, preset, ..) in LOGS {
        let Some(path) = corpora(log) else { return };
        let bytes = fs::read(path).expect("the log");
        let detection = detect(lines(&bytes).into_iter().map(peeled));
        match &detection.verdict {
            Verdict::Chosen(format) => assert_eq!(format.name(), preset, "{log}"),
            verdict => panic!("{log}: {verdict:?}"),
        }
    }
}
