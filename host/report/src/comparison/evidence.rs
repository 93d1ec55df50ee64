//! The small texts of a row: change, margin, p-values, runs. Knows one row.

use super::{ChangeScale, ComparedRow, Tone};
use crate::lines::clean;
use crate::numbers::{NOTHING, changes, figure, percent};

/// `out_tok_s ↑`.
pub(super) fn name(row: &ComparedRow) -> String {
    format!("{} {}", clean(&row.metric), if row.higher_is_better { '↑' } else { '↓' })
}

/// `12.4 → 12.9 ms`.
pub(super) fn pair(row: &ComparedRow) -> String {
    let number = |v: Option<f64>| v.map_or(NOTHING.to_owned(), figure);
    let unit = if row.unit.is_empty() { String::new() } else { format!(" {}", clean(&row.unit)) };
    format!("{} → {}{unit}", number(row.base), number(row.new))
}

/// `+3.9% [+2.8, +5.1]`, `+1.2 pt [+0.1, +2.4]`.
pub(super) fn change(row: &ComparedRow) -> String {
    let Some(change) = row.change else { return NOTHING.to_owned() };
    if row.scale == ChangeScale::Relative {
        let bound = |v: f64| percent(v).trim_end_matches('%').to_owned();
        return match change.interval {
            None => percent(change.estimate),
            Some((low, high)) => format!("{} [{}, {}]", percent(change.estimate), bound(low), bound(high)),
        };
    }
    let unit = if row.scale == ChangeScale::Points { " pt" } else { "" };
    match change.interval {
        None => format!("{}{unit}", changes(&[change.estimate])[0]),
        Some((low, high)) => {
            let texts = changes(&[change.estimate, low, high]);
            format!("{}{unit} [{}, {}]", texts[0], texts[1], texts[2])
        }
    }
}

/// `±2%`, `±0.5 pt`; nothing where no margin was set.
pub(super) fn margin(row: &ComparedRow) -> String {
    if row.margin <= 0.0 {
        return String::new();
    }
    match row.scale {
        ChangeScale::Relative => format!("±{}%", short(row.margin * 100.0)),
        ChangeScale::Points => format!("±{} pt", short(row.margin)),
        ChangeScale::Own => format!("±{}", short(row.margin)),
    }
}

/// At most three decimals, none that is 0.
fn short(value: f64) -> String {
    format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `5v5`, `5v5, runs and requests`.
pub(super) fn runs(row: &ComparedRow) -> String {
    let runs = format!("{}v{}", row.runs.0, row.runs.1);
    if row.basis.is_empty() { runs } else { format!("{runs} {}", clean(&row.basis)) }
}

/// `p .008 (Holm .024)`; empty without a p-value.
pub(super) fn p_values(row: &ComparedRow) -> String {
    let Some(p) = row.p else { return String::new() };
    let kind = if row.gates { "Holm" } else { "q" };
    match row.adjusted {
        Some(adjusted) => format!("p {} ({kind} {})", probability(p), probability(adjusted)),
        None => format!("p {}", probability(p)),
    }
}

fn probability(p: f64) -> String {
    if p < 0.001 {
        return "<.001".to_owned();
    }
    if p >= 0.9995 {
        return "1".to_owned();
    }
    let text = if p < 0.1 { format!("{p:.3}") } else { format!("{p:.2}") };
    text.trim_start_matches('0').to_owned()
}

/// The verdict, in capitals where somebody should look.
pub(super) fn verdict(row: &ComparedRow) -> String {
    let word = clean(&row.verdict);
    let loud = row.tone == Tone::Bad && row.gates;
    if loud { word.to_uppercase() } else { word }
}
