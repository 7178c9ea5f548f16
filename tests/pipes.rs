//! The same job by the four programs, joined by pipes; and what other programs may do in between.

use insta::assert_snapshot;

use crate::lab::{Backend, Desk, Outage, Program, line, ndjson, nginx, pipe, refires, sorted, without_times};

/// `lr-read … | lr-filter … | lr-refire … | lr-write …`, as a user joins them.
fn four_programs(desk: &Desk, base_url: &str, output: &str) -> [Program; 4] {
    [
        desk.program("lr-read", &["access.log"]),
        desk.program("lr-filter", &["--status", "5xx", "--method", "GET,HEAD"]),
        desk.program("lr-refire", &["--base-url", base_url]),
        desk.program("lr-write", &["-o", output]),
    ]
}

#[test]
fn four_programs_and_pipes_do_what_the_linked_run_does() {
    let outage = Outage::behind(nginx);
    let desk = Desk::with_log_of(&outage.server);
    let url = outage.server.url();

    let piped = pipe(four_programs(&desk, &url, "piped.log"));
    assert_eq!(piped.codes, [0, 0, 0, 0], "{}", piped.stderr);
    let by_pipes = refires(&outage.logged_since(7));

    let arguments = ["run", "access.log", "--base-url", &url, "--method", "GET,HEAD", "-o", "linked.log"];
    let linked = desk.run("logretry", &arguments);
    assert_eq!(linked.code, 0, "{}", linked.stderr);
    let by_links = refires(&outage.logged_since(14)[7..]);

    assert_eq!(by_pipes, by_links);
    assert_eq!(by_pipes.lines().count(), 7);
    let log = |name| sorted(&without_times(&desk.read(name)));
    assert_eq!(log("piped.log"), log("linked.log"));
    assert_eq!(log("piped.log").lines().count(), 7);
}

#[test]
fn bytes_that_are_not_utf8_stay_what_they_are_on_either_way() {
    let line = b"203.0.113.9 - caf\xe9 [22/Nov/2026:06:22:52 +0000] \"GET /caf\xe9 HTTP/1.1\" 500 157 \"-\" \"\xff\"\n";
    let desk = Desk::with("access.log", line);
    let backend = Backend::up();
    let url = backend.url();
    let piped = pipe(four_programs(&desk, &url, "piped.log"));
    let linked = desk.run("logretry", &["run", "access.log", "--base-url", &url, "-o", "linked.log"]);
    assert_eq!((piped.codes, linked.code), (vec![0, 0, 0, 0], 0), "{}{}", piped.stderr, linked.stderr);
    let expected =
        "203.0.113.9 - caf\u{e9} […] \"GET /caf\u{e9}?retry=True HTTP/1.1\" 200 3 \"-\" \"\u{ff}\"\n";
    for log in ["piped.log", "linked.log"] {
        assert_eq!(without_times(&desk.read(log)), expected, "{log}");
    }
    assert_eq!(backend.seen(), ["GET /caf%E9", "GET /caf%E9"]);
}

#[test]
fn a_log_on_standard_input_is_a_log_too() {
    let desk = Desk::with("access.log", line("GET /a", 500));
    let file = desk.run("lr-read", &["access.log"]);
    for arguments in [["-"].as_slice(), &[]] {
        let stdin = desk.program("lr-read", arguments).reading(line("GET /a", 500)).run();
        assert_eq!(stdin.code, 0, "{}", stdin.stderr);
        assert_eq!(stdin.stdout, file.stdout.replace("access.log", "-"));
    }
}

#[test]
fn a_log_is_in_the_same_format_wherever_it_comes_from() {
    // Only a line beyond the first eight kibibytes shows that gunicorn wrote it, which leaves backslashes alone.
    let lines =
        (0..199).map(|n| line(&format!(r"GET /\x22{n}"), 500)).collect::<String>() + &line(r"GET /\s", 500);
    let desk = Desk::with("access.log", &lines);
    let targets = |records: &str| -> Vec<String> {
        ndjson(records).iter().map(|record| record["original"]["target"].to_string()).collect()
    };
    let file = targets(&desk.run("lr-read", &["access.log"]).stdout);
    assert_eq!((file.len(), file[0].as_str()), (200, "\"/%5Cx220\""));
    for script in [
        "lr-read < access.log",
        "cat access.log | lr-read",
        "(head -c 20000 access.log; sleep 0.02; tail -c +20001 access.log) | lr-read",
        "gzip < access.log | lr-read",
    ] {
        let ended = desk.shell(script, "").run();
        assert_eq!((ended.code, targets(&ended.stdout)), (0, file.clone()), "{script}: {}", ended.stderr);
    }
}

