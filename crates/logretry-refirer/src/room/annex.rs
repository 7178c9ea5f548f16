//! What does not fit into the room: to disk, and back when its turn comes.

use std::io;

use logretry_record::Shown;
use logretry_stage::Notes;
use tokio::time::Instant;

use super::{BYTES_MAX, Leaving, RECORDS_MAX, Room};
use crate::lane::{Held, Job};
use crate::overflow::Refused;
use crate::parcel::{pack, unpack};

/// What a lane has in memory at most where there are others, and what is read ahead for nobody in particular.
const LANE: Held = Held { records: RECORDS_MAX / 4, bytes: BYTES_MAX / 4 };
/// What is in memory at most, so that there is room for what comes from disk and for what waits for another attempt.
const NEW: Held = Held { records: RECORDS_MAX / 4 * 3, bytes: BYTES_MAX / 4 * 3 };
/// Records that a lane may have in memory even if others fill it.
const LANE_MIN: usize = 64;
/// Records from disk that leave in one go.
const LEAVING_MAX: usize = 256;

impl Held {
    fn is_below(&self, most: &Self) -> bool {
        self.records < most.records && self.bytes < most.bytes
    }
}

impl Room {
    /// From when on another record may come in, as seen at `now` with so many under way; none if it has to wait for something else than time.
    pub(crate) fn reads_from(&self, now: Instant, under_way: usize) -> Option<Instant> {
        if !self.has_memory() {
            return None;
        }
        let is_ahead = !self.fresh.is_below(&LANE) || self.waiting() >= LANE.records;
        if !self.overflow.has_room() || !is_ahead {
            return Some(now);
        }
        let is_place_free = under_way < self.options.concurrency.get();
        let takes_it = self.turn(now, under_way).is_some_and(|(at, _)| at <= now);
        // What comes then is due later still.
        let due = || self.newest_due.map_or(now, |due| due.max(now));
        (is_place_free && !takes_it).then(due)
    }

    /// Whether what comes in now is read ahead, to look for somebody who may go.
    pub(crate) fn looks_ahead(&self) -> bool {
        self.overflow.has_room() && self.waiting() >= LANE.records
    }

    /// Loads some more of what leaves, if there is nothing else that does.
    pub(crate) fn show_out(&mut self) {
        let Some(&place) = self.going.front() else { return };
        for _ in 0..LEAVING_MAX {
            match self.read_back(place) {
                Ok(Some(Leaving::Job(job, _))) => {
                    let reason = self.lanes[place].turned_out;
                    self.leaving.push_back(Leaving::Job(job, reason));
                }
                Ok(Some(record)) => self.leaving.push_back(record),
                Ok(None) => {
                    self.going.pop_front();
                    return;
                }
                Err(error) => self.lose(place, error),
            }
        }
    }

    /// Why records that waited on disk are not to be had, once.
    pub(crate) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Gives a record its place in its lane.
    pub(super) fn settle_in(&mut self, place: usize, job: Box<Job>, notes: &Notes) {
        self.count_in(place, &job);
        let lane = &mut self.lanes[place];
        let fits = lane.held.is_below(&LANE) && self.fresh.is_below(&NEW) || !self.overflow.has_room();
        if fits && lane.ends_in_front() {
            return lane.admit(job);
        }
        lane.behind.push_back(job);
        self.write_out(place, notes);
        self.fetch(place);
    }

    /// Sees to it that the lane has its next record at hand.
    pub(super) fn fetch(&mut self, place: usize) {
        loop {
            let lane = &mut self.lanes[place];
            let has_memory = self.fresh.is_below(&MOST) || lane.held.records < LANE_MIN;
            if !lane.needs_front() || lane.turned_out.is_some() || !has_memory {
                return;
            }
            if lane.on_disk.is_empty() {
                return lane.move_up();
            }
            match self.read_back(place) {
                Ok(Some(Leaving::Job(job, _))) => {
                    self.count_in(place, &job);
                    self.lanes[place].admit(job);
                }
                Ok(record) => self.leaving.extend(record),
                Err(error) => self.lose(place, error),
            }
        }
    }

    fn has_memory(&self) -> bool {
        self.fresh.is_below(&MOST)
    }

    /// Writes to disk what stands behind it, as far as there is room.
    fn write_out(&mut self, place: usize, notes: &Notes) {
        while self.overflow.has_room()
            && let Some(job) = self.lanes[place].behind.pop_front()
        {
            let lane = &mut self.lanes[place];
            if !pack(&job, self.start, &mut self.parcel) {
                // Nobody could read it back. It is before its turn now, but here.
                lane.admit(job);
                continue;
            }
            match self.overflow.push(&mut lane.on_disk, &self.parcel) {
                Ok(()) => self.count_out(place, &job),
                Err(refused) => {
                    lane.behind.push_front(job);
                    return self.say_stuck(&refused, notes);
                }
            }
        }
        if !self.lanes[place].behind.is_empty() {
            self.say_stuck(&Refused::Full, notes);
        }
    }

    /// The next record of the lane from disk.
    fn read_back(&mut self, place: usize) -> io::Result<Option<Leaving>> {
        if self.overflow.pop(&mut self.lanes[place].on_disk, &mut self.parcel)?.is_none() {
            return Ok(None);
        }
        Ok(Some(match unpack(&self.parcel, self.start, &self.options)? {
            Ok(job) => Leaving::Job(job, None),
            Err((record, reason)) => Leaving::Record(Box::new(record), reason),
        }))
    }

    /// The disk does not give back what it was given. The log has it still, and nothing of it was sent; but the run cannot go on as if it were done.
    fn lose(&mut self, place: usize, error: io::Error) {
        self.overflow.clear(&mut self.lanes[place].on_disk);
        self.failure.get_or_insert(error);
    }

    fn say_stuck(&mut self, refused: &Refused, notes: &Notes) {
        if std::mem::replace(&mut self.told_stuck, true) {
            return;
        }
        let waiting = self.waiting();
        match refused {
            Refused::Full => notes.say(format_args!(
                "{waiting} records wait for their hosts, and no more go to disk than {} MiB; until some have been sent, a host that is slow may hold up others",
                self.options.overflow_bytes_max >> 20
            )),
            Refused::Failed(error) => notes.say(format_args!(
                "{waiting} records wait for their hosts, and the temporary file for more of them cannot be written ({}; TMPDIR names another folder); a host that is slow may hold up others",
                Shown(error.to_string().as_bytes())
            )),
        }
    }
}

/// What is in memory at most.
const MOST: Held = Held { records: RECORDS_MAX, bytes: BYTES_MAX };

#[cfg(test)]
mod tests;
