//! What really goes to the server, and what the program makes of answers no sane server gives.

mod support;

#[path = "support/line.rs"]
mod line;
#[path = "support/scripted.rs"]
mod scripted;

use std::collections::BTreeMap;

use line::{number, words};
use scripted::{Reply, Scripted, Seen, chat, delta, end, stream};
use support::Bench;

/// One prompt and a server that answers `script`, four requests one after the other.
fn four(script: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> (Bench, Scripted, support::Said) {
    let bench = Bench::new();
    bench.write("prompts.txt", "Name a river.\n");
    let server = Scripted::openai(script);
    let said = bench.line(&format!(
        "run --engine openai={} --prompts prompts.txt --concurrency 1 --requests 4 --warmup 0 \
         --max-tokens 7 --no-plots --out r",
        server.url()
    ));
    (bench, server, said)
}

fn ordinary() -> Scripted {
    Scripted::openai(|_, _| Reply::Answer(chat("The Rhine.")))
}

/// Runs two requests against `server` with further words on the line.
fn two(bench: &Bench, server: &Scripted, further: &[&str], variables: &[(&str, &str)]) -> support::Said {
    let line = format!(
        "run --engine openai={} --prompts prompts.txt --concurrency 1 --requests 2 --warmup 0 --no-plots",
        server.url()
    );
    bench.write("prompts.txt", "Name a river.\n");
    let mut command = bench.command(&words(&line));
    command.args(further).envs(variables.iter().copied());
    support::Said::from(command.output().expect("the program starts"))
}

#[test]
fn sampling_is_sent_as_asked_and_the_defaults_are_said_too() {
    let bench = Bench::new();
    let server = ordinary();
    let said =
        two(&bench, &server, &words("--top-p 0.25 --temperature 0.7 --seed 77 --max-tokens 9 --out a"), &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    let asked = server.posts();
    assert_eq!(asked.len(), 2);
    for seen in &asked {
        let body = seen.json();
        assert_eq!(seen.path, "/v1/chat/completions");
        assert_eq!((body["top_p"].as_f64(), body["temperature"].as_f64()), (Some(0.25), Some(0.7)), "{body}");
        assert_eq!((body["seed"].as_u64(), body["max_tokens"].as_u64()), (Some(77), Some(9)), "{body}");
        assert_eq!(body["stream"], true, "{body}");
        assert_eq!(body["messages"][0]["content"], "Name a river.", "{body}");
    }
    let plain = ordinary();
    assert_eq!(two(&bench, &plain, &["--out", "b"], &[]).code, 0);
    let body = plain.posts()[0].json();
    // A server has defaults of its own, so greedy and the whole distribution are asked for in words.
    assert_eq!((body["top_p"].as_f64(), body["temperature"].as_f64()), (Some(1.0), Some(0.0)), "{body}");
    assert_eq!((body["max_tokens"].as_u64(), body["seed"].as_u64()), (Some(128), Some(42)), "{body}");
}

#[test]
fn the_model_is_the_servers_first_unless_one_is_named() {
    let bench = Bench::new();
    for (further, model) in [("--out a", "one"), ("--model two --out b", "two")] {
        let server = ordinary();
        assert_eq!(two(&bench, &server, &words(further), &[]).code, 0);
        assert_eq!(server.posts()[0].json()["model"], model);
        let rows = bench.measured(if model == "one" { "a" } else { "b" });
        assert!(rows.iter().all(|r| r["model"] == model), "{rows:?}");
    }
}

#[test]
fn headers_come_from_the_line_or_from_a_variable() {
    let bench = Bench::new();
    let server = ordinary();
    let further = ["--header", "X-Team: env:BENCH_TEAM", "--header", "X-Plain: as it is", "--out", "a"];
    let said = two(&bench, &server, &further, &[("BENCH_TEAM", "blue whales")]);
    assert_eq!(said.code, 0, "{}", said.err);
    for seen in server.seen() {
        assert_eq!(seen.headers.get("x-team").map(String::as_str), Some("blue whales"), "{}", seen.path);
        assert_eq!(seen.headers.get("x-plain").map(String::as_str), Some("as it is"), "{}", seen.path);
        assert_eq!(seen.headers.get("authorization"), None, "{}", seen.path);
    }
    let plan = std::fs::read_to_string(bench.path("a/plan.toml")).expect("the plan");
    assert!(plan.contains("env:BENCH_TEAM") && !plan.contains("blue whales"), "{plan}");
    let further = ["--header", "X-Team: env:BENCH_TEAM", "--out", "b"];
    let without = two(&bench, &server, &further, &[]);
    assert_eq!(without.code, 2, "{}", without.err);
    assert!(without.err.contains("BENCH_TEAM"), "{}", without.err);
    assert!(!bench.path("b").exists());
}

#[test]
fn a_header_that_was_not_stored_is_asked_for_again() {
    let bench = Bench::new();
    let server = ordinary();
    assert_eq!(two(&bench, &server, &["--header", "X-Team: blue whales", "--out", "a"], &[]).code, 0);
    let plan = std::fs::read_to_string(bench.path("a/plan.toml")).expect("the plan");
    assert!(plan.to_lowercase().contains("x-team") && !plan.contains("blue whales"), "{plan}");
    let without = bench.line("run a/plan.toml --no-plots --out b");
    assert_eq!(without.code, 2, "{}", without.err);
    assert!(
        without.err.to_lowercase().contains("x-team") && without.err.contains("--header"),
        "{}",
        without.err
    );
    let before = server.seen().len();
    let args = ["run", "a/plan.toml", "--no-plots", "--out", "c", "--header", "X-Team: grey whales"];
    bench.ok(&args);
    for seen in &server.seen()[before..] {
        assert_eq!(seen.headers.get("x-team").map(String::as_str), Some("grey whales"), "{}", seen.path);
    }
}

#[test]
fn the_key_comes_from_the_variable_that_is_named() {
    let bench = Bench::new();
    let server = ordinary();
    let keys = [("OPENAI_API_KEY", "not-this-one"), ("BENCH_KEY", "sk-bench")];
    let said = two(&bench, &server, &words("--api-key-env BENCH_KEY --out a"), &keys);
    assert_eq!(said.code, 0, "{}", said.err);
    for seen in server.seen() {
        assert_eq!(seen.headers.get("authorization").map(String::as_str), Some("Bearer sk-bench"));
    }
    let without = two(&bench, &server, &words("--api-key-env BENCH_KEY --out b"), &keys[..1]);
    assert_eq!(without.code, 2, "{}", without.err);
    assert!(without.err.contains("BENCH_KEY"), "{}", without.err);
    assert!(!bench.path("b").exists());
}

#[test]
fn a_reused_connection_that_dies_unanswered_costs_a_second_attempt() {
    // Closes instead of answering the second request of its first connection.
    let hung_up = std::sync::atomic::AtomicBool::new(false);
    let (bench, _server, said) = four(move |_, seen| {
        if seen.on_connection == 1 && !hung_up.swap(true, std::sync::atomic::Ordering::SeqCst) {
            Reply::HangUp
        } else {
            Reply::Answer(chat("The Rhine."))
        }
    });
    assert_eq!(said.code, 0, "{}", said.err);
    let rows = bench.measured("r");
    assert!(rows.iter().all(|r| r["outcome"] == "completed"), "{rows:?}");
    let mut attempts: Vec<_> = rows.iter().map(|r| number(r, "attempts")).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 1, 1, 2], "one row, both attempts in it");
    for row in &rows {
        assert!(number(row, "t_send_ns") <= number(row, "t_first_ns"), "{row:?}");
    }
}

