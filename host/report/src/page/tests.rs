//! The page is whole, closed to the network, and nothing that a server or a plan said becomes markup.

use benchhost_model::{LoadPoint, SummaryRow, Verdict};

use super::{Lanes, Latencies, Page, RunNote, page};
use crate::fixtures::{around, row, simulated};
use crate::pictures::{Caption, Curve, Span, Timeline, pictures};
use crate::series::{Lane, LatencyKind, Place};

const HOSTILE: &str = "</script><img src=http://evil.example/x onerror=alert(1)>\u{2028}\"'&";

fn rows() -> Vec<SummaryRow> {
    let mut all = Vec::new();
    for engine in ["vllm", "sglang"] {
        for load in [1, 2, 4, 8, 16, 32] {
            for repeat in 1..=2_u32 {
                let mut r = row(engine, "fp16", load);
                r.repeat = repeat;
                r.ttft = around(100, 20.0 + f64::from(load + repeat));
                r.tps_user_p50 = r.decode_tok_s_p50;
                r.scores.insert("f1".into(), 0.5);
                all.push(r);
            }
        }
    }
    all
}

fn place(row: &SummaryRow) -> Place {
    Place {
        engine: row.engine.clone(),
        variant: row.variant.clone(),
        model: row.model.clone(),
        simulated: false,
        workload: row.workload.clone(),
        load: row.load,
    }
}

fn details(rows: &[SummaryRow]) -> (Vec<Latencies>, Vec<Lanes>) {
    let values = |n: u32| (1..=n).map(f64::from).collect::<Vec<_>>();
    let lane = |i: u32| Lane {
        due_s: f64::from(i) / 10.0,
        sent_s: Some(f64::from(i) / 10.0),
        first_s: Some(f64::from(i) / 10.0 + 0.1),
        last_s: Some(f64::from(i) / 10.0 + 1.0),
        wrong: String::new(),
    };
    let firsts: Vec<&SummaryRow> = rows.iter().filter(|r| r.repeat == 1).collect();
    let latencies = firsts.iter().flat_map(|r| {
        [LatencyKind::Ttft, LatencyKind::Tpot, LatencyKind::E2e]
            .map(|k| Latencies::new(place(r), k, values(5000)))
    });
    let lanes = firsts.iter().map(|r| Lanes { place: place(r), lanes: (0..60).map(lane).collect() });
    (latencies.collect(), lanes.collect())
}

/// The JSON block.
fn data(html: &str) -> serde_json::Value {
    let start = html.find("id=\"data\">").unwrap() + "id=\"data\">".len();
    let end = start + html[start..].find("</script>").unwrap();
    serde_json::from_str(&html[start..end]).unwrap()
}

