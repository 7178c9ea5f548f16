use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

fn in_memory(writes: usize, reads: usize, blocks_max: u32) -> Overflow {
    let mut overflow = Overflow::new(u64::from(blocks_max) * BLOCK_BYTES as u64, || Err(gone()));
    overflow.state = State::Open(Box::new(Failing { bytes: Vec::new(), writes, reads }));
    overflow
}

fn entry(number: usize, length: usize) -> Vec<u8> {
    let mut entry = vec![u8::try_from(number % 251).expect("a byte"); length];
    entry.iter_mut().step_by(4099).zip(0..).for_each(|(byte, at)| *byte = at);
    entry
}

/// What comes out of `queue` next.
fn next(overflow: &mut Overflow, queue: &mut Queue) -> Option<Vec<u8>> {
    let mut bytes = b"what was there before".to_vec();
    overflow.pop(queue, &mut bytes).expect("it can be read").map(|()| bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn each_queue_gives_what_it_was_given_in_its_order(
        steps in prop::collection::vec((0..3_usize, 0..4_usize, prop_oneof![0..300_usize, 0..200_000_usize]), 0..120),
    ) {
        let mut overflow = in_memory(usize::MAX, usize::MAX, 40);
        let mut queues: [Queue; 3] = Default::default();
        let mut expected: [VecDeque<Vec<u8>>; 3] = Default::default();
        for (number, (which, what, length)) in steps.into_iter().enumerate() {
            if what == 0 {
                prop_assert_eq!(next(&mut overflow, &mut queues[which]), expected[which].pop_front());
            } else {
                let entry = entry(number, length);
                match overflow.push(&mut queues[which], &entry) {
                    Ok(()) => expected[which].push_back(entry),
                    Err(Refused::Full) => {}
                    Err(Refused::Failed(error)) => panic!("{error}"),
                }
            }
            prop_assert_eq!(overflow.entries(), expected.iter().map(VecDeque::len).sum::<usize>());
            prop_assert!(overflow.blocks <= 40);
            let taken: usize = queues.iter().map(|queue| queue.blocks.len()).sum();
            prop_assert_eq!(taken + overflow.free.len(), overflow.blocks as usize);
        }
        for (queue, expected) in queues.iter_mut().zip(expected) {
            for entry in expected {
                prop_assert_eq!(next(&mut overflow, queue), Some(entry));
            }
            prop_assert_eq!(next(&mut overflow, queue), None);
        }
        prop_assert_eq!(overflow.blocks, 0, "the disk has everything back");
    }
}

#[test]
fn a_full_file_takes_more_as_soon_as_a_block_has_been_read() {
    let mut overflow = in_memory(usize::MAX, usize::MAX, 2);
    let mut queue = Queue::default();
    let entry = entry(1, BLOCK_BYTES / 2 - LENGTH_BYTES);
    for _ in 0..4 {
        assert!(overflow.has_room() || overflow.entries() > 2);
        overflow.push(&mut queue, &entry).expect("there is room");
    }
    assert!(!overflow.has_room());
    assert!(matches!(overflow.push(&mut queue, b""), Err(Refused::Full)));
    assert_eq!(next(&mut overflow, &mut queue).as_ref(), Some(&entry));
    assert!(!overflow.has_room(), "half of its block waits yet");
    assert_eq!(next(&mut overflow, &mut queue).as_ref(), Some(&entry));
    overflow.push(&mut queue, b"one more").expect("there is room");
    overflow.clear(&mut queue);
    assert_eq!((overflow.entries(), overflow.blocks, next(&mut overflow, &mut queue)), (0, 0, None));
}

#[test]
fn what_was_written_before_a_disk_failed_is_still_there_and_nothing_of_what_failed() {
    let mut overflow = in_memory(2, usize::MAX, 9);
    let mut queue = Queue::default();
    overflow.push(&mut queue, b"first").expect("it is written");
    overflow.push(&mut queue, b"second").expect("it is written");
    let long = entry(3, 3 * BLOCK_BYTES);
    assert!(matches!(overflow.push(&mut queue, &long), Err(Refused::Failed(_))));
    assert!(!overflow.has_room());
    assert!(matches!(overflow.push(&mut queue, b"x"), Err(Refused::Failed(_))));
    assert_eq!(next(&mut overflow, &mut queue), Some(b"first".to_vec()));
    assert_eq!(next(&mut overflow, &mut queue), Some(b"second".to_vec()));
    assert_eq!(next(&mut overflow, &mut queue), None);
}

#[test]
fn a_disk_that_cannot_be_had_or_read_is_an_error_and_no_panic() {
    let mut overflow = Overflow::new(1 << 30, || Err(io::ErrorKind::PermissionDenied.into()));
    let mut queue = Queue::default();
    assert!(overflow.has_room());
    assert!(matches!(overflow.push(&mut queue, b"x"), Err(Refused::Failed(_))));
    assert!(!overflow.has_room() && queue.is_empty());
    assert!(matches!(overflow.push(&mut queue, b"x"), Err(Refused::Failed(_))));

    let mut overflow = in_memory(9, 3, 9);
    overflow.push(&mut queue, b"first").expect("it is written");
    overflow.push(&mut queue, b"second").expect("it is written");
    assert_eq!(next(&mut overflow, &mut queue), Some(b"first".to_vec()));
    assert!(overflow.pop(&mut queue, &mut Vec::new()).is_err());
    overflow.clear(&mut queue);
    assert_eq!(overflow.entries(), 0);
}
