//! Any text as a pasted format, and any bytes as a line of it: no panic, no hang, and its name compiles to the same format.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logretry_format::{Format, Spans};

fuzz_target!(|input: (&str, &[u8])| {
    let (spec, line) = input;
    let _ = Format::from_config(spec, None);
    let Ok(format) = Format::compile(spec) else { return };
    let again = Format::compile(format.name()).expect("a format's name compiles");
    assert_eq!(again.name(), format.name());
    let mut spans = Spans::new();
    if let Ok(parsed) = format.parse(line, &mut spans) {
        let _ = (parsed.status(), parsed.time(), parsed.exchange());
    }
});
