//! The page itself: head with what the page allows itself, sections, data and script.

use std::fmt::Write as _;

use super::charts::{Chosen, Source, charts};
use super::escape::{allowance, base64, html, html_lines, json};
use super::{Page, headlines, points};
use crate::findings::{findings_sentences, findings_table};

const SCRIPT: &str = include_str!("../../assets/page.js");
const STYLE: &str = include_str!("../../assets/page.css");
const REGULAR: &[u8] = include_bytes!("../../fonts/Inter-Regular.sub.woff2");
const SEMI_BOLD: &[u8] = include_bytes!("../../fonts/Inter-SemiBold.sub.woff2");
/// Static figures together, so that the file stays small.
const STATIC_BYTES: usize = 90_000;
/// So many sentences of findings are shown unfolded.
const WORDS_OPEN: usize = 8;
/// Manifests together.
const MANIFEST_BYTES: usize = 60_000;

/// `report.html`.
pub fn page(page: &Page<'_>) -> String {
    let source = Source::of(page);
    let chosen = charts(&source);
    let style = style();
    let title = headlines::title(&source);
    let mut out = head(&title, &style);
    let _infallible = write!(
        out,
        "<body><main><h1>{}</h1><p class=\"sub\">{}</p>",
        html(&title),
        html(&headlines::subtitle(page))
    );
    out.push_str(&banners(page));
    out.push_str("<div class=\"kpis\">");
    for (figure, what) in headlines::boxes(page) {
        let _infallible = write!(out, "<div><b>{}</b><span>{}</span></div>", html(&figure), html(&what));
    }
    out.push_str("</div>");
    out.push_str(&findings(page));
    out.push_str(&sections(&chosen));
    out.push_str(&statics(page, &chosen));
    out.push_str("<section class=\"points\"><h2>All points</h2><p class=\"note\">Every row of the runs. Small below a figure: its 95 % interval within the run. “Harness ≤” bounds how far this program itself may have bent the latency.</p>");
    out.push_str(&points::table(page.rows));
    out.push_str("</section>");
    let remarks = points::remarks(page.rows);
    if !remarks.is_empty() {
        let _infallible = write!(out, "<h3>What must be known of single points</h3>{remarks}");
    }
    if !chosen.left_out.is_empty() {
        out.push_str("<h2>Not shown</h2><ul class=\"says\">");
        for reason in &chosen.left_out {
            let _infallible = write!(out, "<li>{}</li>", html(reason));
        }
        out.push_str("</ul>");
    }
    out.push_str(&environment(page));
    let _infallible = writeln!(
        out,
        "</main><script type=\"application/json\" id=\"data\">{}</script><script>{SCRIPT}</script></body></html>",
        json(&chosen.data)
    );
    out
}

pub(crate) fn style() -> String {
    let face = |weight: &str, font: &[u8]| {
        format!(
            "@font-face{{font-family:Inter;font-weight:{weight};src:url(data:font/woff2;base64,{}) format(\"woff2\")}}\n",
            base64(font)
        )
    };
    format!("{}{}{STYLE}", face("400", REGULAR), face("600 700", SEMI_BOLD))
}

fn head(title: &str, style: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {}; style-src {}; \
         font-src data:; base-uri 'none'; form-action 'none'\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"referrer\" content=\"no-referrer\"><title>{} – benchhost</title><style>{style}</style></head>",
        allowance(SCRIPT),
        allowance(style),
        html(title),
    )
}

/// What stands above everything: simulated, broken off, not valid.
fn banners(page: &Page<'_>) -> String {
    let mut said: Vec<(&str, String)> = Vec::new();
    let simulated = page.rows.iter().filter(|r| r.target == benchhost_model::Target::Simulated).count();
    if simulated > 0 && simulated == page.rows.len() {
        said.push(("SIMULATED", "the built-in simulator answered, no real server was measured.".to_owned()));
    } else if simulated > 0 {
        said.push((
            "SIMULATED",
            format!("in {simulated} of {} points the built-in simulator answered.", page.rows.len()),
        ));
    }
    for run in &page.runs {
        said.extend(run.warnings.iter().map(|w| ("Note", format!("{}: {w}", run.run_id))));
    }
    for (verdict, meaning) in [
        (
            benchhost_model::Verdict::Invalid,
            "show this program or its machine rather than the server; do not use them",
        ),
        (benchhost_model::Verdict::Suspect, "may be bent by this program or its machine"),
    ] {
        let n = page.rows.iter().filter(|r| r.verdict == Some(verdict)).count();
        if n > 0 {
            let word = if verdict == benchhost_model::Verdict::Invalid { "INVALID" } else { "SUSPECT" };
            said.push((
                word,
                format!("{n} of {} points {meaning}. The reasons stand below the table.", page.rows.len()),
            ));
        }
    }
    let mut out = String::new();
    for (word, text) in said {
        let _infallible = write!(out, "<p class=\"banner\"><b>{}</b>: {}</p>", html(word), html(&text));
    }
    out
}

