use bstr::{BStr, BString};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::levels::levels;
use crate::skim::{Glance, glance_at, straight_at, walk_at};
use crate::{Encoder, Exchange, ExchangeRef, Record, RecordId, Scheme};

/// What a log may hold: plain, and full of what JSON escapes, which then stands everywhere in a step.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => "[a-z /:{}]{0,200}".prop_map(String::into_bytes),
        2 => r#"([a-z]{0,30}["\\]{1,9}){0,9}|[a"\\{},:]{0,90}"#.prop_map(String::into_bytes),
        1 => "\\PC{0,40}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn maybe() -> impl Strategy<Value = Option<BString>> {
    prop::option::of(text().prop_map(BString::from))
}

fn utf8() -> impl Strategy<Value = Option<String>> {
    prop::option::of(text().prop_map(|text| String::from_utf8_lossy(&text).into_owned()))
}

/// A line as the encoder writes it, what a glance finds in it, and whether that is found on the straight way.
fn line() -> impl Strategy<Value = (Vec<u8>, Option<u16>, Option<Timestamp>, bool)> {
    let origin = (text(), any::<u64>(), 0..999_999_u64, "combined|[ -~]{0,90}", text());
    let times = prop_oneof![4 => 1_000_000_000..2_000_000_000_i64, 1 => -60_000_000_000..60_000_000_000_i64];
    let time = prop::option::weighted(0.9, (times, select(vec![0, 0, 120_000_000, 123_456_789])));
    let status = prop::option::weighted(0.9, prop_oneof![9 => 100..600_u16, 1 => any::<u16>()]);
    let scheme = prop::option::of(select(vec![Scheme::Http, Scheme::Https]));
    (origin, time, (utf8(), utf8(), maybe(), scheme), status, (maybe(), maybe())).prop_map(
        |((source, number, offset, format, text), time, named, status, (client, user_agent))| {
            let time = time.map(|(second, nanos)| Timestamp::new(second, nanos).expect("a time"));
            let (method, target, host, scheme) = named;
            let is_text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
            let is_straight = is_text(&source)
                && is_text(&text)
                && host.as_ref().is_none_or(|host| is_text(host))
                && time.is_some()
                && status.is_some_and(|status| (100..1000).contains(&status));
            let original = Exchange {
                time,
                method,
                target,
                host,
                scheme,
                status,
                client,
                user_agent,
                ..Exchange::default()
            };
            let (place, original) = ((number, offset), ExchangeRef::from(&original));
            let mut line = Vec::new();
            Encoder::new(&source).encode(place, &format, &text, &original, &mut line);
            Encoder::name(&mut line, RecordId::of_line(&text, 0));
            line.pop();
            (line, status, time, is_straight)
        },
    )
}

