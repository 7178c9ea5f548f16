use std::sync::OnceLock;

use crate::error::SpecError;
use crate::format::Format;

/// A format that has a name.
#[derive(Debug)]
pub struct Preset {
    /// What `--format` takes.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it is compiled from: the text as it stands in a server's configuration.
    pub spec: &'static str,
    /// Who writes it.
    pub about: &'static str,
    /// A line of it.
    pub example: &'static str,
    /// No bytes are written as `0`, whatever the spec's server does: others write this format too.
    pub(crate) zero_is_zero: bool,
}

/// All presets, those that hold more fields first.
pub fn presets() -> &'static [Preset] {
    PRESETS
}

static PRESETS: &[Preset] = &[
    Preset {
        name: "ingress-nginx",
        aliases: &["upstreaminfo", "ingress_nginx"],
        spec: r#"log_format upstreaminfo '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id';"#,
        about: "the Kubernetes ingress controller of nginx (upstreaminfo)",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:41:41 +0000] "GET /slow?id=14 HTTP/1.1" 504 157 "-" "curl/8.9" 130 1.002 [default-web-80] [] 10.0.0.1:80, 10.0.0.2:80 0, 0 1.002, 0.000 504, 502 7f2a1e8e4a56e749c85a6d4c670ce037"#,
        zero_is_zero: false,
    },
    Preset {
        name: "vhost_combined",
        aliases: &[],
        spec: r#"LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" vhost_combined"#,
        about: "Apache's combined behind the virtual host and its port (Debian, Ubuntu)",
        example: r#"shop.example.com:443 203.0.113.9 - - [22/Nov/2026:06:41:42 +0000] "GET /a?b=c HTTP/1.1" 503 563 "-" "curl/8.9""#,
        zero_is_zero: true,
    },
    Preset {
        name: "nginx_main",
        aliases: &["main"],
        spec: r#"log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';"#,
        about: "combined and X-Forwarded-For, as in the nginx.conf of the nginx packages",
        example: r#"10.0.0.7 - - [22/Nov/2026:06:41:40 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9" "203.0.113.9, 198.51.100.2""#,
        zero_is_zero: false,
    },
    // nginx's combined is the same line. One decoder undoes both escapes exactly; see `escape.rs`.
    Preset {
        name: "combined",
        aliases: &["nginx", "apache", "apache_combined", "nginx_combined"],
        spec: r#"LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined"#,
        about: "nginx without configuration, Apache on most systems, morgan and many others",
        example: r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a?b=c HTTP/1.1" 502 157 "https://shop.example/" "curl/8.9""#,
        zero_is_zero: true,
    },
    Preset {
        name: "gunicorn",
        aliases: &[],
        spec: r#"access_log_format = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'"#,
        about: "gunicorn without configuration: combined, but a backslash stands for itself",
        example: r#"127.0.0.1 - - [22/Nov/2026:06:44:43 +0000] "GET /back\slash?b=c HTTP/1.1" 500 5 "-" "curl/8.9""#,
        zero_is_zero: true,
    },
    Preset {
        name: "common",
        aliases: &["clf", "ncsa"],
        spec: r#"LogFormat "%h %l %u %t \"%r\" %>s %b" common"#,
        about: "the NCSA common log format",
        example: r#"199.72.81.55 - - [22/Nov/2026:06:22:52 -0400] "GET /history/ HTTP/1.0" 503 -"#,
        zero_is_zero: false,
    },
];

/// The preset that is called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name || preset.aliases.contains(&name))
}

/// All presets, compiled once.
pub(crate) fn all() -> &'static [(&'static Preset, Format)] {
    static COMPILED: OnceLock<Vec<(&'static Preset, Format)>> = OnceLock::new();
    COMPILED.get_or_init(|| {
        PRESETS.iter().filter_map(|preset| Some((preset, Format::compile_preset(preset).ok()?))).collect()
    })
}

pub(crate) fn compiled(name: &str) -> Result<Format, SpecError> {
    let found = all().iter().find(|(preset, _)| preset.name == name);
    found.map(|(_, format)| format.clone()).ok_or_else(|| unknown(name))
}

/// The error for a word that is no preset's name.
pub(crate) fn unknown(name: &str) -> SpecError {
    let names =
        || PRESETS.iter().flat_map(|preset| [preset.name].into_iter().chain(preset.aliases.iter().copied()));
    let nearest = names()
        .map(|known| (distance(name, known), known))
        .min()
        .filter(|&(distance, known)| distance <= 1 + known.len() / 3)
        .map(|(_, known)| known.to_owned());
    let known: Vec<_> = PRESETS.iter().map(|preset| format!("`{}`", preset.name)).collect();
    SpecError::UnknownPreset { name: shorten(name), nearest, known: known.join(", ") }
}

fn shorten(name: &str) -> String {
    match name.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// How many letters must be added, dropped or changed to make `from` into `to`, without regard to case, `-` and `_`.
fn distance(from: &str, to: &str) -> usize {
    let letters = |text: &str| -> Vec<char> {
        text.chars()
            .take(40)
            .map(|char| char.to_ascii_lowercase())
            .map(|char| if char == '_' { '-' } else { char })
            .collect()
    };
    let (from, to) = (letters(from), letters(to));
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spans;

    #[test]
    fn every_preset_compiles_and_reads_its_example() {
        assert_eq!(all().len(), PRESETS.len());
        for (preset, format) in all() {
            assert_eq!(format.name(), preset.name);
            let mut spans = Spans::new();
            let parsed = format.parse(preset.example.as_bytes(), &mut spans).expect(preset.name);
            let exchange = parsed.exchange();
            assert!(exchange.status.is_some_and(|status| status >= 500), "{}", preset.name);
            assert!(exchange.time.is_some() && exchange.method.is_some() && exchange.target.is_some());
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let error = |name| match unknown(name) {
            SpecError::UnknownPreset { nearest, .. } => nearest,
            _ => None,
        };
        assert_eq!(error("conbined").as_deref(), Some("combined"));
        assert_eq!(error("vhost-combined").as_deref(), Some("vhost_combined"));
        assert_eq!(error("Gunicorn").as_deref(), Some("gunicorn"));
        assert_eq!(error("something-else"), None);
    }
}
