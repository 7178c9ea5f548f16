use crate::habits::Absolute;

/// Whose configuration a format string is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Nginx,
    Apache,
    Gunicorn,
    Haproxy,
    Envoy,
    Tomcat,
    Varnish,
    /// Ours, for presets.
    Template,
    /// A regular expression.
    Regex,
}

impl Dialect {
    /// Each dialect with what settles doubt.
    pub(crate) const PREFIXES: [(&'static str, Self); 9] = [
        ("nginx:", Self::Nginx),
        ("apache:", Self::Apache),
        ("gunicorn:", Self::Gunicorn),
        ("haproxy:", Self::Haproxy),
        ("envoy:", Self::Envoy),
        ("tomcat:", Self::Tomcat),
        ("varnish:", Self::Varnish),
        ("line:", Self::Template),
        ("regex:", Self::Regex),
    ];

    /// What a person calls it.
    pub(crate) fn producer(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "Apache",
            Self::Gunicorn => "gunicorn",
            Self::Haproxy => "HAProxy",
            Self::Envoy => "Envoy",
            Self::Tomcat => "Tomcat",
            Self::Varnish => "Varnish",
            Self::Template => "`line:`",
            Self::Regex => "`regex:`",
        }
    }

    /// What gives the status, and what gives the URL.
    pub(crate) fn needed(self) -> (&'static str, &'static str) {
        match self {
            Self::Nginx => ("$status", "`$request`, or `$request_method` and `$request_uri`"),
            Self::Apache => ("%>s", "`%r`, or `%m`, `%U` and `%q`"),
            Self::Gunicorn => ("%(s)s", "`%(r)s`, or `%(m)s`, `%(U)s` and `%(q)s`"),
            Self::Haproxy => ("%ST", "`%{+Q}r`, or `%HM` and `%HU`"),
            Self::Envoy => ("%RESPONSE_CODE%", "`%REQ(:METHOD)%` and `%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%`"),
            Self::Tomcat | Self::Varnish => ("%s", "`%r`, or `%m`, `%U` and `%q`"),
            Self::Regex => (r"(?<status>\d{3})", "`(?<request>…)`, `(?<target>…)` or `(?<url>…)`"),
            Self::Template => ("{status}", "`{request}`, or `{method}` and `{uri}`"),
        }
    }

    /// Who wrote the origin of an absolute target.
    pub(crate) fn absolute(self) -> Absolute {
        match self {
            Self::Haproxy => Absolute::WrittenForHttp2,
            Self::Varnish => Absolute::Prefixed,
            _ => Absolute::Sent,
        }
    }
}
