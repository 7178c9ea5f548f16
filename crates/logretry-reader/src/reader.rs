use std::fs::File;
use std::io::Seek as _;
use std::num::NonZero;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use bstr::BString;
use futures_util::Stream;
use logretry_format::Format;
use logretry_record::{Predicate, Shown};
use logretry_stage::bridge::{self, Break, Encoded, Feed, feed_in_order};
use logretry_stage::{Context, Notes, RecordStream, Result as StageResult, Source};

use crate::blocks::Blocks;
use crate::crew::{self, Progress, Trouble};
use crate::desk::Desk;
use crate::entries::Entries;
use crate::fallback::Fallback;
use crate::follow::{self, Following};
use crate::named::Named;
use crate::opened::{self, Opened};
use crate::search::{self, Search, Searched};
use crate::survey::Survey;
use crate::twins::{self, Beginning};
use crate::{Input, ReaderError};

/// How logs are read.
#[derive(Debug, Clone)]
pub struct ReaderOptions {
    /// The formats to try on each line, in this order; none: find out for each log.
    pub formats: Vec<Format>,
    /// The longest line, in bytes without its line end; a longer one is a reject. 1 MiB by default.
    pub line_bytes_max: usize,
    /// What the filter behind will select: lines that it certainly will not are screened. None: every line becomes a record.
    pub predicate: Option<Predicate>,
    /// Read every line, so that one that cannot be used is found although its status is not wanted. By default a line that shows such
    /// a status where the log's format has it is screened, unread if it can be, and never rejected.
    pub strict: bool,
    /// How much of a file several threads read together: from so many bytes on. 4 MiB by default.
    pub crew_bytes_min: u64,
    /// How much of a file each of these threads takes at once; four times as much where most lines are screened. From 1 byte to 64 MiB, 512 KiB by default.
    pub block_bytes: usize,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self {
            formats: Vec::new(),
            line_bytes_max: 1 << 20,
            predicate: None,
            strict: false,
            crew_bytes_min: 4 << 20,
            block_bytes: 512 << 10,
        }
    }
}

/// The largest block: a crew has several of them for each thread in memory.
const BLOCK_BYTES_MAX: usize = 64 << 20;
/// A crew that gets so far was worth calling.
const CREW_BYTES_WORTHWHILE: u64 = 1 << 20;
/// Lines that are read one by one after a crew that was not.
const LINES_ALONE: u64 = 10_000;

/// The source that reads logs. See the [crate's front page](crate).
#[derive(Debug)]
pub struct Reader {
    inputs: Vec<Named>,
    following: Option<Following>,
    options: ReaderOptions,
}

impl Reader {
    /// A reader of `inputs`, which gives the records of one after those of the other. Files are read that are there now, wherever they are when it is their turn.
    pub fn new(inputs: Vec<Input>, options: ReaderOptions) -> Self {
        Self { inputs: Named::all(inputs), following: None, options }
    }

    /// A reader of logs that grow. It ends with a drain, or as [`Following`] says.
    pub fn following(following: Following, options: ReaderOptions) -> Self {
        Self { inputs: Vec::new(), following: Some(following), options }
    }
}

impl Reader {
    /// The same reader, which goes on from where `progress` was, and tells it how far it gets, if it follows logs.
    #[must_use]
    pub fn telling(mut self, progress: follow::Progress) -> Self {
        if let Some(following) = &mut self.following {
            following.progress = Some(progress);
        }
        self
    }

    /// The same reader without the files of which `is_out` says so, if others are left.
    #[must_use]
    pub fn without(mut self, is_out: impl Fn(&Path) -> bool) -> Self {
        let stays = |named: &Named| !matches!(&named.input, Input::File(path) if is_out(path));
        if self.inputs.iter().any(stays) {
            self.inputs.retain(stays);
        }
        self
    }

