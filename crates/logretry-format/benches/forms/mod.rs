//! The requests as several servers write them.

use logretry_format::Format;

use crate::requests::{Request, clock, combined, requests};

/// A form of lines that is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// What [`Format::compile`] takes for it.
    spec: &'static str,
    write: fn(&Request) -> String,
}

pub(crate) const COMBINED: Form = Form { spec: "combined", write: combined };
pub(crate) const INGRESS_NGINX: Form = Form { spec: "ingress-nginx", write: ingress_nginx };
pub(crate) const NGINX_JSON: Form = Form { spec: NGINX_LOG_FORMAT, write: nginx_json };
pub(crate) const CADDY: Form = Form { spec: "caddy", write: caddy };

impl Form {
    pub(crate) fn format(self) -> Format {
        Format::compile(self.spec).expect("a format")
    }

    /// The first so many lines of the day, without their line ends.
    pub(crate) fn lines(self, count: usize) -> Vec<String> {
        requests(count).map(|request| (self.write)(&request)).collect()
    }
}

/// As it stands in many an `nginx.conf`.
const NGINX_LOG_FORMAT: &str = r#"log_format json escape=json '{"time":"$time_iso8601","remote_addr":"$remote_addr","host":"$host","method":"$request_method","uri":"$request_uri","status":$status,"bytes":$body_bytes_sent,"request_time":$request_time,"referer":"$http_referer","user_agent":"$http_user_agent","request_id":"$request_id"}';"#;

/// 22 November 2026, midnight.
const MIDNIGHT: usize = 1_795_305_600;

fn ingress_nginx(request: &Request) -> String {
    let Request { target, status, bytes, .. } = request;
    let (line, length, seconds, id) =
        (combined(request), 200 + target.len(), seconds(request), request_id(request));
    format!(
        "{line} {length} {seconds:.3} [default-web-80] [] 10.0.0.1:80 {bytes} {seconds:.3} {status} {id:032x}"
    )
}

fn nginx_json(request: &Request) -> String {
    let Request { client, second, method, target, status, bytes, user_agent } = request;
    let (time, seconds, id) = (clock(*second), seconds(request), request_id(request));
    format!(
        r#"{{"time":"2026-11-22T{time}+00:00","remote_addr":"{client}","host":"shop.example","method":"{method}","uri":"{target}","status":{status},"bytes":{bytes},"request_time":{seconds:.3},"referer":"https://shop.example/","user_agent":"{user_agent}","request_id":"{id:032x}"}}"#
    )
}

fn caddy(request: &Request) -> String {
    let Request { client, second, method, target, status, bytes, user_agent } = request;
    let (time, micros, seconds) = (MIDNIGHT + second, request_id(request) % 1_000_000, seconds(request));
    format!(
        r#"{{"level":"info","ts":{time}.{micros:06},"logger":"http.log.access.log0","msg":"handled request","request":{{"remote_ip":"{client}","remote_port":"50812","client_ip":"{client}","proto":"HTTP/2.0","method":"{method}","host":"shop.example","uri":"{target}","headers":{{"User-Agent":["{user_agent}"],"Accept":["*/*"],"Referer":["https://shop.example/"]}}}},"bytes_read":0,"user_id":"","duration":{seconds},"size":{bytes},"status":{status},"resp_headers":{{"Server":["Caddy"],"Content-Type":["text/html; charset=utf-8"]}}}}"#
    )
}

/// How long it took: what is large takes longer.
fn seconds(request: &Request) -> f64 {
    f64::from(request.bytes / 1000) / 1000.0
}

fn request_id(request: &Request) -> u128 {
    u128::from(request.bytes).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c1b_53a7_d1e5)
}
