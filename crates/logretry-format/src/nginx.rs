//! nginx `log_format`: `$name` and `${name}` between literals (`ngx_http_log_compile_format`).

use crate::error::SpecError;
use crate::field::{Field, HostFrom, Piece, Role, Shape, Unit};
use crate::quoting::Text;
use crate::time::TimeForm;

/// The first thing in `text` that looks like a variable.
pub(crate) fn first_variable(text: &str) -> Option<String> {
    memchr::memchr_iter(b'$', text.as_bytes()).find_map(|at| {
        let rest = &text[at..];
        let name = rest[1..].strip_prefix('{').unwrap_or(&rest[1..]);
        let length = name.bytes().take_while(|&byte| is_name(byte)).count();
        let skipped = rest.len() - name.len();
        (length > 0).then(|| rest[..skipped + length].to_owned() + if skipped == 2 { "}" } else { "" })
    })
}

pub(crate) fn pieces(text: &Text) -> Result<Vec<Piece>, SpecError> {
    let bytes = text.bytes();
    let mut pieces = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        let start = index;
        if bytes[start] != b'$' {
            index = memchr::memchr(b'$', &bytes[start..]).map_or(bytes.len(), |length| start + length);
            pieces.push(Piece::Literal(bytes[start..index].to_vec()));
            continue;
        }
        let braced = bytes.get(start + 1) == Some(&b'{');
        let name_start = start + 1 + usize::from(braced);
        let length = bytes[name_start..].iter().take_while(|&&byte| is_name(byte)).count();
        let name_end = name_start + length;
        index = name_end + usize::from(braced);
        if length == 0 || (braced && bytes.get(name_end) != Some(&b'}')) {
            let (text, at) = (text.shown(start, index.max(start + 1)), text.at(start));
            return Err(SpecError::UnknownField { text, producer: "nginx", at });
        }
        let name = text.shown(name_start, name_end);
        let (role, shape) = variable(&name);
        pieces.push(Piece::Field(Field { name: text.shown(start, index), role, shape, at: text.at(start) }));
    }
    Ok(pieces)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn variable(name: &str) -> (Role, Shape) {
    let bytes = |rank| Role::Bytes { rank, dash_is_zero: false };
    match name {
        "request" => (Role::Request, Shape::Text),
        "request_uri" => (Role::Uri, Shape::Text),
        "uri" | "document_uri" => (Role::Path, Shape::Text),
        "args" | "query_string" => (Role::Args, Shape::Text),
        "is_args" => (Role::IsArgs, Shape::Token),
        "request_method" => (Role::Method, Shape::Token),
        "status" => (Role::Status { last: true }, Shape::Status),
        // Servers answer 400 to a Host with white space in it.
        "http_host" => (Role::Host(HostFrom::Header), Shape::Token),
        "host" => (Role::Host(HostFrom::Matched), Shape::Token),
        "server_name" => (Role::Host(HostFrom::Configured), Shape::Token),
        "server_port" => (Role::Port, Shape::Port),
        "scheme" => (Role::Scheme(0), Shape::Token),
        "http_x_forwarded_proto" => (Role::Scheme(1), Shape::Text),
        "time_local" => (Role::Time, Shape::Time(TimeForm::clf())),
        "time_iso8601" => (Role::Time, Shape::Time(TimeForm::iso())),
        "msec" => (Role::Time, Shape::Time(TimeForm::epoch_with_millis())),
        "body_bytes_sent" => (bytes(0), Shape::Number),
        "bytes_sent" => (bytes(1), Shape::Number),
        "request_time" => (Role::Duration(Unit::SecondsExact), Shape::Decimal),
        "remote_addr" | "the_real_ip" => (Role::Client, Shape::Token),
        "http_user_agent" => (Role::UserAgent, Shape::Text),
        "request_id" | "http_x_request_id" | "req_id" => (Role::RequestId, Shape::Text),
        "remote_port" => (Role::Other, Shape::Port),
        "request_length" | "connection" | "connection_requests" | "pid" => (Role::Other, Shape::Number),
        "connection_time" => (Role::Other, Shape::Decimal),
        "server_protocol" | "pipe" | "server_addr" | "hostname" | "https" | "http2" | "http3"
        | "ssl_protocol" | "ssl_cipher" => (Role::Other, Shape::Token),
        "upstream_addr"
        | "upstream_status"
        | "upstream_response_time"
        | "upstream_connect_time"
        | "upstream_header_time"
        | "upstream_first_byte_time"
        | "upstream_session_time"
        | "upstream_queue_time"
        | "upstream_response_length"
        | "upstream_bytes_received"
        | "upstream_bytes_sent" => (Role::Other, Shape::List),
        _ => (Role::Other, Shape::Text),
    }
}
