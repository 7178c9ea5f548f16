use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use futures_util::StreamExt as _;
use logretry_filter::SelectArgs;
use logretry_ledger::{Before, Look, Verdict};
use logretry_reader::{FollowArgs, Input, ReadArgs, inputs};
use logretry_record::{Outcome, Reason, Record, RecordId};
use logretry_refirer::{Options, Planned, RefireArgs, Refirer, known_by};
use logretry_rewriter::WriteArgs;
use logretry_stage::{Context, Fatal, MarkArgs, Result, Source as _, Stage as _, file_to_write};

use super::hosts::tell_of_several_hosts;
use super::ledger_flags::{ResolveArgs, RunLedgerArgs, tell_that_it_is_not_asked};
use super::positions::{Positions, Then, selected, settled};
use super::unguarded::tell_where_refires_are_not_known;
use crate::books::{self, Filed};
use crate::cli::{Changes, Common, confirm, open_files, systemd};
use crate::files::{leave_out_what_is_written, refuse_to_append_to_a_log, tell_of_another_mark};

/// Reads logs, sends their failed requests again, and writes the retry log.
///
/// It is `lr-read | lr-filter | lr-refire | lr-write` in one process, with the flags of all four. Nothing is sent before the logs, the flags and the retry
/// log have been found to be in order. Ctrl-C sends nothing more and waits for the requests under way; a second one cuts them off.
///
/// What is sent is written down first, in a ledger beside the retry log. So the same command again, after a stop, a crash or a full disk, goes on where this one
/// stopped: what has ended is not sent again, what was not sent is, and what was cut off on its way is sent again if its method changes nothing. If it may change something
/// it is held, until --resolve-from or `logretry held` says what became of it.
///
/// Methods that change something (all but GET, HEAD and OPTIONS) must be named and confirmed: with --yes, or by a word typed on the terminal.
///
/// With --follow it goes on with what is written to the logs, through rotation, until it is stopped. A request is sent 30 s after it was logged, and again within
/// hours if it fails; what has not recovered then is kept by --dead-letter. SIGHUP opens the retry log, the dead letters and the rejects anew.
///
/// Look first: `logretry plan` takes the same flags, but those of --follow, and sends nothing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) flags: RunFlags,

    #[command(flatten)]
    pub(crate) follow: FollowArgs,

    /// With --follow: keep in FILE how far the logs are settled, and go on from there when the run is started again. What was not sent then is sent; without a ledger, after a kill,
    /// all that stands behind the first request that had not ended is sent again
    #[arg(long, value_name = "FILE", value_parser = file_to_write(), requires = "follow", help_heading = "Following")]
    pub(crate) positions: Option<PathBuf>,

    /// Nothing that changes something was found, so nobody was asked: what a log that grows has more of it by now is not sent.
    #[arg(skip)]
    unasked: AtomicBool,
}

/// The flags of all four stages.
#[derive(Debug, Args)]
pub(crate) struct RunFlags {
    #[command(flatten)]
    pub(crate) read: ReadArgs,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    #[command(flatten)]
    pub(crate) refire: RefireArgs,

    #[command(flatten)]
    pub(crate) write: WriteArgs,

    #[command(flatten)]
    pub(crate) ledger: RunLedgerArgs,

    #[command(flatten)]
    pub(crate) resolve: ResolveArgs,

    #[command(flatten)]
    pub(crate) mark: MarkArgs,

    #[command(flatten)]
    pub(crate) common: Common,
}

impl RunFlags {
    /// Whether the logs are files, which stay where they are.
    pub(crate) fn can_be_read_twice(&self) -> Result<bool> {
        let inputs = inputs(&self.read.logs)?;
        Ok(inputs.iter().all(|input| matches!(input, Input::File(path) if path.is_file())))
    }

    /// What is written besides the retry log.
    fn writes_besides(&self) -> Vec<PathBuf> {
        let (dead_letter, rejects) = (&self.write.dead_letter, &self.common.rejects.rejects);
        [self.ledger.path(&self.write), dead_letter.clone(), rejects.clone()].into_iter().flatten().collect()
    }

