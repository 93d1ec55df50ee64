//! Flags of `run`. A flag wins over the plan file.
//!
//! Where each stands in a plan:
//! - `--engine` is the key `plugin` (and `url`) of an `[[engine]]` table; `--label`, `--url`, `--model`, `--api` and
//!   `--api-key-env` are keys of that table under their own names, `--engine-option` is its `options` and `--header` its
//!   `headers`, `--simulator` its `simulator`. The flags reach every table, those that may be repeated also each table in order.
//! - `--workload` is the key `plugin` of a `[[workload]]` table, `--workload-option` its `options`, `--data` its `data`.
//!   Such a table may also have `label`, `requests`, `concurrency`, `rate`, `batch` and `trace-scale` of its own; flags of
//!   these names hide them.
//! - `--prompts` names a file; the key `prompts` is the list of texts itself.
//! - `PLAN`, `--out`, `--format`, `--no-plots`, `--color`, `--throughput`, `--strict`, `--resume`, `--tui` and the flags of
//!   every command (`--quiet`, `--verbose`) have no key: they say where one run is read from and goes to, what it looks like,
//!   and what its end means to a script.
//! - `--sweep` has a key, but the stored plan holds the workloads that it made.
//! - Every other flag is a key of the same name at the top of the plan.

use std::path::PathBuf;

use clap::Args;

use super::{Format, ThroughputUnit};

