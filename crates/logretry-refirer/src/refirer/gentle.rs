//! How gentle the adaptive pace is, and how fast: simulated servers, each against the best fixed concurrency that a search
//! finds for it, each with ten seeds. `just gentle` prints the table, and writes what happened in each second, as CSV and SVG, into the folder that
//! `LOGRETRY_GENTLE` names.

use std::num::NonZeroUsize;
use std::time::Duration;

use logretry_record::{Exchange, Origin, RecordId};

use self::diary::{Second, Sum, write};
use self::server::{Habit, Net, Profile, Server};
use super::*;
use crate::Pace;
use crate::random::SEED;

mod diary;
mod server;

const fn profile(
    name: &'static str,
    workers: u32,
    work_ms: f64,
    queue: u32,
    habit: Habit,
    watch_s: u32,
) -> Profile {
    Profile { name, workers, work_ms, queue, habit, watch_s }
}

const SERVERS: [Profile; 11] = [
    profile("bears 50 a second", 2, 40.0, 8, Habit::Steady, 30),
    profile("bears 500 a second", 20, 40.0, 40, Habit::Steady, 30),
    profile("bears 5000 a second", 100, 20.0, 100, Habit::Steady, 10),
    profile("a sharp edge at 20, no queue", 20, 40.0, 0, Habit::Steady, 30),
    profile("allows 50 a second, then 429", 20, 4.0, 100, Habit::Meters(50.0), 60),
    profile("slows down before it fails", 20, 40.0, 60, Habit::Thrashes, 60),
    profile("has pages of very different length", 20, 40.0, 40, Habit::Mixes, 60),
    profile("collapses for 20 s and recovers", 20, 40.0, 40, Habit::Down(20, 40), 200),
    profile("falls over when pushed", 10, 20.0, 40, Habit::Breaks(30), 60),
    profile("flaps: 10 s down in 110", 10, 20.0, 40, Habit::Flaps(10, 100), 330),
    profile("flaps: 5 s down in 35", 10, 40.0, 40, Habit::Flaps(5, 30), 175),
];

/// What is asked of the figures.
const GOODPUT_MIN: f64 = 0.9;
const OVERLOAD_MAX: f64 = 0.01;

fn get(number: usize, host: &str) -> Record {
    let target = format!("/{number}");
    let id = RecordId::of_line(target.as_bytes(), 0);
    let original = Exchange { target: Some(target.clone()), host: Some(host.into()), ..Exchange::default() };
    Record::new(id, Origin::new("-", 1, 0, "combined", target), original)
}

fn options(pace: Pace, concurrency: usize) -> Options {
    let mut options = Options { pace, ..Options::default() };
    options.concurrency = NonZeroUsize::new(concurrency).expect("not 0");
    if pace == Pace::Fixed {
        options.trips = 0;
    }
    options.destination.allow_hosts = vec!["http://a.example".parse().expect("a host")];
    options
}

/// Asks one server for as long as it is watched.
fn watch(profile: Profile, mut options: Options) -> Vec<Second> {
    let watch = Duration::from_secs(profile.watch_s.into());
    options.max_time = Some(watch);
    paused(async move {
        let server = Arc::new(Server::new(profile));
        let net = Arc::new(Net([("a.example".to_owned(), Arc::clone(&server))].into()));
        let end = Instant::now() + watch;
        let input = futures_util::stream::iter(0..).take_while(move |_| {
            let goes_on = Instant::now() < end;
            async move { goes_on }
        });
        let input = input.map(|number| Ok(get(number, "a.example")));
        run(options, Some(net), input, Context::default()).for_each(|_| async {}).await;
        server.diary()
    })
}

fn paused<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

/// The best fixed concurrency for a server that it bears, as one would find it who may try as often as he likes.
fn best_fixed(profile: Profile) -> usize {
    let around = profile.workers as usize;
    let tried = [1, around / 2, around * 3 / 4, around, around * 5 / 4, around * 3 / 2];
    let sums = tried.into_iter().filter(|&concurrency| concurrency > 0).map(|concurrency| {
        (concurrency, Sum::of(&watch(profile, fixed(profile, concurrency)), profile.watch_s))
    });
    let borne = sums.filter(|(_, sum)| sum.overload_share() <= OVERLOAD_MAX);
    borne.max_by_key(|(_, sum)| sum.good).expect("some").0
}

/// The options of one who knows this concurrency to be the best.
fn fixed(profile: Profile, concurrency: usize) -> Options {
    let mut options = options(Pace::Fixed, concurrency);
    if let Habit::Meters(rate) = profile.habit {
        // Even one request at a time is too much for it; whoever knows its rate gives that.
        options.rate = Some(format!("{rate}/s").parse().expect("a rate"));
    }
    options
}

/// The figures of the adaptive pace for a server.
struct Figures {
    profile: Profile,
    concurrency: usize,
    /// Of each seed: the best fixed, and the adaptive.
    sums: Vec<(Sum, Sum)>,
}

