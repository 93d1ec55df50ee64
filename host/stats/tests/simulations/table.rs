//! A table of a simulation and the promises that were checked on it.

use std::fmt;

pub(crate) struct Table {
    title: &'static str,
    text: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    kept: Vec<String>,
    broken: Vec<String>,
}

impl Table {
    pub(crate) fn new(title: &'static str, text: &str, columns: &[&'static str]) -> Self {
        let (rows, kept, broken) = (Vec::new(), Vec::new(), Vec::new());
        Self { title, text: text.to_owned(), columns: columns.to_vec(), rows, kept, broken }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    /// States a promise and whether it held.
    pub(crate) fn promise(&mut self, text: &str, held: bool) {
        let list = if held { &mut self.kept } else { &mut self.broken };
        if !list.iter().any(|known| known == text) {
            list.push(text.to_owned());
        }
    }

    pub(crate) fn broken(&self) -> impl Iterator<Item = &str> {
        self.broken.iter().map(String::as_str)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n", self.title, self.text)?;
        writeln!(f, "| {} |", self.columns.join(" | "))?;
        writeln!(f, "|{}", "---|".repeat(self.columns.len()))?;
        self.rows.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))?;
        let held = self.kept.iter().filter(|text| !self.broken.contains(text));
        let mut lines =
            held.map(|text| (text, "holds")).chain(self.broken.iter().map(|text| (text, "BROKEN")));
        writeln!(f)?;
        lines.try_for_each(|(text, word)| writeln!(f, "- {text}: {word}"))
    }
}

/// A share as a percentage with one digit.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Share of trials that hold.
pub(crate) fn share(trials: u32, mut trial: impl FnMut() -> bool) -> f64 {
    f64::from((0..trials).map(|_| u32::from(trial())).sum::<u32>()) / f64::from(trials)
}
