use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};

use crate::RefirerError;

/// `--deny-path`: paths that are never sent, whatever their method.
///
/// A glob over the whole path, without its query, as `--path` takes it: `*` crosses `/`. It fits what was sent and what a server makes of it:
/// the path as it stands, and percent-decoded.
#[derive(Debug, Clone)]
pub struct DeniedPath(GlobMatcher);

impl DeniedPath {
    /// Whether it fits the path of `target`.
    pub(crate) fn fits(&self, target: &str) -> bool {
        let path = target.split('?').next().unwrap_or_default();
        self.0.is_match(path) || self.0.is_match(&*crate::acting::decoded(path))
    }
}

impl FromStr for DeniedPath {
    type Err = RefirerError;

    fn from_str(text: &str) -> Result<Self, RefirerError> {
        let glob = GlobBuilder::new(text).literal_separator(false).backslash_escape(true).build();
        let refuse = |error: globset::Error| RefirerError::DeniedPath {
            text: text.to_owned(),
            why: error.kind().to_string(),
        };
        Ok(Self(glob.map_err(refuse)?.compile_matcher()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_path_fits_the_path_as_it_stands_and_as_a_server_reads_it() {
        let denied: DeniedPath = "/admin/*".parse().expect("a glob");
        for target in ["/admin/", "/admin/a/b?c", "/%61dmin/a"] {
            assert!(denied.fits(target), "{target}");
        }
        for target in ["/admin", "/a?b=/admin/c", "/x/admin/y"] {
            assert!(!denied.fits(target), "{target}");
        }
        assert!("/a[".parse::<DeniedPath>().is_err());
    }
}
