//! Error logs, which lie beside access logs, and are named in their place.

/// Whether most of `lines` are those of an error log of nginx or Apache. Not all have to be: what applications say there goes over several lines.
pub(crate) fn is_error_log<'l>(lines: impl Iterator<Item = &'l [u8]>) -> bool {
    let (mut errors, mut others) = (0_usize, 0_usize);
    for line in lines.map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        *(if is_of_nginx(line) || is_of_apache(line) { &mut errors } else { &mut others }) += 1;
    }
    errors > others
}

/// `2026/11/22 06:22:52 [error] 7#7: *1 connect() failed …` (nginx `ngx_log.c`).
fn is_of_nginx(line: &[u8]) -> bool {
    let Some((time, rest)) = line.split_at_checked(b"2026/11/22 06:22:52".len()) else { return false };
    let level = rest.strip_prefix(b" [").and_then(|rest| rest.split(|&byte| byte == b']').next());
    looks_like(time, b"0000/00/00 00:00:00") && level.is_some_and(is_level)
}

/// `[Sun Nov 22 06:22:52.123456 2026] [proxy:error] [pid 7:tid 8] …`; before 2.4 without the fraction and the module (Apache `server/log.c`).
fn is_of_apache(line: &[u8]) -> bool {
    let mut parts = line.splitn(3, |&byte| byte == b']');
    let (Some(time), Some(level)) = (parts.next(), parts.next()) else { return false };
    let clock = time.get(b"[Sun Nov 22 ".len()..).and_then(|rest| rest.get(..b"06:22:52".len()));
    let level = level.strip_prefix(b" [").and_then(|level| level.rsplit(|&byte| byte == b':').next());
    clock.is_some_and(|clock| looks_like(clock, b"00:00:00")) && level.is_some_and(is_level)
}

/// Whether `text` is `shape`, with a digit for each `0`.
fn looks_like(text: &[u8], shape: &[u8]) -> bool {
    text.len() == shape.len()
        && text
            .iter()
            .zip(shape)
            .all(|(byte, &wanted)| if wanted == b'0' { byte.is_ascii_digit() } else { *byte == wanted })
}

/// The levels of both; Apache has several of `trace`.
fn is_level(word: &[u8]) -> bool {
    const LEVELS: [&[u8]; 8] = [b"emerg", b"alert", b"crit", b"error", b"warn", b"notice", b"info", b"debug"];
    LEVELS.contains(&word) || word.starts_with(b"trace")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NGINX: &str = r#"2026/11/22 06:22:52 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 203.0.113.9, server: shop.example, request: "GET /a HTTP/1.1""#;
    const APACHE: &str = "[Sun Nov 22 06:22:52.123456 2026] [proxy:error] [pid 7:tid 8] (111)Connection refused: AH00957: attempt to connect failed";
    const OLD_APACHE: &str = "[Sun Nov 22 06:22:52 2026] [error] [client 203.0.113.9] File does not exist";
    const ACCESS: &str = r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a HTTP/1.1" 502 157"#;

    fn is_one(lines: &[&str]) -> bool {
        is_error_log(lines.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn an_error_log_is_known_by_most_of_its_lines() {
        for line in [NGINX, APACHE, OLD_APACHE, "[Sun Nov 22 06:22:52 2026] [core:trace8] [pid 7] x"] {
            assert!(is_one(&[line]), "{line}");
        }
        assert!(is_one(&[NGINX, "Stack trace:", "", NGINX]));
        assert!(!is_one(&[NGINX, ACCESS, ACCESS]));
        let others =
            ["", "[", "2026/11/22", "2026/11/22 06:22:52 [", "2026/11/22 06:22:52 [GET] 502", ACCESS];
        for line in others {
            assert!(!is_one(&[line]), "{line}");
        }
    }
}
