//! The same events in several formats.

use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

use crate::event::{Event, HOST};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    Combined,
    IngressNginx,
    Caddy,
}

impl FromStr for Writer {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "combined" => Ok(Self::Combined),
            "ingress-nginx" => Ok(Self::IngressNginx),
            "caddy" => Ok(Self::Caddy),
            _ => Err("choose combined, ingress-nginx or caddy".to_owned()),
        }
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Combined => "combined",
            Self::IngressNginx => "ingress-nginx",
            Self::Caddy => "caddy",
        })
    }
}

impl Writer {
    /// Whether it has lines for what was no HTTP: Caddy logs no request that it could not read.
    pub(crate) fn writes_malformed(self) -> bool {
        self != Self::Caddy
    }

    pub(crate) fn write(self, event: &Event<'_>, out: &mut Vec<u8>) {
        let written = match self {
            Self::Combined => combined(event, out),
            Self::IngressNginx => combined(event, out).and_then(|()| upstream(event, out)),
            Self::Caddy => caddy(event, out),
        };
        written.expect("memory can be written");
    }
}

fn combined(event: &Event<'_>, out: &mut Vec<u8>) -> std::io::Result<()> {
    write!(out, "{} - - [", event.client)?;
    clf_time(event.micros, out)?;
    out.extend_from_slice(b"] \"");
    if event.target.is_empty() {
        // What nginx makes of a TLS greeting.
        write!(out, r"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\x{:02X}", event.line % 256)?;
    } else {
        write!(out, "{} ", event.method)?;
        nginx(event.target.as_bytes(), out)?;
        out.extend_from_slice(b" HTTP/1.1");
    }
    write!(out, "\" {} {} \"", event.status, event.bytes)?;
    match event.referer {
        Some(path) => write!(out, "https://{HOST}{path}")?,
        None => out.push(b'-'),
    }
    write!(out, "\" \"{}\"", event.user_agent)
}

fn upstream(event: &Event<'_>, out: &mut Vec<u8>) -> std::io::Result<()> {
    let (status, seconds) = (event.status, event.duration_ms as f64 / 1000.0);
    write!(out, " {} {seconds:.3} [default-web-80] [] ", 200 + event.target.len())?;
    match status {
        400 if event.target.is_empty() => write!(out, "- - - - ")?,
        502.. => write!(out, "10.0.0.1:80, 10.0.0.2:80 0, 0 {seconds:.3}, 0.000 {status}, {status} ")?,
        _ => write!(out, "10.0.0.1:80 {} {seconds:.3} {status} ", event.bytes)?,
    }
    write!(out, "{:032x}", u128::from(event.line).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c1b_53a7_d1e5))
}

fn caddy(event: &Event<'_>, out: &mut Vec<u8>) -> std::io::Result<()> {
    let level = if event.status >= 500 { "error" } else { "info" };
    let (seconds, micros) = (event.micros / 1_000_000, event.micros % 1_000_000);
    write!(
        out,
        r#"{{"level":"{level}","ts":{seconds}.{micros:06},"logger":"http.log.access.log0","msg":"handled request","request":{{"#
    )?;
    write!(
        out,
        r#""remote_ip":"{0}","remote_port":"{1}","client_ip":"{0}","proto":"HTTP/1.1","#,
        event.client,
        1024 + event.line % 60_000
    )?;
    // Where there was no request, another is told of: this server does not log it.
    let target = if event.target.is_empty() { "/" } else { &event.target };
    write!(out, r#""method":"{}","host":"{}","uri":""#, event.method, HOST)?;
    json(target, out);
    write!(
        out,
        r#"","headers":{{"User-Agent":["{}"],"Accept":["*/*"],"Accept-Encoding":["gzip, br"]"#,
        event.user_agent
    )?;
    if let Some(path) = event.referer {
        write!(out, r#","Referer":["https://{HOST}{path}"]"#)?;
    }
    write!(out, r#"}}}},"bytes_read":0,"user_id":"","duration":{},"#, event.duration_ms as f64 / 1000.0)?;
    write!(
        out,
        r#""size":{},"status":{},"resp_headers":{{"Server":["Caddy"],"Content-Type":["text/html; charset=utf-8"]}}}}"#,
        event.bytes, event.status
    )
}

/// nginx's default escape.
fn nginx(bytes: &[u8], out: &mut Vec<u8>) -> std::io::Result<()> {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' | 0..32 | 127.. => write!(out, "\\x{byte:02X}")?,
            _ => out.push(byte),
        }
    }
    Ok(())
}

fn json(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

/// `22/Nov/2026:06:22:52 +0000`.
fn clf_time(micros: u64, out: &mut Vec<u8>) -> std::io::Result<()> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, second) = (micros / 86_400_000_000, micros / 1_000_000 % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    write!(out, "{day:02}/{}/{year}:{hour:02}:{minute:02}:{:02} +0000", MONTHS[month], second % 60)
}

/// Days since 1970 to year, month (from 0) and day (Hinnant: chrono-compatible low-level date algorithms).
fn civil(days: u64) -> (u64, usize, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 2 } else { month - 10 };
    (year + era * 400 + u64::from(month < 2), month as usize, day)
}
