//! Lines in pieces.

use crate::lab::{cri, docker, line, options, read};

#[test]
fn pieces_of_two_streams_may_alternate() {
    let (a, b) = (line("/a", 502), line("/b", 503));
    let log = [
        cri("stdout", 'P', &a[..50]),
        cri("stderr", 'P', &b[..70]),
        cri("stderr", 'F', &b[70..]),
        cri("stdout", 'P', &a[50..60]),
        cri("stdout", 'F', &a[60..]),
        cri("stdout", 'F', &line("/c", 500)),
    ]
    .concat();
    let read = read(&log, options(&["combined"]));
    assert_eq!(read.targets(), ["/b", "/a", "/c"]);
    assert_eq!(read.places()[..2], [(2, 91), (1, 0)]);
    assert_eq!(read.counts(), (3, 0, 3));
}

#[test]
fn pieces_may_themselves_be_in_pieces() {
    let text = line(&format!("/{}", "x".repeat(40_000)), 502);
    let log: String =
        [docker(&text[..16_384]), docker(&text[16_384..32_768]), docker(&format!("{}\n", &text[32_768..]))]
            .iter()
            .flat_map(|piece| {
                let (first, second) = piece.trim_end().split_at(5000);
                [cri("stdout", 'P', first), cri("stdout", 'F', second)]
            })
            .collect();
    let read = read(&log, options(&["combined"]));
    assert_eq!(read.texts(), [text]);
    assert_eq!((read.places(), read.counts()), (vec![(1, 0)], (1, 0, 5)));
}

#[test]
fn a_split_that_never_ends_is_a_reject() {
    let text = line("/a", 502);
    let log = [cri("stdout", 'F', &text), cri("stdout", 'P', &text), cri("stdout", 'P', "more")].concat();
    let read = read(&log, options(&["combined"]));
    assert_eq!(read.counts(), (1, 1, 1));
    let (number, reason, kept) = &read.rejects[0];
    assert_eq!((*number, reason.as_str()), (2, "it was split into pieces, and its last piece is missing"));
    assert_eq!(*kept, format!("{text}more"));
}

#[test]
fn a_line_put_together_obeys_the_limit() {
    let mut options = options(&["combined"]);
    options.line_bytes_max = 300;
    let text = line(&"/x".repeat(150), 502);
    let log = [
        cri("stdout", 'P', &text[..200]),
        cri("stdout", 'P', &text[200..320]),
        cri("stdout", 'F', &text[320..]),
        cri("stdout", 'F', &line("/a", 502)),
    ]
    .concat();
    let read = read(&log, options);
    assert_eq!((read.targets(), read.counts()), (vec!["/a"], (1, 1, 2)));
    assert_eq!(read.rejects[0].1, "it is longer than 300 bytes (--line-limit)");
    assert_eq!(read.rejects[0].2, text[..300]);
}

#[test]
fn a_piece_that_is_too_long_never_leaves_a_line_with_a_hole() {
    let mut options = options(&["combined"]);
    options.line_bytes_max = 200;
    let text = line("/a", 502);
    let log = [
        cri("stdout", 'P', &text[..60]),
        cri("stdout", 'P', &"x".repeat(200)),
        cri("stdout", 'F', &text[60..]),
    ]
    .concat();
    let read = read(&log, options);
    assert_eq!(read.counts(), (0, 2, 1));
}

#[test]
fn docker_lines_without_line_ends_are_no_pieces_where_none_has_one() {
    let log: String = ["starting", &line("/a", 502), "noise", &line("/b", 503)].map(docker).concat();
    for formats in [vec![], vec!["combined"]] {
        let read = read(&log, options(&formats));
        assert_eq!((read.targets(), read.counts()), (vec!["/a", "/b"], (2, 2, 0)));
    }
}

#[test]
fn a_last_docker_line_without_its_end_is_a_line() {
    let log = [docker(&(line("/a", 502) + "\n")), docker(&line("/b", 503))].concat();
    assert_eq!(read(&log, options(&[])).targets(), ["/a", "/b"]);
}

#[test]
fn a_damaged_piece_never_leaves_a_line_with_a_hole() {
    let text = line(&format!("/{}", "x".repeat(40_000)), 502);
    let middle = docker(&text[16_384..32_768]);
    let log = [
        docker(&text[..16_384]),
        format!("{}\n", &middle[..9000]),
        docker(&format!("{}\n", &text[32_768..])),
        docker(&format!("{}\n", line("/a", 502))),
    ]
    .concat();
    let read = read(&log, options(&["combined"]));
    assert_eq!((read.targets(), read.counts()), (vec!["/a"], (1, 2, 1)));
}

#[test]
fn pieces_belong_together_whether_they_are_coloured_or_not() {
    let text = line("/a", 502);
    let log = [
        cri("stdout", 'P', &format!("\x1b[36m{}", &text[..40])),
        cri("stdout", 'P', &text[40..60]),
        cri("stdout", 'F', &format!("{}\x1b[0m", &text[60..])),
    ]
    .concat();
    assert_eq!(read(&log, options(&["combined"])).texts(), [text]);
}
