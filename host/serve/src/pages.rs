//! The pages as HTML. Every text from a file goes through `escaped`, every name in a link through `address`; there is no
//! script. Knows nothing of requests.

#![expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "pages are small, and their text reads better in one piece"
)]

use std::path::Path;

use crate::html::{address, escaped};
use crate::markdown;
use crate::route::Choices;
use crate::runs::{Facts, Run, Sheet};
use crate::site::Refused;

/// Columns of the summary that are shown, where it has them, and their titles.
const COLUMNS: [(&str, &str); 19] = [
    ("engine", "engine"),
    ("variant", "variant"),
    ("workload", "workload"),
    ("load", "load"),
    ("repeat", "repeat"),
    ("verdict", "verdict"),
    ("completed", "completed"),
    ("scheduled", "scheduled"),
    ("req_s", "req/s"),
    ("out_tok_s", "output tok/s"),
    ("ttft_p50_ms", "TTFT p50, ms"),
    ("ttft_p99_ms", "TTFT p99, ms"),
    ("tpot_p50_ms", "TPOT p50, ms"),
    ("itl_p99_ms", "ITL p99, ms"),
    ("e2e_p50_ms", "latency p50, ms"),
    ("e2e_p99_ms", "latency p99, ms"),
    ("goodput_req_s", "goodput, req/s"),
    ("gpu_mem_peak_mib", "GPU memory peak, MiB"),
    ("usd_per_mtok_out", "USD per million output tokens"),
];
/// Columns of the list of runs.
const HEADS: [&str; 10] = [
    "base",
    "new",
    "run",
    "started (UTC)",
    "engines",
    "models",
    "workloads",
    "load points",
    "target",
    "ended",
];
/// The files of a run that can be looked at, with words for the link.
const FILES: [(&str, &str); 5] = [
    ("summary.csv", "summary"),
    ("summary.json", "summary with all figures"),
    ("manifest.json", "manifest"),
    ("harness.json", "the harness's health"),
    ("plan.toml", "plan"),
];
/// Longer summaries are cut on the page; the file has them whole.
const MOST_ROWS: usize = 2_000;

fn frame(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title} · benchhost</title><link rel=\"icon\" href=\"/icon.svg\"><link rel=\"stylesheet\" href=\"/style.css\"></head>\n<body>\n<main>\n{body}</main></body></html>\n"
    )
}

/// The list of runs, newest first, in a form that compares two.
pub(crate) fn index(root: &Path, runs: &[Run]) -> String {
    let place = escaped(&root.display().to_string());
    if runs.is_empty() {
        return frame(
            "Runs",
            &format!(
                "<h1>No runs</h1>\n<p>Nothing below <code>{place}</code> has a manifest. <code>benchhost run</code> makes one.</p>\n"
            ),
        );
    }
    let mut known: Vec<(&Run, Facts)> = runs.iter().map(|run| (run, run.facts(root))).collect();
    known.sort_by(|(a, x), (b, y)| y.started.cmp(&x.started).then_with(|| a.name.cmp(&b.name)));
    let rows: String =
        known.iter().enumerate().map(|(at, (run, facts))| index_row(root, run, facts, at)).collect();
    let button =
        if runs.len() > 1 { "<p class=\"stays\"><button>Compare base with new</button></p>\n" } else { "" };
    let heads: String = HEADS.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let body = format!(
        "<h1>Runs</h1>\n<p class=\"muted\">Below <code>{place}</code>, newest first.</p>\n<form action=\"/compare\" method=\"get\">\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Runs\"><table>\n<tr>{heads}</tr>\n{rows}</table></div>\n{button}</form>\n"
    );
    frame("Runs", &body)
}

