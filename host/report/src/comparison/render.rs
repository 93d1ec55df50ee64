//! A [`ComparisonTable`] as text, Markdown and JSON.

use serde::Serialize;

use super::{ComparedRow, ComparisonTable, Difference, Side, Word};
use crate::lines::{clean, cut, wrap};
use crate::numbers::{NOTHING, changes, figure, percent};
use crate::tables::grid::{Align, Column, TABLE_WIDTH, TableStyle, escaped, heading, tables};

/// Version of the JSON form; raised when a field changes its meaning or goes.
const SCHEMA_VERSION: u32 = 1;
/// Widest metric name with its arrow, in columns.
const METRIC_WIDTH: usize = 26;

impl ComparisonTable {
    /// For a terminal or a log, or as Markdown. `Plain` is at most 80 columns wide and ends without a line feed.
    pub fn to_text(&self, style: TableStyle) -> String {
        let mut blocks = vec![self.sides(style)];
        let cells: Vec<Vec<Vec<String>>> =
            self.groups.iter().map(|g| g.rows.iter().map(|r| cells(r, style)).collect()).collect();
        for (group, table) in self.groups.iter().zip(tables(style, &header(), &cells)) {
            let head = heading(style, &clean(&group.heading), "");
            blocks.push(match style {
                TableStyle::Plain => format!("{head}\n{table}"),
                TableStyle::Markdown => format!("{head}\n\n{table}"),
            });
        }
        if self.groups.is_empty() {
            blocks.push("nothing could be compared".to_owned());
        }
        blocks.push(self.notes(style));
        blocks.push(match style {
            TableStyle::Plain => wrap(&clean(&self.conclusion), TABLE_WIDTH, 0).join("\n"),
            TableStyle::Markdown => escaped(&clean(&self.conclusion)),
        });
        blocks.retain(|b| !b.is_empty());
        blocks.join("\n\n")
    }

    /// For programs: `{"schema_version": 1, "base": {…}, "new": {…}, "groups": […], "notes": […], "conclusion": "…"}`.
    /// A row has its verdict as a word and, when it is `missing`, a reason.
    pub fn to_json(&self) -> String {
        let groups: Vec<GroupJson<'_>> = self
            .groups
            .iter()
            .map(|g| GroupJson { heading: &g.heading, rows: g.rows.iter().map(RowJson::from).collect() })
            .collect();
        let file = FileJson {
            schema_version: SCHEMA_VERSION,
            base: &self.base,
            new: &self.new,
            groups,
            notes: &self.notes,
            conclusion: &self.conclusion,
        };
        // Numbers that are not finite become null and there are no maps, so this cannot fail.
        let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
        text.push('\n');
        text
    }

    fn sides(&self, style: TableStyle) -> String {
        let line = |name: &str, side: &Side| {
            let runs = if side.runs == 1 { "1 run".to_owned() } else { format!("{} runs", side.runs) };
            let mark = if side.simulated { " — SIMULATED" } else { "" };
            match style {
                TableStyle::Plain => {
                    let tail = format!(" · {runs}{mark}");
                    let room = TABLE_WIDTH - name.len() - 2 - tail.chars().count();
                    format!("{name}  {}{tail}", cut(&clean(&side.label), room))
                }
                TableStyle::Markdown => {
                    format!("- {}: **{}** · {runs}{mark}", name.trim_end(), escaped(&clean(&side.label)))
                }
            }
        };
        [line("base", &self.base), line("new ", &self.new)].join("\n")
    }

