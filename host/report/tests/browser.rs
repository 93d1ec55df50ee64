//! The page in a real browser: it draws under its own policy, and its tooltip, legend, views and tables answer. Needs
//! `chromium` on the path, so it runs only when asked for: `cargo test -p benchhost-report --test browser -- --ignored`.
//! It leaves the page and pictures of it in `target/tmp/browser`, to be looked at.

use std::path::{Path, PathBuf};
use std::process::Command;

use benchhost_model::{
    Distribution, Findings, HarnessBound, HarnessError, LoadPoint, OutcomeCounts, Reason, SummaryRow, Target,
    Verdict,
};
use benchhost_report::{
    Caption, Curve, Lane, Lanes, Latencies, LatencyKind, Page, Place, RunNote, Span, Timeline, page, pictures,
};

const LOADS: [u32; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

fn spread(p50: f64) -> Distribution {
    Distribution {
        n: 400,
        p50: Some(p50),
        p50_ci: Some([p50 * 0.97, p50 * 1.03]),
        p90: Some(p50 * 1.5),
        p99: Some(p50 * 2.4),
        ..Distribution::default()
    }
}

fn row(engine: &str, workload: &str, load: u32, repeat: u32) -> SummaryRow {
    let at = f64::from(load);
    let speed = if engine == "vllm" { 1.0 } else { 0.86 };
    let wobble = 1.0 + 0.02 * (f64::from(repeat) - 2.0) + 0.004 * at.sqrt() * (f64::from(repeat) - 2.0);
    let shorter = if workload.ends_with("2048") { 0.5 } else { 1.0 };
    let tokens = 6000.0 * speed * shorter * wobble * at / (at + 38.0);
    let ttft = (18.0 + 1.6 * at + if at > 64.0 { 4.0 * at } else { 0.0 }) / speed / shorter * wobble;
    let tpot = 1000.0 * at / tokens;
    let bound = |ms: f64| Some(HarnessBound { ms, ..HarnessBound::default() });
    SummaryRow {
        run_id: "20260101-000000-0001".into(),
        engine: engine.into(),
        variant: "fp16".into(),
        model: "llama-3-8b".into(),
        target: Target::Simulated,
        workload: workload.into(),
        repeat,
        counts: OutcomeCounts { scheduled: 400, completed: 400, ..OutcomeCounts::default() },
        verdict: Some(if load == 128 { Verdict::Suspect } else { Verdict::Valid }),
        reasons: if load == 128 {
            vec![Reason {
                rule: "lag".into(),
                verdict: Verdict::Suspect,
                found: Some(2.0),
                limit: Some(1.0),
                text: "first output events were seen 2.0 ms late (p99), limit 1 ms".into(),
            }]
        } else {
            Vec::new()
        },
        harness: HarnessError {
            ttft: bound(0.06),
            tpot: bound(0.004),
            e2e: bound(0.11),
            ..HarnessError::default()
        },
        duration_s: Some(30.0),
        req_s: Some(tokens / 64.0),
        out_tok_s: Some(tokens),
        total_tok_s: Some(tokens * 3.0),
        ttft: spread(ttft),
        tpot: spread(tpot),
        itl: spread(tpot),
        e2e: spread(ttft + 63.0 * tpot),
        tps_user_p50: Some(1000.0 / tpot),
        usd_per_mtok_out: Some(2.5e6 / 3600.0 / tokens * 1.2),
        gpu_mem_peak_mib: Some(18_000.0 + 20.0 * at),
        scores: [("token_f1".to_owned(), 0.42 * wobble)].into(),
        ..SummaryRow::blank(LoadPoint::Concurrency(load))
    }
}

fn rows() -> Vec<SummaryRow> {
    let mut all = Vec::new();
    for engine in ["vllm", "sglang"] {
        for load in LOADS {
            all.extend((1..=3).map(|repeat| row(engine, "prompts", load, repeat)));
        }
        for length in ["length-128", "length-512", "length-2048"] {
            all.extend([1, 8, 64].map(|load| row(engine, length, load, 1)));
        }
    }
    all
}

fn details(rows: &[SummaryRow]) -> (Vec<Latencies>, Vec<Lanes>) {
    let (mut latencies, mut lanes) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|r| r.repeat == 1) {
        let place = Place {
            engine: row.engine.clone(),
            variant: row.variant.clone(),
            model: row.model.clone(),
            simulated: true,
            workload: row.workload.clone(),
            load: row.load,
        };
        for (kind, of) in
            [(LatencyKind::Ttft, &row.ttft), (LatencyKind::Tpot, &row.tpot), (LatencyKind::E2e, &row.e2e)]
        {
            let middle = of.p50.unwrap_or(1.0);
            // A logistic spread around the median.
            let value = |i: u32| middle * (0.16 * (f64::from(i) / f64::from(400 - i)).ln()).exp();
            latencies.push(Latencies::new(place.clone(), kind, (1..400).map(value).collect()));
        }
        let (slots, ttft, e2e) = (row.load.value(), row.ttft.p50.unwrap_or(1.0), row.e2e.p50.unwrap_or(1.0));
        let lane = |i: u32| {
            let due = (f64::from(i) / slots).floor() * e2e / 1000.0 + f64::from(i) * 0.002;
            let sent = due + 0.001 * f64::from(i % 7);
            Lane {
                due_s: due,
                sent_s: Some(sent),
                first_s: (i % 23 != 9).then_some(sent + ttft / 1000.0),
                last_s: Some(sent + e2e / 1000.0 * (0.8 + f64::from(i % 5) / 10.0)),
                wrong: if i % 23 == 9 { "http_503".into() } else { String::new() },
            }
        };
        lanes.push(Lanes { place, lanes: (0..60).map(lane).collect() });
    }
    (latencies, lanes)
}

