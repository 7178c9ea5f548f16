//! The log is written by strangers. A catalogue of what they write, as five servers log it, goes through the real programs, while a
//! second server listens on every local address: the *witness*, which must never hear anything. Each line reaches the server that the
//! operator named, byte for byte, or nobody, with its reason.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use self::lines::{Format, Logged};
use self::servers::{Shop, Witness};
use crate::lab::{Desk, Ended, ndjson, pipe, sendable};

mod lines;
mod servers;
mod spellings;

/// What must come of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// The shop hears this target.
    Heard(String),
    /// Nobody hears anything, for one of these reasons.
    Refused(&'static [&'static str]),
}

use Fate::{Heard, Refused};

/// A request as a client sent it, and what must come of it when the base URL is the shop.
struct Attack {
    method: &'static str,
    target: String,
    fate: Fate,
}

fn attack(method: &'static str, target: impl Into<String>, fate: Fate) -> Attack {
    Attack { method, target: target.into(), fate }
}

const FORM: &[&str] = &["target_form"];
/// A host that is none is refused as a form or as a host, whichever is noticed first.
const EITHER: &[&str] = &["host_not_allowed", "target_form"];
const METHOD: &[&str] = &["method_not_allowed"];

/// Every way in which a line can try to lead elsewhere, for one spelling of the other place.
fn attacks_by(elsewhere: &str) -> Vec<Attack> {
    let path = |target: String| {
        let heard = sendable(target.as_bytes());
        attack("GET", target, Heard(heard))
    };
    vec![
        attack("GET", format!("http://{elsewhere}/x"), Refused(EITHER)),
        attack("GET", format!("https://{elsewhere}/x?y"), Refused(EITHER)),
        attack("GET", format!("HtTp://{elsewhere}"), Refused(EITHER)),
        attack("CONNECT", elsewhere, Refused(METHOD)),
        attack("GET", format!("@{elsewhere}/x"), Refused(FORM)),
        attack("GET", format!(".{elsewhere}/x"), Refused(FORM)),
        path(format!("//{elsewhere}/x")),
        path(format!("///{elsewhere}/x")),
        path(format!("/\\{elsewhere}/x")),
        path(format!("/@{elsewhere}/x")),
        path(format!("/x?u=http://{elsewhere}/")),
        path(format!("/%2F{elsewhere}/x")),
        path(format!("/..//{elsewhere}/x")),
    ]
}

/// What needs no other place.
fn attacks_at_large(witness: SocketAddr) -> Vec<Attack> {
    let path = |target: &str| attack("GET", target, Heard(sendable(target.as_bytes())));
    vec![
        path("/../../etc/passwd"),
        path("/a/%2e%2e/b"),
        path("/a%0d%0aHost:%20evil.example%00"),
        path("/a#frag"),
        path("/é?x=日本"),
        path("/%u002e"),
        path("/a;b=c"),
        attack("OPTIONS", "*", Refused(FORM)),
        attack("GET", format!("ftp://{witness}/x"), Refused(FORM)),
        attack("GET", "file:///etc/passwd", Refused(FORM)),
        attack("GET", format!("gopher://{witness}/_x"), Refused(FORM)),
        attack("GET", format!("http:{witness}/x"), Refused(EITHER)),
        attack("GET", format!("http:///{witness}/x"), Refused(EITHER)),
        attack("GET", format!("http:\\\\{witness}\\x"), Refused(EITHER)),
        attack("GET", format!("\\\\{witness}\\x"), Refused(FORM)),
        attack("GET", format!("{witness}"), Refused(FORM)),
        attack("GET", "", Refused(&["target_form", "no_target"])),
        attack("FOO", "/x", Refused(METHOD)),
        attack("TRACE", "/x", Refused(METHOD)),
        attack("get", "/x", Refused(METHOD)),
        attack("POST", "/x", Refused(METHOD)),
        attack("GET", "/logout", Refused(&["may_act"])),
    ]
}

