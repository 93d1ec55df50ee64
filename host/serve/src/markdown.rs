//! The little Markdown that a comparison is written in, as HTML: headings, tables, lists, paragraphs, code, strong.
//! Everything is escaped first, so what is not understood is shown as it stands.

#![expect(clippy::format_push_string, reason = "pages are small, and their text reads better in one piece")]

use crate::html::escaped;

/// `text` as HTML.
pub(crate) fn to_html(text: &str) -> String {
    let mut out = String::new();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut rest = &lines[..];
    while let Some(line) = rest.first() {
        let same = |wanted: fn(&str) -> bool| rest.iter().take_while(|line| wanted(line)).count();
        let taken = if line.is_empty() {
            1
        } else if let Some((level, heading)) = heading(line) {
            out += &format!("<h{level}>{}</h{level}>\n", inline(heading));
            1
        } else if line.starts_with('|') {
            let count = same(|line| line.starts_with('|'));
            table(&rest[..count], &mut out);
            count
        } else if is_bullet(line) {
            let count = same(is_bullet);
            let items = rest[..count].iter().map(|line| format!("<li>{}</li>\n", inline(&line[2..])));
            out += &format!("<ul>\n{}</ul>\n", items.collect::<String>());
            count
        } else {
            // The first line is of no other kind, or the branches above had it.
            let count = same(is_plain).max(1);
            out += &format!("<p>{}</p>\n", inline(&rest[..count].join("\n")));
            count
        };
        rest = &rest[taken..];
    }
    out
}

/// Level (one deeper than written: the page has a title of its own) and text.
fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=5).contains(&level) && text.starts_with(' ')).then(|| (level + 1, text.trim()))
}

fn is_bullet(line: &str) -> bool {
    line.starts_with("- ") || line.starts_with("* ")
}

fn is_plain(line: &str) -> bool {
    !line.is_empty() && heading(line).is_none() && !line.starts_with('|') && !is_bullet(line)
}

