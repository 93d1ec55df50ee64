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
mod interrupt;
mod order;
mod point;
mod prober;
mod record;
mod simulated;
mod tokens;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::channel;
use std::time::{SystemTime, UNIX_EPOCH};

use benchhost_http::RunClock;
use benchhost_model::{Nanos, Target};
use benchhost_quality::TokenizerFile;
use benchhost_telemetry::gpu::{DEFAULT_PERIOD, GpuMode, GpuSampler, GpuStatus};
use benchhost_telemetry::host::{HostCounters, HostFacts};
use benchhost_telemetry::process::ProcessUsage;

use crate::error::{CliError, CliResult};
use crate::plan::{ItemSource, Plan};
use crate::store::{CalibrationFacts, Layout, Manifest, RunWriter, digest_hex, new_run_id, write_atomic};
use crate::ui::Printer;

pub(crate) use components::{Components, locate};

use components::check_known;
use engines::ReadyEngine;
use interrupt::Interrupt;
use point::{Point, PointHealth, Run};
use workloads::{ReadyWorkload, TokenSources};

/// Where a run left its files and how it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) layout: Layout,
    pub(crate) interrupted: bool,
    pub(crate) completed: u64,
}

/// Runs the plan. Setup errors come before any file is written; after that, whatever happens leaves a readable result.
pub(crate) fn execute(plan: &Plan, out: Option<&Path>, printer: &Printer) -> CliResult<Finished> {
    let components = Components::new()?;
    check_options(plan, &components)?;
    let run_id = new_run_id();
    let plan_digest = digest_hex(plan.as_file.as_bytes());
    let (directory, also) = place(out, &run_id);
    let interrupt = Interrupt::listen(printer)?;
    let clock = RunClock::start();
    let (gpu_in, gpu_out) = channel();
    let mode = if plan.gpu.value { GpuMode::Auto } else { GpuMode::Off };
    let library = crate::env::nvml_library();
    let (sampler, gpu) = GpuSampler::start(mode, library.as_deref(), DEFAULT_PERIOD, clock.instant(Nanos::ZERO), gpu_in);
    let (gpus, gpu_note) = gpu_facts(&gpu);
    if plan.gpu.value && !gpu_note.is_empty() {
        printer.status(&gpu_note);
    }
    let before = Health::now();
    let tokenizer = load_tokenizer(plan)?;
    let next_id = AtomicU64::new(1);
    let notes = Mutex::new(BTreeSet::new());
    let target = if plan.simulate.is_some() { Target::Simulated } else { Target::Real };
    let run = Run {
        plan,
        id: &run_id,
        plan_digest: &plan_digest,
        target,
        clock,
        interrupt: &interrupt,
        printer,
        gpu: &gpu_out,
        tokenizer: tokenizer.as_ref(),
        next_id: &next_id,
        notes: &notes,
    };
    let mut session = Session { run: &run, components: &components, writer: None, health: Vec::new(), completed: 0 };
    let mut manifest = Manifest {
        schema_version: crate::store::SCHEMA_VERSION,
        tool: format!("benchhost {}", env!("CARGO_PKG_VERSION")),
        run_id: run_id.clone(),
        started_unix_s: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
        target,
        plan_digest: plan_digest.clone(),
        seed: plan.seed.value,
        engines: Vec::new(),
        workloads: Vec::new(),
        gpus,
        gpu_note,
        gpu_price_usd_per_hour: plan.gpu_price.as_ref().map(|p| p.value),
        host: serde_json::to_value(HostFacts::read(Path::new("/"))).unwrap_or_default(),
        notes: Vec::new(),
        calibration: Vec::new(),
        ended: String::new(),
    };
    let layout = Layout::new(&directory);
    let outcome = session.measure_all(&layout, also.as_deref(), &mut manifest);
    let sampler_health = sampler.stop();
    let Some(mut writer) = session.writer.take() else {
        // Nothing was measured, so nothing is left behind.
        return Err(outcome.err().unwrap_or_else(|| CliError::setup("nothing to measure")));
    };
    point::drain_gpu(&gpu_out, &mut writer)?;
    let interrupted = interrupt.requested();
    manifest.notes = notes.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
    manifest.ended = if outcome.is_err() { "failed" } else if interrupted { "interrupted" } else { "complete" }.into();
    save_manifest(&layout, &manifest)?;
    let sampler_health = serde_json::to_value(&sampler_health).unwrap_or_default();
    let harness = before.report(&session.health, &sampler_health);
    write_json(&layout.harness(), &harness)?;
    for note in &manifest.notes {
        printer.warning(note);
    }
    if outcome.is_ok() {
        writer.complete(interrupted)?;
    } else {
        writer.flush()?;
    }
    outcome?;
    Ok(Finished { layout, interrupted, completed: session.completed })
}