#[test]
fn a_server_that_stops_listening_is_a_connect_failure() {
    let (bench, server, said) = four(|_, _| Reply::Last(chat("The Rhine.")));
    assert_eq!(said.code, 0, "one request completed\n{}", said.err);
    let rows = bench.measured("r");
    let ends: Vec<_> = rows.iter().map(|r| (r["outcome"].as_str(), r["failure"].as_str())).collect();
    assert_eq!(
        ends,
        [("completed", ""), ("failed", "connect"), ("failed", "connect"), ("failed", "connect")]
    );
    for row in &rows[1..] {
        assert!(!row["failure_detail"].is_empty(), "{row:?}");
        assert!(row["t_send_ns"].is_empty() && row["ttft_ms"].is_empty(), "nothing was sent: {row:?}");
    }
    assert_eq!(server.posts().len(), 1);
    bench.done("report r --no-plots");
}

/// Four requests of which the second gets `odd`; the others must not suffer. Returns its row and what was printed.
fn odd_one(odd: Vec<u8>) -> (BTreeMap<String, String>, String) {
    let answer = move |n| if n == 1 { Reply::Close(odd.clone()) } else { Reply::Answer(chat("The Rhine.")) };
    let (bench, _server, said) = four(move |n, _| answer(n));
    let mut printed = said.out + &said.err;
    assert_eq!(said.code, 0, "{printed}");
    let rows = bench.measured("r");
    assert_eq!(rows.len(), 4);
    for row in [&rows[0], &rows[2], &rows[3]] {
        assert_eq!(row["outcome"], "completed", "{row:?}");
    }
    for format in ["table", "json", "csv", "markdown"] {
        let said = bench.done(&format!("report r --no-plots --format {format}"));
        printed += &(said.out + &said.err);
    }
    assert!(!printed.contains("panicked"), "{printed}");
    (rows[1].clone(), printed)
}

fn events(contents: &[&str]) -> Vec<u8> {
    let mut all: Vec<String> = contents.iter().map(|c| delta(c)).collect();
    all.extend(end(5, 2));
    stream(&all)
}

