//! Every row as a table, with its verdict and how far the program may have bent each latency; then what must be known of
//! single rows in words.

use std::fmt::Write as _;

use benchhost_model::{Distribution, HarnessBound, Steadiness, SummaryRow, Target, Verdict, WindowKind};

use super::escape::html;
use crate::numbers::{NOTHING, count, figure};
use crate::series::join;

/// The table of all rows.
pub(super) fn table(rows: &[SummaryRow]) -> String {
    let mut scores: Vec<&str> = rows.iter().flat_map(|r| r.scores.keys().map(String::as_str)).collect();
    scores.sort_unstable();
    scores.dedup();
    let memory = rows.iter().any(|r| r.gpu_mem_peak_mib.is_some());
    let objectives = rows.iter().any(|r| r.slo_attainment.is_some());
    let cost = rows.iter().any(|r| r.usd_per_mtok_out.is_some());
    let bodies: Vec<Vec<Cell>> = rows.iter().map(|r| cells(r, memory, objectives, cost, &scores)).collect();
    let heads: Vec<String> = bodies.first().into_iter().flatten().map(|c| c.head.clone()).collect();
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"All points\"><table class=\"sort\"><caption class=\"unseen\">All points, a row for each run of a load point</caption><thead><tr>",
    );
    for head in heads {
        let _infallible = write!(out, "<th scope=\"col\">{}</th>", html(&head));
    }
    out.push_str("</tr></thead><tbody>");
    for row in &bodies {
        out.push_str("<tr>");
        for cell in row {
            out.push_str(&cell.markup);
        }
        out.push_str("</tr>");
    }
    out + "</tbody></table></div>"
}

/// A column's head with one row's cell.
struct Cell {
    head: String,
    markup: String,
}

fn text(head: &str, value: &str) -> Cell {
    Cell { head: head.to_owned(), markup: format!("<td>{}</td>", html(value)) }
}

/// A number with what stands small below it.
fn number(head: &str, value: Option<f64>, below: &str) -> Cell {
    let below = if below.is_empty() { String::new() } else { format!("<br><small>{}</small>", html(below)) };
    let markup = match value.filter(|v| v.is_finite()) {
        Some(v) => format!("<td class=\"n\" data-v=\"{v}\">{}{below}</td>", figure(v)),
        None => format!("<td class=\"n\">{NOTHING}</td>"),
    };
    Cell { head: head.to_owned(), markup }
}

fn latency(name: &str, d: &Distribution, bound: Option<&HarnessBound>) -> [Cell; 4] {
    let interval =
        |ci: Option<[f64; 2]>| ci.map_or(String::new(), |[a, b]| format!("{}–{}", figure(a), figure(b)));
    let lacks = d.p99_lacks.map_or(String::new(), |n| format!("needs {} more", count(n)));
    let p99 = number(&format!("{name} p99 (ms)"), d.p99, &interval(d.p99_ci));
    let p99 = if d.p99.is_none() && !lacks.is_empty() {
        let markup = format!("<td class=\"n\">{NOTHING}<br><small>{}</small></td>", html(&lacks));
        Cell { head: p99.head, markup }
    } else {
        p99
    };
    [
        number(&format!("{name} p50 (ms)"), d.p50, &interval(d.p50_ci)),
        number(&format!("{name} p90 (ms)"), d.p90, &interval(d.p90_ci)),
        p99,
        number(&format!("{name} harness ≤ (ms)"), bound.map(|b| b.ms), ""),
    ]
}

