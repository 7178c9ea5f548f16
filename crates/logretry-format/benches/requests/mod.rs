//! What is measured with: a day of requests to a small shop, the same ones each time.

use fastrand::Rng;

/// One request in a hundred fails, and ten have the same second.
const FAILING: usize = 100;
const IN_A_SECOND: usize = 10;
const SECONDS_A_DAY: usize = 24 * 60 * 60;

const PATHS: [&str; 5] =
    ["/", "/products/4711", "/static/app.3f9c2b.js", "/api/v1/cart/items", "/images/hero-1280x720.webp"];
const QUERIES: [&str; 4] = ["", "", "?page=2&sort=price", "?q=red%20shoes&utm_source=newsletter"];
const USER_AGENTS: [&str; 3] = [
    "curl/8.9.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
];

/// One request and its answer, in no format.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) client: String,
    /// Seconds since midnight of 22 November 2026.
    pub(crate) second: usize,
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) status: u16,
    pub(crate) bytes: u32,
    pub(crate) user_agent: &'static str,
}

/// The first so many requests of the day.
pub(crate) fn requests(count: usize) -> impl Iterator<Item = Request> {
    let mut random = Rng::with_seed(1);
    (0..count).map(move |number| Request {
        client: format!("203.0.113.{}", random.u8(1..255)),
        second: number / IN_A_SECOND % SECONDS_A_DAY,
        method: if random.u8(..) < 230 { "GET" } else { "POST" },
        target: format!("{}{}", pick(&mut random, &PATHS), pick(&mut random, &QUERIES)),
        status: if number % FAILING == FAILING / 2 { 502 } else { 200 },
        bytes: random.u32(100..1_000_000),
        user_agent: pick(&mut random, &USER_AGENTS),
    })
}

fn pick(random: &mut Rng, of: &[&'static str]) -> &'static str {
    of[random.usize(..of.len())]
}

/// The line of `request` in combined format, without its line end.
pub(crate) fn combined(request: &Request) -> String {
    let Request { client, second, method, target, status, bytes, user_agent } = request;
    let time = clock(*second);
    format!(
        r#"{client} - - [22/Nov/2026:{time} +0000] "{method} {target} HTTP/1.1" {status} {bytes} "https://shop.example/" "{user_agent}""#
    )
}

/// `hh:mm:ss`.
pub(crate) fn clock(second: usize) -> String {
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}
