//! Files that are cut, mangled or lie: refused with the key that is wrong, or read; never a panic.

use benchhost_interop::{InteropError, looks_foreign, read};
use proptest::prelude::*;
use serde_json::Value;

const FILES: [&str; 11] = [
    "vllm-bench.json",
    "vllm-by-hand.json",
    "vllm-rust.json",
    "vllm-rust-open.json",
    "vllm-rust-multi-turn.json",
    "sglang.jsonl",
    "sglang-rust.jsonl",
    "aiperf.json",
    "aiperf.jsonl",
    "guidellm.json",
    "inference-perf-by-hand.json",
];

fn text(name: &str) -> String {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a fixture")
}

fn document(name: &str) -> Value {
    let text = text(name).replace("Infinity", "null");
    let line = if name == "aiperf.jsonl" { text.lines().next().expect("a line") } else { &text };
    serde_json::from_str(line).expect("JSON")
}

/// The words of the refusal when the value at `pointer` is replaced.
fn refusal(file: &str, pointer: &str, value: Value) -> String {
    let mut changed = document(file);
    *changed.pointer_mut(pointer).unwrap_or_else(|| panic!("{file} has no {pointer}")) = value;
    match read(&changed.to_string()) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{file} with another {pointer} is read"),
    }
}

/// A number that each file maps, its name in messages, and whether it is a count.
const MAPPED: [(&str, &str, &str); 24] = [
    ("vllm-bench.json", "/mean_ttft_ms", "mean_ttft_ms"),
    ("vllm-bench.json", "/completed", "completed"),
    ("vllm-bench.json", "/duration", "duration"),
    ("vllm-bench.json", "/max_concurrency", "max_concurrency"),
    ("vllm-bench.json", "/ttfts/3", "ttfts[3]"),
    ("vllm-bench.json", "/itls/3/1", "itls[3][1]"),
    ("vllm-bench.json", "/latencies/11", "latencies[11]"),
    ("vllm-rust.json", "/output_lens/0", "output_lens[0]"),
    ("vllm-rust-open.json", "/request_rate", "request_rate"),
    ("vllm-rust-multi-turn.json", "/p99_itl_ms", "p99_itl_ms"),
    ("sglang.jsonl", "/total_throughput", "total_throughput"),
    ("sglang-rust.jsonl", "/input_lens/2", "input_lens[2]"),
    ("aiperf.json", "/time_to_first_token/p99", "time_to_first_token.p99"),
    ("aiperf.json", "/request_count/avg", "request_count.avg"),
    ("aiperf.json", "/benchmark_duration/avg", "benchmark_duration.avg"),
    ("aiperf.jsonl", "/metrics/request_latency/value", "request_latency (line 1)"),
    ("aiperf.jsonl", "/metrics/inter_chunk_latency/value/4", "inter_chunk_latency[4] (line 1)"),
    ("aiperf.jsonl", "/metadata/turn_index", "turn_index (line 1)"),
    (
        "guidellm.json",
        "/benchmarks/0/metrics/request_latency/successful/percentiles/p90",
        "benchmarks[0].metrics.request_latency.percentiles.p90",
    ),
    (
        "guidellm.json",
        "/benchmarks/0/requests/successful/2/prompt_tokens",
        "benchmarks[0].requests.successful[2].prompt_tokens",
    ),
    ("guidellm.json", "/benchmarks/0/duration", "benchmarks[0].duration"),
    ("inference-perf-by-hand.json", "/successes/count", "successes.count"),
    (
        "inference-perf-by-hand.json",
        "/successes/latency/time_to_first_token/p50",
        "successes.latency.time_to_first_token.p50",
    ),
    (
        "inference-perf-by-hand.json",
        "/successes/throughput/requests_per_sec",
        "successes.throughput.requests_per_sec",
    ),
];

#[test]
fn a_number_that_cannot_be_is_refused_by_the_name_of_its_key() {
    for (file, pointer, key) in MAPPED {
        for (value, words) in [
            (Value::from("abc"), "it is a text, and a number was expected"),
            (Value::from(true), "it is true or false, and a number was expected"),
            (serde_json::json!({"a": 1}), "it is an object, and a number was expected"),
            (serde_json::json!([1]), "it is a list, and a number was expected"),
            (Value::from(-1), "it is -1, and nothing of its kind is negative"),
            (Value::from(1e300), "more than anything of its kind can be"),
        ] {
            let said = refusal(file, pointer, value);
            assert!(said.contains(&format!("has an impossible `{key}`: ")), "{file}: {said}");
            assert!(said.contains(words), "{file}: {said}");
        }
    }
}