fn cells(row: &SummaryRow, memory: bool, objectives: bool, cost: bool, scores: &[&str]) -> Vec<Cell> {
    let variant = if row.variant == row.engine { "" } else { &row.variant };
    let simulated = if row.target == Target::Simulated { "SIMULATED" } else { "" };
    let repeat = join(&[&format!("{}", row.repeat), &row.role]);
    let load = row.load.value();
    let mut all = vec![
        text("Configuration", &join(&[&row.engine, variant, &row.model, simulated])),
        text("Workload", &row.workload),
        Cell {
            head: "Load".into(),
            markup: format!("<td class=\"w\" data-v=\"{load}\">{}</td>", html(&row.load.to_string())),
        },
        text("Repeat", &repeat),
        verdict(row),
        Cell {
            head: "Completed".into(),
            markup: format!(
                "<td class=\"n\" data-v=\"{0}\">{1}<br><small>of {2}</small></td>",
                row.counts.completed,
                count(row.counts.completed),
                count(row.counts.scheduled)
            ),
        },
        number(
            "Window (s)",
            row.duration_s,
            if row.window == WindowKind::Makespan { "makespan" } else { "declared" },
        ),
        number("Output (tokens/s)", row.out_tok_s, ""),
        number("Requests (1/s)", row.req_s, ""),
    ];
    all.extend(latency("TTFT", &row.ttft, row.harness.ttft.as_ref()));
    all.extend(latency("TPOT", &row.tpot, row.harness.tpot.as_ref()));
    all.extend(latency("E2E", &row.e2e, row.harness.e2e.as_ref()));
    if objectives {
        all.push(number("Met objectives (%)", row.slo_attainment.map(|s| 100.0 * s), ""));
        all.push(number("Goodput (requests/s)", row.goodput_req_s, ""));
    }
    if memory {
        all.push(number("Peak GPU memory (GiB)", row.gpu_mem_peak_mib.map(|m| m / 1024.0), ""));
    }
    if cost {
        all.push(number("US$ per million output tokens", row.usd_per_mtok_out, ""));
    }
    all.extend(scores.iter().map(|s| number(&format!("Score {s}"), row.scores.get(*s).copied(), "")));
    all
}

fn verdict(row: &SummaryRow) -> Cell {
    let (class, word, order) = match row.verdict {
        Some(Verdict::Valid) => ("valid", "VALID", 0),
        Some(Verdict::Suspect) => ("suspect", "SUSPECT", 1),
        Some(Verdict::Invalid) => ("invalid", "INVALID", 2),
        None => ("", "not recorded", 3),
    };
    let saturated =
        if row.steady.verdict == Steadiness::Saturated { "<br><small>saturated</small>" } else { "" };
    Cell {
        head: "Verdict".into(),
        markup: format!("<td class=\"v {class}\" data-v=\"{order}\">{word}{saturated}</td>"),
    }
}

/// Reasons of verdicts, failures and warnings, a list item each; equal sentences once with their loads.
pub(super) fn remarks(rows: &[SummaryRow]) -> String {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for row in rows {
        let variant = if row.variant == row.engine { "" } else { &row.variant };
        let at = format!("{}, {}, {}", join(&[&row.engine, variant]), row.workload, row.load);
        let at = if row.repeat > 1 { format!("{at}, repeat {}", row.repeat) } else { at };
        for sentence in sentences(row) {
            match all.iter_mut().find(|(s, _)| *s == sentence) {
                Some((_, places)) => places.push(at.clone()),
                None => all.push((sentence, vec![at.clone()])),
            }
        }
    }
    if all.is_empty() {
        return String::new();
    }
    let mut out = String::from("<ul class=\"says\">");
    for (sentence, places) in all {
        let more = if places.len() > 4 { format!(" and {} more", places.len() - 4) } else { String::new() };
        let places: Vec<&str> = places.iter().take(4).map(String::as_str).collect();
        let _infallible = write!(
            out,
            "<li>{} <small class=\"sub\">({}{more})</small></li>",
            html(&sentence),
            html(&places.join("; "))
        );
    }
    out + "</ul>"
}

fn sentences(row: &SummaryRow) -> Vec<String> {
    let mut said: Vec<String> = row.reasons.iter().map(|r| format!("{} — {}", r.verdict, r.text)).collect();
    match row.steady.verdict {
        Steadiness::Saturated | Steadiness::NotStationary | Steadiness::NotShown
            if !row.steady.why.is_empty() =>
        {
            let word = match row.steady.verdict {
                Steadiness::Saturated => "saturated",
                Steadiness::NotStationary => "not steady",
                _ => "steady state not shown",
            };
            said.push(format!("{word} — {}", row.steady.why));
        }
        _ => {}
    }
    said.extend(row.failures.iter().map(|(kind, n)| {
        let example = row.failure_examples.get(kind).map_or(String::new(), |e| format!(": {e}"));
        format!("{} failed with {kind}{example}", count(*n))
    }));
    said.extend(row.warnings.iter().cloned());
    let bounds = [("TTFT", &row.harness.ttft), ("TPOT", &row.harness.tpot), ("E2E", &row.harness.e2e)];
    for (name, bound) in bounds {
        if let Some(bound) = bound.as_ref().filter(|b| !b.below_resolution.is_empty()) {
            said.push(format!("{name} {} below the harness's resolution", bound.below_resolution.join(", ")));
        }
    }
    said
}
