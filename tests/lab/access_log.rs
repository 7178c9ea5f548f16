/// A line of the combined format.
pub(crate) fn line(request: &str, status: u16) -> String {
    format!(
        "203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"{request} HTTP/1.1\" {status} 157 \"-\" \"curl/8.9\"\n"
    )
}

/// `log` with `[…]` in place of every time stamp of a line's beginning.
pub(crate) fn without_times(log: &str) -> String {
    let without = |line: &str| match (line.find('['), line.find(']')) {
        (Some(open), Some(close)) => format!("{}[…]{}\n", &line[..open], &line[close + 1..]),
        _ => format!("{line}\n"),
    };
    log.lines().map(without).collect()
}

/// The lines of `log` in their alphabetical order.
pub(crate) fn sorted(log: &str) -> String {
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// What the lines of refires in a combined log say, in alphabetical order: `METHOD TARGET STATUS USER-AGENT`, without ids.
pub(crate) fn refires(lines: &[String]) -> String {
    let said = |line: &String| {
        let fields: Vec<&str> = line.split('"').collect();
        let request = fields[1].rsplit_once(' ').expect("a request line").0;
        let status = fields[2].split(' ').nth(1).expect("a status");
        let agent = fields[fields.len() - 2].split_once("id=").map_or("no id", |(before, _)| before);
        format!("{request} {status} {agent}id=…\n")
    };
    sorted(&lines.iter().map(said).collect::<String>())
}