#[test]
fn a_usual_run_is_small_and_has_every_series_in_charts_and_table() {
    let rows = rows();
    let (latencies, lanes) = details(&rows);
    let drawn = pictures(&rows, &Caption::default());
    let points = (0..20_000).map(|i| (f64::from(i) / 100.0, f64::from(i % 97) / 97.0)).collect();
    let timeline = Timeline {
        kv_cache: vec![Curve { label: "vllm · fp16".into(), points }],
        spans: vec![Span { load: LoadPoint::Concurrency(1), from_s: 1.0, until_s: 20.0 }],
        ..Timeline::default()
    };
    let html = page(&Page {
        rows: &rows,
        latencies,
        lanes,
        timelines: vec![("r".into(), timeline)],
        objectives: vec![("ttft".into(), 50.0)],
        pictures: &drawn,
        ..Page::default()
    });
    assert!(html.len() < 400_000, "{} bytes", html.len());
    let data = data(&html);
    let names: Vec<&str> =
        data["series"].as_array().unwrap().iter().map(|s| s["n"].as_str().unwrap()).collect();
    assert_eq!(names, ["vllm · fp16", "sglang · fp16"]);
    let sweep = &data["charts"][0];
    assert_eq!(sweep["panels"].as_array().unwrap().len(), 3);
    for series in 0..2 {
        let view = &sweep["panels"][2]["v"][0];
        let line = view["s"].as_array().unwrap().iter().find(|l| l["s"] == series).unwrap();
        assert_eq!(line["p"].as_array().unwrap().len(), 6);
        assert_eq!(line["p"][0].as_array().unwrap().len(), 4, "a band over two runs");
        assert_eq!(view["o"][0]["v"], 50.0, "the objective's line");
    }
    for engine in ["vllm", "sglang"] {
        assert_eq!(html.matches(&format!("<td>{engine} · fp16 · llama-3-8b</td>")).count(), 12);
    }
    assert!(html.contains("class=\"v valid\"") && html.contains("<noscript>") && html.contains("<svg xmlns"));
    let kinds: Vec<&str> = data["charts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["panels"][0]["v"][0]["k"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["line", "bar", "line", "line", "line", "lanes"]);
    assert!(html.contains("cost of a million tokens: no price was given"));
}

#[test]
fn hostile_names_stay_text_and_no_network_is_named() {
    let mut rows = rows();
    for r in &mut rows {
        r.engine = HOSTILE.into();
        r.model = HOSTILE.into();
        r.workload = HOSTILE.into();
        r.verdict = Some(Verdict::Suspect);
        r.warnings = vec![HOSTILE.into()];
        r.failures.insert(HOSTILE.into(), 1);
        r.scores.insert(HOSTILE.into(), 1.0);
    }
    let (latencies, mut lanes) = details(&rows);
    lanes[0].lanes[0].wrong = HOSTILE.into();
    let note = RunNote {
        run_id: HOSTILE.into(),
        machine: HOSTILE.into(),
        warnings: vec![HOSTILE.into()],
        manifest: serde_json::json!({ "x": HOSTILE }),
        ..RunNote::default()
    };
    let drawn = pictures(&rows, &Caption::default());
    let html =
        page(&Page { rows: &rows, runs: vec![note], latencies, lanes, pictures: &drawn, ..Page::default() });
    assert!(!html.contains("<img"), "markup from a name");
    assert_eq!(html.matches("</script>").count(), 2, "only the page's own two blocks end");
    assert_eq!(html.matches("<script").count(), 2);
    assert!(
        data(&html)["series"][0]["n"].as_str().unwrap().contains("</script><img"),
        "and yet the name is whole"
    );
    for attribute in [" src=\"", " href=\"", "url(http", "@import", "fetch(", "XMLHttpRequest", "WebSocket"] {
        assert!(!html.contains(attribute), "{attribute}");
    }
}

#[test]
fn the_policy_allows_only_the_pages_own_script_and_style() {
    let rows = rows();
    let html = page(&Page { rows: &rows, ..Page::default() });
    let policy =
        html.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    assert!(!policy.contains("unsafe") && !policy.contains("http"));
    let inner = |open: &str, close: &str| {
        let start = html.rfind(open).unwrap() + open.len();
        html[start..start + html[start..].find(close).unwrap()].to_owned()
    };
    for (text, directive) in
        [(inner("<script>", "</script>"), "script-src"), (inner("<style>", "</style>"), "style-src")]
    {
        let allowed = super::escape::allowance(&text);
        assert!(policy.contains(&format!("{directive} {allowed}")), "{directive}");
    }
    for inline in [" style=\"", " onclick=", " onload="] {
        assert!(!html.contains(inline), "{inline} would be refused");
    }
}

#[test]
fn simulated_and_invalid_runs_say_so_at_the_top() {
    let mut rows: Vec<SummaryRow> = rows().into_iter().map(simulated).collect();
    rows[0].verdict = Some(Verdict::Invalid);
    let html = page(&Page { rows: &rows, ..Page::default() });
    assert!(html.contains("<b>SIMULATED</b>") && html.contains("<b>INVALID</b>: 1 of 24"));
    let data = data(&html);
    assert!(data["charts"].as_array().unwrap().iter().all(|c| c["sim"] == true));
    let verdict = &data["charts"][0]["panels"][0]["v"][0]["s"][0]["p"][0][5];
    assert_eq!(*verdict, 2, "the point is drawn hollow");
}

#[test]
fn no_rows_make_a_page_that_says_so() {
    let html = page(&Page::default());
    assert!(html.contains("Nothing was measured") && html.contains("Not shown"));
    assert_eq!(data(&html)["charts"].as_array().unwrap().len(), 0);
}

#[test]
fn lengths_of_a_sweep_have_a_heat_map_and_an_ablation_by_their_name() {
    let rows: Vec<SummaryRow> = [128, 512]
        .into_iter()
        .flat_map(|n| {
            [1, 8]
                .map(|load| SummaryRow { workload: format!("synthetic-in{n}"), ..row("vllm", "fp16", load) })
        })
        .collect();
    let html = page(&Page { rows: &rows, ..Page::default() });
    assert!(html.contains("<h3>synthetic: over input tokens</h3>"), "ablation");
    assert!(html.contains("<h3>synthetic: input tokens by load</h3>"), "heat map");
    assert!(!html.contains("the runs sweep none") && !html.contains("do not cross"));
}

#[test]
fn lengths_crossed_with_loads_have_a_heat_map_and_an_ablation() {
    let rows: Vec<SummaryRow> = [128, 512, 2048]
        .into_iter()
        .flat_map(|n| {
            [1, 8].map(|load| SummaryRow { workload: format!("length-{n}"), ..row("vllm", "fp16", load) })
        })
        .collect();
    let data = data(&page(&Page { rows: &rows, ..Page::default() }));
    let kinds: Vec<&str> = data["charts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["panels"][0]["v"][0]["k"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"heat"), "{kinds:?}");
    let heat =
        data["charts"].as_array().unwrap().iter().find(|c| c["panels"][0]["v"][0]["k"] == "heat").unwrap();
    assert_eq!(heat["panels"][0]["v"][0]["s"][0]["p"].as_array().unwrap().len(), 6);
}