#[test]
fn other_things_that_cannot_be_are_refused_too() {
    for (file, pointer, value, words) in [
        ("vllm-bench.json", "/completed", Value::from(1.5), "`completed`: it is 1.5, and a whole number"),
        (
            "vllm-bench.json",
            "/model_id",
            Value::from(3),
            "`model_id`: it is a number, and a text was expected",
        ),
        ("vllm-bench.json", "/ttfts", Value::from("x"), "`ttfts`: it is a text, and a list was expected"),
        (
            "vllm-bench.json",
            "/itls/0",
            Value::from(0.1),
            "`itls[0]`: it is a number, and a list was expected",
        ),
        ("vllm-bench.json", "/ttfts/0", Value::Null, "`ttfts[0]`: it is null or not a number"),
        (
            "vllm-bench.json",
            "/start_times/0",
            Value::from(-1e18),
            "`start_times[0]`: it is -1000000000000000000",
        ),
        ("aiperf.json", "/time_to_first_token", Value::from(3), "`time_to_first_token`: it is no object"),
        ("aiperf.json", "/time_to_first_token/unit", Value::from("weeks"), "`weeks` is no unit of time"),
        ("aiperf.jsonl", "/metadata/request_start_ns", Value::from(-5), "`request_start_ns (line 1)`"),
        (
            "aiperf.jsonl",
            "/metrics/request_latency/value",
            Value::from(0.001),
            "less than `time_to_first_token`",
        ),
        ("aiperf.jsonl", "/metadata", Value::from(3), "no usable `metadata`"),
        ("guidellm.json", "/benchmarks/0", Value::from(3), "no usable `benchmarks[0]`"),
        ("guidellm.json", "/benchmarks/0/metrics", Value::Null, "no usable `benchmarks[0].metrics`"),
        ("inference-perf-by-hand.json", "/successes/count", Value::Null, "no usable `successes.count`"),
    ] {
        let said = refusal(file, pointer, value);
        assert!(said.contains(words), "{file}{pointer}: {said}");
    }
}

#[test]
fn pythons_words_for_no_number_are_no_figure_in_a_total_and_refused_in_a_list() {
    let text = text("vllm-bench.json");
    let whole = read(&text).expect("a result").runs.remove(0);
    let mean = whole.figures.iter().find(|f| f.theirs == "mean_ttft_ms").expect("a figure").value;
    for word in ["NaN", "Infinity", "-Infinity"] {
        let changed =
            text.replace(&format!("\"mean_ttft_ms\": {mean}"), &format!("\"mean_ttft_ms\": {word}"));
        assert_ne!(changed, text);
        let run = read(&changed).expect("a result").runs.remove(0);
        assert!(run.figures.iter().all(|f| f.theirs != "mean_ttft_ms"), "{word}");
        assert_eq!(run.figures.len() + 1, whole.figures.len(), "{word}");
        let changed = text.replacen("\"ttfts\": [", &format!("\"ttfts\": [{word}, "), 1).replacen(
            "\"errors\": [",
            "\"errors\": [\"\", ",
            1,
        );
        assert!(matches!(read(&changed), Err(InteropError::Uneven { .. })), "{word}: one entry too many");
        let first = changed.find(&format!("[{word}, ")).expect("the list") + word.len() + 3;
        let comma = changed[first..].find(',').expect("a second entry") + first;
        let replaced = format!("{}{}", &changed[..first], &changed[comma + 2..]).replacen("[\"\", ", "[", 1);
        let said = read(&replaced).expect_err(word).to_string();
        assert!(said.contains("`ttfts[0]`: it is null or not a number (NaN)"), "{word}: {said}");
    }
}

#[test]
fn marks_line_ends_and_white_space_do_not_matter() {
    for file in FILES {
        let text = text(file);
        let plain = read(&text).expect(file);
        for changed in
            [format!("\u{feff}{text}"), text.replace('\n', "\r\n"), format!("\u{feff}\r\n\t{text}\r\n\r\n")]
        {
            assert!(looks_foreign(&changed), "{file}");
            assert_eq!(read(&changed).as_ref(), Ok(&plain), "{file}");
        }
    }
}

