//! The workload as the host sees it.

use std::collections::BTreeMap;

use benchhost_sdk::testkit::{FakeHost, workload};
use benchhost_sdk::{Answer, LogLevel, Refusal, SlotFormat, TurnInput, Workload};
use workload_empathetic::{Empathetic, HEADER};

fn ids(workload: &Empathetic) -> Vec<String> {
    (0..workload.count()).map(|i| workload.item(i, &FakeHost::new()).unwrap().id).collect()
}

fn with_file(rows: &[String]) -> FakeHost {
    let text = format!("{HEADER},selfeval,tags\n{}", rows.join("\n"));
    FakeHost::new().with_records("dialogues", workload::lines(&text))
}

/// `n` conversations of `turns` turns.
fn conversations(emotion: &str, n: u32, turns: u32) -> Vec<String> {
    (0..n)
        .flat_map(|c| {
            (1..=turns).map(move |t| {
                format!("{emotion}:{c},{t},{emotion},I felt it_comma_ once,{},turn {t},,", t % 2)
            })
        })
        .collect()
}

#[test]
fn the_description_declares_what_the_items_use() {
    let description = Empathetic::describe();
    assert_eq!(description.categories.len(), 32);
    assert_eq!(description.slots[0].format, SlotFormat::Lines);
    assert!(!description.needs_tokens);
    let names: Vec<&str> = description.scores.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["token_f1"]);
}

#[test]
fn without_a_file_the_first_32_items_of_the_starter_set_hold_every_emotion_once() {
    let host = FakeHost::new();
    let workload = workload::open::<Empathetic>(&[], 1, &host).unwrap();
    assert_eq!(workload.count(), 64);
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for index in 0..32 {
        let item = workload.item(index, &host).unwrap();
        assert!(item.id.starts_with("starter:"), "{}", item.id);
        *seen.entry(item.category).or_default() += 1;
    }
    assert_eq!(seen.len(), 32);
}

#[test]
fn the_same_seed_gives_the_same_items_and_another_seed_another_order() {
    let open = |seed| ids(&workload::open::<Empathetic>(&[], seed, &FakeHost::new()).unwrap());
    assert_eq!(open(4), open(4));
    assert_ne!(open(4), open(5));
}

#[test]
fn a_limit_is_the_first_part_of_the_same_order() {
    let host = FakeHost::new();
    let all = ids(&workload::open::<Empathetic>(&[], 9, &host).unwrap());
    let some = ids(&workload::open::<Empathetic>(&[("limit", "10")], 9, &host).unwrap());
    assert_eq!(some, all[..10]);
    let more_than_there_are = workload::open::<Empathetic>(&[("limit", "1000")], 9, &host).unwrap();
    assert_eq!(more_than_there_are.count(), 64);
}

#[test]
fn a_file_replaces_the_starter_set_and_in_order_keeps_its_order() {
    let rows: Vec<String> = [conversations("sad", 2, 4), conversations("proud", 1, 5)].concat();
    let host = with_file(&rows);
    let workload = workload::open::<Empathetic>(&[("sample", "in-order")], 0, &host).unwrap();
    assert_eq!(ids(&workload), ["sad:0", "sad:1", "proud:0"]);
    assert_eq!(host.logged()[0].0, LogLevel::Info);
    let item = workload.item(0, &host).unwrap();
    let TurnInput::Messages(messages) = &item.turns[0].input else { panic!("messages expected") };
    let roles: Vec<&str> = messages.iter().map(|m| m.role.as_str()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert!(item.reference.contains("I felt it, once"), "{}", item.reference);
}

#[test]
fn what_a_file_holds_that_cannot_be_used_is_told() {
    let rows = [conversations("sad", 1, 4), conversations("proud", 1, 1)].concat();
    let host = with_file(&rows);
    assert_eq!(workload::open::<Empathetic>(&[], 0, &host).unwrap().count(), 1);
    let (level, line) = &host.logged()[0];
    assert_eq!(*level, LogLevel::Warn);
    assert!(line.contains("1 conversations without a listener turn"), "{line}");
}

#[test]
fn files_without_dialogues_and_wrong_options_are_refused() {
    let refused =
        |changed: &[(&str, &str)], host: FakeHost| match workload::open::<Empathetic>(changed, 0, &host) {
            Err(Refusal::Invalid(text)) => text,
            other => panic!("{other:?}"),
        };
    assert!(refused(&[], with_file(&[])).contains("no dialogue with a listener turn"));
    assert!(refused(&[], FakeHost::new().with_records("dialogues", ["\"a,b\""])).contains("first line"));
    assert!(refused(&[], FakeHost::new().with_records("dialogues", ["7"])).contains("line 1 is not a text"));
    assert!(refused(&[("turns", "all")], FakeHost::new()).contains("`all`"));
    assert!(refused(&[("sample", "random")], FakeHost::new()).contains("`random`"));
    assert!(refused(&[("limit", "-1")], FakeHost::new()).contains("`limit`"));
}

#[test]
fn the_score_is_the_overlap_with_the_turn_that_was_answered() {
    let host = with_file(&conversations("sad", 1, 6));
    let workload = workload::open::<Empathetic>(&[("turns", "every")], 0, &host).unwrap();
    let score =
        |turn, text: &str| workload.score(0, &Answer { turn, text: text.into(), ..Answer::default() });
    assert_eq!(score(1, "Turn 4!").unwrap()[0].value.to_bits(), 1.0_f64.to_bits());
    assert_eq!(score(0, "turn 4").unwrap()[0].value.to_bits(), 0.5_f64.to_bits());
    assert_eq!(score(0, "").unwrap()[0].value.to_bits(), 0.0_f64.to_bits());
    assert!(score(3, "turn 8").is_err());
    assert!(workload.score(7, &Answer::default()).is_err() && workload.item(7, &host).is_err());
}
