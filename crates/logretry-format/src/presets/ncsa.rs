//! The family of the common log format, as nginx, Apache and many others write it.

use super::{PLAIN, Preset, Variant};

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "ingress-nginx",
        aliases: &["upstreaminfo", "ingress_nginx"],
        spec: r#"log_format upstreaminfo '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id';"#,
        about: "the Kubernetes ingress controller of nginx (upstreaminfo)",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:41:41 +0000] "GET /slow?id=14 HTTP/1.1" 504 157 "-" "curl/8.9" 130 1.002 [default-web-80] [] 10.0.0.1:80, 10.0.0.2:80 0, 0 1.002, 0.000 504, 502 7f2a1e8e4a56e749c85a6d4c670ce037"#,
        ..PLAIN
    },
    Preset {
        name: "vhost_combined",
        aliases: &[],
        spec: r#"LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" vhost_combined"#,
        about: "Apache's combined behind the virtual host and its port (Debian, Ubuntu)",
        example: r#"shop.example.com:443 203.0.113.9 - - [22/Nov/2026:06:41:42 +0000] "GET /a?b=c HTTP/1.1" 503 563 "-" "curl/8.9""#,
        zero_is_zero: true,
        ..PLAIN
    },
    Preset {
        name: "nginx_main",
        aliases: &["main"],
        spec: r#"log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';"#,
        about: "combined and X-Forwarded-For, as in the nginx.conf of the nginx packages",
        example: r#"10.0.0.7 - - [22/Nov/2026:06:41:40 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9" "203.0.113.9, 198.51.100.2""#,
        ..PLAIN
    },
    // nginx's combined is the same line. One decoder undoes both escapes exactly; see `escape.rs`.
    Preset {
        name: "combined",
        aliases: &[
            "nginx",
            "apache",
            "apache_combined",
            "nginx_combined",
            "morgan",
            "morgan_combined",
            "litespeed",
        ],
        spec: r#"LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined"#,
        about: "nginx without configuration, Apache on most systems, morgan and many others",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a?b=c HTTP/1.1" 502 157 "https://shop.example/" "curl/8.9""#,
        zero_is_zero: true,
        ..PLAIN
    },
    Preset {
        name: "gunicorn",
        aliases: &[],
        spec: r#"access_log_format = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'"#,
        about: "gunicorn without configuration: combined, but a backslash stands for itself",
        example: r#"127.0.0.1 - - [22/Nov/2026:06:44:43 +0000] "GET /back\slash?b=c HTTP/1.1" 500 5 "-" "curl/8.9""#,
        zero_is_zero: true,
        ..PLAIN
    },
    Preset {
        name: "common",
        aliases: &["clf", "ncsa", "morgan_common"],
        spec: r#"LogFormat "%h %l %u %t \"%r\" %>s %b" common"#,
        about: "the NCSA common log format",
        example: r#"199.72.81.55 - - [22/Nov/2026:06:22:52 -0400] "GET /history/ HTTP/1.0" 503 -"#,
        ..PLAIN
    },
    Preset {
        name: "host_combined",
        aliases: &["vhost_more"],
        spec: r#"line:{vhost} {ip} - {text:user} [{time:%d/%b/%Y:%H:%M:%S %z}] "{request}" {status} {bytes}{rest}"#,
        about: "combined or common with the host in front of it or before the request, with its port or without, and perhaps with more behind it",
        example: r#"shop.example 203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9""#,
        zero_is_zero: true,
        variants: &[
            Variant::of(
                r#"line:{vhost}:{port} {ip} - {text:user} [{time:%d/%b/%Y:%H:%M:%S %z}] "{request}" {status} {bytes}{rest}"#,
            ),
            Variant::of(
                r#"line:{clients} - {text:user} [{time:%d/%b/%Y:%H:%M:%S %z}] {vhost} "{request}" {status} {bytes}{rest}"#,
            ),
            Variant::of(
                r#"line:{clients} - {text:user} [{time:%d/%b/%Y:%H:%M:%S %z}] "{vhost}" "{request}" {status} {bytes}{rest}"#,
            ),
        ],
        notes: &[
            "what stands behind the known fields is passed over; paste the server's own format to have it used",
        ],
        is_loose: true,
        ..PLAIN
    },
    Preset {
        name: "combined_more",
        aliases: &[],
        spec: r#"line:{clients} - {text:user} [{time:%d/%b/%Y:%H:%M:%S %z}] "{request}" {status} {bytes} "{text:referer}" "{agent}"{rest}"#,
        about: "combined or common with more behind it, as many configurations add; what that is, is not known",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9" "-" 1.002 1.001"#,
        zero_is_zero: true,
        variants: &[Variant::of(
            r#"line:{clients} - {text:user} [{time:%d/%b/%Y:%H:%M:%S %z}] "{request}" {status} {bytes}{rest}"#,
        )],
        notes: &[
            "what stands behind the known fields is passed over; paste the server's own format to have it used",
        ],
        is_loose: true,
        ..PLAIN
    },
];
