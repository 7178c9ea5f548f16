use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use logretry_filter::{Chooser, Filter, Quota};
use logretry_reader::{Reader, ReaderOptions, inputs};
use logretry_record::{Mark, Predicate, Record, Shown};
use logretry_refirer::{Options, Refirer};
use logretry_rewriter::{Form, Rewriter};
use logretry_stage::{Context, Fatal, Result, Watch};

use super::demo_server::DemoServer;
use crate::cli::{answer, sentences};

/// Shows a whole round: a log of an outage, a server that has come back, the refires, and the retry log.
///
/// The server is inside of the program and listens on the loopback address only; the files are in a temporary folder that is
/// removed again. Nothing of yours is touched, and no network is needed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  logretry demo
  logretry demo | grep retry=True
  logretry demo | tail -1")]
pub(crate) struct Demo {}

/// What a server logged during an outage: method, target, status.
const OUTAGE: [(&str, &str, u16); 10] = [
    ("GET", "/", 200),
    ("GET", "/products?page=2", 502),
    ("GET", "/products/4711", 502),
    ("HEAD", "/products/4711", 503),
    ("GET", "/search?q=red%20shoes&sort=price", 504),
    ("POST", "/orders", 500),
    ("GET", "/cart", 502),
    ("GET", "/old-page", 404),
    ("GET", "/reports/slow", 504),
    ("GET", "/products?page=2", 200),
];

/// The page that the demo's server has not repaired.
const BROKEN: &str = "/reports/slow";

impl Demo {
    /// The numbers are the demo's own: that one page still fails is its story, and not the exit code of this program.
    pub(crate) async fn run(self) -> Result<()> {
        let cx = Context::default();
        let folder =
            tempfile::tempdir().map_err(|error| Fatal::new(format!("make a temporary folder: {error}")))?;
        let (log, retry_log) = (folder.path().join("access.log"), folder.path().join("retry.log"));
        let server = DemoServer::start(BROKEN).await?;
        std::fs::write(&log, access_log())
            .map_err(|error| Fatal::new(format!("write the demo's log: {error}")))?;

        let mut text = String::new();
        section(
            &mut text,
            "There was an outage. This is what the web server logged (access.log):",
            &access_log(),
        );
        let command = format!("logretry run access.log --base-url {} -o retry.log", server.url());
        section(&mut text, "The server is back, all but one page. What failed is sent again:", &command);
        answer(text.as_bytes())?;

        refire(&log, &retry_log, &server.url(), &cx).await?;

        let mut text = String::new();
        section(&mut text, "What the server was asked for:", &server.asked().join("\n"));
        section(&mut text, "The retry log, marked (retry.log):", &read(&retry_log)?);
        section(&mut text, "The numbers:", &sentences(&cx.tally().accounts(), Some("retry.log")).join("\n"));
        text += "As a pipe, to look in between: lr-read access.log | lr-filter | lr-refire --base-url URL | lr-write -o retry.log\n";
        text += "Next, with a log of yours, and nothing sent: logretry plan LOG --base-url URL\n";
        answer(text.as_bytes())
    }
}

async fn refire(log: &Path, retry_log: &Path, url: &str, cx: &Context) -> Result<()> {
    let predicate = Predicate::default();
    let options = ReaderOptions { predicate: Some(predicate.clone()), ..ReaderOptions::default() };
    let reader = Reader::new(inputs(&[log])?, options);
    let filter = Filter::new(Chooser::new(&predicate, Quota::default())?);
    let mut options = Options::default();
    options.destination.base_url = Some(url.parse()?);
    let refirer = Refirer::new(options)?;
    let rewriter = Rewriter::append_to(retry_log, Form::Same, Mark::default(), cx.reopen())?;
    crate::link(reader, filter, refirer, Watch(|_: &Record| ()), rewriter, cx).await
}

fn access_log() -> String {
    let lines = OUTAGE.iter().enumerate().map(|(second, (method, target, status))| {
        format!(
            "203.0.113.9 - - [22/Nov/2026:06:22:{second:02} +0000] \"{method} {target} HTTP/1.1\" {status} 157 \"-\" \"Mozilla/5.0\"\n"
        )
    });
    lines.collect()
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Fatal::new(format!("read the demo's retry log: {error}")))
}

fn section(out: &mut String, title: &str, body: &str) {
    let _ = writeln!(out, "{title}");
    for line in body.lines() {
        let _ = writeln!(out, "    {}", Shown(line.as_bytes()));
    }
    out.push('\n');
}