fn findings(page: &Page<'_>) -> String {
    let sentences = findings_sentences(&page.findings);
    let (heads, rows) = findings_table(&page.findings);
    let mut out = String::from("<h2>Findings</h2>");
    let item = |s: &String| format!("<li>{}</li>", html(s));
    let advice = page.findings.advice.len();
    let _infallible = write!(
        out,
        "<ul class=\"says\">{}</ul>",
        sentences.iter().take(advice).map(item).collect::<String>()
    );
    if !rows.is_empty() {
        out.push_str("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Findings\"><table class=\"sort\"><caption class=\"unseen\">Findings, a row for each swept axis</caption><thead><tr>");
        for head in heads {
            let _infallible = write!(out, "<th scope=\"col\">{}</th>", html(head));
        }
        out.push_str("</tr></thead><tbody>");
        for row in rows {
            out.push_str("<tr>");
            for (text, number) in row {
                let value = number.map_or(String::new(), |n| format!(" data-v=\"{n}\""));
                let _infallible = write!(out, "<td{value}>{}</td>", html(&text));
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table></div>");
    }
    let rest: String = sentences.iter().skip(advice).map(item).collect();
    if !rest.is_empty() {
        let open = if sentences.len() - advice <= WORDS_OPEN { " open" } else { "" };
        let _infallible = write!(
            out,
            "<details class=\"words\"{open}><summary>In words</summary><ul class=\"says\">{rest}</ul></details>"
        );
    }
    out
}

/// Hidden until the script has something to put below each heading.
fn sections(chosen: &Chosen) -> String {
    let mut out = String::from("<h2>Charts</h2>");
    for chart in &chosen.data.charts {
        let (open, middle, close) =
            if chart.folded { ("<details><summary>", "</summary>", "</details>") } else { ("", "", "") };
        let _infallible = write!(
            out,
            "<section hidden>{open}<h3>{}</h3>{middle}<p class=\"note\">{}</p><div id=\"chart-{}\"></div>{close}</section>",
            html(&chart.title),
            html(&chart.note),
            html(&chart.id)
        );
    }
    out
}

/// Static figures for readers whose browser runs no script.
fn statics(page: &Page<'_>, chosen: &Chosen) -> String {
    let mut out = String::from("<noscript><p class=\"note\">Scripts are off: these are static figures.</p>");
    let (mut taken, mut more) = (0, Vec::new());
    for picture in page.pictures {
        let svg = picture.svg.as_str();
        if taken + svg.len() > STATIC_BYTES {
            more.push(picture.name.as_str());
            continue;
        }
        taken += svg.len();
        let _infallible = write!(out, "<figure>{svg}</figure>");
    }
    if !more.is_empty() {
        let _infallible = write!(
            out,
            "<p class=\"note\">Also in the folder <code>plots</code>: {}</p>",
            html(&more.join(", "))
        );
    }
    let titles: Vec<&str> = chosen.data.charts.iter().map(|c| c.title.as_str()).collect();
    if !titles.is_empty() {
        let _infallible =
            write!(out, "<p class=\"note\">With scripts the page draws: {}.</p>", html(&titles.join("; ")));
    }
    out + "</noscript>"
}

fn environment(page: &Page<'_>) -> String {
    let mut out = String::from("<h2>Environment</h2>");
    let mut room = MANIFEST_BYTES;
    for run in &page.runs {
        let text = serde_json::to_string_pretty(&run.manifest).unwrap_or_default();
        let shown = if text.len() <= room {
            html_lines(&text)
        } else {
            "too long to repeat here; it is `manifest.json` of the run".to_owned()
        };
        room = room.saturating_sub(text.len());
        let _infallible = write!(
            out,
            "<p>Run {} · {} · {} · {}</p><details class=\"raw\"><summary>Manifest: plugins, servers, options, machine</summary><pre tabindex=\"0\">{shown}</pre></details>",
            html(&run.run_id),
            html(&run.started),
            html(&run.tool),
            html(&run.machine),
        );
    }
    out
}
