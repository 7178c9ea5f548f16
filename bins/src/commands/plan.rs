use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use logretry_record::{Exchange, Harmless, Reason, Record, Shown};
use logretry_refirer::{Options, Pace, Planned, Score};
use logretry_stage::{Accounts, Context, Result};

use self::names::Names;
use super::route::route;
use super::run::{DoneBefore, RunFlags};
use crate::cli::{answer, sentences};

mod names;

/// Says what `logretry run` with the same flags would send, and why it would not send the rest.
///
/// It counts by status, method, host and route, and estimates how long the run would take. What the run's ledger has as done is left out. It takes no --follow: what is there now is what it tells of. It opens no socket and writes no file but that of --rejects.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  logretry plan access.log --base-url https://shop.example
  logretry plan access.log --base-url https://shop.example --rate 5/s
  logretry plan access.log --allow-host shop.example --since 2026-11-22")]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) flags: RunFlags,
}

impl Plan {
    pub(crate) async fn run(self, cx: &Context) -> Result<()> {
        let options = self.flags.options()?;
        for complaint in options.bodies.iter().flat_map(|bodies| bodies.complaints()) {
            cx.notes().say(format_args!("{complaint}"));
        }
        let mut counts = Counts::new(&options);
        let judging = self.flags.judge_what_is_left(cx, |record, judged| {
            counts.take(record, judged, options.is_proven_undelivered(record));
        });
        counts.done = judging.await?;
        counts.ledger = self.flags.ledger_so_far().filter(|_| counts.done.records + counts.done.held > 0);
        let text = counts.text(&cx.tally().accounts(), &options, &self.flags.write.place());
        answer(Harmless(&text).to_string().as_bytes())
    }
}

#[derive(Debug, Default)]
struct Counts {
    sent: u64,
    /// How many may be sent at most.
    most: u64,
    /// What the ledger has as ended or held already.
    done: DoneBefore,
    /// Which ledger that is.
    ledger: Option<PathBuf>,
    /// Those of the sent that change something.
    changing: u64,
    /// Those of the changing of which the log proves that nobody has seen them.
    undelivered: u64,
    /// Those of the sent whose method the log does not tell.
    methodless: u64,
    status: Names,
    method: Names,
    host: Names,
    /// The hosts that the log names, where all are asked of one.
    logged_host: Names,
    route: Names,
    reasons: BTreeMap<Reason, u64>,
    /// Routes that are not sent because they say that they act.
    acting: Names,
    /// Hosts that are not asked because nobody has allowed them.
    hosts_not_allowed: Names,
    /// Whether only a request's own URL can name such a host.
    has_base_url: bool,
    /// The log's own gaps, and how long they take; none if they are not kept.
    score: Option<(Score, Duration)>,
    logged_ms: f64,
    logged: u64,
}

impl Counts {
    fn new(options: &Options) -> Self {
        let keeps_gaps = options.pace == Pace::Original;
        let score = keeps_gaps.then(|| (Score::new(options.tempo), Duration::ZERO));
        let most = options.max_requests.unwrap_or(u64::MAX);
        Self { score, most, has_base_url: options.destination.base_url.is_some(), ..Self::default() }
    }

    fn take(&mut self, record: &Record, judged: Result<Planned, Reason>, is_proven_undelivered: bool) {
        let original = record.original();
        let planned = match judged {
            Ok(_) if self.sent == self.most => {
                *self.reasons.entry(Reason::MaxRequests).or_insert(0) += 1;
                return;
            }
            Ok(planned) => planned,
            Err(reason) => {
                *self.reasons.entry(reason).or_insert(0) += 1;
                match reason {
                    Reason::MayAct => {
                        self.acting.count(route(original.target.as_deref().unwrap_or_default()));
                    }
                    Reason::HostNotAllowed => {
                        self.hosts_not_allowed.count(named_host(original, self.has_base_url));
                    }
                    _ => {}
                }
                return;
            }
        };
        self.sent += 1;
        self.changing += u64::from(!planned.is_safe());
        self.methodless += u64::from(original.method.is_none());
        self.undelivered += u64::from(!planned.is_safe() && is_proven_undelivered);
        if let Some((score, due)) = &mut self.score {
            *due = score.due(record);
        }
        self.status.count(original.status.map_or_else(|| "-".to_owned(), |status| format!("{status:03}")));
        self.method.count(planned.method().to_owned());
        self.host.count(planned.site().to_string());
        if let Some(host) = super::hosts::name(original).filter(|_| self.has_base_url) {
            self.logged_host.count(host);
        }
        self.route.count(route(planned.target()));
        if let Some(ms) = original.duration_ms {
            self.logged_ms += ms;
            self.logged += 1;
        }
    }

