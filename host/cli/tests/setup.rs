//! Before the first request: waiting for a server, tokenizers, profiles, and plans that repeat a run from elsewhere.

mod support;

#[path = "support/line.rs"]
mod line;
#[path = "support/scripted.rs"]
mod scripted;

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::Stdio;

use line::{number, words};
use scripted::{Reply, Scripted, chat};
use support::Bench;

#[test]
fn a_server_that_listens_later_is_waited_for() {
    let bench = Bench::new();
    bench.write("prompts.txt", "Name a river.\n");
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let line = format!(
        "run -v --engine openai=http://{address} --prompts prompts.txt --concurrency 1 --requests 2 \
         --max-tokens 4 --ready-timeout 60s --no-plots --out r"
    );
    let mut child =
        bench.command(&words(&line)).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
    // With `-v` each question without an answer is a line; the server begins after the first of them.
    let mut heard = String::new();
    while !heard.to_lowercase().contains("refused") {
        assert!(said.read_line(&mut heard).expect("text") > 0, "it ended without waiting:\n{heard}");
    }
    assert!(!bench.path("r").exists(), "nothing is measured yet");
    let listener = TcpListener::bind(address).expect("the port is still free");
    let server = Scripted::openai_on(listener, |_, _| Reply::Answer(chat("The Rhine.")));
    said.read_to_string(&mut heard).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "{heard}");
    assert_eq!(bench.measured("r").len(), 2);
    assert_eq!(server.posts().len(), 3, "two requests and one of warm-up");
}

#[test]
fn a_server_that_says_it_is_not_ready_is_waited_for() {
    let bench = Bench::new();
    bench.write("prompts.txt", "Name a river.\n");
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = Scripted::start(listener, move |seen| {
        let before = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        match seen.method.as_str() {
            "POST" => Reply::Answer(chat("The Rhine.")),
            _ if before < 2 => Reply::Answer(
                b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 7\r\n\r\nloading".to_vec(),
            ),
            _ => Reply::Answer(scripted::json(r#"{"object":"list","data":[{"id":"one"}]}"#)),
        }
    });
    bench.done(&format!(
        "run --engine openai={} --prompts prompts.txt --concurrency 1 --requests 2 --ready-timeout 60s \
         --no-plots --out r",
        server.url()
    ));
    assert!(bench.measured("r").iter().all(|r| r["outcome"] == "completed" && r["model"] == "one"));
}

#[test]
fn all_servers_are_asked_before_any_is_measured() {
    let bench = Bench::new();
    let first = Scripted::openai(|_, _| Reply::Answer(chat("The Rhine.")));
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    bench.write("prompts.txt", "Name a river.\n");
    let said = bench.line(&format!(
        "run --engine openai={} --engine vllm=http://{nobody} --prompts prompts.txt --concurrency 1 \
         --requests 2 --ready-timeout 100ms --no-plots --out r",
        first.url()
    ));
    assert_eq!(said.code, 6, "{}", said.err);
    assert!(said.err.contains("vllm") && said.err.contains(&nobody.to_string()), "{}", said.err);
    assert!(!bench.path("r").exists(), "nothing was measured, so nothing is left behind");
    assert_eq!(first.posts().len(), 0, "the first server was not bothered for nothing");
}

/// A tokenizer to which every word is one token.
fn one_token_a_word() -> String {
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "the": 1}, "unk_token": "[UNK]"}
    })
    .to_string()
}

