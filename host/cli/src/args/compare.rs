//! The flags of `compare`. Types only.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What is compared inside one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// Engines
    Engine,
    /// Labels of configurations
    Variant,
    /// Models
    Model,
    /// Workloads, with their options
    Workload,
}

/// How a comparison is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ComparisonFormat {
    /// Lines of at most 80 columns for people
    Table,
    /// Markdown, for a pull request
    Markdown,
    /// JSON with a `schema_version`
    Json,
    /// Annotations for GitHub Actions, then Markdown
    Github,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 no regression · 1 a gating figure regressed · 2 usage or unreadable input
3 not decided (--strict) · 4 not comparable · 5 a run is INVALID (--strict)"
)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct CompareArgs {
    /// The base, then what is compared with it: each a `requests.csv`, the directory of a run, a directory of such
    /// directories (its runs are repeats of one side), or a result of vLLM bench, AIPerf, GuideLLM, SGLang or
    /// inference-perf. One alone with `--by`
    #[arg(required_unless_present = "history")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Compare inside one file; the first is the base [default: none, two files are compared]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) by: Option<By>,
    /// Look for changes of level over all runs below this directory, by their time [default: none]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["inputs", "by"])]
    pub(crate) history: Option<PathBuf>,
    /// Take only this engine (ENGINE or ENGINE/VARIANT) from the base [default: its only one, or the one that both have]
    #[arg(long, value_name = "ENGINE[/VARIANT]")]
    pub(crate) select_base: Option<String>,
    /// Take only this engine (ENGINE or ENGINE/VARIANT) from the new result [default: its only one, or the one that both have]
    #[arg(long, value_name = "ENGINE[/VARIANT]")]
    pub(crate) select_new: Option<String>,
    /// What is meant to differ: engine, model, workload, data, items, lengths, sampling, route, history, load, slo,
    /// tokens, version [default: nothing, a difference is refused]
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) allow: Vec<String>,
    /// The same as `--allow model`
    #[arg(long)]
    pub(crate) across_models: bool,
    /// The smallest change that matters: `5%` for every relative figure, `ttft_p99=8%`, `error_rate=1pt` for one; may be
    /// repeated [default: rates, tpot 2%; ttft, e2e p50 5%; p99 10%; `error_rate` 0.5pt; `slo_attainment` 2pt; scores 1pt]
    #[arg(long, value_name = "[FIGURE=]CHANGE")]
    pub(crate) margin: Vec<String>,
    /// The figures that decide the exit code
    /// [default: goodput or `out_tok_s`, ttft p99 if resolved or else p50, `tpot_p50`, `error_rate`]
    #[arg(long, value_name = "FIGURE", value_delimiter = ',')]
    pub(crate) gate: Vec<String>,
    /// Call a figure worse or better only if its whole interval lies beyond the margin [default: if the interval excludes
    /// no change and the change reaches the margin]
    #[arg(long)]
    pub(crate) strict_margin: bool,
    /// Exit with 3 when a gating figure stays open, with 5 when a run is INVALID
    #[arg(long)]
    pub(crate) strict: bool,
    /// In the table, too: changes by percentile and the prompts that got slowest (Markdown and JSON always have them)
    #[arg(long)]
    pub(crate) details: bool,
    /// Write `compare.html`, `comparison.json` and pictures (`plots/`, SVG and PNG) into this directory [default: none]
    #[arg(long, value_name = "DIR", conflicts_with = "history")]
    pub(crate) out: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: ComparisonFormat,
}
