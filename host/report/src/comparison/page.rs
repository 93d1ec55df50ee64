//! `compare.html`: a comparison as one file that needs no network and runs no script. Whatever a server or a plan said
//! arrives as escaped text. Style and fonts are those of the report's page.

use std::fmt::Write as _;

use super::detail::{percentile, sentence, shifted, worst};
use super::evidence::{change, margin, name, p_values, pair, runs, verdict};
use super::{ComparedGroup, ComparisonTable, Detail, Side, Tone};
use crate::page::escape::{allowance, html};
use crate::page::style;
use crate::pictures::Picture;

/// Pictures together; what does not fit is beside the page.
const PICTURE_BYTES: usize = 3_000_000;

/// The page of one comparison or several against the same base, each with its pictures.
pub fn comparison_page(comparisons: &[(&ComparisonTable, &[Picture])]) -> String {
    let style = format!(
        "{}\n.bad{{color:var(--alert);font-weight:600}}.good{{color:var(--ok);font-weight:600}}.scroll{{max-height:none}}\n",
        style()
    );
    let title = match comparisons {
        [(one, _)] => format!("{} against {}", one.new.label, one.base.label),
        several => format!("{} results against one base", several.len()),
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; font-src data:; \
         base-uri 'none'; form-action 'none'\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"referrer\" content=\"no-referrer\"><title>{} – benchhost compare</title><style>{style}</style></head>\
         <body><main><h1>{}</h1>",
        allowance(&style),
        html(&title),
        html(&title)
    );
    let mut room = PICTURE_BYTES;
    for (table, pictures) in comparisons {
        one(&mut out, table, pictures, &mut room);
    }
    out + "</main></body></html>\n"
}

fn one(out: &mut String, table: &ComparisonTable, pictures: &[Picture], room: &mut usize) {
    for work in &table.work {
        let _infallible = write!(out, "<p class=\"banner\"><b>{}</b></p>", html(work));
    }
    if table.base.simulated || table.new.simulated {
        out.push_str(
            "<p class=\"banner\"><b>SIMULATED</b>: the built-in simulator answered; see the sides below.</p>",
        );
    }
    let _infallible = write!(out, "<h2>{}</h2>", html(&table.sentence));
    let side = |word: &str, side: &Side| {
        let mark = if side.simulated { " · SIMULATED" } else { "" };
        let runs = if side.runs == 1 { "1 run".to_owned() } else { format!("{} runs", side.runs) };
        format!("<li>{word}: <b>{}</b> · {runs}{mark}</li>", html(&side.label))
    };
    let _infallible =
        write!(out, "<ul class=\"says\">{}{}</ul>", side("base", &table.base), side("new", &table.new));
    for group in &table.groups {
        figures(out, group);
    }
    draw(out, pictures, room);
    for group in &table.groups {
        if let Some(detail) = &group.detail {
            behind(out, &group.heading, detail);
        }
    }
    for (title, lines) in [
        ("Differences", &table.differences),
        ("Not checked", &table.unchecked),
        ("Health", &table.health),
        ("Notes", &table.notes),
    ] {
        list(out, title, lines.iter().map(String::as_str));
    }
}

fn list<'a>(out: &mut String, title: &str, lines: impl Iterator<Item = &'a str>) {
    let items: Vec<String> = lines.map(|line| format!("<li>{}</li>", html(line))).collect();
    if !items.is_empty() {
        let _infallible = write!(out, "<h3>{}</h3><ul class=\"says\">{}</ul>", html(title), items.concat());
    }
}

/// A table; the first row is its head.
fn grid(out: &mut String, caption: &str, head: &[String], rows: impl Iterator<Item = Vec<String>>) {
    let _infallible = write!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table><caption class=\"unseen\">{0}</caption><thead><tr>",
        html(caption)
    );
    for cell in head {
        let _infallible = write!(out, "<th scope=\"col\">{}</th>", html(cell));
    }
    out.push_str("</tr></thead><tbody>");
    for row in rows {
        let _infallible = write!(out, "<tr>{}</tr>", row.join(""));
    }
    out.push_str("</tbody></table></div>");
}