    /// The same reader, which does not follow the file at `path`, or what it is rotated to, when a directory or a pattern finds it: it is there, or will be, and whoever reads writes it.
    #[must_use]
    pub fn not_following(mut self, path: &Path) -> Self {
        if let Some(following) = &mut self.following {
            following.leave_out(path);
        }
        self
    }

    /// The files that it reads first, as far as they are known now; standard input is `/dev/stdin`.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        let inputs = self.inputs.iter().map(|named| match &named.input {
            Input::Stdin => PathBuf::from("/dev/stdin"),
            Input::File(path) => path.clone(),
        });
        inputs.chain(self.following.iter().flat_map(|following| following.found().logs))
    }

    /// What [`Source::open`] gives, encoded for a pipe: cheaper than to open it and to encode each record.
    pub fn open_encoded(self, cx: &Context) -> impl Stream<Item = StageResult<Encoded>> + Send + use<> {
        bridge::encoded_from_thread(cx, "reader", self.work(cx))
    }

    fn work(self, cx: &Context) -> impl FnOnce(&mut Feed) -> Result<(), Break> + Send + use<> {
        let sizes = self.inputs.iter().filter_map(Named::bytes);
        cx.tally().expect_bytes(sizes.sum());
        move |feed| {
            if let Some(following) = &self.following {
                return follow::run(following, &self.options, feed);
            }
            if self.inputs.len() > 1 {
                let mut beginnings = Vec::new();
                for (index, named) in self.inputs.iter().enumerate() {
                    if feed.context().is_draining() {
                        return Ok(());
                    }
                    match check(named, &self.options) {
                        Ok(beginning) if beginnings.len() < twins::LOGS_MAX => beginnings.extend(beginning),
                        Ok(_) => {}
                        // Whoever reads it next says what is wrong with it.
                        Err(_) if index == 0 => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                twins::tell(&beginnings, feed.notes());
            }
            if let Some((first, others)) = self.inputs.split_first() {
                let name = Shown(first.input.name().as_encoded_bytes()).to_string();
                feed.fail_if_useless(ReaderError::Useless { name, others: others.len() }.into());
            }
            read_all(&self.inputs, &self.options, feed)
        }
    }
}

/// Inputs that are read at once.
const AT_ONCE_MAX: usize = 4;

/// How a log begins, if it is a file whose format is to be found out. One that is read later must be in a known format: if it is not, that is said before any record of an earlier one is
/// given, and perhaps sent.
fn check(named: &Named, options: &ReaderOptions) -> Result<Option<Beginning>, ReaderError> {
    if named.bytes().is_none() || !options.formats.is_empty() {
        return Ok(None);
    }
    let Opened { mut entries, name, arrival, .. } = opened::open(named, options.line_bytes_max, |_| ())?;
    let mut search =
        Search::new(name.clone(), entries.wrapper(), options.line_bytes_max).in_what_comes(arrival);
    let searched = search.run(&mut entries)?;
    if is_blank(&searched) {
        return Ok(None);
    }
    let formats = search::formats_of(&searched, &name, &Notes::silent());
    let formats = formats.map_err(|error| search.take_error().unwrap_or(error))?;
    Ok(formats.first().map(|format| Beginning::of(&searched, name, format)))
}

/// Reads `inputs`, in their order. Those of which each leaves cores idle are read at once.
fn read_all(mut inputs: &[Named], options: &ReaderOptions, feed: &mut Feed) -> Result<(), Break> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(AT_ONCE_MAX);
    while let [first, ..] = inputs {
        let leaves_cores = |named: &&Named| opened::is_read_by_one(named, options.crew_bytes_min);
        let count = inputs.iter().take_while(leaves_cores).count();
        let count = if cores > 1 { count } else { 1 };
        if count > 1 {
            let jobs = inputs[..count].iter().map(|named| move |feed: &mut Feed| read(named, options, feed));
            feed_in_order(feed, jobs, cores)?;
        } else {
            read(first, options, feed)?;
        }
        inputs = &inputs[count.max(1)..];
    }
    Ok(())
}

