//! The files that fit a pattern.
//!
//! Which names fit is the `glob` crate's to say. It would go through the folders too, but it passes over names that are not UTF-8 without a word; so that is done here. In such
//! a name, what is no UTF-8 is one character that fits `?` and `*`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::ReaderError;

const WILDCARDS: [char; 3] = ['*', '?', '['];

/// A hidden name fits only what begins with a dot, as in a shell: editors and rsync put unfinished copies of a log beside it, `.access.log.swp` and
/// `.access.log.X7hKz1`.
const LIKE_A_SHELL: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: true,
};

/// Whether `path` can be meant as a pattern.
pub(crate) fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains(WILDCARDS))
}

/// What fits `pattern`: files, and folders too, in no order that is promised. `**` stands for a folder and all those below it, but for hidden ones, and for
/// those that symbolic links lead to: they may lead in a circle. Folders that may not be looked into are told to `troubles`.
pub(crate) fn fitting(pattern: &str, troubles: &mut Vec<ReaderError>) -> Result<Vec<PathBuf>, ReaderError> {
    compiled(pattern, pattern)?;
    let (root, rest) = pattern.strip_prefix('/').map_or(("", pattern), |rest| ("/", rest));
    let mut parts: Vec<&str> = rest.split('/').collect();
    parts.dedup_by(|part, before| part == before && *part == "**");
    let mut paths = vec![PathBuf::from(root)];
    for part in parts {
        let mut found = Vec::new();
        if part == "**" {
            while let Some(folder) = paths.pop() {
                let is_folder = |path: &PathBuf| {
                    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
                        && !path.file_name().is_some_and(is_hidden)
                };
                paths.extend(entries(&folder, troubles).into_iter().filter(is_folder));
                found.push(folder);
            }
        } else if part.contains(WILDCARDS) {
            let part = compiled(part, pattern)?;
            let fits = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default();
                part.matches_with(&name.to_string_lossy(), LIKE_A_SHELL)
            };
            for folder in &paths {
                found.extend(entries(folder, troubles).into_iter().filter(fits));
            }
        } else {
            found.extend(paths.iter().map(|path| below(path, part)));
        }
        paths = found;
    }
    Ok(paths)
}

/// Whether a name is one that a shell hides.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

/// `part` as a pattern; what is wrong with it is wrong with the `whole`.
fn compiled(part: &str, whole: &str) -> Result<glob::Pattern, ReaderError> {
    glob::Pattern::new(part).map_err(|error| ReaderError::NoMatch {
        pattern: whole.to_owned(),
        detail: Some(format!(": {}", error.msg)),
    })
}

/// `./*.log` finds `access.log`, as `*.log` does.
fn below(path: &Path, part: &str) -> PathBuf {
    if path.as_os_str().is_empty() && part == "." { PathBuf::new() } else { path.join(part) }
}

/// What is in `folder`, by name; nothing, if it is none, or may not be looked into.
fn entries(folder: &Path, troubles: &mut Vec<ReaderError>) -> Vec<PathBuf> {
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !is_there(place, fs::Metadata::is_dir, troubles) {
        return Vec::new();
    }
    let names = || fs::read_dir(place)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>();
    let mut names: Vec<OsString> = names().unwrap_or_else(|error| {
        troubles.push(ReaderError::Open { path: place.to_owned(), error });
        Vec::new()
    });
    names.sort_unstable();
    names.into_iter().map(|name| folder.join(name)).collect()
}

/// Whether there is something at `path` that `is` such a thing. What may not be looked at may be one: that is told to `troubles`.
pub(crate) fn is_there(
    path: &Path,
    is: impl FnOnce(&fs::Metadata) -> bool,
    troubles: &mut Vec<ReaderError>,
) -> bool {
    match fs::metadata(path) {
        Ok(metadata) => is(&metadata),
        Err(error) => {
            // Nothing there, a link that leads nowhere or in a circle, a part of the path that is no folder: none is a log.
            if error.kind() == io::ErrorKind::PermissionDenied {
                troubles.push(ReaderError::Open { path: path.to_owned(), error });
            }
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// What of some files fits `pattern` in a folder of theirs.
    fn found(pattern: &str) -> Vec<PathBuf> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("a/b/c")).expect("folders");
        let odd = OsStr::from_bytes(b"a/x\xff.log");
        for name in ["top.log", "a/one.log", "a/.two.log", "a/b/three.log", "a/b/c/four.log", "a/b/c/five"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        fs::write(folder.path().join(odd), "").expect("a file");
        for circle in ["a/b/c/one", "a/b/c/other"] {
            symlink("..", folder.path().join(circle)).expect("a link");
        }
        let pattern = format!("{}/{pattern}", folder.path().display());
        let mut paths = fitting(&pattern, &mut Vec::new()).expect("a pattern");
        paths.retain(|path| path.is_file());
        paths.sort();
        paths
            .iter()
            .map(|path| path.strip_prefix(folder.path()).expect("it is in there").to_owned())
            .collect()
    }

    #[test]
    fn a_name_that_is_not_utf8_fits_as_any_other() {
        let odd = PathBuf::from(OsStr::from_bytes(b"a/x\xff.log"));
        assert_eq!(found("a/*"), [PathBuf::from("a/one.log"), odd.clone()]);
        assert_eq!(found("*/x?.log"), [odd]);
    }

    #[test]
    fn each_part_of_a_pattern_stands_for_its_names() {
        for (pattern, files) in [
            ("*.log", &["top.log"][..]),
            ("a/o*.log", &["a/one.log"]),
            ("a/*o.log", &[]),
            ("a/.t*", &["a/.two.log"]),
            ("a/b/[t]hree.log", &["a/b/three.log"]),
            ("a//b/[!f]*", &["a/b/three.log"]),
            ("*/b/*/f*", &["a/b/c/five", "a/b/c/four.log"]),
            ("**/f*.log", &["a/b/c/four.log"]),
            ("a/**/**/t*", &["a/b/three.log"]),
            ("a/b/**/t*", &["a/b/three.log"]),
            ("top.*/", &[]),
            ("top.*/x", &[]),
            ("none/*", &[]),
        ] {
            assert_eq!(found(pattern), files.iter().map(PathBuf::from).collect::<Vec<_>>(), "{pattern}");
        }
    }

    #[test]
    fn what_fits_is_called_as_the_pattern_is() {
        let fitting = |pattern| fitting(pattern, &mut Vec::new()).expect("it fits");
        let manifest = [PathBuf::from("Cargo.toml")];
        assert_eq!((fitting("Cargo.tom?"), fitting("./Cargo.tom?")), (manifest.to_vec(), manifest.to_vec()));
        assert!(fitting("/et[c]").contains(&"/etc".into()));
    }
}
