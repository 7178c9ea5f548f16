//! How gentle the real program is with real servers, over real connections: `just gentle` runs this, prints a table and writes what happened
//! in each second, as CSV and SVG. The simulated servers of the refirer say more, and faster; these say that the simulation does not lie.

use std::path::Path;
use std::thread;

use self::diary::{Scene, Second, Sum, write};
use self::shop::{Habit, Profile, Shop};
use crate::lab::{Desk, line};

#[path = "../../crates/logretry-refirer/src/refirer/gentle/diary.rs"]
mod diary;
mod shop;

const GOODPUT_MIN: f64 = 0.9;
const OVERLOAD_MAX: f64 = 0.01;

const fn profile(name: &'static str, workers: u32, work_ms: u32, habit: Habit, watch_s: u32) -> Profile {
    Profile { name, workers, work_ms, queue: 2 * workers + 8, habit, watch_s }
}

/// Those that can be watched side by side, because they need next to no computing.
const SMALL: [Profile; 5] = [
    profile("real: bears 50 a second", 2, 40, Habit::Steady, 30),
    profile("real: bears 500 a second", 20, 40, Habit::Steady, 30),
    profile("real: slows down before it fails", 10, 40, Habit::Thrashes, 60),
    profile("real: collapses for 8 s and recovers", 10, 40, Habit::Down { after_s: 15, for_s: 8 }, 60),
    profile("real: flaps, 5 s down in 35", 10, 40, Habit::Flaps { up_s: 30, down_s: 5 }, 100),
];
const LARGE: Profile = profile("real: bears 5000 a second", 100, 20, Habit::Steady, 15);

/// Lets the program ask `shop` for as long as it is watched.
fn watch(profile: Profile, pace: &[&str]) -> Vec<Second> {
    let shop = Shop::open(profile);
    let seconds = profile.watch_s;
    // More than it can answer, but for what its habit refuses.
    let requests = profile.workers * 1000 / profile.work_ms * seconds * 3 / 2;
    let log: String = (0..requests).map(|number| line(&format!("GET /{number}"), 502)).collect();
    let desk = Desk::with("access.log", log);
    let max_time = format!("{seconds}s");
    let arguments = ["run", "access.log", "--base-url", &shop.url(), "--max-time", &max_time, "-q"];
    let run = desk.program("logretry", &arguments).args(pace).writing_to(Path::new("/dev/null")).run();
    assert!([3, 4].contains(&run.code), "{}", run.stderr);
    shop.diary()
}

/// The best fixed concurrency of those that one would try, and what came of it.
fn best_fixed(profile: Profile) -> (u32, Sum) {
    // A short look is enough: a fixed concurrency changes nothing in the course of time.
    let brief = Profile { watch_s: 6, habit: profile.habit.at_its_best(), ..profile };
    let tried = [profile.workers / 2, profile.workers, profile.workers * 3 / 2];
    let sums = tried.map(|concurrency| {
        let arguments = ["--pace", "fixed", "--trips", "0", "--concurrency", &concurrency.to_string()];
        (concurrency, Sum::of(&watch(brief, &arguments), brief.watch_s))
    });
    let (concurrency, sum) = sums
        .into_iter()
        .filter(|(_, sum)| sum.overload_share() <= OVERLOAD_MAX)
        .max_by_key(|(_, sum)| sum.good)
        .expect("half of its workers is never too much");
    // What it would have come to in all the time in which the server was there.
    let good = f64::from(sum.good) / f64::from(brief.watch_s) * f64::from(profile.up_s());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests")]
    (concurrency, Sum { good: good as u32, ..sum })
}

/// A line of the table, and whether the figures are good enough.
fn figures(profile: Profile) -> (String, bool) {
    let (concurrency, best) = best_fixed(profile);
    let diary = watch(profile, &["--concurrency", "256"]);
    if let Some(folder) = std::env::var_os("LOGRETRY_GENTLE") {
        let Profile { name, watch_s, .. } = profile;
        let scene = Scene { name, watch_s, bears: profile.bears(), down: &|second| profile.is_down(second) };
        write(folder.as_ref(), scene, &diary);
    }
    let sum = Sum::of(&diary, profile.watch_s);
    let share = f64::from(sum.good) / f64::from(best.good);
    let per_second = |good: u32| f64::from(good) / f64::from(profile.watch_s);
    let line = format!(
        "| {} | {:.0}/s with {concurrency} | {:.0}/s | {:.0} % | {:.2} % | {} |",
        profile.name,
        per_second(best.good),
        per_second(sum.good),
        share * 100.0,
        sum.overload_share() * 100.0,
        sum.down,
    );
    (line, share >= GOODPUT_MIN && sum.overload_share() <= OVERLOAD_MAX)
}

#[test]
#[ignore = "takes minutes; `just gentle`"]
#[expect(clippy::print_stdout, reason = "the table is for a person, with --nocapture")]
fn the_program_suits_every_server() {
    println!("| real server | best fixed | adaptive | of the best | overloaded | sent while it was down |");
    println!("|---|---:|---:|---:|---:|---:|");
    let side_by_side: Vec<_> = SMALL.map(|profile| thread::spawn(move || figures(profile))).into();
    let mut lines: Vec<_> = side_by_side.into_iter().map(|watch| watch.join().expect("no panic")).collect();
    lines.insert(2, figures(LARGE));
    lines.push(two_hosts());
    let failures: Vec<_> = lines.iter().filter(|(_, good)| !good).map(|(line, _)| line.as_str()).collect();
    for (line, _) in &lines {
        println!("{line}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// One host that is well, beside one that is slow, turns most away and has four lines of five: it must have what it has alone.
fn two_hosts() -> (String, bool) {
    let well = profile("real: well, beside a slow one", 10, 40, Habit::Steady, 20);
    let slow = Profile { workers: 1, work_ms: 2000, queue: 1, ..well };
    let shops = [Shop::open(well), Shop::open(slow)];
    let hosts = shops.each_ref().map(|shop| shop.url().replace("http://", ""));
    let logged = |number: usize| format!("{} \"GET /{number} HTTP/1.1\" 502\n", hosts[(number % 5).min(1)]);
    let log: String = (0..100_000).map(logged).collect();
    let desk = Desk::with("access.log", log);
    let allowed = hosts.map(|host| format!("http://{host}"));
    let format = r#"log_format hosts '$http_host "$request" $status';"#;
    let arguments = ["run", "access.log", "--format", format, "--max-time", "20s", "-q"];
    let run = desk
        .program("logretry", &arguments)
        .args(allowed.iter().flat_map(|host| ["--allow-host", host]))
        .writing_to(Path::new("/dev/null"))
        .run();
    assert!([3, 4].contains(&run.code), "{}", run.stderr);
    let sum = Sum::of(&shops[0].diary(), well.watch_s);
    let alone = best_fixed(well);
    let share = f64::from(sum.good) / f64::from(alone.1.good);
    let seconds = f64::from(well.watch_s);
    let line = format!(
        "| {} | {:.0}/s with {} | {:.0}/s | {:.0} % | {:.2} % | {} |",
        well.name,
        f64::from(alone.1.good) / seconds,
        alone.0,
        f64::from(sum.good) / seconds,
        share * 100.0,
        sum.overload_share() * 100.0,
        sum.down,
    );
    (line, share >= GOODPUT_MIN && sum.overload_share() <= OVERLOAD_MAX)
}
