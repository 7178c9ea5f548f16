use std::collections::HashSet;

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
        if told.insert(origin.format.clone()) && !names_agents(&origin.format, &origin.text) {
            cx.notes().say(format_args!(
                "{}: format {} names no user agent, by which refires are known: if this is the log of the server that is asked, those that fail there are sent \
                 again as requests of their own; log the user agent, or give --send-mark",
                Shown(&origin.source),
                Shown(origin.format.as_bytes()),
            ));
        }
    })
}

/// Whether a line of this format can say by whose program it was caused: in a field of its own, or among captured headers, in braces.
fn names_agents(format: &str, line: &[u8]) -> bool {
    line.contains(&b'{') || Format::compile(format).is_ok_and(|format| format.has_user_agent())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_without_user_agents_are_known() {
        for format in ["combined", "vhost_combined", "json", "alb", "$status $request $http_user_agent"] {
            assert!(names_agents(format, b"a line"), "{format}");
        }
        for format in ["common", "squid", "$status $request", "ltsv:status=s,request=r"] {
            assert!(!names_agents(format, b"a line"), "{format}");
        }
        assert!(names_agents("haproxy", b"{shop.example|curl/8.9}") && !names_agents("haproxy", b"a line"));
    }
}
