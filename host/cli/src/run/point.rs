//! One load point of one engine and workload: feeds, drives, decodes, records. The calling thread decodes and writes;
//! the load generator has a thread of its own and shares nothing with this one but channels.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use benchhost_http::RunClock;
use benchhost_load::{
    Control, Finished, FollowUp, Job, Lanes, LoadPlan, LoadReport, Pattern, Rate, Stop, constant, drive,
    poisson,
};
use benchhost_model::{LoadPoint, Nanos, Outcome, Phase, Score, Target};
use benchhost_plugin::{EngineInstance, WorkloadInstance};
use benchhost_quality::TokenizerFile;
use benchhost_telemetry::gpu::GpuSample;
use tokio::sync::mpsc::UnboundedSender;

use super::builder::Recipe;
use super::decode::{self, Decoded};
use super::engines::ReadyEngine;
use super::feed::{DueTimes, Feeder, NotSent, Pending, PendingTable, turns_of};
use super::interrupt::Interrupt;
use super::order::Order;
use super::record::{Labels, not_sent_record, record};
use super::workloads::ReadyWorkload;
use crate::error::{CliError, CliResult};
use crate::plan::{Amount, Arrivals, History, Plan};
use crate::store::{OutputRow, RunWriter, TelemetryRow};
use crate::ui::{Printer, Progress};

/// Requests built ahead of their time.
const LOOK_AHEAD: usize = 64;
/// After the first Ctrl-C, requests in flight get this long to end.
const DRAIN: Duration = Duration::from_secs(5);

/// What all points of a run share.
pub(crate) struct Run<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) id: &'a str,
    pub(crate) plan_digest: &'a str,
    pub(crate) target: Target,
    pub(crate) clock: RunClock,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) printer: &'a Printer,
    pub(crate) gpu: &'a Receiver<GpuSample>,
    /// Counts answers whose server does not.
    pub(crate) tokenizer: Option<&'a TokenizerFile>,
    pub(crate) next_id: &'a AtomicU64,
    pub(crate) notes: &'a Mutex<BTreeSet<String>>,
}

/// One point.
pub(crate) struct Point<'a> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) engine: &'a ReadyEngine,
    pub(crate) workload: &'a ReadyWorkload,
    pub(crate) load: LoadPoint,
    pub(crate) repeat: u32,
    /// Measured requests; `None`: as many as fit into the plan's duration.
    pub(crate) requests: Option<u32>,
    pub(crate) warmup: u32,
    pub(crate) template_tokens: Option<u32>,
}

/// What the point tells about the harness.
#[derive(Debug)]
pub(crate) struct PointHealth {
    pub(crate) load: LoadReport,
    /// Longest wait of a finished answer for its decoding, in nanoseconds.
    pub(crate) decode_wait_max_ns: u64,
    pub(crate) completed: u64,
}

