//! Results of other tools as a side: their requests as rows where they keep them, else their figures beside ours without
//! a verdict. What their words mean is said, and what none of ours is.

use std::path::Path;

use benchhost_analysis::{EventTimes, Options};
use benchhost_compare::{Gatherer, not_judged as shown};
use benchhost_interop::{Figure, Imported, Statistic, read};
use benchhost_model::{Distribution, Nanos, SummaryRow};
use benchhost_report::{ComparedGroup, ComparisonTable, Side};

use super::source::{Source, of_foreign};
use super::table;
use crate::error::{CliError, CliResult};

/// A foreign file.
pub(super) fn source(path: &Path, text: &str) -> CliResult<Source> {
    let imported =
        read(text).map_err(|e| CliError::usage(format!("cannot read `{}`", path.display())).because(e))?;
    let mut gatherer = Gatherer::new(Options::default(), Vec::new());
    for (at, run) in imported.runs.iter().enumerate() {
        for request in &run.requests {
            let mut record = request.record.clone();
            record.run_id = path.display().to_string();
            record.repeat = u32::try_from(at + 1).unwrap_or(u32::MAX);
            if request.gaps_ms.is_empty() {
                gatherer.push(&record);
                continue;
            }
            let first = record.t_first_ns.map_or(0, Nanos::get);
            let gaps = request.gaps_ms.iter().map(|ms| nanoseconds(*ms));
            let at: Vec<u64> = std::iter::once(first).chain(gaps).collect();
            gatherer.push_with_events(&record, EventTimes { at: &at, tokens: &[], censored: &[] });
        }
    }
    let sheet = gatherer.finish(&mut |_, _| benchhost_analysis::GpuFigures::default());
    let notes = notes(path, &imported);
    Ok(of_foreign(path, sheet, imported, notes))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time, and it saturates")]
fn nanoseconds(ms: f64) -> u64 {
    (ms * 1e6).round() as u64
}

fn notes(path: &Path, imported: &Imported) -> Vec<String> {
    let version = imported.version.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
    let mut notes = vec![format!("{}: a result of {}{version}", path.display(), imported.tool)];
    notes.extend(imported.remarks.iter().map(|r| format!("{}: {r}", imported.tool)));
    // One line a reason: a file has dozens of figures that are none of ours.
    let mut left: Vec<(&str, Vec<String>)> = Vec::new();
    for unmapped in imported.runs.iter().flat_map(|run| &run.unmapped) {
        let key = format!("`{}`", unmapped.theirs);
        match left.iter_mut().find(|(why, _)| *why == unmapped.why) {
            Some((_, keys)) if keys.contains(&key) => {}
            Some((_, keys)) => keys.push(key),
            None => left.push((unmapped.why, vec![key])),
        }
    }
    let left = left
        .into_iter()
        .map(|(why, keys)| format!("{}: left out, {why}: {}", imported.tool, keys.join(", ")));
    notes.extend(left);
    notes
}

/// A file that does not name its load takes that of the other side, where that has one alone.
pub(super) fn adopt_loads(sources: &mut [Source]) {
    let loads: Vec<_> = sources
        .iter()
        .filter(|s| s.foreign.is_none())
        .flat_map(|s| s.sheet.groups.iter().map(|g| g.load))
        .collect();
    let Some(load) = loads.first().filter(|first| loads.iter().all(|l| l.key() == first.key())) else {
        return;
    };
    for source in sources.iter_mut() {
        let Some(imported) = &source.foreign else { continue };
        if imported.runs.iter().all(|run| run.load.is_none()) {
            source.sheet.groups.iter_mut().for_each(|g| g.load = *load);
            source.notes.push(format!("{}: it does not say its load; {load} is assumed", imported.tool));
        }
    }
}

/// Figures beside each other: at least one side has no requests.
pub(super) fn not_judged(
    (base, base_label): (&Source, &str),
    (new, new_label): (&Source, &str),
) -> CliResult<ComparisonTable> {
    let (of_base, of_new) = (figures(base), figures(new));
    let why = "";
    let rows: Vec<_> = of_base
        .iter()
        .filter_map(|(metric, statistic, b)| {
            let (.., n) = of_new.iter().find(|(m, s, _)| m == metric && s == statistic)?;
            let (unit, higher) = unit(metric);
            let name = if *statistic == Statistic::Total {
                (*metric).to_owned()
            } else {
                format!("{metric}_{}", statistic.as_str())
            };
            Some(table::row(&shown(&name, unit, higher, *b, *n, why)))
        })
        .collect();
    if rows.is_empty() {
        return Err(CliError::not_comparable("the results have no figure in common").hint(
            "other tools keep requests on demand (vLLM bench: `--save-detailed`); those can be compared",
        ));
    }
    let side = |label: &str| Side { label: label.to_owned(), simulated: false, runs: 1 };
    let notes = base.notes.iter().chain(&new.notes).cloned();
    Ok(ComparisonTable {
        sentence: "Not judged: at least one side has only aggregates, which are shown beside each other."
            .into(),
        exit_code: 0,
        work: Vec::new(),
        base: side(base_label),
        new: side(new_label),
        groups: vec![ComparedGroup {
            heading: "figures with the same definition on both sides".into(),
            place: None,
            rows,
            detail: None,
        }],
        differences: Vec::new(),
        unchecked: vec!["nothing was checked: items, model, load, sampling, hardware".into()],
        health: Vec::new(),
        notes: notes.collect(),
    })
}

type Known = (&'static str, Statistic, f64);

/// The figures of a side: means over its runs.
fn figures(source: &Source) -> Vec<Known> {
    let of_run: Vec<Vec<Known>> = match &source.foreign {
        Some(imported) => {
            let known = |f: &Figure| (f.metric, f.statistic, f.value);
            imported.runs.iter().map(|run| run.figures.iter().map(known).collect()).collect()
        }
        None => source.sheet.groups.iter().flat_map(|g| g.runs.iter().map(|r| ours(&r.summary))).collect(),
    };
    let mut means: Vec<(Known, u32)> = Vec::new();
    for (metric, statistic, value) in of_run.into_iter().flatten() {
        match means.iter_mut().find(|(m, _)| m.0 == metric && m.1 == statistic) {
            Some((mean, n)) => {
                *n += 1;
                mean.2 += (value - mean.2) / f64::from(*n);
            }
            None => means.push(((metric, statistic, value), 1)),
        }
    }
    means.into_iter().map(|(known, _)| known).collect()
}

fn ours(s: &SummaryRow) -> Vec<Known> {
    let mut list = Vec::new();
    let totals = [
        ("req_s_makespan", s.makespan.req_s),
        ("out_tok_s_makespan", s.makespan.out_tok_s),
        ("in_tok_s_makespan", s.makespan.in_tok_s),
        ("total_tok_s_makespan", s.makespan.total_tok_s),
    ];
    list.extend(totals.into_iter().filter_map(|(name, value)| Some((name, Statistic::Total, value?))));
    let latencies: [(&'static str, &Distribution); 7] = [
        ("ttft", &s.ttft),
        ("ttfat", &s.ttfat),
        ("tpot", &s.tpot),
        ("tpot_n1", &s.tpot_n1),
        ("itl", &s.itl),
        ("icl", &s.icl),
        ("e2e", &s.e2e),
    ];
    for (name, d) in latencies {
        let statistics = [
            (Statistic::Mean, d.mean),
            (Statistic::P50, d.p50),
            (Statistic::P90, d.p90),
            (Statistic::P95, d.p95),
            (Statistic::P99, d.p99),
        ];
        list.extend(statistics.into_iter().filter_map(|(statistic, value)| Some((name, statistic, value?))));
    }
    list
}

fn unit(metric: &str) -> (&'static str, bool) {
    match metric {
        m if m.starts_with("req_s") => ("req/s", true),
        m if m.contains("tok_s") => ("tok/s", true),
        "duration_s" => ("s", false),
        "input_tokens" | "output_tokens" => ("tok", true),
        _ => ("ms", false),
    }
}
