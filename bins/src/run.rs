use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use futures_util::future::BoxFuture;
use logretry_filter::{Chooser, Filter, Quota};
use logretry_ledger::Durability;
use logretry_reader::{Reader, ReaderOptions, inputs};
use logretry_record::{Predicate, Record};
use logretry_refirer::{Options, Refirer};
use logretry_rewriter::{Form, RetryLog, Rewriter};
use logretry_stage::{Accounts, Context, Fatal, Result, Sink, Source, Stage, Stops, Watch};

use crate::books::{self, Books, Filed, Output, ServerLog};
use crate::files::{leave_out_what_is_written, refuse_one_for_two, refuse_to_append_to_a_log};

/// Links the stages: the whole program.
///
/// Whatever is given in their places takes part on the same terms: another source of records, a stage more, another sink.
pub fn link<'a>(
    reader: impl Source,
    filter: impl Stage,
    refirer: impl Stage,
    watch: impl Stage,
    rewriter: impl Sink + 'a,
    cx: &'a Context,
) -> BoxFuture<'a, Result<()>> {
    let logged = reader.open(cx);
    let selected = filter.apply(logged, cx);
    let settled = refirer.apply(selected, cx);
    let watched = watch.apply(settled, cx);
    // Boxed once, here: the joined streams are too large to be moved about by value. And named, so that it is seen that a run can be spawned: whether what an
    // `async fn` returns is `Send` cannot be shown through this many layers.
    Box::pin(rewriter.drain(watched, cx))
}

const RESOLVES_WITHOUT_LEDGER: &str = "find out what became of requests (`resolve_from`) without the ledger that knows which were cut off: name it with `ledger`";
const SYNCS_WITHOUT_LEDGER: &str =
    "sync (`durability`) without the ledger that would be synced: name one with `ledger`";

/// A run from logs to a retry log, with the defaults of `logretry run`. See the [crate's front page](crate) for examples.
pub struct Run {
    logs: Vec<OsString>,
    reading: ReaderOptions,
    predicate: Predicate,
    quota: Quota,
    refiring: Options,
    retry_log: Option<PathBuf>,
    ledger: Option<PathBuf>,
    keeps_ledger: bool,
    server_logs: Vec<OsString>,
    durability: Option<Durability>,
    form: Form,
    on_refire: Box<dyn FnMut(&Record) + Send>,
    cx: Context,
}