impl Figures {
    /// Watches a server once for each seed, each time with the fixed concurrency that was best for the first.
    fn of(profile: Profile, seeds: std::ops::RangeInclusive<u64>) -> Self {
        SEED.set(*seeds.start());
        let concurrency = best_fixed(profile);
        let sums = seeds.clone().map(|seed| {
            SEED.set(seed);
            let best = Sum::of(&watch(profile, fixed(profile, concurrency)), profile.watch_s);
            let diary = watch(profile, options(Pace::Adaptive, 256));
            if let Some(folder) = std::env::var_os("LOGRETRY_GENTLE").filter(|_| seed == *seeds.start()) {
                write(folder.as_ref(), profile.name, &diary);
            }
            (best, Sum::of(&diary, profile.watch_s))
        });
        Self { profile, concurrency, sums: sums.collect() }
    }

    /// Goodput as a share of that of the best fixed one: the mean and the worst.
    fn shares(&self) -> (f64, f64) {
        let shares = || self.sums.iter().map(|(best, sum)| f64::from(sum.good) / f64::from(best.good));
        let count = f64::from(u32::try_from(self.sums.len()).expect("few"));
        (shares().sum::<f64>() / count, shares().fold(f64::INFINITY, f64::min))
    }

    /// The worst share of requests that was answered with an overload error.
    fn overload(&self) -> f64 {
        self.sums.iter().map(|(_, sum)| sum.overload_share()).fold(0.0, f64::max)
    }

    fn is_good(&self) -> bool {
        self.shares().1 >= GOODPUT_MIN && self.overload() <= OVERLOAD_MAX
    }

    /// A line of the table.
    fn line(&self) -> String {
        let seconds = f64::from(self.profile.watch_s);
        let count = f64::from(u32::try_from(self.sums.len()).expect("few"));
        let per_second = |good: fn(&(Sum, Sum)) -> u32| {
            self.sums.iter().map(good).map(f64::from).sum::<f64>() / seconds / count
        };
        let (mean, worst) = self.shares();
        format!(
            "| {} | {:.0}/s with {} | {:.0}/s | {:.0} % | {:.0} % | {:.2} % | {} |",
            self.profile.name,
            per_second(|(best, _)| best.good),
            self.concurrency,
            per_second(|(_, sum)| sum.good),
            mean * 100.0,
            worst * 100.0,
            self.overload() * 100.0,
            self.sums.iter().map(|(_, sum)| sum.down).max().unwrap_or(0),
        )
    }
}

#[test]
fn the_adaptive_pace_suits_a_small_server() {
    for profile in [SERVERS[0], SERVERS[4]] {
        let figures = Figures::of(Profile { watch_s: 30, ..profile }, 7..=7);
        assert!(figures.is_good(), "{}", figures.line());
    }
}

/// How many seeds; each is another world.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=10;

#[test]
#[ignore = "takes minutes without optimisation; `just gentle`"]
#[expect(clippy::print_stdout, reason = "the table is for a person, with --nocapture")]
fn the_adaptive_pace_suits_every_server() {
    println!(
        "| simulated server | best fixed | adaptive | of the best | worst | overloaded, worst | sent while it was down |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    // Two at a time, one for each core that every machine has.
    let figures: Vec<_> = SERVERS
        .chunks(2)
        .flat_map(|pair| {
            let watches: Vec<_> =
                pair.iter().map(|&profile| std::thread::spawn(move || Figures::of(profile, SEEDS))).collect();
            watches.into_iter().map(|watch| watch.join().expect("no panic"))
        })
        .inspect(|figures| println!("{}", figures.line()))
        .collect();
    let failures: Vec<_> =
        figures.iter().filter(|figures| !figures.is_good()).map(|figures| figures.profile.name).collect();
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn a_dead_host_takes_nothing_from_one_that_is_well() {
    let alive = Profile { watch_s: 5, ..SERVERS[0] };
    let dead = Profile { habit: Habit::Dead, ..alive };
    let alone = Sum::of(&watch(alive, options(Pace::Adaptive, 64)), alive.watch_s);
    let (well, other): (Sum, Sum) = paused(async move {
        let servers = [alive, dead].map(|profile| Arc::new(Server::new(profile)));
        let names = ["a.example", "b.example"].map(str::to_owned);
        let net = Arc::new(Net(names.into_iter().zip(servers.clone()).collect()));
        let hosts = (0..2000).map(|number| if number % 4 == 0 { "a.example" } else { "b.example" });
        let records: Vec<_> = hosts.zip(0..).map(|(host, number)| Ok(get(number, host))).collect();
        let input = futures_util::stream::iter(records);
        let cx = Context::default();
        let mut options = options(Pace::Adaptive, 64);
        options.destination.allow_hosts.push("http://b.example".parse().expect("a host"));
        let output = run(options, Some(net), input, cx.clone());
        assert_eq!(output.count().await, 2000);
        assert_eq!(cx.tally().accounts().check(), Ok(()));
        assert!(cx.tally().accounts().reasons[&Reason::BreakerOpen] > 1400);
        servers.map(|server| Sum::of(&server.diary(), alive.watch_s)).into()
    });
    assert!(f64::from(well.good) >= GOODPUT_MIN * f64::from(alone.good), "{well:?} and {alone:?} alone");
    assert!(other.down < 25, "{other:?}");
}
