//! What a client once sent is what is sent again: the bytes of the request target.

use crate::lab::{Backend, Desk, ask, corpus, latin1, line, ndjson, nginx};

/// Sends `target` through nginx during an outage, refires from nginx's log, and gives what the back end saw each time.
fn there_and_again(target: &[u8]) -> (String, String) {
    let backend = Backend::down();
    let server = nginx(&backend);
    assert_eq!(ask(server.address(), "GET", target), 500, "{}", latin1(target));
    server.logged(1);
    backend.recover();
    let first = backend.forget(1).concat();
    let desk = Desk::with_log_of(&server);
    let run = desk.run("logretry", &["run", "access.log", "--base-url", &server.url(), "-o", "retry.log"]);
    assert_eq!(run.code, 0, "{}\n{}", first, run.stderr);
    (first, backend.forget(1).concat())
}

#[test]
fn a_target_arrives_byte_for_byte_as_the_first_time() {
    for target in [
        "/s/500/a/../b/./c/..",
        "/a/../s/500/..",
        "//evil.example/s/500",
        "/s/500//double///slash/",
        "/s/500/%2e%2E/%2F%5c%41/%25",
        "/s/500/a;b=1,2&c[]=3/d:e@f~$!*()'",
        "/s/500/?",
        "/s/500/q?a=b?c=d&&=&x=+&y=%20&z[0]='",
        "/s/500/q?u=http://other.example/?v",
        "/s/500/@other.example:80/",
    ] {
        let (first, again) = there_and_again(target.as_bytes());
        assert_eq!(first, format!("GET {target}"));
        assert_eq!(again, first);
    }
}

#[test]
fn bytes_that_may_not_stand_in_a_url_arrive_percent_encoded() {
    for (target, again) in [
        (b"/s/500/quo\"te?q=\"x\"".as_slice(), "/s/500/quo%22te?q=%22x%22"),
        (b"/s/500/back\\slash?w=C:\\dir", "/s/500/back%5Cslash?w=C:%5Cdir"),
        (b"/s/500/lit\\x22", "/s/500/lit%5Cx22"),
        (b"/s/500/<b>?<i>", "/s/500/%3Cb%3E?%3Ci%3E"),
        (b"/s/500/{x}|y^z`", "/s/500/%7Bx%7D%7Cy%5Ez%60"),
        ("/s/500/é✓?é".as_bytes(), "/s/500/%C3%A9%E2%9C%93?%C3%A9"),
        (b"/s/500/latin\xe9", "/s/500/latin%E9"),
    ] {
        let (first, seen) = there_and_again(target);
        assert_eq!(first, format!("GET {}", latin1(target)));
        assert_eq!(seen, format!("GET {again}"));
    }
}

#[test]
fn a_fragment_is_not_sent() {
    let (first, again) = there_and_again(b"/s/500/frag?id=1#top");
    assert_eq!(first, "GET /s/500/frag?id=1#top");
    assert_eq!(again, "GET /s/500/frag?id=1");
}

#[test]
fn a_base_url_with_a_path_puts_it_before_the_target() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a/../b", 500));
    let base_url = format!("{}/shop/", backend.url());
    let run = desk.run("logretry", &["run", "access.log", "--base-url", &base_url, "-o", "retry.log"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(backend.seen(), ["GET /shop/a/../b"]);
}

#[test]
fn a_target_that_names_another_host_or_is_no_path_is_skipped_with_a_reason() {
    let backend = Backend::up();
    for (request, reason) in [
        ("GET http://evil.example/x", "host_not_allowed"),
        ("GET https://evil.example:8443/x", "host_not_allowed"),
        ("OPTIONS *", "target_form"),
        ("GET evil.example:443", "target_form"),
        ("GET @evil.example/", "target_form"),
    ] {
        let desk = Desk::with("access.log", line(request, 500));
        let records = desk.run("lr-read", &["access.log", "--format", "combined"]).stdout;
        let refired = desk.program("lr-refire", &["--base-url", &backend.url()]).reading(records).run();
        assert_eq!(refired.code, 3, "{request}: {}", refired.stderr);
        let record = &ndjson(&refired.stdout)[0];
        assert_eq!(
            (&record["retry"]["outcome"], &record["retry"]["reason"]),
            (&"skipped".into(), &reason.into()),
            "{request}"
        );
    }
    assert!(backend.seen().is_empty());
}

#[test]
fn an_absolute_target_of_the_base_url_s_own_host_is_asked_by_its_path() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line(&format!("GET {}/a?b", backend.url()), 500));
    let run = desk.run("logretry", &["run", "access.log", "--base-url", &backend.url(), "-o", "retry.log"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(backend.seen(), ["GET /a?b"]);
}

#[test]
fn a_target_that_a_proxy_would_see_changed_is_skipped_with_a_reason() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a/../b", 500));
    let records = desk.run("lr-read", &["access.log"]).stdout;
    let refired = desk
        .program("lr-refire", &["--proxy", &backend.url(), "--base-url", "http://shop.example"])
        .reading(records)
        .run();
    assert_eq!(refired.code, 3, "{}", refired.stderr);
    assert_eq!(ndjson(&refired.stdout)[0]["retry"]["reason"], "target_would_change");
    assert!(backend.seen().is_empty());
}

#[test]
fn attacks_that_a_log_holds_reach_the_named_server_as_paths_or_nobody() {
    for log in ["combined.log", "json.log"] {
        let Some(log) = corpus(&format!("hostile-nginx/{log}")) else { return };
        let backend = Backend::up();
        let desk = Desk::new();
        let arguments = ["run", "--base-url", &backend.url(), "-o", "retry.log"];
        let run = desk.program("logretry", &arguments).args([log]).run();
        assert_eq!(run.code, 3, "what may not be sent is not recovered: {}", run.stderr);
        let seen = backend.seen();
        assert_eq!(seen.len(), 12, "{}", run.stderr);
        assert!(seen.iter().all(|request| request.starts_with("GET /")), "{seen:?}");
        assert!(seen.contains(&"GET //evil.example/x".to_owned()), "{seen:?}");
        assert!(
            run.stderr.contains("2 not sent (1 host_not_allowed, 1 method_not_allowed)"),
            "{}",
            run.stderr
        );
        assert!(!run.stderr.contains("s3cr3t"), "{}", run.stderr);
    }
}