fn index_row(root: &Path, run: &Run, facts: &Facts, at: usize) -> String {
    let radio = |which: &str, chosen: bool| {
        format!(
            "<td class=\"choice\"><input type=\"radio\" name=\"{which}\" value=\"{}\" aria-label=\"{which}: {}\" required{}></td>",
            escaped(&run.name),
            escaped(&shown_name(run)),
            if chosen { " checked" } else { "" }
        )
    };
    // The two newest, the older one as the base.
    let (base, new) = (radio("base", at == 1), radio("new", at == 0));
    let link = format!("<a href=\"{}\">{}</a>", home(run), escaped(&shown_name(run)));
    if facts.unreadable {
        return format!(
            "<tr>{base}{new}<td>{link}</td><td colspan=\"7\" class=\"bad\">its manifest cannot be read</td></tr>\n"
        );
    }
    let list = |items: &[String]| items.iter().map(|item| escaped(item)).collect::<Vec<_>>().join("<br>");
    format!(
        "<tr>{base}{new}<td>{link}</td><td class=\"whole\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        started(facts),
        list(&facts.engines),
        list(&facts.models),
        list(&facts.workloads),
        verdicts(run.summary(root).as_ref()),
        target(facts),
        ended(facts),
    )
}

/// The page of one run: its report if it has one, and always its facts, table and pictures.
pub(crate) fn run(root: &Path, run: &Run) -> String {
    let facts = run.facts(root);
    let summary = run.summary(root);
    let mut body = format!("<p><a href=\"/\">All runs</a></p>\n<h1>{}</h1>\n", escaped(&shown_name(run)));
    body += &if run.has("report.html") {
        "<p><a href=\"report.html\"><strong>Open the report</strong></a></p>\n".to_owned()
    } else {
        "<p class=\"muted\">No report has been written; <code>benchhost report</code> writes one. Here is what there is.</p>\n".to_owned()
    };
    body += &if facts.unreadable {
        "<p class=\"bad\">Its manifest cannot be read.</p>\n".to_owned()
    } else {
        about(&facts, summary.as_ref())
    };
    body += &match &summary {
        Some(sheet) => table(sheet),
        None => "<p class=\"muted\">No summary: the run was killed or still runs; <code>benchhost recover</code> makes a killed one whole.</p>\n".to_owned(),
    };
    for picture in run.pictures() {
        let (link, name) = (address(&picture), escaped(&picture));
        body += &format!(
            "<figure><a href=\"plots/{link}\"><img src=\"plots/{link}\" alt=\"{name}\" loading=\"lazy\"></a></figure>\n"
        );
    }
    let files: Vec<String> = FILES
        .iter()
        .filter(|(file, _)| run.has(file))
        .map(|(file, words)| format!("<a href=\"{file}\">{words}</a>"))
        .collect();
    body += &format!("<p>Files: {}</p>\n", files.join(" · "));
    frame(&shown_name(run), &body)
}

fn about(facts: &Facts, summary: Option<&Sheet>) -> String {
    let mut out = String::from("<dl>\n");
    let mut say = |what: &str, html: String| {
        if !html.is_empty() {
            out += &format!("<dt>{what}</dt><dd>{html}</dd>\n");
        }
    };
    say("run", escaped(&facts.id));
    say("started (UTC)", started(facts));
    say("target", target(facts));
    say("engines", escaped(&facts.engines.join(", ")));
    say("models", escaped(&facts.models.join(", ")));
    say("workloads", escaped(&facts.workloads.join(", ")));
    say("GPUs", escaped(&facts.gpus.join(", ")));
    say("load points", verdicts(summary));
    say("ended", ended(facts));
    say("made by", escaped(&facts.tool));
    say("notes", facts.notes.iter().map(|note| escaped(note)).collect::<Vec<_>>().join("<br>"));
    out + "</dl>\n"
}

