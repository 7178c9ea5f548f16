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
    /// Pages have a long tail: one in a hundred takes more than five times the mean (Pareto, with an exponent of 2).
    Tails,
    /// For so many seconds each it is between a third faster and a half slower than on average, for what else runs there.
    Shares(u64),
    /// It stands still for so many milliseconds at most, and 0.4 times that at least, whatever is under way; and again within so many seconds, 0.4 times that at least.
    Pauses(u32, u32),
    /// So many pages come from a cache, and the others take so many times as long.
    Caches(f64, f64),
    /// Its cache fills within so many seconds, until nine pages in ten come from there; the others take ten times as long.
    Fills(u64),
    /// It does half as much from one second to another.
    Halves(u64, u64),
    /// Whoever has waited so many milliseconds without a worker is answered with 504. Nobody is turned away before.
    TimesOut(u64),
    /// It is down from one second to another, and then ten times as slow at first, and as fast as before after half a minute.
    WarmsUp(u64, u64),
    /// So many milliseconds away, there and back.
    IsFar(u64),
    /// One page in so many is broken, 500, whoever asks for it.
    Broken(f64),
    /// It says 500 where others say 503.
    Fails,
    /// Nobody is there.
    Dead,
}

impl Profile {
    /// Answers a second at most.
    pub(super) fn bears(&self) -> f64 {
        match self.habit {
            Habit::Meters(rate) => rate,
            _ => f64::from(self.workers) * 1e3 / self.work_ms,
        }
    }

    /// Whether nobody is there in this second, whatever comes.
    pub(super) fn is_gone(&self, second: u64) -> bool {
        match self.habit {
            Habit::Dead => true,
            Habit::Down(from, to) | Habit::WarmsUp(from, to) => (from..to).contains(&second),
            Habit::Flaps(down, up) => second % (up + down) >= up,
            _ => false,
        }
    }
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
    /// From when to when it stands still.
    pauses: Vec<(Instant, Duration)>,
    /// How slow it is, one time after the other.
    shares: Vec<f64>,
    diary: Vec<Second>,
}

enum Fate {
    Good(Duration),
    Broken(Duration),
    Overload(u16, Duration),
    Down,
}

impl Server {
    pub(super) fn new(profile: Profile) -> Self {
        let start = Instant::now();
        let workers = (0..profile.workers).map(|_| Reverse(start)).collect();
        let mut random = Random::new();
        let shares = (0..=profile.watch_s).map(|_| 2.0 / 3.0 + random.unit() * 5.0 / 6.0).collect();
        let state = State {
            pauses: pauses(&profile, start, &mut random),
            shares,
            random,
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
        self.profile.is_gone(second) || state.down_until.is_some_and(|until| now < until)
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
                return Fate::Overload(429, TURNED_AWAY);
            }
        }
        if matches!(habit, Habit::Breaks(more) if state.inside >= workers + more) {
            state.down_until = Some(now + Duration::from_secs(10));
        }
        if let (Habit::TimesOut(ms), Some(Reverse(free))) = (habit, state.workers.peek()) {
            let patience = Duration::from_millis(ms);
            if *free > now + patience {
                return Fate::Overload(504, patience);
            }
        } else if state.inside >= workers + queue {
            return Fate::Overload(if habit == Habit::Fails { 500 } else { 503 }, TURNED_AWAY);
        }
        state.inside += 1;
        let crowd = f64::from(state.inside) / f64::from(workers);
        let slowed = match habit {
            Habit::Thrashes => 1.0 + (crowd - 1.0).max(0.0) / 2.0,
            Habit::Mixes if state.random.unit() < 0.1 => 5.5,
            Habit::Mixes => 0.5,
            Habit::Tails => (0.5 / state.random.unit().max(1e-4).sqrt()).min(100.0),
            Habit::Shares(each_s) => {
                let which = usize::try_from((now - self.start).as_secs() / each_s).expect("not that many");
                state.shares[which.min(state.shares.len() - 1)]
            }
            Habit::Caches(hits, times) => {
                let miss = if state.random.unit() < hits { 1.0 } else { times };
                miss / (hits + (1.0 - hits) * times)
            }
            Habit::Fills(within_s) => {
                let within = Duration::from_secs(within_s).as_secs_f64();
                let hits = 0.9 * ((now - self.start).as_secs_f64() / within).min(1.0);
                if state.random.unit() < hits { 0.1 } else { 1.0 }
            }
            Habit::Halves(from, to) if (from..to).contains(&(now - self.start).as_secs()) => 2.0,
            Habit::WarmsUp(_, to) => {
                let warm_s = (now - self.start).as_secs_f64() - f64::from(u32::try_from(to).expect("small"));
                if (0.0..30.0).contains(&warm_s) { 1.0 / (0.1 + 0.03 * warm_s) } else { 1.0 }
            }
            _ => 1.0,
        };
        let is_broken = matches!(habit, Habit::Broken(one_in) if state.random.unit() * one_in < 1.0);
        let work = Duration::from_secs_f64(work_ms * slowed * (0.5 + state.random.unit()) / 1e3);
        let Reverse(free) = state.workers.pop().expect("a worker");
        let begin = free.max(now);
        let end = state.pauses.iter().fold(begin + work, |end, &(pause, length)| {
            if pause + length > begin && pause < end {
                end + (pause + length - pause.max(begin))
            } else {
                end
            }
        });
        state.workers.push(Reverse(end));
        if is_broken { Fate::Broken(end - now) } else { Fate::Good(end - now) }
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
        let way_ms = if let Habit::IsFar(ms) = self.profile.habit { ms } else { 2 };
        tokio::time::sleep(Duration::from_millis(way_ms)).await;
        match self.arrive(Instant::now()) {
            fate @ (Fate::Good(time) | Fate::Broken(time)) => {
                tokio::time::sleep(time).await;
                self.state.lock().expect("no panic").inside -= 1;
                self.note(|second| second.good += 1);
                seen.status = Some(if matches!(fate, Fate::Good(_)) { 200 } else { 500 });
                Ok(())
            }
            Fate::Overload(status, time) => {
                tokio::time::sleep(time).await;
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

/// What it takes to be turned away.
const TURNED_AWAY: Duration = Duration::from_millis(8);

/// When a server stands still, in twice the time for which it is watched.
fn pauses(profile: &Profile, start: Instant, random: &mut Random) -> Vec<(Instant, Duration)> {
    let Habit::Pauses(pause_ms, within_s) = profile.habit else { return Vec::new() };
    let end = start + Duration::from_secs(profile.watch_s.into()) * 2;
    let mut part_of = |most: u32| f64::from(most) * (0.4 + 0.6 * random.unit());
    let mut at = start;
    std::iter::from_fn(|| {
        at += Duration::from_secs_f64(part_of(within_s));
        Some((at, Duration::from_secs_f64(part_of(pause_ms) / 1e3)))
    })
    .take_while(|&(at, _)| at < end)
    .collect()
}

/// Servers by their hosts' names.
#[derive(Debug)]
pub(super) struct Net(pub(super) HashMap<String, Arc<Server>>);

impl Transport for Net {
    type Ready = Arc<Server>;

    async fn ready(&self, request: &Request, _: Instant) -> Result<Arc<Server>, Fault> {
        Ok(Arc::clone(&self.0[request.planned.site().host()]))
    }
}

impl Ready for Arc<Server> {
    async fn exchange(self, _: &mut Request, seen: &mut Seen) -> Result<(), Fault> {
        self.ask(seen).await
    }
}