fn cell(text: &str) -> String {
    format!("<td>{}</td>", html(text))
}

fn figures(out: &mut String, group: &ComparedGroup) {
    let _infallible = write!(
        out,
        "<h3>{}</h3><p class=\"note\">Figures that decide the exit code stand first and are bold.</p>",
        html(&group.heading)
    );
    let head = ["Figure", "Base → new", "Change [90 % interval]", "Margin", "Runs", "p", "Verdict"];
    let rows = group.rows.iter().map(|row| {
        let class = match row.tone {
            Tone::Bad => " class=\"bad\"",
            Tone::Good => " class=\"good\"",
            Tone::Calm | Tone::Open => "",
        };
        let note = if row.note.is_empty() {
            String::new()
        } else {
            format!("<br><small>{}</small>", html(&row.note))
        };
        let figure = html(&name(row));
        let figure =
            if row.gates { format!("<td><b>{figure}</b></td>") } else { format!("<td>{figure}</td>") };
        let word = format!("<td{class}>{}{note}</td>", html(&verdict(row)));
        vec![
            figure,
            cell(&pair(row)),
            cell(&change(row)),
            cell(&margin(row)),
            cell(&runs(row)),
            cell(&p_values(row)),
            word,
        ]
    });
    grid(out, &format!("Figures, {}", group.heading), &head.map(str::to_owned), rows);
}

fn draw(out: &mut String, pictures: &[Picture], room: &mut usize) {
    let mut beside = Vec::new();
    for picture in pictures {
        let svg = picture.svg.as_str();
        if svg.len() > *room {
            beside.push(format!("plots/{}.svg", picture.name));
            continue;
        }
        *room -= svg.len();
        let _infallible = write!(out, "<figure>{svg}</figure>");
    }
    list(out, "More pictures", beside.iter().map(String::as_str));
}

/// Every percentile, and the prompts.
fn behind(out: &mut String, heading: &str, detail: &Detail) {
    let latencies: Vec<_> = detail.latencies.iter().filter(|l| !l.shift.is_empty()).collect();
    if let Some(longest) = latencies.iter().max_by_key(|l| l.shift.len()) {
        let _infallible = write!(out, "<details><summary>Every percentile, {}</summary>", html(heading));
        let mut head = vec!["Percentile".to_owned()];
        head.extend(
            latencies
                .iter()
                .flat_map(|l| [format!("{} ({})", l.metric, l.unit), format!("{} change [band]", l.metric)]),
        );
        let rows = longest.shift.iter().map(|at| {
            let mut row = vec![cell(&percentile(at.quantile))];
            for latency in &latencies {
                let own = latency.shift.iter().find(|r| (r.quantile - at.quantile).abs() < 1e-9);
                let number = crate::numbers::figure;
                row.push(cell(
                    &own.map_or(String::new(), |r| format!("{} → {}", number(r.base), number(r.new))),
                ));
                row.push(cell(&own.map_or(String::new(), |r| shifted(r, &latency.unit))));
            }
            row
        });
        grid(out, &format!("Percentiles, {heading}"), &head, rows);
        out.push_str("</details>");
    }
    let mut lines = Vec::new();
    for latency in &detail.latencies {
        if !latency.shift_note.is_empty() {
            lines.push(format!("{}: {}", latency.metric, latency.shift_note));
        }
        if let Some(prompts) = &latency.prompts {
            lines.push(sentence(latency, prompts));
            lines.extend(
                prompts
                    .worst
                    .iter()
                    .map(|row| format!("{} of {}", latency.metric, worst(row, &latency.unit))),
            );
        } else if !latency.prompts_note.is_empty() {
            lines.push(format!("{}: {}", latency.metric, latency.prompts_note));
        }
    }
    list(out, &format!("Prompt by prompt, {heading}"), lines.iter().map(String::as_str));
}
