//! What a person sees: no control byte of a log, of a server or of a file's name, and no secret, on any screen of any command. The
//! commands run on a terminal of their own (`script`), with the progress line.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::lab::{Backend, Desk, corpus, installed, line};

/// Renames the window, rings, clears the screen, moves the cursor with C1 controls, writes backwards, hides.
const HOSTILE: &str = "a\x1b]0;pwned\x07b\x1b[2Jc\u{9b}31md\u{202e}e\u{2066}f\u{200b}g\x08\x7fh";

const TOKEN: &str = "PLANTEDs3cr3t7f2a";

/// What a terminal shows that runs `command` on `desk`.
fn screen(desk: &Desk, command: &str, base_url: &str) -> String {
    installed("script");
    let programs = desk.shell(command, base_url);
    // The same shell, with a terminal around it.
    let shown = programs.on_a_terminal().run();
    shown.stdout
}

/// Asserts that nothing is on `screen` but text, and what draws the progress line.
fn is_clean(what: &str, screen: &str) {
    let ours = ["\r\n", "\x1b[2K", "\x1b[1A", "\x1b[1B", "\x1b[0m", "\x1b[?25l", "\x1b[?25h", "\r"];
    let text = ours.iter().fold(screen.to_owned(), |text, ours| text.replace(ours, "\n"));
    let moves = |char: char| {
        (char.is_control() && char != '\n')
            || matches!(char, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found: Vec<char> = text.chars().filter(|&char| moves(char)).collect();
    assert!(found.is_empty(), "{what} shows {found:?}:\n{text:?}");
}

/// Logs of several formats in which everything that a client can write is hostile.
fn hostile_logs() -> Vec<(&'static str, Vec<u8>)> {
    let raw = format!("{HOSTILE} \"GET /{HOSTILE}?{HOSTILE} HTTP/1.1\" 503 \"{HOSTILE}\"\n");
    let json = serde_json::json!({
        "status": 502, "method": HOSTILE, "host": HOSTILE, "uri": format!("/{HOSTILE}"), "user_agent": HOSTILE,
    });
    let combined = line(&format!("GET /{HOSTILE}"), 502);
    let method = line(&format!("{HOSTILE} /a"), 502);
    vec![
        (
            "combined.log",
            [combined.into_bytes(), method.into_bytes(), HOSTILE.into(), b"\n".to_vec()].concat(),
        ),
        ("json.log", format!("{json}\n").into_bytes()),
        ("raw.log", raw.into_bytes()),
    ]
}

const RAW: &str =
    r#"--format "log_format raw escape=none '\$host \"\$request\" \$status \"\$http_user_agent\"';""#;

#[test]
fn no_control_of_a_log_reaches_a_terminal() {
    let backend = Backend::up();
    for (name, log) in hostile_logs() {
        let format = if name == "raw.log" { RAW } else { "" };
        let desk = Desk::with(name, log);
        for command in [
            format!("logretry run {name} {format} --base-url $BASE_URL -o retry.log"),
            format!("logretry run {name} {format} --allow-host shop.example -o retry.log"),
            format!("logretry run {name} {format} --base-url $BASE_URL --as csv -o retry.csv"),
            format!("logretry plan {name} {format} --base-url $BASE_URL"),
            format!("logretry plan {name} {format} --allow-host shop.example"),
            format!("logretry explain {name} {format}"),
            format!(
                "lr-read {name} {format} | lr-filter | lr-refire --base-url $BASE_URL | lr-write -o retry.log"
            ),
            format!("lr-read {name} {format} --rejects r.ndjson > /dev/null"),
            format!("lr-read {name} --format combined > /dev/null"),
            format!("lr-refire --base-url $BASE_URL < {name}"),
            format!("lr-filter < {name}; lr-write -o retry.log < {name}"),
        ] {
            is_clean(&command, &screen(&desk, &format!("{command} || true"), &backend.url()));
        }
        // Whoever looks at the table in a terminal or a spreadsheet.
        let table = fs::read_to_string(desk.path("retry.csv")).unwrap_or_default();
        is_clean("the table", &table);
    }
}

#[test]
fn no_control_of_the_corpora_reaches_a_terminal() {
    let backend = Backend::up();
    for name in ["combined.log", "json.log", "raw.log", "vhost.log"] {
        let Some(log) = corpus(&format!("hostile-nginx/{name}")) else { return };
        let desk = Desk::with(name, fs::read(log).expect("a log"));
        let format = if name == "raw.log" { RAW } else { "" };
        for command in [
            format!("logretry run {name} {format} --status 4xx,5xx --base-url $BASE_URL -o retry.log"),
            format!("logretry plan {name} {format} --status 4xx,5xx --base-url $BASE_URL"),
            format!("logretry explain {name} {format} --lines 30"),
        ] {
            is_clean(&command, &screen(&desk, &format!("{command} || true"), &backend.url()));
        }
    }
}

#[test]
fn no_control_of_a_file_s_name_reaches_a_terminal() {
    let name = HOSTILE.replace('/', "");
    let backend = Backend::up();
    let desk = Desk::with(&name, [line("GET /a", 502), "rubbish\n".to_owned()].concat());
    for command in [
        format!("logretry run '{name}' --base-url $BASE_URL -o '{name}.retry'"),
        format!("logretry plan '{name}' --base-url $BASE_URL -o '{name}.retry'"),
        "logretry run . --base-url $BASE_URL -o retry.log".to_owned(),
        format!("logretry explain '{name}'"),
        format!("lr-read '{name}' --rejects '/no/such/{name}'"),
        format!("lr-read '{name}.missing'"),
        format!("lr-read '*{name}*missing'"),
        format!("lr-read '{name}' --format '@{name}'"),
        format!("logretry run '{name}' --base-url $BASE_URL -o '/no/such/{name}'"),
        format!("logretry run '{name}' --base-url $BASE_URL --header '@/no/such/{name}'"),
        format!("logretry run '{name}' --base-url $BASE_URL --cacert '/no/such/{name}'"),
        format!(
            "lr-refire --base-url 'http://{name}'; lr-refire --allow-host '{name}'; lr-refire --rate '{name}'"
        ),
    ] {
        is_clean(&command, &screen(&desk, &format!("{command} > /dev/null || true"), &backend.url()));
    }
}

#[test]
fn no_secret_is_shown_to_anybody() {
    let backend = Backend::up();
    let requests = [
        format!("GET /a?token={TOKEN}"),
        format!("GET /always/503/x?api_key={TOKEN}&b=1"),
        format!("GET /b?password={TOKEN}"),
        format!("GET http://user:{TOKEN}@evil.example/x"),
        format!("GET /logout?session={TOKEN}"),
        format!("GET /eyJhbGciOiJIUzI1NiJ9.{TOKEN}{TOKEN}"),
        format!("DELETE /x?sig={TOKEN}"),
    ];
    let log = requests.iter().map(|request| line(request, 502)).collect::<String>()
        + &format!("rubbish?token={TOKEN}\n");
    let desk = Desk::with("access.log", log);
    desk.put("headers", format!("Authorization: Bearer {TOKEN}\n"));
    fs::set_permissions(desk.path("headers"), fs::Permissions::from_mode(0o644)).expect("a mode");
    desk.put("wrong-headers", format!("Authorization {TOKEN}\nX Y: {TOKEN}\n"));
    for command in [
        "logretry run access.log --base-url $BASE_URL -o retry.log --header @headers".to_owned(),
        "logretry run access.log --base-url $BASE_URL -o /dev/full --header @headers".to_owned(),
        "logretry run access.log --base-url $BASE_URL -o again.log --header @headers --methods GET,DELETE".to_owned(),
        "logretry run access.log --base-url $BASE_URL -o other.log --header @wrong-headers".to_owned(),
        "logretry plan access.log --base-url $BASE_URL --header @headers".to_owned(),
        "logretry explain access.log --lines 9".to_owned(),
        format!("TOKEN={TOKEN} logretry run access.log --base-url $BASE_URL -o env.log --header-env Authorization=TOKEN"),
        format!("logretry run access.log --base-url http://user:{TOKEN}@127.0.0.1 -o x.log"),
        format!("logretry run access.log --base-url $BASE_URL --proxy http://user:{TOKEN}@127.0.0.1:1 -o y.log"),
        format!("logretry run access.log --base-url $BASE_URL --proxy ftp://user:{TOKEN}@127.0.0.1:1 -o z.log"),
        format!("logretry run access.log --base-url $BASE_URL --header 'Authorization {TOKEN}' -o z.log"),
        "lr-read access.log | lr-filter | lr-refire --base-url $BASE_URL --header @headers | lr-write > /dev/null".to_owned(),
    ] {
        let shown = screen(&desk, &format!("{command} || true"), &backend.url());
        assert!(!shown.contains(TOKEN), "{command}:\n{shown}");
        assert!(!shown.is_empty(), "{command}");
    }
    let warned = screen(
        &desk,
        "logretry run access.log --base-url $BASE_URL -o w.log --header @headers || true",
        &backend.url(),
    );
    assert!(warned.contains("headers: others can read it"), "{warned}");
}

#[test]
fn what_is_written_is_its_owner_s_alone_whatever_the_umask() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", [line("GET /a", 502), "rubbish\n".to_owned()].concat());
    let before: Vec<_> = names(&desk);
    let command = "umask 000; logretry run access.log --base-url $BASE_URL -o retry.log --rejects rejects.ndjson \
                   --format combined --idempotency-key --idempotency-secret secret";
    let run = desk.shell(command, &backend.url()).run();
    assert_eq!(run.code, 0, "{}", run.stderr);
    let new: Vec<_> = names(&desk).into_iter().filter(|name| !before.contains(name)).collect();
    assert!(new.len() >= 3, "{new:?}");
    for name in new {
        let mode = desk.path(&name).metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

fn names(desk: &Desk) -> Vec<String> {
    let entries = fs::read_dir(desk.folder()).expect("a desk");
    entries.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned()).collect()
}

/// Somebody else may have put it there, in a folder that all can write.
#[test]
fn nothing_is_written_through_a_symbolic_link() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", [line("GET /a", 502), "rubbish\n".to_owned()].concat());
    desk.put("precious", "precious\n");
    symlink(desk.path("precious"), desk.path("link")).expect("a link");
    for arguments in [["-o", "link"], ["--rejects", "link"]] {
        let run = desk
            .program("logretry", &["run", "access.log", "--base-url", &backend.url(), "--format", "combined"])
            .args(arguments)
            .run();
        assert_eq!(run.code, 1, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains("`link`: it is a symbolic link"), "{}", run.stderr);
    }
    assert!(backend.seen().is_empty());
    assert_eq!(desk.read("precious"), "precious\n");
    let through =
        desk.shell("logretry run access.log --base-url $BASE_URL -o /dev/stdout", &backend.url()).run();
    assert!(through.stdout.contains("retry=True"), "{}", through.stderr);
}

#[test]
fn no_cell_of_a_table_is_a_formula() {
    let backend = Backend::up();
    let log = ["=1+1", "+1", "-1", "@SUM(1)"].map(|name| {
        let json = serde_json::json!({"status": 502, "method": "GET", "uri": "/a", "source": name});
        format!("{json}\n")
    });
    let desk = Desk::with("=cmd.log", log.concat());
    let run = desk.run("logretry", &["run", "=cmd.log", "--base-url", &backend.url(), "--as", "csv"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for row in run.stdout.lines().skip(1) {
        assert!(
            row.split(',').all(|cell| !cell.trim_matches('"').starts_with(['=', '+', '-', '@'])),
            "{row}"
        );
    }
}

/// The retry log would be erased by what draws the progress.
#[test]
fn no_progress_is_drawn_where_the_retry_log_goes_to_the_terminal() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 502));
    let run = "logretry run access.log --base-url $BASE_URL --no-ledger";
    let drawn = |command: &str| screen(&desk, command, &backend.url()).contains("\x1b[2K");
    assert!(drawn(&format!("{run} -o retry.log")));
    assert!(!drawn(run));
}

/// Whoever forgets to name the log looked at a screen on which nothing happened.
#[test]
fn what_waits_for_somebody_to_type_says_so() {
    installed("script");
    let desk = Desk::with("access.log", line("GET /a", 502));
    let base_url = ["--base-url", "http://127.0.0.1:9"];
    for (program, arguments, said) in [
        ("logretry", &["plan", "--base-url", "http://127.0.0.1:9"][..], "to read a file, name it"),
        ("logretry", &["explain"], "to read a file, name it"),
        ("lr-read", &["-"], "to read a file, name it"),
        ("lr-filter", &[], "`lr-read LOG`"),
        ("lr-refire", &base_url, "`lr-read LOG`"),
        ("lr-write", &[], "`lr-read LOG`"),
    ] {
        let screen = desk.program(program, arguments).on_a_terminal().run().stdout;
        assert!(screen.contains(said), "{program}: {screen}");
    }
    let screen = desk.program("lr-read", &["access.log"]).on_a_terminal().run().stdout;
    assert!(!screen.contains("from the terminal"), "{screen}");
}