impl Run {
    /// A run over `logs`: files, glob patterns, directories of rotated logs, `-` or nothing for standard input.
    pub fn new(logs: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            logs: logs.into_iter().map(Into::into).collect(),
            reading: ReaderOptions::default(),
            predicate: Predicate::default(),
            quota: Quota::default(),
            refiring: Options::default(),
            retry_log: None,
            ledger: None,
            keeps_ledger: true,
            server_logs: Vec::new(),
            durability: None,
            form: Form::default(),
            on_refire: Box::new(|_| ()),
            cx: Context::default(),
        }
    }

    /// Sends every request to the server at `url`, whatever host the log names, unless the request's own URL (`GET http://host/`) names another one.
    pub fn base_url(mut self, url: &str) -> Result<Self> {
        self.refiring.destination.base_url = Some(url.parse()?);
        Ok(self)
    }

    /// Appends the retry log to `file`, and keeps a ledger beside it (`file.ledger`), so that the same run again goes on where this one stopped. Without
    /// it the refires are made, and told to the callback only. A device or a pipe has no ledger beside it, and a dry run makes no file.
    #[must_use]
    pub fn retry_log(mut self, file: impl Into<PathBuf>) -> Self {
        self.retry_log = Some(file.into());
        self
    }

    /// Keeps the ledger in `file`.
    #[must_use]
    pub fn ledger(mut self, file: impl Into<PathBuf>) -> Self {
        self.ledger = Some(file.into());
        self
    }

    /// Keeps no ledger: every run begins from the start.
    #[must_use]
    pub fn without_ledger(mut self) -> Self {
        self.keeps_ledger = false;
        self
    }

    /// Looks in this access log of the server itself for what became of requests that an earlier run was cut off in, of which the ledger knows. It is read in the
    /// formats of [`Run::format`], if they are given.
    #[must_use]
    pub fn resolve_from(mut self, log: impl Into<OsString>) -> Self {
        self.server_logs.push(log.into());
        self
    }

    /// What a request waits for before it is sent; see [`Durability`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// How the lines of the retry log look; by default like those of the log.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Selects by `predicate` instead of all requests answered with 5xx.
    #[must_use]
    pub fn select(mut self, predicate: Predicate) -> Self {
        self.predicate = predicate;
        self
    }

    /// Selects at most `limit` requests.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.quota.limit = Some(limit);
        self
    }

    /// Reads the logs in this format, a preset's name or text pasted from the server's configuration, instead of finding it out. Given more than once, each line is tried with each in turn.
    pub fn format(mut self, spec: &str) -> Result<Self> {
        self.reading.formats.push(logretry_reader::format(spec)?);
        Ok(self)
    }

    /// Changes what may be sent, where to and how fast.
    ///
    /// ```
    /// use logretry::{Pace, Run, add_header};
    ///
    /// let mut headers = Default::default();
    /// add_header(&mut headers, "Authorization: Bearer 7f2a")?;
    /// let (hosts, rate) = (vec!["shop.example".parse()?], "5/s".parse()?);
    /// let run = Run::new(["access.log"]).refire(|options| {
    ///     options.destination.allow_hosts = hosts;
    ///     options.headers = headers;
    ///     options.pace = Pace::Original;
    ///     options.rate = Some(rate);
    /// });
    /// # Ok::<(), logretry::Fatal>(())
    /// ```
    #[must_use]
    pub fn refire(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.refiring);
        self
    }

    /// Calls `callback` with each selected record when its refire has ended, or when it was decided not to send it. With a ledger, that is also each that has ended
    /// in an earlier run, as it ended then ([`Retry::time`](logretry_record::Retry::time)). It is called from the thread that drives the run, one record after the other.
    #[must_use]
    pub fn on_refire(mut self, callback: impl FnMut(&Record) + Send + 'static) -> Self {
        self.on_refire = Box::new(callback);
        self
    }

    /// Handles by which the run can be stopped from elsewhere, before it starts and while it goes on.
    pub fn stops(&self) -> Stops {
        self.cx.stops().clone()
    }

    /// Runs to the end and returns the numbers. Must be called within a tokio runtime whose time and I/O drivers are enabled.
    ///
    /// # Cancellation
    ///
    /// To stop a run, set its [`stops`](Self::stops) and await its end. Dropping this future cuts off what is under way, and tells the callback nothing more. With a
    /// ledger that is as after a kill: nothing that has ended is lost, and what was cut off is in doubt, so the next run sends it again if its method changes nothing, and holds it
    /// if not. It blocks until what has ended is on the disk; then another run with the ledger may begin.
    ///
    /// # Errors
    ///
    /// What ends a run: a log that cannot be read or whose format is not known, a retry log that cannot be written or is one of the logs, options that
    /// contradict each other. That requests failed again is no error: it is in the numbers.
    pub async fn run(self) -> Result<Accounts> {
        let mark = self.predicate.mark.clone();
        let reading = ReaderOptions { predicate: Some(self.predicate.clone()), ..self.reading.clone() };
        let mut reader = Reader::new(inputs(&self.logs)?, reading);
        let filter = Filter::new(Chooser::new(&self.predicate, self.quota)?);
        let (destination, dry_run) = (self.refiring.destination.to_string(), self.refiring.dry_run);
        let methods = self.refiring.methods.clone();
        let refirer = Refirer::new(Options { mark: mark.clone(), ..self.refiring })?;
        let watch = Watch(self.on_refire);
        let beside = self.retry_log.as_deref().and_then(books::beside_file);
        let ledger = self.ledger.or(beside).filter(|_| self.keeps_ledger);
        if ledger.is_none() && !self.server_logs.is_empty() {
            return Err(Fatal::usage(RESOLVES_WITHOUT_LEDGER));
        }
        if ledger.is_none() && self.durability.is_some() {
            return Err(Fatal::usage(SYNCS_WITHOUT_LEDGER));
        }
        let files = [("the retry log", &self.retry_log), ("the ledger", &ledger)];
        let files = files.into_iter().filter_map(|(what, path)| Some((what, path.clone()?)));
        refuse_one_for_two(&files.collect::<Vec<_>>())?;
        if let Some(log) = &self.retry_log {
            reader = leave_out_what_is_written(reader, &self.logs, Some(log), &mark, &ledger);
            refuse_to_append_to_a_log(reader.paths(), Some(log))?;
        }
        // A rehearsal makes no file.
        let (retry_log, ledger) = if dry_run { (None, None) } else { (self.retry_log, ledger) };
        if let Some(ledger) = ledger {
            if let Some(log) = &retry_log {
                books::refuse_to_begin_anew(&ledger, log, &methods)?;
            }
            let log = retry_log.as_deref().map(RetryLog::open).transpose()?;
            let durability = self.durability.unwrap_or_default();
            let mut books = Books::open(&ledger, &destination, durability, &self.cx)?;
            if let Some(log) = log {
                books = books.writing(Output::File(log), self.form, &mark).await?;
            }
            let _releasing = books.until_dropped();
            if !self.server_logs.is_empty() {
                let doubts = books.in_doubt()?;
                let (reading, notes) = (self.reading, self.cx.notes());
                books.ask(ServerLog::read(&self.server_logs, reading, &doubts, None, notes).await?);
            }
            let refirer = refirer.with_journal(books.clone());
            let end = link(reader, filter, refirer, watch, Filed, &self.cx).await;
            end.and(books.close().await)?;
        } else {
            let rewriter = match &retry_log {
                Some(path) => Rewriter::append_to(path, self.form, mark, self.cx.reopen())?,
                None => Rewriter::to_nowhere(),
            };
            link(reader, filter, refirer, watch, rewriter, &self.cx).await?;
        }
        self.cx.flush_rejects()?;
        let accounts = self.cx.tally().accounts();
        accounts.check().map_err(Fatal::new)?;
        Ok(accounts)
    }

    /// [`Run::run`] for synchronous code: brings a runtime of its own and returns when the run has ended. What the callback has spawned there is not waited for.
    ///
    /// # Errors
    ///
    /// As [`Run::run`]; and if it is called within a tokio runtime, which it would block.
    pub fn run_blocking(self) -> Result<Accounts> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(Fatal::usage("block within an async runtime; call `run().await` there"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Fatal::new(format!("start a runtime: {error}")))?;
        let end = runtime.block_on(self.run());
        // A name lookup, or what the callback has begun, may take its time; nobody waits for it.
        runtime.shutdown_background();
        end
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("logs", &self.logs)
            .field("retry_log", &self.retry_log)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use logretry_ledger::Ledger;
    use logretry_record::{Outcome, RecordId, USER_AGENT_PREFIX};

    use super::*;

    #[test]
    fn a_run_can_be_spawned() {
        fn is_spawned(_: impl Future<Output = Result<Accounts>> + Send + 'static) {}
        is_spawned(Run::new(["access.log"]).run());
    }

    const LINE: &str =
        "203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /a HTTP/1.1\" 502 157 \"-\" \"curl/8.9\"\n";

    /// A folder with a log, and a run over it to where nobody listens.
    fn run() -> (tempfile::TempDir, PathBuf, Run) {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("access.log");
        std::fs::write(&log, LINE).expect("a log");
        let run = Run::new([&log]).base_url("http://127.0.0.1:1").expect("a server");
        (folder, log, run)
    }

    #[test]
    fn a_dry_run_makes_no_file() {
        let (folder, _, run) = run();
        let run = run.retry_log(folder.path().join("retry.log")).refire(|options| options.dry_run = true);
        let accounts = run.run_blocking().expect("a rehearsal");
        assert_eq!((accounts.selected, accounts.outcome(Outcome::Unsent)), (1, 1));
        assert_eq!(folder.path().read_dir().expect("it is there").count(), 1);
    }

    /// Its runtime was ended only when the last name lookup had, for each of which the system may take half a minute.
    #[test]
    fn a_blocking_run_does_not_wait_for_threads_that_nobody_waits_for() {
        let (_folder, _, run) = run();
        let (end, waits) = mpsc::channel();
        let mut waits = Some(waits);
        let run = run.on_refire(move |_| {
            let waits = waits.take().expect("there is one request");
            drop(tokio::task::spawn_blocking(move || waits.recv_timeout(Duration::from_secs(5))));
        });
        run.run_blocking().expect("nobody listens, which is no error");
        end.send(()).expect("it still waits");
    }

    /// The tasks that send have their handles to the ledger until their next turn in the runtime.
    #[test]
    fn a_run_that_is_dropped_leaves_its_ledger_to_the_next_at_once() {
        let (folder, log, _) = run();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("a port"));
        let run = || {
            let run = Run::new([&log]).base_url(&url).expect("a server");
            run.retry_log(folder.path().join("retry.log"))
        };
        let (connected, connection) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || connected.send(listener.accept()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let next = runtime.block_on(async {
            tokio::select! {
                end = run().run() => panic!("nobody answers: {end:?}"),
                _connection = connection => {}
            }
            let next = run();
            next.stops().drain.cancel();
            next.run().await
        });
        next.expect("the ledger is free");
    }

    /// The server's log could not be read where its format is none that is found out.
    #[test]
    fn the_log_of_the_server_is_read_in_the_formats_of_the_run() {
        let (folder, log, run) = run();
        let line = "502|DELETE /a HTTP/1.1|curl/8.9";
        let id = RecordId::of_line(line.as_bytes(), 0);
        std::fs::write(&log, line).expect("a log");
        let server_log = folder.path().join("server.log");
        let ended = format!("204|DELETE /a HTTP/1.1|{USER_AGENT_PREFIX}0.1.0 id={id}\n");
        std::fs::write(&server_log, ended).expect("a log");
        let (path, destination) = (folder.path().join("ledger"), run.refiring.destination.to_string());
        let ledger = Ledger::open(&path, &destination, Durability::Grouped).expect("a ledger");
        ledger.intent(id, 1, "DELETE", "http://127.0.0.1:1/a").wait().expect("it is written");
        drop(ledger);

        let run = run.format("$status|$request|$http_user_agent").expect("a format").ledger(path);
        let methods = "DELETE".parse().expect("a method");
        let run = run.resolve_from(server_log).refire(|options| options.methods = methods);
        let accounts = run.run_blocking().expect("its end is known");
        assert_eq!(accounts.before, [(Outcome::Recovered, 1)].into());
    }

    /// Nothing was looked for, and nobody was told.
    #[test]
    fn the_log_of_the_server_is_of_no_use_without_a_ledger() {
        let (_folder, log, run) = run();
        let error = run.resolve_from(&log).run_blocking().expect_err("no ledger").to_string();
        assert!(error.contains("without the ledger that knows which were cut off"), "{error}");
    }

    /// It was taken, and nothing was synced.
    #[test]
    fn what_a_request_waits_for_is_of_no_use_without_a_ledger() {
        let (_folder, _, run) = run();
        let error = run.durability(Durability::Full).run_blocking().expect_err("no ledger").to_string();
        assert!(error.contains("without the ledger that would be synced"), "{error}");
    }

    /// The retry log was appended to the access log, and to the database of its ledger.
    #[test]
    fn the_retry_log_goes_into_a_file_of_its_own() {
        let (folder, log, run) = run();
        let error = run.retry_log(&log).run_blocking().expect_err("it is read").to_string();
        assert!(error.contains("it is one of the logs to read"), "{error}");
        assert_eq!(std::fs::read_to_string(&log).expect("a log"), LINE);

        let (other, _, run) = self::run();
        let both = other.path().join("both");
        let error = run.retry_log(&both).ledger(&both).run_blocking().expect_err("two in one").to_string();
        assert!(error.contains("give them two names"), "{error}");
        assert_eq!(
            [&folder, &other].map(|folder| folder.path().read_dir().expect("it is there").count()),
            [1, 1]
        );
    }
}