impl Source for Reader {
    fn open(self, cx: &Context) -> impl RecordStream {
        bridge::from_thread(cx, "reader", self.work(cx))
    }
}

pub(crate) fn read(named: &Named, options: &ReaderOptions, feed: &mut Feed) -> Result<(), Break> {
    named.input.say_if_typed(feed.notes());
    let cx = feed.context().clone();
    let count = move |bytes| cx.tally().read_bytes(bytes);
    let Opened { mut entries, name, arrival, plain, .. } =
        opened::open(named, options.line_bytes_max, count)?;
    let mut search =
        Search::new(name.clone(), entries.wrapper(), options.line_bytes_max).in_what_comes(arrival);
    let mut desk = Desk::new(name, options.formats.clone(), options);
    desk.holds_back = true;
    if options.formats.is_empty() {
        find_out(&mut search, &mut entries, &mut desk, feed)?;
    } else {
        search.read(&mut entries)?;
        look_around(&search, options.line_bytes_max, &mut desk, feed);
    }
    for kept in std::mem::take(&mut search.kept) {
        desk.take(&kept.as_line(), feed)?;
    }
    if let Some(error) = search.take_error() {
        desk.close(feed)?;
        return Err(error.into());
    }
    match plain.as_ref().filter(|_| desk.is_plain) {
        Some(file) => read_file(file, entries, options, &mut desk, feed)?,
        None => {
            read_on(&mut entries, u64::MAX, &mut desk, feed)?;
        }
    }
    if plain.as_ref().is_some_and(has_no_last_line_end) {
        let sentence = format_args!(
            "{}: its last line has no line end; if it is being written just now, the rest will make it another line, which is sent for itself",
            Shown(&desk.name)
        );
        feed.notes().say_of_log("a last line without a line end", sentence);
    }
    desk.close(feed)?;
    if plain.is_some_and(|file| named.was_emptied(&file)) {
        return Err(ReaderError::Emptied { name: desk.name.to_string() }.into());
    }
    Ok(())
}

/// Whether the file ends amid a line.
fn has_no_last_line_end(file: &File) -> bool {
    let mut last = [b'\n'];
    let end = file.metadata().ok().and_then(|metadata| metadata.len().checked_sub(1));
    end.is_some_and(|at| file.read_exact_at(&mut last, at).is_ok() && !matches!(last, [b'\n' | 0]))
}

/// Finds out the format of the log, and leaves its first lines in `search`.
fn find_out(
    search: &mut Search,
    entries: &mut Entries,
    desk: &mut Desk<'_>,
    feed: &mut Feed,
) -> Result<(), Break> {
    let searched = loop {
        if entries.would_wait() {
            feed.flush()?;
        }
        if let Some(searched) = search.step(entries)? {
            break searched;
        }
    };
    // Where nothing is understood, that it could not be read to its end says more.
    settle_on(&searched, desk, feed).map_err(|error| search.take_error().unwrap_or(error))?;
    Ok(())
}

/// Whether a log has no line that tells a format: an empty log is in any, and one of blank lines in that of the first other line, if such a line comes after all.
fn is_blank(searched: &Searched) -> bool {
    searched.found.is_unknown() && searched.found.detection.lines == 0
}

/// Lets `desk` read the format that was found.
pub(crate) fn settle_on(searched: &Searched, desk: &mut Desk<'_>, feed: &Feed) -> Result<(), ReaderError> {
    if is_blank(searched) {
        desk.fallback = Some(Fallback::default());
        return Ok(());
    }
    desk.formats = search::formats_of(searched, &desk.name, feed.notes())?;
    let own_lines = search::own_lines(searched, &desk.formats);
    if search::begin_with_names_of_files(&own_lines, &desk.formats) {
        let sentence = format_args!(
            "{}: its lines begin with a file's name or a number, as grep puts it there: other lines than the log's own, so that what was sent of those is sent again; use `grep -h`, without `-n`",
            Shown(&desk.name)
        );
        feed.notes().say_of_log("lines behind a file's name", sentence);
    }
    desk.fallback = Some(Fallback::new(own_lines));
    desk.unended_are_whole = searched.survey.unended_are_whole;
    if searched.wrappers.is_empty() {
        desk.skim();
    }
    desk.say_zone(feed);
    Ok(())
}

