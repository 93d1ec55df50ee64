//! The published data sets and metric cases. Runs what it finds in the folder that the environment variable
//! `BENCHHOST_DATA` names (`squad_v2/`, `gsm8k/`, `hh_rlhf/`, `humaneval/`, `metric_cases/`) or, for gzip files that were
//! unpacked as the host does it, in the folder `BENCHHOST_UNPACKED`; says what it did not find and passes.
#![allow(clippy::print_stderr, reason = "the tests say what they skipped and what they counted")]
#![allow(
    clippy::disallowed_methods,
    reason = "a test has no command line; the folder is not part of any run"
)]

use std::path::PathBuf;

use benchhost_sdk::testkit::{FakeHost, workload};
use benchhost_sdk::{Answer, Workload, squad};
use serde_json::Value;
use workload_mixed::{Mixed, equal, flexible, official};

fn read(path: &str) -> Option<String> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let found = ["BENCHHOST_UNPACKED", "BENCHHOST_DATA"]
        .into_iter()
        .filter_map(folder)
        .map(|f| f.join(path))
        .find(|p| p.is_file());
    let Some(found) = found else {
        eprintln!("skipped: no `{path}` in the folder BENCHHOST_DATA");
        return None;
    };
    Some(std::fs::read_to_string(found).unwrap())
}

fn records(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn articles(text: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(text).unwrap();
    document["data"].as_array().unwrap().iter().map(Value::to_string).collect()
}

fn close(a: f64, b: &Value) -> bool {
    b.as_f64().is_some_and(|b| (a - b).abs() < 1e-9)
}

#[test]
fn squad_cases_have_the_values_of_the_official_script() {
    let Some(text) = read("metric_cases/squad_v2_cases.json") else { return };
    let document: Value = serde_json::from_str(&text).unwrap();
    let cases = document["cases"].as_array().unwrap();
    for case in cases {
        let golds: Vec<&str> = case["gold"].as_array().unwrap().iter().map(|g| g.as_str().unwrap()).collect();
        let prediction = case["prediction"].as_str().unwrap();
        let (em, f1) = squad::best(&golds, prediction);
        assert!(close(em, &case["exact"]) && close(f1, &case["f1"]), "{case}");
        assert_eq!(squad::normalise(prediction), case["normalized_prediction"].as_str().unwrap());
    }
    eprintln!("{} SQuAD cases", cases.len());
}

#[test]
fn golden_values_of_normalisation_overlap_and_extraction_hold() {
    let Some(text) = read("metric_cases/golden-metrics.json") else { return };
    let golden: Value = serde_json::from_str(&text).unwrap();
    let list = |key: &str| golden[key].as_array().unwrap().clone();
    for case in list("squad_normalize") {
        assert_eq!(squad::normalise(case[0].as_str().unwrap()), case[1].as_str().unwrap(), "{case}");
    }
    for case in list("squad_em_f1") {
        let (gold, prediction) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        assert!(
            close(squad::exact(gold, prediction), &case[2]) && close(squad::f1(gold, prediction), &case[3]),
            "{case}"
        );
    }
    for case in list("gsm8k_official") {
        let found = official(case[0].as_str().unwrap()).unwrap_or_else(|| "[invalid]".into());
        assert_eq!(found, case[1].as_str().unwrap(), "{case}");
    }
}

#[test]
fn extraction_cases_have_the_official_values_and_the_chain_finds_the_same_number_as_lm_eval() {
    let Some(text) = read("metric_cases/gsm8k_extract_cases.json") else { return };
    let document: Value = serde_json::from_str(&text).unwrap();
    for case in document["cases"].as_array().unwrap() {
        let completion = case["completion"].as_str().unwrap();
        let found = official(completion).unwrap_or_else(|| "[invalid]".into());
        assert_eq!(found, case["official_hash_extract"].as_str().unwrap(), "{case}");
        let theirs = case["lm_eval_flexible_extract_raw"].as_str().unwrap().replace(['$', ','], "");
        match flexible(completion) {
            None => assert_eq!(theirs, "[invalid]", "{case}"),
            // lm-eval does not know U+2212.
            Some(found) if completion.contains('\u{2212}') => assert_eq!(found.number, format!("-{theirs}")),
            Some(found) => assert!(equal(&found.number, theirs.trim_end_matches('.')), "{case}: {found:?}"),
        }
    }
}

#[test]
fn the_half_of_squad_dev_scores_as_the_official_script_says() {
    let Some(text) = read("squad_v2/dev-v2.0.half.json") else { return };
    let host = FakeHost::new().with_records("squad", articles(&text));
    let all = workload::open::<Mixed>(&[("categories", "qa"), ("total", "6078")], 1, &host).unwrap();
    let (mut empty, mut first) = ([0.0; 4], [0.0; 4]);
    for index in 0..all.count() {
        let item = all.item(index, &host).unwrap();
        let reference: Value = serde_json::from_str(&item.reference).unwrap();
        let gold = reference["golds"][0].as_str().unwrap_or("").to_owned();
        for (sum, text) in [(&mut empty, String::new()), (&mut first, gold)] {
            for (sum, score) in
                sum.iter_mut().zip(all.score(index, &Answer { text, ..Answer::default() }).unwrap())
            {
                *sum += 100.0 * score.value / f64::from(all.count());
            }
        }
    }
    eprintln!("{} questions; all empty: {empty:?}; first accepted answer: {first:?}", all.count());
    assert!(empty.iter().all(|s| (s - 100.0 * 3168.0 / 6078.0).abs() < 1e-6), "{empty:?}");
    assert!(first.iter().all(|s| (s - 100.0).abs() < 1e-6), "{first:?}");
}

#[test]
fn every_gsm8k_problem_is_read_and_its_own_solution_scores_full() {
    let Some(text) = read("gsm8k/test.jsonl") else { return };
    let host = FakeHost::new().with_records("gsm8k", records(&text));
    let all = workload::open::<Mixed>(&[("categories", "reasoning"), ("total", "1319")], 1, &host).unwrap();
    for index in 0..all.count() {
        let text = all.item(index, &host).unwrap().turns[0].recorded_answer.clone().unwrap();
        assert!(!text.contains("<<"));
        let scores = all.score(index, &Answer { text, ..Answer::default() }).unwrap();
        assert!(scores.iter().all(|s| s.value > 0.999), "{scores:?}");
    }
    assert_eq!(all.count(), 1319);
}

#[test]
fn the_official_flags_of_the_gsm8k_example_solutions_are_reproduced() {
    let Some(text) = read("gsm8k/example_model_solutions.jsonl") else { return };
    let (mut right, mut agree, mut all) = ([0; 4], 0, 0);
    for record in text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()) {
        let gold = official(record["ground_truth"].as_str().unwrap()).unwrap();
        for (place, model) in ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"]
            .into_iter()
            .enumerate()
        {
            let flag = record[model]["is_correct"].as_bool().unwrap();
            let found = flexible(record[model]["solution"].as_str().unwrap());
            right[place] += u32::from(flag);
            all += 1;
            agree += u32::from(found.is_some_and(|f| equal(&f.number, &gold)) == flag);
        }
    }
    eprintln!("official flags {right:?}; the chain agrees on {agree} of {all}");
    assert_eq!(right, [286, 515, 458, 742]);
}