/// What may be done to a line: pieces that are put into it, taken out, and written twice.
#[derive(Debug, Clone)]
enum Blow {
    Insert(&'static str),
    Replace(&'static str),
    Remove(usize),
    Repeat(usize),
    Cut,
}

const PIECES: [&str; 32] = [
    "\"",
    "\\",
    "\\\\",
    "\\\"",
    " ",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "[{",
    "}]",
    "0",
    "-",
    "+",
    "1e3",
    "null",
    "_base64",
    "\"x\":1,",
    "\"x\":{\"original\":{\"status\":200}},",
    "\"v\":2,",
    "\"original\":{\"time\":\"T\",\"status\":200},",
    "},\"original\":{\"time\":\"T\",\"status\":200}",
    "\"status\":200,",
    ",\"status\":503",
    "\"time\":null,",
    ",\"time\":\"2026-11-22T06:22:52Z\"",
    "\"},\"original\":{\"",
    "\\u0022",
    "\n",
    "é",
];

fn blow() -> impl Strategy<Value = Blow> {
    prop_oneof![
        3 => select(PIECES.to_vec()).prop_map(Blow::Insert),
        3 => select(PIECES.to_vec()).prop_map(Blow::Replace),
        1 => (1..70_usize).prop_map(Blow::Remove),
        1 => (1..200_usize).prop_map(Blow::Repeat),
        1 => Just(Blow::Cut),
    ]
}

/// `line` after a blow to what stands between its strings, or, if it may be `anywhere`, to any byte.
fn struck(mut line: Vec<u8>, (blow, index, anywhere): &(Blow, Index, bool)) -> Vec<u8> {
    let is_joint = |at: &usize| *anywhere || b"\",:{}".contains(&line[*at]);
    let joints: Vec<usize> = (0..line.len()).filter(is_joint).collect();
    if joints.is_empty() {
        return line;
    }
    let at = *index.get(&joints);
    let until = |length: usize| line.len().min(at + length);
    match *blow {
        Blow::Insert(piece) => drop(line.splice(at..at, piece.bytes())),
        Blow::Replace(piece) => drop(line.splice(at..=at, piece.bytes())),
        Blow::Remove(length) => drop(line.drain(at..until(length))),
        Blow::Repeat(length) => {
            let piece = line[at..until(length)].to_vec();
            line.splice(at..at, piece);
        }
        Blow::Cut => line.truncate(at),
    }
    line
}

fn parsed(glance: Glance<'_>) -> (Option<u16>, Option<Timestamp>) {
    let time = glance.time.map(|time| std::str::from_utf8(time).expect("UTF-8").parse().expect("a time"));
    (glance.status, time)
}

/// The straight way and the walk must not differ, nor they and the decoded record.
fn assert_same(line: &[u8]) {
    let decoded = Record::decode(line).ok();
    for level in levels() {
        let (straight, walk) = (straight_at(level, line), walk_at(level, line));
        assert!(
            straight.is_none() || straight == walk,
            "{} {level:?}: {straight:?}, {walk:?}",
            BStr::new(line)
        );
        let glance = glance_at(level, line);
        assert_eq!(glance, walk, "{} {level:?}", BStr::new(line));
        if let (Some(glance), Some(record)) = (glance, &decoded) {
            let original = record.original();
            assert_eq!(parsed(glance), (original.status, original.time), "{} {level:?}", BStr::new(line));
        }
    }
}

proptest! {
    #[test]
    fn records_as_we_write_them_go_straight((line, status, time, is_straight) in line()) {
        for level in levels() {
            prop_assert_eq!(straight_at(level, &line).map(parsed), is_straight.then_some((status, time)));
        }
        assert_same(&line);
    }

    #[test]
    fn whatever_is_done_to_a_record_the_straight_way_finds_what_the_walk_finds(
        (line, ..) in line(),
        blows in prop::collection::vec((blow(), any::<Index>(), any::<bool>()), 1..4),
    ) {
        assert_same(&blows.iter().fold(line, struck));
    }
}

#[test]
fn each_beginning_of_a_record_and_each_byte_of_it_changed_or_left_out_is_the_same() {
    let original = Exchange {
        time: Some(Timestamp::UNIX_EPOCH),
        method: Some("GET".to_owned()),
        target: Some("/a?b=\"c\"".to_owned()),
        host: Some("example.com".into()),
        scheme: Some(Scheme::Https),
        status: Some(502),
        bytes: Some(7),
        ..Exchange::default()
    };
    let text = br#"\ "GET \\" {}"#;
    let mut line = Vec::new();
    Encoder::new(b"access.log").encode(
        (4, 18_231),
        "combined",
        text,
        &ExchangeRef::from(&original),
        &mut line,
    );
    Encoder::name(&mut line, RecordId::of_line(b"", 0));
    for at in 0..line.len() {
        assert_same(&line[..at]);
        let mut shorter = line.clone();
        shorter.remove(at);
        assert_same(&shorter);
        for byte in *b"\"\\{}[],: 0a\n" {
            let mut other = line.clone();
            other[at] = byte;
            assert_same(&other);
        }
    }
}

/// An escape behind the bytes that are looked at was taken for a part of the time.
#[test]
fn a_time_that_is_longer_than_any_goes_the_long_way() {
    let original = Exchange { time: Some(Timestamp::UNIX_EPOCH), status: Some(502), ..Exchange::default() };
    let mut line = Vec::new();
    Encoder::new(b"access.log").encode((1, 0), "combined", b"a", &(&original).into(), &mut line);
    Encoder::name(&mut line, RecordId::of_line(b"a", 0));
    for time in ["1970-01-01T00:00:00.000000000000\\u005a", "1970-01-01T00:00:00.000000000000000Z"] {
        let line = String::from_utf8_lossy(&line).replace("1970-01-01T00:00:00Z", time);
        for level in levels() {
            assert!(straight_at(level, line.as_bytes()).is_none(), "{level:?} {line}");
        }
    }
}
