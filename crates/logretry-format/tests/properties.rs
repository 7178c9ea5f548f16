//! What holds for all lines, all bytes, all specs.

use logretry_format::{Change, Format, LineError, Spans, detect, presets};
use logretry_record::Mark;
use proptest::prelude::*;

/// What a client may send as a target: no space, no control that ends a line, no fragment.
fn target() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>().prop_filter("ends the line", |byte| !b"\n\r# ".contains(byte)), 0..40)
        .prop_map(|tail| [b"/", tail.as_slice()].concat())
}

fn nginx(value: &[u8]) -> Vec<u8> {
    value
        .iter()
        .flat_map(|&byte| match byte {
            b'"' | b'\\' | 0..0x20 | 0x7f.. => format!("\\x{byte:02X}").into_bytes(),
            _ => vec![byte],
        })
        .collect()
}

fn nginx_json(value: &[u8]) -> Vec<u8> {
    value
        .iter()
        .flat_map(|&byte| match byte {
            b'"' | b'\\' => vec![b'\\', byte],
            b'\n' => b"\\n".to_vec(),
            b'\r' => b"\\r".to_vec(),
            b'\t' => b"\\t".to_vec(),
            8 => b"\\b".to_vec(),
            12 => b"\\f".to_vec(),
            0..0x20 => format!("\\u{byte:04X}").into_bytes(),
            _ => vec![byte],
        })
        .collect()
}

fn apache(value: &[u8]) -> Vec<u8> {
    value
        .iter()
        .flat_map(|&byte| match byte {
            b'"' | b'\\' => vec![b'\\', byte],
            b'\n' => b"\\n".to_vec(),
            b'\r' => b"\\r".to_vec(),
            b'\t' => b"\\t".to_vec(),
            8 => b"\\b".to_vec(),
            11 => b"\\v".to_vec(),
            0..0x20 | 0x7f.. => format!("\\x{byte:02x}").into_bytes(),
            _ => vec![byte],
        })
        .collect()
}

fn gunicorn(value: &[u8]) -> Vec<u8> {
    value.iter().flat_map(|&byte| if byte == b'"' { b"\\\"".to_vec() } else { vec![byte] }).collect()
}

/// `lf_encode_string` of HAProxy with `url_encode_map`; in captures `{`, `|` and `}` too.
fn haproxy(value: &[u8]) -> Vec<u8> {
    value
        .iter()
        .flat_map(|&byte| match byte {
            b'"' | b'#' | b'{' | b'|' | b'}' | 0..0x20 | 0x7f.. => format!("#{byte:02X}").into_bytes(),
            _ => vec![byte],
        })
        .collect()
}

/// The same with `+E`.
fn haproxy_escaped(value: &[u8]) -> Vec<u8> {
    let hashed = haproxy(value);
    let escaped = |byte| matches!(byte, b'\\' | b']');
    hashed.into_iter().flat_map(|byte| if escaped(byte) { vec![b'\\', byte] } else { vec![byte] }).collect()
}

/// `escapeAndAppend` of Tomcat, whose headers are Latin-1.
fn tomcat(value: &[u8]) -> Vec<u8> {
    value
        .iter()
        .flat_map(|&byte| match byte {
            b'"' | b'\\' => vec![b'\\', byte],
            b'\n' => b"\\n".to_vec(),
            b'\r' => b"\\r".to_vec(),
            b'\t' => b"\\t".to_vec(),
            12 => b"\\f".to_vec(),
            0..0x20 | 0x7f.. => format!("\\u{byte:04x}").into_bytes(),
            _ => vec![byte],
        })
        .collect()
}

fn percent_decode(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}

type Escape = fn(&[u8]) -> Vec<u8>;

fn line(before: &str, escape: Escape, target: &[u8], between: &str, agent: &[u8], after: &str) -> Vec<u8> {
    [before.as_bytes(), &escape(target), between.as_bytes(), &escape(agent), after.as_bytes()].concat()
}

const HAPROXY: &str = "log-format '[%tr] %{+Q}r %ST %{+Q}[req.hdr(user-agent)]'";

const HAPROXY_ESCAPED: &str = "log-format '%{+Q,+E}r %ST %{+Q,+E}[req.hdr(user-agent)]'";

const JSON: &str = r#"log_format j escape=json '{"r":"$request","s":$status,"ua":"$http_user_agent"}';"#;

