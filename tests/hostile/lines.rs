//! A request as five servers log it, each with its own escape.

use std::fmt::Write as _;

/// What the client sent.
pub(super) struct Logged<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) host: &'a str,
}

/// Who logs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// nginx, `combined`.
    Nginx,
    /// Apache, `vhost_combined`.
    Apache,
    /// `HAProxy`, `httplog`.
    Haproxy,
    /// Caddy, JSON.
    Caddy,
    /// nginx with `escape=none`: what a client sends stands in the log as it is.
    Raw,
}

const TIME: &str = "22/Nov/2026:06:22:52 +0000";

impl Format {
    pub(super) const ALL: [Self; 5] = [Self::Nginx, Self::Apache, Self::Haproxy, Self::Caddy, Self::Raw];

    /// What `--format` is told.
    pub(super) fn spec(self) -> String {
        match self {
            Self::Nginx => "combined".to_owned(),
            Self::Apache => "vhost_combined".to_owned(),
            Self::Haproxy => "haproxy".to_owned(),
            Self::Caddy => "caddy".to_owned(),
            Self::Raw => {
                r#"log_format raw escape=none '$host "$request" $status "$http_user_agent"';"#.to_owned()
            }
        }
    }

    /// Whether a line names the host that the client asked for; Apache's `%v` is that of its configuration.
    pub(super) fn has_host(self) -> bool {
        matches!(self, Self::Caddy | Self::Raw)
    }

    /// The line, with its end; answered with 502.
    pub(super) fn line(self, Logged { method, target, host }: &Logged<'_>) -> Vec<u8> {
        let request = format!("{method} {target} HTTP/1.1");
        let line = match self {
            Self::Nginx => {
                format!(r#"203.0.113.9 - - [{TIME}] "{}" 502 157 "-" "curl/8.9""#, nginx(&request))
            }
            Self::Apache => {
                format!(r#"{host}:80 203.0.113.9 - - [{TIME}] "{}" 502 157 "-" "curl/8.9""#, apache(&request))
            }
            Self::Haproxy => format!(
                r#"<134>Nov 22 06:22:52 lb haproxy[7]: 203.0.113.9:5 [22/Nov/2026:06:22:52.859] fe be/s1 0/0/0/0/0 502 127 - - SH-- 1/1/0/0/0 0/0 "{}""#,
                haproxy(&request)
            ),
            Self::Caddy => serde_json::json!({
                "level": "error", "ts": 1_795_328_572.5, "logger": "http.log.access.log0", "msg": "handled request",
                "request": {"remote_ip": "203.0.113.9", "proto": "HTTP/1.1", "method": method, "host": host, "uri": target, "headers": {}},
                "duration": 0.001, "size": 157, "status": 502, "resp_headers": {},
            })
            .to_string(),
            Self::Raw => format!(r#"{host} "{request}" 502 "curl/8.9""#),
        };
        (line + "\n").into_bytes()
    }
}

/// `text` with what `as_is` does not take replaced by what `escape` makes of it.
fn escaped(text: &str, as_is: impl Fn(u8) -> bool, escape: impl Fn(u8) -> String) -> String {
    let mut line = String::new();
    for &byte in text.as_bytes() {
        if as_is(byte) {
            line.push(char::from(byte));
        } else {
            line += &escape(byte);
        }
    }
    line
}

/// `ngx_http_log_escape`.
fn nginx(text: &str) -> String {
    escaped(
        text,
        |byte| matches!(byte, 0x20..=0x7E) && !b"\"\\".contains(&byte),
        |byte| format!("\\x{byte:02X}"),
    )
}

/// `ap_escape_logitem`.
fn apache(text: &str) -> String {
    escaped(
        text,
        |byte| matches!(byte, 0x20..=0x7E) && !b"\"\\".contains(&byte),
        |byte| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(byte)),
            b'\n' => "\\n".to_owned(),
            b'\t' => "\\t".to_owned(),
            _ => format!("\\x{byte:02x}"),
        },
    )
}

/// `lf_encode_chunk` with the map for HTTP: two hexadecimal digits behind `#`.
fn haproxy(text: &str) -> String {
    let as_is = |byte| matches!(byte, 0x20..=0x7E) && !b"\"#{|}`^".contains(&byte);
    escaped(text, as_is, |byte| {
        let mut escape = String::new();
        let _ = write!(escape, "#{byte:02X}");
        escape
    })
}
