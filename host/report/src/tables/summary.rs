//! The table at the end of a run: outcomes first, then rates and latencies, at most 80 columns wide. What the data cannot
//! support is a dash, and a line below says why. Figures of repeats are their means. Beside a figure, in a terminal on the
//! line below it, stands how far it may be off.

use benchhost_model::{LoadPoint, SummaryRow, Target};

use super::beside::{Ends, off};
use super::grid::{Align, Column, TableStyle, heading, tables};
use super::objectives;
use super::remarks::{note, notes, outcomes};
use super::trust::trust;
use crate::lines::{clean, cut};
use crate::metric::{
    COST, E2E_P50, GPU_ENERGY, GPU_MEMORY, GPU_POWER, ITL_P50, Metric, OUT_TOK_S, REQ_S, TPOT_P50,
    TTFT_HARNESS, TTFT_P50, TTFT_P90, TTFT_P99,
};
use crate::numbers::{self, NOTHING};
use crate::series::{Series, Spread, distinct, headline, join, loads, profile, series_of};

/// Most score columns of one table.
const SCORES_A_TABLE: usize = 6;

/// The summary of `rows` for people. `Plain` is at most 80 columns wide and ends without a line feed.
pub fn summary_table(rows: &[SummaryRow], style: TableStyle) -> String {
    if rows.is_empty() {
        return "no load point was measured".to_owned();
    }
    let all = headline(rows);
    let groups = groups(&all);
    let figures = figures(&all);
    let mut blocks = Vec::new();
    let main = draw(style, &groups, &figures, &[ok_column()], |row_of| vec![ok_cell(row_of)]);
    for (group, table) in groups.iter().zip(main) {
        let mut block =
            vec![heading(style, &group.name, group.mark), paragraph(style, &table), outcomes(style, group)];
        block.extend(trust(style, group));
        blocks.push(block.join("\n"));
    }
    for group in &groups {
        let figures = objectives::figures(group.rows());
        if has_any(group.rows(), &figures) {
            let tables = draw(style, std::slice::from_ref(group), &figures, &[], |_| Vec::new());
            blocks.extend(tables.iter().map(|t| titled(style, "objectives", group, t)));
        }
    }
    let machine = machine(&all);
    let tables = draw(style, &groups, &machine, &[], |_| Vec::new());
    for (group, table) in groups.iter().zip(tables).filter(|(g, _)| has_any(g.rows(), &machine)) {
        blocks.push(titled(style, "cost and GPU", group, &table));
    }
    for group in &groups {
        for figures in scores(group.rows()) {
            let alone = std::slice::from_ref(group);
            blocks.extend(
                draw(style, alone, &figures, &[], |_| Vec::new())
                    .iter()
                    .map(|t| titled(style, "scores", group, t)),
            );
        }
    }
    let mut notes = notes(&all, &groups, &figures);
    notes.extend(objectives::without_column(&all));
    if all.len() < rows.len() {
        notes.push(
            "Points measured again to see drift, and tries of a search, are in summary.csv (`role`).".into(),
        );
    }
    blocks.push(notes.iter().map(|n| note(style, n)).collect::<Vec<_>>().join("\n"));
    blocks.join("\n\n")
}

/// The rows of one heading: one configuration on one workload.
pub(super) struct Group<'a> {
    name: String,
    /// ` — SIMULATED`, or nothing.
    mark: &'static str,
    pub(super) series: Series<'a>,
}

impl<'a> Group<'a> {
    pub(super) fn rows(&self) -> &[&'a SummaryRow] {
        self.series.rows()
    }
}

