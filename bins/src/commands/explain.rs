use std::ffi::OsString;
use std::fmt::Write as _;

use bstr::BString;
use clap::Args;
use logretry_filter::{Chooser, Quota};
use logretry_format::{Format, LineError, Parsed, Spans, Verdict, detect};
use logretry_reader::{Input, Sample, inputs};
use logretry_record::{Predicate, Record, Reject, Shown};
use logretry_refirer::{Destination, Options};
use logretry_stage::{Context, Dropped, Fatal, Result, parse_bytes};

use crate::cli::answer;

/// Shows what logretry makes of a log: its format and why, the fields of sample lines, and the URL that is rebuilt from each.
///
/// This is the command for a log that is not understood. It reads the first lines only, and opens no socket.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  logretry explain access.log
  logretry explain access.log --base-url https://shop.example --lines 1
  logretry explain access.log --format combined --lines 2")]
pub(crate) struct Explain {
    /// The log: a file, or `-` for standard input
    #[arg(value_name = "LOG")]
    log: Option<OsString>,

    /// Take this format instead of finding it out
    #[arg(long, value_name = "SPEC")]
    format: Option<String>,

    /// Build URLs for this server
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,

    /// How many lines to show, those answered with 5xx first
    #[arg(long, value_name = "N", default_value_t = 3)]
    lines: usize,

    /// Lines longer than this are not looked at
    #[arg(long, value_name = "BYTES", default_value = "1MiB", value_parser = parse_bytes)]
    line_limit: usize,
}

impl Explain {
    /// Whether the log comes from standard input, which may be a terminal.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.log.as_ref().is_none_or(|log| log == "-")
    }

    /// The log may be a pipe to which nobody writes: it is read in a thread, which a stop leaves behind.
    pub(crate) async fn run(self, cx: &Context) -> Result<()> {
        if self.reads_stdin() {
            Input::Stdin.say_if_typed(cx.notes());
        }
        let (end, ended) = tokio::sync::oneshot::channel();
        // Nobody may wait for its end any more.
        let read = move || drop(end.send(self.answer()));
        let reader = std::thread::Builder::new().name("reader".to_owned()).spawn(read);
        reader.map_err(|error| Fatal::no_thread(&error))?;
        tokio::select! {
            ended = ended => ended.unwrap_or_else(|_| Err(Fatal::new("explain the log: the reader has ended"))),
            () = cx.stops().drain.cancelled() => Ok(()),
        }
    }

    fn answer(&self) -> Result<()> {
        let base_url = self.base_url.as_deref().map(str::parse).transpose()?;
        let options =
            Options { destination: Destination { base_url, ..Destination::default() }, ..Options::default() };
        let mut text = String::new();
        for input in inputs(self.log.as_slice())? {
            self.explain(&input, &options, &mut text)?;
        }
        answer(text.as_bytes())
    }

    fn explain(&self, input: &Input, options: &Options, out: &mut String) -> Result<()> {
        let given = self.format.as_deref().map(logretry_reader::format).transpose()?;
        let sample = Sample::in_formats(input, self.line_limit, given.as_slice())?;
        let compression =
            sample.compression.map(|compression| format!(", {compression:?}")).unwrap_or_default();
        let _ =
            writeln!(out, "{}: {} lines looked at{compression}", Shown(&sample.name), sample.detection.lines);
        for wrapper in &sample.wrappers {
            let _ = writeln!(out, "wrapped: {wrapper}");
        }
        let format = match given {
            Some(format) => {
                let _ = writeln!(out, "format: {} (as given)", format.name());
                Some(format)
            }
            None => detected(&sample, out),
        };
        let Some(format) = format else {
            show_unknown(&sample, self.lines, out);
            return Ok(());
        };
        for sentence in missing(&format, options.destination.base_url.is_some()) {
            let _ = writeln!(out, "note: {sentence}");
        }
        for line in interesting(&sample, &format, self.lines) {
            explain_line(&sample, &format, line, options, out);
        }
        Ok(())
    }
}