impl Point<'_> {
    /// Warms up, measures, and appends every row. An error means that the files cannot be written or a component does
    /// not start; whatever a request did is in its row.
    pub(crate) fn measure(&self, writer: &mut RunWriter) -> CliResult<PointHealth> {
        if self.warmup > 0 {
            self.phase(Phase::Warmup, Some(self.warmup), None, writer)?;
        }
        let duration = match self.run.plan.amount.value {
            Amount::For(span) if self.requests.is_none() => Some(span),
            _ => None,
        };
        let health = self.phase(Phase::Measured, self.requests, duration, writer)?;
        writer.flush()?;
        Ok(health)
    }

    fn phase(
        &self,
        phase: Phase,
        count: Option<u32>,
        duration: Option<Duration>,
        writer: &mut RunWriter,
    ) -> CliResult<PointHealth> {
        let run = self.run;
        let control = Control::new();
        run.interrupt.watch(Some(control.clone()));
        let (fresh_in, fresh_out) = tokio::sync::mpsc::channel::<Job>(LOOK_AHEAD);
        let (follow_in, follow_out) = tokio::sync::mpsc::unbounded_channel::<FollowUp>();
        let (done_in, done_out) = channel::<Finished>();
        let (lost_in, lost_out) = channel::<NotSent>();
        let pending = PendingTable::default();
        let recipe = self.recipe();
        let (pattern, arrivals) = self.pattern()?;
        let feeder = Feeder {
            engine: self.engine.instance(run.printer)?,
            items: self.workload.items()?,
            recipe: &recipe,
            order: Order::new(self.workload.count, run.plan.seed.value, self.salt(phase)),
            until: duration.filter(|_| arrivals.is_some()).map(Nanos::from),
            arrivals,
            count,
            pending: &pending,
            next_id: run.next_id,
            control: control.clone(),
            not_sent: lost_in,
            notes: run.notes,
        };
        let stop =
            Stop { after: duration.filter(|_| matches!(pattern, Pattern::Closed { .. })), drain: DRAIN };
        let mut desk = Desk {
            point: self,
            phase,
            open_ended: count.is_none(),
            recipe: &recipe,
            engine: self.engine.instance(run.printer)?,
            scorer: self.workload.scorer()?,
            pending: &pending,
            follow: follow_in,
            progress: run.printer.progress(&self.title(phase), count.map(u64::from)),
            decode_wait_max_ns: 0,
            completed: 0,
        };
        let plan = LoadPlan { pattern, stop, target: self.engine.target.clone(), clock: run.clock };
        let lanes = Lanes { fresh: fresh_out, follow_ups: follow_out, finished: done_in };
        let load_control = control.clone();
        let outcome = std::thread::scope(|scope| {
            let feeding = scope.spawn(move || feeder.run(&fresh_in));
            let driving = scope.spawn(move || drive(plan, lanes, &load_control));
            let written = desk.work(&done_out, writer);
            if written.is_err() {
                control.cut();
                // Let the load end: its answers can no longer be kept.
                while done_out.recv().is_ok() {}
            }
            let fed = feeding.join();
            let load = driving.join();
            written?;
            let broken = |what: &str| {
                CliError::internal(format!("the {what} thread panicked; rows before it are kept"))
            };
            fed.map_err(|_| broken("feeding"))?;
            load.map_err(|_| broken("load"))
        });
        run.interrupt.watch(None);
        let load = outcome?;
        desk.drain_gpu(writer)?;
        let start = load.start.unwrap_or(load.end);
        for lost in lost_out.try_iter() {
            let at = lost.due.map_or(load.end, |due| start + due);
            self.write_not_sent(phase, &lost, at, writer)?;
        }
        Ok(PointHealth { load, decode_wait_max_ns: desk.decode_wait_max_ns, completed: desk.completed })
    }

    fn pattern(&self) -> CliResult<(Pattern, Option<DueTimes>)> {
        Ok(match self.load {
            LoadPoint::Concurrency(concurrency) | LoadPoint::Batch(concurrency) => {
                // Starts are spread over at most a second, so that users do not prefill in phase.
                let stagger = Duration::from_millis(u64::from(1000 / concurrency.max(1)).min(20));
                (Pattern::Closed { concurrency, stagger }, None)
            }
            LoadPoint::Rate(rate) | LoadPoint::Trace(rate) => {
                // Mixed, so that repeat 2 of one seed is not repeat 1 of the next.
                let seed =
                    self.run.plan.seed.value ^ u64::from(self.repeat).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let rate = Rate::new(rate).map_err(|e| CliError::usage("`rate`").caused_by(&e))?;
                let arrivals: DueTimes = match self.run.plan.arrivals.value {
                    Arrivals::Constant => Box::new(constant(rate)),
                    Arrivals::Poisson => Box::new(poisson(rate, seed)),
                };
                (Pattern::Open { cap: None }, Some(arrivals))
            }
        })
    }

    /// A row for each turn.
    fn write_not_sent(
        &self,
        phase: Phase,
        lost: &NotSent,
        at: Nanos,
        writer: &mut RunWriter,
    ) -> CliResult<()> {
        for turn in lost.first_turn..lost.turns {
            let mut row = not_sent_record(&self.labels(writer.rows() + 1, phase), lost, at);
            row.turn = turn;
            if turn > lost.first_turn {
                row.outcome = Outcome::Shed;
            }
            writer.request(&row)?;
        }
        Ok(())
    }

    /// The same for every engine; different for each load point, repeat and phase.
    fn salt(&self, phase: Phase) -> u64 {
        let (kind, value) = self.load.key();
        value ^ (u64::from(kind & 2) << 61) ^ (u64::from(self.repeat) << 40) ^ (u64::from(phase == Phase::Warmup) << 63)
    }

    pub(crate) fn recipe(&self) -> Recipe {
        recipe(self.run.plan, self.engine, self.run.id)
    }

    fn labels(&self, row: u64, phase: Phase) -> Labels<'_> {
        Labels {
            row,
            run: self.run,
            engine: self.engine,
            workload: self.workload,
            load: self.load,
            repeat: self.repeat,
            phase,
            template_tokens: self.template_tokens,
        }
    }

    fn title(&self, phase: Phase) -> String {
        let repeats = self.run.plan.repeats.value;
        let repeat =
            if repeats > 1 { format!(" · repeat {}/{repeats}", self.repeat) } else { String::new() };
        let warm = if phase == Phase::Warmup { " · warm-up" } else { "" };
        format!("{} · {} · {}{repeat}{warm}", self.engine.title(), self.workload.label, self.load)
    }
}

