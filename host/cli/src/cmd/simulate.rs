//! `benchhost simulate`, and the child of `run --simulate`.

use std::io::{Read, Write};
use std::net::SocketAddr;

use clap::Parser as _;

use benchhost_os::thread::{self, Priority};
use benchhost_simulator::{Delay, Dialect, FaultPlan, SimulatorConfig, serve_blocking};

use crate::args::SimulateArgs;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::ui::Printer;

/// Serves until Ctrl-C, or as a child until standard input closes.
pub(crate) fn run(args: SimulateArgs, printer: &Printer) -> CliResult<Exit> {
    let child = args.child;
    let priority: Priority =
        args.priority.parse().map_err(|e| CliError::usage("`--priority`").caused_by(&e))?;
    if let Some(cpu) = args.pin.filter(|cpu| !thread::pin(*cpu)) {
        return Err(CliError::usage(format!("`--pin {cpu}`: this process may not run on that CPU")));
    }
    let config = config(args)?;
    // It serves on this thread.
    let _granted = thread::raise(priority);
    if child {
        end_with_parent()?;
    }
    let (printer, dialect) = (printer.clone(), config.dialect);
    let announce = move |address: SocketAddr| {
        if child {
            // The parent waits for this line; if it is gone there is nobody to serve.
            let told =
                writeln!(std::io::stdout(), "http://{address}").and_then(|()| std::io::stdout().flush());
            drop(told);
        } else {
            printer.status(&format!("simulating {dialect} at http://{address} (Ctrl-C ends)"));
            printer.status(&format!("try: benchhost run --engine {dialect}=http://{address}"));
        }
    };
    serve_blocking(config, announce).map_err(|e| {
        CliError::setup("the simulator cannot serve")
            .because(format!("{e:#}"))
            .hint("another program may use the port: `--port 0` picks a free one")
    })?;
    Ok(Exit::Done)
}

/// What a run may set of the simulator in an engine's place; the rest is the run's own business.
const WISHES: [&str; 12] = [
    "ttft",
    "itl",
    "batch-slowdown",
    "tokens-per-event",
    "max-running",
    "reasoning-tokens",
    "wrong",
    "answer-length",
    "fault",
    "stall",
    "model",
    "seed",
];

/// Whether a simulator would start with these, before anything is measured.
pub(crate) fn check(wishes: &[(String, String)]) -> CliResult<()> {
    for (key, value) in wishes {
        if !WISHES.contains(&key.as_str()) {
            return Err(CliError::usage(format!("the simulator has no `{key}` that a run may set"))
                .hint(format!("it has {}", WISHES.join(", "))));
        }
        let args = Wished::try_parse_from(["simulate", &format!("--{key}={value}")]).map_err(|e| {
            CliError::usage(format!("`{key} = {value}` of the simulator"))
                .because(e.kind())
                .hint("`benchhost simulate --help` shows what it takes")
        })?;
        config(args.args)
            .map_err(|e| e.hint("it was asked for by `--simulator`, or `[engine.simulator]` in the plan"))?;
    }
    Ok(())
}

/// The flags of `simulate` as a command of their own.
#[derive(Debug, clap::Parser)]
struct Wished {
    #[command(flatten)]
    args: SimulateArgs,
}

fn config(args: SimulateArgs) -> CliResult<SimulatorConfig> {
    let wrong = |flag: &str, e: &dyn std::fmt::Display| CliError::usage(format!("`{flag}`")).because(e);
    let dialect: Dialect = args.dialect.parse().map_err(|e| wrong("--dialect", &e))?;
    let mut config = SimulatorConfig::new(dialect);
    config.bind = SocketAddr::new(args.host, args.port);
    config.model = args.model;
    config.seed = args.seed;
    let delay = |flag: &str, text: Option<String>, default: Delay| {
        text.map_or(Ok(default), |t| t.parse().map_err(|e| wrong(flag, &e)))
    };
    config.ttft = delay("--ttft", args.ttft, config.ttft)?;
    config.itl = delay("--itl", args.itl, config.itl)?;
    if let Some(share) = args.batch_slowdown {
        if !(share.is_finite() && share >= 0.0) {
            return Err(wrong("--batch-slowdown", &"expected a share of 0 or more"));
        }
        config.batch_slowdown = share;
    }
    config.tokens_per_event = args.tokens_per_event.unwrap_or(config.tokens_per_event).max(1);
    config.max_running = args.max_running.or(config.max_running);
    config.reasoning_tokens = args.reasoning_tokens.unwrap_or(config.reasoning_tokens);
    let share = |flag: &str, given: Option<f64>, default: f64| match given.unwrap_or(default) {
        share if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(wrong(flag, &"expected a share from 0 to 1")),
    };
    config.wrong = share("--wrong", args.wrong, config.wrong)?;
    config.answer_length = share("--answer-length", args.answer_length, config.answer_length)?;
    config.stamp_writes = args.stamp_writes;
    config.lean = args.lean;
    config.stalls = args
        .stall
        .iter()
        .map(|text| text.parse().map_err(|e| wrong("--stall", &format!("{e:#}"))))
        .collect::<CliResult<_>>()?;
    if let Some(fault) = args.fault {
        config.fault = fault.parse::<FaultPlan>().map_err(|e| wrong("--fault", &e))?;
    }
    if let Some(variable) = args.api_key_env {
        let key = crate::env::secret(&variable).ok_or_else(|| {
            CliError::usage(format!("the variable `{variable}` named by `--api-key-env` is not set"))
        })?;
        config.api_key = Some(key);
    }
    Ok(config)
}

/// Ends the process when standard input closes: the parent holds the other end and cannot leave without closing it.
#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the child's only way out: its main thread serves for ever"
)]
fn end_with_parent() -> CliResult<()> {
    let watch = || {
        let mut byte = [0_u8; 1];
        while std::io::stdin().read(&mut byte).is_ok_and(|n| n > 0) {}
        std::process::exit(0);
    };
    std::thread::Builder::new()
        .name("parent".into())
        .spawn(watch)
        .map(drop)
        .map_err(|e| CliError::internal("cannot start a thread").because(e))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn what_a_run_may_set_are_flags_of_the_simulator() {
        let command = Wished::command();
        for wish in WISHES {
            assert!(command.get_arguments().any(|a| a.get_long() == Some(wish)), "{wish}");
        }
        let set = |key: &str, value: &str| check(&[(key.to_owned(), value.to_owned())]);
        assert!(set("ttft", "40ms").is_ok() && set("ttft", "soon").is_err() && set("port", "1").is_err());
    }
}
