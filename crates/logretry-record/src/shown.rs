use std::fmt::{self, Write as _};

use bstr::ByteSlice;

/// Bytes of a log, of a server or of a URL, made fit for a person's screen.
///
/// Everything that logretry shows of such bytes (stderr, progress, summaries, `plan`, `explain`) goes through this type:
///
/// - control characters, C1 controls and bidirectional controls are escaped, so that a log line cannot move the cursor,
///   rename the window or hide a part of itself (CVE-2009-4487 is the classic case);
/// - bytes that are not UTF-8 are shown as `\xHH`;
/// - values of query parameters (of a URL in another one too), of members of JSON and of captured headers whose names speak of secrets (`token`, `key`, `sig`, `password`, `cookie`,
///   `jsessionid` …) are shown as `…`, and so are the user information of a URL, what stands behind `Bearer` and `Basic`, and what has the shape of a well-known kind of token (JSON Web Tokens, keys of AWS, GitHub, Slack,
///   Stripe), wherever it stands;
/// - at most [`Shown::CHARS_MAX`] characters are shown.
///
/// The pipe and the retry log are instructions, not displays, and carry the exact bytes.
///
/// ```
/// use logretry_record::Shown;
///
/// assert_eq!(Shown(b"/a?token=s3cret&b=1\x1b[2J").to_string(), "/a?token=…&b=1\\u{1b}[2J");
/// ```
#[derive(Clone, Copy)]
pub struct Shown<'a>(pub &'a [u8]);

impl Shown<'_> {
    /// The longest text that is shown; what follows is `…`.
    pub const CHARS_MAX: usize = 300;
}

/// `url`, made fit for a person's screen.
pub fn shown_url(url: &str) -> Shown<'_> {
    Shown(url.as_bytes())
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = Self::CHARS_MAX;
        let mut rest = self.0;
        // Text and secret values take turns.
        while !rest.is_empty() {
            let (plain, secret) = match next_secret(rest) {
                Some((start, end)) => (&rest[..start], Some(end)),
                None => (rest, None),
            };
            if !show(plain, &mut left, f)? {
                return f.write_char('…');
            }
            let Some(end) = secret else { break };
            f.write_char('…')?;
            rest = &rest[end..];
        }
        Ok(())
    }
}

/// A sentence of ours in which names of files may stand: what would move the screen is escaped, line ends are kept, nothing is left out.
///
/// It is the last lock before a terminal. What comes from a log or a server has been through [`Shown`] already.
///
/// ```
/// use logretry_record::Harmless;
///
/// assert_eq!(Harmless("cannot open `a\x1b[2J.log`").to_string(), "cannot open `a\\u{1b}[2J.log`");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Harmless<'a>(pub &'a str);

impl fmt::Display for Harmless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            if char != '\n' && moves_the_screen(char) {
                write!(f, "{}", char.escape_unicode())?;
            } else {
                f.write_char(char)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

/// Writes `bytes` with everything escaped that must not reach a screen; `false` when there was no room for all of it.
fn show(bytes: &[u8], left: &mut usize, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            let Some(rest) = left.checked_sub(1) else { return Ok(false) };
            *left = rest;
            if moves_the_screen(char) { write!(f, "{}", char.escape_unicode())? } else { f.write_char(char)? }
        }
        for byte in chunk.invalid() {
            let Some(rest) = left.checked_sub(1) else { return Ok(false) };
            *left = rest;
            write!(f, "\\x{byte:02X}")?;
        }
    }
    Ok(true)
}