#[test]
fn what_is_no_json_is_said_with_its_line() {
    for (text, line, words) in [
        (String::new(), 1, "EOF"),
        (" \n\n ".into(), 3, "EOF"),
        ("[".repeat(1_000_000), 1, "recursion limit"),
        ("{\"ttfts\":".repeat(200_000), 1, "recursion limit"),
        (format!("{{\"completed\":1,\n\"ttfts\":{}", "[".repeat(100_000)), 2, "recursion limit"),
        ("{\"duration\": 1e999}".into(), 1, "number out of range"),
        ("{\"a\": 01}".into(), 1, "invalid number"),
        ("{\"a\": \"\u{1}\"}".into(), 1, "control character"),
        ("{\n\"completed\": 3,\n\"duration\": 2.".into(), 3, "EOF"),
        ("{\"a\": 1}\n{\"b\": }\n".into(), 2, "expected value"),
    ] {
        match read(&text) {
            Err(InteropError::NotJson { line: found, cause }) => {
                assert_eq!(found, line, "{cause}");
                assert!(cause.contains(words), "{cause}");
            }
            other => panic!("{other:?}"),
        }
    }
    for text in ["null", "3", "\"a\"", "[]", "[1]", "[[]]", "{}", "{\"metadata\": 1}", "{}\n{}\n"] {
        assert_eq!(read(text), Err(InteropError::Unknown), "{text}");
    }
}

#[test]
fn a_document_cut_anywhere_is_refused_and_a_list_of_lines_loses_its_last() {
    for file in FILES {
        let text = text(file);
        let text = text.trim_end();
        let lines = text.lines().count();
        let several = file == "aiperf.jsonl";
        // Every byte of the short ones.
        let step = (text.len() / 1500).max(1);
        for end in (0..text.len()).step_by(step).filter(|end| text.is_char_boundary(*end)) {
            match read(&text[..end]) {
                Ok(found) => {
                    assert!(
                        several && end > text.lines().next().expect("a line").len(),
                        "{file} cut at {end}"
                    );
                    let kept = text[..end].lines().count();
                    let torn = found.remarks.contains(&"the last line of the file is torn and left out");
                    let whole: usize = found.runs.iter().map(|r| r.requests.len()).sum();
                    assert_eq!(whole + usize::from(torn), kept, "{file} cut at {end} of {lines} lines");
                }
                Err(InteropError::NotJson { .. }) => {}
                Err(other) => panic!("{file} cut at {end}: {other}"),
            }
        }
    }
}

/// The places of all values in a document, as pointers.
fn pointers(value: &Value, path: &str, out: &mut Vec<String>) {
    out.push(path.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                pointers(inner, &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        Value::Array(list) => {
            for (at, inner) in list.iter().enumerate() {
                pointers(inner, &format!("{path}/{at}"), out);
            }
        }
        _ => {}
    }
}

/// Every value of every file, one after the other, replaced by each of these. What comes out of a file that is read are
/// finite amounts.
#[test]
fn any_value_may_be_any_other_without_a_panic() {
    let others = [
        "null",
        "-1",
        "0",
        "1e300",
        "18446744073709551615",
        "0.5",
        "\"x\"",
        "\"1e400\"",
        "[]",
        "[null]",
        "{}",
    ];
    let others: Vec<Value> = others.iter().map(|o| serde_json::from_str(o).expect("JSON")).collect();
    for file in FILES {
        let whole = document(file);
        let mut all = Vec::new();
        pointers(&whole, "", &mut all);
        let step = all.len() / 400 + 1;
        for (at, pointer) in all.iter().step_by(step).enumerate() {
            let mut changed = whole.clone();
            let other = &others[at % others.len()];
            *changed.pointer_mut(pointer).expect("a place") = other.clone();
            let Ok(found) = read(&changed.to_string()) else { continue };
            for run in &found.runs {
                for figure in &run.figures {
                    assert!(figure.value.is_finite() && figure.value >= 0.0, "{file}{pointer}: {figure:?}");
                }
                for request in &run.requests {
                    let r = &request.record;
                    for ms in [r.ttft_ms, r.e2e_ms, r.tpot_ms, r.itl_mean_ms].into_iter().flatten() {
                        assert!(ms.is_finite() && ms >= 0.0, "{file}{pointer}: {ms}");
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_never_panic(
        file in 0..FILES.len(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let mut bytes = text(FILES[file]).into_bytes();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        let text = String::from_utf8_lossy(&bytes);
        let _read_or_refused = read(&text);
        let _said = looks_foreign(&text);
    }

    /// Digits, signs and marks only: the file stays JSON more often, and its numbers become strange.
    #[test]
    fn strange_numbers_never_panic(
        file in 0..FILES.len(),
        places in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"0123456789-.eE, ".to_vec())), 1..8),
    ) {
        let mut bytes = text(FILES[file]).into_bytes();
        let digits: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
        for (at, byte) in places {
            bytes[digits[at.index(digits.len())]] = byte;
        }
        let _read_or_refused = read(&String::from_utf8_lossy(&bytes));
    }
}
