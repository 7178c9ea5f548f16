//! What holds for all values and all bytes in keyed formats.

use logretry_format::{Change, Format, Spans};
use logretry_record::{Exchange, Mark};
use proptest::prelude::*;

type Encode = fn(&[u8]) -> Vec<u8>;

fn backslashes(value: &[u8], is_plain: fn(u8) -> bool) -> Vec<u8> {
    value
        .iter()
        .flat_map(|&byte| if is_plain(byte) { vec![byte] } else { format!("\\x{byte:02X}").into_bytes() })
        .collect()
}

/// nginx's default escape.
fn nginx(value: &[u8]) -> Vec<u8> {
    backslashes(value, |byte| (0x20..0x7f).contains(&byte) && !b"\"\\".contains(&byte))
}

/// Only what would break JSON, the rest raw.
fn raw(value: &[u8]) -> Vec<u8> {
    value
        .iter()
        .flat_map(|&byte| match byte {
            b'"' | b'\\' => vec![b'\\', byte],
            0..0x20 => format!("\\u{byte:04x}").into_bytes(),
            _ => vec![byte],
        })
        .collect()
}

/// What docker and Go's encoder do on top of that.
fn go(value: &[u8]) -> Vec<u8> {
    let escaped = value.iter().flat_map(|&byte| match byte {
        b'&' | b'<' | b'>' => format!("\\u{byte:04x}").into_bytes(),
        b'/' => b"\\/".to_vec(),
        byte => raw(&[byte]),
    });
    escaped.collect()
}

fn cloudfront(value: &[u8]) -> Vec<u8> {
    let is_encoded = |byte: u8| byte <= b' ' || byte >= 0x7f || b"<>\"#%{}|\\^~[]`'".contains(&byte);
    value
        .iter()
        .flat_map(|&byte| if is_encoded(byte) { format!("%{byte:02X}").into_bytes() } else { vec![byte] })
        .collect()
}

fn percent_decode(text: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(text).collect()
}

/// What a client may send: a path, and perhaps a query, without a fragment.
fn part() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>().prop_filter("ends it", |byte| !b"\n\r#? ".contains(byte)), 0..24)
}

fn read(format: &Format, line: &[u8]) -> Exchange {
    let mut spans = Spans::new();
    let parsed = format.parse(line, &mut spans);
    parsed.unwrap_or_else(|error| panic!("{error}: {}", line.escape_ascii())).exchange()
}

fn rewritten(format: &Format, line: &[u8]) -> Vec<u8> {
    let mark: Mark = "retry=100%25~x'".parse().expect("a mark");
    let time = "2026-12-01T00:30:05Z".parse().expect("a time");
    let change = Change { mark: &mark, time, status: None, bytes: Some(7), duration_ms: Some(1.0) };
    let mut out = Vec::new();
    format.rewrite(line, &change, &mut out).expect("a line that was read");
    let (was, is) = (read(format, line), read(format, &out));
    assert_eq!(is.target, was.target.map(|target| mark.put_on(&target)), "{}", out.escape_ascii());
    assert_eq!((is.status, is.host, is.method), (Some(0), was.host, was.method));
    out
}

