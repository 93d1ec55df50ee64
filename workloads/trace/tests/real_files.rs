//! Whole published traces. Runs when the environment variable `BENCHHOST_DATA` names the folder that holds
//! `azure_llm_2023`, `burstgpt` and `mooncake`; says so and passes when it does not.
#![allow(clippy::print_stderr, reason = "the test says that it skipped its work")]
#![allow(
    clippy::disallowed_methods,
    reason = "a test has no command line; the folder is not part of any run"
)]

use std::path::PathBuf;

use benchhost_sdk::testkit::{FakeHost, workload};
use benchhost_sdk::{Host, TokensSource, TurnInput, Workload};
use workload_trace::Replay;

/// Opens `file` and answers the workload, its host and the log's first line; `None`: there is no such folder.
fn open(file: &str, options: &[(&str, &str)]) -> Option<(Replay, FakeHost, String)> {
    let Some(folder) = std::env::var_os("BENCHHOST_DATA").map(PathBuf::from) else {
        eprintln!("skipped: BENCHHOST_DATA is not set");
        return None;
    };
    let bytes = std::fs::read(folder.join(file)).unwrap();
    let host = FakeHost::new().with_tokens(TokensSource::File).with_file("trace", file, bytes);
    let replay = workload::open::<Replay>(options, 3, &host).unwrap();
    let log = host.logged()[0].1.clone();
    eprintln!("{log}");
    Some((replay, host, log))
}

#[test]
fn azure_conversations() {
    let Some((replay, host, log)) = open("azure_llm_2023/AzureLLMInferenceTrace_conv.csv", &[]) else {
        return;
    };
    assert!(log.contains("19366 of 19366 rows over 3501.7 s") && !log.contains("sorted"), "{log}");
    let (mut before, mut input, mut output) = (0, 0_u64, 0_u64);
    for index in 0..replay.count() {
        let item = replay.item(index, &host).unwrap();
        let arrival = item.arrival_us.unwrap();
        assert!(arrival >= before);
        before = arrival;
        input += u64::from(item.turns[0].input_tokens.unwrap());
        output += u64::from(item.turns[0].max_tokens.unwrap());
    }
    // Means of the published file.
    assert_eq!((input / 19_366, output / 19_366), (1154, 211));
}

#[test]
fn the_beginning_of_burstgpt() {
    let Some((replay, host, log)) = open("burstgpt/BurstGPT_1.first400.csv", &[]) else { return };
    assert_eq!(replay.count(), 383, "{log}");
    assert!(log.contains("383 of 400 rows") && log.contains("17 "), "{log}");
    let first = replay.item(0, &host).unwrap();
    assert_eq!((first.id.as_str(), first.category.as_str()), ("line2-in472-out18", "ChatGPT"));
}

#[test]
fn mooncake_with_true_shared_prefixes() {
    const ROWS: usize = 300;
    let file = "mooncake/synthetic_trace.jsonl";
    let Some((replay, host, log)) = open(file, &[("limit", "300"), ("max-input", "8192")]) else { return };
    assert!(log.contains("300 of 3993 rows") && !log.contains("other than one hash"), "{log}");
    // The file is in the order of its times, so item `i` is its line `i`.
    let bytes = host.read("trace", 0, 1 << 20).unwrap();
    let hashes = |line: &str| -> Vec<u64> {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        row["hash_ids"].as_array().unwrap().iter().map(|h| h.as_u64().unwrap()).collect()
    };
    let hashes: Vec<Vec<u64>> = String::from_utf8(bytes).unwrap().lines().take(ROWS).map(hashes).collect();
    let text = |index| match replay.item(index, &host).unwrap().turns.remove(0).input {
        TurnInput::Text(text) => text,
        other => panic!("{other:?}"),
    };
    let texts: Vec<String> = (0..).map(text).take(ROWS).collect();
    let words = |a: &str, b: &str| a.split(' ').zip(b.split(' ')).take_while(|(x, y)| x == y).count();
    let mut sharing = 0;
    for (a, b) in (1..ROWS).flat_map(|b| (0..b).map(move |a| (a, b))) {
        let blocks = hashes[a].iter().zip(&hashes[b]).take_while(|(x, y)| x == y).count();
        if blocks == 0 {
            continue;
        }
        sharing += 1;
        let shortest = texts[a].split(' ').count().min(texts[b].split(' ').count());
        // A word or two after the last common block may be the same by chance.
        assert!(words(&texts[a], &texts[b]) >= shortest.min(512 * blocks), "{a} {b}");
        assert!(words(&texts[a], &texts[b]) <= shortest.min(512 * blocks + 4), "{a} {b}");
    }
    assert!(sharing > 10, "{sharing}");
}
