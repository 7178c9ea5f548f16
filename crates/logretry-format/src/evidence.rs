//! What a line proves about whether any application has seen its request.
//!
//! A proxy that never had a connection to anybody has delivered nothing, and some logs say so. That is worth knowing where a second
//! request would be a second order. A proof must hold for every attempt that the proxy made, so what only tells of the last one counts
//! only where there was no other. No proof is no statement: most lines have none.
//!
//! | proxy | the line proves it if | source |
//! |---|---|---|
//! | HAProxy | it ended in the queue or while connecting (second letter of `%tsc` or `%ts`: `Q`, `C`), or no server was chosen (`%s` is `<NOSRV>`), and `%rc` tells of no retry | HAProxy configuration manual §8.5; `retry-on` may repeat what was delivered |
//! | nginx | every item of `$upstream_connect_time` is `-`; or `$upstream_addr` is `-`; with 502, 503 or 504 | `ngx_http_upstream.c`: the time is set as soon as there is a connection, a kept one too |
//! | AWS ALB | `target:port` and `target_status_code` are `-`, with 502, 503 or 504; no time was spent on a target (`-1`), and `error_reason` names no Lambda | AWS, "Access logs for your Application Load Balancer": it "can't dispatch the request to a target"; a Lambda function that has failed is a `-` too |
//! | Envoy | its response flags are among `UH`, `UF`, `UO`, `NR`, `NC`, `RL`, and no others; nothing else in the line tells of an answer or of a retry | Envoy, "Response Flags"; `URX` would tell of retries, but an answer with 5xx that must not be retried because of too many retries is `UO` (`Filter::onUpstreamHeaders` in `router.cc`), which counts only where details or service time are logged |
//!
//! In JSON it is the same values that prove it, in the names that nginx and Envoy give them, or that a pasted `json_format` does. Where a value is an array, or is missing, or empty
//! (as nginx's `escape=json` writes what it does not have, and so do gateways that reach their servers in another way), there is no proof. What Traefik and Caddy log tells no failed
//! connection from a failed answer.

use memchr::memmem;

use crate::field::Field;

/// Where the evidence stands in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    Haproxy { state: usize, retries: usize, server: Option<usize> },
    Nginx { address: Option<usize>, connect: Option<usize> },
    Alb { target: usize, status: usize, times: [Option<usize>; 2], rest: Option<usize> },
    Envoy { flags: usize, details: Option<usize>, service_time: Option<usize>, attempts: Option<usize> },
}

impl Evidence {
    /// The evidence that a format with these fields gives, if any.
    pub(crate) fn of(fields: &[Field]) -> Option<Self> {
        let named = |names: &[&str]| fields.iter().position(|field| names.contains(&field.name.as_str()));
        if let (Some(state), Some(retries)) = (named(&["%tsc", "%ts"]), named(&["%rc"])) {
            return Some(Self::Haproxy { state, retries, server: named(&["%s"]) });
        }
        if let (Some(target), Some(status)) = (named(&["target"]), named(&["target_status"])) {
            let times = ["request_time", "target_time"].map(|name| named(&[name]));
            return Some(Self::Alb { target, status, times, rest: named(&["rest"]) });
        }
        if let Some(flags) = named(&["%RESPONSE_FLAGS%"]) {
            return Some(Self::Envoy {
                flags,
                details: named(&["%RESPONSE_CODE_DETAILS%"]),
                service_time: fields.iter().position(|field| {
                    ["RESP", "RESPONSE_HEADER"].iter().any(|name| {
                        let operator = format!("%{name}(X-ENVOY-UPSTREAM-SERVICE-TIME)%");
                        field.name.eq_ignore_ascii_case(&operator)
                    })
                }),
                attempts: named(&["%UPSTREAM_REQUEST_ATTEMPT_COUNT%"]),
            });
        }
        let address = named(&["$upstream_addr", "${upstream_addr}"]);
        let connect = named(&["$upstream_connect_time", "${upstream_connect_time}"]);
        (address.is_some() || connect.is_some()).then_some(Self::Nginx { address, connect })
    }

