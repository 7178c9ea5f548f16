//! Application servers.

use super::{PLAIN, Preset, Variant};
use crate::escape::Escape;
use crate::habits::{Absolute, Habits, Loses};

macro_rules! uwsgi {
    ($duration:literal) => {
        concat!(
            "line:[pid: {number:pid}|app: {number:app}|req: {number:app_requests}/{number:requests}] {client} ({text:user}) ",
            "{{{number:vars} vars in {number:size} bytes}} [{time:%a %b %e %H:%M:%S %Y}] {method} {uri} ",
            "=> generated {bytes} bytes in ",
            $duration,
            " ({word:protocol} {status}) {number:headers} headers in {number:headers_size} bytes{rest}"
        )
    };
}

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "uwsgi",
        aliases: &[],
        spec: uwsgi!("{ms} msecs"),
        about: "uWSGI without configuration",
        example: "[pid: 88185|app: 0|req: 1/1] 203.0.113.9 () {38 vars in 696 bytes} [Sun Nov 22 06:41:42 2026] GET /a?b=c => generated 97 bytes in 129 msecs (HTTP/1.1 502) 9 headers in 378 bytes (1 switches on core 3)",
        zero_is_zero: true,
        escape: Some(Escape::None),
        variants: &[Variant::of(uwsgi!("{micros} micros"))],
        ..PLAIN
    },
    Preset {
        name: "uvicorn",
        aliases: &[],
        spec: r#"line:INFO:     {client}:{number:port} - "{request_line}" {status} {text:reason}"#,
        about: "uvicorn, whose paths are decoded and quoted again",
        example: r#"INFO:     203.0.113.9:38380 - "GET /a?b=c HTTP/1.1" 500 Internal Server Error"#,
        escape: Some(Escape::None),
        habits: Habits { absolute: Absolute::Sent, loses: Loses::PathQuoting },
        // Behind the prefix of another logger.
        variants: &[Variant {
            spec: r#"line:{client}:{number:port} - "{request_line}" {status}{rest}"#,
            loses: Loses::PathQuoting,
        }],
        ..PLAIN
    },
    Preset {
        name: "werkzeug",
        aliases: &["flask", "django"],
        spec: r#"line:{ip} - - [{time:%d/%b/%Y %H:%M:%S}] "{request}" {status} {bytes}"#,
        about: "the development servers of Flask and Django",
        example: r#"203.0.113.9 - - [22/Nov/2026 06:22:52] "GET /a?b=c HTTP/1.1" 500 -"#,
        escape: Some(Escape::None),
        variants: &[Variant::of(r#"line:[{time:%d/%b/%Y %H:%M:%S}] "{request}" {status} {bytes}"#)],
        ..PLAIN
    },
    Preset {
        name: "gin",
        aliases: &[],
        spec: r#"line:[GIN] {time:%Y/%m/%d - %H:%M:%S} | {status} | {spaces}{token:latency} | {spaces}{client} | {method} {spaces}"{uri}""#,
        about: "gin (Go), whose paths are decoded",
        example: r#"[GIN] 2026/11/22 - 06:22:52 | 502 |     1.234ms |     203.0.113.9 | GET      "/a?b=c""#,
        escape: Some(Escape::Apache),
        habits: Habits { absolute: Absolute::Sent, loses: Loses::PathQuoting },
        variants: &[Variant {
            spec: r"line:[GIN] {time:%Y/%m/%d - %H:%M:%S} | {status} | {spaces}{token:latency} | {spaces}{client} | {method} {spaces}{uri}",
            loses: Loses::PathQuoting,
        }],
        ..PLAIN
    },
    Preset {
        name: "chi",
        aliases: &[],
        spec: r#"line:{time:%Y/%m/%d %H:%M:%S} "{request_line}" from {client} - {status} {bytes}B in {token:took}"#,
        about: "chi (Go), whose URLs name the host",
        example: r#"2026/11/22 06:22:52 "GET http://shop.example/a?b=c HTTP/1.1" from 203.0.113.9:51312 - 502 157B in 1.2ms"#,
        zero_is_zero: true,
        escape: Some(Escape::None),
        habits: Habits { absolute: Absolute::Written, loses: Loses::Nothing },
        variants: &[Variant::of(
            r#"line:{time:%Y/%m/%d %H:%M:%S} [{text:id}] "{request_line}" from {client} - {status} {bytes}B in {token:took}"#,
        )],
        ..PLAIN
    },
    Preset {
        name: "actix",
        aliases: &[],
        spec: r#"line:{client} "{request_line}" {status} {bytes} "{text:referer}" "{agent}" {seconds}"#,
        about: "actix-web (Rust) behind its logger's prefix",
        example: r#"203.0.113.9 "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9" 0.001234"#,
        zero_is_zero: true,
        escape: Some(Escape::None),
        ..PLAIN
    },
    Preset {
        name: "php-fpm",
        aliases: &["php_fpm"],
        spec: r#"line:{client} - {text:user} {time:%d/%b/%Y:%H:%M:%S %z} "{request}" {status}{rest}"#,
        about: "PHP-FPM without configuration, which logs the script and no query",
        example: r#"203.0.113.9 -  22/Nov/2026:06:22:52 +0000 "GET /index.php" 502"#,
        escape: Some(Escape::None),
        habits: Habits { absolute: Absolute::Sent, loses: Loses::PathQuotingAndQuery },
        ..PLAIN
    },
    Preset {
        name: "serilog",
        aliases: &[],
        spec: r"line:HTTP {method} {uri} responded {status} in {ms} ms",
        about: "the request logging of Serilog in ASP.NET Core, as text behind a logger's prefix",
        example: r"HTTP GET /a?b=c responded 502 in 12.3456 ms",
        escape: Some(Escape::None),
        habits: Habits { absolute: Absolute::Sent, loses: Loses::PathQuotingAndQuery },
        ..PLAIN
    },
    Preset {
        name: "morgan_short",
        aliases: &[],
        spec: "line:{client} {word:user} {method} {target} HTTP/{decimal:version} {status} {bytes} - {ms} ms",
        about: "morgan's `short`",
        example: "203.0.113.9 - GET /a?b=c HTTP/1.1 500 5 - 0.163 ms",
        ..PLAIN
    },
    Preset {
        name: "morgan_tiny",
        aliases: &[],
        spec: "line:{method} {target} {status} {bytes} - {ms} ms",
        about: "morgan's `tiny`",
        example: "GET /a?b=c 500 5 - 0.163 ms",
        ..PLAIN
    },
    Preset {
        name: "morgan_dev",
        aliases: &[],
        spec: "line:{method} {target} {status} {ms} ms - {bytes}",
        about: "morgan's `dev`, its colours taken off",
        example: "GET /a?b=c 500 0.163 ms - 5",
        ..PLAIN
    },
    Preset {
        name: "tomcat",
        aliases: &["tomcat_common"],
        spec: r#"<Valve className="org.apache.catalina.valves.AccessLogValve" pattern="%h %l %u %t &quot;%r&quot; %s %b" />"#,
        about: "Tomcat as its server.xml has it: common",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:41:42 +0000] "GET /a?b=c HTTP/1.1" 500 5"#,
        twin: Some("common"),
        ..PLAIN
    },
    Preset {
        name: "jetty",
        aliases: &[],
        spec: r#"line:{client} - {text:user} [{time:%d/%b/%Y:%H:%M:%S %z}] "{request_line}" {status} {bytes} "{text:referer}" "{agent}""#,
        about: "Jetty without configuration: combined, but nothing in it is escaped",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:41:42 +0000] "GET /a?b=c HTTP/1.1" 500 5 "-" "curl/8.9""#,
        twin: Some("combined"),
        zero_is_zero: true,
        escape: Some(Escape::None),
        ..PLAIN
    },
];
