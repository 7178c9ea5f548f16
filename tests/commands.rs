//! The commands of `logretry` besides `run`.

use insta::assert_snapshot;

use crate::lab::{Backend, Desk, Program, count_by, line, ndjson};

fn log() -> String {
    let requests =
        ["GET /a?token=s3cret", "GET /b", "HEAD /c", "POST /order", "OPTIONS *", "GET /d?retry=True"];
    requests.iter().map(|request| line(request, 502)).chain([line("GET /fine", 200)]).collect()
}

#[test]
fn a_plan_says_what_would_be_refired_and_why_the_rest_would_not() {
    let desk = Desk::with("access.log", log());
    let plan = desk.run("logretry", &["plan", "access.log", "--base-url", "https://shop.example"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    assert_snapshot!(plan.stdout, @r"
    7 lines = 6 records + 0 rejected + 1 screened
    6 records = 5 selected + 1 dropped (1 our own)
    5 selected = 3 would be sent + 2 would not

    status             3  502
    method             2  GET
                       1  HEAD
    to                 3  https://shop.example
    route              1  /a
                       1  /b
                       1  /c
    not sent           1  method_not_allowed: the method is not one of --methods (GET, HEAD and OPTIONS by default)
    not sent           1  target_form: the request target has a form that cannot be sent again (`*`, `host:port`, no leading `/`, bytes that may not stand in a URL)
    duration    not known: the log does not say how long answers take (3 of them, 64 at a time)
    retry log   standard output

    Nothing was sent.
    ");
}

/// It promised what the run with the same flags did not send, in a 64th of the time.
#[test]
fn a_plan_keeps_to_the_limits_of_the_run() {
    let logged = |id: u8| {
        format!(
            r#"{{"time":"2026-11-22T06:22:{id:02}Z","method":"GET","uri":"/{id}","status":502,"request_time":2.0}}"#
        ) + "\n"
    };
    let backend = Backend::up();
    let desk = Desk::with("access.log", (10..15).map(logged).collect::<String>());
    let of = |verb: &str, more: &[&str]| {
        let flags = [verb, "access.log", "--base-url", &backend.url(), "--max-requests", "3"];
        desk.run("logretry", &[&flags[..], more].concat())
    };
    let plan = of("plan", &["--per-host", "1", "--max-time", "5s"]).stdout;
    for told in [
        "5 selected = 3 would be sent + 2 would not",
        "not sent           2  max_requests: ",
        "about 6 s if answers take as long as the failed ones did (2000 ms), 1 at a time; --max-time ends it after 5 s",
    ] {
        assert!(plan.contains(told), "{told} is not in {plan}");
    }
    let run = of("run", &["-o", "retry.log"]).stderr;
    assert!(run.contains("5 selected = 3 sent + 2 not sent (2 max_requests)"), "{run}");
}

/// One request of a minute was to take a second, for it was divided among the 64 that may be under way.
#[test]
fn a_plan_takes_no_less_time_than_one_answer_does() {
    let log = r#"{"time":"2026-11-22T06:22:52Z","method":"GET","uri":"/a","status":504,"request_time":60.0}"#;
    let plan = Desk::with("access.log", log)
        .run("logretry", &["plan", "access.log", "--base-url", "http://shop.example"]);
    assert!(plan.stdout.contains("about 1 min 0 s if answers take"), "{}", plan.stdout);
}

#[test]
fn a_plan_opens_no_socket_and_writes_no_file() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", log());
    let plan = desk.run("logretry", &["plan", "access.log", "--base-url", &backend.url()]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    assert!(backend.seen().is_empty());
    let files: Vec<_> = std::fs::read_dir(desk.folder()).expect("the desk").collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn a_dry_run_sends_nothing_and_writes_no_retry_log() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", log());
    let run = desk.run(
        "logretry",
        &["run", "access.log", "--base-url", &backend.url(), "--dry-run", "-o", "retry.log"],
    );
    assert!(backend.seen().is_empty());
    assert!(!desk.path("retry.log").exists(), "{}", run.stderr);
}

/// A log without methods is no log of GETs.
#[test]
fn who_sends_gets_for_want_of_a_method_says_so() {
    let backend = Backend::up();
    let log = r#"{"code":502,"req":{"url":"/order","m":"POST"}}"#;
    let desk = Desk::with("access.log", format!("{log}\n{log}x\n{log}\n"));
    let format = "json:status=.code,url=.req.url";
    let of = |command: &str| {
        let arguments = [command, "access.log", "--base-url", &backend.url(), "--format", format];
        desk.run("logretry", &arguments)
    };
    let (plan, run) = (of("plan"), of("run"));
    assert!(plan.stdout.contains("2  of which the log tells no method: sent as GET"), "{}", plan.stdout);
    assert_eq!(run.stderr.matches("the log tells no method: its requests are sent as GET").count(), 1);
    assert_eq!(backend.seen(), ["GET /order", "GET /order"]);
}

#[test]
fn explain_shows_the_format_each_field_and_the_rebuilt_url() {
    let desk = Desk::with("access.log", line("GET /a%20b?token=s3cret", 502));
    let explained = desk.run("logretry", &["explain", "access.log", "--base-url", "https://shop.example"]);
    assert_eq!(explained.code, 0, "{}", explained.stderr);
    let lines: Vec<&str> = explained.stdout.lines().map(str::trim_end).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    access.log: 1 lines looked at
    format: combined (found out)
      combined fits 1 of 1 lines
      lighttpd fits 1 of 1 lines
      gunicorn fits 1 of 1 lines

    line 1: 203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a%20b?token=… HTTP/1.1" 502 157 "-" "curl/8.9"
      %h                       203.0.113.9                              client
      %l                       -
      %u                       -
      %t                       22/Nov/2026:06:22:52 +0000               time
      %r                       GET /a%20b?token=… HTTP/1.1              request line: method and URL
      %>s                      502                                      status
      %b                       157                                      bytes
      %{Referer}i              -
      %{User-Agent}i           curl/8.9                                 user agent
      => target /a%20b?token=…
      => GET https://shop.example/a%20b?token=…
    "#);
    let without = desk.run("logretry", &["explain", "access.log"]).stdout;
    assert!(without.contains("note: the format names no host, so refiring needs --base-url"), "{without}");
}

/// Of a log that begins with a header, it showed nothing else, and said that its lines do not fit.
#[test]
fn explain_shows_requests_before_headers() {
    let head = "#Version: 1.0\n#Date: 2026-11-22 06:00:00\n#Fields: date time cs-method cs-uri sc-status\n";
    let request = "2026-11-22 06:22:52 GET /a 200\n";
    let desk = Desk::with("access.log", format!("{head}{request}"));
    let explained = |lines| desk.run("logretry", &["explain", "access.log", "--lines", lines]).stdout;
    let first = explained("1");
    assert!(first.contains("line 4: ") && !first.contains("#Version"), "{first}");
    let all = explained("4");
    assert_eq!(all.matches("=> no request: a header").count(), 3, "{all}");
    assert!(!all.contains("does not fit"), "{all}");
}

/// Whoever is told to ask `explain` about a log that is not understood must not be sent away with the same sentence.
#[test]
fn explain_shows_lines_that_nothing_reads() {
    let desk = Desk::with("access.log", "502|GET /a?token=s3cret|curl/8.9\n\n504|GET /b|\u{1b}[2J\n");
    let explained = desk.run("logretry", &["explain", "access.log", "--lines", "2"]);
    assert_eq!(explained.code, 0, "{}", explained.stderr);
    assert_snapshot!(explained.stdout, @r"
    access.log: 2 lines looked at
    format: not known; paste the `log_format` or `LogFormat` of the server after --format (`logretry formats` lists names)

    line 1: 502|GET /a?token=…

    line 3: 504|GET /b|\u{1b}[2J
    ");
}

/// It asked for the `log_format` of what may have none.
#[test]
fn explain_asks_for_the_keys_of_a_json_log_that_nothing_reads() {
    let desk = Desk::with("access.log", r#"{"result":{"number":502},"what":{"asked":"/a"}}"#);
    let explained = desk.run("logretry", &["explain", "access.log"]).stdout;
    let advice = "say which of its keys hold status and URL, as in --format 'json:status=.code,url=.req.url'";
    assert!(explained.contains(advice), "{explained}");
    let format = "json:status=.result.number,url=.what.asked";
    let explained = desk.run("logretry", &["explain", "access.log", "--format", format]).stdout;
    assert!(explained.contains("=> target /a"), "{explained}");
}

/// Whoever pastes the server's format then is no further.
#[test]
fn explain_tells_of_words_that_stand_before_lines_in_a_known_format() {
    let prefixed = |prefix: &str| [prefix, &line("GET /a", 502)].concat().repeat(2);
    for (prefix, words) in
        [("web-7f9c nginx ", "first 2 words"), ("     1\t", "first word"), ("0|web  | ", "first 2 words")]
    {
        let desk = Desk::with("access.log", prefixed(prefix));
        let explained = desk.run("logretry", &["explain", "access.log"]).stdout;
        let advice = format!(": behind their {words} its lines are in combined (`");
        let (_, rest) = explained.split_once(&advice).unwrap_or_else(|| panic!("{explained}"));
        let (command, _) = rest.split_once("`)").expect("a command");
        assert_eq!(desk.shell(&format!("{command} access.log"), "").run().stdout, prefixed(""), "{prefix}");
    }
}

#[test]
fn two_columns_that_may_be_the_status_are_told_of() {
    let log = line("GET /a", 502).replace(" 157 ", " 504 157 ")
        + &line("GET /b", 502).replace(" 157 ", " 502 157 ").repeat(4);
    let desk = Desk::with("access.log", log);
    let doubt = "two numbers behind the request look like its status; ";
    let (read, explained) =
        (desk.run("lr-read", &["access.log"]), desk.run("logretry", &["explain", "access.log"]));
    assert!(read.code == 1 && read.stderr.contains(doubt), "{}", read.stderr);
    assert!(explained.stdout.contains(doubt), "{}", explained.stdout);
    let format = r#"log_format x '$remote_addr - $remote_user [$time_local] "$request" $upstream_status $status $body_bytes_sent "$http_referer" "$http_user_agent"';"#;
    let read = ndjson(&desk.run("lr-read", &["access.log", "--format", format]).stdout);
    assert_eq!(count_by(&read, "/original/status"), [("502".to_owned(), 4), ("504".to_owned(), 1)].into());
}

#[test]
fn an_error_log_an_empty_log_and_records_are_called_so() {
    let error = "2026/11/22 06:22:52 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream\n";
    let advice = "most of its lines are those of an error log, which tells no statuses; name the access log";
    let desk = Desk::with("error.log", error);
    desk.put("access.log", line("GET /a", 502));
    desk.put("empty.log", "");
    let run = desk.run("logretry", &["run", "error.log", "access.log", "--base-url", "http://127.0.0.1:9"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains(advice), "{}", run.stderr);
    let explained = |log| desk.run("logretry", &["explain", log]).stdout;
    assert!(explained("error.log").contains("name the access log"), "{}", explained("error.log"));
    assert!(explained("empty.log").contains("no line to tell it by"), "{}", explained("empty.log"));
    desk.put("records.ndjson", desk.run("lr-read", &["access.log"]).stdout);
    let records = explained("records.ndjson");
    assert!(records.contains("not known: its lines are records, as lr-filter"), "{records}");
}

/// Whoever asks why a line was not sent is not told that it is.
#[test]
fn explain_says_of_which_lines_a_run_selects_none() {
    let log = ["GET /fine", "GET /a?retry=True", "GET /b"].map(|request| line(request, 502)).concat();
    let desk = Desk::with("access.log", log.replacen("\" 502 ", "\" 200 ", 1));
    let explained = desk.run("logretry", &["explain", "access.log", "--base-url", "https://shop.example"]);
    let ends: Vec<_> = explained.stdout.lines().filter(|line| line.contains("=> GET")).collect();
    assert_snapshot!(ends.join("\n"), @r"
      => GET https://shop.example/fine (not selected: its status is not 5xx; see --status)
      => GET https://shop.example/a?retry=True (not selected: logretry itself has caused this line; see --include-marked)
      => GET https://shop.example/b
    ");
}

#[test]
fn the_demo_needs_no_network_and_no_server_of_the_user_s() {
    let demo = Desk::new().run("logretry", &["demo"]);
    assert_eq!(demo.code, 0, "{}{}", demo.stdout, demo.stderr);
    assert!(demo.stdout.contains("retry=True"), "{}{}", demo.stdout, demo.stderr);
}

#[test]
fn every_listed_format_can_be_asked_for() {
    let listed = Desk::new().run("logretry", &["formats"]);
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    for format in ["combined", "common", "vhost_combined", "gunicorn"] {
        assert!(listed.stdout.contains(format), "{format} is not listed:\n{}", listed.stdout);
        let read = Desk::with("empty.log", "").run("lr-read", &["empty.log", "--format", format]);
        assert_eq!(read.code, 0, "{format}: {}", read.stderr);
    }
}

#[test]
fn completions_are_written_for_the_usual_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = Desk::new().run("logretry", &["completions", shell]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(ended.stdout.contains("logretry"), "{shell}: {}", ended.stdout);
    }
}

/// zsh finds a file by its first line, runs it as the function of whichever program comes first, and expects to be answered.
#[test]
fn the_completions_for_zsh_answer_for_each_program_in_one_file() {
    let text = Desk::new().run("logretry", &["completions", "zsh"]).stdout;
    let programs = ["logretry", "lr-read", "lr-filter", "lr-refire", "lr-write"];
    assert_eq!(text.lines().next(), Some(format!("#compdef {}", programs.join(" ")).as_str()));
    for program in programs {
        assert_eq!(text.matches(&format!("\n_{program}() {{\n")).count(), 1, "{program}");
        assert_eq!(text.matches(&format!("\ncompdef _{program} {program}\n")).count(), 1, "{program}");
    }
    let answer = "if [ \"$funcstack[1]\" = \"_logretry\" ]; then\n    \"_$service\" \"$@\"\nfi\n";
    assert_eq!((text.matches("funcstack").count(), text.ends_with(answer)), (1, true));
}

#[test]
fn the_manual_page_is_written() {
    let ended = Desk::new().run("logretry", &["man"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains(".TH logretry"), "{}", ended.stdout);
}

#[test]
fn the_examples_of_a_page_stand_there_as_they_are_to_be_pasted() {
    for page in
        ["logretry", "logretry-run", "logretry-ledger-ls", "lr-read", "lr-filter", "lr-refire", "lr-write"]
    {
        let text = Desk::new().run("logretry", &["man", page]).stdout;
        let (_, examples) = text.split_once("\n.SH EXAMPLES\n.nf\n").expect("examples that are not filled");
        let (examples, behind) = examples.split_once("\n.fi\n").expect("an end");
        assert!(examples.lines().all(|line| line.starts_with("  ")), "{page}: {examples}");
        assert!(behind.is_empty() || behind.starts_with(".SH "), "{page}: {behind}");
        assert!(!text.contains("EXTRA"), "{page}");
    }
}

#[test]
fn each_page_that_the_manual_refers_to_is_there() {
    let desk = Desk::new();
    let (mut due, mut seen) = (vec!["logretry".to_owned()], Vec::new());
    while let Some(page) = due.pop() {
        let ended = desk.run("logretry", &["man", &page]);
        assert_eq!(ended.code, 0, "{page}: {}", ended.stderr);
        let text = ended.stdout.replace("\\-", "-");
        let foot = concat!("\"logretry ", env!("CARGO_PKG_VERSION"), "\"");
        assert!(text.lines().any(|line| line.starts_with(".TH") && line.contains(foot)), "{page}: {text}");
        let named = text.lines().filter_map(|line| line.strip_suffix("(1)"));
        due.extend(
            named.map(|name| name.trim_start_matches(|char: char| !char.is_ascii_lowercase()).to_owned()),
        );
        seen.push(page);
    }
    for page in ["logretry-run", "logretry-plan", "logretry-ledger-show"] {
        assert!(seen.iter().any(|seen| seen == page), "{page} is not among {seen:?}");
    }
    let unknown = desk.run("logretry", &["man", "logretry-nothing"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("logretry-run"), "{}", unknown.stderr);
}

#[test]
fn every_program_tells_its_version() {
    for name in ["lr-read", "lr-filter", "lr-refire", "lr-write", "logretry"] {
        let ended = Program::new(name, ["--version"]).run();
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (0, format!("{name} {}\n", env!("CARGO_PKG_VERSION")).as_str())
        );
    }
}

/// Whoever is to name a host is told which.
#[test]
fn a_plan_names_the_hosts_that_are_not_allowed() {
    let of = |host: &str, scheme: &str| {
        format!(
            r#"{{"time":"2026-11-22T06:22:52Z","request":"GET /a HTTP/1.1","status":502,"http_host":"{host}"{scheme}}}"#
        ) + "\n"
    };
    let log = [
        of("shop.example", ""),
        of("b.example", r#","scheme":"https""#),
        of("b.example", r#","scheme":"https""#),
    ];
    let desk = Desk::with("access.log", log.concat());
    let plan = desk.run("logretry", &["plan", "access.log", "--allow-host", "shop.example"]).stdout;
    assert!(plan.contains("not allowed        2  https://b.example\n"), "{plan}");
    let proxied = ["GET http://b.example:8080/a?b=/c", "GET /a"].map(|request| line(request, 502)).concat();
    desk.put("access.log", proxied);
    let plan = desk.run("logretry", &["plan", "access.log", "--base-url", "http://shop.example"]).stdout;
    assert!(plan.contains("not allowed        1  http://b.example:8080\n"), "{plan}");

    // As much of it as a name may have, and no password.
    let endless = "h".repeat(300);
    desk.put("access.log", [of("user:secret@b.example", ""), of(&endless, "")].concat());
    let plan = desk.run("logretry", &["plan", "access.log", "--allow-host", "shop.example"]).stdout;
    assert!(plan.contains("1  b.example\n") && plan.contains(&format!("1  {}\n", &endless[..255])), "{plan}");
}

#[test]
fn a_plan_shows_what_says_that_it_acts_and_how_long_the_log_s_own_gaps_take() {
    let at =
        |second: u32, request: &str| line(request, 502).replace("06:22:52", &format!("06:22:{second:02}"));
    let log =
        [at(0, "GET /a"), at(10, "GET /item/7/delete"), at(20, "GET /b"), at(30, "GET /?logout")].concat();
    let desk = Desk::with("access.log", log);
    let arguments =
        ["plan", "access.log", "--base-url", "https://shop.example", "--pace", "original", "--speed", "2x"];
    let plan = desk.run("logretry", &arguments);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    for told in
        ["2  may_act: ", "may act            1  /", "1  /item/*/delete", "about 10 s by the log's own gaps"]
    {
        assert!(plan.stdout.contains(told), "{told} is not in {}", plan.stdout);
    }
}

/// What was for another host is another page on the one that all are sent to, and nothing told of it.
#[test]
fn that_one_server_gets_the_requests_of_several_hosts_is_said() {
    let lines = |hosts: &[&str]| {
        hosts.iter().flat_map(|host| [host, " ", &line("GET /a", 502)].map(str::to_owned)).collect::<String>()
    };
    let desk = Desk::with("access.log", lines(&["shop.example:443", "shop.example:8443", "api.example:443"]));
    desk.put("one.log", lines(&["shop.example:443", "Shop.example:80"]));
    let (backend, several) = (Backend::up(), "the log tells of several hosts (shop.example, api.example …)");
    let url = backend.url();
    let run = |more: &[&str]| desk.program("logretry", &["run", "--base-url", &url]).args(more).run().stderr;
    let all = run(&["access.log"]);
    assert_eq!(all.matches(several).count(), 1, "{all}");
    for fine in [run(&["access.log", "--host", "api.example"]), run(&["one.log"])] {
        assert!(!fine.contains("several hosts"), "{fine}");
    }
    let plan = |log| desk.run("logretry", &["plan", log, "--base-url", &url]).stdout;
    let shown = plan("access.log");
    assert!(
        shown.contains("were for           2  shop.example\n                   1  api.example\n"),
        "{shown}"
    );
    assert!(!plan("one.log").contains("were for"));
}
