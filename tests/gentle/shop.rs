//! A web server with a capacity: it works on so many requests at once, lets so many wait, and turns away the rest.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use super::diary::Second;

/// What a server is like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    pub(super) name: &'static str,
    /// Requests that it works on at once.
    pub(super) workers: u32,
    /// What each takes.
    pub(super) work_ms: u32,
    /// Requests that wait; one more is answered with 503.
    pub(super) queue: u32,
    pub(super) habit: Habit,
    /// How long it is watched.
    pub(super) watch_s: u32,
}

/// What it does besides.
#[derive(Debug, Clone, Copy)]
pub(super) enum Habit {
    Steady,
    /// Whatever goes beyond its workers slows down all of them.
    Thrashes,
    /// It is down from one second on, for so long: connections are reset.
    Down {
        after_s: u32,
        for_s: u32,
    },
    /// It is down for so long after each so many good seconds.
    Flaps {
        up_s: u32,
        down_s: u32,
    },
}

impl Habit {
    /// The same server while it is there.
    pub(super) fn at_its_best(self) -> Self {
        match self {
            Self::Down { .. } | Self::Flaps { .. } => Self::Steady,
            other => other,
        }
    }
}

impl Profile {
    /// Answers a second at most.
    pub(super) fn bears(&self) -> f64 {
        f64::from(self.workers) * 1e3 / f64::from(self.work_ms)
    }

    pub(super) fn is_down(&self, second: u32) -> bool {
        match self.habit {
            Habit::Steady | Habit::Thrashes => false,
            Habit::Down { after_s, for_s } => (after_s..after_s + for_s).contains(&second),
            Habit::Flaps { up_s, down_s } => second % (up_s + down_s) >= up_s,
        }
    }

    /// In how many of the seconds in which it is watched it is there.
    pub(super) fn up_s(&self) -> u32 {
        (0..self.watch_s).map(|second| u32::from(!self.is_down(second))).sum()
    }
}

/// The server, until it is dropped.
pub(super) struct Shop {
    address: SocketAddr,
    floor: Arc<Floor>,
    /// Ends its tasks when it is dropped.
    _runtime: Runtime,
}

struct Floor {
    profile: Profile,
    workers: Semaphore,
    day: Mutex<Day>,
}

#[derive(Default)]
struct Day {
    /// When the first request came.
    begun: Option<Instant>,
    inside: u32,
    diary: Vec<Second>,
}

impl Shop {
    pub(super) fn open(profile: Profile) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let workers = Semaphore::new(profile.workers as usize);
        let floor = Arc::new(Floor { profile, workers, day: Mutex::default() });
        let here = Arc::clone(&floor);
        runtime.spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&here).serve(tcp));
            }
        });
        Self { address, floor, _runtime: runtime }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn diary(&self) -> Vec<Second> {
        self.floor.day.lock().expect("no panic").diary.clone()
    }
}

enum Fate {
    Work(Duration),
    TurnedAway,
    Down,
}

impl Floor {
    async fn serve(self: Arc<Self>, mut tcp: TcpStream) -> Option<()> {
        let mut bytes = [0; 2048];
        let mut length = 0;
        loop {
            // Requests come one after the other, and have no body.
            while !bytes[..length].ends_with(b"\r\n\r\n") {
                length += tcp.read(&mut bytes[length..]).await.ok().filter(|&read| read > 0)?;
            }
            length = 0;
            match self.arrive() {
                Fate::Work(time) => {
                    {
                        let _worker = self.workers.acquire().await.ok()?;
                        tokio::time::sleep(time).await;
                    }
                    self.note(|day, second| {
                        day.inside -= 1;
                        day.diary[second].good += 1;
                    });
                    tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.ok()?;
                }
                Fate::TurnedAway => {
                    self.note(|day, second| day.diary[second].overload += 1);
                    tcp.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").await.ok()?;
                }
                Fate::Down => {
                    self.note(|day, second| day.diary[second].down += 1);
                    tcp.set_zero_linger().ok()?;
                    return None;
                }
            }
        }
    }

    fn arrive(&self) -> Fate {
        let Profile { workers, work_ms, queue, habit, .. } = self.profile;
        self.note(|day, second| {
            if self.profile.is_down(u32::try_from(second).expect("not that many")) {
                return Fate::Down;
            }
            if day.inside >= workers + queue {
                return Fate::TurnedAway;
            }
            day.inside += 1;
            let crowd = f64::from(day.inside) / f64::from(workers);
            let slowed =
                if matches!(habit, Habit::Thrashes) { 1.0 + (crowd - 1.0).max(0.0) / 2.0 } else { 1.0 };
            Fate::Work(Duration::from_secs_f64(f64::from(work_ms) * slowed / 1e3))
        })
    }

    /// Does something in this second of the day, which is there.
    fn note<T>(&self, change: impl FnOnce(&mut Day, usize) -> T) -> T {
        let mut day = self.day.lock().expect("no panic");
        let begun = *day.begun.get_or_insert_with(Instant::now);
        let second = usize::try_from(begun.elapsed().as_secs()).expect("not that many");
        if day.diary.len() <= second {
            day.diary.resize(second + 1, Second::default());
        }
        change(&mut day, second)
    }
}
