//! What a plan becomes: who wins, what is stored.

use clap::Parser;

use super::*;
use crate::args::{Cli, Command};

const FILE: &str = r#"
requests = 10
prompts = ["Hello?"]
[[engine]]
plugin = "vllm"
api = "chat"
label = "a"
headers = { X-Team = "(given on the command line, not stored)" }
[[workload]]
plugin = "synthetic"
requests = 5
concurrency = [4]
[[workload]]
plugin = "mixed"
rate = [2.5]
"#;

fn args(words: &[&str]) -> Box<RunArgs> {
    let cli = Cli::try_parse_from(["benchhost", "run"].iter().chain(words)).expect("a command line");
    match cli.command {
        Command::Run(args) => args,
        other => panic!("{other:?}"),
    }
}

fn plan(file: &str, words: &[&str]) -> CliResult<Plan> {
    let file = draft::Draft::parse(file).expect("a plan");
    resolve::resolve(flags::draft(&args(words))?, Some(file))
}

fn sound(words: &[&str]) -> Plan {
    let header = ["--header", "x-team: blue"];
    plan(FILE, &[words, &header].concat())
        .unwrap_or_else(|e| panic!("{words:?}: {e} {:?}", e.details().collect::<Vec<_>>()))
}

#[test]
fn a_flag_replaces_a_header_value_that_was_not_stored() {
    let engine = &sound(&[]).engines[0];
    assert_eq!(engine.headers, [("x-team".to_owned(), HeaderValue::Literal("blue".into()))]);
    assert_eq!(engine.origins.of("headers.x-team"), Origin::Flag);
    let error = plan(FILE, &[]).unwrap_err();
    assert!(error.to_string().contains("was not stored"), "{error}");
}

#[test]
fn of_two_header_flags_the_last_wins_in_whatever_letters() {
    let plan = plan("", &["--engine", "vllm", "--header", "x-a: 1", "--header", "X-A: 2"]).unwrap();
    assert_eq!(plan.engines[0].headers, [("X-A".to_owned(), HeaderValue::Literal("2".into()))]);
}

#[test]
fn a_ladder_or_an_amount_of_the_flags_hides_those_of_workload_tables() {
    let loads = |plan: &Plan| -> Vec<Vec<String>> {
        plan.workloads.iter().map(|w| plan.ladder_of(w).iter().map(ToString::to_string).collect()).collect()
    };
    let own = sound(&[]);
    assert_eq!(loads(&own)[1..], [["concurrency=4"], ["rate=2.5"]]);
    assert_eq!(own.requests_at(&own.workloads[1], LoadPoint::Concurrency(4)), Some(5));

    let laddered = sound(&["--concurrency", "7"]);
    assert_eq!(loads(&laddered), [["concurrency=7"], ["concurrency=7"], ["concurrency=7"]]);
    assert_eq!(laddered.requests_at(&laddered.workloads[1], LoadPoint::Concurrency(7)), Some(5));
    assert_eq!(loads(&sound(&["--rate", "3"])), [["rate=3"], ["rate=3"], ["rate=3"]]);

    let counted = sound(&["--requests", "3"]);
    assert_eq!(counted.requests_at(&counted.workloads[1], LoadPoint::Concurrency(4)), Some(3));
    assert_eq!(loads(&counted)[1], ["concurrency=4"]);
    let timed = sound(&["--duration", "3s"]);
    assert_eq!(timed.requests_at(&timed.workloads[1], LoadPoint::Concurrency(4)), None);
}

#[test]
fn flags_win_over_the_keys_of_an_engine_table() {
    let plan = sound(&["--api", "completions", "--label", "b", "--model", "m", "--url", "http://h:1"]);
    let engine = &plan.engines[0];
    assert_eq!((engine.route, engine.label.as_str()), (Some(Route::Completions), "b"));
    for key in ["api", "label", "model", "url"] {
        assert_eq!(engine.origins.of(key), Origin::Flag, "{key}");
    }
    assert_eq!(engine.origins.of("plugin"), Origin::File);
}

#[test]
fn every_value_knows_its_own_layer() {
    let flags = ["--engine", "vllm", "--profile", "load-2048x1024", "--engine-option", "a=1"];
    let plan = plan("", &flags).unwrap();
    let origins = &plan.engines[0].origins;
    assert_eq!((origins.of("api"), origins.of("plugin")), (Origin::Profile, Origin::Flag));
    assert_eq!((origins.of("options.a"), origins.of("model")), (Origin::Flag, Origin::Default));
    assert_eq!(plan.workloads[0].origins.of("options.input-tokens"), Origin::Profile);
}

