use super::*;

fn entries(capture: &[u8], max: usize) -> Vec<(u64, u64, String, bool)> {
    let mut gor = Gor::new(capture, max, 0);
    let mut all = Vec::new();
    while let Some(line) = gor.next().expect("memory") {
        all.push((line.number, line.offset, String::from_utf8_lossy(line.text).into_owned(), line.cut));
    }
    all
}

fn capture(payloads: &[&str]) -> Vec<u8> {
    payloads.iter().flat_map(|payload| [payload.as_bytes(), SEPARATOR].concat()).collect()
}

fn texts(payloads: &[&str]) -> Vec<String> {
    entries(&capture(payloads), 100).into_iter().map(|(_, _, text, _)| text).collect()
}

#[test]
fn a_request_and_its_response_are_one_entry() {
    let payloads = [
        "1 aaaaaaaa1 1795329862135079900 0\nPOST /a HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 4\r\n\r\na\n=b",
        "1 bbbbbbbb2 1795329862135079901 0\nGET /b?c HTTP/1.1\r\n\r\n",
        "2 bbbbbbbb2 1795329863135079901 1000\nHTTP/1.1 200 OK\r\n\r\nhello",
        "3 aaaaaaaa1 1795329863137079900 1002000000\nHTTP/1.1 200 OK\r\n\r\n",
        "2 aaaaaaaa1 1795329863137079900 1002000000\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 Bad Gateway\r\nA: b\r\n\r\n",
    ];
    let all = entries(&capture(&payloads), 100);
    assert_eq!(
        all[0].2,
        r#"{"body":"","bytes":5,"duration_ns":1000,"gor":"bbbbbbbb2","headers":[],"method":"GET","status":200,"target":"/b?c","time":1795329862135079901}"#
    );
    assert_eq!(
        all[1],
        (
            1,
            0,
            r#"{"body":"a\n=b","bytes":0,"duration_ns":1002000000,"gor":"aaaaaaaa1","headers":[{"name":"Host","value":"shop.example"},{"name":"Content-Length","value":"4"}],"host":"shop.example","method":"POST","status":502,"target":"/a","time":1795329862135079900}"#.to_owned(),
            false
        )
    );
    assert_eq!(all.len(), 2);
}

/// A form lost its boundary, and was sent without it.
#[test]
fn a_header_that_goes_on_in_the_next_line_is_whole() {
    let request =
        "POST /a HTTP/1.1\r\nContent-Type: multipart/form-data;\r\n\tboundary=b\r\nA:\r\n b\r\n\r\n";
    let text = texts(&[&format!("1 aaaaaaaa1 1795329862135079900 0\n{request}")]).remove(0);
    let headers = r#""headers":[{"name":"Content-Type","value":"multipart/form-data;\r\n\tboundary=b"},{"name":"A","value":"b"}]"#;
    assert!(text.contains(headers), "{text}");
}

#[test]
fn a_body_is_there_only_if_it_is_whole() {
    let request = |rest: &str| {
        let text =
            texts(&[&format!("1 aaaaaaaa1 1795329862135079900\nPOST /a HTTP/1.1\r\n{rest}")]).remove(0);
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")
    };
    assert_eq!(
        request("Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n")["body"],
        "abc"
    );
    for lost in [
        "Content-Length: 4\r\n\r\nabc",
        "Content-Length: 2\r\n\r\nabc",
        "Content-Length: x\r\n\r\nabc",
        "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\nab\r\n0\r\n",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab\r\n0\r\n",
    ] {
        assert_eq!(request(lost)["lost"], "body", "{lost}");
    }
}

#[test]
fn halves_and_what_is_no_payload_come_out_too() {
    assert_eq!(
        texts(&[
            "2 cccccccc3 1795329863137079900 7\nHTTP/1.1 503 Service Unavailable\r\n\r\n",
            "1 aaaaaaaa1 1795329862135079900 0\nnot HTTP",
            "noise",
            "1 bbbbbbbb2 1795329862135079901 0\nGET /\u{e9}\u{1} HTTP/1.0\r\n\r\n",
        ]),
        [
            r#"{"bytes":0,"duration_ns":7,"gor":"cccccccc3","status":503,"time":1795329863137079900}"#,
            "1 aaaaaaaa1 1795329862135079900 0\nnot HTTP",
            "noise",
            r#"{"body":"","gor":"bbbbbbbb2","headers":[],"method":"GET","target":"/%C3%A9%01","time":1795329862135079901}"#,
        ]
    );
}

#[test]
fn without_a_limit_nothing_is_too_long() {
    let payload = "1 aaaaaaaa1 1795329862135079900 0\nGET /a HTTP/1.1\r\n\r\n";
    assert_eq!(entries(&capture(&[payload]), usize::MAX), entries(&capture(&[payload]), 100));
}

#[test]
fn what_is_too_long_is_cut_and_a_response_may_be_of_any_length() {
    let long = "x".repeat(200_000);
    let all = entries(
        &capture(&[
            &format!(
                "1 aaaaaaaa1 1795329862135079900 0\nPOST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n{long}"
            ),
            "1 bbbbbbbb2 1795329862135079901 0\nGET / HTTP/1.1\r\n\r\n",
            &format!("2 bbbbbbbb2 1795329862135079901 0\nHTTP/1.1 502 Bad Gateway\r\n\r\n{long}"),
        ]),
        1000,
    );
    assert_eq!((all[0].0, all[0].3), (1, true));
    assert!(all[1].2.contains(r#""bytes":200000,"#) && all[1].2.contains(r#""status":502"#), "{all:?}");
    assert_eq!(all.len(), 2);
}