    /// What proves that nobody has seen the request, if the line does; `raw` gives a field's bytes.
    pub(crate) fn proof<'a>(
        self,
        status: Option<u16>,
        raw: impl Fn(usize) -> &'a [u8],
    ) -> Option<&'static str> {
        let by_proxy = matches!(status, Some(502..=504));
        match self {
            Self::Haproxy { state, retries, server } => {
                let once = raw(retries) == b"0";
                let state = raw(state);
                let state = state.strip_prefix(b"\"").unwrap_or(state);
                let waited = matches!(state.get(1), Some(b'Q' | b'C'));
                let nobody = server.is_some_and(|server| raw(server) == b"<NOSRV>");
                match (once && status.is_some_and(|status| status >= 500), nobody, waited) {
                    (true, true, _) => Some("haproxy_no_server"),
                    (true, _, true) => Some("haproxy_not_connected"),
                    _ => None,
                }
            }
            Self::Nginx { address, connect } => nginx(status, address.map(&raw), connect.map(&raw)),
            Self::Alb { target, status, times, rest } if by_proxy => {
                let waited = times.into_iter().flatten().any(|time| raw(time) != b"-1");
                let is_lambda = rest.is_some_and(|rest| memmem::find(raw(rest), b"\"Lambda").is_some());
                let nobody = raw(target) == b"-" && raw(status) == b"-" && !waited && !is_lambda;
                nobody.then_some("alb_not_dispatched")
            }
            Self::Envoy { flags, details, service_time, attempts } => {
                let answered = details.is_some_and(|details| is_by_upstream(raw(details)))
                    || service_time.is_some_and(|time| raw(time) != b"-");
                let again = attempts.is_some_and(|attempts| is_again(raw(attempts)));
                let tells_answers =
                    details.is_some_and(|details| raw(details) != b"-") || service_time.is_some();
                if answered || again { None } else { envoy(raw(flags), tells_answers) }
            }
            Self::Alb { .. } => None,
        }
    }
}

/// What nginx proves with its status, `$upstream_addr` and `$upstream_connect_time`.
pub(crate) fn nginx(
    status: Option<u16>,
    address: Option<&[u8]>,
    connect: Option<&[u8]>,
) -> Option<&'static str> {
    if !matches!(status, Some(502..=504)) {
        return None;
    }
    if address.is_some_and(|address| address == b"-") {
        return Some("nginx_no_upstream");
    }
    // Attempts are parted by commas, internal redirects by colons.
    let never = |times: &[u8]| {
        times.split(|byte| b",: ".contains(byte)).filter(|item| !item.is_empty()).all(|item| item == b"-")
    };
    connect.is_some_and(|connect| !connect.is_empty() && never(connect)).then_some("nginx_not_connected")
}

/// Whether Envoy's `%RESPONSE_CODE_DETAILS%` say that the answer is the application's.
pub(crate) fn is_by_upstream(details: &[u8]) -> bool {
    details.starts_with(b"via_upstream")
}

/// Whether Envoy's `%UPSTREAM_REQUEST_ATTEMPT_COUNT%` says that it has asked more than once.
pub(crate) fn is_again(attempts: &[u8]) -> bool {
    ![&b"-"[..], b"0", b"1"].contains(&attempts)
}

/// What Envoy proves with its response flags, where nothing tells of an answer. `UO` is also the flag of one, so it counts only if the line would tell (`tells_answers`).
pub(crate) fn envoy(flags: &[u8], tells_answers: bool) -> Option<&'static str> {
    let sent_nothing = |flag: &[u8]| match flag {
        b"UH" | b"UF" | b"NR" | b"NC" | b"RL" => true,
        b"UO" => tells_answers,
        _ => false,
    };
    flags.split(|&byte| byte == b',').all(sent_nothing).then_some("envoy_not_sent")
}

#[cfg(test)]
mod tests {
    use crate::{Format, Spans};

