//! Which preset a log is in, from its first lines.

use logretry_format::{DETECTION_LINES_MAX, Detection, Verdict, detect, presets};

fn detection(lines: &[String]) -> Detection {
    detect(lines.iter().map(String::as_bytes))
}

fn chosen(lines: &[String]) -> Option<String> {
    detection(lines).chosen().map(|format| format.name().to_owned())
}

fn combined(target: &str) -> String {
    format!(r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET {target} HTTP/1.1" 502 157 "-" "curl/8.9""#)
}

#[test]
fn each_preset_is_known_by_its_example() {
    for preset in presets() {
        let name = preset.twin.unwrap_or(preset.name);
        let lines: Vec<_> = preset.example.lines().map(str::to_owned).collect();
        let chosen = chosen(&lines).expect(preset.name);
        // A format that a header has named keeps the names.
        assert!(chosen == name || chosen.starts_with(&format!("{name}:")), "{}: {chosen}", preset.name);
    }
}

#[test]
fn one_backslash_that_stands_for_itself_makes_combined_gunicorn() {
    assert_eq!(
        chosen(&[combined("/a"), combined(r"/a\x22b"), combined(r#"/a\"\\b"#)]).as_deref(),
        Some("combined")
    );
    assert_eq!(
        chosen(&[combined("/a"), combined(r"/a\x22b"), combined(r"/a\sb")]).as_deref(),
        Some("gunicorn")
    );
}

/// The first of the two was read, and of `$upstream_status $status` that is not what the client got.
#[test]
fn a_log_with_two_columns_of_statuses_is_in_no_known_format() {
    let log = |numbers: &[&str], rest: &str| -> Vec<String> {
        let line = |numbers| {
            format!(r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a HTTP/1.1" {numbers}{rest}"#)
        };
        numbers.iter().map(line).collect()
    };
    let two = ["200 200 157", "502 504 0", "502 502 157", "404 404 -", "301 301 0", "304 - 0"];
    let bare = two.map(|numbers| numbers.rsplit_once(' ').expect("three numbers").0);
    for rest in ["", " 0.003", r#" "-" "curl/8.9""#] {
        for numbers in [two, bare] {
            let detection = detection(&log(&numbers, rest));
            assert_eq!((detection.chosen().is_some(), detection.doubt.is_some()), (false, true), "{rest}");
        }
    }
    let bytes = ["200 200 157", "502 150 157", "502 150 157", "404 153 157", "301 169 157", "304 0 157"];
    let length = ["200 200 157", "200 200 157", "200 200 157", "200 200 157", "502 157 157", "200 1200 157"];
    let seconds = ["200 200 0.1"; 6];
    for numbers in [bytes, length, seconds] {
        assert_eq!(chosen(&log(&numbers, "")).as_deref(), Some("combined_more"), "{numbers:?}");
    }
}

/// Where a number of three digits stands in one line of five, it was read as the status of that line.
#[test]
fn a_log_whose_statuses_are_none_is_in_no_known_format() {
    let log = |numbers: &[&str]| -> Vec<String> {
        let line =
            |numbers| format!(r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a HTTP/1.1" {numbers}"#);
        numbers.iter().map(line).collect()
    };
    let bytes = ["157 200", "1570 200", "502 200", "552 502", "0 304", "331 200", "178 301", "12 200"];
    let port = ["443 200 157", "443 502 157", "443 200 1570", "443 304 0", "443 200 157"];
    for numbers in [&bytes[..], &port] {
        let detection = detection(&log(numbers));
        assert_eq!((detection.chosen().is_some(), detection.doubt.is_some()), (false, true), "{numbers:?}");
    }
    let strange =
        ["419 157", "499 0", "527 157", "000 0", "460 157", "218 157", "555 157", "666 157", "999 9"];
    assert_eq!(chosen(&log(&strange)).as_deref(), Some("common"));
}

#[test]
fn a_line_behind_a_prefix_is_not_mistaken_for_a_format_of_its_own() {
    for prefix in [
        "<134>Nov 22 06:41:43 web nginx: ",
        "Nov 22 06:41:43 web nginx: ",
        "2026-11-22T06:41:43.866+00:00 web nginx: ",
        "<134>1 2026-11-22T06:41:43.866Z web nginx 7 - - ",
        "2026-11-22T06:41:43.866Z stdout F ",
        "web-1  | ",
        "[pod/web-1/nginx] ",
    ] {
        assert_eq!(chosen(&[format!("{prefix}{}", combined("/a"))]), None, "{prefix}");
    }
    // A host in front of an address is one.
    assert_eq!(chosen(&[format!("shop.example.com {}", combined("/a"))]).as_deref(), Some("host_combined"));
    // lighttpd has the host where others have `-`.
    assert_eq!(
        chosen(&[combined("/a").replacen(" - ", " shop.example.com ", 1)]).as_deref(),
        Some("lighttpd")
    );
}

#[test]
fn what_does_not_fit_is_counted_and_has_a_runner_up() {
    let common = combined("/a").replace(r#" "-" "curl/8.9""#, "");
    let lines = [combined("/a"), combined("/b"), String::new(), common, "panic: at the disco".to_owned()];
    let detection = detection(&lines);
    assert_eq!(detection.chosen().map(logretry_format::Format::name), Some("combined"));
    assert_eq!((detection.lines, detection.unmatched()), (4, 2));
    let runner_up = detection.runner_up.expect("a runner-up");
    assert_eq!((runner_up.format.name(), runner_up.matched), ("common", 1));
}

#[test]
fn a_log_that_fits_too_rarely_is_unknown() {
    let mut lines = vec!["something else".to_owned(); 9];
    assert_eq!(chosen(&[]), None);
    assert_eq!(chosen(&lines), None);
    lines.push(combined("/a"));
    assert!(matches!(detection(&lines).verdict, Verdict::Unknown));
    lines.push(combined("/b"));
    lines.push(combined("/c"));
    assert_eq!(chosen(&lines).as_deref(), Some("combined"));
    assert_eq!(detection(&vec![combined("/a"); 1000]).lines, DETECTION_LINES_MAX);
}