/// Controls (C0, DEL, C1), bidirectional controls, and invisible characters that reorder or hide text.
fn moves_the_screen(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Parameter names that hold secrets, in part or whole, without regard to case.
const SECRET_NAMES: &[&str] = &[
    "token",
    "key",
    "sig",
    "signature",
    "secret",
    "pass",
    "passwd",
    "password",
    "pwd",
    "auth",
    "code",
    "session",
    "sid",
    "jwt",
    "credential",
    "otp",
    "email",
];

/// What makes any name that holds it one of a secret: `accessToken`, `JSESSIONID`, `PHPSESSID`.
const SECRET_PARTS: &[&str] = &[
    "token",
    "secret",
    "password",
    "passphrase",
    "signature",
    "apikey",
    "cookie",
    "authorization",
    "sessionid",
    "sessid",
];

/// How tokens begin whose issuers gave them a shape of their own, and how long they are at least.
const SECRET_SHAPES: &[(&str, usize)] = &[
    // RFC 7519: the base64 of `{"`.
    ("eyJ", 30),
    ("AKIA", 20),
    ("ASIA", 20),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("github_pat_", 30),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("sk_live_", 20),
    ("rk_live_", 20),
];

/// Where the next secret stands in `text`, be it known by its name or by its shape.
fn next_secret(text: &[u8]) -> Option<(usize, usize)> {
    [next_named(text), next_encoded(text), next_member(text), next_credentials(text), next_shaped(text)]
        .into_iter()
        .flatten()
        .min()
}

/// Behind `"NAME":"`, or `"value":"` beside a `"name":"NAME"` as captures have their headers, up to the quote that ends the string.
fn next_member(text: &[u8]) -> Option<(usize, usize)> {
    text.find_iter(b"\":").find_map(|name_end| {
        let name_start = text[..name_end].rfind_byte(b'"')? + 1;
        let value = text[name_end + 2..].trim_ascii_start().strip_prefix(b"\"")?;
        let (start, length) = (text.len() - value.len(), length_of_string(value));
        let end = start + length;
        let name = match &text[name_start..name_end] {
            b"value" => {
                name_before(&text[..name_start - 1]).or_else(|| name_behind(&text[end..])).unwrap_or_default()
            }
            name => name,
        };
        (length > 0 && is_secret_name(name)).then_some((start, end))
    })
}

/// How many bytes of `text` stand before the quote that ends its string.
fn length_of_string(text: &[u8]) -> usize {
    let mut length = 0;
    while let Some(&byte) = text.get(length).filter(|&&byte| byte != b'"') {
        length += if byte == b'\\' { 2 } else { 1 };
    }
    length.min(text.len())
}

/// What stands in `"name":"…",` at the end of `text`.
fn name_before(text: &[u8]) -> Option<&[u8]> {
    let pair = text.trim_ascii_end().strip_suffix(b",")?.trim_ascii_end().strip_suffix(b"\"")?;
    let (before, name) = pair.split_at(pair.rfind_byte(b'"')? + 1);
    let key = before.strip_suffix(b"\"")?.trim_ascii_end().strip_suffix(b":")?;
    key.trim_ascii_end().ends_with(b"\"name\"").then_some(name)
}

/// What stands in `","name":"…"` at the beginning of `text`.
fn name_behind(text: &[u8]) -> Option<&[u8]> {
    let behind = [b"\"".as_slice(), b",", b"\"name\"", b":", b"\""]
        .into_iter()
        .try_fold(text, |rest, part| rest.trim_ascii_start().strip_prefix(part))?;
    Some(&behind[..length_of_string(behind)])
}

/// What follows the scheme in the value of an `Authorization` field (RFC 9110 §11.6.2), if it is long enough to be no word of a sentence.
fn next_credentials(text: &[u8]) -> Option<(usize, usize)> {
    const SCHEMES: [&[u8]; 2] = [b"bearer ", b"basic "];
    const LENGTH_MIN: usize = 6;
    // RFC 9110 §11.2, token68.
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    text.find_iter(b" ").find_map(|space| {
        let start = space + 1;
        let behind_scheme = SCHEMES.iter().any(|scheme| {
            start.checked_sub(scheme.len()).is_some_and(|at| text[at..start].eq_ignore_ascii_case(scheme))
        });
        let length = text[start..].iter().take_while(|&&byte| is_part(byte)).count();
        (behind_scheme && length >= LENGTH_MIN).then_some((start, start + length))
    })
}

/// A word that begins like a well-known kind of token and is long enough to be one.
fn next_shaped(text: &[u8]) -> Option<(usize, usize)> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let found = SECRET_SHAPES.iter().filter_map(|(prefix, length_min)| {
        text.find_iter(prefix).find_map(|start| {
            let begins = start.checked_sub(1).is_none_or(|before| !is_part(text[before]));
            let length = || text[start..].iter().take_while(|&&byte| is_part(byte)).count();
            let length = begins.then(length).filter(|length| length >= length_min)?;
            Some((start, start + length))
        })
    });
    found.min()
}