fn load_tokenizer(plan: &Plan) -> CliResult<Option<TokenizerFile>> {
    let Some(path) = plan.tokenizer.as_ref().map(|t| &t.value) else { return Ok(None) };
    let loaded = TokenizerFile::load(path);
    loaded.map(Some).map_err(|e| CliError::usage(format!("cannot use the tokenizer `{}`", path.display())).caused_by(&e))
}

/// Options are checked against everything the run loads, before any server is asked.
fn check_options(plan: &Plan, components: &Components) -> CliResult<()> {
    let mut engine_specs = Vec::new();
    for engine in &plan.engines {
        engine_specs.push(components.engine(&engine.plugin)?.info().options.clone());
    }
    let declared: Vec<_> = engine_specs.iter().map(Vec::as_slice).collect();
    for engine in &plan.engines {
        check_known("--engine-option", &engine.options, &declared)?;
    }
    let mut workload_specs = Vec::new();
    let mut slots = Vec::new();
    for workload in &plan.workloads {
        if let ItemSource::Plugin(name) = &workload.source {
            let plugin = components.workload(name)?;
            workload_specs.push(plugin.info().options.clone());
            slots.extend(plugin.info().slots.iter().map(|s| s.name.clone()));
        }
    }
    let declared: Vec<_> = workload_specs.iter().map(Vec::as_slice).collect();
    for workload in &plan.workloads {
        check_known("--workload-option", &workload.options, &declared)?;
        if let Some((slot, _)) = workload.data.iter().find(|(slot, _)| !slots.contains(slot)) {
            let known = if slots.is_empty() { "none".to_owned() } else { format!("`{}`", slots.join("`, `")) };
            return Err(CliError::usage(format!("no workload of this run has the data slot `{slot}`"))
                .hint(format!("slots of this run: {known}")));
        }
    }
    Ok(())
}

/// A directory, and perhaps a CSV file that gets a copy of every row.
fn place(out: Option<&Path>, run_id: &str) -> (PathBuf, Option<PathBuf>) {
    let default = || Path::new("results").join("local").join(run_id);
    match out {
        None => (default(), None),
        Some(path) if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) => (default(), Some(path.into())),
        Some(path) => (path.into(), None),
    }
}

fn gpu_facts(status: &GpuStatus) -> (Vec<String>, String) {
    match status {
        GpuStatus::Off => (Vec::new(), "sampling is off".into()),
        GpuStatus::Absent { reason } => (Vec::new(), reason.clone()),
        GpuStatus::Present { gpus } => (gpus.iter().map(|g| g.name.clone().unwrap_or_else(|| format!("GPU {}", g.index))).collect(), String::new()),
    }
}

/// What is done for all engines, one after the other.
struct Session<'a> {
    run: &'a Run<'a>,
    components: &'a Components,
    writer: Option<RunWriter>,
    health: Vec<(String, PointHealth)>,
    completed: u64,
}

