//! Nginx Proxy Manager, Kong and Traefik.

use super::{PLAIN, Preset, Variant};
use crate::escape::Escape;

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "nginx-proxy-manager",
        aliases: &["npm", "nginx_proxy_manager"],
        spec: r#"log_format proxy '[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] [Sent-to $server] "$http_user_agent" "$http_referer"';"#,
        about: "Nginx Proxy Manager: of its two statuses the second is the client's",
        example: r#"[22/Nov/2026:06:41:40 +0000] - 502, 502 502 - GET http shop.example.com "/drop?id=13" [Client 203.0.113.9] [Length 157] [Gzip -] [Sent-to app] "curl/8.9" "-""#,
        // `log_format standard`.
        variants: &[Variant::of(
            r#"log_format standard '[$time_local] $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] "$http_user_agent" "$http_referer"';"#,
        )],
        notes: &["the host is logged without its port"],
        ..PLAIN
    },
    Preset {
        name: "kong",
        aliases: &[],
        spec: r#"log_format kong_log_format '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" kong_request_id: "$request_id"';"#,
        about: "Kong Gateway: combined and its request id",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:41:40 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9" kong_request_id: "71c4283e52e8a44e6a25a20b05b0b437""#,
        ..PLAIN
    },
    Preset {
        name: "zoraxy",
        aliases: &[],
        spec: r"line:{time:%Y/%m/%d %H:%M:%S} [{text:stamp}] [router:{text:router}] [origin:{vhost}] [client: {client}] [useragent: {agent}] {method} {uri} {status}",
        about: "Zoraxy",
        example: r"2026/11/22 06:22:52 [2026-11-22 06:22:52.150624] [router:host-http] [origin:shop.example] [client: 203.0.113.9] [useragent: curl/8.9] GET /a?b=c 502",
        escape: Some(Escape::None),
        // The origin may be an address, which is no host to go by.
        variants: &[Variant::of(
            r"line:{time:%Y/%m/%d %H:%M:%S} [{text:stamp}] [router:{text:router}] [origin:{text:origin}] [client: {client}] [useragent: {agent}] {method} {uri} {status}",
        )],
        ..PLAIN
    },
    Preset {
        name: "traefik_clf",
        aliases: &[],
        spec: r#"line:{client} - {text:user} [{time:%d/%b/%Y:%H:%M:%S %z}] "{request_line}" {status} {bytes} "{text:referer}" "{agent}" {number:count} "{text:router}" "{text:backend}" {ms}ms"#,
        about: "Traefik without configuration; the URL at the end is the backend's",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:41:40 +0000] "GET /a?b=c HTTP/1.1" 502 11 "-" "-" 262 "shop@docker" "http://172.19.0.3:5601" 2ms"#,
        zero_is_zero: true,
        escape: Some(Escape::None),
        ..PLAIN
    },
];
