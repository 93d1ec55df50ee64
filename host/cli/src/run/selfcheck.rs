//! The check of the program's own error: starts a simulator in another process, which stamps what it writes, and has it
//! asked with the threads of a run. Before a run that is the heaviest load of its plan, for two seconds at most.

use std::time::Duration;

use benchhost_load::Control;
use benchhost_model::LoadPoint;
use benchhost_os::thread::cpus;
use benchhost_selfcheck::{SelfCheck, ServerUnderTruth, Shape, StallProof, StallShape, measure, stall_proof};

use super::interrupt::Interrupt;
use super::point::io_plan;
use super::simulated::Simulated;
use crate::error::{CliError, CliResult};
use crate::plan::Plan;
use crate::ui::Printer;

/// Warm-up and measuring together.
const LENGTH: Duration = Duration::from_millis(1500);
/// How fast a stream is taken to be, where nothing is known of the server yet: quicker than most read.
const EVENTS_PER_S: f64 = 50.0;
/// More streams than this would not come to rest within the time.
const MOST_STREAMS: u32 = 1024;

/// What it found; `None`: it was not wanted, or could not be made, which is said.
pub(super) fn before_run(plan: &Plan, interrupt: &Interrupt, printer: &Printer) -> Option<SelfCheck> {
    if !plan.selfcheck.value {
        return None;
    }
    let control = Control::new();
    interrupt.watch(Some(control.clone()));
    let checked = pre_run_check(&shape(plan), &control);
    interrupt.watch(None);
    match checked {
        Ok(check) => {
            if let Some(ttft) = check.facts().ttft {
                let micros = ttft.p99_ns as f64 / 1e3;
                printer
                    .status(&format!("selfcheck: time to first token is told within {micros:.0} µs (p99)"));
            }
            Some(check)
        }
        Err(error) => {
            let causes: Vec<&str> = error.details().map(|(_, text)| text).collect();
            printer.warning(&format!("the selfcheck could not be made: {error}: {}", causes.join(": ")));
            None
        }
    }
}

/// Checks at one load.
pub(crate) fn pre_run_check(shape: &Shape, control: &Control) -> CliResult<SelfCheck> {
    let (_simulated, server) = start(&shape.server_args())?;
    measure(shape, &server, control).map_err(|e| failed(&e))
}

/// Lets the server stop now and then, and shows whether the latencies say so.
pub(crate) fn stalls(shape: &StallShape, control: &Control) -> CliResult<StallProof> {
    let (_simulated, server) = start(&shape.server_args())?;
    stall_proof(shape, &server, control).map_err(|e| failed(&e))
}

/// A simulator with these arguments; it ends when it is dropped. Where there is more than one core it is in the same
/// scheduling class as this program's I/O threads: then each wakes on a core that the other leaves free. It is not pinned:
/// an I/O thread that once woke on the simulator's core would stay there, and both would wait for one another.
pub(crate) fn start(args: &[String]) -> CliResult<(Simulated, ServerUnderTruth)> {
    let priority = if cpus() > 1 { "auto" } else { "off" };
    let simulated = Simulated::spawn(args.iter().map(String::as_str).chain(["--priority", priority]))?;
    let server = ServerUnderTruth::new(&simulated.url).map_err(|e| failed(&e))?;
    Ok((simulated, server))
}

fn failed(error: &dyn std::error::Error) -> CliError {
    CliError::setup("the check of this program's own error failed").caused_by(error)
}

/// The heaviest load point of the plan.
fn shape(plan: &Plan) -> Shape {
    let streams = |n: u32| Shape::streams(n.clamp(1, MOST_STREAMS), EVENTS_PER_S, io_plan(plan), LENGTH);
    let in_flight = plan.all_points().filter_map(|p| match p {
        LoadPoint::Concurrency(n) | LoadPoint::Batch(n) => Some(n),
        LoadPoint::Rate(_) | LoadPoint::Trace(_) => None,
    });
    let rate = plan.all_points().filter_map(|p| if let LoadPoint::Rate(r) = p { Some(r) } else { None });
    match (in_flight.max(), rate.reduce(f64::max)) {
        (Some(n), _) => streams(n),
        (None, Some(rate)) => Shape::rate(rate, EVENTS_PER_S, io_plan(plan), LENGTH),
        // A trace's rate is known only when its items are.
        (None, None) => Shape::rate(1.0, EVENTS_PER_S, io_plan(plan), LENGTH),
    }
}
