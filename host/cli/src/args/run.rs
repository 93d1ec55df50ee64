//! Flags of `run`. A flag wins over the plan file.
//!
//! Where each stands in a plan:
//! - `--engine` is the key `plugin` (and `url`) of an `[[engine]]` table; `--label`, `--url`, `--model`, `--api` and
//!   `--api-key-env` are keys of that table under their own names, `--engine-option` is its `options` and `--header` its
//!   `headers`. The flags reach every table, those that may be repeated also each table in order.
//! - `--workload` is the key `plugin` of a `[[workload]]` table, `--workload-option` its `options`, `--data` its `data`.
//!   Such a table may also have `label`, `requests`, `concurrency` and `rate` of its own; flags of these names hide them.
//! - `--prompts` names a file; the key `prompts` is the list of texts itself.
//! - `PLAN`, `--out`, `--format`, `--no-plots` and the flags of every command (`--quiet`, `--verbose`) have no key: they say
//!   where one run is read from and goes to.
//! - Every other flag is a key of the same name at the top of the plan.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// `benchhost run`.
#[derive(Debug, Args, Default)]
pub(crate) struct RunArgs {
    /// A plan file (TOML); flags override its keys
    #[arg(value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,

    /// Adapter to measure with: an embedded name (`vllm`) or a component file, with `=URL` if the server is not at the
    /// adapter's default address. Repeat for several engines, measured one after the other
    /// [default: those of the plan; one is needed]
    #[arg(long, value_name = "NAME|PATH[=URL]", help_heading = "Target")]
    pub(crate) engine: Vec<String>,
    /// Name for this configuration in results (column `variant`); once per engine, in order, or once for all
    /// [default: empty]
    #[arg(long, help_heading = "Target")]
    pub(crate) label: Vec<String>,
    /// Base URL of the server; once per engine, in order [default: the adapter's]
    #[arg(long, help_heading = "Target")]
    pub(crate) url: Vec<String>,
    /// Model to ask for; once per engine, in order, or once for all [default: the server's first]
    #[arg(long, help_heading = "Target")]
    pub(crate) model: Vec<String>,
    /// Route: chat, completions or native [default: the adapter's first]
    #[arg(long, value_name = "ROUTE", help_heading = "Target")]
    pub(crate) api: Option<String>,
    /// Option of the adapter; reaches every engine that declares it [default: the adapter's, see `plugin info`]
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Target")]
    pub(crate) engine_option: Vec<String>,
    /// Environment variable that holds the API key [default: the adapter's own, such as `VLLM_API_KEY`]
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub(crate) api_key_env: Option<String>,
    /// Further request header, `Name: value` or `Name: env:VARIABLE`; literal values are not stored
    /// [default: none]
    #[arg(long, value_name = "HEADER", help_heading = "Target")]
    pub(crate) header: Vec<String>,
    /// Trust the certificates in this PEM file too [default: none]
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Measure the built-in simulator instead of a server; results say so everywhere. `--simulate=DIALECT` imitates
    /// another engine than the adapter's [default: no]
    #[arg(long, value_name = "DIALECT", num_args = 0..=1, require_equals = true, default_missing_value = "", help_heading = "Target")]
    pub(crate) simulate: Option<String>,
    /// Wait this long for the server to become ready [default: 10s]
    #[arg(long, value_name = "TIME", help_heading = "Target")]
    pub(crate) ready_timeout: Option<String>,