#[test]
fn records_may_be_split_joined_and_sorted_on_their_way() {
    let log: String = (0..20).map(|n| line(&format!("GET /{n}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    let backend = Backend::up();
    let script = r#"
        lr-read access.log | tee all.ndjson | lr-filter | split -l 7 - part.
        cat part.* | sort -r | lr-refire --base-url "$BASE_URL" | tee refired.ndjson | lr-write -o retry.log
    "#;
    let ended = desk.shell(script, &backend.url()).run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let mut expected: Vec<String> = (0..20).map(|n| format!("GET /{n}")).collect();
    let mut seen = backend.forget(20);
    expected.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, expected);
    assert_eq!(desk.read("all.ndjson").lines().count(), 20);
    assert_eq!(desk.read("refired.ndjson").lines().count(), 20);
    assert_eq!(desk.read("retry.log").lines().count(), 20);
}

#[test]
fn a_filter_passes_the_bytes_of_a_record_through_as_they_came() {
    let desk = Desk::with("access.log", line("GET /a", 500));
    let record = desk.run("lr-read", &["access.log"]).stdout;
    // Another spacing, another order, and fields of a later version.
    let strange = format!(
        "{{ \"later\" : [1, 2.50, \"\\u00e9\"], {}\n",
        record.trim_end().trim_start_matches('{').replace("\"original\":{", "\"original\":{\"new\":1e2,")
    );
    let filtered = desk.program("lr-filter", &[]).reading(format!("{record}{strange}")).run();
    assert_eq!(filtered.code, 0, "{}", filtered.stderr);
    assert_eq!(filtered.stdout, format!("{record}{strange}"));
}

#[test]
fn a_refire_adds_to_a_record_and_changes_nothing_of_it() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 500));
    let record =
        desk.run("lr-read", &["access.log"]).stdout.replace("{\"v\":1", "{\"later\":[1, 2.50],\"v\":1");
    let refired = desk.program("lr-refire", &["--base-url", &backend.url()]).reading(record.as_str()).run();
    assert_eq!(refired.code, 0, "{}", refired.stderr);
    let kept = record.trim_end().trim_end_matches('}');
    assert!(refired.stdout.starts_with(kept), "{}\n{kept}", refired.stdout);
    // A filter decides the same before and after a refire.
    let filtered = desk.program("lr-filter", &[]).reading(refired.stdout.as_str()).run();
    assert_eq!(filtered.stdout, refired.stdout);
}

#[test]
fn a_retry_of_null_and_fields_of_others_go_through_every_stage() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", [line("GET /a", 502), line("GET /always/503", 502)].concat());
    let script = "lr-read access.log | jq -c '{v,id,origin,original,retry,ticket:\"T1\"}' |
        lr-refire --base-url $BASE_URL | lr-filter | lr-refire --base-url $BASE_URL | lr-write --as json";
    let written = desk.shell(script, &backend.url()).run();
    assert_eq!(written.code, 3, "{}", written.stderr);
    let told = |record: &serde_json::Value| format!("{} {}", record["ticket"], record["retry"]["outcome"]);
    let told: Vec<String> = ndjson(&written.stdout).iter().map(told).collect();
    assert_eq!(sorted(&told.join("\n")), "\"T1\" \"failing\"\n\"T1\" \"recovered\"");
    assert_eq!(backend.seen().len(), 4);
}