/// Says which format it is and how the others fit; none if there is no answer.
fn detected(sample: &Sample, out: &mut String) -> Option<Format> {
    let detection = &sample.detection;
    let chosen = match &detection.verdict {
        Verdict::Chosen(format) => {
            let _ = writeln!(out, "format: {} (found out)", format.name());
            Some(format.clone())
        }
        Verdict::Ambiguous(one, other) => {
            let _ = writeln!(
                out,
                "format: {} or {}; they give different URLs, so say which with --format",
                one.name(),
                other.name()
            );
            Some(one.clone())
        }
        Verdict::Unknown => {
            let _ = writeln!(out, "format: not known{}", why_unknown(sample));
            detection.scores.first().map(|best| best.format.clone())
        }
    };
    for score in &detection.scores {
        let _ =
            writeln!(out, "  {} fits {} of {} lines", score.format.name(), score.matched, detection.lines);
    }
    chosen
}

/// Why the format is not known, and what to do about it.
fn why_unknown(sample: &Sample) -> String {
    let is_json = |line: &BString| line.starts_with(b"{") && line.trim_ascii_end().ends_with(b"}");
    let json = sample.lines.iter().filter(|line| is_json(line)).count();
    let why = if sample.detection.lines == 0 {
        ": there is no line to tell it by"
    } else if sample.is_error_log() {
        ": most lines are those of an error log, which tells no statuses; name the access log"
    } else if sample.lines.iter().any(|line| Record::decode(line).is_ok()) {
        ": its lines are records, as lr-filter, lr-refire and lr-write take them"
    } else if sample.lines.iter().any(|line| Reject::is_encoded(line)) {
        ": its lines are rejects, which `--rejects` has kept; name the log that they name"
    } else if json * 2 > sample.lines.len() {
        "; say which of its keys hold status and URL, as in --format 'json:status=.code,url=.req.url'"
    } else {
        let doubt = sample.detection.doubt.map(|doubt| format!(": {doubt}"));
        return doubt.or_else(|| take_off(sample)).unwrap_or_default()
            + "; paste the `log_format` or `LogFormat` of the server after --format (`logretry formats` lists names)";
    };
    why.to_owned()
}

/// What to take off where words that somebody has put before the lines, a pod's name or the numbers of `cat -n`, are all that is not known.
fn take_off(sample: &Sample) -> Option<String> {
    const WORDS_MAX: usize = 6;
    (1..=WORDS_MAX).find_map(|words| {
        let detection = detect(sample.lines.iter().map(|line| without_words(line, words)));
        // The last of such words looks like the host that some logs have there.
        let name = detection.chosen().map(Format::name).filter(|name| *name != "host_combined")?;
        let first = if words == 1 { "first word".to_owned() } else { format!("first {words} words") };
        Some(format!(
            ": behind their {first} its lines are in {name} (`sed -E 's/^\\s*(\\S+\\s+){{{words}}}//'`)"
        ))
    })
}

fn without_words(line: &[u8], words: usize) -> &[u8] {
    (0..words).fold(line.trim_ascii_start(), |rest, _| {
        let word = rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        rest[word..].trim_ascii_start()
    })
}

/// Shows lines that nothing reads: by them a person knows which log it is, and what to paste.
fn show_unknown(sample: &Sample, count: usize, out: &mut String) {
    let lines = sample.numbers.iter().zip(&sample.lines);
    for (number, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()).take(count) {
        let _ = writeln!(out, "\nline {number}: {}", Shown(line));
    }
}

/// What the format does not hold, and what to do about it that has not been done.
fn missing(format: &Format, has_base_url: bool) -> Vec<String> {
    let mut sentences = Vec::new();
    if !format.has_host() && !has_base_url {
        sentences.push("the format names no host, so refiring needs --base-url".to_owned());
    }
    if !format.lossy().is_empty() {
        let parts = format.lossy().join(" and ");
        sentences.push(format!(
            "the format has lost part of the URL ({parts}): refires are skipped without --allow-lossy"
        ));
    }
    if !format.has_method() {
        sentences.push("the format names no method, so every request is taken for a GET".to_owned());
    }
    if !format.has_time() {
        sentences.push(
            "the format has no time: --since and --until go by the time of what is around the lines, and select nothing where that says none"
                .to_owned(),
        );
    }
    sentences.extend(format.notes().iter().cloned());
    sentences
}

