//! The command line as clap sees it. Types only: what a flag means is decided where it is used.

mod compare;
mod export;
mod run;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use compare::{By, CompareArgs, ComparisonFormat};
pub(crate) use export::{ExportArgs, ExportForm};
pub(crate) use run::RunArgs;

/// Measure language-model servers: latency, throughput, memory, cost and answer quality.
#[derive(Debug, Parser)]
#[command(
    name = "benchhost",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit codes: 0 done · 1 regression or requirement missed · 2 usage, plan or unreadable input
3 inconclusive (--strict) · 4 not comparable · 5 INVALID measurement (--strict) · 6 setup failed
7 no request completed · 70 a bug · 130 interrupted, partial results kept"
)]
pub(crate) struct Cli {
    /// Print results only, no progress
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more about what happens (log lines of plugins, probes)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure one or more engines and keep every request
    #[command(args_override_self = true)]
    Run(Box<RunArgs>),
    /// Set two results side by side, with intervals
    Compare(CompareArgs),
    /// Tables and pictures again, from the files of a run alone
    Report(ReportArgs),
    /// Write a run in the form of another tool's files, as JSON lines, or for Prometheus
    Export(ExportArgs),
    /// Make the files of a killed run whole: torn ends off, summary and mark of completion written
    Recover(RecoverArgs),
    /// Look at a plan without running it
    Plan(PlanArgs),
    /// Components: list, inspect, check, build, start a new one
    Plugin(PluginArgs),
    /// Measure this program itself: how far its figures lie from a known truth on this machine
    #[command(args_override_self = true)]
    Selfcheck(SelfcheckArgs),
    /// A local page of the runs below a directory: lists them, shows their reports, compares two
    Serve(ServeArgs),
    /// Serve the built-in simulator, which speaks every engine's dialect
    Simulate(Box<SimulateArgs>),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// How results are printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people
    Table,
    /// A Markdown table
    Markdown,
    /// JSON with a `schema_version`
    Json,
    /// The summary's CSV
    Csv,
}

/// What throughput is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ThroughputUnit {
    /// Requests a second
    Req,
    /// Output tokens a second
    Tok,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Directories of runs; the rows of several are shown together
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// How to print the summary
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
    /// Leave the pictures in `plots` as they are
    #[arg(long)]
    pub(crate) no_plots: bool,
    /// Write the page here [default: `report.html` in the run's directory; of several runs, in the current one, with
    /// `plots` beside it]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Colour of an engine, or of one of its variants: `vllm=#0072b2`, `vllm/fp8=#56b4e9`; may be repeated
    /// [default: colours that colour-blind readers can tell apart]
    #[arg(long, value_name = "ENGINE[/VARIANT]=#HEX")]
    pub(crate) color: Vec<String>,
    /// What throughput is counted in on the pictures [default: tokens where every engine's are known, else requests]
    #[arg(long, value_enum, value_name = "req|tok")]
    pub(crate) throughput: Option<ThroughputUnit>,
}

#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    /// Directory of a run
    pub(crate) run: PathBuf,
    /// If the run has ended: read every file and compare its SHA-256 with the recorded one
    #[arg(long)]
    pub(crate) verify: bool,
    /// How to print the summary
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
    /// Draw no pictures
    #[arg(long)]
    pub(crate) no_plots: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(subcommand)]
    pub(crate) command: PlanCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Print each value and where it came from
    #[command(args_override_self = true)]
    Show(Box<RunArgs>),
    /// Say whether the plan is sound; exit 2 if not
    #[command(args_override_self = true)]
    Check(Box<RunArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    pub(crate) command: PluginCommand,
}

