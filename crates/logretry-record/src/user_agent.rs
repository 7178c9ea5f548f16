use bstr::ByteSlice as _;

use crate::RecordId;

/// What the user agent of every refire begins with; the rest is `VERSION id=RECORD_ID`.
///
/// It shows each refire in the server's own log, and it is how the filter recognises them there.
pub const USER_AGENT_PREFIX: &str = "logretry/";

/// The record of whose refire `text` tells: somewhere in it stands the user agent of one, of whatever version. That may be all of the text, or a part of a line which has it in a place of
/// its own, as HAProxy has among the headers that it was told to capture.
///
/// ```
/// use logretry_record::{RecordId, refire_in};
///
/// let id = RecordId::of_line(b"a line", 0);
/// assert_eq!(refire_in(format!("… {{shop.example|logretry/0.1.0 id={id}}} …").as_bytes()), Some(id));
/// assert_eq!(refire_in(b"curl/8.9"), None);
/// ```
pub fn refire_in(text: &[u8]) -> Option<RecordId> {
    text.find_iter(USER_AGENT_PREFIX).find_map(|at| {
        let behind = &text[at + USER_AGENT_PREFIX.len()..];
        let is_version = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
        // No version holds the `/` with which the prefix ends: so no byte is looked at again and again, however often the prefix stands in the line.
        let version = behind.iter().take_while(|byte| is_version(**byte)).count();
        let id = behind[version..].strip_prefix(b" id=")?.get(..32)?;
        std::str::from_utf8(id).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refire_is_known_wherever_its_user_agent_stands() {
        let id = RecordId::of_line(b"x", 0);
        let agent = format!("logretry/0.1.0 id={id}");
        for (text, is_one) in [
            (agent.clone(), true),
            (format!("logretry/9.9-rc.1+b id={id}, via a proxy"), true),
            (format!("… {{shop.example|{agent}}} \"GET /a HTTP/1.1\""), true),
            (format!("logretry/ {agent}"), true),
            (format!("\"GET /?q={} HTTP/1.1\"", agent.replace(' ', "%20")), false),
            (format!("\"GET /logretry/x HTTP/1.1\" id={id}"), false),
            (agent[..40].to_owned(), false),
            ("logretry/9.9".to_owned(), false),
            ("logretry/1 id=xyz".to_owned(), false),
            ("logretry/1 id=\u{e9}".repeat(16), false),
        ] {
            assert_eq!(refire_in(text.as_bytes()), is_one.then_some(id), "{text}");
        }
    }
}
