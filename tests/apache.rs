//! The main job on the log that Apache wrote, in `vhost_combined`.

use insta::assert_snapshot;

use crate::lab::{Desk, Outage, apache, pipe, refires, sorted, without_times};

const ASKED: &[(&str, &str, u16)] = &[
    ("GET", "/s/200/fine", 200),
    ("GET", "/s/500/a?b=\"c\"", 500),
    ("GET", "/s/502/b//c/../d?x=%20", 502),
    ("HEAD", "/s/503/d", 503),
    ("POST", "/s/503/order", 503),
    ("GET", "/drop?id=1", 502),
];

#[test]
fn each_failure_is_sent_again_to_the_given_base_url() {
    let outage = Outage::of(ASKED, apache);
    let desk = Desk::with_log_of(&outage.server);
    let arguments = ["run", "access.log", "--base-url", &outage.server.url(), "--method", "GET,HEAD"];
    let run = desk.program("logretry", &arguments).args(["-o", "retry.log"]).run();
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_snapshot!(refires(&outage.logged_since(4)), @r"
    GET /drop?id=1 200 logretry/0.1.0 id=…
    GET /s/500/a?b=%22c%22 200 logretry/0.1.0 id=…
    GET /s/502/b//c/../d?x=%20 200 logretry/0.1.0 id=…
    HEAD /s/503/d 200 logretry/0.1.0 id=…
    ");
    let port = outage.server.address().port().to_string();
    assert_snapshot!(sorted(&without_times(&desk.read("retry.log").replace(&port, "PORT"))), @r#"
    shop.example:PORT 127.0.0.1 - - […] "GET /drop?id=1&retry=True HTTP/1.1" 200 3 "-" "lab/1.0"
    shop.example:PORT 127.0.0.1 - - […] "GET /s/500/a?b=\"c\"&retry=True HTTP/1.1" 200 3 "-" "lab/1.0"
    shop.example:PORT 127.0.0.1 - - […] "GET /s/502/b//c/../d?x=%20&retry=True HTTP/1.1" 200 3 "-" "lab/1.0"
    shop.example:PORT 127.0.0.1 - - […] "HEAD /s/503/d?retry=True HTTP/1.1" 200 0 "-" "lab/1.0"
    "#);
}

#[test]
fn without_a_base_url_an_allowed_host_of_the_log_is_asked() {
    let outage = Outage::of(ASKED, apache);
    let desk = Desk::with_log_of(&outage.server);
    let port = outage.server.address().port();
    let host = format!("http://shop.example:{port}");
    let resolve = format!("shop.example:{port}:{}", outage.server.address().ip());
    let ended = pipe([
        desk.program("lr-read", &["access.log"]),
        desk.program("lr-filter", &["--method", "GET,HEAD"]),
        desk.program("lr-refire", &["--allow-host", &host, "--resolve", &resolve]),
        desk.program("lr-write", &["-o", "retry.log"]),
    ]);
    assert_eq!(ended.codes, [0, 0, 0, 0], "{}", ended.stderr);
    assert_eq!(refires(&outage.logged_since(4)).lines().count(), 4);
    assert_eq!(desk.read("retry.log").lines().count(), 4);
}

#[test]
fn a_host_that_is_not_allowed_is_not_asked() {
    let outage = Outage::of(&[("GET", "/s/500/a", 500)], apache);
    let desk = Desk::with_log_of(&outage.server);
    let run =
        desk.run("logretry", &["run", "access.log", "--allow-host", "other.example", "-o", "retry.log"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert_eq!(desk.read("retry.log"), "");
    assert!(outage.backend.seen().is_empty());
}