#[test]
fn a_tokenizer_file_counts_where_the_server_cannot() {
    let bench = Bench::new();
    bench.write("tokenizer.json", &one_token_a_word());
    let server = Scripted::openai(|_, _| Reply::Answer(chat("Three short words")));
    let line = |further: &str, out: &str| {
        format!(
            "run --engine openai={} --workload synthetic --workload-option input-tokens=24 --workload-option \
             output-tokens=3 --concurrency 1 --requests 3 --warmup 0 --no-plots {further} --out {out}",
            server.url()
        )
    };
    bench.done(&line("--tokenizer tokenizer.json", "file"));
    let asked = server.posts();
    let rows = bench.measured("file");
    assert_eq!(rows.len(), 3);
    for row in &rows {
        assert_eq!((row["tokens_by"].as_str(), row["outcome"].as_str()), ("file", "completed"), "{row:?}");
        assert_eq!(number(row, "input_tokens_asked"), 24);
    }
    for seen in &asked[asked.len() - 3..] {
        let prompt = seen.json()["messages"][0]["content"].as_str().expect("a prompt").to_owned();
        assert_eq!(prompt.split_whitespace().count(), 24, "{prompt}");
    }
    let estimated = bench.done(&line("", "estimate"));
    assert!(bench.measured("estimate").iter().all(|r| r["tokens_by"] == "approximate"));
    assert!(estimated.err.contains("--tokenizer"), "{}", estimated.err);
}

#[test]
fn a_tokenizer_file_counts_answers_whose_server_does_not() {
    let bench = Bench::new();
    bench.write("tokenizer.json", &one_token_a_word());
    bench.write("prompts.txt", "Name a river.\n");
    let answer = || {
        scripted::stream(&[&scripted::delta("\"One two three four\"")[..], &scripted::end(0, 0)[0], "[DONE]"])
    };
    let server = Scripted::openai(move |_, _| Reply::Answer(answer()));
    bench.done(&format!(
        "run --engine openai={} --prompts prompts.txt --tokenizer tokenizer.json --concurrency 1 \
         --requests 2 --no-plots --out r",
        server.url()
    ));
    for row in bench.measured("r") {
        assert_eq!((row["outcome"].as_str(), row["output_tokens"].as_str()), ("completed", "4"), "{row:?}");
        assert!(!matches!(row["tokens_source"].as_str(), "usage" | "none" | ""), "{row:?}");
    }
}

#[test]
fn a_tokenizer_that_is_none_is_told_before_anything_is_sent() {
    let bench = Bench::new();
    bench.write("tokenizer.json", "{}");
    for name in ["tokenizer.json", "missing.json", "."] {
        let said = bench.line(&format!("run --engine vllm --simulate --tokenizer {name} --out r"));
        assert_eq!(said.code, 2, "{name}: {}", said.err);
        assert!(said.err.contains(name), "{}", said.err);
        assert!(!bench.path("r").exists());
    }
}

#[test]
fn profiles_are_resolved() {
    let bench = Bench::new();
    // A long list goes on in the next lines, which are indented further than the names.
    let entry = |shown: &str, key: &str| {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let mut lines = shown.lines().skip_while(|l| l.split_whitespace().next() != Some(key));
        let first = lines.next().unwrap_or_else(|| panic!("{key}:\n{shown}"));
        let further = lines.take_while(|l| indent(l) > indent(first));
        let words: Vec<_> = first.split_whitespace().chain(further.flat_map(str::split_whitespace)).collect();
        format!(" {} ", words.join(" "))
    };
    for (profile, loads, requests, tokens) in [
        ("latency-bound", &["concurrency=1"][..], "50 per load point", " 64 "),
        (
            "throughput-bound",
            &["concurrency=8,", "concurrency=16,", "concurrency=32,", "concurrency=64"],
            "256 per load point",
            " 256 ",
        ),
    ] {
        let shown = bench.done(&format!("plan show --engine vllm --profile {profile}")).out;
        let loads: Vec<_> = loads.iter().map(|l| ("load", format!(" {l} "))).collect();
        let others = [("requests", requests.to_owned()), ("max-tokens", tokens.to_owned())];
        for (key, expected) in loads.into_iter().chain(others) {
            let line = entry(&shown, key);
            assert!(line.contains(&expected) && line.contains(" profile "), "{expected}: {line}");
        }
        let over = bench.done(&format!("plan show --engine vllm --profile {profile} --concurrency 3")).out;
        assert_eq!(entry(&over, "load"), " load concurrency=3 flag ");
        let rate = bench.done(&format!("plan show --engine vllm --profile {profile} --rate 5")).out;
        assert_eq!(entry(&rate, "load"), " load rate=5 flag ");
        bench.done(&format!("plan check --engine vllm --profile {profile}"));
    }
}

