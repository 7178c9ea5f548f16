use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use percent_encoding::percent_decode_str;

use crate::RefirerError;

/// `--deny-path`: paths that are never sent, whatever their method.
///
/// A glob over the whole path, without its query, as `--path` takes it: `*` crosses `/`. It fits what was sent and what a server makes of it:
/// the path as it stands, percent-decoded, and without the dot segments (RFC 3986 §5.2.4) and the repeated slashes that are left then. Some servers take no notice of
/// capital letters (IIS, Express), some read `\` as `/` (IIS), and some leave out what follows a `;` in a segment before they look at it (Tomcat, Jetty: `/x/..;/admin`).
#[derive(Debug, Clone)]
pub struct DeniedPath(GlobMatcher);

impl DeniedPath {
    /// Whether it fits the path of `target`, with the path of the base URL before it, or behind that.
    pub(crate) fn fits(&self, prefix: &str, target: &str) -> bool {
        let path = target.split('?').next().unwrap_or_default();
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
        self.fits_as_it_stands(prefix, path) || self.fits_as_it_stands(&decoded(prefix), &decoded(path))
    }

    fn fits_as_it_stands(&self, prefix: &str, path: &str) -> bool {
        let behind_prefix = |path: &str| {
            let (start, rest) = path.split_at_checked(prefix.len())?;
            (!prefix.is_empty() && start.eq_ignore_ascii_case(prefix)).then(|| self.0.is_match(rest))
        };
        let is_match = |path: &str| self.0.is_match(path) || behind_prefix(path) == Some(true);
        [path, &without_parameters(path)].into_iter().any(|path| {
            is_match(path)
                || is_match(&normalised(path, Slashes::First))
                || is_match(&normalised(path, Slashes::Last))
        })
    }
}

/// `path` with `/` for each `\`, and its segments without what follows a `;`.
fn without_parameters(path: &str) -> String {
    let segments = path.split(['/', '\\']).map(|segment| segment.split(';').next().unwrap_or_default());
    segments.collect::<Vec<_>>().join("/")
}

/// When repeated slashes are taken for one: before the dot segments are removed, as nginx does it, or after. `/a//../b` is `/b` or `/a/b`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slashes {
    First,
    Last,
}

/// `path` without dot segments and repeated slashes.
fn normalised(path: &str, slashes: Slashes) -> String {
    let mut kept = Vec::new();
    for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            "" if slashes == Slashes::First => {}
            _ => kept.push(segment),
        }
    }
    let mut normal: String =
        kept.iter().filter(|segment| !segment.is_empty()).flat_map(|segment| ["/", segment]).collect();
    if normal.is_empty() || ["/", "/.", "/.."].iter().any(|end| path.ends_with(end)) {
        normal.push('/');
    }
    normal
}

impl FromStr for DeniedPath {
    type Err = RefirerError;

    fn from_str(text: &str) -> Result<Self, RefirerError> {
        // Nothing would be denied, and whoever gave it trusts that it is.
        if !text.starts_with(['/', '*', '?', '[', '{', '\\']) {
            let why = "it does not begin with `/`, as every path does".to_owned();
            return Err(RefirerError::DeniedPath { text: text.to_owned(), why });
        }
        let glob = GlobBuilder::new(text)
            .literal_separator(false)
            .backslash_escape(true)
            .case_insensitive(true)
            .build();
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
    fn a_denied_path_fits_whatever_a_server_would_take_for_it() {
        let denied: DeniedPath = "/admin/*".parse().expect("a glob");
        for target in [
            "/x/../admin/2",
            "/./admin/3",
            "//admin/4",
            "/%61dmin/5",
            "/x/%2e%2e/admin/6",
            "/x/.%2E/admin/7?a=/b",
            "/x%2f..%2fadmin/8",
            "/../admin/9",
            "/x//../admin/10",
            "/x/y/../..//admin//11",
            "/x/../admin//../12",
            "/%2Fadmin/13",
            "/admin/./",
            "/x/../admin/.",
            "/admin/../x",
            "/Admin/14",
            "/admin;a=b/15",
            "/x/..;/admin/16",
            "/x/%2e%2e;a=b/admin/17",
            "/x\\..\\admin\\18",
            "/x%5c..%5cadmin/19",
        ] {
            assert!(denied.fits("", target), "{target}");
        }
        for target in
            ["/x/admin/..", "/x/..admin/1", "/x/.../admin/2", "/admin.", "/x/../admin", "/?/admin/1"]
        {
            assert!(!denied.fits("", target), "{target}");
        }
        let denied: DeniedPath = "/admin".parse().expect("a glob");
        for (target, fits) in
            [("//admin", true), ("/x/../admin", true), ("/admin/", false), ("/admin/x/..", false)]
        {
            assert_eq!(denied.fits("", target), fits, "{target}");
        }
    }

    #[test]
    fn a_path_is_decoded_as_a_path_and_with_that_of_the_base_url() {
        let denied: DeniedPath = "/a+b".parse().expect("a glob");
        assert!(
            denied.fits("", "/%61+b") && denied.fits("", "/a%2Bb") && denied.fits("/a%20b", "/a%20b/a+b")
        );
        assert!(!denied.fits("", "/a%20b"));
    }

    #[test]
    fn a_denied_path_is_meant_with_the_path_of_the_base_url_and_without() {
        for (glob, target, fits) in [
            ("/admin/*", "/shop/admin/1", true),
            ("/shop/admin/*", "/shop/admin/2", true),
            ("/admin/*", "/shop/../shop/admin/3", true),
            ("/admin/*", "/shop/../admin/4", true),
            ("/admin/*", "/shopadmin/5", false),
            ("/admin/*", "/shop/x/admin/6", false),
            ("/*", "/s", true),
        ] {
            assert_eq!(glob.parse::<DeniedPath>().expect("a glob").fits("/shop", target), fits, "{target}");
        }
    }

    #[test]
    fn a_denied_path_fits_the_path_as_it_stands_and_as_a_server_reads_it() {
        let denied: DeniedPath = "/admin/*".parse().expect("a glob");
        for target in ["/admin/", "/admin/a/b?c", "/%61dmin/a"] {
            assert!(denied.fits("", target), "{target}");
        }
        for target in ["/admin", "/a?b=/admin/c", "/x/admin/y"] {
            assert!(!denied.fits("", target), "{target}");
        }
        for text in ["/a[", "", "admin/*", " /admin/*", "http://shop.example/admin/*"] {
            assert!(text.parse::<DeniedPath>().is_err(), "{text:?} was taken, and denies nothing");
        }
    }
}