#[test]
fn sources_of_items_hide_those_of_lower_layers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.txt");
    std::fs::write(&path, "One?\nTwo?\n").unwrap();
    let own = path.to_str().unwrap();
    let names = |plan: &Plan| -> Vec<String> {
        let name = |w: &WorkloadChoice| match &w.source {
            ItemSource::Plugin(name) => name.clone(),
            ItemSource::Prompts(list) => list.join(" "),
        };
        plan.workloads.iter().map(name).collect()
    };
    assert_eq!(names(&sound(&[])), ["Hello?", "synthetic", "mixed"]);
    assert_eq!(names(&sound(&["--prompts", own])), ["One? Two?"]);
    assert_eq!(names(&sound(&["--workload", "mixed"])), ["mixed"]);
    assert_eq!(names(&sound(&["--workload", "mixed", "--prompts", own])), ["One? Two?", "mixed"]);
}

#[test]
fn options_and_data_need_a_workload() {
    let own = "prompts = [\"Hello?\"]\n[[engine]]\nplugin = \"vllm\"\n";
    for words in [["--workload-option", "a=1"], ["--data", "a=b"]] {
        let error = plan(own, &words).unwrap_err();
        assert!(error.to_string().contains("reaches nothing"), "{error}");
        assert!(plan(own, &[&words[..], &["--workload", "mixed"]].concat()).is_ok());
    }
}

#[test]
fn the_stored_plan_has_absolute_paths_and_resolves_to_itself() {
    // The current folder of a unit test is that of its crate.
    let here = std::env::current_dir().unwrap().canonicalize().unwrap();
    let folder = tempfile::tempdir_in(&here).unwrap();
    let near = folder.path().file_name().unwrap().to_str().unwrap().to_owned();
    for name in ["my.wasm", "work.wasm", "data.csv", "tokenizer.json"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let relative = |name: &str| format!("{near}/{name}");
    let (engine, workload, tokenizer) =
        (relative("my.wasm"), relative("work.wasm"), relative("tokenizer.json"));
    let data = format!("d={}", relative("data.csv"));
    let words = [
        "--engine",
        &engine,
        "--workload",
        &workload,
        "--tokenizer",
        &tokenizer,
        "--data",
        &data,
        "--data",
        "gone=no/such.csv",
        "--ca-file",
        "no.pem",
        "--timeout",
        "1.5ms",
        "--header",
        "X-Key: env:KEY",
    ];
    let stored = plan("", &words).unwrap().as_file;
    for path in [&engine, &workload, &tokenizer, &relative("data.csv"), "no/such.csv", "no.pem"] {
        let whole = here.join(path);
        assert!(stored.contains(&format!("\"{}\"", whole.display())), "{path}:\n{stored}");
    }
    assert_eq!(plan(&stored, &[]).unwrap().as_file, stored);
    assert!(stored.contains("timeout = \"1.5ms\""), "{stored}");
}

#[test]
fn an_embedded_name_is_stored_as_it_is() {
    let stored = plan("", &["--engine", "vllm", "--engine", "plugins/friendli.wasm"]).unwrap().as_file;
    assert!(
        stored.contains("plugin = \"vllm\"") && stored.contains("plugin = \"plugins/friendli.wasm\""),
        "{stored}"
    );
}

#[test]
fn a_component_beside_the_plan_goes_before_one_in_the_current_folder() {
    let folder = tempfile::tempdir().unwrap();
    // `src/lib.rs` exists below the current folder of the test, too; only its name matters here.
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("src/lib.rs"), "").unwrap();
    let file = folder.path().join("plan.toml");
    std::fs::write(&file, "[[engine]]\nplugin = \"src/lib.rs\"\n").unwrap();
    let plan = Plan::from_args(&args(&[file.to_str().unwrap()])).unwrap();
    assert_eq!(plan.engines[0].plugin, folder.path().join("src/lib.rs").display().to_string());
}

#[test]
fn a_search_takes_no_count_of_requests() {
    let engine = "[[engine]]\nplugin = \"vllm\"\n";
    let error = plan(engine, &["--search", "ttft_p90=1s", "--requests", "30"]).expect_err("both");
    assert!(error.to_string().contains("`search` and `requests` exclude each other"), "{error}");
    assert!(plan(engine, &["--search", "ttft_p90=1s", "--max-duration", "5s"]).is_ok());
}