/// Two runs compared, or why not; below, how else they can be compared.
pub(crate) fn comparison(
    root: &Path,
    (base, new): (&Run, &Run),
    choices: &Choices,
    compared: &Result<String, Refused>,
) -> String {
    let side = |what: &str, run: &Run| {
        format!("<dt>{what}</dt><dd><a href=\"{}\">{}</a></dd>\n", home(run), escaped(&shown_name(run)))
    };
    let outcome = match compared {
        Ok(text) => markdown::to_html(text),
        Err(refused) => format!(
            "<p class=\"bad\">These two were not compared.</p>\n<pre>{}</pre>\n",
            escaped(&refused.why)
        ),
    };
    let swapped =
        format!("/compare?base={}&amp;new={}", crate::html::value(&new.name), crate::html::value(&base.name));
    let body = format!(
        "<p><a href=\"/\">All runs</a> · <a href=\"{swapped}\">the other way round</a></p>\n<h1>Comparison</h1>\n<dl>\n{}{}</dl>\n{outcome}{}",
        side("base", base),
        side("new", new),
        otherwise(root, (base, new), choices, compared.as_ref().err())
    );
    frame("Comparison", &body)
}

/// A form that compares the two in another way; empty where there is nothing to choose.
fn otherwise(root: &Path, (base, new): (&Run, &Run), choices: &Choices, refused: Option<&Refused>) -> String {
    let engine = |which: &str, run: &Run, chosen: &str| {
        let known = run.facts(root).configurations;
        if known.len() < 2 {
            return String::new();
        }
        let options: String = known
            .iter()
            .map(|name| {
                let selected = if name == chosen { " selected" } else { "" };
                format!("<option{selected}>{}</option>", escaped(name))
            })
            .collect();
        format!(
            "<label>engine of {which} <select name=\"{which}_engine\"><option value=\"\">the one that both have</option>{options}</select></label>\n"
        )
    };
    let mut boxes = choices.allow.clone();
    boxes.extend(refused.iter().flat_map(|r| r.allow.iter().cloned()));
    boxes.dedup();
    let allowed: String = boxes
        .iter()
        .map(|word| {
            let word = escaped(word);
            format!("<label><input type=\"checkbox\" name=\"allow\" value=\"{word}\" checked> {word} may differ</label>\n")
        })
        .collect();
    let inner =
        engine("base", base, &choices.base_engine) + &engine("new", new, &choices.new_engine) + &allowed;
    if inner.is_empty() {
        return inner;
    }
    format!(
        "<form class=\"otherwise\" action=\"/compare\" method=\"get\"><h2>Compare otherwise</h2>\n<input type=\"hidden\" name=\"base\" value=\"{}\"><input type=\"hidden\" name=\"new\" value=\"{}\">\n{inner}<button>Compare</button></form>\n",
        escaped(&base.name),
        escaped(&new.name)
    )
}

/// Why there is no page.
pub(crate) fn refusal(status: u16, why: &str) -> String {
    frame(
        &status.to_string(),
        &format!("<h1>{status}</h1>\n<p>{}</p>\n<p><a href=\"/\">All runs</a></p>\n", escaped(why)),
    )
}

fn table(sheet: &Sheet) -> String {
    let shown: Vec<(usize, &str)> = COLUMNS
        .iter()
        .filter_map(|(column, title)| Some((sheet.columns.iter().position(|c| c == column)?, *title)))
        .filter(|(at, _)| sheet.rows.iter().any(|row| row.get(*at).is_some_and(|cell| !cell.is_empty())))
        .collect();
    // A column of numbers has its title above them.
    let number = |at: usize| {
        sheet.rows.iter().all(|row| row.get(at).is_none_or(|c| c.is_empty() || c.parse::<f64>().is_ok()))
    };
    let heads: String = shown
        .iter()
        .map(|(at, title)| {
            format!("<th scope=\"col\"{}>{title}</th>", if number(*at) { " class=\"number\"" } else { "" })
        })
        .collect();
    let mut out = format!(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Load points\"><table>\n<tr>{heads}</tr>\n"
    );
    for row in sheet.rows.iter().take(MOST_ROWS) {
        let cells = shown.iter().map(|(at, _)| cell(row.get(*at).map_or("", String::as_str)));
        out += &format!("<tr>{}</tr>\n", cells.collect::<String>());
    }
    out += "</table></div>\n";
    if sheet.rows.len() > MOST_ROWS {
        out += &format!("<p class=\"muted\">The first {MOST_ROWS} of {} rows.</p>\n", sheet.rows.len());
    }
    out
}

