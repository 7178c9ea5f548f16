use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use logretry_record::{Exchange, Header, is_text_as_sent};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;

use super::lose_body;

/// An entry of a HAR file, as far as it is used (HTTP Archive 1.2). Tools leave out what they do not know, or write -1.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_date_time: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<f64>,
    request: Request<'a>,
    response: Response,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    http_version: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing)]
    headers: Option<Vec<Named<'a>>>,
    #[serde(default, skip_serializing)]
    post_data: Option<PostData<'a>>,
    #[serde(default, skip_serializing)]
    body_size: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    /// 0 or -1 where no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_size: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<Number>,
}

#[derive(Debug, Deserialize)]
struct Named<'a> {
    #[serde(default)]
    name: Cow<'a, str>,
    #[serde(default)]
    value: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct PostData<'a> {
    #[serde(default)]
    text: Option<Text>,
    #[serde(default)]
    encoding: Option<Cow<'a, str>>,
    #[serde(default)]
    params: Option<Vec<de::IgnoredAny>>,
}

/// The text of a body. `None` where halves of surrogate pairs stand in it, as Python writes them for bytes that were no text (mitmproxy's dump).
#[derive(Debug)]
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Text;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(String::from_utf8(bytes.to_vec()).ok()))
            }
        }

        // As a string it would be refused, and the whole entry with it.
        value.deserialize_bytes(Bytes)
    }
}

pub(super) fn complete(text: &[u8], exchange: &mut Exchange) -> Result<String, String> {
    let entry: Entry<'_> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let request = &entry.request;
    for Named { name, value } in request.headers.iter().flatten() {
        if name.eq_ignore_ascii_case("user-agent") {
            exchange.user_agent = Some(value.as_bytes().into());
        } else if name.eq_ignore_ascii_case("x-request-id") {
            exchange.request_id = Some(value.as_bytes().into());
        }
        exchange.headers.extend(Header::recorded(name, value.as_bytes()));
    }
    match request.body() {
        Body::Known(body) => exchange.body = Some(body.into()),
        Body::Unknown => {}
        Body::Lost => lose_body(exchange),
    }
    serde_json::to_string(&entry).map_err(|error| error.to_string())
}

enum Body {
    Known(Vec<u8>),
    /// Nothing tells whether there was one.
    Unknown,
    /// There was one, and it is not here as it went over the wire.
    Lost,
}

