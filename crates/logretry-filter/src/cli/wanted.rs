//! The entries of lists in flags, as a person writes them. One that could select nothing is refused, since an empty selection looks like a log without failures.

use jiff::{Timestamp, Zoned};

use crate::parse_moment;

/// Since when requests are wanted. A time of day that is still to come is refused: at three in the morning, `22:00` is meant to be yesterday's.
pub(super) fn beginning(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    let moment = parse_moment(text, now).map_err(|error| error.to_string())?;
    let names_a_day = text.contains(['-', 'T']) || !text.contains(':');
    if names_a_day || moment <= now.timestamp() {
        return Ok(moment);
    }
    let yesterday = now.date().yesterday().map(|day| day.to_string()).unwrap_or_default();
    let time = text.trim();
    Err(format!("`{time}` is still to come today; write its day too, as in `{yesterday} {time}`"))
}

/// A method that is wanted: a token (RFC 9110 §9.1), without the blanks around it.
pub(super) fn method(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => {
            Err("a method is missing; name one, as in `GET,HEAD`, or leave --method out for all".to_owned())
        }
        "*" => Err("every method is selected if --method is left out".to_owned()),
        name if name.bytes().all(is_token_byte) => Ok(name.to_owned()),
        name => Err(format!("`{name}` is not a method; join methods by commas, as in `GET,HEAD`")),
    }
}

/// RFC 9110 §5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A host that is wanted, without the blanks around it.
pub(super) fn host(text: &str) -> Result<String, String> {
    let host = text.trim();
    if host.is_empty() {
        return Err(
            "a host is missing; name one, as in `shop.example`, or leave --host out for all".to_owned()
        );
    }
    if let Some((before, after)) = host.split_once("//")
        && (before.is_empty() || before.ends_with(':'))
    {
        let name = after.split('/').next().unwrap_or_default();
        return Err(format!("`{host}` is a URL, and a host is meant; write `{name}`"));
    }
    if let Some((name, _)) = host.split_once('/') {
        return Err(format!(
            "`{host}` has a path, and a host is meant; write `{name}`, and the path after --path"
        ));
    }
    if host == "*" {
        return Err("every host is selected if --host is left out".to_owned());
    }
    if host.strip_prefix("*.").unwrap_or(host).contains(['*', '?']) {
        return Err(format!(
            "`{host}` fits no host: a `*` stands for names below another, as in `*.shop.example`"
        ));
    }
    if host.contains(char::is_whitespace) {
        return Err(format!(
            "`{host}` is not a host; join hosts by commas, as in `shop.example,other.example`"
        ));
    }
    Ok(host.to_owned())
}

/// A pattern of paths that are wanted.
pub(super) fn path(text: &str) -> Result<String, String> {
    if text.starts_with(['/', '*', '?', '[', '{', '\\']) {
        Ok(text.to_owned())
    } else if text.contains("://") {
        Err(format!("`{text}` is a URL, and a path is meant; its host goes after --host"))
    } else {
        Err(format!("`{text}` does not begin with `/`, as every path does; write `/{text}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_select_something_is_taken_without_the_blanks_around_it() {
        assert_eq!(method(" HEAD\t"), Ok("HEAD".to_owned()));
        assert_eq!(method("M-SEARCH"), Ok("M-SEARCH".to_owned()));
        for name in ["shop.example", "*.shop.example", "shop.example:8443", "[::1]:80", "_", "bücher.example"]
        {
            assert_eq!(host(&format!(" {name} ")), Ok(name.to_owned()));
        }
        for pattern in ["/api/*", "*.php", "{/a,/b}", "[/]x", "\\*"] {
            assert_eq!(path(pattern), Ok(pattern.to_owned()));
        }
    }

    #[test]
    fn what_could_select_nothing_is_refused_with_what_to_do() {
        for (refused, advice) in [
            (method(""), "GET,HEAD"),
            (method(" "), "GET,HEAD"),
            (method("*"), "left out"),
            (method("GET HEAD"), "by commas"),
            (method("GET;HEAD"), "by commas"),
            (host(""), "shop.example"),
            (path("api/*"), "write `/api/*`"),
            (path(""), "write `/`"),
            (path("https://shop.example/api"), "--host"),
            (host("*"), "left out"),
            (host("shop.*"), "`*.shop.example`"),
            (host("*.*"), "`*.shop.example`"),
            (host("shop?.example"), "`*.shop.example`"),
            (host("https://shop.example"), "write `shop.example`"),
            (host("//shop.example/api"), "write `shop.example`"),
            (host("shop.example/api"), "--path"),
            (host("shop.example other.example"), "by commas"),
        ] {
            let message = refused.expect_err(advice);
            assert!(message.contains(advice), "{message}");
        }
    }

    #[test]
    fn a_time_of_day_begins_a_selection_only_if_it_has_been() {
        let now: Zoned = "2026-11-22T03:00:00+01:00[Europe/Berlin]".parse().expect("a time");
        for (text, moment) in [
            ("02:59", "2026-11-22T01:59:00Z"),
            ("03:00", "2026-11-22T02:00:00Z"),
            ("2026-11-21 22:00", "2026-11-21T21:00:00Z"),
            // Whoever writes the day means it: the clock of the log's machine may be ahead.
            ("2026-11-22 22:00", "2026-11-22T21:00:00Z"),
            ("20261122T22:00", "2026-11-22T21:00:00Z"),
            ("2h", "2026-11-22T00:00:00Z"),
        ] {
            assert_eq!(beginning(text, &now).map(|moment| moment.to_string()), Ok(moment.to_owned()));
        }
        for (text, advice) in [
            ("22:00", "`2026-11-21 22:00`"),
            (" 03:01 ", "`2026-11-21 03:01`"),
            ("20:00[Europe/Berlin]", "`2026-11-21 20:00[Europe/Berlin]`"),
        ] {
            let message = beginning(text, &now).expect_err(text);
            assert!(message.contains(advice), "{message}");
        }
    }
}
