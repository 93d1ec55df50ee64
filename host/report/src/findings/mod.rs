//! Findings in words and as a table. The numbers are decided elsewhere; here a number that was not decided becomes "not
//! resolved", never a guess.

mod table;
mod words;

#[cfg(test)]
mod tests;

pub use words::findings_sentences;

pub(crate) use table::findings_table;

use benchhost_model::Findings;

/// Findings as JSON, words included.
pub fn findings_json(findings: &Findings) -> String {
    let value = serde_json::json!({
        "schema_version": 1,
        "sentences": findings_sentences(findings),
        "studies": findings.studies,
        "partings": findings.partings,
        "advice": findings.advice,
        "invalid_rows": findings.invalid_rows,
    });
    // Only maps with keys that are no strings fail, and there are none.
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}