    fn text(&self, accounts: &Accounts, options: &Options, output: &str) -> String {
        let not_sent: u64 = self.reasons.values().sum();
        let mut text = String::new();
        for sentence in sentences(accounts, None) {
            let _ = writeln!(text, "{sentence}");
        }
        let selected = self.done.records + self.done.held + self.sent + not_sent;
        let done = self.ledger.as_ref().map_or_else(String::new, |path| {
            let name = Shown(path.as_os_str().as_encoded_bytes());
            let held = match self.done.held {
                0 => String::new(),
                held => format!("{held} held (`logretry held {name}`) + "),
            };
            format!("{} already done before (ledger {name}) + {held}", self.done.records)
        });
        let _ = writeln!(
            text,
            "{selected} selected = {done}{} would be sent + {not_sent} would not\n",
            self.sent
        );
        for (title, names) in
            [("status", &self.status), ("method", &self.method), ("to", &self.host), ("route", &self.route)]
        {
            names.write(title, &mut text);
            if title == "to" && self.logged_host.different() > 1 {
                self.logged_host.write("were for", &mut text);
            }
            if title == "method" && self.methodless > 0 {
                let _ = writeln!(
                    text,
                    "{:<12}{:>8}  of which the log tells no method: sent as GET",
                    "", self.methodless
                );
            }
        }
        for (reason, n) in &self.reasons {
            let _ = writeln!(text, "{:<12}{n:>8}  {}: {}", "not sent", reason.as_str(), reason.advice());
        }
        self.acting.write("may act", &mut text);
        self.hosts_not_allowed.write("not allowed", &mut text);
        if self.changing > 0 {
            let _ = writeln!(
                text,
                "{:<12}{:>8}  change something ({} proven undelivered): a run asks before it sends them, unless --yes says so",
                "methods", self.changing, self.undelivered
            );
        }
        if self.sent > 0 {
            let _ = writeln!(text, "{:<12}{}", "duration", self.duration(options));
            let _ = writeln!(text, "{:<12}{output}", "retry log");
        }
        text += "\nNothing was sent.\n";
        text
    }

    /// How long the run takes: by the rate, and by what answers take with so many under way. The slower of both decides.
    fn duration(&self, options: &Options) -> String {
        let per_host = options.per_host.map_or(usize::MAX, NonZero::get);
        let in_flight = options.concurrency.get().min(per_host.saturating_mul(self.host.different()));
        let by_rate = options.rate.map(|rate| {
            let interval = rate.interval();
            let time = interval.saturating_mul(u32::try_from(self.sent).unwrap_or(u32::MAX));
            (time, format!("at one request every {interval:?}"))
        });
        let by_answers = (self.logged > 0).then(|| {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let (mean_ms, rounds) =
                (self.logged_ms / self.logged as f64, self.sent as f64 / in_flight as f64);
            // However many go at once, none ends before its own answer.
            let rounds = rounds.max(1.0);
            let time = Duration::try_from_secs_f64(mean_ms * rounds / 1000.0).unwrap_or(Duration::MAX);
            (
                time,
                format!(
                    "if answers take as long as the failed ones did ({mean_ms:.0} ms), {in_flight} at a time"
                ),
            )
        });
        let by_gaps = self.score.as_ref().map(|(_, due)| (*due, "by the log's own gaps".to_owned()));
        match by_rate.into_iter().chain(by_gaps).chain(by_answers).max_by_key(|(time, _)| *time) {
            Some((time, why)) => {
                let ends = options.max_time.filter(|most| *most < time);
                let ends = ends.map_or_else(String::new, |most| {
                    format!(
                        "; --max-time ends it after {}, and what is left then is not sent",
                        in_words(most)
                    )
                });
                format!("about {} {why}{ends}", in_words(time))
            }
            None => format!(
                "not known: the log does not say how long answers take ({} of them, {in_flight} at a time)",
                self.sent
            ),
        }
    }
}

/// The host that a log names for a request, with the scheme if it is known: in the request's own URL, or else in a field. As much of it as a name may have (RFC 1035 §2.3.4), and no password.
fn named_host(original: &Exchange, in_url: bool) -> String {
    const NAME_MAX: usize = 255;
    let field = original.host.as_ref().map(ToString::to_string).unwrap_or_default();
    let (scheme, host) = if in_url {
        let url = original.target.as_deref().unwrap_or_default();
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        (scheme, rest.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default())
    } else {
        (original.scheme.map_or("", |scheme| scheme.as_str()), &*field)
    };
    let host: String = host.rsplit('@').next().unwrap_or_default().chars().take(NAME_MAX).collect();
    if scheme.is_empty() { host } else { format!("{scheme}://{host}") }
}

fn in_words(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and a few years at most"
    )]
    let seconds = seconds as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}
