//! A comparison for GitHub Actions: annotations, one a line, then the Markdown for the job's summary. Annotation syntax:
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.

use super::{ComparedRow, ComparisonTable, Tone, evidence};
use crate::lines::clean;
use crate::tables::TableStyle;

impl ComparisonTable {
    /// `::error`, `::warning` and `::notice` lines, and the Markdown form after an empty line.
    pub fn to_github(&self) -> String {
        let mut lines = Vec::new();
        let loud = self.rows().any(|(_, r)| r.gates && r.tone == Tone::Bad && !is_indicative(r));
        let level = if loud { "error" } else { "notice" };
        lines.push(annotation(level, "benchhost compare", &self.sentence));
        lines.extend(self.work.iter().map(|w| annotation("warning", "different work", w)));
        for (heading, row) in self.rows().filter(|(_, r)| r.gates) {
            let level = match row.tone {
                Tone::Bad if is_indicative(row) => "warning",
                Tone::Bad => "error",
                Tone::Open => "warning",
                Tone::Good | Tone::Calm => continue,
            };
            let title = format!("{} {}", row.metric, row.verdict);
            let p = evidence::p_values(row);
            let text =
                format!("{heading}: {}, {} {p} {}", evidence::pair(row), evidence::change(row), row.note);
            lines.push(annotation(level, &title, &text));
        }
        lines.extend(
            self.health
                .iter()
                .filter(|h| h.contains("INVALID") || h.contains("SUSPECT"))
                .map(|h| annotation("warning", "measurement", h)),
        );
        format!("{}\n\n{}", lines.join("\n"), self.to_text(TableStyle::Markdown))
    }

    fn rows(&self) -> impl Iterator<Item = (&str, &ComparedRow)> {
        self.groups.iter().flat_map(|g| g.rows.iter().map(move |r| (g.heading.as_str(), r)))
    }
}

fn is_indicative(row: &ComparedRow) -> bool {
    row.verdict.starts_with("indicative")
}

fn annotation(level: &str, title: &str, text: &str) -> String {
    let escape = |text: &str| clean(text).replace('%', "%25");
    let title = escape(title).replace(':', "%3A").replace(',', "%2C");
    format!("::{level} title={title}::{}", escape(text))
}
