use clap::Args;
use jiff::{Timestamp, Zoned};
use logretry_record::{Mark, Predicate, StatusSet, TimeRange};

use crate::{Chooser, Filter, FilterError, Quota, Share, parse_end};

mod wanted;

/// What a reader can already tell of a line.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Selection")]
pub struct EarlyArgs {
    /// Statuses that the client got: a class, a status, a range, or several joined by commas (`5xx`, `502,504`, `500-504`). Without it:
    /// 5xx, and all of them for lr-read
    #[arg(long, value_name = "STATUS")]
    pub status: Option<StatusSet>,

    /// Requests from this time on: `2026-11-22T06:00:00Z`, `2026-11-22 06:00`, `06:00` (today), `2h` or `7d` (ago). Without an offset it is meant
    /// in the time zone of this machine; a log's times without one are taken as UTC
    #[arg(long, value_name = "TIME", value_parser = beginning)]
    pub since: Option<Timestamp>,

    /// Requests before this time. Of a time that comes twice, when clocks are put back, --since means the first, and this the second
    #[arg(long, value_name = "TIME", value_parser = end)]
    pub until: Option<Timestamp>,
}

impl EarlyArgs {
    /// The selection of these flags alone: what is not said is not asked for.
    pub fn predicate(&self) -> Predicate {
        let time = TimeRange { since: self.since, until: self.until };
        Predicate { status: self.status.clone(), time, include_marked: true, ..Predicate::default() }
    }
}

/// Which requests are selected: those answered with 5xx, unless --status says otherwise.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Selection")]
pub struct SelectArgs {
    /// What a reader can already tell.
    #[command(flatten)]
    pub early: EarlyArgs,

    /// Methods, joined by commas
    #[arg(long, value_name = "METHOD", value_delimiter = ',', value_parser = wanted::method)]
    pub method: Vec<String>,

    /// Hosts as the log names them, joined by commas; `*.example.com` takes every name below it
    #[arg(long, value_name = "HOST", value_delimiter = ',', value_parser = wanted::host)]
    pub host: Vec<String>,

    /// Paths that fit the glob pattern (`/api/*`; `*` crosses `/`; the query does not count). May be given more than once
    #[arg(long, value_name = "GLOB", value_parser = wanted::path)]
    pub path: Vec<String>,

    /// Targets in which the regular expression is found, query included
    #[arg(long, value_name = "REGEX")]
    pub path_regex: Option<String>,

    /// Records for which the condition in the language of jq holds, as `jq 'select(EXPR)'` would keep them: `.original.duration_ms > 3000`. One for which it
    /// fails is not selected; the first is shown
    #[arg(long = "where", value_name = "EXPR")]
    pub expression: Option<String>,

    /// Not those that a later line shows to have succeeded since: the same client got 2xx or 3xx for the same method, host and target,
    /// and not before (POST, PATCH, and what names no client are kept). The whole log is read before the first request is sent
    #[arg(long)]
    pub skip_recovered: bool,

    /// Only the first of equal GET, HEAD and OPTIONS requests (same method, host and target, and body, if there is one)
    #[arg(long)]
    pub dedupe: bool,

    /// Only this share, the same one for the same log: `0.05` or `5%`
    #[arg(long, value_name = "SHARE")]
    pub sample: Option<Share>,

    /// At most N requests
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,

    /// Also lines that logretry itself has caused: those that carry the mark, and those with its user agent
    #[arg(long)]
    pub include_marked: bool,
}

fn beginning(text: &str) -> Result<Timestamp, String> {
    wanted::beginning(text, &Zoned::now())
}

fn end(text: &str) -> Result<Timestamp, String> {
    parse_end(text, &Zoned::now()).map_err(|error| error.to_string())
}

impl SelectArgs {
    /// The selection as data, where lines that logretry has caused are known by `mark`.
    pub fn predicate(&self, mark: &Mark) -> Predicate {
        let early = self.early.predicate();
        Predicate {
            status: early.status.or(Predicate::default().status),
            time: early.time,
            methods: self.method.clone(),
            hosts: self.host.clone(),
            paths: self.path.clone(),
            path_regex: self.path_regex.clone(),
            expression: self.expression.clone(),
            include_marked: self.include_marked,
            mark: mark.clone(),
        }
    }

    /// The filter that these flags ask for.
    pub fn filter(&self, mark: &Mark) -> Result<Filter, FilterError> {
        let quota = Quota { dedupe: self.dedupe, sample: self.sample, limit: self.limit };
        let filter = Filter::new(Chooser::new(&self.predicate(mark), quota)?);
        Ok(if self.skip_recovered { filter.skipping_recovered() } else { filter })
    }

    /// What must reach the filter: whoever reads for it may leave out what this rules out.
    pub fn needed(&self, mark: &Mark) -> Predicate {
        let mut needed = self.predicate(mark);
        if self.skip_recovered {
            // Successes are signs, and may come after the time that is asked for.
            needed.status = needed.status.map(|status| status.union(&StatusSet::successes()));
            needed.time.until = None;
        }
        needed
    }
}
