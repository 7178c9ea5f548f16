//! Servers that only pretend, on a clock that only runs when everyone waits.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use logretry_record::ErrorKind;
use tokio::time::Instant;

use super::diary::Second;
use crate::fault::Fault;
use crate::random::Random;
use crate::transport::{Ready, Request, Seen, Transport};

/// What a server is like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    pub(super) name: &'static str,
    /// Requests that it works on at once.
    pub(super) workers: u32,
    /// What each takes, give or take a half.
    pub(super) work_ms: f64,
    /// Requests that queue; one more is answered with 503.
    pub(super) queue: u32,
    pub(super) habit: Habit,
    /// How long it is watched.
    pub(super) watch_s: u32,
}

/// What it does besides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Habit {
    Steady,
    /// Whatever goes beyond its workers slows down all of them: with twice as many requests it does two thirds of the work.
    Thrashes,
    /// One page in ten takes eleven times as long as the others.
    Mixes,
    /// It is down from one second to another: nobody is there.
    Down(u64, u64),
    /// It is down for so many seconds after each so many good ones.
    Flaps(u64, u64),
    /// So many more requests than workers, and it is down for 10 s.
    Breaks(u32),
    /// It answers so many a second, ten more in a burst, and all others with 429.
    Meters(f64),
    /// Nobody is there.
    Dead,
}

#[derive(Debug)]
pub(super) struct Server {
    profile: Profile,
    start: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: Random,
    /// When each worker will be free.
    workers: BinaryHeap<Reverse<Instant>>,
    inside: u32,
    down_until: Option<Instant>,
    tokens: (f64, Instant),
    diary: Vec<Second>,
}

enum Fate {
    Good(Duration),
    Overload(u16),
    Down,
}

impl Server {
    pub(super) fn new(profile: Profile) -> Self {
        let start = Instant::now();
        let workers = (0..profile.workers).map(|_| Reverse(start)).collect();
        let state = State {
            random: Random::new(),
            workers,
            inside: 0,
            down_until: None,
            tokens: (10.0, start),
            diary: Vec::new(),
        };
        Self { profile, start, state: Mutex::new(state) }
    }

    pub(super) fn diary(&self) -> Vec<Second> {
        self.state.lock().expect("no panic").diary.clone()
    }

    fn is_down(&self, state: &State, now: Instant) -> bool {
        let second = (now - self.start).as_secs();
        let scripted = match self.profile.habit {
            Habit::Dead => true,
            Habit::Down(from, to) => (from..to).contains(&second),
            Habit::Flaps(down, up) => second % (up + down) >= up,
            _ => false,
        };
        scripted || state.down_until.is_some_and(|until| now < until)
    }

    fn arrive(&self, now: Instant) -> Fate {
        let Profile { workers, work_ms, queue, habit, .. } = self.profile;
        let mut state = self.state.lock().expect("no panic");
        if self.is_down(&state, now) {
            return Fate::Down;
        }
        if let Habit::Meters(rate) = habit {
            let (tokens, since) = state.tokens;
            let tokens = (tokens + (now - since).as_secs_f64() * rate).min(10.0);
            state.tokens = (if tokens >= 1.0 { tokens - 1.0 } else { tokens }, now);
            if tokens < 1.0 {
                return Fate::Overload(429);
            }
        }
        if matches!(habit, Habit::Breaks(more) if state.inside >= workers + more) {
            state.down_until = Some(now + Duration::from_secs(10));
        }
        if state.inside >= workers + queue {
            return Fate::Overload(503);
        }
        state.inside += 1;
        let crowd = f64::from(state.inside) / f64::from(workers);
        let slowed = match habit {
            Habit::Thrashes => 1.0 + (crowd - 1.0).max(0.0) / 2.0,
            Habit::Mixes if state.random.unit() < 0.1 => 5.5,
            Habit::Mixes => 0.5,
            _ => 1.0,
        };
        let work = Duration::from_secs_f64(work_ms * slowed * (0.5 + state.random.unit()) / 1e3);
        let Reverse(free) = state.workers.pop().expect("a worker");
        let end = free.max(now) + work;
        state.workers.push(Reverse(end));
        Fate::Good(end - now)
    }

    fn note(&self, change: impl FnOnce(&mut Second)) {
        let second = usize::try_from(self.start.elapsed().as_secs()).expect("not that many");
        let mut state = self.state.lock().expect("no panic");
        if state.diary.len() <= second {
            state.diary.resize(second + 1, Second::default());
        }
        change(&mut state.diary[second]);
    }

    async fn ask(&self, seen: &mut Seen) -> Result<(), Fault> {
        // The way there and back.
        tokio::time::sleep(Duration::from_millis(2)).await;
        match self.arrive(Instant::now()) {
            Fate::Good(time) => {
                tokio::time::sleep(time).await;
                self.state.lock().expect("no panic").inside -= 1;
                self.note(|second| second.good += 1);
                seen.status = Some(200);
                Ok(())
            }
            Fate::Overload(status) => {
                tokio::time::sleep(Duration::from_millis(8)).await;
                self.note(|second| second.overload += 1);
                seen.status = Some(status);
                Ok(())
            }
            Fate::Down => {
                tokio::time::sleep(Duration::from_millis(98)).await;
                self.note(|second| second.down += 1);
                Err(Fault::new(ErrorKind::Connect, "nobody is there"))
            }
        }
    }
}

/// Servers by their hosts' names.
#[derive(Debug)]
pub(super) struct Net(pub(super) HashMap<String, Arc<Server>>);

impl Transport for Net {
    type Ready = Arc<Server>;

    async fn ready(&self, request: &Request) -> Result<Arc<Server>, Fault> {
        Ok(Arc::clone(&self.0[request.planned.site().host()]))
    }
}

impl Ready for Arc<Server> {
    async fn exchange(self, _: &mut Request, seen: &mut Seen) -> Result<(), Fault> {
        self.ask(seen).await
    }
}
