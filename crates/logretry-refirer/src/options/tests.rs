use super::*;

#[test]
fn a_name_is_resolved_by_hand_as_curl_does_it() {
    let mut resolve = Resolve::default();
    for text in ["Shop.example:443:10.0.0.7", "b.example:80:[::1],127.0.0.1", "c.example:80:::1"] {
        resolve.add(text).expect(text);
    }
    assert_eq!(resolve.addresses[&("shop.example".to_owned(), 443)], [IpAddr::from([10, 0, 0, 7])]);
    assert_eq!(resolve.addresses[&("b.example".to_owned(), 80)].len(), 2);
    for text in [
        "",
        "a",
        "a:80",
        "a:80:",
        "a:80:b",
        "a:0:127.0.0.1",
        ":80:127.0.0.1",
        "127.0.0.1:80:10.0.0.1",
        "*:80:::1",
    ] {
        assert!(resolve.add(text).is_err(), "{text:?} was taken");
    }
}

#[test]
fn a_name_to_which_nothing_is_sent_is_not_resolved_by_hand() {
    let destination = |base_url: Option<&str>, allowed: &[&str]| Destination {
        base_url: base_url.map(|url| url.parse().expect("a base URL")),
        allow_hosts: allowed.iter().map(|host| host.parse().expect("a host")).collect(),
        allow_private: false,
    };
    let check = |name: &str, destination: &Destination| {
        let mut resolve = Resolve::default();
        resolve.add(&format!("{name}:10.0.0.7")).expect("a name");
        resolve.check(destination).map_err(|error| error.to_string())
    };
    for (name, base_url, allowed, is_used) in [
        ("Shop.example:443", Some("https://shop.example/v1"), &[][..], true),
        ("shop.example:80", Some("https://shop.example"), &[], false),
        ("shop.example:443", Some("https://shop.example:8443"), &[], false),
        ("b.example:443", Some("https://shop.example"), &["b.example"], false),
        ("a.example:80", None, &["b.example", "a.example"], true),
        ("a.example:443", None, &["a.example"], true),
        ("a.example:80", None, &["https://a.example"], false),
        ("a.example:8080", None, &["a.example:8080"], true),
        ("a.example:8080", None, &["a.example"], false),
    ] {
        assert_eq!(check(name, &destination(base_url, allowed)).is_ok(), is_used, "{name} {base_url:?}");
    }
    assert_eq!(
        check("shop.example:80", &destination(Some("https://shop.example"), &[])),
        Err("use --resolve for `shop.example:80`: nothing is sent there, but to https://shop.example"
            .to_owned())
    );
    assert_eq!(
        check("a.example:8080", &destination(None, &["a.example"])),
        Err("use --resolve for `a.example:8080`: nothing is sent there, but to the hosts of --allow-host"
            .to_owned())
    );
}

#[test]
fn a_proxy_is_a_plain_url_and_its_password_is_never_shown() {
    let proxy: ProxyUrl = "http://user:secret@proxy.example:3128".parse().expect("a proxy");
    assert!(!format!("{proxy:?}").contains("secret"));
    for text in ["", "proxy.example:3128", "socks5://p", "http://p/path", "http://user:secret@p/?x"] {
        let error = text.parse::<ProxyUrl>().expect_err(text).to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn times_without_end_can_be_waited_for() {
    let endless = Backoff { first: Duration::MAX, max: Duration::MAX };
    let options = Options {
        settle: Duration::MAX,
        backoff: endless,
        timeout: Duration::MAX,
        max_time: Some(Duration::MAX),
        ..Options::default()
    };
    let options = options.with_times_in_reach();
    let wait = options.backoff.wait(u32::MAX, 1.0);
    for time in [wait, options.settle, options.timeout, options.max_time.expect("there is one")] {
        assert!(std::time::Instant::now().checked_add(time).is_some(), "{time:?}");
    }
    assert_eq!(options.connect_timeout, Options::default().connect_timeout);
}