fn catalogue(witness: SocketAddr) -> Vec<Attack> {
    let spellings = spellings::of(witness.port());
    assert!(spellings.len() >= 60, "{}", spellings.len());
    spellings.iter().flat_map(|elsewhere| attacks_by(elsewhere)).chain(attacks_at_large(witness)).collect()
}

/// Reads `log` and refires it, as a pipe of the real programs, under an environment that points to the witness.
fn refire(desk: &Desk, format: Format, arguments: &[&str], witness: &Witness) -> Ended {
    let elsewhere = format!("http://{}", witness.address());
    let refire = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"]
        .iter()
        .fold(desk.program("lr-refire", arguments), |program, name| program.env(name, &elsewhere));
    pipe([
        desk.program("lr-read", &["access.log", "--rejects", "rejects.ndjson", "--format", &format.spec()]),
        desk.program("lr-filter", &[]),
        refire.args(["--pace", "fixed", "--concurrency", "16", "--trips", "0"]),
    ])
}

/// Records by the number of their line.
fn by_line(records: &str) -> BTreeMap<usize, Value> {
    let line = |record: &Value| record["origin"]["line"].as_u64().and_then(|line| usize::try_from(line).ok());
    ndjson(records).into_iter().map(|record| (line(&record).expect("a line number"), record)).collect()
}

#[test]
fn with_a_base_url_every_attack_reaches_the_shop_as_a_path_or_nobody() {
    for format in Format::ALL {
        let (shop, witness) = (Shop::open(), Witness::open());
        shop.redirect_to(&format!("http://{}/", witness.address()));
        let attacks = catalogue(witness.address());
        let logged = |attack: &Attack| {
            let lines = Logged { method: attack.method, target: &attack.target, host: "shop.example" };
            format.line(&lines)
        };
        let lines: Vec<Vec<u8>> = attacks.iter().map(logged).collect();
        let desk = Desk::with("access.log", lines.concat());
        let ended = refire(&desk, format, &["--base-url", &shop.url()], &witness);
        assert_eq!(ended.codes[..2], [0, 0], "{format:?}: {}", ended.stderr);

        let records = by_line(&ended.stdout);
        let rejects = ndjson(&desk.read("rejects.ndjson"));
        assert_eq!(records.len() + rejects.len(), attacks.len(), "{format:?} has lost a line");
        let mut expected = Vec::new();
        let mut wrong = Vec::new();
        for (number, attack) in (1..).zip(&attacks) {
            // What cannot even be read is sent nowhere; the formats' own tests say what must be read.
            let Some(record) = records.get(&number) else { continue };
            let retry = &record["retry"];
            let reason = retry["reason"].as_str().unwrap_or_default();
            match &attack.fate {
                Heard(target) if retry["status"] == 302 => expected.push(format!("GET {target}")),
                Refused(reasons) if reasons.contains(&reason) && retry["attempts"] == 0 => {}
                fate => wrong.push(format!("{} {}: {fate:?}, but {retry}", attack.method, attack.target)),
            }
        }
        assert!(wrong.is_empty(), "{format:?}: {} of {}\n{}", wrong.len(), attacks.len(), wrong.join("\n"));
        // Most of them are read, or this test would say nothing.
        assert!(
            rejects.len() * 20 < attacks.len(),
            "{format:?} rejects {} of {}",
            rejects.len(),
            attacks.len()
        );
        assert!(expected.len() > 300, "{format:?} sends {}", expected.len());
        expected.sort();
        assert_eq!(shop.heard(), expected, "{format:?}");
        assert_eq!(shop.hosts(), [shop.address().to_string()], "{format:?}");
        assert_eq!(witness.heard(), 0, "{format:?}");
    }
}

