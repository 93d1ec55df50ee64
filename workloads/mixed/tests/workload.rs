//! The workload as the host sees it: proportions, order, shots, styles, scores.

use std::collections::{BTreeMap, BTreeSet};

use benchhost_sdk::testkit::{FakeHost, workload};
use benchhost_sdk::{Answer, Item, LogLevel, Refusal, TurnInput, Workload};
use serde_json::{Value, json};
use workload_mixed::{Category, Mixed};

fn items(changed: &[(&str, &str)], seed: u64, host: &FakeHost) -> Vec<Item> {
    let workload = workload::open::<Mixed>(changed, seed, host).unwrap();
    (0..workload.count()).map(|i| workload.item(i, host).unwrap()).collect()
}

fn by_category(items: &[Item]) -> BTreeMap<&str, u32> {
    items.iter().fold(BTreeMap::new(), |mut n, item| {
        *n.entry(item.category.as_str()).or_default() += 1;
        n
    })
}

fn ids(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.id.as_str()).collect()
}

/// Everything a request says, in one text.
fn sent(item: &Item) -> String {
    match &item.turns[0].input {
        TurnInput::Messages(messages) => {
            messages.iter().map(|m| ["<", &m.role, ">", &m.content].concat()).collect::<Vec<_>>().concat()
        }
        TurnInput::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// `articles` with `each` questions on one passage; every second question has no answer.
fn squad(articles: u32, each: u32) -> Vec<String> {
    let question = |a: u32, q: u32| {
        let answers = if q.is_multiple_of(2) {
            json!([{ "text": format!("word{q}"), "answer_start": 0 }])
        } else {
            json!([])
        };
        json!({ "id": format!("a{a}q{q}"), "question": format!("Question {a} {q}?"), "answers": answers })
    };
    (0..articles)
        .map(|a| {
            let qas: Vec<Value> = (0..each).map(|q| question(a, q)).collect();
            json!({ "title": format!("A{a}"), "paragraphs": [{ "context": format!("Passage {a}."), "qas": qas }] }).to_string()
        })
        .collect()
}

fn gsm8k(n: u32) -> Vec<String> {
    (0..n)
        .map(|i| {
            json!({ "question": format!("Sum {i}?"), "answer": format!("<<1+1=2>>{i}\n#### {i}") })
                .to_string()
        })
        .collect()
}

fn hh(n: u32) -> Vec<String> {
    let talk = |i: u32, a: &str| format!("\n\nHuman: Help {i}\n\nAssistant: {a} {i}");
    (0..n).map(|i| json!({ "chosen": talk(i, "Yes"), "rejected": talk(i, "No") }).to_string()).collect()
}

fn humaneval(n: u32) -> Vec<String> {
    (0..n)
        .map(|i| {
            json!({ "task_id": format!("H/{i}"), "prompt": format!("def f{i}():\n"), "entry_point": format!("f{i}"),
                    "canonical_solution": format!("    return {i}\n"), "test": "def check(c):\n    pass\n" })
            .to_string()
        })
        .collect()
}

fn all_files() -> FakeHost {
    FakeHost::new()
        .with_records("squad", squad(10, 60))
        .with_records("gsm8k", gsm8k(300))
        .with_records("hh", hh(300))
        .with_records("humaneval", humaneval(164))
}

#[test]
fn with_files_the_mix_is_520_in_the_declared_proportions() {
    let items = items(&[], 1, &all_files());
    let expected: BTreeMap<&str, u32> = Category::ALL.iter().map(|c| (c.name(), c.weight())).collect();
    assert_eq!(by_category(&items), expected);
    assert_eq!(ids(&items).iter().collect::<BTreeSet<_>>().len(), 520, "no example is sent twice");
    let unanswerable =
        items.iter().filter(|i| i.category == "qa" && i.reference.contains("\"golds\":[]")).count();
    assert_eq!(unanswerable, 100, "the share of unanswerable questions is kept");
}

#[test]
fn the_starter_sets_give_as_many_as_keep_the_proportions() {
    let host = FakeHost::new();
    let starter = items(&[], 1, &host);
    let counts = by_category(&starter);
    assert_eq!(starter.len(), 75, "{counts:?}");
    assert!(starter.iter().all(|i| i.id.starts_with("starter-")));
    assert!(
        counts["qa"] > counts["reasoning"]
            && counts["reasoning"] == counts["chat"]
            && counts["chat"] > counts["code"]
    );
    assert!(
        host.logged()
            .iter()
            .any(|(level, line)| *level == LogLevel::Info && line.contains("keep the proportions"))
    );
}

#[test]
fn each_starter_set_holds_at_least_fifteen_examples() {
    for category in Category::ALL {
        let items = items(&[("categories", category.name())], 1, &FakeHost::new());
        assert!(items.len() >= 15, "{}: {}", category.name(), items.len());
        assert!(items.iter().all(|i| i.category == category.name()));
    }
}

#[test]
fn the_same_seed_gives_the_same_items_and_another_seed_other_ones() {
    let host = all_files();
    assert_eq!(items(&[], 3, &host), items(&[], 3, &host));
    assert_ne!(ids(&items(&[], 3, &host)), ids(&items(&[], 4, &host)));
    let first: BTreeSet<String> = items(&[], 3, &host)[..40].iter().map(|i| i.category.clone()).collect();
    assert_eq!(first.len(), 4, "categories are interleaved");
}

#[test]
fn leaving_a_category_out_does_not_change_which_examples_the_others_send() {
    let host = all_files();
    let all = items(&[("total", "52")], 3, &host);
    let some = items(&[("total", "32"), ("categories", "qa,reasoning")], 3, &host);
    let of = |items: &[Item], category| -> BTreeSet<String> {
        items.iter().filter(|i| i.category == category).map(|i| i.id.clone()).collect()
    };
    assert_eq!(of(&all, "reasoning"), of(&some, "reasoning"));
    assert_eq!(of(&all, "qa").len(), 20);
}

#[test]
fn a_total_that_the_data_cannot_give_is_refused_with_the_largest_that_they_can() {
    let Err(Refusal::Invalid(text)) = workload::open::<Mixed>(&[("total", "300")], 1, &FakeHost::new())
    else {
        panic!()
    };
    assert!(text.contains("--data squad=PATH") && text.contains("at most"), "{text}");
    let most: u32 = text.rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(items(&[("total", &most.to_string())], 1, &FakeHost::new()).len(), most as usize);
    assert!(workload::open::<Mixed>(&[("total", &(most + 1).to_string())], 1, &FakeHost::new()).is_err());
}

#[test]
fn shots_are_the_first_two_of_the_file_and_never_items() {
    let host = all_files();
    let items = items(&[("few-shot", "true")], 1, &host);
    assert_eq!(items.len(), 520);
    for item in &items {
        let text = sent(item);
        match item.category.as_str() {
            "qa" => {
                assert!(!item.id.contains(":a0q"), "{} is from the shots' article", item.id);
                assert!(text.contains("Question 0 0?") && text.contains("<assistant>word0"), "{text}");
                assert!(text.contains("Question 0 1?") && text.contains("<assistant>unanswerable"), "{text}");
            }
            "reasoning" => {
                assert!(!["gsm8k:0", "gsm8k:1"].contains(&item.id.as_str()));
                assert!(
                    text.contains("Sum 0?") && text.contains("<assistant>1\n#### 1") && !text.contains("<<"),
                    "{text}"
                );
            }
            "chat" => {
                assert!(!["hh:0", "hh:1"].contains(&item.id.as_str()));
                assert!(
                    text.starts_with("<user>Help 0<assistant>Yes 0<user>Help 1<assistant>Yes 1<user>Help "),
                    "{text}"
                );
            }
            _ => {
                assert!(!["humaneval:H/0", "humaneval:H/1"].contains(&item.id.as_str()));
                assert!(
                    text.contains("def f0():\n    return 0\n```") && text.contains("def f1():"),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn in_a_file_of_one_article_only_the_shots_passage_is_left_out() {
    let question = |q: u32| json!({ "id": format!("q{q}"), "question": "?", "answers": [] });
    let paragraph =
        |p: u32| json!({ "context": "Text.", "qas": (3 * p..3 * p + 3).map(question).collect::<Vec<_>>() });
    let article = json!({ "title": "One", "paragraphs": [paragraph(0), paragraph(1)] }).to_string();
    let host = FakeHost::new().with_records("squad", [article]);
    let items = items(&[("few-shot", "true"), ("categories", "qa")], 1, &host);
    let sent: BTreeSet<&str> = ids(&items).into_iter().collect();
    assert_eq!(sent, ["squad:q3", "squad:q4", "squad:q5"].into());
}

#[test]
fn completion_style_sends_one_text_with_stops_and_the_code_prompt_as_it_is() {
    let host = all_files();
    let plain = items(&[("style", "completion")], 1, &host);
    for item in &plain {
        let text = sent(item);
        assert!(matches!(item.turns[0].input, TurnInput::Text(_)) && !item.turns[0].stop.is_empty());
        let reference: Value = serde_json::from_str(&item.reference).unwrap();
        assert_eq!(reference["style"], "completion");
        match item.category.as_str() {
            "code" => assert_eq!(reference["prompt"], text),
            "chat" => assert!(text.starts_with("Human: ") && text.ends_with("Assistant:")),
            _ => assert!(text.ends_with("\nAnswer:"), "{text}"),
        }
    }
    let shots =
        items(&[("style", "completion"), ("few-shot", "true"), ("categories", "reasoning")], 1, &host);
    let text = sent(&shots[0]);
    assert!(
        text.contains(
            "Question: Sum 0?\nAnswer: 0\n#### 0\n\nQuestion: Sum 1?\nAnswer: 1\n#### 1\n\nQuestion: Sum "
        ),
        "{text}"
    );
}

#[test]
fn the_recorded_answer_of_every_starter_item_gets_full_scores() {
    let host = FakeHost::new();
    for style in ["chat", "completion"] {
        let workload = workload::open::<Mixed>(&[("style", style)], 1, &host).unwrap();
        for index in 0..workload.count() {
            let item = workload.item(index, &host).unwrap();
            let text = item.turns[0].recorded_answer.clone().unwrap();
            let scores = workload.score(index, &Answer { text, ..Answer::default() }).unwrap();
            let declared = Mixed::describe().scores;
            assert!(scores.iter().all(|s| declared.iter().any(|d| d.name == s.name)));
            let full = |name: &str| scores.iter().find(|s| s.name == name).is_some_and(|s| s.value > 0.999);
            match item.category.as_str() {
                "qa" => assert!(full("qa_em_mapped") && full("qa_f1_mapped"), "{}: {scores:?}", item.id),
                "reasoning" => {
                    assert!(full("reasoning_correct") && full("reasoning_strict"), "{}: {scores:?}", item.id);
                }
                _ => assert!(scores.is_empty()),
            }
        }
    }
}

#[test]
fn token_limits_are_hints_by_category_that_options_change() {
    let items = items(&[("qa-max-tokens", "7")], 1, &FakeHost::new());
    for item in &items {
        let expected = if item.category == "qa" {
            7
        } else {
            Category::ALL.iter().find(|c| c.name() == item.category).unwrap().max_tokens()
        };
        assert_eq!(item.turns[0].max_tokens, Some(expected));
        assert!(!item.turns[0].exact);
    }
}

#[test]
fn files_of_another_format_and_wrong_options_are_refused_by_name() {
    let refused = |changed: &[(&str, &str)], slot: &str, record: &str| {
        let host = FakeHost::new().with_records(slot, [record]);
        workload::open::<Mixed>(changed, 1, &host).unwrap_err().to_string()
    };
    assert!(refused(&[], "squad", "{}").contains("SQuAD 2.0 format"));
    assert!(refused(&[], "squad", r#"{"paragraphs":[{"qas":[{"id":"1"}]}]}"#).contains("lacks `context`"));
    assert!(refused(&[], "gsm8k", r#"{"question":"q"}"#).contains("slot `gsm8k`"));
    assert!(refused(&[], "hh", "[").contains("is not JSON"));
    assert!(refused(&[], "humaneval", r#"{"task_id":"x"}"#).contains("`prompt`"));
    assert!(refused(&[("categories", "maths")], "none", "").contains("`maths`"));
    assert!(refused(&[("style", "poem")], "none", "").contains("`poem`"));
    assert!(refused(&[("total", "99999999999")], "none", "").contains("`total`"));
    let one = gsm8k(1);
    assert!(
        refused(&[("few-shot", "true"), ("categories", "reasoning")], "gsm8k", &one[0])
            .contains("`few-shot` needs 2")
    );
}

#[test]
fn an_item_or_a_turn_that_does_not_exist_is_refused() {
    let host = FakeHost::new();
    let workload = workload::open::<Mixed>(&[], 1, &host).unwrap();
    assert!(workload.item(workload.count(), &host).is_err());
    assert!(workload.score(0, &Answer { turn: 1, ..Answer::default() }).is_err());
}
