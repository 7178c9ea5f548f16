use std::io::{self, Write as _};

use indicatif::ProgressBar;
use logretry_record::Harmless;
use logretry_stage::Notes;

/// Notes on standard error, each behind the program's name, above the progress line.
pub(crate) fn notes(name: &'static str, quiet: bool, bar: ProgressBar) -> Notes {
    if quiet {
        return Notes::silent();
    }
    Notes::to(move |sentence| {
        // A person who has closed standard error does not want to know.
        let sentence = sentence.to_string();
        bar.suspend(|| writeln!(io::stderr(), "{name}: {}", Harmless(&sentence)).unwrap_or(()));
    })
}
