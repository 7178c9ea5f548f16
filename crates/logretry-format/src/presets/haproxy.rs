//! HAProxy: `option httplog`, `option httpslog`, `option httplog clf`; lines as syslog's wrapper leaves them.

use super::{PLAIN, Preset, Variant};
use crate::escape::Escape;
use crate::habits::{Absolute, Habits, Loses};

const HABITS: Habits = Habits { absolute: Absolute::WrittenForHttp2, loses: Loses::Nothing };

/// `HTTP_LOG_FMT` up to the request.
macro_rules! before_the_request {
    ($rest:literal) => {
        concat!(
            r#"log-format "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc "#,
            r#"%ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs "#,
            $rest,
            r#"""#
        )
    };
}

/// `CLF_HTTP_LOG_FMT`. Up to 2.6 the termination state is written without the quotes that it asks for.
macro_rules! clf {
    ($state:literal) => {
        concat!(
            r#"line:{client} - - [{time:%d/%b/%Y:%H:%M:%S %z}] "{request}" {status} {bytes} "" "" {number:port} {number:ms} "#,
            r#""{text:frontend}" "{text:backend}" "{text:server}" {number:TR} {number:Tw} {number:Tc} {number:Tr} {ms} "#,
            $state,
            "{captures}"
        )
    };
}

/// The line is cut at the length of a syslog message, 1024 bytes if nothing else is configured, so its quote never closes.
const CUT: Variant = Variant { spec: before_the_request!(r#"\"%r"#), loses: Loses::End };

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "haproxy_https",
        aliases: &["httpslog"],
        spec: before_the_request!(
            r#"%{+Q}r %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumption] %[ssl_fc_sni]/%sslv/%sslc"#
        ),
        about: "HAProxy with `option httpslog`",
        example: r#"203.0.113.9:59842 [22/Nov/2026:06:41:42.866] fe_main~ be_app/s1 0/0/0/-1/1 502 209 - - SH-- 1/1/0/0/0 0/0 {shop.example.com|curl/8.9} "GET /a?b=c HTTP/1.1" 0/0000000000000000/0/0/0 shop.example.com/TLSv1.3/TLS_AES_256_GCM_SHA384"#,
        habits: HABITS,
        ..PLAIN
    },
    Preset {
        name: "haproxy",
        aliases: &["httplog", "haproxy_http"],
        spec: before_the_request!("%{+Q}r"),
        about: "HAProxy with `option httplog`, with and without captured headers",
        example: r#"203.0.113.9:33317 [22/Nov/2026:06:41:42.866] fe_main be_app/s1 0/0/0/-1/1001 504 198 - - sH-- 1/1/0/0/0 0/0 {shop.example.com|curl/8.9} "GET /slow?id=14 HTTP/1.1""#,
        habits: HABITS,
        variants: &[CUT],
        notes: &["the host is taken from the one captured request header that looks like a host"],
        ..PLAIN
    },
    Preset {
        name: "haproxy_clf",
        aliases: &[],
        spec: clf!(r#""{text:state}""#),
        about: "HAProxy with `option httplog clf`",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:41:42 +0000] "GET /a?b=c HTTP/1.1" 503 217 "" "" 33317 866 "fe_main" "be_app" "<NOSRV>" 0 -1 -1 -1 0 "SC--" 1 1 0 0 0 0 0 "-" "-" "shop.example.com" "curl/8.9""#,
        escape: Some(Escape::Haproxy),
        habits: HABITS,
        variants: &[Variant::of(clf!("{word:state}"))],
        ..PLAIN
    },
];