fn groups<'a>(rows: &[&'a SummaryRow]) -> Vec<Group<'a>> {
    let models = distinct(rows, |r| r.model.as_str()).len();
    let mut groups = Vec::new();
    for workload in distinct(rows, |r| r.workload.as_str()) {
        let of_workload: Vec<&SummaryRow> = rows.iter().copied().filter(|r| r.workload == workload).collect();
        for series in series_of(&of_workload) {
            let row = series.rows()[0];
            let variant = if row.variant == row.engine { "" } else { &row.variant };
            let model = if models > 1 { row.model.as_str() } else { "" };
            let mark = if row.target == Target::Simulated { " — SIMULATED" } else { "" };
            groups.push(Group { name: join(&[&row.engine, variant, workload, model]), mark, series });
        }
    }
    groups
}

/// Where a figure stands in a row.
type Pick<'a> = Box<dyn Fn(&SummaryRow) -> Option<f64> + 'a>;

/// One column of figures.
pub(super) struct Figure<'a> {
    pub(super) over: String,
    pub(super) name: String,
    pub(super) pick: Pick<'a>,
    /// Why it can be missing.
    pub(super) missing: &'static str,
    /// The ends of its interval within a run, where it has one.
    pub(super) ends: Option<Ends>,
}

fn of_metric(over: &str, name: &str, metric: Metric, missing: &'static str) -> Figure<'static> {
    Figure { over: over.to_owned(), name: name.to_owned(), pick: Box::new(metric.pick), missing, ends: None }
}

/// A percentile with its interval.
fn percentile(over: &str, name: &str, metric: Metric, missing: &'static str, ends: Ends) -> Figure<'static> {
    Figure { ends: Some(ends), ..of_metric(over, name, metric, missing) }
}

/// Name of the column that bounds the program's own error.
pub(super) const HARNESS: &str = "≤ ms";
const NO_TOKENS: &str = "needs token counts of completed requests";
const TOO_FEW: &str = "needs more completed requests";

/// The columns of the first table. TPOT gives way to ITL where no row has it.
fn figures(rows: &[&SummaryRow]) -> Vec<Figure<'static>> {
    let per_token = if rows.iter().all(|r| r.tpot.p50.is_none()) && rows.iter().any(|r| r.itl.p50.is_some()) {
        percentile("ITL ms", "p50", ITL_P50, NO_TOKENS, |r| r.itl.p50_ci)
    } else {
        percentile("TPOT ms", "p50", TPOT_P50, NO_TOKENS, |r| r.tpot.p50_ci)
    };
    // A p99 needs 368 values; most runs have fewer, and a column of dashes helps nobody.
    let tail = if rows.iter().any(|r| r.ttft.p99.is_some()) {
        percentile("TTFT ms", "p99", TTFT_P99, TOO_FEW, |r| r.ttft.p99_ci)
    } else {
        percentile("TTFT ms", "p90", TTFT_P90, TOO_FEW, |r| r.ttft.p90_ci)
    };
    let mut figures = vec![
        of_metric("", "req/s", REQ_S, TOO_FEW),
        of_metric("", "tok/s", OUT_TOK_S, NO_TOKENS),
        percentile("TTFT ms", "p50", TTFT_P50, TOO_FEW, |r| r.ttft.p50_ci),
        tail,
    ];
    // Beside the latency that it bends most.
    let bound = of_metric("harness", HARNESS, TTFT_HARNESS, "needs kernel stamps or a selfcheck");
    if has_any(rows, std::slice::from_ref(&bound)) {
        figures.push(bound);
    }
    figures.extend([per_token, percentile("e2e ms", "p50", E2E_P50, TOO_FEW, |r| r.e2e.p50_ci)]);
    figures
}

fn has_any(rows: &[&SummaryRow], figures: &[Figure<'_>]) -> bool {
    rows.iter().any(|r| figures.iter().any(|f| (f.pick)(r).is_some()))
}

fn titled(style: TableStyle, title: &str, group: &Group<'_>, table: &str) -> String {
    [heading(style, &join(&[title, &group.name]), group.mark), paragraph(style, table)].join("\n")
}

/// Columns for GPU and cost that any row has.
fn machine(rows: &[&SummaryRow]) -> Vec<Figure<'static>> {
    let mut figures = vec![
        of_metric("GPU peak", "GiB", GPU_MEMORY, ""),
        of_metric("GPU mean", "W", GPU_POWER, ""),
        of_metric("GPU energy", "kJ", GPU_ENERGY, ""),
        of_metric("US$ per", "M tokens out", COST, ""),
    ];
    figures.retain(|f| has_any(rows, std::slice::from_ref(f)));
    figures
}

/// Columns for the scores that these rows have, a table's worth each. `reasoning_correct` stands in two lines.
fn scores<'a>(rows: &[&'a SummaryRow]) -> Vec<Vec<Figure<'a>>> {
    let mut names: Vec<&'a str> = rows.iter().flat_map(|r| r.scores.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    let column = |name: &&'a str| {
        let name = *name;
        let (over, rest) = name.split_once('_').unwrap_or(("", name));
        Figure {
            over: cut(&clean(over), 9),
            name: cut(&clean(rest), 9),
            pick: Box::new(move |r: &SummaryRow| r.scores.get(name).copied()),
            missing: "",
            ends: None,
        }
    };
    names.chunks(SCORES_A_TABLE).map(|names| names.iter().map(column).collect()).collect()
}