proptest! {
    #[test]
    fn what_a_producer_escapes_is_read_as_it_was(target in target(), agent in prop::collection::vec(any::<u8>(), 0..20)) {
        let combined = "::1 - - [22/Nov/2026:06:41:41 +0000] \"GET ";
        for (spec, escape, before, between, after) in [
            ("combined", nginx as Escape, combined, " HTTP/1.1\" 500 1 \"-\" \"", "\""),
            ("combined", apache as Escape, combined, " HTTP/1.1\" 500 1 \"-\" \"", "\""),
            ("tomcat:combined", tomcat as Escape, combined, " HTTP/1.1\" 500 1 \"-\" \"", "\""),
            (HAPROXY, haproxy as Escape, "[22/Nov/2026:06:41:42.866] \"GET ", " HTTP/1.1\" 500 \"", "\""),
            (HAPROXY_ESCAPED, haproxy_escaped as Escape, "\"GET ", " HTTP/1.1\" 500 \"", "\""),
            (JSON, nginx_json as Escape, "{\"r\":\"GET ", " HTTP/1.1\",\"s\":500,\"ua\":\"", "\"}"),
        ] {
            let format = Format::compile(spec).expect("a format");
            let line = line(before, escape, &target, between, &agent, after);
            let exchange = format.parse(&line, &mut Spans::new()).expect("a line").exchange();
            prop_assert_eq!(exchange.method.as_deref(), Some("GET"));
            prop_assert_eq!(exchange.status, Some(500));
            let read = exchange.target.expect("a target");
            prop_assert!(read.bytes().all(|byte| byte.is_ascii_graphic()));
            // `%41` that the client sent stays `%41`, so both sides are decoded.
            prop_assert_eq!(percent_decode(&read), percent_decode(&String::from_utf8_lossy(&hide(&target))));
            if !matches!(agent.as_slice(), b"" | b"-" | b"\"\"") {
                prop_assert_eq!(exchange.user_agent.map(Vec::from), Some(agent.clone()));
            }
        }
    }

    #[test]
    fn gunicorn_s_lines_are_read_or_refused(target in target(), agent in target()) {
        let format = Format::compile("gunicorn").expect("a format");
        let line = line(
            "::1 - - [22/Nov/2026:06:41:41 +0000] \"GET ", gunicorn, &target, " HTTP/1.1\" 500 1 \"-\" \"", &agent, "\"",
        );
        match format.parse(&line, &mut Spans::new()).map(|parsed| parsed.exchange()) {
            Ok(exchange) => prop_assert_eq!(
                percent_decode(&exchange.target.expect("a target")),
                percent_decode(&String::from_utf8_lossy(&hide(&target)))
            ),
            Err(error) => prop_assert_eq!(error, LineError::Ambiguous),
        }
    }

    #[test]
    fn what_is_not_escaped_is_read_or_refused(target in target(), agent in target()) {
        for (preset, before, between, after) in [
            ("jetty", "::1 - - [22/Nov/2026:06:41:41 +0000] \"GET ", " HTTP/1.1\" 500 1 \"-\" \"", "\""),
            ("squid_combined", "::1 - - [22/Nov/2026:06:41:41 +0000] \"GET http://h", " HTTP/1.1\" 500 1 \"-\" \"", "\" TCP_MISS:HIER_NONE"),
            ("envoy", "[2026-11-22T06:41:42.866Z] \"GET ", " HTTP/2\" 500 UF 1 1 1 - \"-\" \"", "\" \"id\" \"h\" \"-\""),
        ] {
            let format = Format::compile(preset).expect("a preset");
            let line = line(before, <[u8]>::to_vec, &target, between, &agent, after);
            match format.parse(&line, &mut Spans::new()).map(|parsed| parsed.exchange()) {
                Ok(exchange) => prop_assert_eq!(
                    percent_decode(&exchange.target.expect("a target")),
                    percent_decode(&String::from_utf8_lossy(&hide(&target)))
                ),
                Err(error) => prop_assert!(matches!(error, LineError::Ambiguous | LineError::TooManyReadings { .. }), "{}", error),
            }
        }
    }

    #[test]
    fn no_configuration_makes_a_panic(text in "(log_format|LogFormat|log-format|option httplog|frontend x|[\"'$%{}()#;a-zA-Z0-9 \\\\\n]{0,20}){0,8}") {
        let _ = Format::from_config(&text, None);
        let _ = Format::from_config(&text, Some("x"));
    }

    #[test]
    fn no_bytes_make_a_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
        for preset in presets() {
            let format = Format::compile(preset.name).expect("a preset");
            let _ = format.parse(&line, &mut Spans::new()).map(|parsed| parsed.exchange());
        }
        detect([line.as_slice()].into_iter());
    }

    #[test]
    fn a_rewritten_line_differs_only_where_it_may(
        preset in 0..presets().len(),
        at in any::<prop::sample::Index>(),
        with in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let preset = &presets()[preset];
        let format = Format::compile(preset.name).expect("a preset");
        let (header, line) = preset.example.split_once('\n').unwrap_or(("", preset.example));
        let format = format.header(header.as_bytes()).unwrap_or(format);
        let mut line = line.as_bytes().to_vec();
        let at = at.index(line.len());
        line.splice(at..at, with);
        let mark = Mark::default();
        let time = "2026-12-01T00:30:05Z".parse().expect("a time");
        let change = Change { mark: &mark, time, status: None, bytes: Some(7), duration_ms: Some(1.0) };
        let mut spans = Spans::new();
        let Ok(before) = format.parse(&line, &mut spans) else { return Ok(()) };
        let mut out = Vec::new();
        format.rewrite(&line, &change, &mut out).expect("a line that was read");
        let mut spans = Spans::new();
        let after = format.parse(&out, &mut spans).expect("a line of the same format");
        let (was, is) = (before.exchange(), after.exchange());
        prop_assert_eq!(is.target, was.target.map(|target| mark.put_on(&target)));
        prop_assert_eq!(is.status, Some(0));
        for (was, is) in before.fields().zip(after.fields()) {
            let may_change = ["request line: method and URL", "status", "time", "bytes", "duration"];
            let is_url = was.used_for.starts_with("URL");
            prop_assert!(was.raw == is.raw || is_url || may_change.contains(&was.used_for), "{}", was.name);
        }
    }

    #[test]
    fn no_spec_makes_a_panic(spec in "(nginx:|apache:|gunicorn:|haproxy:|envoy:|tomcat:|varnish:|line:|regex:|log_format x |LogFormat |log-format |)[\"'$%{}()>!a-zA-Z0-9_ \\\\;=,é-]{0,60}") {
        let Ok(format) = Format::compile(&spec) else { return Ok(()) };
        let again = Format::compile(format.name());
        prop_assert_eq!(again.as_ref().map(Format::name), Ok(format.name()));
    }

    #[test]
    fn the_name_of_every_pasted_format_reads_back(
        (prefix, fields) in prop_oneof![
            Just(("haproxy:", "%ST %{+Q}r ")),
            Just(("envoy:", "%RESPONSE_CODE% %REQ(:PATH)% ")),
            Just(("tomcat:", "%s %r ")),
            Just(("varnish:", "%s %r ")),
            Just(("apache:", "%>s %r ")),
            Just(("gunicorn:", "%(s)s %(r)s ")),
            Just(("line:", "{status} {request} ")),
            Just(("regex:", "(?<status>.*) (?<request>.*) ")),
        ],
        text in "[\"'$&;#|a-z \\\\\n\t]{0,12}",
    ) {
        let Ok(format) = Format::compile(&format!("{prefix}{fields}{text}")) else { return Ok(()) };
        let again = Format::compile(format.name());
        prop_assert_eq!(again.as_ref().map(Format::name), Ok(format.name()));
        prop_assert!(again.expect("it reads back").fields().eq(format.fields()));
    }

    #[test]
    fn the_name_of_every_format_reads_back(pieces in prop::collection::vec(piece(), 0..8), escape in 0..3_usize) {
        let escape = ["default", "json", "none"][escape];
        let text: String = pieces.concat();
        let spec = format!("log_format x escape={escape} '$request|$status|{text}';");
        let Ok(format) = Format::compile(&spec) else { return Ok(()) };
        let again = Format::compile(format.name());
        prop_assert_eq!(again.as_ref().map(Format::name), Ok(format.name()));
        let again = again.expect("it reads back");
        prop_assert!(again.fields().eq(format.fields()));
        let line = b"GET /a|500|x";
        prop_assert_eq!(
            format.parse(line, &mut Spans::new()).map(|parsed| parsed.exchange()),
            again.parse(line, &mut Spans::new()).map(|parsed| parsed.exchange())
        );
    }
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(" $host".to_owned()),
        Just("$request_time".to_owned()),
        Just("${args}".to_owned()),
        Just("\\n\\t\\\\".to_owned()),
        Just("\\'\"".to_owned()),
        "[ -&(-\\[\\]-~]{1,5}",
    ]
}

/// `target` with what may not stand in a URL percent-encoded, so that it is text.
fn hide(target: &[u8]) -> Vec<u8> {
    target
        .iter()
        .flat_map(|&byte| if byte >= 0x80 { format!("%{byte:02X}").into_bytes() } else { vec![byte] })
        .collect()
}
