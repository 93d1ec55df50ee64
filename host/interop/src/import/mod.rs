//! From the text of a foreign result file to [`Imported`]. Tells tools apart by the keys that only they write; one file a
//! tool beside this one. Numbers only: files are opened by whoever calls.

mod aiperf;
mod doubt;
mod guidellm;
mod inference_perf;
mod ledger;
mod provenance;
mod python;
mod serving;

use serde_json::{Map, Value};

use crate::figure::{Imported, Tool};

/// Why a text is no foreign result, or not one we can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InteropError {
    /// Not JSON.
    #[error("line {line} is not JSON: {cause}")]
    NotJson {
        /// From 1; of a file that is one document, the line of the mistake.
        line: usize,
        /// The parser's words.
        cause: String,
    },
    /// JSON of nobody we know.
    #[error(
        "the keys are those of no result that is read here (vLLM bench, AIPerf, GuideLLM, SGLang, inference-perf)"
    )]
    Unknown,
    /// A known file without what every such file has.
    #[error("the {tool} result has no usable `{key}`")]
    Missing {
        /// Who wrote it.
        tool: Tool,
        /// The key that is missing or of another type.
        key: String,
    },
    /// A key holds what it cannot: another type, a negative latency, a number out of all range.
    #[error("the {tool} result has an impossible `{key}`: {why}")]
    Wrong {
        /// Who wrote it.
        tool: Tool,
        /// The key, with its place in lists: `ttfts[3]`.
        key: String,
        /// What is there, and what was expected.
        why: String,
    },
    /// Arrays that should go together do not.
    #[error("the {tool} result has {left} entries in `{first}` and {right} in `{second}`")]
    Uneven {
        /// Who wrote it.
        tool: Tool,
        /// An array.
        first: String,
        /// Its length.
        left: usize,
        /// The other array.
        second: String,
        /// Its length.
        right: usize,
    },
}

/// Whether a text may be a foreign result: our own row files begin with a header line.
pub fn looks_foreign(text: &str) -> bool {
    without_mark(text).trim_start().starts_with(['{', '['])
}

/// Windows tools put a byte order mark before UTF-8; JSON has none.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Reads a result file of another tool: one JSON document, or one document a line.
pub fn read(text: &str) -> Result<Imported, InteropError> {
    let (documents, torn) = documents(&python::plain_json(without_mark(text)))?;
    let first = documents.first().ok_or(InteropError::Unknown)?;
    let has = |key: &str| first.contains_key(key);
    let mut imported = if has("benchmarks") && has("metadata") {
        guidellm::read(first)
    } else if has("load_summary") && has("successes") {
        inference_perf::read(first)
    } else if has("metadata") && has("metrics") {
        aiperf::read_requests(&documents)
    } else if has("aiperf_version") || (has("request_latency") && has("input_config")) {
        aiperf::read_summary(&documents)
    } else if has("total_throughput") && has("request_throughput") {
        serving::read(Tool::Sglang, &documents)
    } else if has("total_token_throughput") && has("request_throughput") {
        serving::read(Tool::VllmBench, &documents)
    } else {
        Err(InteropError::Unknown)
    }?;
    if torn {
        imported.remarks.push("the last line of the file is torn and left out");
    }
    Ok(imported)
}

/// The objects of a text: one document, an array of documents, or one a line. A torn last line is left out, as a killed
/// writer leaves one; whether there was one.
fn documents(text: &str) -> Result<(Vec<Map<String, Value>>, bool), InteropError> {
    let not_json =
        |line: usize, cause: serde_json::Error| InteropError::NotJson { line, cause: cause.to_string() };
    let whole = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(one)) => return Ok((vec![one], false)),
        Ok(Value::Array(many)) => {
            return Ok((many.into_iter().map(object).collect::<Result<_, _>>()?, false));
        }
        Ok(_) => return Err(InteropError::Unknown),
        Err(error) => error,
    };
    let lines: Vec<(usize, &str)> =
        text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
    let mut found = Vec::with_capacity(lines.len());
    for (place, (index, line)) in lines.iter().enumerate() {
        match serde_json::from_str::<Value>(line) {
            Ok(value) => found.push(object(value)?),
            // Not one document a line, so the mistake is that of the one document.
            Err(_) if place == 0 => return Err(not_json(whole.line(), whole)),
            Err(_) if place + 1 == lines.len() && !text.ends_with('\n') => return Ok((found, true)),
            Err(cause) => return Err(not_json(index + 1, cause)),
        }
    }
    if found.is_empty() { Err(not_json(whole.line(), whole)) } else { Ok((found, false)) }
}

fn object(value: Value) -> Result<Map<String, Value>, InteropError> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(InteropError::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nobodys_result_is_said() {
        assert_eq!(read("{\"a\": 1}"), Err(InteropError::Unknown));
        assert_eq!(read("3"), Err(InteropError::Unknown));
        assert_eq!(read("[1]"), Err(InteropError::Unknown));
        assert!(matches!(read("{"), Err(InteropError::NotJson { line: 1, .. })));
        assert!(matches!(read("{\"a\":1}\n{oops}\n"), Err(InteropError::NotJson { line: 2, .. })));
        assert_eq!(
            read(""),
            Err(InteropError::NotJson {
                line: 1,
                cause: "EOF while parsing a value at line 1 column 0".into()
            })
        );
    }

    #[test]
    fn rows_of_our_own_are_not_foreign() {
        assert!(!looks_foreign("row,run_id,engine\n"));
        assert!(looks_foreign("\n {\"a\":1}"));
    }
}
