//! Orchestration of a run: plan in, a result directory out. The one function to read after `main` is [`execute`].

mod agenda;
mod backlog;
mod builder;
mod calibrate;
mod components;
mod conversation;
mod data;
mod decode;
mod desk;
mod engines;
mod facts;
mod feed;
mod figures;
mod gauges;
mod health;
mod interrupt;
mod leaving;
mod offer;
mod order;
mod point;
mod prober;
mod record;
mod resume;
mod search;
pub(crate) mod selfcheck;
mod session;
mod setup;
mod simulated;
mod tokens;
mod trace;
mod watch;
mod workloads;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use benchhost_http::RunClock;
use benchhost_model::{Nanos, Target};
use benchhost_selfcheck::SelfCheck;
use benchhost_telemetry::gpu::{DEFAULT_PERIOD, GpuMode, GpuSampler, GpuStatus};
use benchhost_telemetry::host::HostFacts;

use crate::error::{CliError, CliResult};
use crate::plan::Plan;
use crate::store::{Layout, Manifest, RunWriter, SCHEMA_VERSION, digest_hex, new_run_id, write_atomic};
use crate::ui::Printer;

pub(crate) use components::{Components, locate};
pub(crate) use resume::Resumed;
pub(crate) use search::read_found;

use gauges::{GaugeHealth, GaugeSampler};
use health::Health;
pub(crate) use interrupt::Interrupt;
use point::{Run, drain_telemetry};
use session::Session;
use setup::{Prepared, Setup};

/// Where a run left its files and how it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) layout: Layout,
    pub(crate) interrupted: bool,
    /// Measured requests that were answered, those of a resumed run's first part included.
    pub(crate) completed: u64,
    /// What stopped it half-way; the rows so far are there.
    pub(crate) failure: Option<CliError>,
}

/// Where the files of a run go.
pub(crate) enum Destination<'a> {
    /// A new directory; `None`: the default place.
    New(Option<&'a Path>),
    /// The directory of a run that was killed or interrupted.
    Resume(Box<Resumed>),
}

/// Runs the plan. An error means that nothing was measured and nothing is left behind; after the first request, whatever
/// happens leaves a readable result.
pub(crate) fn execute(plan: &Plan, to: Destination<'_>, printer: &Printer) -> CliResult<Finished> {
    let components = Components::new()?;
    let run_id = if let Destination::Resume(resumed) = &to { resumed.run_id() } else { new_run_id() };
    let plan_digest = digest_hex(plan.as_file.as_bytes());
    let interrupt = Interrupt::listen(printer)?;
    // Left when this function ends, however it ends.
    let _screen = printer.enter_screen(plan.simulate.is_some(), interrupt.end());
    let tokenizer = setup::load_tokenizer(plan)?;
    let notes = Mutex::new(BTreeSet::new());
    let setup = Setup {
        plan,
        run_id: &run_id,
        components: &components,
        tokenizer: tokenizer.as_ref(),
        interrupt: &interrupt,
        printer,
        notes: &notes,
    };
    let prepared = setup.prepare_all()?;
    let workloads = prepared.iter().flat_map(|p| &p.workloads);
    let scores = workloads.flat_map(|(_, w)| w.scores.iter().map(|s| s.name.clone())).collect();
    let selfcheck = selfcheck::before_run(plan, &interrupt, printer);

    let Opened { layout, mut writer, clock, next_id, kept } = open(to, plan, scores, &run_id, printer)?;
    let (gpu_in, gpu_out) = channel();
    let mode = if plan.gpu.value { GpuMode::Auto } else { GpuMode::Off };
    let library = crate::env::nvml_library();
    let (sampler, gpu) =
        GpuSampler::start(mode, library.as_deref(), DEFAULT_PERIOD, clock.instant(Nanos::ZERO), gpu_in);
    if let GpuStatus::Absent { reason } = &gpu {
        printer.status("no GPU figures: NVML is not available on this machine (-v says why)");
        printer.detail(reason);
    }
    let (gauges_in, gauges_out) = channel();
    let gauges = gauge_samplers(&prepared, plan, clock, &gauges_in, printer)?;
    let run = Run {
        plan,
        id: &run_id,
        plan_digest: &plan_digest,
        target: if plan.simulate.is_some() { Target::Simulated } else { Target::Real },
        clock,
        interrupt: &interrupt,
        printer,
        gpu: &gpu_out,
        gauges: &gauges_out,
        tokenizer: tokenizer.as_ref(),
        next_id: &AtomicU64::new(next_id),
        notes: &notes,
        folder: layout.root(),
        selfcheck: selfcheck.as_ref().map(SelfCheck::facts),
    };
    let mut manifest = manifest(&run, &prepared, &gpu);
    kept.inherit(&mut manifest);
    save_json(&layout.manifest(), &manifest)?;

    let before = Health::now();
    let mut session = Session::new(&run, &layout, &mut writer, &prepared, &kept);
    let measured = session.measure_all(&mut manifest);
    let (health, completed) = session.into_account();
    let sampler_health = serde_json::to_value(sampler.stop()).unwrap_or_default();
    let gauge_health: Vec<_> = gauges.into_iter().map(GaugeSampler::stop).collect();
    notes
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(gauge_health.iter().filter_map(GaugeHealth::note));
    let interrupted = interrupt.requested();
    // Before the mark of completion, which has its digest.
    let report = before.report(&health, kept.facts(), &sampler_health, &gauge_health, selfcheck.as_ref());
    let harness = save_json(&layout.harness(), &report);
    let closed = close(&run, &mut writer, &layout, &mut manifest, (measured.is_err(), interrupted));
    // What stopped the measuring explains what stopped the closing.
    let failure = measured.and(closed).and(harness).err();
    Ok(Finished { layout, interrupted, completed: completed + kept.completed(), failure })
}