/// One table a group, with a row for each load: the load, `extra`, and the figures.
fn draw(
    style: TableStyle,
    groups: &[Group<'_>],
    figures: &[Figure<'_>],
    extra: &[Column],
    extra_cells: impl Fn(&[&SummaryRow]) -> Vec<String>,
) -> Vec<String> {
    let all: Vec<&SummaryRow> = groups.iter().flat_map(Group::rows).copied().collect();
    let (title, align) = load_title(&all);
    let mut header = vec![Column::new("", title, align)];
    header.extend_from_slice(extra);
    header.extend(figures.iter().map(|f| Column::new(&f.over, &f.name, Align::Point)));
    let cells: Vec<Vec<Vec<String>>> = groups
        .iter()
        .map(|group| {
            let lines = |load: LoadPoint| {
                let repeats: Vec<&SummaryRow> = group.series.at(load).collect();
                let mut cells = vec![load_cell(&repeats, load, align == Align::Left && title == "load")];
                cells.extend(extra_cells(&repeats));
                let before = cells.len();
                cells.extend(figures.iter().map(|f| {
                    let spread = Spread::of(repeats.iter().map(|r| (f.pick)(r)));
                    spread.map_or(NOTHING.to_owned(), |s| numbers::figure(s.mean))
                }));
                let off = figures.iter().map(|f| off(f, &repeats).unwrap_or_default());
                with_beside(style, cells, [vec![String::new(); before], off.collect()].concat())
            };
            loads(group.rows()).into_iter().flat_map(lines).collect()
        })
        .collect();
    tables(style, &header, &cells)
}

/// What the first column holds, and how it stands.
fn load_title(rows: &[&SummaryRow]) -> (&'static str, Align) {
    let first = rows.first().map_or("load", |r| r.load.kind());
    let shaped = rows.iter().any(|r| profile(r).is_some());
    match first {
        _ if rows.iter().any(|r| r.load.kind() != first) => ("load", Align::Left),
        "rate" if shaped => ("rate/s over time", Align::Left),
        "rate" => ("rate/s", Align::Point),
        "trace" => ("times faster", Align::Point),
        kind => (kind, Align::Point),
    }
}

/// Columns of the longest shape of a rate; longer ones are cut, and stand in a note.
pub(super) const PROFILE: usize = 20;

/// The load of a line; of a rate that changes its shape rather than its highest value.
fn load_cell(repeats: &[&SummaryRow], load: LoadPoint, mixed: bool) -> String {
    let shape = repeats.first().and_then(|r| profile(r));
    match shape.and_then(|s| s.split_once(' ')) {
        Some((_, shape)) => cut(&clean(shape), PROFILE),
        None if mixed => load.to_string(),
        None => numbers::exact(load.value()),
    }
}

/// The figures of a line with what stands beside them: below in a terminal, in the same cell in Markdown.
fn with_beside(style: TableStyle, cells: Vec<String>, off: Vec<String>) -> Vec<Vec<String>> {
    if off.iter().all(String::is_empty) {
        return vec![cells];
    }
    match style {
        TableStyle::Plain => vec![cells, off],
        TableStyle::Markdown => {
            let both = cells.into_iter().zip(off);
            vec![both.map(|(cell, off)| format!("{cell} {off}").trim_end().to_owned()).collect()]
        }
    }
}

fn ok_column() -> Column {
    Column::new("requests", "ok/failed", Align::Right)
}

fn ok_cell(repeats: &[&SummaryRow]) -> String {
    let sum = |pick: fn(&SummaryRow) -> u64| repeats.iter().map(|r| pick(r)).sum::<u64>();
    format!("{}/{}", sum(|r| r.counts.completed), sum(|r| r.counts.failed))
}

/// A Markdown table stands apart from the lines around it.
fn paragraph(style: TableStyle, table: &str) -> String {
    match style {
        TableStyle::Plain => table.to_owned(),
        TableStyle::Markdown => format!("\n{table}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{all_failed, row, simulated};
    use crate::lines::columns;
    use crate::tables::TABLE_WIDTH;

    #[test]
    fn a_sweep_of_two_configurations() {
        let rows = [row("vllm", "fp16", 1), row("vllm", "fp16", 128), simulated(row("tgi", "tgi", 1))];
        insta::assert_snapshot!(summary_table(&rows, TableStyle::Plain), @"
        vllm · fp16 · empathetic
                      requests                TTFT ms  TTFT ms  harness  TPOT ms  e2e ms
        concurrency  ok/failed  req/s  tok/s      p50      p99     ≤ ms      p50     p50
        ────────────────────────────────────────────────────────────────────────────────
                  1      100/0   2.40    154     22.0     48.4   0.0600     6.29     416
                128      100/0  72.3   4,627    276      607     0.0600    27.8    1,771
        200 scheduled: 200 completed
        harness error ≤ TPOT 0.00400 ms · e2e 0.110 ms

        tgi · empathetic — SIMULATED
                      requests                TTFT ms  TTFT ms  harness  TPOT ms  e2e ms
        concurrency  ok/failed  req/s  tok/s      p50      p99     ≤ ms      p50     p50
        ────────────────────────────────────────────────────────────────────────────────
                  1      100/0   2.04    131     22.0     48.4   0.0600     7.45     489
        100 scheduled: 100 completed
        harness error ≤ TPOT 0.00400 ms · e2e 0.110 ms

        SIMULATED: where marked, the built-in simulator answered, not a real server.
        harness ≤: how far this program may have bent TTFT, at most.
        TTFT: send to first output · TPOT: time per later token · e2e: send to last
        ");
    }

    #[test]
    fn what_the_data_cannot_support_is_a_dash_with_a_reason() {
        let mut no_tokens = row("tgi", "fp16", 8);
        no_tokens.out_tok_s = None;
        no_tokens.tpot = benchhost_model::Distribution::default();
        no_tokens.ttft.p99 = None;
        no_tokens.retried = 2;
        no_tokens.length_mismatches = 1;
        let rows = [no_tokens, all_failed("tgi", "fp16", 16)];
        insta::assert_snapshot!(summary_table(&rows, TableStyle::Plain), @"
        tgi · fp16 · empathetic
                      requests                TTFT ms  TTFT ms  harness  ITL ms  e2e ms
        concurrency  ok/failed  req/s  tok/s      p50      p90     ≤ ms     p50     p50
        ───────────────────────────────────────────────────────────────────────────────
                  8      100/0   13.9      –     36.0     50.4   0.0600    8.85    577
                 16        0/3     –       –       –        –     –         –         –
        104 scheduled: 100 completed, 3 failed, 1 cut off
          http_503 ×2: server [31m is | overloaded
          timeout ×1
        2 answered on a second connection
        1 completed with another length than the exact one asked for
        harness error ≤ TPOT 0.00400 ms · e2e 0.110 ms

        – not supported by the data: req/s, TTFT p50, TTFT p90, e2e p50 (needs more
          completed requests); tok/s, ITL p50 (needs token counts of completed
          requests); harness ≤ ms (needs kernel stamps or a selfcheck).
        harness ≤: how far this program may have bent TTFT, at most.
        TTFT: send to first output · ITL: gap between tokens · e2e: send to last
        ");
    }

    #[test]
    fn gpu_cost_and_scores_have_tables_of_their_own() {
        let mut measured = row("vllm", "fp16", 8);
        measured.gpu_mem_peak_mib = Some(16_588.8);
        measured.usd_per_mtok_out = Some(0.315);
        measured.scores.insert("bertscore_f1".into(), 0.7012);
        measured.scores.insert("exact_match".into(), 0.5);
        let rows = [measured, row("tgi", "fp16", 8)];
        insta::assert_snapshot!(summary_table(&rows, TableStyle::Plain), @"
        vllm · fp16 · empathetic
                      requests                TTFT ms  TTFT ms  harness  TPOT ms  e2e ms
        concurrency  ok/failed  req/s  tok/s      p50      p99     ≤ ms      p50     p50
        ────────────────────────────────────────────────────────────────────────────────
                  8      100/0   16.3  1,043     36.0     79.2   0.0600     7.47     491
        100 scheduled: 100 completed
        harness error ≤ TPOT 0.00400 ms · e2e 0.110 ms

        tgi · fp16 · empathetic
                      requests                TTFT ms  TTFT ms  harness  TPOT ms  e2e ms
        concurrency  ok/failed  req/s  tok/s      p50      p99     ≤ ms      p50     p50
        ────────────────────────────────────────────────────────────────────────────────
                  8      100/0   13.9    887     36.0     79.2   0.0600     8.85     577
        100 scheduled: 100 completed
        harness error ≤ TPOT 0.00400 ms · e2e 0.110 ms

        cost and GPU · vllm · fp16 · empathetic
                     GPU peak       US$ per
        concurrency       GiB  M tokens out
        ───────────────────────────────────
                  8      16.2         0.315

        scores · vllm · fp16 · empathetic
                     bertscore  exact
        concurrency         f1  match
        ─────────────────────────────
                  8      0.701  0.500

        harness ≤: how far this program may have bent TTFT, at most.
        TTFT: send to first output · TPOT: time per later token · e2e: send to last
        ");
    }

    #[test]
    fn repeats_become_one_line_of_means() {
        let (mut a, mut b) = (row("vllm", "fp16", 8), row("vllm", "fp16", 8));
        b.repeat = 2;
        (a.req_s, b.req_s) = (Some(10.0), Some(20.0));
        (a.ttft.p99, b.ttft.p99) = (None, Some(90.0));
        let text = summary_table(&[a, b], TableStyle::Plain);
        let line = text.lines().find(|l| l.trim_start().starts_with("8 ")).unwrap();
        assert!(line.contains("200/0") && line.contains("15.0") && line.contains("90.0"), "{text}");
        assert!(text.contains("Up to 2 repeats"));
    }

    #[test]
    fn a_rate_that_changes_is_shown_by_its_shape() {
        let shaped = |rate: f64, arrivals: &str| SummaryRow {
            load: LoadPoint::Rate(rate),
            arrivals: arrivals.into(),
            ..row("vllm", "fp16", 1)
        };
        let long = "2:30s,4:30s,8:30s,16:30s,32:30s";
        let rows = [shaped(20.0, "poisson ramp 1..20:60s"), shaped(32.0, &format!("constant steps {long}"))];
        let text = summary_table(&rows, TableStyle::Plain);
        assert!(text.contains("rate/s over time") && text.contains("\n1..20:60s"), "{text}");
        assert!(text.contains("\n2:30s,4:30…") && !text.contains("\n2:30s,4:30s,8"), "{text}");
        assert!(text.contains(&format!("rate/s over time, in full: steps {long}.")), "{text}");
        assert!(text.lines().all(|l| columns(l) <= TABLE_WIDTH), "{text}");
    }

    #[test]
    fn markdown_for_a_readme() {
        let rows = [row("vllm", "fp16", 1), simulated(all_failed("tgi", "fp16", 1))];
        insta::assert_snapshot!(summary_table(&rows, TableStyle::Markdown), @r#"
        **vllm · fp16 · empathetic**

        | concurrency | requests ok/failed | req/s | tok/s | TTFT ms p50 | TTFT ms p99 | harness ≤ ms | TPOT ms p50 | e2e ms p50 |
        |------------:|-------------------:|------:|------:|------------:|------------:|-------------:|------------:|-----------:|
        |           1 |              100/0 |  2.40 |   154 |        22.0 |        48.4 |       0.0600 |        6.29 |        416 |

        100 scheduled: 100 completed
        harness error ≤ TPOT 0.00400 ms · e2e 0.110 ms

        **tgi · fp16 · empathetic** — SIMULATED

        | concurrency | requests ok/failed | req/s | tok/s | TTFT ms p50 | TTFT ms p99 | harness ≤ ms | TPOT ms p50 | e2e ms p50 |
        |------------:|-------------------:|------:|------:|------------:|------------:|-------------:|------------:|-----------:|
        |           1 |                0/3 |     – |     – |           – |           – |            – |           – |          – |

        4 scheduled: 0 completed, 3 failed, 1 cut off  
        http\_503 ×2: server \[31m is \| overloaded  
        timeout ×1

        - – not supported by the data: req/s, TTFT p50, TTFT p99, e2e p50 (needs more completed requests); tok/s, TPOT p50 (needs token counts of completed requests); harness ≤ ms (needs kernel stamps or a selfcheck).
        - SIMULATED: where marked, the built-in simulator answered, not a real server.
        - harness ≤: how far this program may have bent TTFT, at most.
        - TTFT: send to first output · TPOT: time per later token · e2e: send to last
        "#);
    }

    #[test]
    fn no_line_is_wider_than_a_terminal_and_none_acts_on_it() {
        let mut wild = row(
            "an-engine-with-a-very-long-name",
            "variant/with/a/long/path/to/weights-awq-int4",
            4_000_000_000,
        );
        wild.workload = "工作负载名称很长工作负载名称很长工作负载名称很长".into();
        wild.counts.completed = u64::MAX / 4;
        wild.counts.scheduled = u64::MAX / 4;
        wild.req_s = Some(1.0e-7);
        wild.out_tok_s = Some(9.9e18);
        wild.harness.ttft = Some(benchhost_model::HarnessBound { ms: 123.456, ..Default::default() });
        wild.steady.why = "x".repeat(300);
        wild.warnings = vec!["a warning \u{1b}[31m".repeat(40)];
        wild.failures.insert("decode\u{7}".into(), 3);
        wild.failure_examples.insert("decode\u{7}".into(), "x".repeat(500));
        for i in 0..12 {
            wild.scores.insert(format!("a long name of a score number {i}"), f64::from(i));
        }
        let mut rate = row("vllm", "fp16", 1);
        rate.load = LoadPoint::Rate(0.123_456_789);
        for rows in [vec![wild.clone()], vec![wild.clone(), rate.clone()], vec![rate]] {
            let text = summary_table(&rows, TableStyle::Plain);
            for line in text.lines() {
                assert!(columns(line) <= TABLE_WIDTH, "{} {line}", columns(line));
                assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
            }
        }
    }

    #[test]
    fn no_rows_say_so() {
        assert_eq!(summary_table(&[], TableStyle::Plain), "no load point was measured");
    }
}
