//! A grid of cells as text: plain columns for a terminal, or a Markdown table. Numbers stand with their decimal points
//! under each other. The only module that knows comfy-table; it knows nothing of what the cells mean.

use comfy_table::presets::{ASCII_MARKDOWN, NOTHING};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table};

use crate::lines::{columns, cut};

/// Widest line of a plain table, in columns.
pub const TABLE_WIDTH: usize = 80;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableStyle {
    /// Aligned columns of at most [`TABLE_WIDTH`] for a terminal or a log.
    Plain,
    /// Markdown, for a README.
    Markdown,
}

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Numbers without decimals.
    Right,
    /// Numbers, their points under each other.
    Point,
}

/// A column: its header, of one or two lines, and how its cells stand.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Upper line; may be empty.
    pub(crate) over: String,
    /// Lower line.
    pub(crate) name: String,
    pub(crate) align: Align,
}

impl Column {
    pub(crate) fn new(over: &str, name: &str, align: Align) -> Self {
        Self { over: over.to_owned(), name: name.to_owned(), align }
    }
}

/// Tables of the same columns, drawn with the same widths so that they line up under each other.
pub(crate) fn tables(style: TableStyle, header: &[Column], groups: &[Vec<Vec<String>>]) -> Vec<String> {
    let aligned = align_points(header, groups, style);
    let natural = widths(header, &aligned, style);
    let gap = |g: usize| natural.iter().sum::<usize>() + g * header.len().saturating_sub(1) <= TABLE_WIDTH;
    // Without room for aligned points the numbers are only flush right.
    let (cells, gap) = match (gap(2), gap(1)) {
        (true, _) => (aligned, 2),
        (false, true) => (aligned, 1),
        (false, false) => (groups.to_vec(), 1),
    };
    let widths = widths(header, &cells, style);
    cells.iter().map(|rows| table(style, header, rows, &widths, gap)).collect()
}

fn widths(header: &[Column], groups: &[Vec<Vec<String>>], style: TableStyle) -> Vec<usize> {
    (0..header.len())
        .map(|i| {
            let title = title(&header[i], style, true).lines().map(columns).max().unwrap_or(0);
            let cells = groups.iter().flatten().filter_map(|r| r.get(i)).map(|c| columns(c));
            cells.max().unwrap_or(0).max(title)
        })
        .collect()
}

fn title(column: &Column, style: TableStyle, two_lines: bool) -> String {
    match (column.over.as_str(), style) {
        ("", TableStyle::Markdown) => column.name.clone(),
        (over, TableStyle::Markdown) => format!("{over} {}", column.name),
        (over, TableStyle::Plain) if two_lines => format!("{over}\n{}", column.name),
        (_, TableStyle::Plain) => column.name.clone(),
    }
}

/// Pads each cell of a point column on the right, so that flush-right cells have their points under each other.
fn align_points(header: &[Column], groups: &[Vec<Vec<String>>], style: TableStyle) -> Vec<Vec<Vec<String>>> {
    let mut aligned = groups.to_vec();
    let tail = |cell: &str| {
        let digits = cell.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ',' | '−' | '±'));
        columns(digits)
    };
    for (i, column) in header.iter().enumerate() {
        if column.align != Align::Point || style == TableStyle::Markdown {
            continue;
        }
        let longest = groups.iter().flatten().filter_map(|r| r.get(i)).map(|c| tail(c)).max().unwrap_or(0);
        for cell in aligned.iter_mut().flatten().filter_map(|r| r.get_mut(i)) {
            let missing = longest - tail(cell);
            cell.push_str(&" ".repeat(missing));
        }
    }
    aligned
}

