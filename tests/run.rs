//! The main job: `logretry run` on the log that nginx itself wrote during an outage.

use insta::assert_snapshot;

use crate::lab::{
    Backend, Desk, Outage, line, ndjson, nginx, nginx_over_http2, nginx_that_logs,
    nginx_that_retires_connections, refires, sorted, without_times,
};

#[test]
fn each_failed_get_and_head_is_sent_exactly_once_more_and_nothing_else() {
    let outage = Outage::behind(nginx);
    let desk = Desk::new();
    let log = outage.server.log();
    let arguments =
        ["run", log.to_str().expect("UTF-8"), "--base-url", &outage.server.url(), "--method", "GET,HEAD"];
    let run = desk.program("logretry", &arguments).args(["-o", "retry.log"]).run();
    assert_eq!(run.code, 0, "{}", run.stderr);

    // What nginx's own log shows is what happened.
    assert_snapshot!(refires(&outage.logged_since(7)), @r"
    GET /drop?id=1 200 logretry/0.1.0 id=…
    GET /s/500/a 200 logretry/0.1.0 id=…
    GET /s/502/b?x=1&y=%20 200 logretry/0.1.0 id=…
    GET /s/503/c? 200 logretry/0.1.0 id=…
    GET /s/504/e?q=%C3%A9 200 logretry/0.1.0 id=…
    GET /slow?id=2 200 logretry/0.1.0 id=…
    HEAD /s/503/d 200 logretry/0.1.0 id=…
    ");
    assert_eq!(outage.backend.forget(7).len(), 7);

    // The retry log holds the same lines, marked, with the status and size of the refire.
    assert_snapshot!(sorted(&without_times(&desk.read("retry.log"))), @r#"
    127.0.0.1 - - […] "GET /drop?id=1&retry=True HTTP/1.1" 200 3 "-" "lab/1.0"
    127.0.0.1 - - […] "GET /s/500/a?retry=True HTTP/1.1" 200 3 "-" "lab/1.0"
    127.0.0.1 - - […] "GET /s/502/b?x=1&y=%20&retry=True HTTP/1.1" 200 3 "-" "lab/1.0"
    127.0.0.1 - - […] "GET /s/503/c?retry=True HTTP/1.1" 200 3 "-" "lab/1.0"
    127.0.0.1 - - […] "GET /s/504/e?q=%C3%A9&retry=True HTTP/1.1" 200 3 "-" "lab/1.0"
    127.0.0.1 - - […] "GET /slow?id=2&retry=True HTTP/1.1" 200 3 "-" "lab/1.0"
    127.0.0.1 - - […] "HEAD /s/503/d?retry=True HTTP/1.1" 200 0 "-" "lab/1.0"
    "#);
}

#[test]
fn the_user_agent_of_a_refire_names_its_record() {
    let outage = Outage::of(&[("GET", "/s/500/a", 500), ("GET", "/s/502/b", 502)], nginx);
    let desk = Desk::with_log_of(&outage.server);
    let records = desk.run("lr-read", &["access.log"]);
    let mut ids: Vec<String> = ndjson(&records.stdout)
        .iter()
        .map(|record| record["id"].as_str().expect("an id").to_owned())
        .collect();
    desk.run("logretry", &["run", "access.log", "--base-url", &outage.server.url(), "-o", "retry.log"]);
    let mut sent: Vec<String> = outage
        .logged_since(2)
        .iter()
        .map(|line| line.rsplit_once("id=").expect("an id").1.trim_end_matches('"').to_owned())
        .collect();
    ids.sort_unstable();
    sent.sort_unstable();
    assert_eq!(sent, ids);
}

#[test]
fn a_post_is_not_sent_and_the_exit_code_says_that_it_is_not_recovered() {
    let outage = Outage::of(&[("GET", "/s/503/a", 503), ("POST", "/s/503/order", 503)], nginx);
    let desk = Desk::with_log_of(&outage.server);
    let run =
        desk.run("logretry", &["run", "access.log", "--base-url", &outage.server.url(), "-o", "retry.log"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert_eq!(outage.backend.forget(1), ["GET /s/503/a"]);
    assert_snapshot!(without_times(&desk.read("retry.log")), @r#"127.0.0.1 - - […] "GET /s/503/a?retry=True HTTP/1.1" 200 3 "-" "lab/1.0""#);
}

#[test]
fn what_fails_again_is_written_with_what_it_got_this_time() {
    let backend = Backend::up();
    let log = [
        line("GET /always/404/gone", 500),
        line("GET /always/503/still", 500),
        line("GET /always/drop", 500),
        line("GET /well", 500),
    ];
    let desk = Desk::with("access.log", log.concat());
    let run = desk.run("logretry", &["run", "access.log", "--base-url", &backend.url(), "-o", "retry.log"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert_snapshot!(sorted(&without_times(&desk.read("retry.log"))), @r#"
    203.0.113.9 - - […] "GET /always/404/gone?retry=True HTTP/1.1" 404 3 "-" "curl/8.9"
    203.0.113.9 - - […] "GET /always/503/still?retry=True HTTP/1.1" 503 3 "-" "curl/8.9"
    203.0.113.9 - - […] "GET /always/drop?retry=True HTTP/1.1" 000 0 "-" "curl/8.9"
    203.0.113.9 - - […] "GET /well?retry=True HTTP/1.1" 200 3 "-" "curl/8.9"
    "#);
    assert_eq!(backend.forget(4).len(), 4);
}

#[test]
fn the_retry_log_is_appended_to() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 500));
    desk.put("retry.log", "an earlier line\n");
    let run = desk.run("logretry", &["run", "access.log", "--base-url", &backend.url(), "-o", "retry.log"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_snapshot!(without_times(&desk.read("retry.log")), @r#"
    an earlier line
    203.0.113.9 - - […] "GET /a?retry=True HTTP/1.1" 200 3 "-" "curl/8.9"
    "#);
}

#[test]
fn two_equal_lines_are_two_requests() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 500).repeat(2));
    let run = desk.run("logretry", &["run", "access.log", "--base-url", &backend.url(), "-o", "retry.log"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(backend.seen(), ["GET /a", "GET /a"]);
    assert_eq!(desk.read("retry.log").lines().count(), 2);
}

#[test]
fn a_log_without_failures_is_done_at_once() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 200));
    let run = desk.run("logretry", &["run", "access.log", "--base-url", &backend.url(), "-o", "retry.log"]);
    assert_eq!((run.code, desk.read("retry.log")), (0, String::new()), "{}", run.stderr);
    assert!(backend.seen().is_empty());
}

#[test]
fn a_log_format_pasted_from_the_configuration_gives_its_own_lines_back() {
    let format = r#"log_format lab '$time_iso8601 $http_host "$request_method $request_uri" $status/$upstream_status '
        '$body_bytes_sent $request_time "$http_user_agent"';"#;
    let outage = Outage::of(&[("GET", "/s/502/a?b=c", 502), ("GET", "/drop", 502)], |backend| {
        nginx_that_logs(format, "lab", backend)
    });
    let desk = Desk::with_log_of(&outage.server);
    let arguments = ["run", "access.log", "--format", format, "--base-url", &outage.server.url()];
    let run = desk.program("logretry", &arguments).args(["-o", "retry.log"]).run();
    assert_eq!(run.code, 0, "{}", run.stderr);
    let requests: Vec<String> = desk
        .read("retry.log")
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            format!("{} {} {} {} {}", fields[1], fields[2], fields[3], fields[4], fields[5])
        })
        .collect();
    assert_snapshot!(sorted(&requests.join("\n")), @r#"
    shop.example "GET /drop?retry=True" 200/502 3
    shop.example "GET /s/502/a?b=c&retry=True" 200/502 3
    "#);
}

#[test]
fn proxies_of_the_environment_are_not_used() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 500));
    let run = desk
        .program("logretry", &["run", "access.log", "--base-url", &backend.url(), "-o", "retry.log"])
        .env("http_proxy", "http://127.0.0.1:1")
        .env("ALL_PROXY", "http://127.0.0.1:1")
        .run();
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(backend.seen(), ["GET /a"]);
}