/// After `NAME=` in a query, or between `//` and `@`.
fn next_named(text: &[u8]) -> Option<(usize, usize)> {
    // Where the word begins that may be a name, and what stands behind `://`, up to the next slash.
    let (mut word, mut authority) = (0, None);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'=' => {
                let length = || text[at + 1..].find_byteset(b"& \"'#").unwrap_or(text.len() - at - 1);
                let secret = is_secret_name(&text[word..at]).then(length).filter(|&length| length > 0);
                if let Some(length) = secret {
                    return Some((at + 1, at + 1 + length));
                }
                word = at + 1;
            }
            b'?' | b'&' | b';' | b' ' | b'"' | b'\'' => word = at + 1,
            b'/' => authority = text[..at].ends_with(b":/").then_some(at + 1),
            b'@' => {
                if let Some(start) = authority.filter(|&start| start < at) {
                    return Some((start, at));
                }
            }
            _ => {}
        }
    }
    None
}

/// After `NAME%3D`: in a URL that is a parameter of another, as where somebody is to be sent after a login.
fn next_encoded(text: &[u8]) -> Option<(usize, usize)> {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.".contains(*byte);
    text.find_iter(b"%3").find_map(|at| {
        text.get(at + 2).filter(|digit| digit.eq_ignore_ascii_case(&b'D'))?;
        let before = at - text[..at].iter().rev().take_while(is_part).count();
        // The `?` or `&` before it is encoded as well.
        let encoded = if text[..before].ends_with(b"%") { 2 } else { 0 };
        let start = at + 3;
        let ends = |at: &usize| b"& \"'#".contains(&text[*at]) || text[*at..].starts_with(b"%26");
        let end = || (start..text.len()).find(ends).unwrap_or(text.len());
        let end = is_secret_name(text[..at].get(before + encoded..)?).then(end)?;
        (end > start).then_some((start, end))
    })
}

