//! Orchestration of a run: plan in, a result directory out. The one function to read after `main` is [`execute`].

mod builder;
mod calibrate;
mod components;
mod conversation;
mod data;
mod decode;
mod engines;
mod feed;
mod figures;
mod health;
mod interrupt;
mod order;
mod point;
mod prober;
mod record;
mod setup;
mod simulated;
mod tokens;
mod workloads;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use benchhost_http::RunClock;
use benchhost_model::{Nanos, Target};
use benchhost_telemetry::gpu::{DEFAULT_PERIOD, GpuMode, GpuSampler, GpuStatus};
use benchhost_telemetry::host::HostFacts;

use crate::error::{CliError, CliResult};
use crate::plan::{Plan, WorkloadChoice};
use crate::store::{
    CalibrationFacts, Layout, Manifest, RunWriter, SCHEMA_VERSION, digest_hex, new_run_id, write_atomic,
};
use crate::ui::Printer;

pub(crate) use components::{Components, locate};

use engines::ReadyEngine;
use health::Health;
use interrupt::Interrupt;
use point::{Point, PointHealth, Run};
use setup::{Prepared, Setup};
use workloads::ReadyWorkload;

/// Where a run left its files and how it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) layout: Layout,
    pub(crate) interrupted: bool,
    pub(crate) completed: u64,
    /// What stopped it half-way; the rows so far are there.
    pub(crate) failure: Option<CliError>,
}

/// Runs the plan. An error means that nothing was measured and nothing is left behind; after the first request, whatever
/// happens leaves a readable result.
pub(crate) fn execute(plan: &Plan, out: Option<&Path>, printer: &Printer) -> CliResult<Finished> {
    let components = Components::new()?;
    let run_id = new_run_id();
    let plan_digest = digest_hex(plan.as_file.as_bytes());
    let interrupt = Interrupt::listen(printer)?;
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

    let clock = RunClock::start();
    let (gpu_in, gpu_out) = channel();
    let mode = if plan.gpu.value { GpuMode::Auto } else { GpuMode::Off };
    let library = crate::env::nvml_library();
    let (sampler, gpu) =
        GpuSampler::start(mode, library.as_deref(), DEFAULT_PERIOD, clock.instant(Nanos::ZERO), gpu_in);
    if let GpuStatus::Absent { reason } = &gpu {
        printer.status("no GPU figures: NVML is not available on this machine (-v says why)");
        printer.detail(reason);
    }
    let (directory, also) = setup::place(out, &run_id);
    let layout = Layout::new(&directory);
    let workloads = prepared.iter().flat_map(|p| &p.workloads);
    let scores = workloads.flat_map(|(_, w)| w.scores.iter().map(|s| s.name.clone())).collect();
    let mut writer = RunWriter::create(layout.clone(), scores, also.as_deref())?;
    write_atomic(&layout.plan(), plan.as_file.as_bytes())?;
    let run = Run {
        plan,
        id: &run_id,
        plan_digest: &plan_digest,
        target: if plan.simulate.is_some() { Target::Simulated } else { Target::Real },
        clock,
        interrupt: &interrupt,
        printer,
        gpu: &gpu_out,
        tokenizer: tokenizer.as_ref(),
        next_id: &AtomicU64::new(1),
        notes: &notes,
    };
    let mut manifest = manifest(&run, &prepared, &gpu);
    save_json(&layout.manifest(), &manifest)?;

    let before = Health::now();
    let mut session =
        Session { run: &run, layout: &layout, writer: &mut writer, health: Vec::new(), completed: 0 };
    let measured = session.measure_all(&prepared, &mut manifest);
    let (health, completed) = (session.health, session.completed);
    let sampler_health = serde_json::to_value(sampler.stop()).unwrap_or_default();
    let interrupted = interrupt.requested();
    let closed = close(&run, &mut writer, &layout, &mut manifest, (measured.is_err(), interrupted))
        .and_then(|()| save_json(&layout.harness(), &before.report(&health, &sampler_health)));
    // What stopped the measuring explains what stopped the closing.
    Ok(Finished { layout, interrupted, completed, failure: measured.and(closed).err() })
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
    point::drain_gpu(run.gpu, writer)?;
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
    if failed { writer.flush() } else { writer.complete(interrupted) }
}

/// What is done for all engines, one after the other.
struct Session<'a> {
    run: &'a Run<'a>,
    layout: &'a Layout,
    writer: &'a mut RunWriter,
    health: Vec<(String, PointHealth)>,
    completed: u64,
}

impl Session<'_> {
    fn measure_all(&mut self, prepared: &[Prepared<'_>], manifest: &mut Manifest) -> CliResult<()> {
        for Prepared { engine, workloads } in prepared {
            for (choice, workload) in workloads {
                if self.run.interrupt.requested() {
                    return Ok(());
                }
                let recipe = point::recipe(self.run.plan, engine, self.run.id);
                let calibration = calibrate::calibrate(engine, workload, &recipe, self.run.printer)?;
                let template = calibration.as_ref().and_then(template_tokens);
                if calibration.is_some() && template.is_none() {
                    self.note("the server counts fewer prompt tokens than the workload made: its tokenizer is another one");
                }
                manifest.calibration.extend(calibration);
                save_json(&self.layout.manifest(), manifest)?;
                self.ladder(engine, choice, workload, template)?;
            }
        }
        Ok(())
    }

    fn ladder(
        &mut self,
        engine: &ReadyEngine,
        choice: &WorkloadChoice,
        workload: &ReadyWorkload,
        template_tokens: Option<u32>,
    ) -> CliResult<()> {
        let plan = self.run.plan;
        for repeat in 1..=plan.repeats.value {
            for &load in plan.ladder_of(choice) {
                if self.run.interrupt.requested() {
                    return Ok(());
                }
                let point = Point {
                    run: self.run,
                    engine,
                    workload,
                    load,
                    repeat,
                    requests: plan.requests_at(choice, load),
                    warmup: plan.warmup_at(load),
                    template_tokens,
                };
                let health = point.measure(self.writer)?;
                self.completed += health.completed;
                self.health
                    .push((format!("{} {} {load} repeat {repeat}", engine.title(), workload.label), health));
            }
        }
        Ok(())
    }

    fn note(&self, text: &str) {
        self.run.notes.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned());
    }
}

fn template_tokens(facts: &CalibrationFacts) -> Option<u32> {
    facts.server_tokens.checked_sub(facts.made_tokens)
}

fn save_json(path: &Path, value: &impl serde::Serialize) -> CliResult<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| CliError::internal("cannot write JSON").because(e))?;
    write_atomic(path, text.as_bytes())
}
