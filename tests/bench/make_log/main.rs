//! Makes access logs to measure with: large, like real ones, and the same ones on every machine.
//!
//! ```text
//!   seed, line number ─▶ event ─▶ writer of a format ─▶ log, and what is in it (the truth)
//! ```
//!
//! An event depends on the seed and its line's number alone, so that slices are made in parallel, and every format tells of the same requests. What is random is distributed as in logs that
//! were measured: a few paths and user agents have most of the requests, few lines are very long, some are malformed, and most failures come in bursts.
//!
//! ```sh
//! cargo run --release --example make-log -- --lines 5000000 --format combined --out access.log --truth truth.json
//! ```

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::format_push_string,
    reason = "draws are shares of small numbers, far from where floats lose digits, and nobody waits for the strings"
)]

mod draw;
mod event;
mod tables;
mod truth;
mod writers;

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use clap::Parser;

use crate::event::World;
use crate::truth::{Told, Truth};
use crate::writers::Writer;

/// Makes an access log, and says what is in it.
#[derive(Debug, Parser)]
struct Args {
    /// How many lines.
    #[arg(long, default_value_t = 1_000_000)]
    lines: u64,

    /// The number of the first line, to make a part of a longer log.
    #[arg(long, default_value_t = 0)]
    from: u64,

    /// Another seed, another log.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The share of 5xx: 0.0003 is a good day, 0.01 a bad one, 0.12 an incident. Four of five are in bursts.
    #[arg(long, default_value_t = 0.01)]
    failing: f64,

    /// Lines a second, in the log's own time.
    #[arg(long, default_value_t = 100.0)]
    rps: f64,

    /// combined, ingress-nginx or caddy.
    #[arg(long, default_value = "combined")]
    format: Writer,

    /// The log; `-` is standard output.
    #[arg(long, default_value = "-")]
    out: PathBuf,

    /// Where to write what is in the log, as JSON.
    #[arg(long)]
    truth: Option<PathBuf>,
}

/// Lines that are made at once.
const SLICE_LINES: u64 = 16 << 10;

fn main() -> io::Result<()> {
    let args = Args::parse();
    let world = World::new(args.seed, args.failing, args.rps, args.from + args.lines);
    let mut out: Box<dyn Write> = match args.out.to_str() {
        Some("-") => Box::new(io::stdout()),
        _ => Box::new(File::create(&args.out)?),
    };
    let mut truth = Truth::default();
    let makers = thread::available_parallelism()?.get() as u64;
    let end = args.from + args.lines;
    thread::scope(|scope| {
        let slices: Vec<_> = (0..makers)
            .map(|maker| {
                let (sender, slices) = mpsc::sync_channel(2);
                let world = &world;
                scope.spawn(move || {
                    let starts = (args.from..end).step_by(SLICE_LINES as usize);
                    for start in starts.skip(maker as usize).step_by(makers as usize) {
                        let slice = Slice::of(world, args.format, start..end.min(start + SLICE_LINES));
                        if sender.send(slice).is_err() {
                            return;
                        }
                    }
                });
                slices
            })
            .collect();
        for slices in slices.iter().cycle() {
            let Ok(Slice { log, told }) = slices.recv() else { break };
            out.write_all(&log)?;
            truth.add(&log, told);
        }
        out.flush()
    })?;
    if let Some(path) = args.truth {
        let parameters = (args.seed, args.failing, args.rps, args.from);
        std::fs::write(path, truth.into_json(&args.format.to_string(), parameters))?;
    }
    Ok(())
}

/// A part of the log.
struct Slice {
    log: Vec<u8>,
    told: Told,
}

impl Slice {
    fn of(world: &World, writer: Writer, lines: std::ops::Range<u64>) -> Self {
        let mut log = Vec::with_capacity(SLICE_LINES as usize * 300);
        let mut told = Told::default();
        for line in lines {
            let event = world.event(line);
            told.add(&event, writer);
            writer.write(&event, &mut log);
            log.push(b'\n');
        }
        Self { log, told }
    }
}
