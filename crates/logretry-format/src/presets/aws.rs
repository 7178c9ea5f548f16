//! Amazon's load balancers and S3. Fields are added at the end of their lines over the years, so what follows the known ones
//! is passed over.

use super::{PLAIN, Preset, Variant};
use crate::escape::Escape;
use crate::habits::{Absolute, Habits, Loses};

const HABITS: Habits = Habits { absolute: Absolute::Written, loses: Loses::Nothing };

macro_rules! alb {
    ($rest:literal) => {
        concat!(
            "line:{word:type} {time:%Y-%m-%dT%H:%M:%S.%6fZ} {word:elb} {client}:{number:client_port} {word:target} ",
            "{decimal:request_time} {decimal:target_time} {decimal:response_time} {status} {word:target_status} ",
            r#"{number:received} {bytes} "{request}" "{agent}" {word:cipher} {word:tls_version} "#,
            $rest
        )
    };
}

macro_rules! elb {
    ($rest:literal) => {
        concat!(
            "line:{time:%Y-%m-%dT%H:%M:%S.%6fZ} {word:elb} {client}:{number:client_port} {word:backend} ",
            "{decimal:request_time} {decimal:backend_time} {decimal:response_time} {status} {word:backend_status} ",
            r#"{number:received} {bytes} "{request}""#,
            $rest
        )
    };
}

macro_rules! s3 {
    ($rest:literal) => {
        concat!(
            "line:{word:owner} {word:bucket} [{time:%d/%b/%Y:%H:%M:%S %z}] {client} {word:requester} {request_id} ",
            "{word:operation} {word:key} ",
            $rest
        )
    };
}

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "alb",
        aliases: &["aws_alb"],
        spec: alb!(r#"{word:target_group} "{id}"{rest}"#),
        about: "AWS Application Load Balancer",
        example: r#"https 2026-11-22T06:41:42.866102Z app/shop/50dc6c495c0c9188 203.0.113.9:4417 - -1 -1 -1 502 - 34 366 "GET https://shop.example.com:443/a?b=c HTTP/1.1" "curl/8.9" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/shop/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" "shop.example.com" "session-reused" 0 2026-11-22T06:41:42.865000Z "forward" "-" "-" "-" "-" "-" "-""#,
        zero_is_zero: true,
        escape: Some(Escape::Nginx),
        habits: HABITS,
        ..PLAIN
    },
    Preset {
        name: "elb",
        aliases: &["aws_elb", "elb_classic"],
        spec: elb!(r#" "{agent}" {word:cipher} {word:tls_version}{rest}"#),
        about: "AWS Classic Load Balancer",
        example: r#"2026-11-22T06:41:42.694172Z shop 203.0.113.9:54106 10.0.1.185:80 0.000043 0.000785 0.000023 503 503 0 612 "GET http://shop.example.com:80/a?b=c HTTP/1.1" "curl/8.9" - -"#,
        zero_is_zero: true,
        escape: Some(Escape::Nginx),
        habits: HABITS,
        // Before 2015.
        variants: &[Variant::of(elb!(""))],
        ..PLAIN
    },
    Preset {
        name: "s3",
        aliases: &["aws_s3"],
        spec: s3!(
            r#""{request_line}" {status} {word:error} {bytes} {number:size} {ms} {number:turnaround} "{text:referer}" "{agent}" {word:version} {word:host_id} {word:signature} {word:cipher} {word:auth} {host} {tls}{rest}"#
        ),
        about: "Amazon S3 server access log",
        example: r#"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be shop-assets [22/Nov/2026:06:41:38 +0000] 203.0.113.9 - 3E57427F3EXAMPLE REST.GET.OBJECT img/a%2520b.png "GET /shop-assets/img/a%20b.png?x=1 HTTP/1.1" 503 SlowDown 243 - 7 - "-" "curl/8.9" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader shop-assets.s3.us-west-1.amazonaws.com TLSv1.2 - -"#,
        escape: Some(Escape::None),
        // What AWS did itself has no request; lines of before 2019 end earlier.
        variants: &[
            Variant::of(s3!("{no_request} {status} {word:error}{rest}")),
            Variant::of(s3!(
                r#""{request_line}" {status} {word:error} {bytes} {number:size} {ms} {number:turnaround} "{text:referer}" "{agent}" {word:version}"#
            )),
        ],
        notes: &["signatures are not logged, so a refire is an anonymous request"],
        ..PLAIN
    },
];
