use logretry_record::{Exchange, Record, Shown};
use logretry_stage::{Context, Stage, Watch};

/// Says once that the log tells of several hosts, where all requests go to one server whatever host they were for: what was for another one is another page there, or none.
pub(super) fn tell_of_several_hosts(cx: &Context, go_to_one: bool) -> impl Stage + use<> {
    let cx = cx.clone();
    let (mut first, mut is_told): (Option<String>, bool) = (None, !go_to_one);
    Watch(move |record: &Record| {
        if is_told {
            return;
        }
        let Some(host) = name(record.original()) else { return };
        let Some(first) = &first else {
            first = Some(host);
            return;
        };
        if *first != host {
            is_told = true;
            cx.notes().say(format_args!(
                "the log tells of several hosts ({}, {} …), and --base-url sends the requests for all of them to one: choose those of one with --host, or give \
                 each that is to get its own an --allow-host instead of --base-url",
                Shown(first.as_bytes()),
                Shown(host.as_bytes()),
            ));
        }
    })
}

/// The host that a log names in a field, without its port: a server that listens on two has one name.
pub(super) fn name(original: &Exchange) -> Option<String> {
    let host = original.host.as_ref()?.to_string().to_ascii_lowercase();
    let is_port = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) && !name.ends_with(':') => name,
        _ => &host,
    };
    // A dot at the end says that the name is whole (RFC 1034 §3.1).
    Some(name.strip_suffix('.').unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_name_whatever_its_port() {
        for (host, expected) in [
            ("shop.example", "shop.example"),
            ("Shop.Example:443", "shop.example"),
            ("shop.example.:443", "shop.example"),
            ("[2001:db8::1]:8443", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
        ] {
            let original = Exchange { host: Some(host.into()), ..Exchange::default() };
            assert_eq!(name(&original).as_deref(), Some(expected));
        }
        assert_eq!(name(&Exchange::default()), None);
    }
}
