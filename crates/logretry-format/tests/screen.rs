//! A screen changes speed, and never what is found.

use logretry_format::{Format, Screen, Spans, presets};
use logretry_record::StatusSet;
use proptest::prelude::*;

/// Whether `line` is what the screen must never rule out.
fn is_wanted(format: &Format, line: &[u8], wanted: &StatusSet) -> bool {
    let status = format.parse(line, &mut Spans::new()).ok().and_then(|parsed| parsed.status());
    status.is_some_and(|status| wanted.contains(status))
}

#[test]
fn the_example_of_each_preset_passes_when_it_is_wanted_and_not_otherwise() {
    let mut screened = 0;
    for preset in presets() {
        let Ok(format) = Format::compile(preset.name) else { continue };
        let line = preset.example.as_bytes();
        let Some(screen) = Screen::new(&format, &StatusSet::default()) else { continue };
        screened += 1;
        assert!(!screen.rules_out(line), "{}", preset.name);
        let none: StatusSet = "404".parse().expect("a set");
        let other = Screen::new(&format, &none).expect("as before");
        assert!(other.rules_out(line), "{}", preset.name);
    }
    assert!(screened >= 5, "{screened} presets have a screen");
}

#[test]
fn forged_statuses_do_not_hide_a_failure() {
    let format = Format::compile("combined").expect("a preset");
    let screen = Screen::new(&format, &StatusSet::default()).expect("a screen");
    for line in [
        r#"h - - [22/Nov/2026:06:22:52 +0000] "GET /a\" 200 HTTP/1.1" 502 1 "-" "-""#,
        r#"h - " 200 x [22/Nov/2026:06:22:52 +0000] "GET /a HTTP/1.1" 502 1 "-" "-""#,
        r#"h - - [22/Nov/2026:06:22:52 +0000] "GET /a HTTP/1.1" 502 1 "\" 200 1" "\" 200 1""#,
    ] {
        assert!(!screen.rules_out(line.as_bytes()), "{line}");
    }
}

proptest! {
    #[test]
    fn what_is_ruled_out_would_not_have_been_selected(
        preset in 0..presets().len(),
        cut in any::<prop::sample::Index>(),
        insert in prop::collection::vec(any::<u8>(), 0..12),
        status in 0_u16..1000,
        wanted in prop_oneof![Just("5xx"), Just("502,404"), Just("000-199"), Just("200")],
    ) {
        let preset = &presets()[preset];
        let Ok(format) = Format::compile(preset.name) else { return Ok(()) };
        let wanted: StatusSet = wanted.parse().expect("a set");
        let Some(screen) = Screen::new(&format, &wanted) else { return Ok(()) };
        // Another status where the example has its own, and any bytes anywhere.
        let (before, _) = format.around_status();
        let mut line = preset.example.as_bytes().to_vec();
        if let Some(at) = memchr::memmem::find(&line, before).map(|at| at + before.len()).filter(|at| at + 3 <= line.len()) {
            line[at..at + 3].copy_from_slice(format!("{status:03}").as_bytes());
        }
        let at = cut.index(line.len() + 1);
        line.splice(at..at, insert);
        let mut is_sifted = false;
        screen.sift(&[&line[..], b"\n"].concat(), |_, _| { is_sifted = true; true });
        prop_assert!(line.contains(&b'\n') || is_sifted != screen.rules_out(&line));
        prop_assert!(!(screen.rules_out(&line) && is_wanted(&format, &line, &wanted)), "{}", String::from_utf8_lossy(&line));
    }
}