fn timeline() -> Timeline {
    let curve = |label: &str, peak: f64| Curve {
        label: label.into(),
        points: (0..3000)
            .map(|i| (f64::from(i) / 10.0, peak * (0.5 + 0.5 * (f64::from(i) / 90.0).sin()).powi(2)))
            .collect(),
    };
    let span = |i: u32| Span {
        load: LoadPoint::Concurrency(1 << i),
        from_s: f64::from(i) * 36.0 + 5.0,
        until_s: f64::from(i) * 36.0 + 35.0,
    };
    Timeline {
        kv_cache: vec![curve("vllm · fp16", 0.8), curve("sglang · fp16", 0.7)],
        running: vec![curve("vllm · fp16", 64.0)],
        gpu_memory: vec![curve("GPU 0", 21.0)],
        spans: (0..8).map(span).collect(),
        simulated: true,
        ..Timeline::default()
    }
}

fn made() -> String {
    let rows = rows();
    let (latencies, lanes) = details(&rows);
    let drawn = pictures(&rows, &Caption::default());
    page(&Page {
        rows: &rows,
        runs: vec![RunNote {
            run_id: "20260101-000000-0001".into(),
            started: "2026-01-01 00:00 UTC".into(),
            tool: "benchhost 0.1.0".into(),
            machine: "1× L40".into(),
            warnings: Vec::new(),
            manifest: serde_json::json!({ "engines": [{ "name": "vllm" }] }),
        }],
        findings: Findings::default(),
        latencies,
        lanes,
        timelines: vec![("r".into(), timeline())],
        objectives: vec![("ttft".into(), 200.0), ("e2e".into(), 3000.0)],
        pictures: &drawn,
        ..Page::default()
    })
}

