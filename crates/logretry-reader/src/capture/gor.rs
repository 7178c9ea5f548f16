use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use logretry_record::{Exchange, Header};
use serde::{Deserialize, Serialize};

use super::lose_body;

/// The line that [`crate::entries`] makes of a request and its response.
#[derive(Debug, Serialize, Deserialize)]
struct Line<'a> {
    gor: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration_ns: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(default, skip_serializing)]
    headers: Vec<Named<'a>>,
    #[serde(default, skip_serializing)]
    body: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing)]
    body_base64: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing)]
    lost: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct Named<'a> {
    name: Cow<'a, str>,
    #[serde(default)]
    value: Option<Cow<'a, str>>,
    #[serde(default)]
    value_base64: Option<Cow<'a, str>>,
}

pub(super) fn complete(text: &[u8], exchange: &mut Exchange) -> Result<String, String> {
    let line: Line<'_> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    for Named { name, value, value_base64 } in &line.headers {
        let value = bytes(value.as_deref(), value_base64.as_deref())?.unwrap_or_default();
        if name.eq_ignore_ascii_case("user-agent") {
            exchange.user_agent = Some(value.clone().into());
        }
        exchange.headers.extend(Header::recorded(name, value));
    }
    exchange.body = bytes(line.body.as_deref(), line.body_base64.as_deref())?.map(Into::into);
    if line.lost.is_some() {
        lose_body(exchange);
    }
    serde_json::to_string(&line).map_err(|error| error.to_string())
}

fn bytes(text: Option<&str>, base64: Option<&str>) -> Result<Option<Vec<u8>>, String> {
    match (text, base64) {
        (_, Some(base64)) => STANDARD.decode(base64).map(Some).map_err(|error| error.to_string()),
        (text, None) => Ok(text.map(|text| text.as_bytes().to_vec())),
    }
}
