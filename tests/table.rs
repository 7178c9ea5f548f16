//! The table of formats in the README is what the logs of real servers really give.
//!
//! `LOGRETRY_UPDATE=1 cargo nextest run table` writes it anew.

use std::{env, fs};

use crate::lab::{Verdict, verdict};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
const BEGIN: &str = "<!-- the table of formats: written by tests/table.rs -->\n";
const END: &str = "<!-- end of the table -->";

/// Logs of real servers, how they are read, and what the table calls them.
const LOGS: &[(&str, &[&str], &str)] = &[
    ("nginx-combined.log", &[], "nginx combined"),
    ("nginx-main.log", &[], "nginx main"),
    ("nginx-upstreaminfo.log", &[], "ingress-nginx"),
    ("apache-common.log", &[], "Apache common"),
    ("apache-vhost_combined.log", &[], "Apache vhost_combined"),
    ("apache-custom-UqHost.log", &["--format", CUSTOM], "Apache, pasted, with `%U`"),
    ("gunicorn-default.log", &[], "gunicorn"),
    ("morgan-combined.log", &[], "morgan combined"),
    ("nginx-json-escape-json.log", &[], "nginx JSON"),
    ("nginx-ltsv.log", &[], "LTSV"),
    ("caddy-json.log", &[], "Caddy JSON"),
    ("haproxy-http-rfc3164.log", &[], "HAProxy httplog in syslog"),
    ("varnishncsa-default.log", &[], "varnishncsa"),
    ("lighttpd-default.log", &[], "lighttpd"),
    ("squid-native.log", &[], "Squid native"),
];

const CUSTOM: &str = "%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t%{%z}t %m %{Host}i %U%q %>s %D %{UNIQUE_ID}e";

fn row(name: &str, verdict: &Verdict) -> String {
    let Verdict { exact, lossy, without_url, rejected, wrong } = verdict;
    format!(
        "| {name} | {} | {exact} | {lossy} | {without_url} | {rejected} | {} |\n",
        verdict.lines(),
        wrong.len()
    )
}

#[test]
fn the_table_of_formats_in_the_readme_is_true_and_no_failure_is_lost() {
    let mut table = String::from(
        "| log | 5xx lines | exact | lossy | no URL in the line | rejected | lost or wrong |\n|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for (log, arguments, name) in LOGS {
        let Some(verdict) = verdict(log, arguments) else { return };
        assert_eq!(verdict.wrong, Vec::<String>::new(), "{log}");
        table += &row(name, &verdict);
    }
    let readme = fs::read_to_string(README).expect("there is a README");
    let (before, rest) = readme.split_once(BEGIN).expect("the README has a place for the table");
    let (written, after) = rest.split_once(END).expect("the table ends");
    if env::var_os("LOGRETRY_UPDATE").is_some() {
        fs::write(README, [before, BEGIN, &table, END, after].concat()).expect("the README can be written");
    } else {
        assert_eq!(written, table, "run it with LOGRETRY_UPDATE=1");
    }
}
