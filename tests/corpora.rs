//! Logs that real servers wrote for 73 hostile requests: no line with a 5xx status vanishes, and each is exact.

use insta::assert_snapshot;

use crate::lab::verdict;

/// Compares the verdict, where the corpora are installed.
macro_rules! assert_verdict {
    ($log:literal, $arguments:expr, @$expected:literal) => {
        if let Some(verdict) = verdict($log, $arguments) {
            assert_snapshot!(verdict, @$expected);
        }
    };
}

#[test]
fn nginx_combined_is_detected_and_exact() {
    assert_verdict!("nginx-combined.log", &[], @"110 exact");
}

#[test]
fn nginx_main_is_detected_and_exact() {
    assert_verdict!("nginx-main.log", &[], @"110 exact");
}

#[test]
fn ingress_nginx_upstreaminfo_is_exact_when_its_log_format_is_pasted() {
    let format = "log_format upstreaminfo '$remote_addr - $remote_user [$time_local] \"$request\" '
        '$status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" '
        '$request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr '
        '$upstream_response_length $upstream_response_time $upstream_status $req_id';";
    assert_verdict!("nginx-upstreaminfo.log", &["--format", format], @"110 exact");
}

#[test]
fn apache_common_is_detected_and_exact() {
    assert_verdict!("apache-common.log", &[], @"112 exact");
}

#[test]
fn apache_vhost_combined_is_detected_and_exact() {
    assert_verdict!("apache-vhost_combined.log", &[], @"112 exact");
}

#[test]
fn an_apache_format_that_loses_the_path_says_so() {
    let format = r#"LogFormat "%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t%{%z}t %m %{Host}i %U%q %>s %D %L" custom"#;
    assert_verdict!("apache-custom-UqHost.log", &["--format", format], @"112 lossy");
}

#[test]
fn gunicorn_is_exact_by_its_name_and_detected() {
    assert_verdict!("gunicorn-default.log", &["--format", "gunicorn"], @"52 exact");
    assert_verdict!("gunicorn-default.log", &[], @"52 exact");
}

#[test]
fn morgan_combined_is_detected_and_exact() {
    assert_verdict!("morgan-combined.log", &[], @"52 exact");
}