    /// Reads and selects as these flags say, and shows each selected record with what would be sent for it, or why it would not. Opens no
    /// socket and makes no file.
    pub(crate) async fn judge_all(
        &self,
        cx: &Context,
        mut each: impl FnMut(&Record, Result<Planned, Reason>),
    ) -> Result<()> {
        let mark = &self.mark.mark;
        let reader = self.read.reader(Some(self.select.needed(mark)), self.common.rejects.strict)?;
        let reader = leave_out_what_is_written(
            reader,
            &self.read.logs,
            self.write.output.as_deref(),
            mark,
            &self.writes_besides(),
        );
        let filter = self.select.filter(mark)?;
        let options = self.options()?;
        let mut selected = std::pin::pin!(filter.apply(reader.open(cx), cx));
        while let Some(record) = selected.next().await {
            let record = record?;
            let judged = options.judge(&record);
            each(&record, judged);
        }
        Ok(())
    }

    /// The same for what is still to be decided: what would be sent, and the ledger has as ended or held, is not shown, only counted.
    pub(crate) async fn judge_what_is_left(
        &self,
        cx: &Context,
        mut each: impl FnMut(&Record, Result<Planned, Reason>),
    ) -> Result<DoneBefore> {
        let ledger = self.ledger_so_far().map(|path| self.look(&path)).transpose()?;
        let (mut done, mut failure) = (DoneBefore::default(), None);
        // In one log, equal lines are numbered. A line of several logs is one request.
        let may_repeat = inputs(&self.read.logs)?.len() > 1;
        let mut seen = may_repeat.then(HashSet::new);
        let known_by = self.known_by();
        let judging = self.judge_all(cx, |record, judged| {
            let mut is_repeated = || seen.as_mut().is_some_and(|seen| !seen.insert(known_by(record)));
            if let (Ok(planned), Some(look)) = (&judged, &ledger) {
                match self.standing(look, record, planned) {
                    Ok(Standing::Open) => {}
                    // What has ended has ended for each of its lines; what a run takes up is one request.
                    Ok(Standing::Held | Standing::Ending) if is_repeated() => {
                        return each(record, Err(Reason::Repeated));
                    }
                    Ok(standing) => {
                        let count =
                            if standing == Standing::Held { &mut done.held } else { &mut done.records };
                        *count += 1;
                        done.changing += u64::from(!planned.is_safe());
                        return;
                    }
                    Err(fatal) => failure = failure.take().or(Some(fatal)),
                }
            }
            if judged.is_ok() && is_repeated() {
                return each(record, Err(Reason::Repeated));
            }
            each(record, judged);
        });
        judging.await?;
        failure.map_or(Ok(done), Err)
    }

    /// What a run with these flags knows a record by that comes twice.
    pub(crate) fn known_by(&self) -> fn(&Record) -> RecordId {
        if self.ledger.path(&self.write).is_some() { Record::id } else { known_by }
    }

    /// What `ledger` has a record as that these flags let be sent.
    fn standing(&self, ledger: &Look, record: &Record, planned: &Planned) -> Result<Standing> {
        Ok(match ledger.before(record.id()).map_err(Fatal::new)? {
            Before::Done(_) => Standing::Ended,
            Before::Answered(last) if !self.refire.goes_on_after(planned, &last) => Standing::Ending,
            Before::InDoubt(doubt) if doubt.is_held() => Standing::Held,
            Before::InDoubt(doubt) if matches!(doubt.verdict, Some(Verdict::Ended(_))) => Standing::Ending,
            Before::InDoubt(_) | Before::New | Before::Answered(_) | Before::Repeated => Standing::Open,
        })
    }

    /// The ledger of these flags, if there is one already. An empty file, as a crash can leave it, is none yet.
    pub(crate) fn ledger_so_far(&self) -> Option<PathBuf> {
        let is_begun = |path: &PathBuf| path.metadata().is_ok_and(|file| file.len() > 0);
        self.ledger.path(&self.write).filter(is_begun)
    }