/// What a new plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PluginKind {
    /// Speaks a server's dialect
    Engine,
    /// Makes items to send
    Workload,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List embedded and found components
    List {
        /// How to print it
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Describe one component: routes, options, data slots, imports, digest
    Info {
        /// Name of an embedded component, or a `.wasm` file
        plugin: String,
        /// How to print it
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Start a plugin of your own, in Rust
    New {
        /// What it is
        #[arg(value_enum)]
        kind: PluginKind,
        /// Its name, kebab-case; also the new directory
        name: String,
        /// Create it in this directory instead of the current one
        #[arg(long, default_value = ".")]
        parent: PathBuf,
    },
    /// Compile a plugin crate to a component (finds or installs a Rust that can target Wasm)
    Build {
        /// Crates to build; none, inside the benchhost repository: all first-party plugins
        crates: Vec<PathBuf>,
        /// Fail if a committed component is stale; rebuild and replay all fixtures through both
        #[arg(long)]
        check: bool,
        /// Write the component here [default: beside the crate inside the benchhost repository, else in the crate's folder]
        #[arg(short, long)]
        out: Option<PathBuf>,
    },
    /// Try a component against the contract
    Check {
        /// Name of an embedded component, or a `.wasm` file
        plugin: String,
        /// A folder of recorded streams to replay as well [default: none]
        #[arg(long)]
        fixtures: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Directory with runs in it, at any depth
    pub(crate) results: PathBuf,
    /// Port to listen on; 0 picks a free one
    #[arg(long, default_value_t = 8090)]
    pub(crate) port: u16,
    /// Address to listen on; any other than this machine's own lets others read the results
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub(crate) bind: std::net::IpAddr,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Which engine to imitate: openai, vllm, sglang, tgi, llamacpp, friendli, transformers
    #[arg(long, default_value = "openai")]
    pub(crate) dialect: String,
    /// Port to listen on; 0 picks a free one
    #[arg(long, default_value_t = 8000)]
    pub(crate) port: u16,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: std::net::IpAddr,
    /// Name of the model it claims to serve
    #[arg(long, default_value = "simulated-model")]
    pub(crate) model: String,
    /// Seed of every delay and answer
    #[arg(long, default_value_t = 42)]
    pub(crate) seed: u64,
    /// Time to first token: `25ms`, `normal:20ms,5ms`, `lognormal:25ms,0.25` (median, sigma),
    /// `tailed:25ms,0.1,0.05,3` (of which a share of 0.05 takes 3 times as long) [default: lognormal:25ms,0.25]
    #[arg(long)]
    pub(crate) ttft: Option<String>,
    /// Time between tokens, in the same forms [default: lognormal:6ms,0.15]
    #[arg(long)]
    pub(crate) itl: Option<String>,
    /// Each further concurrent stream stretches delays by this share [default: 0.03]
    #[arg(long)]
    pub(crate) batch_slowdown: Option<f64>,
    /// Tokens in one event [default: 1]
    #[arg(long)]
    pub(crate) tokens_per_event: Option<u32>,
    /// Requests generated at the same time; further ones wait [default: unlimited]
    #[arg(long)]
    pub(crate) max_running: Option<u32>,
    /// Reasoning tokens before each answer [default: 0]
    #[arg(long)]
    pub(crate) reasoning_tokens: Option<u32>,
    /// Share of prompts that are answered wrongly, by filler of the same length [default: 0]
    #[arg(long, value_name = "SHARE")]
    pub(crate) wrong: Option<f64>,
    /// Share of its tokens that an answer keeps, its end; lengths that requests ask for stand [default: 1]
    #[arg(long, value_name = "SHARE")]
    pub(crate) answer_length: Option<f64>,
    /// Misbehave, for instance `in-band-error:every=3` [default: none]
    #[arg(long)]
    pub(crate) fault: Option<String>,
    /// Put the monotonic time of each write into the stream, and of the request's arrival into its first event
    #[arg(long)]
    pub(crate) stamp_writes: bool,
    /// Serve one prepared event at the least cost, stamped: chat only, no faults, no queue, no manners
    #[arg(long)]
    pub(crate) lean: bool,
    /// Stand still: `50ms@2s` for 50 ms 2 s after the start, `50ms@every=2s` again and again; may be repeated
    /// [default: never]
    #[arg(long, value_name = "LENGTH@TIME")]
    pub(crate) stall: Vec<String>,
    /// Keep the serving thread on this CPU [default: any]
    #[arg(long, value_name = "CPU")]
    pub(crate) pin: Option<usize>,
    /// Scheduling of the serving thread: `off`, `auto`, `realtime`, `nice`
    #[arg(long, default_value = "off")]
    pub(crate) priority: String,
    /// Require this API key, taken from the named environment variable [default: none, open]
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) api_key_env: Option<String>,
    /// Print the address on stdout and end when stdin closes (used by `run --simulate`)
    #[arg(long, hide = true)]
    pub(crate) child: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SelfcheckArgs {
    /// Streams at a time [default: 64]
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    pub(crate) streams: Option<u32>,
    /// Requests a second, at random, instead of streams [default: none]
    #[arg(long, value_name = "R")]
    pub(crate) rate: Option<f64>,
    /// Events a second of each stream
    #[arg(long, value_name = "E", default_value = "100")]
    pub(crate) events_per_s: f64,
    /// Tokens of an answer, as far as they fit into a third of a second [default: as many as fit]
    #[arg(long, value_name = "N")]
    pub(crate) tokens: Option<u32>,
    /// Seconds of the check, at least 1
    #[arg(long, value_name = "S", default_value = "5")]
    pub(crate) seconds: f64,
    /// Find the load that this machine measures honestly: double the streams until a limit is passed
    #[arg(long)]
    pub(crate) capacity: bool,
    /// Threads that send and receive
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) io_threads: u32,
    /// Scheduling of those threads: `auto`, `off`, `realtime`, `nice`
    #[arg(long, default_value = "auto")]
    pub(crate) priority: String,
    /// Exit with 5 when the check is INVALID
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests {
    use clap::{ArgAction, CommandFactory};

    #[test]
    fn the_command_tree_is_sound() {
        super::Cli::command().debug_assert();
    }

    /// Options of a command and of all commands below it, with the words of their help.
    fn options(command: &clap::Command, place: &str, found: &mut Vec<(String, bool, String)>) {
        for option in command.get_arguments().filter(|a| a.get_long().is_some()) {
            let switch = matches!(
                option.get_action(),
                ArgAction::SetTrue | ArgAction::Count | ArgAction::Help | ArgAction::Version
            );
            let help = option.get_help().map(ToString::to_string).unwrap_or_default();
            let stated = help.contains("[default: ") || !option.get_default_values().is_empty();
            found.push((
                format!("{place} --{}", option.get_long().unwrap_or_default()),
                switch || stated || option.is_required_set(),
                help,
            ));
        }
        for verb in command.get_subcommands() {
            options(verb, &format!("{place} {}", verb.get_name()), found);
        }
    }

    #[test]
    fn every_option_states_its_default_or_is_a_switch_or_required() {
        let mut found = Vec::new();
        options(&super::Cli::command(), "benchhost", &mut found);
        assert!(found.len() > 60, "{}", found.len());
        let silent: Vec<_> = found.iter().filter(|(_, stated, _)| !stated).collect();
        assert!(silent.is_empty(), "{silent:#?}");
        let twice: Vec<_> = found.iter().filter(|(.., help)| help.matches("default: ").count() > 1).collect();
        assert!(twice.is_empty(), "{twice:#?}");
    }
}
