use std::collections::HashSet;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::cases;
use super::script::{Deed, Stage};
use super::simulated::Simulated;
use super::world::Folder;

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => (1..4_u8).prop_map(Deed::Write),
        3 => (0..10_u8).prop_map(Deed::Part),
        2 => any::<bool>().prop_map(|create| Deed::Rotate { create }),
        4 => Just(Deed::Reopen),
        2 => Just(Deed::Copy),
        2 => Just(Deed::Truncate),
        1 => Just(Deed::Remove),
        1 => Just(Deed::Replace),
        2 => (1..4_u8).prop_map(Deed::Gzip),
        8 => (0..8_u8).prop_map(Deed::Look),
        3 => Just(Deed::Glance),
        2 => Just(Deed::Restart),
    ]
}

fn deeds() -> impl Strategy<Value = (bool, Vec<Deed>)> {
    (any::<bool>(), prop::collection::vec(deed(), 1..30))
}

/// Lines that nobody can read any more, and that have not been read before.
fn note_destroyed(stage: &Stage<Simulated>, destroyed: &mut HashSet<String>) {
    let taken: HashSet<&String> = stage.taken.lines.iter().collect();
    let unread = stage.written().iter().filter(|line| !taken.contains(line) && !destroyed.contains(*line));
    let unread: Vec<String> = unread.cloned().collect();
    if unread.is_empty() {
        return;
    }
    let contents = stage.world.contents();
    let whole: HashSet<&[u8]> =
        contents.iter().flat_map(|bytes| bytes.split(|&byte| byte == b'\n' || byte == 0)).collect();
    destroyed.extend(unread.into_iter().filter(|line| !whole.contains(line.as_bytes())));
}

fn play(
    stage: &mut Stage<Simulated>,
    destroyed: &mut HashSet<String>,
    deeds: impl IntoIterator<Item = Deed>,
) {
    for deed in deeds {
        stage.act(deed);
        note_destroyed(stage, destroyed);
    }
}

fn end(mut stage: Stage<Simulated>, mut destroyed: HashSet<String>) -> Result<(), TestCaseError> {
    stage.end_writing();
    note_destroyed(&stage, &mut destroyed);
    stage.end_looking();
    check(&stage, &destroyed)
}

fn check(stage: &Stage<Simulated>, destroyed: &HashSet<String>) -> Result<(), TestCaseError> {
    let all: HashSet<&String> = stage.lines.iter().collect();
    let mut seen = HashSet::new();
    for line in &stage.taken.lines {
        prop_assert!(seen.insert(line), "twice: {line}");
        // The rest of a line stands alone, if its beginning was destroyed before the rest was written.
        let is_rest = || stage.broken.iter().any(|broken| broken.ends_with(line.as_str()));
        prop_assert!(all.contains(line) || is_rest(), "not a line: {line}");
    }
    for line in &stage.lines {
        prop_assert!(seen.contains(line) || destroyed.contains(line), "lost: {line}; {:?}", stage.taken.said);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(1000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_line_comes_once_whatever_is_done_to_the_log((appends, deeds) in deeds()) {
        let mut stage = Stage::new(Simulated::default(), appends);
        let mut destroyed = HashSet::new();
        play(&mut stage, &mut destroyed, deeds);
        end(stage, destroyed)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(1000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_line_that_is_there_comes_once_if_following_begins_with_the_rotated_files(
        (appends, before) in deeds(),
        (_, deeds) in deeds(),
    ) {
        let mut stage = Stage::new(Simulated::default(), appends);
        let mut destroyed = HashSet::new();
        let is_of_the_writer =
            |deed: &Deed| !matches!(deed, Deed::Look(_) | Deed::Glance | Deed::Replace | Deed::Restart);
        play(&mut stage, &mut destroyed, before.into_iter().filter(is_of_the_writer));
        stage.begin_with_rotated();
        play(&mut stage, &mut destroyed, deeds);
        end(stage, destroyed)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn real_files_give_the_same_as_simulated_ones((appends, deeds) in deeds()) {
        let folder = tempfile::tempdir().expect("a directory");
        let mut real = Stage::new(Folder(folder.path().to_owned()), appends);
        let mut simulated = Stage::new(Simulated::default(), appends);
        for deed in deeds {
            real.act(deed);
            simulated.act(deed);
        }
        real.end_writing();
        real.end_looking();
        simulated.end_writing();
        simulated.end_looking();
        prop_assert_eq!(&real.taken.lines, &simulated.taken.lines);
        prop_assert_eq!(&real.taken.torn, &simulated.taken.torn);
    }
}
