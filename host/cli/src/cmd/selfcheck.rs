//! `benchhost selfcheck`: how far this program's own figures lie from the truth, on this machine, at a load.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use benchhost_load::{Control, IoPlan};
use benchhost_model::Verdict;
use benchhost_os::thread::Priority;
use benchhost_selfcheck::{Capacity, Ladder, SelfCheck, Shape, StallProof, StallShape, capacity};
use benchhost_telemetry::host::HostFacts;
use serde::Serialize;

use crate::args::SelfcheckArgs;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::run::{Interrupt, selfcheck};
use crate::ui::Printer;

/// Streams where nothing is asked for.
const USUAL_STREAMS: u32 = 64;
/// Time of the proof that no stop is hidden.
const PROOF: Duration = Duration::from_secs(2);

/// Everything that was found.
#[derive(Debug, Serialize)]
struct Found {
    schema_version: u32,
    check: SelfCheck,
    stalls: StallProof,
    capacity: Option<Capacity>,
    /// What of this machine bends times, in words.
    concerns: Vec<String>,
}

/// Checks, proves, and climbs if asked to.
pub(crate) fn run(args: &SelfcheckArgs, printer: &Printer) -> CliResult<Exit> {
    let io = io_plan(args)?;
    let shape = shape(args, io)?;
    let interrupt = Interrupt::listen(printer)?;
    let control = Control::new();
    interrupt.watch(Some(control.clone()));
    let stopped = || interrupt.requested();
    printer.status(&format!(
        "checking for {:.1} s against a simulator in a process of its own",
        (shape.warmup + shape.measured).as_secs_f64()
    ));
    let check = selfcheck::pre_run_check(&shape, &control);
    if stopped() {
        return Err(CliError::interrupted());
    }
    let check = check?;
    let proof = StallShape::new(io, PROOF);
    let stalls = selfcheck::stalls(&proof, &control);
    if stopped() {
        return Err(CliError::interrupted());
    }
    let ladder = Ladder::new(args.events_per_s, io);
    let climbed = if args.capacity { Some(climb(&ladder, &control, printer)) } else { None };
    if stopped() {
        return Err(CliError::interrupted());
    }
    let found = Found {
        schema_version: crate::store::SCHEMA_VERSION,
        check,
        stalls: stalls?,
        capacity: climbed.transpose()?,
        concerns: HostFacts::read(Path::new("/")).concerns(),
    };
    printer.result(&if args.json { json(&found)? } else { text(&found) })?;
    let invalid = found.check.verdict == Some(Verdict::Invalid) || !found.stalls.holds();
    Ok(if invalid && args.strict { Exit::Invalid } else { Exit::Done })
}

fn io_plan(args: &SelfcheckArgs) -> CliResult<IoPlan> {
    let priority: Priority =
        args.priority.parse().map_err(|e| CliError::usage("`--priority`").caused_by(&e))?;
    let threads = NonZeroUsize::new(args.io_threads as usize)
        .ok_or_else(|| CliError::usage("`--io-threads 0`: at least one thread has to do the I/O"))?;
    Ok(IoPlan { threads, priority, ..IoPlan::default() })
}

fn shape(args: &SelfcheckArgs, io: IoPlan) -> CliResult<Shape> {
    let positive = |flag: &str, number: f64, most: f64| {
        if number.is_finite() && number > 0.0 && number <= most {
            Ok(number)
        } else {
            Err(CliError::usage(format!("`{flag} {number}`: expected a number above 0 and up to {most}")))
        }
    };
    let seconds = Duration::from_secs_f64(positive("--seconds", args.seconds, 3600.0)?.max(1.0));
    let events_per_s = positive("--events-per-s", args.events_per_s, 1e6)?;
    let shape = match args.rate {
        Some(rate) => Shape::rate(positive("--rate", rate, 1e6)?, events_per_s, io, seconds),
        None => Shape::streams(args.streams.unwrap_or(USUAL_STREAMS), events_per_s, io, seconds),
    };
    Ok(match args.tokens {
        Some(tokens) => shape.with_events(tokens),
        None => shape,
    })
}

fn climb(ladder: &Ladder, control: &Control, printer: &Printer) -> CliResult<Capacity> {
    printer.status("doubling streams until a limit is passed");
    let (simulated, server) = selfcheck::start(&ladder.shape(ladder.from).server_args())?;
    let found = capacity(ladder, &server, control)
        .map_err(|e| CliError::setup("the climb for the capacity failed").caused_by(&e));
    drop(simulated);
    found
}

fn json(found: &Found) -> CliResult<String> {
    serde_json::to_string_pretty(found)
        .map(|text| text + "\n")
        .map_err(|e| CliError::internal("the result cannot be written as JSON").because(e))
}

fn text(found: &Found) -> String {
    let mut text = format!("{}{}", found.check, found.stalls);
    if let Some(capacity) = &found.capacity {
        text.push('\n');
        text.push_str(&capacity.to_string());
    }
    for concern in &found.concerns {
        text.extend(["note        ", concern.as_ref(), "\n"]);
    }
    text
}
