use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use logretry_format::{Format, SpecError};

use crate::ReaderError;

/// The largest file that a format is looked for in.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The format that SPEC means: what [`Format::compile`] takes, or `@FILE`, a file with such text or with the configuration of a server, or `@FILE#NAME`, the format
/// that is called NAME in that configuration.
///
/// ```
/// let format = logretry_reader::format("combined")?;
/// assert!(!format.has_host());
/// let error = logretry_reader::format("@/etc/nginx/missing.conf#main").unwrap_err();
/// assert!(error.to_string().starts_with("read the format from `/etc/nginx/missing.conf`: "));
/// # Ok::<(), logretry_reader::ReaderError>(())
/// ```
pub fn format(spec: &str) -> Result<Format, ReaderError> {
    let Some(place) = spec.strip_prefix('@') else { return Ok(Format::compile(spec)?) };
    // A `#` may belong to the file's name.
    let (path, name) = match place.rsplit_once('#') {
        Some((path, name)) if fs::metadata(place).is_err() => (Path::new(path), Some(name)),
        _ => (Path::new(place), None),
    };
    let text = text_of(path).map_err(|error| ReaderError::FormatFile { path: path.to_owned(), error })?;
    let format = match Format::from_config(&text, name) {
        Err(SpecError::NoneInConfig) if name.is_none() => Format::compile(text.trim()),
        found => found,
    };
    format.map_err(|error| ReaderError::FormatInFile { path: path.to_owned(), error })
}

fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str =
        "http {\n  log_format main '$request $status';\n  log_format short '$request_uri $status';\n}\n";

    /// The name of the format, or the error, with `FILE` for the file of this `text`.
    fn named(text: &str, file: &str, name: &str) -> String {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(file);
        fs::write(&path, text).expect("a file");
        let place = path.display().to_string();
        let named = match format(&format!("@{place}{name}")) {
            Ok(format) => format.name().to_owned(),
            Err(error) => error.to_string(),
        };
        named.replace(&place, "FILE")
    }

    #[test]
    fn a_file_holds_a_spec_or_a_configuration() {
        assert_eq!(named("combined\n", "spec", ""), "combined");
        assert_eq!(named("$request $status\n", "spec#1", ""), "nginx:'$request $status'");
        assert_eq!(named("log_format x '$request $status';\n", "spec", ""), "nginx:'$request $status'");
        assert_eq!(named(CONFIG, "nginx.conf", "#short"), "nginx:'$request_uri $status'");
        assert_eq!(named(CONFIG, "a#b", "#main"), "nginx:'$request $status'");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_file_and_what_to_do() {
        assert_eq!(
            named(CONFIG, "nginx.conf", ""),
            "use the format in `FILE`: the configuration has several formats: `main`, `short`; choose one by its name (`@FILE#NAME`)"
        );
        assert_eq!(
            named(CONFIG, "nginx.conf", "#long"),
            "use the format in `FILE`: the configuration has no format `long`; it has `main`, `short` (`@FILE#NAME`)"
        );
        assert_eq!(
            named("$request\n", "spec", ""),
            "use the format in `FILE`: it has no status; add `$status`"
        );
        let missing = format("@/no/such#name").expect_err("there is none").to_string();
        assert_eq!(
            missing,
            "read the format from `/no/such`: No such file or directory (os error 2); name a file that holds a format, as in \
             `--format @access.format` or `--format @/etc/nginx/nginx.conf#main`"
        );
        assert!(format("@/").is_err() && format("@").is_err());
    }
}