#[test]
fn what_a_refire_adds_is_how_it_ended() {
    let backend = Backend::up();
    let requests = ["GET /well", "GET /always/404", "GET /always/503", "GET /always/drop", "POST /order"];
    let desk = Desk::with("access.log", requests.map(|request| line(request, 500)).concat());
    let url = backend.url();
    let ended =
        pipe([desk.program("lr-read", &["access.log"]), desk.program("lr-refire", &["--base-url", &url])]);
    assert_eq!(ended.codes, [0, 3], "{}", ended.stderr);
    let mut retries: Vec<String> = ndjson(&ended.stdout)
        .into_iter()
        .map(|mut record| {
            let retry = record["retry"].as_object_mut().expect("a retry");
            assert!(retry.remove("time").is_some_and(|time| time.is_string()));
            assert_eq!(retry.remove("duration_ms").is_some(), retry["attempts"] == 1);
            serde_json::to_string(retry).expect("JSON").replace(&url, "http://…")
        })
        .collect();
    retries.sort_unstable();
    assert_snapshot!(retries.join("\n"), @r#"
    {"attempts":0,"outcome":"skipped","reason":"method_not_allowed"}
    {"attempts":1,"bytes":3,"method":"GET","outcome":"failing","status":503,"url":"http://…/always/503"}
    {"attempts":1,"bytes":3,"method":"GET","outcome":"recovered","status":200,"url":"http://…/well"}
    {"attempts":1,"bytes":3,"method":"GET","outcome":"refused","status":404,"url":"http://…/always/404"}
    {"attempts":1,"detail":"connection closed before message completed","error":"reset","method":"GET","outcome":"unanswered","url":"http://…/always/drop"}
    "#);
}

/// Whoever gives all records to a second `lr-refire`, and not what did not recover.
#[test]
fn that_records_have_recovered_already_is_said_before_they_are_sent_once_more() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", ["GET /a", "GET /b"].map(|request| line(request, 502)).concat());
    let refire = || desk.program("lr-refire", &["--base-url", &backend.url()]);
    let read = desk.run("lr-read", &["access.log"]).stdout;
    let first = refire().reading(read).run();
    let told = "some of the records have recovered already, and are sent once more";
    assert!(!first.stderr.contains(told), "{}", first.stderr);
    let second = refire().reading(first.stdout.as_str()).run();
    assert_eq!(second.stderr.matches(told).count(), 1, "{}", second.stderr);
    // What it advises.
    let left = desk
        .shell(
            "jq -c 'select(.retry.outcome != \"recovered\")' | lr-refire --base-url $BASE_URL",
            &backend.url(),
        )
        .reading(first.stdout)
        .run();
    assert_eq!((left.code, left.stdout.as_str()), (0, ""), "{}", left.stderr);
    assert_eq!(backend.seen().len(), 4);
}

#[test]
fn a_request_that_was_changed_on_the_way_is_logged_as_it_was_sent() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", [line("GET /old", 502), line("POST /form", 502)].concat());
    let script =
        "lr-read access.log | jq -c '.original.method=\"GET\" | .original.target|=sub(\"/old\";\"/new\")' |
        lr-refire --base-url $BASE_URL | lr-write";
    let written = desk.shell(script, &backend.url()).run();
    assert_eq!(written.code, 0, "{}", written.stderr);
    assert_eq!(sorted(&backend.seen().join("\n")), "GET /form\nGET /new");
    assert!(written.stdout.contains("\"GET /new?retry=True HTTP/1.1\" 200"), "{}", written.stdout);
    assert!(written.stdout.contains("\"GET /form?retry=True HTTP/1.1\" 200"), "{}", written.stdout);
    assert!(written.stderr.contains("it was changed on its way"), "{}", written.stderr);
}

#[test]
fn a_pipe_that_sends_nothing_does_not_end_well() {
    let desk = Desk::with("access.log", line("GET /a", 502));
    let written = desk.shell("lr-read access.log | lr-filter | lr-write", "").run();
    assert_eq!((written.code, written.stdout.as_str()), (1, ""), "{}", written.stderr);
    assert!(written.stderr.contains("cannot write lines for 1 record"), "{}", written.stderr);
    assert!(written.stderr.contains("`lr-refire` stands before `lr-write`"), "{}", written.stderr);
}