fn table(lines: &[&str], out: &mut String) {
    let rule = |line: &&str| line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ')) && line.contains('-');
    let headed = lines.get(1).is_some_and(rule);
    let right: Vec<bool> = lines.get(1).filter(|_| headed).map_or_else(Vec::new, |line| {
        cells(line).iter().map(|cell| cell.ends_with(':') && !cell.starts_with(':')).collect()
    });
    out.push_str("<div class=\"wide\"><table>\n");
    for (at, line) in lines.iter().enumerate().filter(|(at, _)| !(headed && *at == 1)) {
        let tag = if headed && at == 0 { "th" } else { "td" };
        out.push_str("<tr>");
        for (column, cell) in cells(line).iter().enumerate() {
            let class = if right.get(column) == Some(&true) { " class=\"number\"" } else { "" };
            *out += &format!("<{tag}{class}>{}</{tag}>", inline(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table></div>\n");
}

/// Between the pipes; `\|` is no border.
fn cells(line: &str) -> Vec<String> {
    let inner = line.strip_prefix('|').unwrap_or(line);
    let inner = inner.strip_suffix('|').filter(|cut| !cut.ends_with('\\')).unwrap_or(inner);
    let mut cells = vec![String::new()];
    let mut escape = false;
    for c in inner.chars() {
        let last = cells.len() - 1;
        match c {
            '|' if !escape => cells.push(String::new()),
            '|' => {
                cells[last].pop();
                cells[last].push('|');
            }
            c => cells[last].push(c),
        }
        escape = c == '\\';
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// Code between backticks, strong between two asterisks; an opening without its end is text.
fn inline(text: &str) -> String {
    let text = &hidden(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        let last = at + 1 == parts.len();
        match (at.is_multiple_of(2), last) {
            (true, _) => out += &strong(part),
            (false, false) => out += &format!("<code>{}</code>", escaped(&shown(part, "\\"))),
            (false, true) => out += &format!("`{}", strong(part)),
        }
    }
    out
}

/// Where letters after a backslash are kept while marks are looked for: a private range, of which a text has none left.
const HIDDEN: std::ops::RangeInclusive<u32> = 0xe000..=0xe07f;

/// A backslash before punctuation makes it text (`CommonMark` 0.31, section 2.4).
fn hidden(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match (c, letters.peek().copied()) {
            ('\\', Some(next)) if next.is_ascii_punctuation() => {
                letters.next();
                out.push(char::from_u32(HIDDEN.start() + u32::from(next)).unwrap_or(next));
            }
            (c, _) if HIDDEN.contains(&u32::from(c)) => out.push('\u{fffd}'),
            (c, _) => out.push(c),
        }
    }
    out
}

/// The letters again, each after `before`.
fn shown(text: &str, before: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match Some(u32::from(c))
            .filter(|c| HIDDEN.contains(c))
            .and_then(|c| char::from_u32(c - HIDDEN.start()))
        {
            Some(letter) => {
                out.push_str(before);
                out.push(letter);
            }
            None => out.push(c),
        }
    }
    out
}

fn strong(text: &str) -> String {
    let parts: Vec<&str> = text.split("**").collect();
    let paired = parts.len() - usize::from(parts.len().is_multiple_of(2));
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        let part = escaped(&shown(part, ""));
        out += &match at {
            at if at >= paired => format!("**{part}"),
            at if at.is_multiple_of(2) => part,
            _ => format!("<strong>{part}</strong>"),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_becomes_a_page() {
        let text = "# Same\n\nTTFT is **8 % higher**.\nSo it is.\n\n| metric | `base` |\n|---|---:|\n| ttft | 1 |\n\n- one\n- two\n";
        assert_eq!(
            to_html(text),
            "<h2>Same</h2>\n<p>TTFT is <strong>8 % higher</strong>.\nSo it is.</p>\n<div class=\"wide\"><table>\n<tr><th>metric</th><th class=\"number\"><code>base</code></th></tr>\n<tr><td>ttft</td><td class=\"number\">1</td></tr>\n</table></div>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"
        );
    }

    #[test]
    fn no_markup_of_a_name_gets_through() {
        let evil = "<img src=x onerror=alert(1)>";
        for text in [
            evil.to_owned(),
            format!("# {evil}"),
            format!("- {evil}"),
            format!("| {evil} | `{evil}` |"),
            format!("`{evil}"),
            format!("**{evil}**"),
            format!("**{evil}"),
        ] {
            let html = to_html(&text);
            assert!(!html.contains("<img") && html.contains("&lt;img"), "{html}");
        }
    }

    #[test]
    fn an_escaped_pipe_is_text_and_odd_marks_stay() {
        assert!(to_html("| a\\|b | c |").contains("<td>a|b</td><td>c</td>"));
        assert_eq!(to_html("2 ** 3"), "<p>2 ** 3</p>\n");
        assert_eq!(to_html("a ` b"), "<p>a ` b</p>\n");
        assert_eq!(to_html("#no heading"), "<p>#no heading</p>\n");
    }

    #[test]
    fn a_backslash_makes_a_mark_text() {
        assert_eq!(to_html("out\\_tok\\_s \\[−1, +2\\]"), "<p>out_tok_s [−1, +2]</p>\n");
        assert_eq!(to_html("\\**a\\** \\`b\\` \\<i\\>"), "<p>**a** `b` &lt;i&gt;</p>\n");
        assert_eq!(to_html("`a\\_b` \\x \\"), "<p><code>a\\_b</code> \\x \\</p>\n");
        assert_eq!(to_html("\u{e03c}i>"), "<p>\u{fffd}i&gt;</p>\n");
    }

    #[test]
    fn every_text_comes_to_an_end() {
        for text in [
            "",
            "\n\n",
            "|",
            "||",
            "|-",
            "#",
            "######",
            "####### x",
            "- ",
            "-",
            "* ",
            "**",
            "`",
            "| a |\n|-",
            "\\|",
        ] {
            let html = to_html(text);
            assert!(html.len() < 200, "{html}");
        }
    }
}
