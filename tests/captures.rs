//! Requests with bodies: from HAR files, from captures of `GoReplay`, and from a file beside an access log.

use crate::lab::{Backend, Desk, Ended, line, ndjson, pipe, without_times};

/// Four requests of a browser, of which three failed; the second has a form with a file, whose bytes the browser leaves out.
pub(crate) const HAR: &str = r#"{
  "log": {
    "version": "1.2",
    "creator": {"name": "a browser", "version": "1"},
    "pages": [],
    "entries": [
      {
        "startedDateTime": "2026-11-22T06:22:52.123+01:00",
        "time": 1002.5,
        "request": {
          "method": "POST", "url": "https://shop.example/orders?b=c", "httpVersion": "h2",
          "headers": [
            {"name": ":authority", "value": "shop.example"},
            {"name": "content-type", "value": "application/json"},
            {"name": "content-length", "value": "16"},
            {"name": "cookie", "value": "session=secret"},
            {"name": "authorization", "value": "Bearer secret"},
            {"name": "x-signature", "value": "sha256=7f2a"},
            {"name": "user-agent", "value": "Mozilla/5.0"}
          ],
          "cookies": [{"name": "session", "value": "secret"}],
          "bodySize": 16,
          "postData": {"mimeType": "application/json", "text": "{\"name\":\"José\"}"}
        },
        "response": {"status": 502, "statusText": "", "bodySize": 157, "content": {"size": 157, "text": "<html>secret</html>"}}
      },
      {
        "startedDateTime": "2026-11-22T05:22:53Z", "time": 3,
        "request": {
          "method": "POST", "url": "https://shop.example/upload", "headers": [{"name": "Content-Length", "value": "4096"}],
          "bodySize": 4096, "postData": {"mimeType": "multipart/form-data", "text": "--x\r\n"}
        },
        "response": {"status": 503, "bodySize": 0}
      },
      {
        "startedDateTime": "2026-11-22T05:22:54Z", "time": 3,
        "request": {"method": "GET", "url": "https://shop.example/a", "headers": [], "bodySize": 0},
        "response": {"status": 504, "bodySize": 0}
      },
      {
        "startedDateTime": "2026-11-22T05:22:55Z", "time": 3,
        "request": {"method": "GET", "url": "https://shop.example/fine", "headers": [], "bodySize": 0},
        "response": {"status": 200, "bodySize": 3}
      }
    ]
  }
}
"#;

const GOR: &str = "1 5c0ffee5c0ffee5c0ffee5c1 1795329862135079900 0
POST /orders HTTP/1.1\r\nHost: shop.example\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nCookie: a=secret\r\n\r\n4\r\na\r\nb\r\n0\r\n\r\n
🐵🙈🙉
1 5c0ffee5c0ffee5c0ffee5c2 1795329862135079901 0
GET /fine HTTP/1.1\r\nHost: shop.example\r\n\r\n
🐵🙈🙉
2 5c0ffee5c0ffee5c0ffee5c2 1795329862136079901 1000000
HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n
🐵🙈🙉
2 5c0ffee5c0ffee5c0ffee5c1 1795329863137079900 1002000000
HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n
🐵🙈🙉
";

fn run(desk: &Desk, log: &str, backend: &Backend, more: &[&str]) -> Ended {
    let arguments =
        ["run", log, "--base-url", &backend.url(), "--methods", "GET,POST", "--yes", "-o", "retry.log"];
    desk.program("logretry", &arguments).args(more).run()
}

/// The value of a header in a head.
fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (other, value) = line.split_once(": ")?;
        other.eq_ignore_ascii_case(name).then_some(value)
    })
}

