use std::time::Duration;

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    refire: RefireArgs,
}

fn options(args: &[&str]) -> Result<Options, String> {
    let program = ["lr-refire"].iter().chain(args);
    let program = Program::try_parse_from(program).map_err(|error| error.to_string())?;
    program.refire.into_options(&Mark::default()).map_err(|error| error.to_string())
}

#[test]
fn without_flags_the_options_are_the_defaults() {
    let options = options(&[]).expect("no flag is needed to parse");
    assert_eq!(format!("{options:?}"), format!("{:?}", Options::default()));
}

#[test]
fn each_flag_has_its_place() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "Authorization: Bearer secret\n").expect("a file");
    let header = format!("@{}", file.path().display());
    let options = options(&[
        "--base-url=http://h/p",
        "--allow-host=a",
        "--allow-host=b:1",
        "--methods=GET,DELETE",
        "--yes",
        "--allow-private",
        "--allow-acting",
        "--undelivered",
        "--deny-path=/admin/*",
        "--allow-lossy",
        "--send-mark",
        "--dry-run",
        "--pace=fixed",
        "--concurrency=9",
        "--per-host=3",
        "--rate=300/m",
        "--max-retry-after=5m",
        "--trips=0",
        "--attempts=3",
        "--backoff=100ms..5s",
        "--max-requests=1000",
        "--max-time=1h",
        "--connect-timeout=250ms",
        "--timeout=2m",
        "--body-limit=512KiB",
        "--header",
        &header,
        "--header=X-A: 1",
        "--header-env=X-Path=PATH",
        "--idempotency-key",
        "--insecure",
        "--cacert=ca.pem",
        "--cert=c.pem",
        "--key=k.pem",
        "--resolve=h:80:127.0.0.1",
        "--http2",
    ])
    .expect("all of them");
    assert_eq!(options.destination.allow_hosts.len(), 2);
    assert_eq!(options.send_mark, Some(Mark::default()));
    assert_eq!((options.pace, options.concurrency.get()), (Pace::Fixed, 9));
    assert_eq!(options.per_host.map(NonZeroUsize::get), Some(3));
    assert_eq!(options.max_retry_after, Duration::from_secs(300));
    assert_eq!((options.trips, options.attempts.get()), (0, 3));
    assert_eq!(options.backoff.max, Duration::from_secs(5));
    assert_eq!(options.max_requests, Some(1000));
    assert_eq!(options.max_time, Some(Duration::from_secs(3600)));
    assert_eq!(options.connect_timeout, Duration::from_millis(250));
    assert_eq!(options.timeout, Duration::from_secs(120));
    assert_eq!(options.body_bytes_max, 512 << 10);
    assert_eq!(options.headers["authorization"], "Bearer secret");
    assert_eq!(options.headers["x-a"], "1");
    assert_eq!(options.headers["x-path"], std::env::var("PATH").expect("there is one").as_str());
    assert!(options.undelivered && options.allow_acting && options.destination.allow_private);
    assert!(options.idempotency.is_none(), "a dry run makes no secret");
    assert_eq!(options.deny_paths.len(), 1);
    assert_eq!(options.http, HttpVersion::Http2);
    assert!(!format!("{options:?}").contains("secret"));
}