#[test]
fn without_a_base_url_no_spelling_of_a_host_is_taken_for_an_allowed_one() {
    for format in Format::ALL.into_iter().filter(|format| format.has_host()) {
        let (shop, witness) = (Shop::open(), Witness::open());
        let spellings = spellings::of(witness.address().port());
        let own = shop.address().to_string();
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for host in spellings.iter().chain([&own]) {
            lines.push(format.line(&Logged { method: "GET", target: "/x", host }));
            // The request line names a host that is allowed, and the client wrote it.
            let target = format!("http://{own}/y");
            lines.push(format.line(&Logged { method: "GET", target: &target, host }));
        }
        let desk = Desk::with("access.log", lines.concat());
        let arguments = ["--allow-host", &shop.url(), "--allow-host", "https://shop.example"];
        let ended = refire(&desk, format, &arguments, &witness);
        let records = by_line(&ended.stdout);
        for (number, record) in &records {
            let retry = &record["retry"];
            if *number <= 2 * spellings.len() {
                let reason = retry["reason"].as_str().unwrap_or_default();
                assert!(["host_not_allowed", "no_host"].contains(&reason), "{format:?}: {record}");
            } else {
                assert_eq!(retry["status"], 200, "{format:?}: {record}");
            }
        }
        assert!(records.len() > spellings.len(), "{format:?}: {}", ended.stderr);
        assert_eq!(shop.heard(), ["GET /x", "GET /y"], "{format:?}");
        assert_eq!(witness.heard(), 0, "{format:?}");
    }
}

/// The operator allows a host; whoever has its name leads it to the metadata service, or into the operator's network.
#[test]
fn a_name_that_leads_to_a_forbidden_address_is_not_connected_to() {
    let witness = Witness::open();
    let port = witness.address().port();
    for (address, allow_private) in [
        "169.254.169.254",
        "fe80::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "0.0.0.0",
        "::",
    ]
    .map(|address| (Some(address), true))
    .into_iter()
    .chain([(None, false)])
    {
        let host = if address.is_some() { "shop.example" } else { "localhost" };
        let line =
            Format::Caddy.line(&Logged { method: "GET", target: "/x", host: &format!("{host}:{port}") });
        let desk = Desk::with("access.log", line);
        let allowed = format!("http://{host}:{port}");
        let resolve = address.map(|address| format!("--resolve={host}:{port}:{address}"));
        let mut arguments = vec!["--allow-host", &allowed];
        arguments.extend(resolve.as_deref());
        arguments.extend(allow_private.then_some("--allow-private"));
        let ended = refire(&desk, Format::Caddy, &arguments, &witness);
        let records = ndjson(&ended.stdout);
        assert_eq!(records[0]["retry"]["error"], "blocked_address", "{address:?}: {}", ended.stdout);
    }
    assert_eq!(witness.heard(), 0);

    let line =
        Format::Caddy.line(&Logged { method: "GET", target: "/x", host: &format!("localhost:{port}") });
    let desk = Desk::with("access.log", line);
    let allowed = format!("http://localhost:{port}");
    refire(&desk, Format::Caddy, &["--allow-host", &allowed, "--allow-private"], &witness);
    assert!(witness.heard() > 0, "the witness hears what is really sent to it");
}

#[test]
fn no_spelling_of_the_metadata_service_is_a_base_url() {
    let witness = Witness::open();
    let line = Format::Nginx.line(&Logged { method: "GET", target: "/x", host: "" });
    let desk = Desk::with("access.log", line);
    for spelling in spellings::of_metadata() {
        let base_url = format!("http://{spelling}");
        let ended =
            refire(&desk, Format::Nginx, &["--base-url", &base_url, "--connect-timeout", "1s"], &witness);
        let refused = ended.code == 2 && ended.stdout.is_empty();
        let blocked =
            ndjson(&ended.stdout).iter().all(|record| record["retry"]["error"] == "blocked_address");
        assert!(refused || blocked, "{spelling}: {}{}", ended.stdout, ended.stderr);
    }
}
