//! Envoy and Istio without configuration. Nothing in their lines is escaped, so what can be read in two ways is refused.

use super::{PLAIN, Preset};

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "istio",
        aliases: &[],
        spec: r#"[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%"#,
        about: "the sidecars and gateways of Istio, as text",
        example: r#"[2026-11-22T06:41:42.866Z] "GET /status/418?a=b HTTP/1.1" 503 UF,URX upstream_reset_before_response_started{remote_connection_failure} - "delayed connect error: 111" 0 145 35 - "203.0.113.9" "curl/8.9" "84961386-6d84-929d-98bd-c5aee93b5c88" "shop.example.com" "10.44.1.27:80" outbound|80||shop.default.svc.cluster.local 10.44.1.23:37652 10.0.45.184:80 10.44.1.23:46520 - default"#,
        ..PLAIN
    },
    Preset {
        name: "envoy",
        aliases: &[],
        spec: r#"[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%""#,
        about: "Envoy without configuration",
        example: r#"[2026-11-22T06:41:42.866Z] "POST /api/v1/locations?a=b HTTP/2" 503 UF 154 0 226 - "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80""#,
        ..PLAIN
    },
];
