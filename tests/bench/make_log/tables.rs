//! What requests are made of.

use crate::draw::Draw;

const WORDS: [&str; 32] = [
    "shop", "cart", "item", "search", "api", "v1", "v2", "users", "orders", "img", "static", "css", "js",
    "blog", "news", "tags", "page", "feed", "help", "about", "login", "account", "media", "thumbs", "video",
    "download", "product", "category", "review", "offer", "brand", "list",
];

/// 5,000 paths of one to five parts; their length is log-normal.
pub(crate) fn paths(seed: u64) -> Vec<String> {
    const ENDS: [&str; 8] = ["", "", "", "", "/", ".html", ".png", ".js"];
    let path = |index| {
        let mut draw = Draw::of(seed, 1, index);
        let length = draw.log_normal(26.0, 0.7).clamp(2.0, 480.0) as usize;
        let mut path = String::new();
        for part in 0..5 {
            if part > 0 && path.len() >= length {
                break;
            }
            path.push('/');
            path.push_str(draw.pick(&WORDS));
            if draw.chance(0.3) {
                path += &format!("-{}", draw.below(100_000));
            }
        }
        while path.len() < length {
            path += &format!("-{}", draw.pick(&WORDS));
        }
        if draw.chance(0.02) {
            path += "/%D9%84%D8%A8%D8%A7%D8%B3";
        }
        path + draw.pick(&ENDS)
    };
    (0..5000).map(path).collect()
}

/// 600 user agents of 20 to 180 bytes.
pub(crate) fn user_agents(seed: u64) -> Vec<String> {
    const SYSTEMS: [&str; 6] = [
        "Windows NT 10.0; Win64; x64",
        "X11; Linux x86_64",
        "Macintosh; Intel Mac OS X 10_15_7",
        "iPhone; CPU iPhone OS 17_5 like Mac OS X",
        "Linux; Android 14; SM-S911B",
        "compatible; examplebot/2.1; +http://www.example.com/bot.html",
    ];
    let user_agent = |index| {
        let mut draw = Draw::of(seed, 2, index);
        let (major, minor) = (draw.below(140), draw.below(7000));
        match draw.below(10) {
            0 => format!("curl/8.{}.{} (x86_64-pc-linux-gnu)", major % 14, minor % 9),
            1 => format!("python-requests/2.{}.{}", major % 33, minor % 9),
            2 => format!(
                "Mozilla/5.0 ({}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0",
                draw.pick(&SYSTEMS)
            ),
            3..=5 => format!(
                "Mozilla/5.0 ({}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{} Mobile/15E{} Safari/604.1",
                draw.pick(&SYSTEMS),
                major % 9,
                minor
            ),
            _ => format!(
                "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.{minor}.{} Safari/537.36",
                draw.pick(&SYSTEMS),
                draw.below(200)
            ),
        }
    };
    (0..600).map(user_agent).collect()
}

/// 20,000 clients, one of ten with IPv6, all of them from the blocks for documentation (RFC 5737, RFC 3849).
pub(crate) fn clients(seed: u64) -> Vec<String> {
    const NETS: [&str; 3] = ["192.0.2", "198.51.100", "203.0.113"];
    let client = |index| {
        let mut draw = Draw::of(seed, 3, index);
        if draw.chance(0.1) {
            let half = draw.next();
            format!("2001:db8:{:x}:{:x}::{:x}", half & 0xffff, half >> 16 & 0xffff, half >> 32 & 0xffff)
        } else {
            format!("{}.{}", draw.pick(&NETS), 1 + draw.below(254))
        }
    };
    (0..20_000).map(client).collect()
}
