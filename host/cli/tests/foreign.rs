//! Result files of other tools as a user would compare them: read, or refused by the name of the file and the key.

mod support;

#[path = "support/line.rs"]
mod line;

use support::Bench;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../interop/tests/fixtures");

fn fixture(name: &str) -> String {
    std::fs::read_to_string(format!("{FIXTURES}/{name}")).expect("a fixture")
}

fn bench(files: &[(&str, String)]) -> Bench {
    let bench = Bench::new();
    for (name, text) in files {
        std::fs::write(bench.path(name), text).expect("a file");
    }
    bench
}

#[test]
fn what_was_left_out_is_said_once_a_reason() {
    let bench = bench(&[("a.json", fixture("vllm-rust.json")), ("b.json", fixture("vllm-rust.json"))]);
    let said = bench.line("compare a.json b.json");
    let all = format!("{}{}", said.out, said.err);
    assert!(all.contains("a.json: a result of vLLM bench"), "{all}");
    assert!(all.contains("`std_ttft_ms`, `std_tpot_ms`, `std_itl_ms`, `std_e2el_ms`"), "{all}");
}

#[test]
fn a_file_that_cannot_be_is_refused_with_its_name_and_key() {
    let good = fixture("vllm-bench.json");
    let cut = &good[..good.len() / 2];
    for (text, words) in [
        (cut.to_owned(), "line 1 is not JSON: EOF while parsing"),
        (good.replace("\"duration\": ", "\"duration\": -"), "impossible `duration`: it is -0.5"),
        (
            good.replace("\"completed\": 12", "\"completed\": \"twelve\""),
            "impossible `completed`: it is a text",
        ),
        (
            good.replacen("\"itls\": [[", "\"itls\": [[NaN, ", 1),
            "impossible `itls[0][0]`: it is null or not a number",
        ),
        (good.replacen("\"itls\": [[", "\"itls\": [[1e200, ", 1), "impossible `itls[0][0]`: it is 1"),
        (good.replace("\"duration\": ", "\"duration\": 1e999, \"x\": "), "number out of range"),
        (format!("{{\"metadata\": {}", "[".repeat(3_000_000)), "recursion limit exceeded"),
        ("{\"a\": 1}".into(), "the keys are those of no result that is read here"),
        (String::new(), "header"),
    ] {
        let bench = bench(&[("good.json", good.clone()), ("bad.json", text)]);
        let said = bench.line("compare good.json bad.json");
        assert_eq!(said.code, 2, "{words}: {}", said.err);
        assert!(said.err.contains("bad.json") && said.err.contains(words), "{words}: {}", said.err);
        assert!(!said.err.contains("panicked"), "{}", said.err);
    }
}

#[test]
fn what_is_not_text_is_refused() {
    let bench = bench(&[("good.json", fixture("vllm-bench.json"))]);
    std::fs::write(bench.path("bad.json"), b"{\"a\": \"\xff\xfe\"}").expect("a file");
    let said = bench.line("compare bad.json good.json");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("bad.json") && said.err.contains("UTF-8"), "{}", said.err);
}