#[test]
fn over_http2_each_failure_is_sent_exactly_once_more_too() {
    let backend = Backend::up();
    let server = nginx_over_http2(&backend);
    let log: String = (10..60).map(|n| line(&format!("GET /a//{n}?b=%20"), 502)).collect();
    let desk = Desk::with("access.log", log);
    let arguments = ["run", "access.log", "--http2", "--base-url", &server.url(), "-o", "retry.log"];
    let run = desk.run("logretry", &arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let mut requests: Vec<String> =
        server.logged(50).iter().map(|line| line.split('"').nth(1).expect("a request").to_owned()).collect();
    requests.sort_unstable();
    let expected: Vec<String> = (10..60).map(|n| format!("GET /a//{n}?b=%20 HTTP/2.0")).collect();
    assert_eq!(requests, expected);
}

#[test]
fn no_request_is_lost_to_a_server_that_retires_its_connections_while_more_are_sent() {
    let backend = Backend::up();
    let server = nginx_that_retires_connections(&backend);
    let methods = ["GET", "DELETE"].into_iter().cycle();
    let requests: Vec<String> = methods.zip(100..600).map(|(method, n)| format!("{method} /{n}")).collect();
    let log: String = requests.iter().map(|request| line(request, 502)).collect();
    let desk = Desk::with("access.log", log);
    let arguments = ["run", "access.log", "--http2", "--base-url", &server.url(), "-o", "retry.log"];
    let more = ["--methods", "GET,DELETE", "--yes", "--pace", "fixed", "--concurrency", "64", "--trips", "0"];
    let run = desk.program("logretry", &arguments).args(more).run();
    let unanswered = desk.read("retry.log").matches(" 000 ").count();
    assert_eq!(unanswered, 0, "{}", run.stderr);
    let of = |line: &String| line.split('"').nth(1).expect("a request").replace(" HTTP/2.0", "");
    let mut logged: Vec<String> = server.logged(500).iter().map(of).collect();
    logged.sort_unstable();
    let mut expected = requests;
    expected.sort_unstable();
    assert_eq!(logged, expected);
}

/// Who wants no limit gives the greatest number that there is.
#[test]
fn the_greatest_limits_are_none() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 500) + &line("GET /b", 500));
    let (most, longest) = ("18446744073709551615", "9999999999999999999s");
    let numbers =
        ["--line-limit", "--concurrency", "--per-host", "--body-limit", "--max-requests", "--limit"];
    let times = ["--timeout", "--connect-timeout", "--max-time", "--max-retry-after", "--max-gap"];
    let limits = numbers.map(|limit| [limit, most]).into_iter().chain(times.map(|limit| [limit, longest]));
    let run =
        desk.program("logretry", &["run", "access.log", "--base-url", &backend.url(), "--pace", "original"]);
    let run = run.args(limits.flatten()).run();
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(backend.seen().len(), 2, "{}", run.stderr);
}

/// A wrong server that refuses all, or sends all elsewhere, was told from the right one in the numbers at the end only, and there a redirect counts as recovered.
#[test]
fn a_server_that_is_not_the_one_that_is_meant_is_told_of_while_it_is_asked() {
    let backend = Backend::up();
    let run = |status: u16| {
        let lines = (0..25).map(|n| line(&format!("GET /always/{status}/{n}?key=s3cret"), 502));
        let desk = Desk::with("access.log", lines.collect::<String>());
        desk.run("logretry", &["run", "access.log", "--base-url", &backend.url(), "-o", "retry.log"])
    };
    let (refused, redirected) = (run(404), run(301));
    let says = "its first 20 answers were all refusals, the last one 404 for /always/404/";
    assert!(refused.code == 3 && refused.stderr.contains(says), "{}", refused.stderr);
    let says = "its first answer was 301, which counts as recovered, though no redirect is followed; if it says so to each request because it wants to be asked over TLS";
    assert!(redirected.code == 0 && redirected.stderr.contains(says), "{}", redirected.stderr);
}
