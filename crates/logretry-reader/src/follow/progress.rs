//! How far the records of followed logs are settled.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bstr::BString;
use logretry_record::RecordId;
use logretry_stage::{Result, folder};
use serde::{Deserialize, Serialize};

use super::members::{log_name, may_be_rotated, name};
use super::places::Place;
use super::print::Fingerprint;
use crate::rotation::age;

/// Where to go on after a restart: a handle that the reader and whoever settles its records share.
///
/// A place may be kept only up to the first record that is not settled: not recovered yet, perhaps, or not even sent. So the reader tells of each record that it
/// hands on, and the run tells of each record that was [selected](Self::selected), in their order, and of each that is [settled](Self::settled), in any order.
/// What is before a selected record and was not selected itself was dropped, and is settled.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    logs: BTreeMap<BString, Volumes>,
    /// What was saved before, and not asked for yet.
    saved: BTreeMap<BString, Vec<Place>>,
    /// Handed on, and not known to be selected or dropped.
    handed: VecDeque<(RecordId, Open)>,
    /// Selected and not settled, in their order.
    pending: BTreeMap<u64, Open>,
    /// Where in `pending` a record is.
    numbers: HashMap<RecordId, VecDeque<u64>>,
    selected: u64,
    /// Behind which place of a file nothing has been handed on, by its log and number.
    reached: BTreeMap<BString, BTreeMap<u64, u64>>,
    /// Logs of which pieces of a line are kept, somewhere before what was handed on.
    in_pieces: BTreeSet<BString>,
    /// By what the logs are named; what was saved, until that is told.
    follows: Vec<String>,
    on_beginning: OnBeginning,
}

/// Who is to be told where reading begins.
#[derive(Default)]
struct OnBeginning(Option<Box<Keep>>);

type Keep = dyn FnOnce(&str) -> Result<()> + Send;

impl fmt::Debug for OnBeginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnBeginning").field(&self.0.is_some()).finish()
    }
}

/// A record on its way: its log, its file and its place in it.
#[derive(Debug, Clone)]
struct Open {
    log: BString,
    volume: u64,
    offset: u64,
}

/// The files of a log, by their numbers, and those that were read to their ends.
type Volumes = (BTreeMap<u64, Place>, Vec<Place>);

/// Records between the reader and the filter, at most. Whoever has so many behind it and was not selected has been dropped.
const HANDED_MAX: usize = 8192;

#[derive(Serialize, Deserialize)]
struct Saved {
    v: u32,
    /// By the names of the logs. Places are known again by what stands there, so that it does no harm if a name is not whole.
    logs: Vec<(String, Vec<Place>)>,
    /// The files, folders and patterns that were followed.
    #[serde(default)]
    follows: Vec<String>,
}

const VERSION: u32 = 1;

