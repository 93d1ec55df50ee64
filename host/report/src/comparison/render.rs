//! A [`ComparisonTable`] as text and Markdown.

use super::evidence::{change, margin, name, p_values, pair, runs, verdict};
use super::{ComparedGroup, ComparedRow, ComparisonTable, Side, Tone};
use crate::lines::{clean, columns, cut, wrap};
use crate::tables::TABLE_WIDTH;
use crate::tables::grid::{TableStyle, escaped, heading};

impl ComparisonTable {
    /// For a terminal or a log, or as Markdown. `Plain` is at most 80 columns wide and ends without a line feed.
    pub fn to_text(&self, style: TableStyle) -> String {
        let mut blocks = vec![
            self.work.iter().map(|w| loud(w, style)).collect::<Vec<_>>().join("\n"),
            loud(&self.sentence, style),
            self.sides(style),
        ];
        for group in &self.groups {
            blocks.push(match style {
                TableStyle::Plain => plain(group),
                TableStyle::Markdown => markdown(group),
            });
            blocks.extend(group.detail.as_ref().map(|d| d.to_text(style)));
        }
        if self.groups.is_empty() {
            blocks.push("nothing could be compared".to_owned());
        }
        for (title, lines) in [
            ("Differences", &self.differences),
            ("Not checked", &self.unchecked),
            ("Health", &self.health),
            ("Notes", &self.notes),
        ] {
            blocks.push(list(title, lines, style));
        }
        blocks.retain(|b| !b.is_empty());
        blocks.join("\n\n")
    }

    fn sides(&self, style: TableStyle) -> String {
        let line = |name: &str, side: &Side| {
            let runs = if side.runs == 1 { "1 run".to_owned() } else { format!("{} runs", side.runs) };
            let mark = if side.simulated { " — SIMULATED" } else { "" };
            match style {
                TableStyle::Plain => {
                    let tail = format!(" · {runs}{mark}");
                    let room = TABLE_WIDTH - name.len() - 2 - columns(&tail);
                    format!("{name}  {}{tail}", cut(&clean(&side.label), room))
                }
                TableStyle::Markdown => {
                    format!("- {}: **{}** · {runs}{mark}", name.trim_end(), escaped(&clean(&side.label)))
                }
            }
        };
        [line("base", &self.base), line("new ", &self.new)].join("\n")
    }
}

fn loud(text: &str, style: TableStyle) -> String {
    let text = clean(text);
    match style {
        TableStyle::Plain => wrap(&text, TABLE_WIDTH, 0).join("\n"),
        TableStyle::Markdown => format!("**{}**", escaped(&text)),
    }
}

fn list(title: &str, lines: &[String], style: TableStyle) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let each = lines.iter().map(|l| match style {
        TableStyle::Plain => wrap(&format!("- {}", clean(l)), TABLE_WIDTH, 2).join("\n"),
        TableStyle::Markdown => format!("- {}", escaped(&clean(l))),
    });
    let body = each.collect::<Vec<_>>().join("\n");
    match style {
        TableStyle::Plain => format!("{title}\n{body}"),
        TableStyle::Markdown => format!("**{title}**\n\n{body}"),
    }
}

/// Two lines a figure: what changed and what it means; below it, by what evidence.
fn plain(group: &ComparedGroup) -> String {
    let mut lines = vec![heading(TableStyle::Plain, &clean(&group.heading), "")];
    let cells: Vec<[String; 4]> =
        group.rows.iter().map(|r| [name(r), pair(r), change(r), verdict(r)]).collect();
    let width = |at: usize| cells.iter().map(|c| columns(&c[at])).max().unwrap_or(0);
    let widths = [width(0).min(24), width(1), width(2), width(3)];
    // Where one line does not hold them, the verdict leads the second.
    let fits = widths.iter().sum::<usize>() + 2 * 3 <= TABLE_WIDTH;
    let mut gating = true;
    for (row, cell) in group.rows.iter().zip(&cells) {
        if gating && !row.gates && row.gates != group.rows[0].gates {
            lines.push("for information".to_owned());
        }
        gating = row.gates;
        let padded = |at: usize| pad(&cut(&cell[at], widths[at]), widths[at]);
        let first = format!("{}  {}  {}", padded(0), padded(1), padded(2));
        let first = if fits { format!("{first}  {}", cell[3]) } else { first };
        lines.push(cut(first.trim_end(), TABLE_WIDTH));
        let mut below: Vec<String> = if fits { Vec::new() } else { vec![cell[3].clone()] };
        below.extend([margin(row), runs(row), p_values(row), clean(&row.note)]);
        below.retain(|part| !part.is_empty());
        let text = below.join(", ");
        lines.extend(wrap(&text, TABLE_WIDTH - 4, 0).into_iter().map(|line| format!("    {line}")));
    }
    lines.join("\n")
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

fn markdown(group: &ComparedGroup) -> String {
    let head = heading(TableStyle::Markdown, &clean(&group.heading), "");
    let mut lines = vec![
        "| figure | base → new | change [90 % interval] | margin | runs | p | verdict |".to_owned(),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    for row in &group.rows {
        lines.push(format!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            escaped(&name(row)),
            escaped(&pair(row)),
            escaped(&change(row)),
            margin(row),
            escaped(&runs(row)),
            escaped(&p_values(row)),
            marked(row)
        ));
    }
    format!("{head}\n\n{}", lines.join("\n"))
}

fn marked(row: &ComparedRow) -> String {
    let word = escaped(&verdict(row));
    let word = if row.gates && row.tone == Tone::Bad { format!("**{word}**") } else { word };
    if row.note.is_empty() { word } else { format!("{word}: {}", escaped(&clean(&row.note))) }
}

#[cfg(test)]
mod tests;