#[test]
fn a_lone_surrogate_is_text_or_a_failure_and_no_end_of_the_run() {
    let (row, _) = odd_one(events(&[r#""a\ud800b""#, r#""\udc00""#]));
    assert!(matches!(row["outcome"].as_str(), "completed" | "failed"), "{row:?}");
    assert!(row["outcome"] == "completed" || row["failure"] == "decode", "{row:?}");
}

#[test]
fn a_zero_character_is_a_character() {
    let (row, _) = odd_one(events(&[r#""a\u0000b""#, r#""c""#]));
    assert_eq!(row["outcome"], "completed", "{row:?}");
}

#[test]
fn a_zero_byte_in_a_stream_is_survived() {
    let (row, _) = odd_one(events(&["\"a\0b\"", "\"\u{feff}\""]));
    assert!(matches!(row["outcome"].as_str(), "completed" | "failed"), "{row:?}");
}

#[test]
fn one_event_of_a_megabyte_is_an_answer() {
    let (row, _) = odd_one(events(&[&format!("\"{}\"", "word ".repeat(200_000))]));
    assert_eq!(row["outcome"], "completed", "{row:?}");
    assert_eq!(row["events"], "1");
}

#[test]
fn a_server_that_claims_a_billion_tokens_does_not_end_the_program() {
    let claim = 1_500_000_000;
    let mut all = vec![delta("\"The\""), delta("\" Rhine\"")];
    all.extend(end(claim, claim));
    let (row, _) = odd_one(stream(&all));
    assert!(matches!(row["outcome"].as_str(), "completed" | "failed"), "{row:?}");
    let beyond = claim * 1_000_000_000;
    let mut all = vec![delta("\"The\"")];
    all.extend(end(beyond, beyond));
    odd_one(stream(&all));
}

#[test]
fn counts_that_are_no_counts_are_survived() {
    for usage in [
        r#"{"prompt_tokens":-1,"completion_tokens":-5}"#,
        r#"{"prompt_tokens":"many","completion_tokens":null}"#,
        r#"{"prompt_tokens":1e300,"completion_tokens":1.5}"#,
        "[]",
    ] {
        let last = format!(r#"{{"choices":[],"usage":{usage}}}"#);
        let [finish, _, done] = end(1, 1);
        let (row, _) = odd_one(stream(&[delta("\"The Rhine.\""), finish, last, done]));
        assert!(matches!(row["outcome"].as_str(), "completed" | "failed"), "{usage}: {row:?}");
    }
}

#[test]
fn what_is_no_http_answer_is_a_failure_with_a_name() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
    let text = delta("\"The Rhine.\"");
    let many = "x-filler: 0123456789\r\n".repeat(20_000);
    for (what, bytes) in [
        ("no status line", "banana\r\n\r\n".to_owned()),
        ("an unknown version", "HTTP/9.9 200 OK\r\n\r\n".to_owned()),
        ("half a head", head.to_owned()),
        ("a length that is none", format!("{head}content-length: many\r\n\r\ndata: {text}\n\n")),
        ("a length that is not kept", format!("{head}content-length: 100000\r\n\r\ndata: {text}\n\n")),
        (
            "a chunk that is none",
            format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\ndata: {text}\n\n\r\n"),
        ),
        ("a head without end", format!("{head}{many}\r\ndata: {text}\n\n")),
    ] {
        let (row, printed) = odd_one(bytes.into_bytes());
        assert_eq!(row["outcome"], "failed", "{what}: {row:?}");
        assert!(matches!(row["failure"].as_str(), "protocol" | "closed" | "truncated"), "{what}: {row:?}");
        assert!(
            !row["failure_detail"].is_empty() && printed.contains(&row["failure"]),
            "{what}: {row:?}\n{printed}"
        );
    }
}

#[test]
fn a_servers_words_cannot_steer_the_terminal() {
    let words = "\u{1b}]0;mine\u{7}\u{1b}[2Jgone\r\nsecond,\"line\"\0";
    let answer = format!("HTTP/1.1 500 Oh\r\ncontent-length: {}\r\n\r\n{words}", words.len());
    let (row, printed) = odd_one(answer.into_bytes());
    assert_eq!(row["failure"], "http_500");
    assert!(row["failure_detail"].contains("gone"), "the message is kept: {row:?}");
    assert!(printed.contains("http_500"), "{printed}");
    assert!(!printed.contains(['\u{1b}', '\u{7}', '\0']), "{printed:?}");
}

#[test]
fn a_models_name_can_hold_anything() {
    let bench = Bench::new();
    let name = "a,b;\"c\"\n\u{1b}[31m/../d|é";
    let list = serde_json::json!({"object": "list", "data": [{"id": name}]}).to_string();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = Scripted::start(listener, move |seen| match seen.method.as_str() {
        "POST" => Reply::Answer(chat("The Rhine.")),
        _ => Reply::Answer(scripted::json(&list)),
    });
    let said = two(&bench, &server, &["--out", "r"], &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(server.posts()[0].json()["model"], name);
    let rows = bench.measured("r");
    // A cell stays on one line.
    let one_line = name.replace('\n', " ");
    assert!(rows.len() == 2 && rows.iter().all(|r| r["model"] == one_line), "{rows:?}");
    for format in ["table", "json", "csv", "markdown"] {
        let report = bench.done(&format!("report r --format {format}"));
        assert!(format == "csv" || !report.out.contains('\u{1b}'), "{format}: {:?}", report.out);
    }
    assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "{said:?}");
}
