use std::collections::HashSet;

use bstr::ByteSlice as _;
use logretry_format::Format;
use logretry_record::{Record, Shown};
use logretry_stage::{Context, Stage, Watch};

/// Says of each format of a followed log in which refires would not be known: the log may be that of the very server that is asked, and each refire that
/// fails there would be another request to send again.
///
/// Nothing is to be said where they `are_known` anyway.
pub(super) fn tell_where_refires_are_not_known(cx: &Context, are_known: bool) -> impl Stage + use<> {
    let cx = cx.clone();
    let (mut last, mut told) = (String::new(), HashSet::new());
    Watch(move |record: &Record| {
        let origin = record.origin();
        if are_known || origin.format == last {
            return;
        }
        last.clone_from(&origin.format);
        let is_first = told.insert(origin.format.clone());
        if is_first && record.original().user_agent.is_none() && !names_agents(&origin.format, &origin.text) {
            cx.notes().say(format_args!(
                "{}: line {}, in format {}, names no user agent, by which refires are known: if this is the log of the server that is asked, those that fail \
                 there are sent again as requests of their own; log the user agent, or give --send-mark",
                Shown(&origin.source),
                origin.line,
                Shown(origin.format.as_bytes()),
            ));
        }
    })
}

/// Whether a line of this format can say by whose program it was caused: in a field of its own, or among captured headers, in braces. Of JSON it is enough
/// that some name in it ends so: whatever it is, the line of a refire would hold what it is known by.
fn names_agents(format: &str, line: &[u8]) -> bool {
    let is_elsewhere = if line.trim_ascii_start().starts_with(b"{") {
        line.to_ascii_lowercase().find_iter(b"agent").any(|at| matches!(line.get(at + 5), Some(b'"' | b'\\')))
    } else {
        line.contains(&b'{')
    };
    is_elsewhere || Format::compile(format).is_ok_and(|format| format.has_user_agent_in(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_without_user_agents_are_known() {
        for format in ["combined", "vhost_combined", "alb", "$status $request $http_user_agent"] {
            assert!(names_agents(format, b"a line"), "{format}");
        }
        for format in ["common", "squid", "$status $request", "ltsv:status=s,request=r"] {
            assert!(!names_agents(format, b"a line"), "{format}");
        }
        for line in [
            r#"{"status":500,"uri":"/a","ua":null}"#,
            r#"{"status":500,"uri":"/a","headers":{"User-Agent":["curl/8.9"]}}"#,
            r#"{"status":500,"uri":"/a","headers":"{\"userAgent\":\"curl/8.9\"}"}"#,
        ] {
            assert!(names_agents("json", line.as_bytes()), "{line}");
        }
        assert!(!names_agents("json", br#"{"status":500,"uri":"/agent/7"}"#));
        assert!(
            names_agents("ltsv", b"status:500\turi:/a\tua:-") && !names_agents("ltsv", b"status:500\turi:/a")
        );
        assert!(
            names_agents("haproxy", b"a line {shop.example|curl/8.9}") && !names_agents("haproxy", b"a line")
        );
    }
}