    fn proof(format: &str, line: &str) -> Option<String> {
        let format = Format::compile(format).expect("a format");
        let mut spans = Spans::new();
        let parsed = format.parse(line.as_bytes(), &mut spans).expect(line);
        parsed.exchange().undelivered.map(Into::into)
    }

    #[test]
    fn haproxy_proves_it_where_there_was_no_server_no_connection_and_no_retry() {
        for (server, state, retries, status, expected) in [
            ("<NOSRV>", "SC--", "0", 503, Some("haproxy_no_server")),
            ("s1", "SC--", "0", 503, Some("haproxy_not_connected")),
            ("s1", "sC--", "0", 503, Some("haproxy_not_connected")),
            ("s1", "sQ--", "0", 503, Some("haproxy_not_connected")),
            ("s1", "SC--", "3", 503, None),
            ("s1", "SC--", "+1", 503, None),
            ("s1", "SH--", "0", 502, None),
            ("s1", "sH--", "0", 504, None),
            ("s1", "CH--", "0", 502, None),
            ("s1", "----", "0", 500, None),
            ("<NOSRV>", "PR--", "0", 403, None),
        ] {
            let line = format!(
                "203.0.113.9:5 [22/Nov/2026:06:22:52.859] fe be/{server} 0/-1/-1/-1/3 {status} 209 - - {state} 1/1/0/0/{retries} 0/0 \"POST /a HTTP/1.1\""
            );
            assert_eq!(proof("haproxy", &line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn nginx_proves_it_where_no_attempt_had_a_connection() {
        let format = r#"log_format x '"$request" $status $upstream_addr $upstream_connect_time';"#;
        for (status, address, connect, expected) in [
            (502, "10.0.0.1:80", "-", Some("nginx_not_connected")),
            (502, "10.0.0.1:80, 10.0.0.2:80", "-, -", Some("nginx_not_connected")),
            (502, "10.0.0.1:80, 10.0.0.2:80", "-, 0.001", None),
            (502, "10.0.0.1:80 : 10.0.0.2:80", "0.000 : -", None),
            (504, "10.0.0.1:80", "0.000", None),
            (503, "-", "-", Some("nginx_no_upstream")),
            (500, "-", "-", None),
        ] {
            let line = format!("\"POST /a HTTP/1.1\" {status} {address} {connect}");
            assert_eq!(proof(format, &line).as_deref(), expected, "{line}");
        }
        assert_eq!(
            proof(
                "combined",
                r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "POST /a HTTP/1.1" 502 1 "-" "-""#
            ),
            None
        );
    }

    #[test]
    fn alb_and_envoy_prove_it_where_nothing_was_dispatched() {
        let alb = crate::presets().iter().find(|preset| preset.name == "alb").expect("a preset").example;
        assert_eq!(proof("alb", alb).as_deref(), Some("alb_not_dispatched"));
        let dispatched = alb.replacen(" - -1 -1 -1 502 - ", " 10.0.0.1:80 0.000 0.001 0.000 502 502 ", 1);
        assert_ne!(dispatched, alb);
        assert_eq!(proof("alb", &dispatched), None);
        // AWS's own example of a Lambda function that has failed: it has run.
        let failed = alb.replacen(" - -1 -1 -1 502 - ", " - 0.000 0.001 0.000 502 - ", 1);
        assert_ne!(failed, alb);
        assert_eq!(proof("alb", &failed), None);
        let timed_out = alb.replacen(r#""forward" "-" "-""#, r#""forward" "-" "LambdaUnhandled""#, 1);
        assert_ne!(timed_out, alb);
        assert_eq!(proof("alb", &timed_out), None);

        let format =
            r#"[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS%"#;
        for (flags, expected) in [
            ("UH", Some("envoy_not_sent")),
            ("UF,NR", Some("envoy_not_sent")),
            ("UO", None),
            ("UF,URX", None),
            ("UC", None),
            ("UT", None),
            ("-", None),
        ] {
            let line = format!("[2026-11-22T06:22:52.859Z] \"POST /a HTTP/1.1\" 503 {flags}");
            assert_eq!(proof(format, &line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn envoy_proves_nothing_where_the_application_has_answered_or_it_has_asked_again() {
        let preset =
            |name: &str| crate::presets().iter().find(|preset| preset.name == name).expect("a preset");
        for (format, from, to) in [
            ("envoy", " 503 UF 154 0 226 - ", " 503 UO 154 0 226 - "),
            ("istio", " 503 UF,URX upstream_reset_", " 503 UO upstream_reset_"),
        ] {
            let line = preset(format).example.replacen(from, to, 1);
            assert_eq!(proof(format, &line).as_deref(), Some("envoy_not_sent"), "{line}");
        }
        // Too many retries at once: the answer goes through, with the flag of an overflow.
        let answered = preset("envoy").example.replacen(" 503 UF 154 0 226 - ", " 503 UO 154 0 226 225 ", 1);
        assert_eq!(proof("envoy", &answered), None);
        let istio = preset("istio").example;
        let details = "UF,URX upstream_reset_before_response_started{remote_connection_failure}";
        assert_eq!(proof("istio", &istio.replacen(details, "UO via_upstream", 1)), None);

        for name in ["RESP(x-envoy-upstream-service-time)", "RESPONSE_HEADER(X-ENVOY-UPSTREAM-SERVICE-TIME)"]
        {
            let format =
                format!("%REQUEST_HEADER(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %{name}%");
            assert_eq!(proof(&format, "POST /a 503 UO -").as_deref(), Some("envoy_not_sent"), "{name}");
            assert_eq!(proof(&format, "POST /a 503 UO 225"), None, "{name}");
        }

        let format = r#"[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %UPSTREAM_REQUEST_ATTEMPT_COUNT%"#;
        for (attempts, expected) in
            [("0", Some("envoy_not_sent")), ("1", Some("envoy_not_sent")), ("2", None)]
        {
            let line = format!("[2026-11-22T06:22:52.859Z] \"POST /a HTTP/1.1\" 503 UH {attempts}");
            assert_eq!(proof(format, &line).as_deref(), expected, "{line}");
        }

        let format = r#"[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%"#;
        for (details, expected) in [("overflow", Some("envoy_not_sent")), ("via_upstream", None), ("-", None)]
        {
            let line = format!("[2026-11-22T06:22:52.859Z] \"POST /a HTTP/1.1\" 503 UO {details}");
            assert_eq!(proof(format, &line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn json_proves_what_the_same_values_prove_elsewhere() {
        let nginx = |status: u16, upstream: &str| {
            format!(r#"{{"method":"POST","uri":"/a","status":{status},"request_time":0.1{upstream}}}"#)
        };
        for (status, upstream, expected) in [
            (
                502,
                r#","upstream_addr":"10.0.0.1:80","upstream_connect_time":"-""#,
                Some("nginx_not_connected"),
            ),
            (
                502,
                r#","upstream_connect_time":"-, -","upstream_status":"502, 502""#,
                Some("nginx_not_connected"),
            ),
            (503, r#","upstream_addr":"-","upstream_connect_time":"-""#, Some("nginx_no_upstream")),
            (502, r#","upstream_connect_time":"-, 0.001""#, None),
            (502, r#","upstream_connect_time":"0.000 : -""#, None),
            (504, r#","upstream_addr":"10.0.0.1:80","upstream_connect_time":"0.000""#, None),
            (504, r#","upstream_connect_time":0.000"#, None),
            (500, r#","upstream_addr":"-""#, None),
            (502, r#","upstream_addr":"","upstream_connect_time":"""#, None),
            (502, r#","upstream_addr":null,"upstream_connect_time":null"#, None),
            (502, r#","upstream_connect_time":["-","0.001"]"#, None),
            (502, r#","upstream_connect_time": [ "-" ]"#, None),
            (502, "", None),
        ] {
            let line = nginx(status, upstream);
            assert_eq!(proof("json", &line).as_deref(), expected, "{line}");
        }
        // One of the two may be what a client has made the server write.
        let twice = nginx(502, r#","upstream_connect_time":"-","upstream_connect_time":"0.001""#);
        let json = Format::compile("json").expect("a format");
        assert!(json.parse(twice.as_bytes(), &mut Spans::new()).is_err());
        let envoy = crate::presets().iter().find(|preset| preset.name == "envoy_json").expect("a preset");
        assert_eq!(proof("envoy_json", envoy.example).as_deref(), Some("envoy_not_sent"));
        let pasted =
            r#"json_format: {"code":"%RESPONSE_CODE%","path":"%REQ(:PATH)%","why":"%RESPONSE_FLAGS%"}"#;
        for (flags, expected) in [
            (r#""UF,NR""#, Some("envoy_not_sent")),
            (r#""UF,URX""#, None),
            (r#""UC""#, None),
            (r#""-""#, None),
            (r#""""#, None),
            ("null", None),
            (r#"["UF","UC"]"#, None),
        ] {
            let line = envoy.example.replace(r#""UF""#, flags);
            assert_eq!(proof("envoy_json", &line).as_deref(), expected, "{line}");
            let line = format!(r#"{{"code":503,"path":"/a","why":{flags}}}"#);
            assert_eq!(proof(pasted, &line).as_deref(), expected, "{line}");
        }
        let pasted = r#"json_format: {"code":"%RESPONSE_CODE%","path":"%REQ(:PATH)%","why":"%RESPONSE_FLAGS%","more":"%RESPONSE_CODE_DETAILS%"}"#;
        for (details, expected) in
            [(r#""overload""#, Some("envoy_not_sent")), ("null", None), (r#""via_upstream""#, None)]
        {
            let line = envoy.example.replace(
                r#""response_flags":"UF""#,
                &format!(r#""response_flags":"UO","response_code_details":{details}"#),
            );
            assert_eq!(proof("envoy_json", &line).as_deref(), expected, "{line}");
            let line = format!(r#"{{"code":503,"path":"/a","why":"UO","more":{details}}}"#);
            assert_eq!(proof(pasted, &line).as_deref(), expected, "{line}");
        }
        let pasted = r#"json_format: {"code":"%RESPONSE_CODE%","path":"%REQ(:PATH)%","why":"%RESPONSE_FLAGS%","took":"%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%","tries":"%UPSTREAM_REQUEST_ATTEMPT_COUNT%"}"#;
        for (took, tries, expected) in [
            ("null", "1", Some("envoy_not_sent")),
            (r#""-""#, r#""0""#, Some("envoy_not_sent")),
            ("null", "2", None),
            ("null", r#""3""#, None),
            (r#""225""#, "1", None),
            ("225", "1", None),
        ] {
            let more = format!(
                r#""response_flags":"UF","upstream_service_time":{took},"upstream_request_attempt_count":{tries}"#
            );
            let line = envoy.example.replace(r#""response_flags":"UF""#, &more);
            assert_eq!(proof("envoy_json", &line).as_deref(), expected, "{line}");
            let line = format!(r#"{{"code":503,"path":"/a","why":"UF","took":{took},"tries":{tries}}}"#);
            assert_eq!(proof(pasted, &line).as_deref(), expected, "{line}");
        }
        let pasted = r#"log_format x escape=json '{"r":"$request","s":"$status","a":"$upstream_addr","c":"$upstream_connect_time"}';"#;
        for (address, connect, expected) in [
            ("10.0.0.1:80", "-", Some("nginx_not_connected")),
            ("10.0.0.1:80", "0.001", None),
            ("", "", None),
        ] {
            let line = format!(r#"{{"r":"POST /a HTTP/1.1","s":"502","a":"{address}","c":"{connect}"}}"#);
            assert_eq!(proof(pasted, &line).as_deref(), expected, "{line}");
        }
    }
}