/// `benchhost run`.
#[derive(Debug, Clone, Args, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
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
    /// How the simulator behaves, in the words of `benchhost simulate`, such as `ttft=40ms` or `max-running=16`; reaches
    /// every engine [default: the simulator's]
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Target")]
    pub(crate) simulator: Vec<String>,
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
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Load")]
    pub(crate) concurrency: Vec<u32>,
    /// Open loop: requests a second, whatever the server does, one load point each [default: none, a closed loop]
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Load")]
    pub(crate) rate: Vec<f64>,
    /// Requests released together, the next ones only after all of them ended; one load point each [default: none]
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Load")]
    pub(crate) batch: Vec<u32>,
    /// Open loop whose rate rises (or falls) over TIME, linearly or `:exp`; the load point is the highest rate [default: none]
    #[arg(long, value_name = "FROM..TO:TIME[:exp]", help_heading = "Load")]
    pub(crate) ramp: Option<String>,
    /// Open loop with a rate for each stretch of time, such as `2:30s,8:30s`; the load point is the highest [default: none]
    #[arg(long, value_name = "RATE:TIME,…", help_heading = "Load")]
    pub(crate) steps: Option<String>,
    /// Arrivals as the workload's items recorded them, this many times as fast; one load point each [default: none]
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Load")]
    pub(crate) trace_scale: Vec<f64>,
    /// Only this stretch of the trace, in its own time, such as `10m..20m` [default: all of it]
    #[arg(long, value_name = "FROM..TO", help_heading = "Load")]
    pub(crate) trace_window: Option<String>,
    /// Keep each arrival of the trace with this probability, by the seed: a lower rate with the same bursts [default: 1]
    #[arg(long, value_name = "SHARE", help_heading = "Load")]
    pub(crate) trace_thin: Option<f64>,
    /// Arrivals of an open loop: constant, poisson, gamma:CV, weibull:SHAPE, batches:N or
    /// mmpp:burst=5,calm=0.5,burst-s=2,calm-s=8 (relative rates of two states, and their mean lengths) [default: poisson]
    #[arg(long, value_name = "PROCESS", help_heading = "Load")]
    pub(crate) arrivals: Option<String>,
    /// Open loop: at most this many in flight; the wait of the others shows in their latency from schedule [default: none]
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub(crate) max_concurrency: Option<u32>,
    /// Closed loop: a user's pause between answer and next request; `,exp` draws it [default: none]
    #[arg(long, value_name = "TIME[,exp]", help_heading = "Load")]
    pub(crate) think: Option<String>,
    /// A share of the sessions hangs up, after so many events (mostly a token each) or so long: `10%:20tokens`, `10%:2s`
    /// [default: none]
    #[arg(long, value_name = "SHARE:WHEN", help_heading = "Load")]
    pub(crate) hang_up: Option<String>,

    /// Items per load point, warm-up not counted; a dialogue of several turns counts once [default: 4 × concurrency, at
    /// least 40; open loop: 20 s of arrivals, at least 40; trace: all of it]
    #[arg(long, value_name = "N", help_heading = "How much")]
    pub(crate) requests: Option<u32>,
    /// Time per load point, such as 30s; requests in flight at its end are followed to theirs [default: none, `--requests`
    /// decides]
    #[arg(long, value_name = "TIME", help_heading = "How much")]
    pub(crate) duration: Option<String>,
    /// Until the interval of a figure is this narrow, such as `ttft_p99:5%` (half its width, 95 % confidence)
    /// [default: none, `--requests` decides]
    #[arg(long, value_name = "FIGURE:SHARE", help_heading = "How much")]
    pub(crate) until: Option<String>,
    /// Longest time per load point of `--until`, or per rate that `--search` tries [default: 10m, 2m]
    #[arg(long, value_name = "TIME", help_heading = "How much")]
    pub(crate) max_duration: Option<String>,
    /// Items (or time, such as 5s) per load point sent first and not measured [default: 1 × concurrency; open loop: 1 s of
    /// arrivals]
    #[arg(long, value_name = "N|TIME", help_heading = "How much")]
    pub(crate) warmup: Option<String>,
    /// After the measured requests were sent, go on sending until they have ended (loaded), or send nothing (quiet)
    /// [default: loaded]
    #[arg(long, value_name = "loaded|quiet", help_heading = "How much")]
    pub(crate) drain: Option<String>,
    /// Longest time for one request [default: 120s]
    #[arg(long, value_name = "TIME", help_heading = "How much")]
    pub(crate) timeout: Option<String>,
    /// Longest silence within one request [default: 60s]
    #[arg(long, value_name = "TIME", help_heading = "How much")]
    pub(crate) idle_timeout: Option<String>,

    /// Measure over a list of values; repeat for a grid: `--sweep input=128,512 --sweep output=64,256`. Axes: concurrency,
    /// rate, batch, requests, input, output (tokens). `input=output=32,64` moves two together [default: none]
    #[arg(long, value_name = "AXIS=LIST", help_heading = "Study")]
    pub(crate) sweep: Vec<String>,
    /// Repeat the whole ladder [default: 1]
    #[arg(long, value_name = "K", help_heading = "Study")]
    pub(crate) repeats: Option<u32>,
    /// Measure several engines in turn, in random order within each repeat of a load point, instead of one after the other
    #[arg(long, help_heading = "Study")]
    pub(crate) interleave: bool,
    /// Order of the load points: random (by the seed) or given [default: random]
    #[arg(long, value_name = "random|given", help_heading = "Study")]
    pub(crate) order: Option<String>,
    /// Do not measure the middle point again at the beginning and the end, which shows drift (4 load points or more)
    #[arg(long, help_heading = "Study")]
    pub(crate) no_anchor: bool,
    /// Find the highest rate that meets these bounds, such as `ttft_p99=500ms,tpot_p99=50ms` [default: none]
    #[arg(long, value_name = "FIGURE=TIME,…", value_delimiter = ',', help_heading = "Study")]
    pub(crate) search: Vec<String>,
    /// Seed of item order, arrivals and workload choices [default: 42]
    #[arg(long, help_heading = "Study")]
    pub(crate) seed: Option<u64>,

    /// A good request keeps all of these, such as `ttft=500ms,tpot=50ms`; gives goodput [default: none]
    #[arg(long, value_name = "METRIC=TIME,…", value_delimiter = ',', help_heading = "Objectives")]
    pub(crate) slo: Vec<String>,
    /// Exit with 1 unless every load point reaches this: `slo=95%` (share of good requests), `goodput=4` (good requests a
    /// second), `ttft_p99=500ms` [default: none]
    #[arg(long, value_name = "AIM,…", value_delimiter = ',', help_heading = "Objectives")]
    pub(crate) require: Vec<String>,
    /// Exit with 5 when a measurement is INVALID
    #[arg(long, help_heading = "Objectives")]
    pub(crate) strict: bool,

    /// Threads that send and receive [default: 1]
    #[arg(long, value_name = "N", help_heading = "Harness")]
    pub(crate) io_threads: Option<u32>,
    /// Scheduling class of those threads: auto (the best this machine permits), realtime or off [default: auto]
    #[arg(long, value_name = "auto|off|realtime", help_heading = "Harness")]
    pub(crate) priority: Option<String>,
    /// Skip the check of the harness's own error before the run (two seconds)
    #[arg(long, help_heading = "Harness")]
    pub(crate) no_selfcheck: bool,
    /// Go on with the run in this directory: same plan, same schedule, finished load points are kept [default: none]
    #[arg(long, value_name = "DIR", help_heading = "Harness")]
    pub(crate) resume: Option<PathBuf>,

    /// GPU samples through NVML: auto or off [default: auto]
    #[arg(long, value_name = "auto|off", help_heading = "Output")]
    pub(crate) gpu: Option<String>,
    /// What the engine tells of itself (KV cache, running, waiting), asked ten times a second: auto or off [default: auto]
    #[arg(long, value_name = "auto|off", help_heading = "Output")]
    pub(crate) gauges: Option<String>,
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
    /// Colour of an engine, or of one of its variants: `vllm=#0072b2`, `vllm/fp8=#56b4e9`; may be repeated
    /// [default: colours that colour-blind readers can tell apart]
    #[arg(long, value_name = "ENGINE[/VARIANT]=#HEX", help_heading = "Output")]
    pub(crate) color: Vec<String>,
    /// What throughput is counted in on the pictures [default: tokens where every engine's are known, else requests]
    #[arg(long, value_enum, value_name = "req|tok", help_heading = "Output")]
    pub(crate) throughput: Option<ThroughputUnit>,
    /// Fill the terminal's screen while measuring: load points, charts of the last minutes, log; `q` stops, `?` helps.
    /// Where standard error is not a terminal, or `TERM` is `dumb`, a warning and the usual lines take its place
    #[arg(long, help_heading = "Output")]
    pub(crate) tui: bool,
}