    /// Looks into the ledger at `path`, which must be of the destination of these flags, if they name one.
    fn look(&self, path: &Path) -> Result<Look> {
        let destination = self.refire.destination()?;
        let names_none = destination.base_url.is_none() && destination.allow_hosts.is_empty();
        let look = if names_none { Look::open(path) } else { Look::open_for(path, &destination.to_string()) };
        look.map_err(Fatal::new)
    }

    /// What would be allowed to be sent, for those who send nothing.
    pub(crate) fn options(&self) -> Result<Options> {
        let dry = RefireArgs { dry_run: true, ..self.refire.clone() };
        Ok(dry.into_options(&self.mark.mark)?)
    }
}

/// What a ledger has as ended or held.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DoneBefore {
    /// Those that have ended.
    pub(crate) records: u64,
    /// Those of which nobody knows whether they arrived.
    pub(crate) held: u64,
    /// Those of both that change something.
    pub(crate) changing: u64,
}

/// What a ledger has a record as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// A run would send it.
    Open,
    /// A run would write down how it has ended.
    Ending,
    Ended,
    Held,
}

const EXAMPLES: &str = "\
Examples:
  logretry run access.log --base-url https://shop.example -o retry.log
  logretry run access.log --base-url https://shop.example -o retry.log \\
    --method GET,HEAD --path '/api/*' --rate 5/s
  logretry run access.log --base-url https://shop.example --as csv |
    cut -d, -f 3,5";

impl Run {
    /// Confirms what changes something; logs in files are gone through once to count it.
    pub(crate) async fn ask(&self, cx: &Context) -> Result<()> {
        let flags = &self.flags;
        for warning in flags.refire.warnings() {
            cx.notes().say(format_args!("{warning}"));
        }
        let named = RefireArgs { yes: false, ..flags.refire.clone() };
        if !named.methods_to_confirm()?.is_empty() {
            flags.ledger.tell_where_none_is_kept(&flags.write, cx);
        }
        let methods = flags.refire.methods_to_confirm()?;
        if methods.is_empty() || self.follow.follow || !flags.can_be_read_twice()? {
            return confirm(&Changes::Possible(methods), cx).await;
        }
        let mut counts = BTreeMap::new();
        let apart = Context::default();
        let counting = flags.judge_what_is_left(&apart, |_, judged| {
            if let Some(planned) = judged.ok().filter(|planned| !planned.is_safe()) {
                *counts.entry(planned.method().to_owned()).or_insert(0) += 1;
            }
        });
        let done = tokio::select! {
            counted = counting => counted?,
            () = cx.stops().drain.cancelled() => return Ok(()),
        };
        if counts.is_empty() && done.changing > 0 {
            // Without their methods they would not count as done; with them, what the log has more by now would be sent.
            return confirm(&Changes::Possible(methods), cx).await;
        }
        self.unasked.store(counts.is_empty(), Ordering::Relaxed);
        confirm(&Changes::Counted(counts, flags.refire.max_requests), cx).await
    }