#[test]
fn the_helpful_part_of_hh_is_read_and_broken_pairs_are_passed_over() {
    let Some(text) = read("hh_rlhf/helpful-base.test.jsonl") else { return };
    let host = FakeHost::new().with_records("hh", records(&text));
    let Err(refusal) = workload::open::<Mixed>(&[("categories", "chat"), ("total", "2354")], 1, &host) else {
        panic!()
    };
    let most = refusal.to_string().rsplit(' ').next().unwrap().to_owned();
    let all = workload::open::<Mixed>(&[("categories", "chat"), ("total", &most)], 1, &host).unwrap();
    eprintln!("{} usable pairs; {:?}", all.count(), host.logged().first());
    assert!(all.count() > 2300);
}

#[test]
fn every_humaneval_task_is_read() {
    let Some(text) = read("humaneval/HumanEval.jsonl") else { return };
    let host = FakeHost::new().with_records("humaneval", records(&text));
    let all = workload::open::<Mixed>(&[("categories", "code"), ("total", "164")], 1, &host).unwrap();
    assert_eq!(all.count(), 164);
    for index in 0..164 {
        let reference: Value = serde_json::from_str(&all.item(index, &host).unwrap().reference).unwrap();
        let entry = reference["entry_point"].as_str().unwrap();
        assert!(reference["prompt"].as_str().unwrap().contains(&format!("def {entry}(")));
        assert!(reference["test"].as_str().unwrap().contains("def check("));
    }
}

#[test]
fn the_whole_mix_with_shots_never_sends_a_shot() {
    let (Some(qa), Some(gsm), Some(hh), Some(code)) = (
        read("squad_v2/dev-v2.0.half.json"),
        read("gsm8k/test.jsonl"),
        read("hh_rlhf/helpful-base.test.jsonl"),
        read("humaneval/HumanEval.jsonl"),
    ) else {
        return;
    };
    let host = FakeHost::new()
        .with_records("squad", articles(&qa))
        .with_records("gsm8k", records(&gsm))
        .with_records("hh", records(&hh))
        .with_records("humaneval", records(&code));
    let mix = workload::open::<Mixed>(&[("few-shot", "true"), ("style", "completion")], 5, &host).unwrap();
    assert_eq!(mix.count(), 520);
    for index in 0..mix.count() {
        let id = mix.item(index, &host).unwrap().id;
        assert!(
            !["gsm8k:0", "gsm8k:1", "hh:0", "hh:1", "humaneval:HumanEval/0", "humaneval:HumanEval/1"]
                .contains(&id.as_str())
        );
    }
}
