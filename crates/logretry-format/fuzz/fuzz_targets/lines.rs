//! Any bytes as a line of any preset: no panic, no hang, and what is rewritten is read back.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use logretry_format::{Change, Format, Screen, Spans, detect, presets};
use logretry_record::{Mark, StatusSet};

static FORMATS: LazyLock<Vec<(Format, Option<Screen>)>> = LazyLock::new(|| {
    let formats = presets().iter().filter_map(|preset| Format::compile(preset.name).ok());
    formats.map(|format| (format.clone(), Screen::new(&format, &StatusSet::default()))).collect()
});

fuzz_target!(|line: &[u8]| {
    let mark = Mark::default();
    let time = jiff::Timestamp::UNIX_EPOCH;
    let change = Change { mark: &mark, time, status: Some(204), bytes: Some(7), duration_ms: Some(1.5) };
    let mut spans = Spans::new();
    for (format, screen) in FORMATS.iter() {
        let Ok(parsed) = format.parse(line, &mut spans) else { continue };
        let (status, exchange) = (parsed.status(), parsed.exchange());
        if let Some(target) = &exchange.target {
            assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{}: {target:?}", format.name());
        }
        if let Some(screen) = screen
            && status.is_some_and(|status| (500..600).contains(&status))
        {
            assert!(!screen.rules_out(line), "{}", format.name());
        }
        let mut written = Vec::new();
        if format.rewrite(line, &change, &mut written).is_ok() {
            let again = format.parse(&written, &mut spans);
            let again = again.unwrap_or_else(|error| panic!("{}: {error}", format.name()));
            if status.is_some() {
                assert_eq!(again.status(), Some(204), "{}", format.name());
            }
        }
    }
    let _ = detect(line.split(|&byte| byte == b'\n'));
});
