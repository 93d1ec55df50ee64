//! Each way a server can go wrong is its own failure in the rows, and never a fast success.

mod support;

use support::Bench;

/// Sends a few requests to a simulator with `fault` and returns the rows and what was printed.
fn with_fault(
    dialect: &str,
    fault: &str,
    extra: &[&str],
) -> (Vec<std::collections::BTreeMap<String, String>>, support::Said) {
    let bench = Bench::new();
    let server = bench.simulator(dialect, &["--fault", fault]);
    let engine = format!("{dialect}={}", server.url);
    let mut args = vec![
        "run",
        "--engine",
        &engine,
        "--concurrency",
        "2",
        "--requests",
        "4",
        "--warmup",
        "0",
        "--max-tokens",
        "8",
        "--no-plots",
        "--out",
        "r",
    ];
    args.extend(extra);
    let said = bench.run(&args);
    (bench.measured("r"), said)
}

fn assert_all_fail_as(dialect: &str, fault: &str, expected: &str, extra: &[&str]) {
    let (rows, said) = with_fault(dialect, fault, extra);
    assert_eq!(rows.len(), 4, "{fault}: every request has a row\n{}", said.err);
    for row in &rows {
        assert_eq!(
            (row["outcome"].as_str(), row["failure"].as_str()),
            ("failed", expected),
            "{dialect} {fault}: {}",
            row["failure_detail"]
        );
        assert!(!row["failure_detail"].is_empty(), "{fault}: the message is kept");
    }
    assert_eq!(said.code, 7, "{fault}: nothing completed");
    assert!(said.out.contains(expected), "{fault}: the summary names the failure\n{}", said.out);
}

#[test]
fn an_error_object_inside_a_200_stream() {
    for dialect in ["openai", "vllm", "sglang", "tgi", "llamacpp", "friendli", "transformers"] {
        assert_all_fail_as(dialect, "in-band-error", "in_band_error", &[]);
    }
}

#[test]
fn a_stream_without_its_end() {
    for dialect in ["openai", "vllm", "tgi", "llamacpp", "friendli", "transformers"] {
        assert_all_fail_as(dialect, "truncated", "truncated", &[]);
    }
    assert_all_fail_as("vllm", "close-mid-stream", "truncated", &[]);
}

#[test]
fn an_empty_answer() {
    assert_all_fail_as("vllm", "empty", "empty", &[]);
    assert_all_fail_as("llamacpp", "empty", "empty", &[]);
}

#[test]
fn statuses_keep_the_servers_words() {
    assert_all_fail_as("vllm", "http-error:status=503", "http_503", &[]);
    assert_all_fail_as("tgi", "http-error:status=429", "http_429", &[]);
    assert_all_fail_as("transformers", "http-error:status=500", "http_500", &[]);
}

#[test]
fn time_outs_are_failures_with_their_own_names() {
    assert_all_fail_as("vllm", "hang", "timeout", &["--timeout", "400ms"]);
    assert_all_fail_as("vllm", "stall:for=5s", "idle_timeout", &["--idle-timeout", "300ms"]);
}

#[test]
fn a_redirect_is_not_followed() {
    assert_all_fail_as("openai", "redirect", "redirect", &[]);
}

#[test]
fn a_page_of_html_is_not_an_answer() {
    let (rows, said) = with_fault("openai", "html", &[]);
    assert_eq!(said.code, 7);
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert_eq!(row["outcome"], "failed", "{row:?}");
        assert!(!row["failure"].is_empty() && !row["failure_detail"].is_empty(), "{row:?}");
    }
}

