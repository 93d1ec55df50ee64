//! Named presets: drafts that lie below the plan file.

use super::draft::{Draft, EngineDraft, OptionValue, WorkloadDraft};
use crate::error::{CliError, CliResult};

/// The presets of the studies that benchhost replaces.
pub(super) fn profile(name: &str) -> CliResult<Draft> {
    let synthetic = |input: &str, output: &str| WorkloadDraft {
        plugin: "synthetic".into(),
        options: [("input-tokens", input), ("output-tokens", output)]
            .map(|(k, v)| (k.to_owned(), OptionValue::Text(v.to_owned())))
            .into(),
        ..WorkloadDraft::default()
    };
    match name {
        // One user at a time: what a single reader feels.
        "latency-bound" => Ok(Draft {
            concurrency: Some(vec![1]),
            requests: Some(50),
            max_tokens: Some(64),
            ..Draft::default()
        }),
        // Many users, longer answers: what the machine can carry.
        "throughput-bound" => Ok(Draft {
            concurrency: Some(vec![8, 16, 32, 64]),
            requests: Some(256),
            max_tokens: Some(256),
            ..Draft::default()
        }),
        // Long prompts and answers on the completions route, 100 requests, 8 in flight.
        "load-2048x1024" => Ok(Draft {
            concurrency: Some(vec![8]),
            requests: Some(100),
            temperature: Some(0.0),
            workload: vec![synthetic("2048", "1024")],
            engine: vec![EngineDraft { api: Some("completions".into()), ..EngineDraft::default() }],
            ..Draft::default()
        }),
        other => Err(CliError::usage(format!("there is no profile `{other}`"))
            .hint("use `latency-bound`, `throughput-bound` or `load-2048x1024`")),
    }
}
