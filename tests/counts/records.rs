//! Records: written, skimmed, decoded, named.

use std::hint::black_box;

use gungraun::prelude::*;
use logretry_record::{Encoder, LineCounter, LineKey, Predicate, Record, RecordId, RecordIds};

use crate::pipe::{self, Logged};
use crate::{LINES, counted};

/// Different lines, so many that the counter's memory grows a few times.
const DIFFERENT_LINES: usize = 10_000;

pub(crate) struct Writing {
    logged: Vec<Logged>,
    encoder: Encoder,
    out: Vec<u8>,
}

/// Everything has been written before, so that what is prepared once is not counted.
fn writing(lines: usize) -> Writing {
    written(Writing { logged: pipe::logged(lines), encoder: Encoder::new(b"access.log"), out: Vec::new() })
}

fn written(mut writing: Writing) -> Writing {
    writing.out.clear();
    pipe::encode(&mut writing.encoder, &writing.logged, &mut writing.out);
    writing
}

#[library_benchmark(setup = writing)]
#[bench::combined(args = (LINES), config = counted(206_000))]
pub(crate) fn encode(writing: Writing) -> Writing {
    written(writing)
}

type Lines = Vec<Vec<u8>>;

/// The records of so many lines, one of which has been skimmed and decoded.
fn records(lines: usize) -> Lines {
    let lines = pipe::encoded(&pipe::logged(lines));
    assert!(Predicate::default().rules_out_line(&lines[0]) && Record::decode(&lines[0]).is_ok());
    lines
}

#[library_benchmark(setup = records)]
#[bench::combined(args = (LINES), config = counted(62_000))]
pub(crate) fn skim(lines: Lines) -> Lines {
    let wanted = Predicate::default();
    for line in &lines {
        black_box(wanted.rules_out_line(line));
    }
    lines
}

#[library_benchmark(setup = records)]
#[bench::combined(args = (LINES), config = counted(1_735_000))]
pub(crate) fn decode(lines: Lines) -> Lines {
    for line in &lines {
        black_box(Record::decode(line)).expect("a record");
    }
    lines
}

fn texts(lines: usize) -> Vec<String> {
    pipe::logged(lines).into_iter().map(|logged| logged.text).collect()
}

#[library_benchmark(setup = texts)]
#[bench::combined(args = (LINES), config = counted(221_000))]
pub(crate) fn id(texts: Vec<String>) -> Vec<String> {
    for text in &texts {
        black_box(RecordId::of_line(text.as_bytes(), 0));
    }
    texts
}

/// Lines whose ids have been made before, so that there is memory for them.
fn naming(lines: usize) -> (Vec<String>, RecordIds) {
    ids((texts(lines), RecordIds::default()))
}

fn ids((texts, mut ids): (Vec<String>, RecordIds)) -> (Vec<String>, RecordIds) {
    black_box(ids.of_lines(texts.iter().map(String::as_bytes)));
    (texts, ids)
}

#[library_benchmark(setup = naming)]
#[bench::combined(args = (LINES), config = counted(82_000))]
pub(crate) fn many_ids(naming: (Vec<String>, RecordIds)) -> (Vec<String>, RecordIds) {
    ids(naming)
}

fn keys(lines: usize) -> Vec<LineKey> {
    let key = |text: &String| LineKey::new(text.as_bytes(), RecordId::of_line(text.as_bytes(), 0));
    texts(lines).iter().map(key).collect()
}

#[library_benchmark(setup = keys)]
#[bench::combined(args = (DIFFERENT_LINES), config = counted(1_556_000))]
pub(crate) fn ordinal(keys: Vec<LineKey>) -> (Vec<LineKey>, LineCounter) {
    let mut counter = LineCounter::default();
    for &key in &keys {
        black_box(counter.ordinal(key));
    }
    (keys, counter)
}