/// The lines to show: those answered with 5xx, then those that do not fit, then the others; headers and comments only where there is nothing else.
fn interesting(sample: &Sample, format: &Format, count: usize) -> Vec<usize> {
    let mut spans = Spans::new();
    let rank = |index: &usize| {
        let parsed = format.parse(&sample.lines[*index], &mut spans).map(|parsed| parsed.status());
        match parsed {
            Ok(Some(500..=599)) => 0,
            Err(error) if tells_of_no_request(&sample.lines[*index], &error) => 3,
            Err(_) => 1,
            Ok(_) => 2,
        }
    };
    let mut lines: Vec<usize> =
        (0..sample.lines.len()).filter(|&index| !sample.lines[index].trim_ascii().is_empty()).collect();
    lines.sort_by_cached_key(rank);
    lines.truncate(count);
    lines.sort_unstable();
    lines
}

fn explain_line(sample: &Sample, format: &Format, index: usize, options: &Options, out: &mut String) {
    let line = &sample.lines[index];
    let _ = writeln!(out, "\nline {}: {}", sample.numbers[index], Shown(line));
    let mut spans = Spans::new();
    match format.parse(line, &mut spans) {
        Ok(parsed) => explain_fields(&parsed, format, sample, index, options, out),
        Err(error) if tells_of_no_request(line, &error) => {
            let _ = writeln!(out, "  => no request: a header, a comment, a message; it counts as screened");
        }
        Err(error) => {
            let _ = writeln!(out, "  does not fit {}: {error}", format.name());
        }
    }
}

/// Whether a run screens a line in which no request was read, for there is none in it.
fn tells_of_no_request(line: &[u8], error: &LineError) -> bool {
    line.starts_with(b"#") || *error == LineError::NoRequest
}

fn explain_fields(
    parsed: &Parsed<'_>,
    format: &Format,
    sample: &Sample,
    index: usize,
    options: &Options,
    out: &mut String,
) {
    for field in parsed.fields() {
        let row = format!("  {:<24} {:<40} {}", field.name, Shown(field.raw).to_string(), field.used_for);
        let _ = writeln!(out, "{}", row.trim_end());
    }
    let record = match sample.record(index, format, parsed) {
        Ok(record) => record,
        Err(why) => {
            let _ = writeln!(out, "  => cannot be used: {}", Shown(why.as_bytes()));
            return;
        }
    };
    if let Some(body) = &record.original().body {
        let _ = writeln!(out, "  {:<24} {} bytes", "(body)", body.len());
    }
    for header in &record.original().headers {
        let _ = writeln!(out, "  ({:<23} {}", format!("{})", header.name), Shown(&header.value));
    }
    let target = record.original().target.as_deref().unwrap_or("-");
    let _ = writeln!(out, "  => target {}", Shown(target.as_bytes()));
    match options.judge(&record) {
        Ok(planned) => {
            let url = planned.url();
            let _ =
                writeln!(out, "  => {} {}{}", planned.method(), Shown(url.as_bytes()), unselected(&record));
        }
        Err(reason) => {
            let _ = writeln!(out, "  => not sent: {}", reason.advice());
        }
    }
}

/// Why a run without flags of selection leaves out `record`, although it may be sent.
fn unselected(record: &Record) -> String {
    let dropped = Chooser::new(&Predicate::default(), Quota::default())
        .ok()
        .and_then(|mut chooser| chooser.decide(record).err());
    match dropped {
        Some(Dropped::Marked) => {
            " (not selected: logretry itself has caused this line; see --include-marked)".to_owned()
        }
        Some(Dropped::Status) => " (not selected: its status is not 5xx; see --status)".to_owned(),
        _ => String::new(),
    }
}