proptest! {
    #[test]
    fn what_a_client_sent_is_read_from_each_syntax(path in part(), query in prop::option::of(part())) {
        let path = [b"/", path.as_slice()].concat();
        let sent = match &query {
            Some(query) => [path.as_slice(), b"?", query].concat(),
            None => path.clone(),
        };
        let whole: [(&str, Encode, &str, &str); 7] = [
            ("json", nginx, r#"{"time":"2026-11-22T06:22:52Z","uri":""#, r#"","status":502}"#),
            ("json", raw, r#"{"status":"502","request":"GET "#, r#" HTTP/1.1"}"#),
            ("json", go, r#"{"req":{"url":""#, r#"","method":"GET"},"res":{"statusCode":502}}"#),
            ("caddy", raw, r#"{"request":{"proto":"HTTP/1.1","method":"GET","uri":""#, r#""},"status":502,"duration":0.5}"#),
            ("ltsv", nginx, "status:502\treq:GET ", " HTTP/1.1\tvhost:h"),
            ("logfmt", nginx, "status=502 uri=\"", "\" method=GET"),
            ("json:status=.a,target=.b", raw, r#"{"a":502,"b":""#, r#""}"#),
        ];
        for (spec, encode, before, after) in whole {
            let format = Format::compile(spec).expect("a format");
            let line = [before.as_bytes(), &encode(&sent), after.as_bytes()].concat();
            let exchange = read(&format, &line);
            let target = exchange.target.expect("a target");
            prop_assert!(target.bytes().all(|byte| byte.is_ascii_graphic()));
            // `%41` that the client sent stays `%41`, so both sides are decoded.
            prop_assert_eq!(percent_decode(target.as_bytes()), percent_decode(&sent), "{}", spec);
            rewritten(&format, &line);
        }
        let apart = query.unwrap_or_default();
        let apart_line = |encode: Encode, before: &str, between: &str, after: &str| {
            let query = if apart.is_empty() { b"-".to_vec() } else { encode(&apart) };
            [before.as_bytes(), &encode(&path), between.as_bytes(), &query, after.as_bytes()].concat()
        };
        let sent = if matches!(apart.as_slice(), b"" | b"-") { path.clone() } else { [path.as_slice(), b"?", &apart].concat() };
        for (spec, line) in [
            ("w3c:x-edge-location cs-uri-stem cs-uri-query sc-status", apart_line(cloudfront, "X ", " ", " 502")),
            ("json:status=.s,path=.p,query=.q", apart_line(raw, r#"{"s":502,"p":""#, r#"","q":""#, r#""}"#)),
        ] {
            let format = Format::compile(spec).expect("a format");
            let exchange = read(&format, &line);
            let target = exchange.target.expect("a target");
            prop_assert_eq!(percent_decode(target.as_bytes()), percent_decode(&sent), "{}", spec);
            rewritten(&format, &line);
        }
    }

    #[test]
    fn lines_of_any_keys_and_values_are_marked_once(
        path in "[a-z?%/#&=-]{0,6}", query in "[a-z?%/#&=-]{0,6}", names in 0..6_usize, syntax in 0..3_usize,
    ) {
        let (one, other) = [
            ("uri", "args"), ("url", "query"), ("path", "query"), ("request_uri", "query_string"), ("request", "query"), ("request", "uri"),
        ][names];
        let path = if one == "request" { format!("GET /{path} HTTP/1.1") } else { format!("/{path}") };
        let (spec, line) = match syntax {
            0 => ("json", format!(r#"{{"status":502,"{one}":"{path}","{other}":"{query}"}}"#)),
            1 => ("ltsv", format!("status:502\t{one}:{path}\t{other}:{query}")),
            _ => ("logfmt", format!(r#"status=502 {one}="{path}" {other}="{query}""#)),
        };
        let format = Format::compile(spec).expect("a preset");
        let once = rewritten(&format, line.as_bytes());
        let twice = rewritten(&format, &once);
        prop_assert_eq!(once.escape_ascii().to_string(), twice.escape_ascii().to_string());
    }

    #[test]
    fn other_bytes_of_an_object_stay(
        junk in prop::collection::vec("[ -!#-~é]{0,12}", 0..4), at in 0..4_usize, space in "[ \t]{0,3}",
    ) {
        let mut members: Vec<String> =
            junk.iter().enumerate().map(|(index, text)| format!("\"zz{index}\"{space}:{space}\"{}\"", text.replace('\\', ""))).collect();
        members.insert(at.min(members.len()), format!("\"status\":{space}502"));
        members.push(r#""uri":"/a""#.to_owned());
        let line = format!("{{{space}{}{space}}}", members.join(&format!("{space},{space}")));
        let format = Format::compile("json").expect("a preset");
        let mark = Mark::default();
        let time = "2026-12-01T00:30:05Z".parse().expect("a time");
        let change = Change { mark: &mark, time, status: Some(200), bytes: None, duration_ms: None };
        let mut out = Vec::new();
        format.rewrite(line.as_bytes(), &change, &mut out).expect("a line");
        let expected = line.replace("502", "200").replace(r#""uri":"/a""#, r#""uri":"/a?retry=True""#);
        prop_assume!(line.matches("502").count() == 1);
        prop_assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn no_map_makes_a_panic(spec in "(json:|ltsv:|logfmt:|w3c:|#Fields:)[a-z_.,=^ \"()-]{0,60}", line in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(format) = Format::compile(&spec) {
            let name = format.name().to_owned();
            prop_assert_eq!(Format::compile(&name).map(|again| again.name().to_owned()), Ok(name));
            let _ = format.parse(&line, &mut Spans::new()).map(|parsed| parsed.exchange());
        }
    }
}
