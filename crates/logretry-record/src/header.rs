use bstr::BString;

/// One header of a request, as a capture holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, a token of RFC 9110 §5.1, in the case in which it was captured.
    pub name: String,
    /// Its value, without the white space around it.
    pub value: BString,
}

impl Header {
    /// The header, if a record may carry it: not what belongs to a connection or decides where a request goes, and no credentials. What is
    /// in no record is in no file of records, and is never sent.
    pub fn recorded(name: &str, value: impl Into<BString>) -> Option<Self> {
        let is_token = !name.is_empty() && name.bytes().all(is_token_byte);
        (is_token && !belongs_to_connection(name) && !is_credential(name))
            .then(|| Self { name: name.to_owned(), value: value.into() })
    }

    /// Whether it is called so, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Whether the header `name` proves who asks, as far as a name can tell: such a header never comes from a log.
///
/// Signatures of a body (`Stripe-Signature`, `X-Hub-Signature-256`) are none: they are of no use with another body.
///
/// ```
/// use logretry_record::is_credential;
///
/// assert!(is_credential("Cookie") && is_credential("x-gitlab-token") && is_credential("X-API-Key"));
/// assert!(!is_credential("Content-Type") && !is_credential("Stripe-Signature") && !is_credential("Idempotency-Key"));
/// ```
pub fn is_credential(name: &str) -> bool {
    const WORDS: [&str; 28] = [
        "authorization",
        "authentication",
        "cookie",
        "token",
        "secret",
        "password",
        "passwd",
        "credential",
        "session",
        "jwt",
        "apikey",
        "accesskey",
        "authkey",
        // What clouds and services call theirs. Others end in `key` that are none: `Idempotency-Key`, `X-Event-Key`.
        "subscriptionkey",
        "functionskey",
        "applicationkey",
        "masterkey",
        "licensekey",
        "privatekey",
        "servicekey",
        "signingkey",
        "saskey",
        "clientcert",
        "passphrase",
        "sessid",
        "assertion",
        "bearer",
        "oidc",
    ];
    let plain: String = name
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    WORDS.iter().any(|word| plain.contains(word))
        || ["auth", "otp", "dpop"].iter().any(|end| plain.ends_with(end))
}

/// Whether `text`, which a file holds in UTF-8, may stand for the bytes of a body of that `Content-Type`: a program that has decoded another charset has written other bytes than went over
/// the wire. Without a charset it is UTF-8 that has been decoded, if anything was.
pub fn is_text_as_sent(text: &str, content_type: Option<&str>) -> bool {
    let parameters = content_type.into_iter().flat_map(|value| value.split(';').skip(1));
    let mut parameters = parameters.filter_map(|parameter| parameter.split_once('='));
    let charset = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charset.is_none_or(|(_, charset)| {
        let charset = charset.trim().trim_matches('"').to_ascii_lowercase();
        let is_wide = ["utf-16", "utf-32", "ucs-"].iter().any(|wide| charset.starts_with(wide));
        matches!(&*charset, "utf-8" | "utf8") || (text.is_ascii() && !is_wide)
    })
}

/// Headers of a connection, of its framing and of its proxies (RFC 9110 §7.6.1), and those that say which host is asked.
fn belongs_to_connection(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "http2-settings",
        "forwarded",
    ];
    NAMES.iter().any(|own| name.eq_ignore_ascii_case(own))
        || name.get(..12).is_some_and(|start| start.eq_ignore_ascii_case("x-forwarded-"))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stands_for_its_bytes_where_it_was_utf_8() {
        for (text, content_type, is_as_sent) in [
            ("é", None, true),
            ("é", Some("application/json"), true),
            ("é", Some("text/plain; Charset=\"UTF-8\""), true),
            ("é", Some("text/plain;format=flowed;charset=iso-8859-1"), false),
            ("e", Some("text/plain; charset=iso-8859-1"), true),
            ("e", Some("text/xml; charset=UTF-16"), false),
        ] {
            assert_eq!(is_text_as_sent(text, content_type), is_as_sent, "{text} {content_type:?}");
        }
    }

    #[test]
    fn what_belongs_to_a_connection_or_proves_who_asks_is_not_recorded() {
        for name in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "Connection",
            "TE",
            ":authority",
            "",
            "a b",
            "X-Forwarded-Host",
            "Cookie",
            "Authorization",
            "Proxy-Authorization",
            "X-Api-Key",
            "x-apikey",
            "X-Auth-Token",
            "X-CSRF-Token",
            "X-Amz-Security-Token",
            "X-Basic-Auth",
            "X-Client-Cert",
            "Ocp-Apim-Subscription-Key",
            "x-functions-key",
            "DD-APPLICATION-KEY",
            "aeg-sas-key",
            "X-Amzn-Oidc-Data",
            "X-PHPSESSID",
            "OK-ACCESS-PASSPHRASE",
            "X-GitHub-OTP",
            "DPoP",
        ] {
            assert_eq!(Header::recorded(name, "x"), None, "{name}");
        }
        for name in [
            "Content-Type",
            "content-encoding",
            "If-Match",
            "Idempotency-Key",
            "X-Hub-Signature-256",
            "X-Author",
            "X-Event-Key",
            "Surrogate-Key",
        ] {
            assert!(Header::recorded(name, "x").is_some(), "{name}");
        }
    }
}