    pub(crate) async fn run(self, cx: &Context) -> Result<()> {
        let Self { flags, follow, positions, unasked } = self;
        let others = flags.writes_besides();
        let RunFlags { read, select, refire, write, ledger, resolve, mark, common } = flags;
        let mark = mark.mark;
        if follow.follow && select.skip_recovered {
            return Err(Fatal::usage(SKIPS_RECOVERED));
        }
        let kept = ledger.path(&write);
        ledger.ledger.refuse_without(kept.as_deref())?;
        resolve.refuse_without(kept.as_deref())?;
        if refire.dry_run {
            tell_that_it_is_not_asked(kept.as_deref(), cx);
        }
        let keeps_ledger = kept.is_some();
        let asking = RefireArgs { yes: false, ..refire.clone() };
        if positions.is_some() && !keeps_ledger && !asking.methods_to_confirm()?.is_empty() {
            return Err(Fatal::usage(POSITIONS_ARE_FOR_SAFE_METHODS));
        }
        let positions = positions.as_deref().map(Positions::open).transpose()?;
        let progress = positions.as_ref().map(|positions| positions.progress.clone()).unwrap_or_default();
        let is_known = !follow.follow || refire.send_mark;
        let filter = Then(select.filter(&mark)?, tell_where_refires_are_not_known(cx, is_known));
        let filter = Then(filter, tell_of_several_hosts(cx, refire.base_url.is_some()));
        let flags = refire.clone();
        let options =
            if follow.follow { flags.into_following_options(&mark) } else { flags.into_options(&mark) };
        let mut options = options?;
        if unasked.into_inner() {
            options.methods = options.methods.without_changes();
        }
        let reader = read.follower(&follow, Some(select.needed(&mark)), common.rejects.strict)?;
        let reader = if positions.is_some() { reader.telling(progress.clone()) } else { reader };
        let output = write.output.as_deref();
        let reader = leave_out_what_is_written(reader, &read.logs, output, &mark, &others);
        let followed = if follow.follow { reader.paths().count() } else { 0 };
        open_files::keep_within_the_limit(&mut options, followed, cx);
        let refirer = Refirer::new(options.clone())?;
        refuse_to_append_to_a_log(reader.paths(), write.output.as_deref())?;
        // A rehearsal makes no file, and changes none.
        let is_rehearsal = options.dry_run;
        let write = if is_rehearsal { WriteArgs { output: None, dead_letter: None, ..write } } else { write };
        tell_of_another_mark(write.output.as_deref(), &mark, cx);
        let Some(books) = ledger.open(&mut options, &refire, &write, &mark, cx).await? else {
            let rewriter = write.rewriter(&mark, cx.reopen())?;
            let dead_letters = write.dead_letters(cx.reopen())?;
            systemd::ready();
            let Some(positions) = positions.filter(|_| !is_rehearsal) else {
                return crate::link(reader, filter, refirer, dead_letters, rewriter, cx).await;
            };
            let filter = Then(filter, selected(progress.clone()));
            let kept = Then(dead_letters.without_unsent(), settled(progress));
            let work = || crate::link(reader, filter, refirer, kept, rewriter, cx);
            return positions.keep(work, cx).await;
        };
        resolve.ask(&books, Some(&read), options.timeout, cx).await?;
        let refirer = Refirer::new(options)?.with_journal(books.clone());
        let dead_letters = write.dead_letters(cx.reopen())?;
        let kept = books.clone();
        let leaves_failures = !follow.follow && write.dead_letter.is_none();
        let dead_letters = if follow.follow {
            dead_letters.without(|_, retry| books::is_held(retry))
        } else {
            if write.dead_letter.is_some() {
                kept.remember_failures();
            }
            // The same command again sends it.
            dead_letters.without_unsent().without(move |record, _| kept.forget_failure(record.id()))
        };
        systemd::ready();
        let Some(positions) = positions else {
            let end = crate::link(reader, filter, refirer, dead_letters, Filed, cx).await;
            if leaves_failures && end.is_ok() {
                tell_of_failures(cx);
            }
            // Also after an error: what was done is written down.
            return end.and(books.close().await);
        };
        let filter = Then(filter, selected(progress.clone()));
        let kept = Then(dead_letters.without_unsent(), settled(progress));
        let end = positions.keep(|| crate::link(reader, filter, refirer, kept, Filed, cx), cx).await;
        end.and(books.close().await)
    }
}

/// Says what to do about requests that have failed once more, which have ended for the ledger.
fn tell_of_failures(cx: &Context) {
    let accounts = cx.tally().accounts();
    let before = accounts.before.get(&Outcome::Failing).copied().unwrap_or(0);
    let failing = accounts.outcome(Outcome::Failing) + before;
    // Those with attempts left are sent by the next run, which says it of the others then.
    if failing > 0 && accounts.unfinished == 0 {
        cx.notes().say(format_args!(
            "what failed once more ({failing}) has ended, and the same run again does not send it; with --dead-letter FILE that keeps it, and lr-refire sends it from there"
        ));
    }
}

const POSITIONS_ARE_FOR_SAFE_METHODS: &str = "keep positions (--positions) for methods that change something without a ledger: if the run is killed, what was \
                                              sent behind the first request that had not ended is sent again";

const SKIPS_RECOVERED: &str = "skip what has recovered since while following (--skip-recovered): it is known at the end of a log only; a longer \
                               `--settle` gives clients time";