fn is_secret_name(name: &[u8]) -> bool {
    if name.is_empty() {
        return false;
    }
    let name = name.to_ascii_lowercase();
    name.split(|byte| !byte.is_ascii_alphanumeric())
        .any(|word| SECRET_NAMES.iter().any(|secret| word == secret.as_bytes()))
        || SECRET_PARTS.iter().any(|part| name.contains_str(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> String {
        Shown(bytes).to_string()
    }

    #[test]
    fn no_control_reaches_the_screen() {
        let all: Vec<u8> = (0..=255).collect();
        let bidi = "a\u{202e}b\u{2066}c\u{9b}2J\u{200f}";
        for text in [shown(&all), shown(bidi.as_bytes())] {
            assert!(!text.chars().any(moves_the_screen), "{text:?}");
        }
        assert_eq!(shown(b"\x1b]0;x\x07\n\xff"), "\\u{1b}]0;x\\u{7}\\u{a}\\xFF");
    }

    #[test]
    fn secrets_are_known_by_the_name_of_their_parameter() {
        for (text, expected) in [
            ("/a?token=abc", "/a?token=…"),
            ("token=abc&b=c", "token=…&b=c"),
            ("=abc", "=abc"),
            ("/a?x=1&access_token=abc&y=2", "/a?x=1&access_token=…&y=2"),
            ("/a?X-Amz-Signature=abc#f", "/a?X-Amz-Signature=…#f"),
            ("/a?api_key=abc HTTP/1.1\" 502", "/a?api_key=… HTTP/1.1\" 502"),
            ("https://user:pw@host/a", "https://…@host/a"),
            ("/a?monkey=1&keyboard=2", "/a?monkey=1&keyboard=2"),
            ("/a@b?c=d@e", "/a@b?c=d@e"),
            ("/a?token=", "/a?token="),
            ("/a;jsessionid=abc", "/a;jsessionid=…"),
            ("/a?PHPSESSID=abc&b=c", "/a?PHPSESSID=…&b=c"),
            ("/a?next=%2Fb%3Fc%3Dd%26key%3Dabc%26e%3Df&g=h", "/a?next=%2Fb%3Fc%3Dd%26key%3D…%26e%3Df&g=h"),
            ("/a?next=/b?access_token%3dabc HTTP/1.1", "/a?next=/b?access_token%3d… HTTP/1.1"),
            ("/a?next=%3Dabc&b=%3Fkey%3D", "/a?next=%3Dabc&b=%3Fkey%3D"),
            ("/a?%3", "/a?%3"),
        ] {
            assert_eq!(shown(text.as_bytes()), expected);
        }
    }

    #[test]
    fn secrets_of_json_and_of_header_fields_are_known_too() {
        for (text, expected) in [
            (r#"{"token":"abc","a":"b"}"#, r#"{"token":"…","a":"b"}"#),
            (r#"{"api_key" : 7, "pass": "a\"b", "c":1}"#, r#"{"api_key" : 7, "pass": "…", "c":1}"#),
            (r#"{"password":""}"#, r#"{"password":""}"#),
            (r#"{"password":"abc"#, r#"{"password":"…"#),
            (r#"{"password":"abc\"#, r#"{"password":"…"#),
            (
                r#"{"name":"Authorization","value":"Bearer SEKRIT6"}"#,
                r#"{"name":"Authorization","value":"…"}"#,
            ),
            (
                r#"[{"name": "Cookie", "value": "a=b; c=d"},{"name":"Accept","value":"text/html"}]"#,
                r#"[{"name": "Cookie", "value": "…"},{"name":"Accept","value":"text/html"}]"#,
            ),
            (
                r#"{"name":"x-vault-token","value":"a"},{"value":"b"}"#,
                r#"{"name":"x-vault-token","value":"…"},{"value":"b"}"#,
            ),
            (
                r#"[{"value":"b","name":"Host"},{"value":"a\"=b; c=d", "name" : "Cookie"}]"#,
                r#"[{"value":"b","name":"Host"},{"value":"…", "name" : "Cookie"}]"#,
            ),
            (r#"[{"value":"b"},{"name":"Cookie","value":"#, r#"[{"value":"b"},{"name":"Cookie","value":"#),
            (r#"{"http_cookie":"sid=7","status":502}"#, r#"{"http_cookie":"…","status":502}"#),
            ("Authorization: basic dXNlcjpwdw== x", "Authorization: basic … x"),
            ("a basic plan", "a basic plan"),
        ] {
            assert_eq!(shown(text.as_bytes()), expected);
        }
    }

    #[test]
    fn secrets_are_known_by_the_shape_that_their_issuers_gave_them() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl";
        assert_eq!(shown(format!("/t/{token}/x?a={token}").as_bytes()), "/t/…/x?a=…");
        assert_eq!(shown(b"/keys/AKIAIOSFODNN7EXAMPLE"), "/keys/…");
        assert_eq!(
            shown(b"/eyJ/AKIA/donkeyJohnsonwithaverylongname"),
            "/eyJ/AKIA/donkeyJohnsonwithaverylongname"
        );
    }

    /// It takes many minutes if all that stands before a byte, or behind it, is looked at for each.
    #[test]
    fn a_long_line_that_looks_like_secrets_all_over_is_shown_all_the_same() {
        for part in ["=", "@", "eyJ", "key%3D%26"] {
            let text = shown(part.repeat((1 << 19) / part.len()).as_bytes());
            assert!(text.ends_with('…'), "{part}");
        }
    }

    #[test]
    fn long_text_is_cut() {
        let text = shown(&[b'a'; 1000]);
        assert_eq!(text.chars().count(), Shown::CHARS_MAX + 1);
        assert!(text.ends_with('…'));
    }
}
