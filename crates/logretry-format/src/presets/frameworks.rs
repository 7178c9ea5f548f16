//! What frameworks log when nothing is configured, mostly behind the prefix of a logger.

use super::{PLAIN, Preset, Variant};
use crate::escape::Escape;
use crate::habits::{Absolute, Habits, Loses};

const LOSES_QUERY: Habits = Habits { absolute: Absolute::Sent, loses: Loses::Query };

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "aiohttp",
        aliases: &[],
        spec: r#"line:{client} [{time:%d/%b/%Y:%H:%M:%S %z}] "{request_line}" {status} {bytes} "{text:referer}" "{agent}""#,
        about: "aiohttp (Python)",
        example: r#"203.0.113.9 [22/Nov/2026:06:22:52 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9""#,
        zero_is_zero: true,
        escape: Some(Escape::None),
        ..PLAIN
    },
    Preset {
        name: "daphne",
        aliases: &[],
        spec: r#"line:{client}:{number:port} - - [{time:%d/%b/%Y:%H:%M:%S}] "{method} {uri}" {status} {bytes}"#,
        about: "daphne (Django Channels)",
        example: r#"203.0.113.9:43236 - - [22/Nov/2026:06:22:52] "GET /a?b=c" 502 157"#,
        zero_is_zero: true,
        escape: Some(Escape::None),
        ..PLAIN
    },
    Preset {
        name: "cherrypy",
        aliases: &[],
        spec: r#"line:{client} - {text:user} [{time:%d/%b/%Y:%H:%M:%S}] "{request_line}" {status} {bytes} "{text:referer}" "{agent}""#,
        about: "CherryPy, whose paths are decoded",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:22:52] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9""#,
        zero_is_zero: true,
        escape: Some(Escape::Gunicorn),
        habits: Habits { absolute: Absolute::Sent, loses: Loses::PathQuoting },
        ..PLAIN
    },
    Preset {
        name: "granian",
        aliases: &[],
        spec: r#"line:[{time:%Y-%m-%d %H:%M:%S %z}] {client} - "{request_line}" {status} {ms}"#,
        about: "Granian (Python), whose paths are decoded, and which logs no query",
        example: r#"[2026-11-22 06:22:52 +0000] 203.0.113.9 - "GET /a HTTP/1.1" 502 0.121"#,
        escape: Some(Escape::None),
        habits: Habits { absolute: Absolute::Sent, loses: Loses::PathQuotingAndQuery },
        ..PLAIN
    },
    Preset {
        name: "sanic",
        aliases: &[],
        spec: "line:{client}:{number:port} {method} {url} {status} {bytes}  {ms}ms",
        about: "Sanic (Python), whose URLs name the host",
        example: "203.0.113.9:38806 GET http://shop.example/a?b=c 502 157  0.1ms",
        zero_is_zero: true,
        escape: Some(Escape::None),
        habits: Habits { absolute: Absolute::Written, loses: Loses::Nothing },
        // Until 2023 the client stood in the prefix.
        variants: &[Variant::of("line:{method} {url}  {status} {bytes}{rest}")],
        ..PLAIN
    },
    Preset {
        name: "tornado",
        aliases: &[],
        spec: "line:[{word:level} {time:%y%m%d %H:%M:%S} {text:place}] {status} {method} {uri} ({client}) {ms}ms",
        about: "Tornado (Python)",
        example: "[E 261122 06:22:52 web:2591] 502 GET /a?b=c (203.0.113.9) 0.50ms",
        escape: Some(Escape::None),
        ..PLAIN
    },
    Preset {
        name: "tornado_plain",
        aliases: &[],
        spec: "line:{status} {method} {target} ({client}) {ms}ms",
        about: "Tornado behind the prefix of another logger",
        example: "502 GET /a?b=c (203.0.113.9) 0.50ms",
        escape: Some(Escape::None),
        ..PLAIN
    },
    Preset {
        name: "koa",
        aliases: &[],
        spec: "line:{spaces}--> {method} {target} {status} {word:took} {word:size}",
        about: "koa-logger (Node.js), its colours taken off",
        example: "  --> GET /a?b=c 502 5ms 157b",
        escape: Some(Escape::None),
        // Where the handler threw, and where the client has gone.
        variants: &[
            Variant::of("line:{spaces}xxx {method} {uri} {status} {word:took} {word:size}"),
            Variant::of("line:{spaces}-x- {method} {uri} {status} {word:took} {word:size}"),
        ],
        ..PLAIN
    },
    Preset {
        name: "fiber",
        aliases: &[],
        spec: "line:{word:clock} | {status} | {spaces}{word:latency} | {spaces}{client} | {method} {spaces}| {target} {text:error}",
        about: "Fiber (Go), which logs the time of day alone, and no query",
        example: "06:22:52 | 502 |     1.234ms |     203.0.113.9 | GET     | /a              ",
        escape: Some(Escape::None),
        habits: LOSES_QUERY,
        ..PLAIN
    },
    Preset {
        name: "vertx",
        aliases: &[],
        spec: r#"line:{client} - - [{time:%a, %d %b %Y %H:%M:%S %Z}] "{request_line}" {status} {bytes} "{text:referer}" "{agent}""#,
        about: "the LoggerHandler of Vert.x",
        example: r#"203.0.113.9 - - [Sun, 22 Nov 2026 06:22:52 GMT] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9""#,
        zero_is_zero: true,
        escape: Some(Escape::None),
        ..PLAIN
    },
    Preset {
        name: "ktor",
        aliases: &[],
        spec: "line:{status} {text:reason}: {method} - {target} in {ms}ms",
        about: "the CallLogging of Ktor behind a logger's prefix, which logs no query",
        example: "502 Bad Gateway: GET - /a in 12ms",
        escape: Some(Escape::None),
        habits: LOSES_QUERY,
        // Before Ktor 2.
        variants: &[Variant {
            spec: "line:{status} {text:reason}: {method} - {target}",
            loses: Loses::Query,
        }],
        ..PLAIN
    },
    Preset {
        name: "aspnet",
        aliases: &["kestrel"],
        spec: "line:{spaces}Request finished {word:protocol} {method} {url} - {status} {word:length} {text:type} {ms}ms",
        about: "what ASP.NET Core logs at the end of a request (Microsoft.AspNetCore.Hosting.Diagnostics, since .NET 8); its paths are decoded and quoted again",
        example: "Request finished HTTP/1.1 GET http://shop.example:5000/a?b=c - 502 - text/plain;+charset=utf-8 12.3456ms",
        escape: Some(Escape::None),
        habits: Habits { absolute: Absolute::Written, loses: Loses::PathQuoting },
        ..PLAIN
    },
    Preset {
        name: "warp",
        aliases: &[],
        spec: r#"line:{client}:{number:port} "{request_line}" {status} "{text:referer}" "{agent}" {token:took}"#,
        about: "warp (Rust) behind a logger's prefix, which logs no query",
        example: r#"203.0.113.9:51312 "GET /a HTTP/1.1" 502 "-" "curl/8.9" 1.234ms"#,
        escape: Some(Escape::None),
        habits: LOSES_QUERY,
        variants: &[Variant {
            spec: r#"line:{dash:client} "{request_line}" {status} "{text:referer}" "{agent}" {token:took}"#,
            loses: Loses::Query,
        }],
        ..PLAIN
    },
    Preset {
        name: "tower_http",
        aliases: &["axum"],
        spec: "line:{token:spans}{{method={method} uri={target} version={text:version}}}: tower_http::trace::on_response: finished processing request latency={number:latency} {word:unit} status={status}",
        about: "the TraceLayer of tower-http (axum, tonic) behind a logger's prefix",
        example: "request{method=GET uri=/a?b=c version=HTTP/1.1}: tower_http::trace::on_response: finished processing request latency=0 ms status=502",
        escape: Some(Escape::None),
        variants: &[Variant::of(
            "line:{token:spans}{{method={method} uri={target}}}: tower_http::trace::on_response: finished processing request latency={number:latency} {word:unit} status={status}",
        )],
        ..PLAIN
    },
];