impl Progress {
    /// Goes on from what [`Progress::save`] gave.
    ///
    /// # Errors
    ///
    /// It is not that, or of another version of logretry.
    pub fn load(text: &str) -> Result<Self, String> {
        let Saved { v, logs, follows } = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if v != VERSION {
            return Err(format!("it is of version {v}, and this logretry writes version {VERSION}"));
        }
        let state = State {
            saved: logs.into_iter().map(|(log, places)| (log.into(), places)).collect(),
            follows,
            ..State::default()
        };
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    /// Where to go on, as of now: one line of JSON.
    pub fn save(&self) -> String {
        let state = self.state();
        let mut logs: BTreeMap<BString, Vec<Place>> = state.saved.clone();
        let firsts = state.firsts();
        for (log, (volumes, read)) in &state.logs {
            let open = volumes.iter().map(|(volume, place)| state.settled(log, *volume, *place, &firsts));
            logs.insert(log.clone(), open.chain(read.iter().copied()).collect());
        }
        let logs = logs.into_iter().map(|(log, places)| (log.to_string(), places)).collect();
        let follows = state.follows.clone();
        serde_json::to_string(&Saved { v: VERSION, logs, follows }).unwrap_or_default()
    }

    /// Has `keep` told what [`Progress::save`] gives as soon as it is known where reading begins, before the first record is handed on. With an error, reading ends.
    pub fn on_beginning(&self, keep: impl FnOnce(&str) -> Result<()> + Send + 'static) {
        self.state().on_beginning.0 = Some(Box::new(keep));
    }

    /// The reader knows where it begins.
    pub(crate) fn begins(&self) -> Result<()> {
        let keep = self.state().on_beginning.0.take();
        keep.map_or(Ok(()), |keep| keep(&self.save()))
    }

    /// This record has passed the filter.
    pub fn selected(&self, id: &RecordId) {
        let mut state = self.state();
        let Some(position) = state.handed.iter().position(|(handed, _)| handed == id) else { return };
        let Some((id, open)) = state.handed.drain(..=position).next_back() else { return };
        let number = state.selected;
        state.selected += 1;
        state.pending.insert(number, open);
        state.numbers.entry(id).or_default().push_back(number);
    }

    /// Nothing more is to be done for this record.
    pub fn settled(&self, id: &RecordId) {
        let mut state = self.state();
        let Some(numbers) = state.numbers.get_mut(id) else { return };
        let number = numbers.pop_front();
        if numbers.is_empty() {
            state.numbers.remove(id);
        }
        if let Some(number) = number {
            state.pending.remove(&number);
        }
    }

    /// The logs are named by `members`; by what they were named when it was last saved.
    pub(crate) fn follows(&self, members: Vec<String>) -> Vec<String> {
        std::mem::replace(&mut self.state().follows, members)
    }

    /// Whether what was saved is of the log at `path`, or of one whose rotated file it is by its name.
    pub(crate) fn names(&self, path: &Path) -> bool {
        let own = saved_name(&log_name(path));
        self.state().saved.keys().any(|log| {
            let other = Path::new(OsStr::from_bytes(log));
            *log == own || (folder(other) == folder(path) && age(&name(other), &name(path)).is_some())
        })
    }

    /// Whether the file at `path`, which begins so, is one that a log has had of which only that is known, for it is not there any more.
    pub(crate) fn has_had(&self, path: &Path, print: Fingerprint) -> bool {
        let state = self.state();
        state.saved.iter().any(|(log, places)| {
            may_be_rotated(path, Path::new(OsStr::from_bytes(log)))
                && places.iter().any(|place| place.fingerprint == print)
        })
    }

    /// What was saved of this log.
    pub(crate) fn places(&self, log: &BString) -> Option<Vec<Place>> {
        self.state().saved.get(&saved_name(log)).cloned()
    }

    /// The reader hands on a record, whose line begins and ends there, and everything before it; `keeps_pieces` says that it keeps pieces of another line.
    pub(crate) fn handed(
        &self,
        id: RecordId,
        log: &BString,
        volume: u64,
        (offset, end): (u64, u64),
        keeps_pieces: bool,
    ) {
        let mut state = self.state();
        state.reached.entry(log.clone()).or_default().insert(volume, end);
        if keeps_pieces {
            state.in_pieces.insert(log.clone());
        } else {
            state.in_pieces.remove(log);
        }
        state.handed.push_back((id, Open { log: log.clone(), volume, offset }));
        if state.handed.len() > HANDED_MAX {
            state.handed.pop_front();
        }
    }

    /// The reader has read so far: the open files by their numbers, and those that were read to their ends.
    pub(crate) fn read(&self, log: &BString, open: Vec<(u64, Place)>, mut read: Vec<Place>) {
        let mut state = self.state();
        state.saved.remove(&saved_name(log));
        let mut volumes: BTreeMap<u64, Place> = open.into_iter().collect();
        // One that was closed stays open here until its last record is settled.
        let before = state.logs.remove(log).map(|(before, _)| before).unwrap_or_default();
        for (volume, place) in before {
            if !volumes.contains_key(&volume) && state.is_waited_for(log, volume) {
                read.retain(|other| other.fingerprint != place.fingerprint);
                volumes.insert(volume, place);
            }
        }
        if let Some(reached) = state.reached.get_mut(log) {
            reached.retain(|volume, _| volumes.contains_key(volume));
        }
        state.logs.insert(log.clone(), (volumes, read));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name under which the places of a log are saved.
fn saved_name(log: &BString) -> BString {
    log.to_string().into()
}

impl State {
    fn open(&self) -> impl Iterator<Item = &Open> {
        self.handed.iter().map(|(_, open)| open).chain(self.pending.values())
    }

    fn is_waited_for(&self, log: &BString, volume: u64) -> bool {
        self.open().any(|open| open.volume == volume && open.log == *log)
    }

    /// Where the first record begins that is not settled, by log and file.
    fn firsts(&self) -> HashMap<(&BString, u64), u64> {
        let mut firsts = HashMap::new();
        for open in self.open() {
            let first = firsts.entry((&open.log, open.volume)).or_insert(open.offset);
            *first = open.offset.min(*first);
        }
        firsts
    }

    /// `place` as far as all records before it are settled.
    fn settled(
        &self,
        log: &BString,
        volume: u64,
        place: Place,
        firsts: &HashMap<(&BString, u64), u64>,
    ) -> Place {
        // The reader may have come further than it has told; but not if pieces of a line are kept before that.
        let keeps_pieces = self.in_pieces.contains(log);
        let settled = match firsts.get(&(log, volume)) {
            Some(first) if keeps_pieces => place.settled.min(*first),
            Some(first) => *first,
            None if keeps_pieces => place.settled,
            None => {
                let reached = self.reached.get(log).and_then(|volumes| volumes.get(&volume));
                place.settled.max(reached.copied().unwrap_or(0))
            }
        };
        Place { settled, ..place }
    }
}

#[cfg(test)]
mod tests {
    use super::super::print::{Fingerprint, Marker};
    use super::*;

    fn place(file: u8, settled: u64) -> Place {
        let read = Some((settled, Marker([0; 16])));
        Place { fingerprint: Fingerprint([file; 16]), identity: (1, 2), settled, read }
    }

    fn id(number: u64) -> RecordId {
        RecordId::of_line(b"line", number)
    }

    fn settled(progress: &Progress) -> Vec<u64> {
        let saved = Progress::load(&progress.save()).expect("it was saved");
        let places = saved.places(&"log".into()).unwrap_or_default();
        places.iter().map(|place| place.settled).collect()
    }

    #[test]
    fn a_place_is_kept_up_to_the_first_record_that_is_not_settled() {
        let (progress, log) = (Progress::default(), BString::from("log"));
        (0..5).for_each(|number| {
            progress.handed(id(number), &log, 1, (number * 100, number * 100 + 90), false);
        });
        progress.read(&log, vec![(1, place(1, 500))], Vec::new());
        assert_eq!(settled(&progress), [0]);
        // The first was dropped.
        for number in [1, 2, 4] {
            progress.selected(&id(number));
        }
        assert_eq!(settled(&progress), [100]);
        progress.settled(&id(2));
        assert_eq!(settled(&progress), [100]);
        progress.settled(&id(1));
        assert_eq!(settled(&progress), [400]);
        progress.settled(&id(4));
        assert_eq!(settled(&progress), [500]);
    }

    #[test]
    fn a_file_that_was_closed_is_kept_until_its_last_record_is_settled() {
        let (progress, log) = (Progress::default(), BString::from("log"));
        progress.handed(id(1), &log, 1, (100, 190), false);
        progress.read(&log, vec![(1, place(1, 200))], Vec::new());
        progress.selected(&id(1));
        let closed = || vec![Place::read(Fingerprint([1; 16]))];
        progress.read(&log, vec![(2, place(2, 50))], closed());
        assert_eq!(settled(&progress), [100, 50]);
        progress.settled(&id(1));
        progress.read(&log, vec![(2, place(2, 70))], closed());
        assert_eq!(settled(&progress), [70, u64::MAX]);
    }

    #[test]
    fn a_place_is_as_far_as_the_records_are_and_not_only_as_the_reader_has_told() {
        let (progress, log) = (Progress::default(), BString::from("log"));
        progress.read(&log, vec![(1, place(1, 0))], Vec::new());
        for number in 0..3 {
            progress.handed(id(number), &log, 1, (number * 100, number * 100 + 90), false);
            progress.selected(&id(number));
        }
        progress.settled(&id(0));
        assert_eq!(settled(&progress), [100]);
        (1..3).for_each(|number| progress.settled(&id(number)));
        assert_eq!(settled(&progress), [290]);
        // A piece of a line may stand before them.
        progress.handed(id(3), &log, 1, (300, 390), true);
        assert_eq!(settled(&progress), [0]);
        progress.handed(id(4), &log, 1, (250, 290), false);
        assert_eq!(settled(&progress), [250]);
    }

    #[test]
    fn equal_ids_are_settled_one_by_one() {
        let (progress, log) = (Progress::default(), BString::from("log"));
        progress.handed(id(1), &log, 1, (100, 190), false);
        progress.handed(id(1), &log, 1, (200, 290), false);
        progress.read(&log, vec![(1, place(1, 300))], Vec::new());
        progress.selected(&id(1));
        progress.selected(&id(1));
        progress.settled(&id(1));
        assert_eq!(settled(&progress), [200]);
    }

    #[test]
    fn where_reading_begins_is_told_once() {
        let progress = Progress::default();
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = told.clone();
        progress.on_beginning(move |text| {
            telling.lock().expect("nobody panics").push(text.to_owned());
            Ok(())
        });
        progress.read(&"log".into(), vec![(1, place(1, 300))], Vec::new());
        for _ in 0..2 {
            progress.begins().expect("it is told");
        }
        assert_eq!(*told.lock().expect("nobody panics"), [progress.save()]);
    }

    #[test]
    fn what_is_not_read_yet_is_saved_again() {
        let progress = Progress::default();
        progress.read(&"log".into(), vec![(1, place(1, 300))], Vec::new());
        let no_text = BString::from(b"log\xff");
        progress.read(&no_text, vec![(1, place(2, 300))], Vec::new());
        progress.follows(vec!["folder".to_owned()]);
        let text = progress.save();
        assert_eq!(Progress::load(&text).expect("it was saved").save(), text);
        let progress = Progress::load(&text).expect("it was saved");
        assert!(progress.places(&no_text).is_some());
        progress.read(&no_text, vec![(1, place(2, 300))], Vec::new());
        assert_eq!(progress.save(), text);
        let named = |path: &str| Progress::load(&text).expect("it was saved").names(Path::new(path));
        assert!(named("log") && named("log.1") && !named("log2") && !named("other/log.1"));
        assert!(Progress::load("{}").is_err() && Progress::load(r#"{"v":2,"logs":[]}"#).is_err());
    }
}
