mod apps;
mod aws;
mod caches;
mod envoy;
mod families;
mod frameworks;
mod generic;
mod haproxy;
mod names;
mod ncsa;
mod proxies;

use std::sync::OnceLock;

pub(crate) use names::unknown;

use crate::error::SpecError;
use crate::escape::Escape;
use crate::format::Format;
use crate::habits::{Absolute, Habits, Loses};

/// A format that has a name.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// What `--format` takes.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it is compiled from: the text as it stands in a server's configuration, or, where there is none, `line:` and a line with
    /// its fields in braces.
    pub spec: &'static str,
    /// Who writes it.
    pub about: &'static str,
    /// A line of it.
    pub example: &'static str,
    /// The preset that such a log is taken for where nothing else is said, since its lines look the same.
    pub twin: Option<&'static str>,
    /// No bytes are written as `0`, whatever the spec's server does: others write this format too.
    pub(crate) zero_is_zero: bool,
    /// How values are escaped, if not as the spec's server does it.
    pub(crate) escape: Option<Escape>,
    /// What the producer makes of requests.
    pub(crate) habits: Habits,
    /// Other shapes of its lines; no line may have two.
    pub(crate) variants: &'static [Variant],
    /// What an operator should know.
    pub(crate) notes: &'static [&'static str],
    /// It passes over what it does not know, so it is tried where no other preset fits.
    pub(crate) is_loose: bool,
}

/// Another shape that lines of a preset have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variant {
    pub(crate) spec: &'static str,
    pub(crate) loses: Loses,
}

impl Variant {
    const fn of(spec: &'static str) -> Self {
        Self { spec, loses: Loses::Nothing }
    }
}

/// What most presets do not say.
const PLAIN: Preset = Preset {
    name: "",
    aliases: &[],
    spec: "",
    about: "",
    example: "",
    twin: None,
    zero_is_zero: false,
    escape: None,
    habits: Habits { absolute: Absolute::Sent, loses: Loses::Nothing },
    variants: &[],
    notes: &[],
    is_loose: false,
};

/// All presets; of those that fit the same lines the one that tells more apart first.
pub fn presets() -> &'static [Preset] {
    static PRESETS: OnceLock<Vec<Preset>> = OnceLock::new();
    PRESETS.get_or_init(|| {
        [
            haproxy::PRESETS,
            aws::PRESETS,
            envoy::PRESETS,
            proxies::PRESETS,
            caches::PRESETS,
            ncsa::PRESETS,
            caches::LIGHTTPD,
            apps::PRESETS,
            frameworks::PRESETS,
            // Families before what is in common names.
            families::PRESETS,
            generic::PRESETS,
        ]
        .concat()
    })
}

/// The preset that is called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Preset> {
    presets().iter().find(|preset| preset.name == name || preset.aliases.contains(&name))
}

/// All presets, compiled once.
pub(crate) fn all() -> &'static [(&'static Preset, Format)] {
    static COMPILED: OnceLock<Vec<(&'static Preset, Format)>> = OnceLock::new();
    COMPILED.get_or_init(|| {
        presets().iter().filter_map(|preset| Some((preset, Format::compile_preset(preset).ok()?))).collect()
    })
}

pub(crate) fn compiled(name: &str) -> Result<Format, SpecError> {
    let found = all().iter().find(|(preset, _)| preset.name == name);
    found.map(|(_, format)| format.clone()).ok_or_else(|| unknown(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spans;

    #[test]
    fn every_preset_compiles_and_reads_its_example() {
        for preset in presets() {
            if let Err(error) = Format::compile_preset(preset) {
                panic!("{}: {error}", preset.name);
            }
        }
        for (preset, format) in all() {
            assert_eq!(format.name(), preset.name);
            let mut spans = Spans::new();
            let (format, line) = behind_header(format, preset.example);
            let parsed = format.parse(line.as_bytes(), &mut spans).expect(preset.name);
            let exchange = parsed.exchange();
            assert!(exchange.status.is_some_and(|status| status >= 500), "{}", preset.name);
            assert!(
                exchange.time.is_some() == format.has_time()
                    && exchange.method.is_some()
                    && exchange.target.is_some()
            );
        }
    }

    /// An example may have its header before its line.
    fn behind_header<'e>(format: &Format, example: &'e str) -> (Format, &'e str) {
        match example.split_once('\n') {
            Some((header, line)) => (format.header(header.as_bytes()).expect("a header"), line),
            None => (format.clone(), example),
        }
    }
}