/// Numbers to the right; a dash for what is not known.
fn cell(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) => format!("<td class=\"number\">{}</td>", escaped(&rounded(number))),
        Err(_) if text.is_empty() => "<td class=\"number\">–</td>".to_owned(),
        Err(_) if matches!(text, "invalid" | "suspect") => {
            format!("<td class=\"bad\">{}</td>", text.to_uppercase())
        }
        Err(_) if text == "valid" => "<td>VALID</td>".to_owned(),
        Err(_) => format!("<td>{}</td>", escaped(text)),
    }
}

/// Four significant digits, whole numbers whole; the file has them all.
fn rounded(number: f64) -> String {
    let size = number.abs();
    if number.fract() == 0.0 || !number.is_finite() || size >= 1000.0 {
        format!("{number:.0}")
    } else {
        let before = [1.0, 10.0, 100.0].iter().filter(|step| size >= **step).count();
        format!("{number:.*}", 4 - before)
    }
}

/// `2026-11-22 09:46` of seconds since 1970; empty where the manifest does not say.
fn started(facts: &Facts) -> String {
    if facts.started == 0 {
        return String::new();
    }
    let (days, second) = (facts.started / 86_400, facts.started % 86_400);
    let (year, month, day) = date(days);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}", second / 3600, second / 60 % 60)
}

/// The Gregorian date so many days after the first of January 1970.
fn date(days: u64) -> (u64, u64, u64) {
    // Years from March on have their leap day last. 719,468 days before 1970 a 400-year cycle begins.
    let shifted = days.min(u64::from(u32::MAX)) + 719_468;
    let (cycle, of_cycle) = (shifted / 146_097, shifted % 146_097);
    let year = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (400 * cycle + year + u64::from(month < 3), month, day)
}

/// `12: 10 VALID, 2 SUSPECT`; a run from before verdicts has only the number.
fn verdicts(summary: Option<&Sheet>) -> String {
    let Some(sheet) = summary else { return String::new() };
    let counts: Vec<String> = sheet
        .counts("verdict")
        .iter()
        .map(|(word, n)| {
            let text = format!("{n} {}", escaped(&word.to_uppercase()));
            if *word == "valid" { text } else { format!("<span class=\"bad\">{text}</span>") }
        })
        .collect();
    let colon = if counts.is_empty() { "" } else { ": " };
    format!("{}{colon}{}", sheet.rows.len(), counts.join(", "))
}

fn target(facts: &Facts) -> String {
    let text = escaped(&facts.target);
    if facts.target == "simulated" { format!("<span class=\"bad\">{text}</span>") } else { text }
}

fn ended(facts: &Facts) -> String {
    match facts.ended.as_str() {
        "complete" => "complete".to_owned(),
        "" => "<span class=\"bad\">killed, or still running</span>".to_owned(),
        other => format!("<span class=\"bad\">{}</span>", escaped(other)),
    }
}

fn shown_name(run: &Run) -> String {
    if run.name.is_empty() { "(this directory)".to_owned() } else { run.name.clone() }
}

fn home(run: &Run) -> String {
    if run.name.is_empty() { "/runs/".to_owned() } else { format!("/runs/{}/", address(&run.name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        let of = |started| super::started(&Facts { started, ..Facts::default() });
        assert_eq!(of(0), "");
        assert_eq!(of(1_795_340_790), "2026-11-22 09:46");
        assert_eq!(of(951_782_400), "2000-02-29 00:00");
        assert_eq!(of(4_107_542_399), "2100-02-28 23:59");
        assert_eq!(of(4_107_542_400), "2100-03-01 00:00");
        assert!(!of(u64::MAX).is_empty());
    }

    #[test]
    fn figures_have_four_digits_and_counts_have_all() {
        let shown: Vec<String> =
            [9.048_500_074, 0.062_011, 212.291_7, 1387.5, 40.0, 123_456.0, -1.5, f64::NAN]
                .map(rounded)
                .to_vec();
        assert_eq!(shown, ["9.049", "0.0620", "212.3", "1388", "40", "123456", "-1.500", "NaN"]);
    }
}
