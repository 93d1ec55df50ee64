//! The workload as benchhost uses it: open, items, scores.

use benchhost_sdk::testkit::{FakeHost, workload};
use benchhost_sdk::{Answer, Workload};
use my_workload::MyWorkload;

fn open(options: &[(&str, &str)], seed: u64) -> MyWorkload {
    workload::open(options, seed, &FakeHost::new()).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_items_and_another_seed_others() {
    let host = FakeHost::new();
    let item = |seed, index| open(&[], seed).item(index, &host).unwrap();
    assert_eq!(item(1, 5), item(1, 5));
    assert_ne!(item(1, 5), item(2, 5));
    assert_ne!(item(1, 5).id, item(1, 6).id);
}

#[test]
fn the_right_sum_scores_one_and_anything_else_zero() {
    let workload = open(&[("items", "1")], 7);
    let right = workload.item(0, &FakeHost::new()).unwrap().reference;
    let score = |text: &str| {
        workload
            .score(
                0,
                &Answer {
                    text: text.into(),
                    ..Answer::default()
                },
            )
            .unwrap()[0]
            .value
    };
    assert_eq!(score(&format!("It is {right}.")), 1.0);
    assert_eq!(score(&format!("{right}1")), 0.0);
    assert_eq!(score(""), 0.0);
}

#[test]
fn an_option_out_of_range_is_refused_by_name() {
    for (name, value) in [
        ("items", "0"),
        ("digits", "0"),
        ("digits", "19"),
        ("digits", "x"),
    ] {
        let error = workload::open::<MyWorkload>(&[(name, value)], 1, &FakeHost::new())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(name), "{error}");
    }
}
