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
    assert_eq!(options.http, HttpVersion::Http2);
    assert!(!format!("{options:?}").contains("secret"));
}

#[test]
fn what_is_wrong_is_named() {
    for (args, named) in [
        (&["--base-url=ftp://h"][..], "`ftp://h`"),
        (&["--allow-host=a@b"], "`a@b`"),
        (&["--methods=TRACE"], "`TRACE`"),
        (&["--rate=5/d"], "`5/d`"),
        (&["--pace=slow"], "'slow'"),
        (&["--backoff=2s..1s"], "`2s..1s`"),
        (&["--max-time=never"], "`never`"),
        (&["--max-requests=0"], "'0'"),
        (&["--attempts=0"], "'0'"),
        (&["--timeout=0"], "`0`"),
        (&["--timeout=soon"], "`soon`"),
        (&["--body-limit=1MB"], "1MB"),
        (&["--header=Host: h"], "`Host`"),
        (&["--header=@/no/such/file"], "`/no/such/file`"),
        (&["--concurrency=0"], "'0'"),
        (&["--http1", "--http2"], "'--http2'"),
        (&["--key=k"], "--cert"),
    ] {
        let error = options(args).expect_err(named);
        assert!(error.contains(named), "{error}");
    }
}
