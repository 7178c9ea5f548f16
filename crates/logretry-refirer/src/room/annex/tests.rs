use std::sync::Arc;

use logretry_record::{Exchange, Origin, Record, RecordId};

use super::*;
use crate::Options;

fn job(options: &Options, host: &str, number: u64) -> Box<Job> {
    let original = Exchange { target: Some("/".into()), host: Some(host.into()), ..Exchange::default() };
    let text = format!("{host} {}", "x".repeat(500));
    let id = RecordId::of_line(text.as_bytes(), number);
    let record = Record::new(id, Origin::new("-", number + 1, 0, "combined", text), original);
    let planned = options.judge(&record).expect("it may be sent");
    Job::new(record, planned)
}

/// What a room has in memory at most while such records come in, of one host after the other.
fn most(hosts: u64, lines: u64) -> (usize, usize) {
    let mut options = Options::default();
    options.destination.allow_hosts =
        (0..hosts).map(|host| format!("h{host}.example").parse().expect("a host")).collect();
    let options = Arc::new(options);
    let mut room = Room::new(Arc::clone(&options));
    let (mut records, mut bytes) = (0, 0);
    for number in 0..lines {
        room.admit(job(&options, &format!("h{}.example", number % hosts), number), &Notes::silent());
        records = records.max(room.fresh.records);
        bytes = bytes.max(room.fresh.bytes);
    }
    assert_eq!(room.waiting() as u64, lines);
    (records, bytes)
}

#[test]
fn what_is_in_memory_is_bounded_however_many_records_and_hosts_there_are() {
    assert_eq!(most(2, 30_000).0, 2 * (LANE.records - 1));
    assert!((NEW.records - 5..=NEW.records).contains(&most(5, 30_000).0));
    let (records, bytes) = most(500, 30_000);
    assert!(records <= RECORDS_MAX && bytes <= BYTES_MAX, "{records} {bytes}");
}

#[test]
fn where_all_goes_to_one_site_nothing_goes_to_disk() {
    let mut options = Options::default();
    options.destination.base_url = Some("http://shop.example".parse().expect("a base URL"));
    let options = Arc::new(options);
    let mut room = Room::new(Arc::clone(&options));
    let now = Instant::now();
    let mut taken = 0;
    while room.reads_from(now, 0).is_some() {
        room.admit(job(&options, "any.example", taken), &Notes::silent());
        taken += 1;
    }
    assert_eq!((taken, room.overflow.entries()), (RECORDS_MAX as u64, 0));
}