impl Session<'_> {
    fn measure_all(&mut self, layout: &Layout, also: Option<&Path>, manifest: &mut Manifest) -> CliResult<()> {
        let plan = self.run.plan;
        for choice in &plan.engines {
            if self.run.interrupt.requested() {
                break;
            }
            let engine = ReadyEngine::prepare(choice, plan, self.components, self.run.printer)?;
            let tokens = TokenSources { file: self.run.tokenizer, prober: &engine.prober };
            let mut workloads = Vec::new();
            for choice in &plan.workloads {
                let ready = ReadyWorkload::prepare(choice, plan, self.components, &tokens, self.run.printer)?;
                self.preflight(&engine, &ready)?;
                workloads.push((choice, ready));
            }
            if self.writer.is_none() {
                let scores = workloads.iter().flat_map(|(_, w)| w.scores.iter().map(|s| s.name.clone())).collect();
                let writer = RunWriter::create(layout.clone(), scores, also)?;
                write_atomic(&layout.plan(), plan.as_file.as_bytes())?;
                manifest.workloads = workloads.iter().map(|(_, w)| w.facts.clone()).collect();
                self.writer = Some(writer);
            }
            manifest.engines.push(engine.facts.clone());
            save_manifest(layout, manifest)?;
            for (choice, workload) in &workloads {
                let recipe = point::recipe(plan, &engine, self.run.id);
                let calibration = calibrate::calibrate(&engine, workload, &recipe, self.run.printer)?;
                let template = calibration.as_ref().and_then(template_tokens);
                if calibration.is_some() && template.is_none() {
                    self.note("the server counts fewer prompt tokens than the workload made: its tokenizer is another one");
                }
                manifest.calibration.extend(calibration);
                save_manifest(layout, manifest)?;
                self.ladder(&engine, choice, workload, template)?;
            }
        }
        Ok(())
    }

    fn ladder(
        &mut self,
        engine: &ReadyEngine,
        choice: &crate::plan::WorkloadChoice,
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
                let Some(writer) = &mut self.writer else { return Ok(()) };
                let health = point.measure(writer)?;
                self.completed += health.completed;
                self.health.push((format!("{} {} {load} repeat {repeat}", engine.title(), workload.label), health));
            }
        }
        Ok(())
    }

    /// Builds the first item once, so that a route or option the engine cannot take is told before anything is sent.
    fn preflight(&self, engine: &ReadyEngine, workload: &ReadyWorkload) -> CliResult<()> {
        let failed = |why: &dyn std::fmt::Display| {
            CliError::setup(format!("the items of `{}` cannot be sent to `{}`", workload.label, engine.name)).because(why)
        };
        let mut items = workload.items()?;
        let item = items.item(0).map_err(|e| failed(&e))?;
        let recipe = point::recipe(self.run.plan, engine, self.run.id);
        let mut talk = conversation::Conversation::default();
        let built = recipe
            .build(&mut engine.instance(self.run.printer)?, &item, 0, &mut talk, 0)
            .map_err(|why| failed(&why).hint("another route may do: `--api chat|completions|native`"))?;
        let info = engine.plugin.info();
        if built.asked.exact && !info.route(engine.route).is_some_and(|r| r.exact_output) {
            self.note(&format!(
                "`{}` cannot be made to produce an exact number of tokens on its {} route: answers may be shorter",
                engine.name, engine.route
            ));
        }
        let wanted = built.asked.input_tokens.unwrap_or(0).saturating_add(built.asked.max_tokens);
        if let Some(context) = engine.context.filter(|c| wanted > *c) {
            self.note(&format!("items of `{}` ask for {wanted} tokens; the model's context is {context}", workload.label));
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

/// The machine and this process at the run's start.
struct Health {
    counters: HostCounters,
    usage: ProcessUsage,
}

impl Health {
    fn now() -> Self {
        Self { counters: HostCounters::read(Path::new("/")), usage: ProcessUsage::now() }
    }

    fn report(&self, points: &[(String, PointHealth)], gpu: &serde_json::Value) -> serde_json::Value {
        let after = Self::now();
        let pressure = serde_json::to_value(after.counters.since(&self.counters)).unwrap_or_default();
        let process = after.usage.since(&self.usage);
        let points: BTreeMap<&str, serde_json::Value> = points
            .iter()
            .map(|(title, health)| {
                let load = &health.load;
                let facts = serde_json::json!({
                    "started": load.started,
                    "finished": load.finished,
                    "cut": load.cut,
                    "never_sent": load.never_sent,
                    "most_in_flight": load.most_in_flight,
                    "send_lateness_ns": { "p50": load.late.p50, "p99": load.late.p99, "max": load.late.max },
                    "load_fault": load.fault,
                    "decode_wait_max_ns": health.decode_wait_max_ns,
                });
                (title.as_str(), facts)
            })
            .collect();
        serde_json::json!({
            "schema_version": crate::store::SCHEMA_VERSION,
            "points": points,
            "process": process,
            "host": pressure,
            "gpu_sampler": gpu,
        })
    }
}

fn save_manifest(layout: &Layout, manifest: &Manifest) -> CliResult<()> {
    write_json(&layout.manifest(), manifest)
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> CliResult<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| CliError::internal("cannot write JSON").because(e))?;
    write_atomic(path, text.as_bytes())
}