fn chromium(folder: &Path, more: &[&str], file: &Path) -> String {
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--hide-scrollbars",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
        ])
        .args(["--virtual-time-budget=4000"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(more)
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("chromium runs");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints: Vec<&str> = log.lines().filter(|l| l.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Uses the page as a person would, and says what happened in the title.
const USE: &str = r"<script>addEventListener('load', () => setTimeout(() => {
  const said = {}, key = (e, k) => e.dispatchEvent(new KeyboardEvent('keydown', { key: k, bubbles: true }));
  const plots = [...document.querySelectorAll('.plot')];
  said.plots = plots.length;
  said.drawn = plots.filter(p => p.querySelector('svg')).length;
  const svg = () => plots[0].querySelector('svg');
  svg().focus(); key(svg(), 'ArrowRight'); key(svg(), 'ArrowRight');
  said.tip = plots[0].querySelector('.tip').textContent;
  key(svg(), 'Escape'); said.gone = plots[0].querySelector('.tip').hidden;
  const box = svg().getBoundingClientRect();
  svg().dispatchEvent(new PointerEvent('pointermove', { clientX: box.right - 20, clientY: box.top + 50 }));
  said.hover = plots[0].querySelector('.tip').textContent;
  const button = document.querySelector('.legend button'), lines = () => svg().querySelectorAll('.line').length;
  said.before = lines(); button.click(); said.after = lines(); said.pressed = button.getAttribute('aria-pressed'); button.click();
  const pick = document.querySelector('select'); pick.value = '1'; pick.dispatchEvent(new Event('change'));
  said.view = pick.selectedOptions[0].textContent; said.drew = [...svg().querySelectorAll('text')].map(t => t.textContent).join(' ');
  const details = document.querySelector('.panel details'); details.open = true;
  const table = document.querySelectorAll('table.sort'), last = table[table.length - 1];
  const head = [...last.tHead.rows[0].cells].findIndex(c => c.textContent.startsWith('Output'));
  const column = () => [...last.tBodies[0].rows].map(r => +r.cells[head].dataset.v);
  const rising = a => a.every((v, i) => !i || a[i - 1] <= v);
  last.tHead.rows[0].cells[head].querySelector('button').click(); said.up = rising(column());
  last.tHead.rows[0].cells[head].querySelector('button').click(); said.down = rising(column().reverse());
  setTimeout(() => { said.rows = details.querySelectorAll('tbody tr').length;
    said.wide = document.documentElement.scrollWidth <= innerWidth;
    document.title = JSON.stringify(said); }, 300);
}, 500));</script>";

#[test]
#[ignore = "needs chromium"]
fn the_page_answers_pointer_keys_legend_views_and_sorting() {
    let folder = folder();
    let html = made();
    let file = folder.join("report.html");
    std::fs::write(&file, &html).unwrap();
    // As it is, under its own policy: every chart is drawn.
    let dom = chromium(&folder, &["--dump-dom", "--window-size=1240,1500"], &file);
    assert!(dom.matches("class=\"line").count() > 20, "charts are drawn");
    // The user's script needs a page without a policy.
    let (start, end) = {
        let start = html.find("<meta http-equiv=").unwrap();
        (start, start + html[start..].find('>').unwrap() + 1)
    };
    let used = folder.join("used.html");
    std::fs::write(&used, format!("{}{}{USE}", &html[..start], &html[end..])).unwrap();
    for size in ["--window-size=1240,1500", "--window-size=500,900"] {
        let dom = chromium(&folder, &["--dump-dom", size], &used);
        let title =
            dom.split("<title>").nth(1).unwrap().split("</title>").next().unwrap().replace("&amp;", "&");
        let said: serde_json::Value = serde_json::from_str(&title).unwrap_or_else(|e| panic!("{e}: {title}"));
        let text = |k: &str| said[k].as_str().unwrap_or_default().to_owned();
        assert_eq!(said["plots"], said["drawn"], "{said}");
        assert!(text("tip").contains("2 concurrent") && text("tip").contains("vllm · fp16"), "{said}");
        assert!(text("hover").contains("128 concurrent") && text("hover").contains("SUSPECT"), "{said}");
        assert_eq!(
            (&said["gone"], &said["before"], &said["after"]),
            (&true.into(), &2.into(), &1.into()),
            "{said}"
        );
        assert_eq!(
            (&said["up"], &said["down"], &said["wide"]),
            (&true.into(), &true.into(), &true.into()),
            "{said}"
        );
        assert_eq!(
            (text("pressed"), text("view")),
            ("false".into(), "Request throughput (requests/s)".into())
        );
        assert_eq!(said["rows"], 16, "{said}");
    }
    let shot = |name: &str, more: &[&str]| {
        let to = format!("--screenshot={}", folder.join(name).display());
        chromium(&folder, &[&[to.as_str()], more].concat(), &file);
    };
    shot("light.png", &["--window-size=1240,7600"]);
    shot("dark.png", &["--window-size=1240,7600", "--blink-settings=preferredColorScheme=0"]);
    shot("narrow.png", &["--window-size=500,9000"]);
}
