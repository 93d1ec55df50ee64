//! The whole pipeline over the data set's own file. Runs when the environment variable `BENCHHOST_DATA` names the folder
//! that holds `empathetic_dialogues/test.rebuilt.csv`; says so and passes when it does not.
#![allow(clippy::print_stderr, reason = "the test says that it skipped its work")]
#![allow(
    clippy::disallowed_methods,
    reason = "a test has no command line; the folder is not part of any run"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use benchhost_sdk::testkit::{FakeHost, workload};
use benchhost_sdk::{Answer, LogLevel, Workload};
use workload_empathetic::Empathetic;

#[test]
fn every_conversation_of_the_test_part_is_rebuilt() {
    let Some(folder) = std::env::var_os("BENCHHOST_DATA").map(PathBuf::from) else {
        eprintln!("skipped: BENCHHOST_DATA is not set");
        return;
    };
    let text = std::fs::read_to_string(folder.join("empathetic_dialogues/test.rebuilt.csv")).unwrap();
    let host = FakeHost::new().with_records("dialogues", workload::lines(&text));
    let all = workload::open::<Empathetic>(&[("turns", "every")], 3, &host).unwrap();
    assert_eq!(all.count(), 2542);
    assert_eq!(
        host.logged(),
        [(LogLevel::Info, "dialogues.jsonl: 2542 conversations from 10953 rows".to_owned())]
    );
    let (mut turns, mut emotions, mut ids) = (0, BTreeMap::<String, u32>::new(), BTreeSet::new());
    for index in 0..all.count() {
        let item = all.item(index, &host).unwrap();
        assert!(!item.reference.contains("_comma_"));
        for (turn, t) in (0..).zip(&item.turns) {
            let text = t.recorded_answer.clone().unwrap();
            let scores = all.score(index, &Answer { turn, text, ..Answer::default() }).unwrap();
            assert!((scores[0].value - 1.0).abs() < 1e-12, "{}", item.id);
        }
        turns += item.turns.len();
        *emotions.entry(item.category).or_default() += 1;
        ids.insert(item.id);
    }
    assert_eq!((ids.len(), emotions.len()), (2542, 32));
    eprintln!("{turns} listener turns; conversations by emotion: {emotions:?}");
    let sample = workload::open::<Empathetic>(&[("limit", "64")], 3, &host).unwrap();
    let mut by_emotion = BTreeMap::<String, u32>::new();
    for index in 0..sample.count() {
        *by_emotion.entry(sample.item(index, &host).unwrap().category).or_default() += 1;
    }
    assert!(by_emotion.len() == 32 && by_emotion.values().all(|n| *n == 2), "{by_emotion:?}");
}