    /// The given notes, after what follows from the table itself.
    fn notes(&self, style: TableStyle) -> String {
        let mut notes = Vec::new();
        let who = match (self.base.simulated, self.new.simulated) {
            (true, true) => "both sides were",
            (true, false) => "the base side was",
            (false, true) => "the new side was",
            (false, false) => "",
        };
        if !who.is_empty() {
            notes.push(format!("SIMULATED: {who} answered by the built-in simulator, not by a real server."));
        }
        for group in &self.groups {
            for row in &group.rows {
                if let Word::Missing(reason) = &row.verdict {
                    notes.push(format!(
                        "missing: {}, {}: {}",
                        clean(&group.heading),
                        row.metric,
                        clean(reason)
                    ));
                }
            }
        }
        notes.extend(self.notes.iter().map(|n| clean(n)));
        let lines = notes.iter().map(|n| match style {
            TableStyle::Plain => wrap(n, TABLE_WIDTH, 2).join("\n"),
            TableStyle::Markdown => format!("- {}", escaped(n)),
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn header() -> [Column; 5] {
    [
        Column::new("↑ higher, ↓ lower", "is better", Align::Left),
        Column::new("", "base", Align::Point),
        Column::new("", "new", Align::Point),
        Column::new("", "change [interval]", Align::Left),
        Column::new("", "verdict", Align::Left),
    ]
}

fn cells(row: &ComparedRow, style: TableStyle) -> Vec<String> {
    let arrow = if row.higher_is_better { '↑' } else { '↓' };
    let unit = if row.unit.is_empty() { String::new() } else { format!(" {}", clean(&row.unit)) };
    let name = format!("{}{unit} {arrow}", clean(&row.metric));
    let name = if style == TableStyle::Plain { cut(&name, METRIC_WIDTH) } else { name };
    let number = |v: Option<f64>| v.map_or(NOTHING.to_owned(), figure);
    let change = match (&row.difference, row.relative, row.interval) {
        (Some(difference), ..) => absolute(difference),
        (None, None, _) => NOTHING.to_owned(),
        (None, Some(r), None) => percent(r),
        (None, Some(r), Some((low, high))) => {
            let bound = |v: f64| percent(v).trim_end_matches('%').to_owned();
            format!("{} [{}, {}]", percent(r), bound(low), bound(high))
        }
    };
    vec![name, number(row.base), number(row.new), change, row.verdict.as_str().to_owned()]
}

/// `+1.2 pt [+0.1, +2.4]`.
fn absolute(difference: &Difference) -> String {
    let unit =
        if difference.unit.is_empty() { String::new() } else { format!(" {}", clean(&difference.unit)) };
    match difference.interval {
        None => format!("{}{unit}", changes(&[difference.estimate])[0]),
        Some((low, high)) => {
            let texts = changes(&[difference.estimate, low, high]);
            format!("{}{unit} [{}, {}]", texts[0], texts[1], texts[2])
        }
    }
}

#[derive(Serialize)]
struct FileJson<'a> {
    schema_version: u32,
    base: &'a Side,
    new: &'a Side,
    groups: Vec<GroupJson<'a>>,
    notes: &'a [String],
    conclusion: &'a str,
}

#[derive(Serialize)]
struct GroupJson<'a> {
    heading: &'a str,
    rows: Vec<RowJson<'a>>,
}

#[derive(Serialize)]
struct RowJson<'a> {
    metric: &'a str,
    unit: &'a str,
    higher_is_better: bool,
    base: Option<f64>,
    new: Option<f64>,
    relative: Option<f64>,
    interval: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<&'a Difference>,
    verdict: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> From<&'a ComparedRow> for RowJson<'a> {
    fn from(row: &'a ComparedRow) -> Self {
        Self {
            metric: &row.metric,
            unit: &row.unit,
            higher_is_better: row.higher_is_better,
            base: row.base,
            new: row.new,
            relative: row.relative,
            interval: row.interval,
            difference: row.difference.as_ref(),
            verdict: row.verdict.as_str().replace(' ', "_"),
            reason: if let Word::Missing(reason) = &row.verdict { Some(reason) } else { None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ComparedGroup;
    use crate::lines::columns;

    fn compared(
        metric: &str,
        unit: &str,
        up: bool,
        pair: (f64, f64),
        interval: f64,
        verdict: Word,
    ) -> ComparedRow {
        let relative = pair.1 / pair.0 - 1.0;
        ComparedRow {
            metric: metric.into(),
            unit: unit.into(),
            higher_is_better: up,
            base: Some(pair.0),
            new: Some(pair.1),
            relative: Some(relative),
            interval: Some((relative - interval, relative + interval)),
            difference: None,
            verdict,
        }
    }

    fn example() -> ComparisonTable {
        let mut missing = compared(
            "TTFT p99",
            "ms",
            false,
            (1.0, 1.0),
            0.0,
            Word::Missing("fewer than 100 requests".into()),
        );
        (missing.base, missing.new, missing.relative, missing.interval) = (None, Some(310.0), None, None);
        ComparisonTable {
            base: Side { label: "vllm fp16".into(), simulated: false, runs: 5 },
            new: Side { label: "vllm fp8".into(), simulated: true, runs: 1 },
            groups: vec![ComparedGroup {
                heading: "empathetic · llama-3-8b · concurrency=8".into(),
                rows: vec![
                    compared("output throughput", "tok/s", true, (2414.3, 2711.0), 0.02, Word::Better),
                    compared("TTFT p50", "ms", false, (32.0, 39.1), 0.05, Word::Worse),
                    compared("TPOT p50", "ms", false, (7.01, 7.02), 0.005, Word::Same),
                    compared("e2e p50", "ms", false, (4164.0, 4001.0), 0.06, Word::Unclear),
                    compared("peak GPU memory", "GiB", false, (26.6, 18.0), 0.01, Word::IndicativeBetter),
                    missing,
                ],
            }],
            notes: vec!["95% intervals; margin 2%.".into()],
            conclusion: "vllm fp8 is faster in output throughput (+12.3%) and slower to the first token."
                .into(),
        }
    }

    #[test]
    fn text_for_a_terminal() {
        insta::assert_snapshot!(example().to_text(TableStyle::Plain), @"
        base  vllm fp16 · 5 runs
        new   vllm fp8 · 1 run — SIMULATED

        empathetic · llama-3-8b · concurrency=8
        ↑ higher, ↓ lower
        is better                  base   new change [interval]     verdict
        ─────────────────────────────────────────────────────────────────────────────
        output throughput tok/s ↑ 2,414 2,711 +12.3% [+10.3, +14.3] better
        TTFT p50 ms ↓              32.0  39.1 +22.2% [+17.2, +27.2] worse
        TPOT p50 ms ↓              7.01  7.02 +0.1% [−0.4, +0.6]    same
        e2e p50 ms ↓              4,164 4,001 −3.9% [−9.9, +2.1]    unclear
        peak GPU memory GiB ↓      26.6  18.0 −32.3% [−33.3, −31.3] indicative better
        TTFT p99 ms ↓                 –   310 –                     missing

        SIMULATED: the new side was answered by the built-in simulator, not by a real
          server.
        missing: empathetic · llama-3-8b · concurrency=8, TTFT p99: fewer than 100
          requests
        95% intervals; margin 2%.

        vllm fp8 is faster in output throughput (+12.3%) and slower to the first token.
        ");
    }

    #[test]
    fn markdown_for_a_pull_request() {
        insta::assert_snapshot!(example().to_text(TableStyle::Markdown), @r#"
        - base: **vllm fp16** · 5 runs
        - new: **vllm fp8** · 1 run — SIMULATED

        **empathetic · llama-3-8b · concurrency=8**

        | ↑ higher, ↓ lower is better |  base |   new | change [interval]       | verdict           |
        |-----------------------------|------:|------:|-------------------------|-------------------|
        | output throughput tok/s ↑   | 2,414 | 2,711 | +12.3% \[+10.3, +14.3\] | better            |
        | TTFT p50 ms ↓               |  32.0 |  39.1 | +22.2% \[+17.2, +27.2\] | worse             |
        | TPOT p50 ms ↓               |  7.01 |  7.02 | +0.1% \[−0.4, +0.6\]    | same              |
        | e2e p50 ms ↓                | 4,164 | 4,001 | −3.9% \[−9.9, +2.1\]    | unclear           |
        | peak GPU memory GiB ↓       |  26.6 |  18.0 | −32.3% \[−33.3, −31.3\] | indicative better |
        | TTFT p99 ms ↓               |     – |   310 | –                       | missing           |

        - SIMULATED: the new side was answered by the built-in simulator, not by a real server.
        - missing: empathetic · llama-3-8b · concurrency=8, TTFT p99: fewer than 100 requests
        - 95% intervals; margin 2%.

        vllm fp8 is faster in output throughput (+12.3%) and slower to the first token.
        "#);
    }

    #[test]
    fn json_for_programs() {
        let mut small = example();
        small.groups[0].rows.retain(|r| matches!(r.verdict, Word::IndicativeBetter | Word::Missing(_)));
        small.groups[0].rows[0].relative = Some(-0.25);
        small.groups[0].rows[0].interval = Some((-0.5, f64::INFINITY));
        insta::assert_snapshot!(small.to_json(), @r#"
        {
          "schema_version": 1,
          "base": {
            "label": "vllm fp16",
            "simulated": false,
            "runs": 5
          },
          "new": {
            "label": "vllm fp8",
            "simulated": true,
            "runs": 1
          },
          "groups": [
            {
              "heading": "empathetic · llama-3-8b · concurrency=8",
              "rows": [
                {
                  "metric": "peak GPU memory",
                  "unit": "GiB",
                  "higher_is_better": false,
                  "base": 26.6,
                  "new": 18.0,
                  "relative": -0.25,
                  "interval": [
                    -0.5,
                    null
                  ],
                  "verdict": "indicative_better"
                },
                {
                  "metric": "TTFT p99",
                  "unit": "ms",
                  "higher_is_better": false,
                  "base": null,
                  "new": 310.0,
                  "relative": null,
                  "interval": null,
                  "verdict": "missing",
                  "reason": "fewer than 100 requests"
                }
              ]
            }
          ],
          "notes": [
            "95% intervals; margin 2%."
          ],
          "conclusion": "vllm fp8 is faster in output throughput (+12.3%) and slower to the first token."
        }
        "#);
    }

    #[test]
    fn a_difference_stands_in_place_of_the_relative_change() {
        let mut table = example();
        let row = &mut table.groups[0].rows[0];
        row.difference = Some(Difference { estimate: 1.24, interval: Some((-0.1, 2.4)), unit: "pt".into() });
        let text = table.to_text(TableStyle::Plain);
        assert!(text.contains(" +1.2 pt [−0.1, +2.4] ") && !text.contains("+12.3% ["), "{text}");
        let json: serde_json::Value = serde_json::from_str(&table.to_json()).unwrap();
        let difference = &json["groups"][0]["rows"][0]["difference"];
        assert_eq!((&difference["estimate"], &difference["unit"]), (&1.24.into(), &"pt".into()));
        assert_eq!(difference["interval"], serde_json::json!([-0.1, 2.4]));
        assert!(json["groups"][0]["rows"][1].get("difference").is_none());
        table.groups[0].rows[0].difference =
            Some(Difference { estimate: 0.031, interval: None, unit: String::new() });
        assert!(table.to_text(TableStyle::Plain).contains(" +0.031 "));
    }

    #[test]
    fn each_side_that_was_simulated_is_named() {
        let mut table = example();
        for (base, new, words) in [
            (false, true, "the new side was"),
            (true, false, "the base side was"),
            (true, true, "both sides were"),
        ] {
            (table.base.simulated, table.new.simulated) = (base, new);
            for style in [TableStyle::Plain, TableStyle::Markdown] {
                let text = table.to_text(style);
                assert!(text.contains(&format!("SIMULATED: {words} answered")), "{text}");
            }
        }
        (table.base.simulated, table.new.simulated) = (false, false);
        assert!(!table.to_text(TableStyle::Plain).contains("SIMULATED"));
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let mut table = example();
        table.base.label = "a long label of a base ".repeat(9);
        table.conclusion = "words ".repeat(60);
        table.groups[0].heading = "heading ".repeat(30);
        for row in &mut table.groups[0].rows {
            row.metric.push_str(" of something with a long name");
            row.base = Some(1.234e-9);
            row.relative = Some(4567.0);
            row.interval = Some((-1.0, 9.9e9));
        }
        table.groups[0].rows[1].difference =
            Some(Difference { estimate: -1.2e5, interval: Some((-9.9e9, 0.5)), unit: "pt".into() });
        for line in table.to_text(TableStyle::Plain).lines() {
            assert!(columns(line) <= TABLE_WIDTH, "{} {line}", columns(line));
        }
    }

    #[test]
    fn nothing_to_compare_says_so() {
        let mut table = example();
        table.groups.clear();
        assert!(table.to_text(TableStyle::Plain).contains("nothing could be compared"));
    }
}
