//! `benchhost report`: what it writes of one run and of two, that it recomputes what `run` wrote, and what it says of files
//! that are no run.

mod support;

#[path = "support/line.rs"]
mod line;

use std::path::Path;

use support::Bench;

/// A small run of `engine` into `out`, with pictures.
fn measure(bench: &Bench, engine: &str, out: &str, more: &str) {
    bench.done(&format!(
        "run --engine {engine} --simulate --simulator ttft=4ms --simulator itl=1ms --concurrency 1,4 --requests 12 \
         --max-tokens 6 --gauges off --out {out} {more}"
    ));
}

fn text(bench: &Bench, path: &str) -> String {
    std::fs::read_to_string(bench.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The names in a folder with this ending, without it, sorted.
fn names(folder: &Path, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let of = |p: &Path| {
        p.extension()
            .is_some_and(|e| e == ending)
            .then(|| p.file_stem().unwrap().to_string_lossy().into_owned())
    };
    let mut names: Vec<String> = entries.filter_map(|e| of(&e.unwrap().path())).collect();
    names.sort();
    names
}

#[test]
fn everything_that_run_wrote_is_recomputed_byte_for_byte() {
    let bench = Bench::new();
    measure(&bench, "vllm", "r", "--repeats 2 --slo ttft=50ms --gpu-price 2");
    let files = ["summary.csv", "summary.json", "findings.json", "report.html"];
    let before: Vec<String> = files.iter().map(|f| text(&bench, &format!("r/{f}"))).collect();
    let figures = |ending| -> Vec<(String, Vec<u8>)> {
        let folder = bench.path("r/plots");
        let read = |n: &String| std::fs::read(folder.join(format!("{n}.{ending}"))).unwrap();
        names(&folder, ending).into_iter().map(|n| (n.clone(), read(&n))).collect()
    };
    let (svg, png) = (figures("svg"), figures("png"));
    for file in files {
        std::fs::remove_file(bench.path(&format!("r/{file}"))).unwrap();
    }
    std::fs::remove_dir_all(bench.path("r/plots")).unwrap();
    bench.done("report r");
    for (file, before) in files.iter().zip(before) {
        assert!(before == text(&bench, &format!("r/{file}")), "{file} differs");
    }
    assert!(svg == figures("svg") && png == figures("png"), "the pictures differ");
}

#[test]
fn each_kind_of_picture_is_there_as_svg_and_png_and_the_missing_ones_have_a_reason() {
    let bench = Bench::new();
    measure(&bench, "vllm", "r", "--gpu-price 2");
    let said = bench.done("report r -v");
    let drawn = names(&bench.path("r/plots"), "svg");
    for kind in ["sweep", "bars", "cdf", "tradeoff", "cost", "requests"] {
        assert!(drawn.iter().any(|n| n.starts_with(kind)), "{kind}: {drawn:?}");
    }
    assert_eq!(drawn, names(&bench.path("r/plots"), "png"));
    for name in &drawn {
        let svg = text(&bench, &format!("r/plots/{name}.svg"));
        assert!(svg.contains("SIMULATED") && svg.contains("Source: benchhost "), "{name}");
    }
    assert_eq!(said.err.matches("not drawn: heat map").count(), 1, "{}", said.err);
    assert!(said.err.contains("not drawn: what servers held over time"), "{}", said.err);
    assert!(!bench.done("report r").err.contains("not drawn"), "only with -v");
}

#[test]
fn two_runs_are_laid_over_each_other_and_stay_as_they_are() {
    let bench = Bench::new();
    measure(&bench, "vllm", "a", "--no-plots");
    measure(&bench, "friendli", "b", "--no-plots");
    let before = (text(&bench, "a/summary.csv"), text(&bench, "b/report.html"));
    let said = bench.done("report a b --out both/page.html");
    assert!(said.out.contains("vllm") && said.out.contains("friendli"), "{}", said.out);
    assert_eq!(before, (text(&bench, "a/summary.csv"), text(&bench, "b/report.html")));
    assert!(!bench.path("a/plots/sweep-empathetic.svg").exists() && !bench.path("report.html").exists());
    let page = text(&bench, "both/page.html");
    assert!(page.contains("vllm") && page.contains("friendli") && page.contains("</html>"));
    let sweep = text(&bench, "both/plots/sweep-empathetic.svg");
    assert!(sweep.contains(">\nvllm\n<") && sweep.contains(">\nfriendli\n<"), "one line a run");
    let ids = ["a", "b"].map(|run| bench.rows(run)[0]["run_id"].clone());
    assert!(ids.iter().all(|id| sweep.contains(id)), "both are named as sources");
    bench.done("report a b");
    assert!(bench.path("report.html").exists() && bench.path("plots/cdf-empathetic.png").exists());
}

#[test]
fn out_moves_the_page_of_one_run_and_nothing_else() {
    let bench = Bench::new();
    measure(&bench, "vllm", "r", "--no-plots");
    std::fs::remove_file(bench.path("r/report.html")).unwrap();
    bench.done("report r --no-plots --out elsewhere.html");
    assert!(text(&bench, "elsewhere.html").contains("</html>") && !bench.path("r/report.html").exists());
    assert!(text(&bench, "r/findings.json").contains("schema_version"));
    assert!(
        names(&bench.path("r"), "svg").is_empty() && !bench.path("r/plots/sweep-empathetic.svg").exists()
    );
}

#[test]
fn colours_and_units_are_as_wished_for_run_and_report_alike() {
    let bench = Bench::new();
    measure(&bench, "vllm", "r", "--color vllm=#123456 --throughput req");
    let svg = || text(&bench, "r/plots/sweep-empathetic.svg");
    assert!(svg().contains("#123456") && svg().contains("Request throughput (requests/s)"));
    assert!(text(&bench, "r/report.html").contains("#123456"));
    bench.done("report r --color vllm=#654321 --throughput tok");
    assert!(svg().contains("#654321") && !svg().contains("#123456"));
    assert!(svg().contains("Output throughput (tokens/s)"));
    let plan = text(&bench, "r/plan.toml");
    assert!(
        !plan.contains("color") && !plan.contains("throughput"),
        "how it is drawn is no part of the plan"
    );
}

#[test]
fn a_colour_that_is_none_is_refused_before_anything_is_measured() {
    let bench = Bench::new();
    measure(&bench, "vllm", "r", "--no-plots");
    for wrong in ["vllm", "vllm=red", "vllm=#12345", "=#123456"] {
        for command in [
            format!("report r --color {wrong}"),
            format!("run --engine vllm --simulate --out n --color {wrong}"),
        ] {
            let said = bench.line(&command);
            assert_eq!(said.code, 2, "{command}: {}", said.err);
            assert!(said.err.contains("six hexadecimal digits"), "{command}: {}", said.err);
        }
    }
    assert!(!bench.path("n").exists());
    let said = bench.done("report r --no-plots --color sglang=#123456");
    assert!(said.err.contains("no such engine here; there is vllm"), "{}", said.err);
    assert_eq!(bench.line("report r --throughput bits").code, 2);
}

#[test]
fn what_is_no_run_is_2_and_says_what_to_do() {
    let bench = Bench::new();
    measure(&bench, "vllm", "r", "--no-plots");
    std::fs::create_dir(bench.path("empty")).unwrap();
    bench.write("file.txt", "not a run");
    for (command, expected) in [
        ("report nowhere", "manifest.json"),
        ("report empty", "manifest.json"),
        ("report file.txt", "manifest.json"),
        ("report r empty", "empty"),
        ("report", "RUN"),
    ] {
        let said = bench.line(command);
        assert_eq!(said.code, 2, "{command}: {}", said.err);
        assert!(said.err.contains(expected), "{command}: {}", said.err);
        assert!(!said.err.contains("panicked"), "{command}: {}", said.err);
    }
    assert!(!bench.path("report.html").exists(), "nothing is written of half of the runs");
    bench.write("r/manifest.json", "{\"schema_version\": 2");
    let said = bench.line("report r");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("manifest.json"), "{}", said.err);
}

#[test]
fn a_torn_last_row_is_left_out_and_said_and_a_broken_middle_is_refused() {
    let bench = Bench::new();
    measure(&bench, "vllm", "r", "--no-plots");
    let whole = text(&bench, "r/requests.csv");
    let counted = |csv: &str| -> u64 {
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let at = reader.headers().unwrap().iter().position(|h| h == "completed").unwrap();
        reader.records().map(|row| row.unwrap()[at].parse::<u64>().unwrap()).sum()
    };
    let all = counted(&text(&bench, "r/summary.csv"));
    bench.write("r/requests.csv", &whole[..whole.len() - 20]);
    let said = bench.done("report r --no-plots");
    assert!(said.err.contains("torn"), "{}", said.err);
    assert!(counted(&text(&bench, "r/summary.csv")) <= all);
    let lines: Vec<&str> = whole.lines().collect();
    let broken: Vec<String> = lines
        .iter()
        .enumerate()
        .map(
            |(i, line)| {
                if i == 3 { line.replace("completed", "com\u{1b}pleted") } else { (*line).to_owned() }
            },
        )
        .collect();
    bench.write("r/requests.csv", &(broken.join("\n") + "\n"));
    let said = bench.line("report r --no-plots");
    assert_eq!(said.code, 2, "{}\n{}", said.out, said.err);
    assert!(said.err.contains("requests.csv") && !said.err.contains('\u{1b}'), "{:?}", said.err);
    bench.write("r/requests.csv", "");
    assert_eq!(bench.line("report r --no-plots").code, 2);
}
