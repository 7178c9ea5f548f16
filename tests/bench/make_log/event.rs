//! What happened, in no format.

use std::ops::Range;

use crate::draw::{Draw, Zipf};
use crate::tables;

/// Everything that all events of a log share.
#[derive(Debug)]
pub(crate) struct World {
    seed: u64,
    rps: f64,
    paths: Vec<String>,
    path_ranks: Zipf,
    user_agents: Vec<String>,
    user_agent_ranks: Zipf,
    clients: Vec<String>,
    client_ranks: Zipf,
    /// Lines within which most failures are.
    bursts: Vec<Range<u64>>,
    /// Chances to fail within and without.
    failing: (f64, f64),
}

/// One request.
#[derive(Debug)]
pub(crate) struct Event<'w> {
    pub(crate) line: u64,
    /// Microseconds since 1970.
    pub(crate) micros: u64,
    pub(crate) client: &'w str,
    pub(crate) method: &'static str,
    /// As the client sent it; empty for what was no HTTP.
    pub(crate) target: String,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    pub(crate) duration_ms: u64,
    /// The path of the page that linked here.
    pub(crate) referer: Option<&'w str>,
    pub(crate) user_agent: &'w str,
}

/// The site that all requests are for.
pub(crate) const HOST: &str = "shop.example";

/// 1 November 2026, midnight.
const START_MICROS: u64 = 1_793_491_200_000_000;
const BURSTS: u64 = 5;
/// The share of the log that bursts take, and of the failures that they have.
const IN_BURSTS: (f64, f64) = (0.02, 0.8);
const MALFORMED: f64 = 0.0005;
const LONG_EVERY: u64 = 100_000;
const LONG_BYTES: usize = 20_000;

impl World {
    pub(crate) fn new(seed: u64, failing: f64, rps: f64, lines: u64) -> Self {
        let length = (lines as f64 * IN_BURSTS.0 / BURSTS as f64) as u64;
        let bursts = (0..BURSTS).map(|burst| {
            let room = lines / BURSTS;
            let start = burst * room + Draw::of(seed, 4, burst).next() % (room - length).max(1);
            start..start + length
        });
        let inside = (failing * IN_BURSTS.1 / IN_BURSTS.0).min(0.95);
        let outside = (failing - inside * IN_BURSTS.0) / (1.0 - IN_BURSTS.0);
        Self {
            seed,
            rps,
            paths: tables::paths(seed),
            path_ranks: Zipf::new(5000, 1.0),
            user_agents: tables::user_agents(seed),
            user_agent_ranks: Zipf::new(600, 1.1),
            clients: tables::clients(seed),
            client_ranks: Zipf::new(20_000, 0.9),
            bursts: bursts.collect(),
            failing: (inside, outside),
        }
    }

    pub(crate) fn event(&self, line: u64) -> Event<'_> {
        let mut draw = Draw::of(self.seed, 5, line);
        let is_malformed = draw.chance(MALFORMED);
        let target = if is_malformed { String::new() } else { self.target(line, &mut draw) };
        let in_burst = self.bursts.iter().any(|burst| burst.contains(&line));
        let status = match draw.share() {
            _ if is_malformed => 400,
            share if share < if in_burst { self.failing.0 } else { self.failing.1 } => {
                draw.pick(&[500, 502, 502, 502, 503, 504, 504])
            }
            _ => draw.pick(&STATUSES),
        };
        let is_slow = status == 504;
        Event {
            line,
            micros: self.micros(line),
            client: &self.clients[self.client_ranks.draw(&mut draw)],
            method: draw.pick(&METHODS),
            target,
            status,
            bytes: if status == 304 { 0 } else { draw.log_normal(4000.0, 1.6) as u64 },
            duration_ms: if is_slow { 60_000 } else { draw.log_normal(40.0, 1.2) as u64 },
            referer: draw.chance(0.55).then(|| self.paths[self.path_ranks.draw(&mut draw)].as_str()),
            user_agent: &self.user_agents[self.user_agent_ranks.draw(&mut draw)],
        }
    }

    fn target(&self, line: u64, draw: &mut Draw) -> String {
        let mut target = self.paths[self.path_ranks.draw(draw)].clone();
        if draw.chance(0.001) {
            target += r#"/quo"te\"#;
        }
        if draw.chance(0.2) {
            for parameter in 0..=draw.below(4) {
                target.push(if parameter == 0 { '?' } else { '&' });
                target.push_str(draw.pick(&["id", "q", "page", "sort", "utm_source", "ref"]));
                target.push('=');
                target += &format!("{:x}", draw.next() >> (4 * draw.below(15)));
            }
        }
        if line % LONG_EVERY == LONG_EVERY - 1 {
            target.push_str(if target.contains('?') { "&x=" } else { "?x=" });
            target.extend(std::iter::repeat_n('y', LONG_BYTES));
        }
        target
    }

    /// Each request has a slot, and comes at any moment in it: lines are in the order of time, and a slice needs no other.
    fn micros(&self, line: u64) -> u64 {
        let slots = line as f64 + Draw::of(self.seed, 6, line).share();
        START_MICROS + (slots / self.rps * 1e6) as u64
    }
}

/// As often as they are drawn: 2xx nine times of ten, some redirects and misses.
const STATUSES: [u16; 25] = [
    200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200,
    206, 301, 304, 404,
];
const METHODS: [&str; 33] = [
    "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET",
    "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET",
    "GET", "GET", "HEAD",
];