/// The recipe of `engine` under `plan`.
pub(crate) fn recipe(plan: &Plan, engine: &ReadyEngine, run_id: &str) -> Recipe {
    Recipe {
        route: engine.route,
        model: engine.model.clone(),
        settings: engine.settings.clone(),
        max_tokens: plan.max_tokens.value,
        temperature: plan.temperature.value,
        top_p: plan.top_p.value,
        seed: plan.seed.value,
        salt: run_id.to_owned(),
        bypass_cache: engine.plugin.info().route(engine.route).is_some_and(|r| r.cache_bypass),
    }
}

/// The decoding side of a phase.
struct Desk<'a> {
    point: &'a Point<'a>,
    phase: Phase,
    /// The time decides how many are sent, so a request that was only built ahead was never scheduled.
    open_ended: bool,
    recipe: &'a Recipe,
    engine: EngineInstance,
    scorer: Option<WorkloadInstance>,
    pending: &'a PendingTable,
    follow: UnboundedSender<FollowUp>,
    progress: Progress,
    decode_wait_max_ns: u64,
    completed: u64,
}

impl Desk<'_> {
    /// Decodes and records until the load generator is done.
    fn work(&mut self, done: &Receiver<Finished>, writer: &mut RunWriter) -> CliResult<()> {
        let mut drained = Instant::now();
        loop {
            match done.recv_timeout(Duration::from_millis(200)) {
                Ok(finished) => self.one(&finished, writer)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if drained.elapsed() > Duration::from_millis(200) {
                self.drain_gpu(writer)?;
                drained = Instant::now();
            }
        }
    }

    fn one(&mut self, finished: &Finished, writer: &mut RunWriter) -> CliResult<()> {
        let Some(pending) = self.pending.take(finished.id) else {
            return Err(CliError::internal(format!(
                "an answer came for request {}, which was not sent",
                finished.id
            )));
        };
        if self.open_ended && finished.timeline.sent.is_none() && finished.timeline.failure.is_none() {
            return Ok(());
        }
        let now = self.point.run.clock.now();
        self.decode_wait_max_ns = self.decode_wait_max_ns.max((now - finished.timeline.ended).get());
        let mut decoded = decode::decode(&mut self.engine, &pending.expect, &finished.timeline);
        if let Some(tokenizer) = self.point.run.tokenizer {
            decoded.count_with(|text| tokenizer.encode(text).ok());
        }
        self.note_missing_key(finished.timeline.status);
        let scores = self.score(&pending, &decoded);
        let row = writer.rows() + 1;
        let mut record = record(&self.point.labels(row, self.phase), &pending, &decoded, &finished.timeline);
        record.scores = scores.iter().map(|s| (s.name.clone(), s.value)).collect();
        writer.request(&record)?;
        self.next_turn(&pending, &decoded, writer)?;
        if !decoded.output.at.is_empty() {
            writer.events(&decoded.output.row(row))?;
        }
        if self.phase == Phase::Measured {
            if !scores.is_empty() {
                writer.scores(row, &record.item, &scores)?;
            }
            writer.output(&output_row(row, &pending, &decoded, &finished.timeline.body))?;
        }
        let completed = decoded.outcome == Outcome::Completed;
        self.completed += u64::from(completed);
        if !completed || pending.expect.turn + 1 == turns_of(&pending.item) {
            self.progress.step(completed);
        }
        Ok(())
    }

    /// 401 and 403 have one usual cause, and the user can mend it.
    fn note_missing_key(&self, status: Option<u16>) {
        if let Some(status @ (401 | 403)) = status {
            let engine = self.point.engine;
            let variable = &engine.plugin.info().key_variable;
            let from = match engine.facts.api_key_from.as_str() {
                "" if variable.is_empty() => {
                    "name the variable that holds it with `--api-key-env`".to_owned()
                }
                "" => format!("put it into `{variable}`, or name another variable with `--api-key-env`"),
                from => format!("the one in `{from}` was sent"),
            };
            let mut notes = self.point.run.notes.lock().unwrap_or_else(PoisonError::into_inner);
            notes.insert(format!("`{}` answered {status}: it wants another API key; {from}", engine.name));
        }
    }

    fn score(&mut self, pending: &Pending, decoded: &Decoded) -> Vec<Score> {
        let (Some(scorer), Outcome::Completed, Phase::Measured) =
            (&mut self.scorer, decoded.outcome, self.phase)
        else {
            return Vec::new();
        };
        scorer.score(pending.index, &decoded.answer).unwrap_or_else(|error| {
            let mut notes = self.point.run.notes.lock().unwrap_or_else(PoisonError::into_inner);
            notes.insert(format!("answers that could not be scored: {error}"));
            Vec::new()
        })
    }

    /// A dialogue goes on with its next turn, or ends; turns that will not be sent are recorded as shed.
    fn next_turn(&mut self, pending: &Pending, decoded: &Decoded, writer: &mut RunWriter) -> CliResult<()> {
        let next = pending.expect.turn + 1;
        if next >= turns_of(&pending.item) {
            return Ok(());
        }
        let why = match self.build_turn(next, pending, decoded) {
            Ok((job, delay)) => {
                let id = job.id;
                if self.follow.send(FollowUp::Job(job, delay)).is_ok() {
                    return Ok(());
                }
                self.pending.take(id);
                "the run stopped before this request was sent".to_owned()
            }
            Err(why) => {
                // If the load generator is gone, it has already counted the session as ended.
                let _gone = self.follow.send(FollowUp::EndSession(pending.session));
                why
            }
        };
        let lost = NotSent::of(&pending.item, next, None, Outcome::Shed, why);
        self.point.write_not_sent(self.phase, &lost, self.point.run.clock.now(), writer)
    }

    /// The request of turn `next`, put among those on their way; the error is for people.
    fn build_turn(
        &mut self,
        next: u32,
        pending: &Pending,
        decoded: &Decoded,
    ) -> Result<(Job, Duration), String> {
        if decoded.outcome != Outcome::Completed {
            return Err("an earlier turn of the dialogue was not answered".into());
        }
        let run = self.point.run;
        let turn = |index: u32| pending.item.turns.get(index as usize);
        let mut talk = pending.talk.clone();
        let recorded = turn(pending.expect.turn).and_then(|t| t.recorded_answer.as_deref());
        match (run.plan.history.value, recorded) {
            (History::Recorded, Some(recorded)) => talk.answered(recorded),
            _ => talk.answered(&decoded.answer.text),
        }
        let id = run.next_id.fetch_add(1, Ordering::Relaxed);
        let built = self.recipe.build(&mut self.engine, &pending.item, next, &mut talk, id)?;
        let job = Job {
            id,
            session: pending.session,
            last_in_session: next + 1 == turns_of(&pending.item),
            due: None,
            request: built.outgoing,
        };
        let delay = Duration::from_millis(u64::from(turn(next).map_or(0, |t| t.delay_ms)));
        let on_its_way = Pending {
            index: pending.index,
            item: pending.item.clone(),
            talk,
            expect: built.expect,
            asked: built.asked,
            session: pending.session,
        };
        self.pending.put(id, on_its_way);
        Ok((job, delay))
    }

    fn drain_gpu(&self, writer: &mut RunWriter) -> CliResult<()> {
        drain_gpu(self.point.run.gpu, writer)
    }
}

/// Writes the samples that have come so far.
pub(crate) fn drain_gpu(samples: &Receiver<GpuSample>, writer: &mut RunWriter) -> CliResult<()> {
    for sample in samples.try_iter() {
        writer.telemetry(&TelemetryRow {
            t_ns: sample.t_ns,
            source: format!("gpu{}", sample.gpu),
            memory_used_bytes: sample.memory_used_bytes,
            utilization_percent: sample.utilization_percent,
            power_milliwatts: sample.power_milliwatts,
            energy_millijoules: sample.energy_millijoules,
            temperature_celsius: sample.temperature_celsius,
        })?;
    }
    Ok(())
}

fn output_row(row: u64, pending: &Pending, decoded: &Decoded, body: &[u8]) -> OutputRow {
    OutputRow {
        row,
        item: pending.item.id.clone(),
        turn: pending.expect.turn,
        text: decoded.answer.text.clone(),
        reasoning: decoded.answer.reasoning.clone(),
        tool: decoded.tool.clone(),
        reference: pending.item.reference.clone(),
        server_timings: decoded.server_timings.clone(),
        raw: if decoded.outcome == Outcome::Failed { decode::excerpt(body) } else { String::new() },
    }
}