#[test]
fn garbage_is_a_failure_and_does_not_stop_the_run() {
    let (rows, said) = with_fault("vllm", "garbage:every=2", &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    let failed = rows.iter().filter(|r| r["outcome"] == "failed").count();
    assert_eq!((rows.len(), failed), (4, 2));
}

#[test]
fn a_body_without_end_is_cut_at_the_cap() {
    assert_all_fail_as("openai", "endless", "too_large", &[]);
}

#[test]
fn a_connection_that_closes_before_answering() {
    assert_all_fail_as("openai", "close-before-response", "closed", &[]);
}

#[test]
fn one_connection_that_dies_costs_one_request() {
    let bench = Bench::new();
    let server = bench.simulator("vllm", &["--fault", "close-before-response:first=1"]);
    let engine = format!("vllm={}", server.url);
    // One of the first requests dies on a fresh connection; the others complete.
    let said = bench.run(&[
        "run",
        "--engine",
        &engine,
        "--concurrency",
        "1",
        "--requests",
        "6",
        "--warmup",
        "0",
        "--max-tokens",
        "4",
        "--no-plots",
        "--out",
        "r",
    ]);
    assert_eq!(said.code, 0, "failed requests alone do not change the code\n{}", said.err);
    let rows = bench.measured("r");
    let failures: Vec<_> =
        rows.iter().filter(|r| r["outcome"] == "failed").map(|r| r["failure"].as_str()).collect();
    assert_eq!((rows.len(), failures), (6, vec!["closed"]));
}

#[test]
fn a_turn_that_fails_ends_its_dialogue_and_every_turn_has_a_row() {
    let of = |extra: &[&str]| {
        let (rows, said) = with_fault("vllm", "http-error:share=0.5,status=500", extra);
        assert_eq!(said.code, 0, "{}", said.err);
        rows
    };
    let rows = of(&["--workload-option", "turns=every", "--requests", "12"]);
    let mut dialogues: std::collections::BTreeMap<&str, Vec<(u32, &str)>> = std::collections::BTreeMap::new();
    for row in &rows {
        let turn = row["turn"].parse().expect("a turn");
        dialogues.entry(&row["item"]).or_default().push((turn, &row["outcome"]));
    }
    assert_eq!(dialogues.len(), 12);
    let mut after_a_failure = 0;
    for (item, turns) in dialogues {
        let failed = turns.iter().position(|(_, outcome)| *outcome == "failed").unwrap_or(turns.len());
        for (place, (turn, outcome)) in turns.iter().enumerate() {
            assert_eq!(*turn as usize, place, "{item}: every turn once, in order: {turns:?}");
            let expected = match place.cmp(&failed) {
                std::cmp::Ordering::Less => "completed",
                std::cmp::Ordering::Equal => "failed",
                std::cmp::Ordering::Greater => "shed",
            };
            assert_eq!(*outcome, expected, "{item}: {turns:?}");
            after_a_failure += usize::from(expected == "shed");
        }
    }
    assert!(after_a_failure > 0, "no dialogue failed before its last turn");
}

#[test]
fn a_server_that_says_keep_alive_and_closes_loses_nothing() {
    let bench = Bench::new();
    let server = bench.simulator("llamacpp", &[]);
    let engine = format!("llamacpp={}", server.url);
    bench.ok(&[
        "run",
        "--engine",
        &engine,
        "--concurrency",
        "2",
        "--requests",
        "12",
        "--max-tokens",
        "4",
        "--no-plots",
        "--out",
        "r",
    ]);
    let rows = bench.measured("r");
    assert_eq!(rows.len(), 12);
    assert!(
        rows.iter().all(|r| r["outcome"] == "completed"),
        "a retry on a fresh connection saves the request"
    );
    assert!(rows.iter().all(|r| r["attempts"] == "1" || r["attempts"] == "2"));
}

#[test]
fn a_server_that_wants_a_key_gets_it_from_the_variable_and_nowhere_else() {
    let bench = Bench::new();
    let secret = "tok-3b1f-very-secret";
    let server = {
        use std::io::BufRead;
        let mut child = bench
            .command(&["simulate", "--child", "--dialect", "vllm", "--port", "0", "--api-key-env", "SIM_KEY"])
            .env("SIM_KEY", secret)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("the simulator starts");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        std::io::BufReader::new(stdout).read_line(&mut url).expect("an address");
        (child, url.trim().to_owned())
    };
    let (mut child, url) = server;
    let engine = format!("vllm={url}");
    let args = |out: &'static str| {
        [
            "run",
            "--engine",
            &engine,
            "--concurrency",
            "1",
            "--requests",
            "2",
            "--max-tokens",
            "4",
            "--no-plots",
            "-v",
            "--header",
            "X-Team: hidden-team-value",
            "--out",
            out,
        ]
        .map(str::to_owned)
    };
    let without = bench.command(&args("a").each_ref().map(String::as_str)).output().expect("runs");
    let refused = String::from_utf8_lossy(&without.stderr);
    let code = without.status.code();
    assert!(code == Some(6) || code == Some(7), "the server refuses requests without a key\n{refused}");
    if code == Some(7) {
        assert!(bench.measured("a").iter().all(|r| r["failure"] == "http_401"));
    } else {
        assert!(refused.contains("401"), "{refused}");
    }
    let with = bench
        .command(&args("b").each_ref().map(String::as_str))
        .env("VLLM_API_KEY", secret)
        .output()
        .expect("runs");
    assert_eq!(with.status.code(), Some(0), "{}", String::from_utf8_lossy(&with.stderr));
    for entry in std::fs::read_dir(bench.path("b")).expect("a result") {
        let path = entry.expect("an entry").path();
        if let Ok(text) = std::fs::read_to_string(&path) {
            assert!(
                !text.contains(secret) && !text.contains("hidden-team-value"),
                "{} holds a secret",
                path.display()
            );
        }
    }
    let printed =
        format!("{}{}", String::from_utf8_lossy(&with.stdout), String::from_utf8_lossy(&with.stderr));
    assert!(!printed.contains(secret) && !printed.contains("hidden-team-value"));
    drop(child.kill());
    drop(child.wait());
}
