use proptest::prelude::*;

use crate::format::Format;
use crate::levels::levels;
use crate::screen::Screen;

/// Lines that are shown, and how many stand before each.
type Shown = Vec<(std::ops::Range<usize>, u64)>;

/// What is shown of `lines`, with a `tail` behind them, up to the one at `stop`, and how many lines that is said to be; one by one, and at each level.
fn sifted(screen: &Screen, lines: &[String], tail: &str, stop: usize) -> ((u64, Shown), Vec<(u64, Shown)>) {
    let mut block = String::new();
    let mut expected = Vec::new();
    for (line, before) in lines.iter().zip(0..) {
        let start = block.len();
        block += line;
        if !screen.rules_out(line.as_bytes()) {
            expected.push((start..block.len(), before));
        }
        block += "\n";
    }
    block += tail;
    let ends_at = expected.get(stop).map_or(lines.len() as u64, |(_, before)| *before);
    expected.truncate(stop + 1);
    let at_level = |level| {
        let mut found = Vec::new();
        let count = screen.sift_at(level, block.as_bytes(), &mut |place, before| {
            found.push((place, before));
            found.len() <= stop
        });
        (count, found)
    };
    ((ends_at, expected), levels().into_iter().map(at_level).collect())
}

#[test]
fn a_status_is_found_wherever_steps_meet() {
    let format = Format::compile("combined").expect("a format");
    let screen = Screen::new(&format, &"5xx".parse().expect("a set")).expect("a screen");
    for status in [200, 502] {
        for length in 0..200 {
            let line = "x".repeat(length) + &format!("\" {status} ");
            let lines = [line.clone(), line, String::new()];
            let (expected, found) = sifted(&screen, &lines, "\" 502 ", usize::MAX - 1);
            assert_eq!(expected.1.len(), if status == 200 { 1 } else { 3 });
            assert!(found.iter().all(|found| *found == expected), "{status} behind {length}: {found:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_block_is_sifted_as_its_lines_are_ruled_out_one_by_one(
        lines in prop::collection::vec(
            prop_oneof![
                4 => ("[a-z\" ]{0,40}", 0_u16..1000, "[a-z\" 0-9]{0,90}").prop_map(|(a, status, b)| format!("{a}\" {status:03} {b}")),
                2 => ("[a-z<]{0,20}", prop::sample::select(vec![" x ", "<<<", "<", "", "\" "]), 0_u16..1000, "[> ]?[a-z0-9]{0,9}").prop_map(|(a, before, status, b)| format!("{a}{before}{status:03}{b}")),
                1 => "[\" 0-9]{0,200}",
                1 => Just(String::new()),
            ],
            0..40,
        ),
        format in prop::sample::select(vec!["combined", "$request_uri $request_time $status", "$request_uri x $status", "$request_uri<$status> $request_time", "$request_uri <<<$status>; $request_time"]),
        wanted in prop::sample::select(vec!["5xx", "502,404", "000-199", "200,3xx,501-503", "000-999"]),
        tail in "[\" 0-9]{0,70}",
        stop in 0_usize..60,
    ) {
        let format = Format::compile(format).expect("a format");
        let screen = Screen::new(&format, &wanted.parse().expect("a set")).expect("a screen");
        let (expected, found) = sifted(&screen, &lines, &tail, stop);
        for found in found {
            prop_assert_eq!(&found, &expected);
        }
    }
}