    /// Workload: an embedded name or a component file; repeat for several [default: empathetic]
    #[arg(long, value_name = "NAME|PATH", help_heading = "Workload")]
    pub(crate) workload: Vec<String>,
    /// Option of the workload; reaches every workload that declares it [default: the workload's, see `plugin info`]
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Workload")]
    pub(crate) workload_option: Vec<String>,
    /// Data file for a slot of the workload [default: none, the workload's built-in items]
    #[arg(long, value_name = "SLOT=PATH", help_heading = "Workload")]
    pub(crate) data: Vec<String>,
    /// Send the prompts of this file, one a line; only they are sent unless `--workload` is given too [default: none]
    #[arg(long, value_name = "FILE", help_heading = "Workload")]
    pub(crate) prompts: Option<PathBuf>,
    /// `tokenizer.json` of the target, for workloads that count tokens [default: the server's tokenize endpoint]
    #[arg(long, value_name = "FILE", help_heading = "Workload")]
    pub(crate) tokenizer: Option<PathBuf>,
    /// What later turns of a dialogue see: the model's own answer, or the recorded one [default: model]
    #[arg(long, value_name = "model|recorded", help_heading = "Workload")]
    pub(crate) history: Option<String>,
    /// Longest answer in tokens [default: the workload's, else 128]
    #[arg(long, value_name = "N", help_heading = "Workload")]
    pub(crate) max_tokens: Option<u32>,
    /// Sampling temperature; 0 is greedy [default: 0]
    #[arg(long, value_name = "T", help_heading = "Workload")]
    pub(crate) temperature: Option<f64>,
    /// Nucleus mass in (0, 1] [default: the whole distribution]
    #[arg(long, value_name = "P", help_heading = "Workload")]
    pub(crate) top_p: Option<f64>,

    /// Named preset: latency-bound, throughput-bound or load-2048x1024 [default: none]
    #[arg(long, value_name = "NAME", help_heading = "Load")]
    pub(crate) profile: Option<String>,
    /// Closed loop: requests in flight, one load point each, at most 16384 [default: 1,2,4,8,16,32]
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with = "rate", help_heading = "Load")]
    pub(crate) concurrency: Vec<u32>,
    /// Open loop: requests a second, one load point each [default: none, a closed loop]
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Load")]
    pub(crate) rate: Vec<f64>,
    /// Arrivals of the open loop: constant or poisson [default: poisson]
    #[arg(long, value_name = "PROCESS", help_heading = "Load")]
    pub(crate) arrivals: Option<String>,
    /// Items per load point, warm-up not counted; a dialogue of several turns counts once [default: 4 × concurrency, at
    /// least 40; open loop: 20 s of arrivals, at least 40]
    #[arg(long, value_name = "N", conflicts_with = "duration", help_heading = "Load")]
    pub(crate) requests: Option<u32>,
    /// Time per load point, such as 30s; requests in flight at its end are followed to theirs [default: none, `--requests`
    /// decides]
    #[arg(long, value_name = "TIME", help_heading = "Load")]
    pub(crate) duration: Option<String>,
    /// Items per load point sent first and not measured [default: 1 × concurrency; open loop: 1 s of arrivals]
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub(crate) warmup: Option<u32>,
    /// Repeat the whole ladder [default: 1]
    #[arg(long, value_name = "K", help_heading = "Load")]
    pub(crate) repeats: Option<u32>,
    /// Seed of item order, arrivals and workload choices [default: 42]
    #[arg(long, help_heading = "Load")]
    pub(crate) seed: Option<u64>,
    /// Longest time for one request [default: 120s]
    #[arg(long, value_name = "TIME", help_heading = "Load")]
    pub(crate) timeout: Option<String>,
    /// Longest silence within one request [default: 60s]
    #[arg(long, value_name = "TIME", help_heading = "Load")]
    pub(crate) idle_timeout: Option<String>,

    /// GPU samples through NVML: auto or off [default: auto]
    #[arg(long, value_name = "auto|off", help_heading = "Output")]
    pub(crate) gpu: Option<String>,
    /// US dollars per GPU-hour; gives the cost per million output tokens [default: none, no cost]
    #[arg(long, value_name = "USD_PER_HOUR", help_heading = "Output")]
    pub(crate) gpu_price: Option<f64>,
    /// Directory of the result, new or empty; or a FILE.csv to append request rows to (the rest goes to the default
    /// place) [default: `results/local/RUN_ID`]
    #[arg(long, value_name = "DIR|FILE.csv", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
    /// How to print the summary on stdout [default: table]
    #[arg(long, value_enum, help_heading = "Output")]
    pub(crate) format: Option<Format>,
    /// Draw no pictures
    #[arg(long, help_heading = "Output")]
    pub(crate) no_plots: bool,
}
