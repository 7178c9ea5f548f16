//! Varnish, Squid and lighttpd: lines that name the host.

use super::{PLAIN, Preset, Variant};
use crate::escape::Escape;
use crate::habits::{Absolute, Habits, Loses};

const SQUID: Habits = Habits { absolute: Absolute::Written, loses: Loses::QueryTerms };

const SQUID_NOTES: &[&str] = &["Squid drops the query unless its configuration says `strip_query_terms off`"];

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "squid_combined",
        aliases: &[],
        spec: r#"line:{client} {dash:ident} {text:user} [{time:%d/%b/%Y:%H:%M:%S %z}] "{request_line}" {status} {bytes} "{text:referer}" "{agent}" {token:result}:{word:hierarchy}"#,
        about: "Squid with `logformat combined`; nothing in it is escaped",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:44:26 +0000] "GET http://shop.example.com/a HTTP/1.1" 502 3333 "-" "curl/8.9" TCP_MISS:HIER_DIRECT"#,
        zero_is_zero: true,
        escape: Some(Escape::None),
        habits: SQUID,
        notes: SQUID_NOTES,
        ..PLAIN
    },
    Preset {
        name: "squid",
        aliases: &["squid_native"],
        spec: r"line:{time:%s.%3f} {spaces}{ms} {client} {token:result}/{status} {bytes} {method} {url} {word:user} {word:hierarchy} {word:type}{rest}",
        about: "Squid without configuration",
        example: r"1795329987.566   1911 203.0.113.9 TCP_MISS/504 3470 GET http://shop.example.com/slow - FIRSTUP_PARENT/127.0.0.1 text/html",
        zero_is_zero: true,
        escape: Some(Escape::None),
        habits: SQUID,
        notes: SQUID_NOTES,
        ..PLAIN
    },
    Preset {
        name: "varnishncsa",
        aliases: &["varnish"],
        spec: r#"varnishncsa -F '%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i"'"#,
        about: "varnishncsa without configuration: combined, with the host in the URL; the scheme in it is invented",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:44:26 +0000] "GET http://shop.example.com/a?b=c HTTP/1.1" 503 282 "-" "curl/8.9""#,
        zero_is_zero: true,
        habits: Habits { absolute: Absolute::Prefixed, loses: Loses::Nothing },
        ..PLAIN
    },
];

/// Behind combined, which a log is in where no client sent a host.
pub(super) const LIGHTTPD: &[Preset] = &[Preset {
    name: "lighttpd",
    aliases: &[],
    spec: r#"line:{client} {host} {word:user} [{time:%d/%b/%Y:%H:%M:%S %z}] "{request}" {status} {bytes} "{text:referer}" "{agent}""#,
    about: "lighttpd without configuration: combined, with the host where others have `-`",
    example: r#"203.0.113.9 shop.example.com - [22/Nov/2026:06:44:26 +0000] "GET /a?b=c HTTP/1.1" 504 353 "-" "curl/8.9""#,
    zero_is_zero: true,
    // `%h %V %u %t "%r" %>s %b %I %O %T "%{Referer}i" "%{User-Agent}i"`.
    variants: &[Variant::of(
        r#"line:{client} {host} {word:user} [{time:%d/%b/%Y:%H:%M:%S %z}] "{request}" {status} {bytes} {number:in} {number:out} {seconds} "{text:referer}" "{agent}""#,
    )],
    ..PLAIN
}];