#[test]
fn what_is_wrong_is_named() {
    for (args, named) in [
        (&["--base-url=ftp://h"][..], "`ftp://h`"),
        (&["--allow-host=a@b"], "`…@b`"),
        (&["--methods=TRACE"], "`TRACE`"),
        (&["--rate=5/d"], "`5/d`"),
        (&["--pace=slow"], "'slow'"),
        (&["--backoff=2s..1s"], "`2s..1s`"),
        (&["--speed=2x"], "--speed"),
        (&["--max-gap=2s", "--pace=fixed"], "--max-gap"),
        (&["--pace=original", "--speed=-1"], "`-1`"),
        (&["--deny-path=/a["], "`/a[`"),
        (&["--header-env=X-A=NO_SUCH_VARIABLE_HERE"], "`X-A=VARIABLE`"),
        (&["--header-env=X-A"], "`X-A=VARIABLE`"),
        (&["--header=Idempotency-Key: x"], "--idempotency-key"),
        (&["--idempotency-secret=s"], "--idempotency-key"),
        (&["--max-time=never"], "`never`"),
        (&["--max-requests=0"], "'0' for '--max-requests <N>': write a whole number, 1 or more"),
        (&["--attempts=0"], "'0' for '--attempts <N>': write a whole number, 1 or more"),
        (&["--per-host=many"], "'many' for '--per-host <N>': write a whole number, 1 or more"),
        (&["--timeout=0"], "`0`"),
        (&["--timeout=soon"], "`soon`"),
        (&["--body-limit=1MB"], "1MB"),
        (&["--header=Host: h"], "`Host`"),
        (&["--header=@/no/such/file"], "`/no/such/file`"),
        (&["--concurrency=0"], "'0' for '--concurrency <N>': write a whole number, 1 or more"),
        (&["--http1", "--http2"], "'--http2'"),
        (&["--key=k"], "--cert"),
    ] {
        let error = options(args).expect_err(named);
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_token_in_the_place_of_its_variable_is_not_shown() {
    for flag in ["--header-env=Authorization=s3cret", "--header-env=Authorization: s3cret"] {
        let error = options(&[flag]).expect_err("no variable");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn the_original_pace_keeps_the_gaps_of_the_log() {
    let options = options(&["--pace=original", "--speed=2x", "--max-gap=5s"]).expect("a tempo");
    assert_eq!((options.pace, options.concurrency.get()), (Pace::Original, 64));
    assert_eq!(options.tempo, Tempo { speed: 2.0, max_gap: Duration::from_secs(5) });
}

#[test]
fn a_file_with_secrets_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;

    let file = tempfile::NamedTempFile::new().expect("a file");
    let flag = format!("--header=@{}", file.path().display());
    let program = Program::try_parse_from(["lr-refire", &flag, "--header=X-A: 1"]).expect("flags");
    for (mode, warnings) in [(0o600, 0), (0o640, 1), (0o604, 1), (0o400, 0)] {
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).expect("a mode");
        assert_eq!(program.refire.warnings().len(), warnings, "{mode:o}");
    }
}

#[test]
fn keys_are_made_only_when_they_are_asked_for() {
    assert!(options(&[]).expect("flags").idempotency.is_none());
    assert!(options(&["--idempotency-key"]).expect("flags").idempotency.is_some());
}

#[test]
fn what_must_be_confirmed_is_each_method_that_changes_something() {
    let confirm = |args: &[&str]| {
        let program = Program::try_parse_from(["lr-refire"].iter().chain(args)).expect("flags");
        program.refire.methods_to_confirm().expect("methods")
    };
    assert_eq!(confirm(&[]), [""; 0]);
    assert_eq!(confirm(&["--methods=GET,POST,DELETE"]), ["DELETE", "POST"]);
    assert_eq!(confirm(&["--methods=POST", "--yes"]), [""; 0]);
    assert_eq!(confirm(&["--methods=POST", "--dry-run"]), [""; 0]);
}

#[test]
fn a_time_that_cannot_be_used_is_told_with_its_flag() {
    for flag in ["--timeout", "--connect-timeout", "--max-retry-after", "--max-time", "--backoff"] {
        let error = options(&[flag, "0s"]).expect_err("no time at all");
        assert!(error.contains(&format!("use `0s` as {flag}: ")), "{error}");
    }
    let following = |settle: &[&str]| {
        let program = Program::try_parse_from([&["lr-refire"], settle].concat()).expect("flags");
        program.refire.into_following_options(&Mark::default()).expect("options").settle
    };
    assert_eq!(following(&[]), Duration::from_secs(30));
    assert_eq!(following(&["--settle", "0s"]), Duration::ZERO, "at once");
}