/// The files of a run and what goes on in them.
struct Opened {
    layout: Layout,
    writer: RunWriter,
    clock: RunClock,
    next_id: u64,
    kept: resume::Kept,
}

fn open(
    to: Destination<'_>,
    plan: &Plan,
    scores: Vec<String>,
    run_id: &str,
    printer: &Printer,
) -> CliResult<Opened> {
    match to {
        Destination::New(out) => {
            let (directory, also) = setup::place(out, run_id);
            let layout = Layout::new(&directory);
            let writer = RunWriter::create(layout.clone(), scores, also.as_deref())?;
            write_atomic(&layout.plan(), plan.as_file.as_bytes())?;
            let kept = resume::Kept::default();
            Ok(Opened { layout, writer, clock: RunClock::start(), next_id: 1, kept })
        }
        Destination::Resume(resumed) => resumed.open(scores, printer),
    }
}

/// One for each engine that can be asked, all for the whole run.
fn gauge_samplers(
    prepared: &[Prepared<'_>],
    plan: &Plan,
    clock: RunClock,
    sink: &std::sync::mpsc::Sender<crate::store::TelemetryRow>,
    printer: &Printer,
) -> CliResult<Vec<GaugeSampler>> {
    let engines = prepared.iter().map(|p| &p.engine).filter(|_| plan.gauges.value);
    engines.map(|e| GaugeSampler::start(e, clock, plan.seed.value, sink.clone(), printer)).collect()
}

/// What is known before the first request.
fn manifest(run: &Run<'_>, prepared: &[Prepared<'_>], gpu: &GpuStatus) -> Manifest {
    let (gpus, gpu_note) = match gpu {
        GpuStatus::Off => (Vec::new(), "sampling is off".into()),
        GpuStatus::Absent { reason } => (Vec::new(), reason.clone()),
        GpuStatus::Present { gpus } => {
            let name = |g: &benchhost_telemetry::gpu::GpuInfo| {
                g.name.clone().unwrap_or_else(|| format!("GPU {}", g.index))
            };
            (gpus.iter().map(name).collect(), String::new())
        }
    };
    Manifest {
        schema_version: SCHEMA_VERSION,
        tool: format!("benchhost {}", env!("CARGO_PKG_VERSION")),
        run_id: run.id.to_owned(),
        started_unix_s: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
        target: run.target,
        plan_digest: run.plan_digest.to_owned(),
        seed: run.plan.seed.value,
        engines: prepared.iter().map(|p| p.engine.facts.clone()).collect(),
        // The items are the same for every engine; only their tokenizer may differ.
        workloads: prepared
            .first()
            .map(|p| p.workloads.iter().map(|(_, w)| w.facts.clone()).collect())
            .unwrap_or_default(),
        gpus,
        gpu_note,
        gpu_price_usd_per_hour: run.plan.gpu_price.as_ref().map(|p| p.value),
        host: serde_json::to_value(HostFacts::read(Path::new("/"))).unwrap_or_default(),
        notes: Vec::new(),
        calibration: Vec::new(),
        ended: String::new(),
    }
}

/// Writes what is known only at the end.
fn close(
    run: &Run<'_>,
    writer: &mut RunWriter,
    layout: &Layout,
    manifest: &mut Manifest,
    (failed, interrupted): (bool, bool),
) -> CliResult<()> {
    drain_telemetry(run, writer)?;
    manifest.notes = run.notes.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
    for note in &manifest.notes {
        run.printer.warning(note);
    }
    manifest.ended = if failed {
        "failed"
    } else if interrupted {
        "interrupted"
    } else {
        "complete"
    }
    .into();
    save_json(&layout.manifest(), manifest)?;
    if failed {
        writer.flush()?;
    } else {
        writer.complete(interrupted)?;
    }
    Ok(())
}

/// Writes `value` as a whole file.
fn save_json(path: &Path, value: &impl serde::Serialize) -> CliResult<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| CliError::internal("cannot write JSON").because(e))?;
    Ok(write_atomic(path, text.as_bytes())?)
}