impl Request<'_> {
    /// The body, if what the file holds has the length that the request had. Tools write text, and what was no text they have changed; what was
    /// compressed they may have unpacked; the files of a form they leave out.
    fn body(&self) -> Body {
        let length = self.length();
        let is_packed = self
            .header("content-encoding")
            .is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity"));
        let Some(data) = &self.post_data else {
            return match length {
                Some(0) => Body::Known(Vec::new()),
                Some(_) => Body::Lost,
                None if self.header("transfer-encoding").is_some() => Body::Lost,
                None => Body::Unknown,
            };
        };
        let has_params = data.params.as_ref().is_some_and(|params| !params.is_empty());
        let text = match &data.text {
            Some(Text(None)) => return Body::Lost,
            Some(Text(Some(text))) => Some(&**text),
            None => None,
        };
        // Tools that keep bodies in files of their own write an empty text here.
        let is_told = |text: &&str| !text.is_empty() || (!has_params && length == Some(0));
        let Some(text) = text.filter(is_told) else {
            return if has_params || length.is_some_and(|length| length > 0) {
                Body::Lost
            } else {
                Body::Unknown
            };
        };
        let is_base64 =
            data.encoding.as_deref().is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"));
        let bytes = if is_base64 {
            let Ok(bytes) = STANDARD.decode(text) else { return Body::Lost };
            bytes
        } else {
            text.as_bytes().to_vec()
        };
        let is_whole = match length {
            Some(length) => bytes.len() as u64 == length,
            None if is_base64 => true,
            None => !text.contains('\u{fffd}') && is_text_as_sent(text, self.header("content-type")),
        };
        if is_whole && (is_base64 || !is_packed) { Body::Known(bytes) } else { Body::Lost }
    }

    /// How long the body was: what the request says of itself counts more than what the tool says.
    fn length(&self) -> Option<u64> {
        let said = self.header("content-length").and_then(|length| length.trim().parse().ok());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number that is not negative"
        )]
        let sized = self.body_size.filter(|size| *size >= 0.0).map(|size| size as u64);
        // 0 is also what tools write that have not looked; a browser does for an upload that it leaves out, whose type it tells all the same.
        let is_plain = self.post_data.is_none() && self.header("content-type").is_none();
        said.or(sized.filter(|&size| size > 0 || is_plain))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter().flatten();
        headers.find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| &*header.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(request: &str) -> Exchange {
        let entry = format!(
            r#"{{"startedDateTime":"2026-11-22T06:22:52.123Z","time":7,"cookies":[],"request":{{"method":"POST","url":"https://shop.example/a","cookies":[{{"name":"a","value":"secret"}}],{request}}},"response":{{"status":502,"statusText":"Bad Gateway","bodySize":-1,"content":{{"size":7,"text":"secret"}}}}}}"#
        );
        let mut exchange = Exchange::default();
        let line = complete(entry.as_bytes(), &mut exchange).expect("an entry");
        assert_eq!(
            line,
            r#"{"startedDateTime":"2026-11-22T06:22:52.123Z","time":7.0,"request":{"method":"POST","url":"https://shop.example/a"},"response":{"status":502,"bodySize":-1,"content":{"size":7}}}"#
        );
        exchange
    }

    #[test]
    fn a_body_counts_if_it_is_as_long_as_the_request_says() {
        let length = |length: &str| format!(r#""headers":[{{"name":"content-length","value":"{length}"}}]"#);
        let body = |request: &str| completed(request).body.map(|body| body.to_string());
        for (request, expected) in [
            (r#""postData":{"text":"a=b"}"#.to_owned(), Some("a=b")),
            (r#""bodySize":3,"postData":{"text":"a=b"}"#.to_owned(), Some("a=b")),
            (r#""bodySize":0,"postData":{"text":"a=b"}"#.to_owned(), Some("a=b")),
            (format!(r#"{},"postData":{{"text":"é"}}"#, length("2")), Some("é")),
            (format!(r#"{},"postData":{{"text":"YT1i","encoding":"base64"}}"#, length("3")), Some("a=b")),
            (r#""postData":{"text":"YT1i","encoding":"Base64"}"#.to_owned(), Some("a=b")),
            (format!(r#"{},"postData":{{"text":""}}"#, length("0")), Some("")),
            (r#""bodySize":0"#.to_owned(), Some("")),
            (length("0"), Some("")),
        ] {
            assert_eq!(body(&request).as_deref(), expected, "{request}");
            assert!(completed(&request).lossy.is_empty(), "{request}");
        }
        for request in [
            format!(r#"{},"postData":{{"text":"a=b"}}"#, length("4")),
            format!(r#"{},"postData":{{"text":"é"}}"#, length("1")),
            r#""postData":{"text":"a\ufffdb"}"#.to_owned(),
            format!(r#"{},"postData":{{"text":"a\udcff"}}"#, length("2")),
            r#""postData":{"text":"\udcff\udc80"}"#.to_owned(),
            r#""headers":[{"name":"content-type","value":"text/plain; charset=ISO-8859-1"}],"postData":{"text":"é"}"#.to_owned(),
            r#""postData":{"params":[{"name":"a","value":"b"}]}"#.to_owned(),
            r#""postData":{"text":"?","encoding":"base64"}"#.to_owned(),
            length("3"),
            r#""bodySize":3"#.to_owned(),
            r#""headers":[{"name":"Content-Encoding","value":"gzip"}],"postData":{"text":"a=b"}"#.to_owned(),
            r#""headers":[{"name":"Transfer-Encoding","value":"chunked"}]"#.to_owned(),
        ] {
            let exchange = completed(&request);
            assert_eq!((exchange.body, exchange.lossy), (None, vec!["body".into()]), "{request}");
        }
        for request in [
            r#""bodySize":-1"#,
            r#""bodySize":-1,"postData":{"text":"","_file":"7f2a.json"}"#,
            r#""bodySize":0,"headers":[{"name":"Content-Type","value":"multipart/form-data; boundary=b"}]"#,
        ] {
            let unknown = completed(request);
            assert!(unknown.body.is_none() && unknown.lossy.is_empty(), "{request}");
        }
    }

    #[test]
    fn numbers_stay_as_they_are_spelled() {
        let line = r#"{"startedDateTime":"2026-11-22T06:22:52Z","request":{"url":"http://h/a"},"response":{"status":502.0,"bodySize":-1,"content":{"size":7.0}}}"#;
        assert_eq!(complete(line.as_bytes(), &mut Exchange::default()).as_deref(), Ok(line));
    }

    #[test]
    fn headers_are_recorded_but_no_credentials() {
        let exchange = completed(
            r#""headers":[{"name":":authority","value":"x"},{"name":"Content-Type","value":"text/plain"},{"name":"Cookie","value":"a=secret"},
               {"name":"user-agent","value":"curl/8.9"},{"name":"X-Request-Id","value":"7f2a"}]"#,
        );
        let names: Vec<_> = exchange.headers.iter().map(|header| header.name.as_str()).collect();
        assert_eq!(names, ["Content-Type", "user-agent", "X-Request-Id"]);
        assert_eq!(exchange.user_agent, Some("curl/8.9".into()));
        assert_eq!(exchange.request_id, Some("7f2a".into()));
    }
}