#[test]
fn a_failed_post_in_a_har_file_is_sent_again_with_its_body_and_without_its_secrets() {
    let desk = Desk::with("shop.har", HAR);
    let backend = Backend::up();
    let ended = run(&desk, "shop.har", &backend, &["--keep-header", "X-Signature"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("shop.har: format har in a HAR file, which 4 of 4 lines fit"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("3 selected = 2 sent + 1 not sent (1 no_body)"), "{}", ended.stderr);

    let heard = backend.heard();
    let (asked, body) = heard.iter().find(|(head, _)| head.starts_with("POST")).expect("the order");
    assert!(asked.starts_with("POST /orders?b=c HTTP/1.1\r\n"), "{asked}");
    assert_eq!(body, "{\"name\":\"Jos\u{c3}\u{a9}\"}");
    assert_eq!(header(asked, "content-type"), Some("application/json"));
    assert_eq!(header(asked, "content-length"), Some("16"));
    assert_eq!(header(asked, "x-signature"), Some("sha256=7f2a"));
    assert!(!asked.contains("secret") && !asked.contains("Mozilla"), "{asked}");

    let log = desk.read("retry.log");
    assert!(!log.contains("secret") && !log.contains("Jos"), "{log}");
    let post = log.lines().find(|line| line.contains("POST")).expect("its line");
    assert!(post.contains(r#""url":"https://shop.example/orders?b=c&retry=True""#), "{post}");
    assert!(post.contains(r#""response":{"status":200,"bodySize":3"#), "{post}");
    // What reads the capture reads its retry log.
    let again = desk.run("lr-read", &["retry.log"]);
    assert_eq!(ndjson(&again.stdout).len(), 2, "{}", again.stderr);
    assert!(again.stderr.contains("format har, which 2 of 2 lines fit"), "{}", again.stderr);
}

#[test]
fn what_had_no_answer_and_bytes_that_were_no_text_are_records_of_a_har_file() {
    let entry = |request: &str, status: &str| {
        format!(
            r#"{{"startedDateTime":"2026-11-22T05:22:53Z","time":-1,"request":{{{request}}},"response":{{"status":{status},"bodySize":-1}}}}"#
        )
    };
    let entries = [
        entry(r#""method":"GET","url":"https://shop.example/never""#, "-1"),
        entry(
            r#""method":"POST","url":"https://shop.example/upload","headers":[{"name":"Content-Length","value":"2"}],"postData":{"text":"\udcff\udcfe"}"#,
            "502",
        ),
    ];
    let har = format!(r#"{{"log":{{"version":"1.2","entries":[{}]}}}}"#, entries.join(","));
    let desk = Desk::with("shop.har", &har);
    let read = desk.run("lr-read", &["shop.har", "--strict"]);
    assert_eq!(read.code, 0, "{}", read.stderr);
    let records = ndjson(&read.stdout);
    assert_eq!(records[0]["original"]["status"], 0, "{}", records[0]);
    assert_eq!(records[1]["original"]["lossy"][0], "body", "{}", records[1]);
}

#[test]
fn a_capture_of_goreplay_is_read_unpacked_or_not_and_over_pipes() {
    let desk = Desk::with("requests.gor", GOR);
    desk.shell("gzip -k requests.gor", "").run();
    let backend = Backend::up();
    let ended = run(&desk, "requests.gor.gz", &backend, &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("2 lines = 1 records + 0 rejected + 1 screened"), "{}", ended.stderr);

    let piped = pipe([
        desk.program("lr-read", &["requests.gor", "--format", "gor"]),
        desk.program("lr-filter", &[]),
        desk.program("lr-refire", &["--base-url", &backend.url(), "--methods", "POST", "--yes"]),
        desk.program("lr-write", &["-o", "piped.log"]),
    ]);
    assert_eq!(piped.codes, [0, 0, 0, 0], "{}", piped.stderr);
    for (head, body) in backend.heard() {
        assert!(head.starts_with("POST /orders HTTP/1.1\r\n"), "{head}");
        assert_eq!((header(&head, "content-type"), body.as_str()), (Some("text/plain"), "a\r\nb"));
        assert!(!head.contains("secret"), "{head}");
    }
    let log = desk.read("retry.log");
    assert!(
        log.contains(r#""method":"POST","host":"shop.example","target":"/orders?retry=True","status":200,"#),
        "{log}"
    );
    assert_eq!(backend.heard().len(), 2);
    assert_eq!(desk.read("piped.log").lines().count(), 1);
}

#[test]
fn methods_with_bodies_are_not_sent_unless_they_are_named() {
    let desk = Desk::with("requests.gor", GOR);
    let backend = Backend::up();
    let ended =
        desk.run("logretry", &["run", "requests.gor", "--base-url", &backend.url(), "-o", "retry.log"]);
    assert!(ended.stderr.contains("1 not sent (1 method_not_allowed)"), "{}", ended.stderr);
    assert!(backend.heard().is_empty());
}

#[test]
fn a_body_that_is_too_long_is_a_reject() {
    let long = "x".repeat(2000);
    let desk =
        Desk::with("shop.har", HAR.replace(r#"{\"name\":\"José\"}"#, &long).replace("\"16\"", "\"2000\""));
    let arguments = ["shop.har", "--line-limit", "1999", "--rejects", "rejects.ndjson"];
    let ended = desk.run("lr-read", &arguments);
    assert!(
        desk.read("rejects.ndjson").contains("its body is longer than 1999 bytes (--line-limit)"),
        "{}",
        ended.stderr
    );
    assert_eq!(ndjson(&ended.stdout).len(), 3, "the others are read all the same");
    let whole = desk.run("lr-read", &["shop.har", "--line-limit", "2000"]);
    assert_eq!(ndjson(&whole.stdout)[0]["original"]["body"], long);
}

#[test]
fn a_har_file_that_is_cut_gives_what_it_has() {
    let end = HAR.find("\"bodySize\": 4096").expect("the second entry");
    let desk = Desk::with("shop.har", &HAR[..end]);
    let ended = desk.run("lr-read", &["shop.har", "--rejects", "rejects.ndjson"]);
    assert_eq!(ndjson(&ended.stdout).len(), 1, "{}", ended.stderr);
    assert_eq!(desk.read("rejects.ndjson").lines().count(), 1);
}

#[test]
fn bodies_may_lie_beside_an_access_log_that_has_request_ids() {
    let format = r#"log_format ids '$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$request_id"';"#;
    let entry = |request: &str, id: &str| {
        let plain = line(request, 502);
        let (start, _) = plain.split_once(" \"-\"").expect("combined");
        format!("{start} \"{id}\"\n")
    };
    let log = [entry("POST /orders", "7f2a"), entry("PUT /orders/7", "7f2b"), entry("POST /other", "7f2c")]
        .concat();
    let desk = Desk::with("access.log", log);
    desk.put(
        "bodies.ndjson",
        concat!(
            r#"{"request_id":"7f2a","headers":{"Content-Type":"application/json","Cookie":"a=secret"},"body":"{\"a\":1}"}"#,
            "\n",
            r#"{"request_id":"7f2b","body_base64":"H4sA/w=="}"#,
            "\n",
        ),
    );
    let backend = Backend::up();
    let arguments = [
        "run",
        "access.log",
        "--format",
        format,
        "--base-url",
        &backend.url(),
        "--yes",
        "--methods",
        "POST,PUT",
        "--bodies",
        "bodies.ndjson",
        "--concurrency",
        "1",
        "-o",
        "retry.log",
    ];
    let ended = desk.run("logretry", &arguments);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("3 selected = 2 sent + 1 not sent (1 no_body)"), "{}", ended.stderr);
    let heard = backend.heard();
    assert_eq!(heard[0].1, r#"{"a":1}"#);
    assert_eq!(header(&heard[0].0, "content-type"), Some("application/json"));
    assert_eq!(heard[1].1, "\u{1f}\u{8b}\0\u{ff}");
    assert!(!heard[0].0.contains("secret"));
    assert!(
        without_times(&desk.read("retry.log"))
            .contains("\"POST /orders?retry=True HTTP/1.1\" 200 3 \"7f2a\"\n")
    );
}

#[test]
fn a_plan_says_which_bodies_are_of_no_use() {
    let desk = Desk::with("access.log", line("POST /a", 502));
    let cut = r#"{"request_id":"7f2a","headers":{"Content-Length":"9"},"body":"a"}"#;
    let two = r#"{"request_id":"7f2b","body":"a"}"#;
    desk.put("bodies.ndjson", [cut, two, &two.replace("\"a\"", "\"b\"")].join("\n"));
    let arguments = [
        "access.log",
        "--base-url",
        "https://shop.example",
        "--methods",
        "POST",
        "--bodies",
        "bodies.ndjson",
    ];
    for (program, verb) in [("plan", &[][..]), ("run", &["--dry-run"])] {
        let ended = desk.program("logretry", &[program]).args(arguments).args(verb).run();
        for says in ["1 request ids have several bodies", "1 bodies in --bodies are not as long as"] {
            assert!(ended.stderr.contains(says), "{program}: {}", ended.stderr);
        }
    }
}

#[test]
fn a_file_of_bodies_that_cannot_be_used_is_named_before_anything_is_sent() {
    let desk = Desk::with("access.log", line("POST /a", 502));
    desk.put("bodies.ndjson", "{\"request_id\":\"7f2a\"}\n");
    let backend = Backend::up();
    let url = backend.url();
    let arguments = ["run", "access.log", "--base-url", &url, "--bodies", "bodies.ndjson"];
    let ended = desk.run("logretry", &arguments);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(
        ended.stderr.contains(
            "cannot use the bodies of `bodies.ndjson`, line 1: it has neither `body` nor `body_base64`"
        ),
        "{}",
        ended.stderr
    );
    let credentials =
        desk.run("logretry", &["run", "access.log", "--base-url", &url, "--keep-header", "Cookie"]);
    assert_eq!(credentials.code, 2);
    assert!(credentials.stderr.contains("credentials never come from a log"), "{}", credentials.stderr);
    assert!(backend.heard().is_empty());
}