fn table(style: TableStyle, header: &[Column], rows: &[Vec<String>], widths: &[usize], gap: usize) -> String {
    let mut table = Table::new();
    match style {
        TableStyle::Plain => {
            let rule = LineStyle::none().fill('─');
            table.load_style(NOTHING.header_separator(rule));
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(TABLE_WIDTH).unwrap_or(u16::MAX));
        }
        TableStyle::Markdown => {
            table.load_style(ASCII_MARKDOWN);
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    let pad = |text: &str, column: usize| {
        let lacking = widths[column].saturating_sub(columns(text));
        match header[column].align {
            Align::Left => format!("{text}{}", " ".repeat(lacking)),
            Align::Right | Align::Point => format!("{}{text}", " ".repeat(lacking)),
        }
    };
    let two_lines = header.iter().any(|c| !c.over.is_empty());
    let titles = header.iter().enumerate().map(|(i, c)| {
        let lines: Vec<String> = title(c, style, two_lines).lines().map(|l| pad(l, i)).collect();
        lines.join("\n")
    });
    table.set_header(titles.collect::<Vec<_>>());
    for row in rows {
        let cells = row.iter().enumerate().map(|(i, c)| match style {
            TableStyle::Plain => pad(c, i),
            TableStyle::Markdown => pad(&escaped(c), i),
        });
        table.add_row(cells.collect::<Vec<_>>());
    }
    let last = header.len().saturating_sub(1);
    for (i, column) in table.column_iter_mut().enumerate() {
        let right = header[i].align != Align::Left;
        column.set_cell_alignment(if right { CellAlignment::Right } else { CellAlignment::Left });
        if style == TableStyle::Plain {
            column.set_padding((0, if i == last { 0 } else { u16::try_from(gap).unwrap_or(1) }));
        }
    }
    let text = table.trim_fmt();
    if style == TableStyle::Markdown { marked(&text, header) } else { text }
}

/// Markdown's own sign for flush-right columns, a colon at the end of the rule.
fn marked(text: &str, header: &[Column]) -> String {
    let rule = |line: &str| -> String {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let cells = cells.iter().zip(header).map(|(dashes, column)| match column.align {
            Align::Left => (*dashes).to_owned(),
            Align::Right | Align::Point => format!("{}:", &dashes[..dashes.len().saturating_sub(1)]),
        });
        format!("|{}|", cells.collect::<Vec<_>>().join("|"))
    };
    let lines = text.lines().enumerate().map(|(i, line)| if i == 1 { rule(line) } else { line.to_owned() });
    lines.collect::<Vec<_>>().join("\n")
}

/// Text that Markdown shows as it is, in a cell or a line.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '|' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '\\' | '#' | '~' | '$') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// A heading line in either style; the plain one is cut to the width.
pub(crate) fn heading(style: TableStyle, text: &str, mark: &str) -> String {
    match style {
        TableStyle::Plain => format!("{}{mark}", cut(text, TABLE_WIDTH.saturating_sub(columns(mark)))),
        TableStyle::Markdown => format!("**{}**{mark}", escaped(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|r| r.iter().map(ToString::to_string).collect()).collect()
    }

    #[test]
    fn points_stand_under_each_other_across_tables() {
        let header = [Column::new("", "load", Align::Right), Column::new("TTFT", "p50 ms", Align::Point)];
        let groups = [cells(&[&["1", "59.0"], &["8", "4,164"]]), cells(&[&["16", "0.25"], &["32", "–"]])];
        let tables = tables(TableStyle::Plain, &header, &groups);
        insta::assert_snapshot!(tables.join("\n\n"), @"
                  TTFT
        load    p50 ms
        ──────────────
           1     59.0
           8  4,164

                  TTFT
        load    p50 ms
        ──────────────
          16      0.25
          32       –
        ");
    }

    #[test]
    fn markdown_marks_its_columns_and_escapes_its_cells() {
        let header = [Column::new("", "name", Align::Left), Column::new("TTFT", "p50 ms", Align::Point)];
        let tables = tables(TableStyle::Markdown, &header, &[cells(&[&["a|b <x>", "1.5"]])]);
        insta::assert_snapshot!(tables[0], @r#"
        | name       | TTFT p50 ms |
        |------------|------------:|
        | a\|b \<x\> |         1.5 |
        "#);
    }

    #[test]
    fn a_table_too_wide_for_the_terminal_is_narrowed() {
        let header: Vec<Column> = (0..9).map(|_| Column::new("", "a long header", Align::Point)).collect();
        let row: Vec<String> = (0..9).map(|i| format!("{}.25", 10_u64.pow(i))).collect();
        for line in tables(TableStyle::Plain, &header, &[vec![row]])[0].lines() {
            assert!(columns(line) <= TABLE_WIDTH, "{line}");
        }
    }
}
