use logretry_format::Format;
use logretry_record::{Predicate, Shown};
use logretry_stage::bridge::{self, Break, Feed};
use logretry_stage::{Context, RecordStream, Source};

use crate::desk::Desk;
use crate::entries::Entries;
use crate::fallback::Fallback;
use crate::opened::{self, Opened};
use crate::search::{self, Search};
use crate::survey::Survey;
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
    /// a status where its format has it is screened unread.
    pub strict: bool,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self { formats: Vec::new(), line_bytes_max: 1 << 20, predicate: None, strict: false }
    }
}

/// The source that reads logs. See the [crate's front page](crate).
#[derive(Debug)]
pub struct Reader {
    inputs: Vec<Input>,
    options: ReaderOptions,
}

impl Reader {
    /// A reader of `inputs`, one after the other.
    pub fn new(inputs: Vec<Input>, options: ReaderOptions) -> Self {
        Self { inputs, options }
    }
}

impl Source for Reader {
    fn open(self, cx: &Context) -> impl RecordStream {
        let sizes = self.inputs.iter().filter_map(Input::size);
        cx.tally().expect_bytes(sizes.sum());
        bridge::from_thread(cx, "reader", move |feed| {
            self.inputs.iter().try_for_each(|input| read(input, &self.options, feed))
        })
    }
}

fn read(input: &Input, options: &ReaderOptions, feed: &mut Feed) -> Result<(), Break> {
    let cx = feed.context().clone();
    let count = move |bytes| cx.tally().read_bytes(bytes);
    let Opened { mut entries, name, .. } = opened::open(input, options.line_bytes_max, count)?;
    let mut search = Search::new(name.clone(), entries.wrapper(), options.line_bytes_max);
    let mut desk = Desk::new(name, options.formats.clone(), options);
    if options.formats.is_empty() {
        find_out(&mut search, &mut entries, &mut desk, feed)?;
    } else {
        search.read(&mut entries)?;
        let survey = Survey::of(&search.kept, options.line_bytes_max);
        desk.unended_are_whole = survey.unended_are_whole;
        say_wrapped(&search, &survey, &mut desk, feed);
    }
    for kept in std::mem::take(&mut search.kept) {
        desk.take(&kept.as_line(), feed)?;
    }
    read_on(&mut entries, &mut desk, feed)?;
    desk.close(feed)
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
    // An empty log is in any format.
    if !search.kept.is_empty() {
        desk.formats = search::formats_of(&searched, &desk.name, feed.context().notes())?;
        desk.fallback = Some(Fallback::new(search::own_lines(&searched, &desk.formats)));
        desk.unended_are_whole = searched.survey.unended_are_whole;
        if searched.wrappers.is_empty() {
            desk.skim();
        }
    }
    Ok(())
}

/// Says what is around the lines of a log whose format was given.
fn say_wrapped(search: &Search, survey: &Survey, desk: &mut Desk<'_>, feed: &Feed) {
    let Some((format, wrappers)) = search.around(survey, &desk.formats) else { return };
    if wrappers.is_empty() {
        desk.skim();
    } else {
        feed.context().notes().say(format_args!(
            "{}: format {}{}",
            Shown(&desk.name),
            Shown(format.name().as_bytes()),
            search::within(&wrappers)
        ));
    }
}

fn read_on(entries: &mut Entries, desk: &mut Desk<'_>, feed: &mut Feed) -> Result<(), Break> {
    let mut last = 0;
    loop {
        if entries.would_wait() {
            feed.flush()?;
        }
        match entries.next() {
            Ok(Some(line)) => {
                last = line.number;
                desk.take(&line, feed)?;
            }
            Ok(None) => return Ok(()),
            Err(error) => {
                desk.close(feed)?;
                return Err(ReaderError::Read { name: desk.name.to_string(), line: last, error }.into());
            }
        }
    }
}
