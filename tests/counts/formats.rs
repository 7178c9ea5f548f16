//! Lines: their fields found, whole blocks ruled out, their copies for the retry log.

use std::hint::black_box;

use gungraun::prelude::*;
use jiff::Timestamp;
use logretry_format::{Change, Draft, Format, Screen, Spans};
use logretry_record::{Mark, StatusSet};

use crate::forms::{CADDY, COMBINED, Form, INGRESS_NGINX, NGINX_JSON};
use crate::{LINES, counted};

pub(crate) struct Log {
    format: Format,
    lines: Vec<String>,
    spans: Spans,
    draft: Draft,
    out: Vec<u8>,
}

/// A log that has been read and rewritten before, so that what is prepared once is not counted.
fn log(form: Form) -> Log {
    rewritten(parsed(Log {
        format: form.format(),
        lines: form.lines(LINES),
        spans: Spans::new(),
        draft: Draft::default(),
        out: Vec::new(),
    }))
}

fn parsed(mut log: Log) -> Log {
    for line in &log.lines {
        let parsed = log.format.parse(line.as_bytes(), &mut log.spans).expect("a line");
        black_box(parsed.exchange_ref());
    }
    log
}

fn rewritten(mut log: Log) -> Log {
    let mark = Mark::default();
    let time = Timestamp::from_second(1_795_329_862).expect("a time");
    let change = Change { mark: &mark, time, status: Some(200), bytes: Some(512), duration_ms: Some(23.1) };
    let Log { format, lines, draft, out, .. } = &mut log;
    for line in lines {
        out.clear();
        format.rewrite_with(line.as_bytes(), &change, draft, black_box(out)).expect("a line");
    }
    log
}

#[library_benchmark(setup = log)]
#[bench::combined(args = (COMBINED), config = counted(278_000))]
#[bench::ingress_nginx(args = (INGRESS_NGINX), config = counted(641_000))]
#[bench::nginx_json(args = (NGINX_JSON), config = counted(502_000))]
#[bench::caddy(args = (CADDY), config = counted(3_570_000))]
pub(crate) fn parse(log: Log) -> Log {
    parsed(log)
}

#[library_benchmark(setup = log)]
#[bench::combined(args = (COMBINED), config = counted(770_000))]
#[bench::ingress_nginx(args = (INGRESS_NGINX), config = counted(1_531_000))]
#[bench::nginx_json(args = (NGINX_JSON), config = counted(1_420_000))]
#[bench::caddy(args = (CADDY), config = counted(6_416_000))]
pub(crate) fn rewrite(log: Log) -> Log {
    rewritten(log)
}

pub(crate) struct Block {
    screen: Screen,
    bytes: Vec<u8>,
}

fn block(form: Form) -> Block {
    let screen = Screen::new(&form.format(), &StatusSet::default()).expect("a screen");
    Block { screen, bytes: (form.lines(LINES).join("\n") + "\n").into_bytes() }
}

#[library_benchmark(setup = block)]
#[bench::combined(args = (COMBINED), config = counted(31_400))]
pub(crate) fn screen(block: Block) -> Block {
    black_box(block.screen.sift(&block.bytes, |place, _| !black_box(place).is_empty()));
    block
}
