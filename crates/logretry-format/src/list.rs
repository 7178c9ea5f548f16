//! nginx `$upstream_*`: one item for each upstream that was tried, joined by `, `, and by ` : ` between internal redirects
//! (`ngx_http_upstream_addr_variable`); `-` for one that never answered.
//!
//! An item is a number, an address with its port, the path of a socket, or the name of a group. It holds no blank, comma or quote; what
//! else it holds depends on what follows the list in the format: nothing that no item is written with, so that `;` and `|` end it, while `:`, `/`
//! and `]` may.

/// Where the longest list ends that begins at `start` and has `before` behind it; nothing, where anything may be.
pub(crate) fn longest(line: &[u8], start: usize, before: &[u8]) -> Option<usize> {
    let rest = line.get(start..)?;
    let stop = before.first().copied().filter(|&byte| !may_be_in_item(byte)).unwrap_or(b' ');
    let mut at = 0;
    loop {
        at += rest[at..]
            .iter()
            .take_while(|&&byte| !matches!(byte, b' ' | b',' | b'"' | b'\t') && byte != stop)
            .count();
        at += match &rest[at..] {
            [b',', b' ', ..] if at > 0 => 2,
            [b' ', b':', b' ', ..] if at > 0 => 3,
            _ => return Some(start + at),
        };
    }
}

/// The next shorter list with `before` behind it, of the one from `start` to `end`. Without that, the one without the last item.
pub(crate) fn shorter(line: &[u8], start: usize, end: usize, before: &[u8]) -> Option<usize> {
    let list = line.get(start..end)?;
    if before.is_empty() {
        let comma = memchr::memmem::rfind(list, b", ");
        let colon = memchr::memmem::rfind(list, b" : ");
        return Some(start + comma.max(colon)?);
    }
    let mut length = list.len();
    while let Some(found) = memchr::memrchr(before[0], &list[..length]).filter(|&found| found > 0) {
        length = found;
        let is_between_items = list[..length].ends_with(b" :") || matches!(list[length - 1], b' ' | b',');
        if !is_between_items && line[start + length..].starts_with(before) {
            return Some(start + length);
        }
    }
    None
}

fn may_be_in_item(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'/' | b'-' | b'_' | b'[' | b']')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lists that `text` may begin with, the longest first.
    fn lists<'t>(text: &'t str, before: &str) -> Vec<&'t str> {
        let (line, before) = (text.as_bytes(), before.as_bytes());
        let longest = longest(line, 0, before);
        std::iter::successors(longest, |&end| shorter(line, 0, end, before)).map(|end| &text[..end]).collect()
    }

    #[test]
    fn a_list_ends_where_no_separator_follows() {
        for (text, list) in [
            ("127.0.0.1:80, 127.0.0.1:81 0, 37 0.000", "127.0.0.1:80, 127.0.0.1:81"),
            ("502, 504 : 200 7f2a", "502, 504 : 200"),
            ("504, - 7f2a", "504, -"),
            ("- - -", "-"),
            ("502, 200\"", "502, 200"),
            ("10.0.0.1:80 :  0.1", "10.0.0.1:80 : "),
            ("unix:/run/app.sock 0", "unix:/run/app.sock"),
            ("0.1,\"x\"", "0.1"),
            ("", ""),
        ] {
            assert_eq!(lists(text, "")[0], list, "{text}");
        }
        assert_eq!(lists("a, b : c", ""), ["a, b : c", "a, b", "a"]);
        assert_eq!(lists("a, b : c 1", " "), ["a, b : c", "a, b"]);
        assert_eq!(lists("a, b,c", ","), ["a, b", "a"]);
    }

    #[test]
    fn a_list_ends_where_what_follows_it_stands() {
        assert_eq!(lists("502, 504;us=1", ";"), ["502, 504"]);
        assert_eq!(lists("502|GET|x", "|"), ["502"]);
        assert_eq!(lists("[::1]:80] 5", "] "), ["[::1]:80]", "[::1]:80"]);
        assert_eq!(lists("10.0.0.1:80:502 x", ":"), ["10.0.0.1:80:502", "10.0.0.1:80", "10.0.0.1"]);
        assert_eq!(lists("0.001ms", "ms"), ["0.001ms", "0.001"]);
    }
}