const DIALOGUES: &str = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags
own:1,1,proud,I baked bread.,1,I baked my first bread today.,5|5|5,
own:1,2,proud,I baked bread.,2,Well done_comma_ how was it?,5|5|5,
own:2,1,sad,My cat is gone.,1,My cat did not come home.,5|5|5,
own:2,2,sad,My cat is gone.,2,I am sorry to hear that.,5|5|5,
";

/// Makes a run with `further` words, repeats it by its stored plan from another directory, and demands the same items.
fn repeats_from_elsewhere(bench: &Bench, further: &str) -> Vec<String> {
    bench.done(&format!(
        "run --engine vllm --simulate {further} --concurrency 1 --requests 4 --max-tokens 4 --no-plots --out a"
    ));
    let items = |run: &str| bench.measured(run).iter().map(|r| r["item"].clone()).collect::<Vec<_>>();
    let first = items("a");
    assert_eq!(first.len(), 4);
    std::fs::create_dir(bench.path("elsewhere")).expect("a folder");
    let whole = bench.path("a/plan.toml");
    for (plan, out) in [("../a/plan.toml", "b"), (whole.to_str().expect("a name"), "c")] {
        let mut command = bench.command(&["run", plan, "--no-plots", "--out"]);
        command.arg(bench.path(out)).current_dir(bench.path("elsewhere"));
        let said = support::Said::from(command.output().expect("it starts"));
        assert_eq!(said.code, 0, "{plan}: {}", said.err);
        assert_eq!(items(out), first, "{plan}");
    }
    // Also from where the run was made, and a third time by the plan that the repetition stored.
    bench.done("run a/plan.toml --no-plots --out d");
    assert_eq!(items("d"), first);
    bench.done("run b/plan.toml --no-plots --out e");
    assert_eq!(items("e"), first);
    first
}

#[test]
fn a_stored_plan_with_data_of_ones_own_repeats_from_another_directory() {
    let bench = Bench::new();
    bench.write("own.csv", DIALOGUES);
    let items = repeats_from_elsewhere(&bench, "--workload empathetic --data dialogues=own.csv");
    assert!(items.iter().all(|i| i.contains("own")), "{items:?}");
}

#[test]
fn a_stored_plan_with_a_tokenizer_repeats_from_another_directory() {
    let bench = Bench::new();
    bench.write("tokenizer.json", &one_token_a_word());
    repeats_from_elsewhere(
        &bench,
        "--workload synthetic --workload-option output-tokens=3 --tokenizer tokenizer.json",
    );
    assert!(bench.measured("b").iter().all(|r| r["tokens_by"] == "file"));
}

#[test]
fn prompts_of_ones_own_are_part_of_the_stored_plan() {
    let bench = Bench::new();
    bench.write("prompts.txt", "Name a river.\nSay \"three\" \\ words.\n");
    let server = Scripted::openai(|_, _| Reply::Answer(chat("The Rhine.")));
    bench.done(&format!(
        "run --engine openai={} --prompts prompts.txt --concurrency 1 --requests 4 --warmup 0 \
         --no-plots --out a",
        server.url()
    ));
    std::fs::remove_file(bench.path("prompts.txt")).expect("removable");
    bench.done("run a/plan.toml --no-plots --out b");
    let sent: Vec<_> = server
        .posts()
        .iter()
        .map(|s| s.json()["messages"][0]["content"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(sent.len(), 8);
    assert_eq!(sent[..4], sent[4..], "the same prompts in the same order");
    assert!(sent.contains(&Some("Say \"three\" \\ words.".to_owned())), "{sent:?}");
}