/// Looks at the first lines of a log whose format was given.
pub(crate) fn look_around(search: &Search, line_bytes_max: usize, desk: &mut Desk<'_>, feed: &Feed) {
    let survey = Survey::of(&search.kept, line_bytes_max);
    desk.unended_are_whole = survey.unended_are_whole;
    say_wrapped(search, &survey, desk, feed);
    desk.say_zone(feed);
}

/// Says what is around the lines of a log whose format was given.
fn say_wrapped(search: &Search, survey: &Survey, desk: &mut Desk<'_>, feed: &Feed) {
    let Some((format, wrappers)) = search.around(survey, &desk.formats) else { return };
    if wrappers.is_empty() {
        desk.skim();
    } else {
        let kind = format!("format {}{}", Shown(format.name().as_bytes()), search::within(&wrappers));
        feed.notes().say_of_log(&kind, format_args!("{}: {kind}", Shown(&desk.name)));
    }
}

/// Reads `file` with a crew as far as one gets, and in between and at the end line by line.
fn read_file(
    file: &File,
    mut entries: Entries,
    options: &ReaderOptions,
    desk: &mut Desk<'_>,
    feed: &mut Feed,
) -> Result<(), Break> {
    let read_error = |name: &BString, line, error| ReaderError::Read { name: name.to_string(), line, error };
    loop {
        let Some((lines, start)) = entries.position() else { return Ok(()) };
        let end = file.metadata().map_or(0, |metadata| metadata.len());
        let mut lines_alone = u64::MAX;
        if end.saturating_sub(start) >= options.crew_bytes_min {
            let blocks = Blocks {
                file,
                start,
                end,
                line_bytes_max: options.line_bytes_max,
                block_bytes: options.block_bytes.clamp(1, BLOCK_BYTES_MAX),
            };
            let counted = { file }.stream_position().unwrap_or(start);
            let mut progress = Progress { lines, offset: start, counted };
            match crew::read(blocks, desk, feed, &mut progress) {
                Ok(()) => {}
                Err(Trouble::Break(end)) => return Err(end),
                Err(Trouble::Read(error)) => {
                    desk.close(feed)?;
                    return Err(read_error(&desk.name, progress.lines, error).into());
                }
            }
            let cx = feed.context().clone();
            let count = move |bytes| cx.tally().read_bytes(bytes);
            let position = (progress.lines, progress.offset);
            entries = opened::lines_from(file, position, options.line_bytes_max, count)
                .map_err(|error| read_error(&desk.name, progress.lines, error))?;
            // Where a crew hardly gets anywhere, one is not worth calling for each line.
            let is_worthwhile = progress.offset - start >= CREW_BYTES_WORTHWHILE;
            lines_alone = if is_worthwhile { 1 } else { LINES_ALONE };
        }
        if !read_on(&mut entries, lines_alone, desk, feed)? {
            return Ok(());
        }
    }
}

/// Reads so many lines; whether there may be more.
fn read_on(entries: &mut Entries, lines: u64, desk: &mut Desk<'_>, feed: &mut Feed) -> Result<bool, Break> {
    let mut last = entries.position().map_or(0, |(lines, _)| lines);
    for _ in 0..lines {
        if entries.would_wait() {
            feed.flush()?;
        }
        match entries.next() {
            Ok(Some(line)) => {
                last = line.number;
                desk.take(&line, feed)?;
            }
            Ok(None) => return Ok(false),
            Err(error) => {
                desk.close(feed)?;
                return Err(ReaderError::Read { name: desk.name.to_string(), line: last, error }.into());
            }
        }
    }
    Ok(true)
}
