//! One load point of one engine and workload: feeds, drives, decodes, records. The calling thread decodes and writes; the
//! load generator has threads of its own and shares nothing with this one but channels.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use benchhost_http::RunClock;
use benchhost_load::{Control, Finished, FollowUp, IoPlan, Job, Lanes, LoadPlan, LoadReport, drive};
use benchhost_model::{LoadPoint, Nanos, Outcome, Phase, PointFacts, SelfCheckFacts, Target};
use benchhost_quality::TokenizerFile;
use benchhost_telemetry::gpu::GpuSample;

use super::agenda::Role;
use super::backlog::{self, Backlog, Intake, backlog};
use super::builder::Recipe;
use super::desk::Desk;
pub(crate) use super::desk::drain_telemetry;
use super::engines::ReadyEngine;
use super::facts;
use super::feed::{Feeder, NotSent, PendingTable};
use super::interrupt::Interrupt;
use super::leaving::Leavers;
use super::offer::Offer;
use super::record::{Labels, not_sent_record};
use super::watch::Watch;
use super::workloads::ReadyWorkload;
use crate::error::{CliError, CliResult};
use crate::plan::{Extent, Plan, Priority, Shape};
use crate::store::{RunWriter, TelemetryRow};
use crate::ui::{Goal, Now, Printer, Progress};

/// Requests built ahead of their time.
const LOOK_AHEAD: usize = 64;
/// After the first Ctrl-C, requests in flight get this long to end.
const GIVE_UP: Duration = Duration::from_secs(5);

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
    /// What the engines tell of themselves.
    pub(crate) gauges: &'a Receiver<TelemetryRow>,
    /// Counts answers whose server does not.
    pub(crate) tokenizer: Option<&'a TokenizerFile>,
    pub(crate) next_id: &'a AtomicU64,
    pub(crate) notes: &'a Mutex<BTreeSet<String>>,
    /// The run's directory.
    pub(crate) folder: &'a Path,
    /// What was found out about this program before the run.
    pub(crate) selfcheck: Option<SelfCheckFacts>,
}

/// One point.
pub(crate) struct Point<'a> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) engine: &'a ReadyEngine,
    pub(crate) workload: &'a ReadyWorkload,
    pub(crate) load: LoadPoint,
    /// Where its rate changes.
    pub(crate) shape: Option<&'a Shape>,
    pub(crate) repeat: u32,
    pub(crate) role: Role,
    pub(crate) warmup: Extent,
    pub(crate) measured: Extent,
    pub(crate) template_tokens: Option<u32>,
    /// The `arrivals` column; known once the load is planned.
    pub(crate) arrivals: String,
}

/// What became of a point.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) facts: PointFacts,
    pub(crate) load: LoadReport,
    /// Longest wait of an ended exchange for its decoding, in nanoseconds.
    pub(crate) decode_wait_max_ns: u64,
    /// Bytes of answers that waited on disk because memory was full of them.
    pub(crate) spilled_bytes: u64,
    /// Measured requests that were answered.
    pub(crate) completed: u64,
    /// It ran to its own end; otherwise a user stopped it.
    pub(crate) whole: bool,
}

impl Point<'_> {
    /// Warms up, measures, drains and appends every row, as one load without a pause. `watch` may end the measuring by
    /// setting `decided`; it comes back for what it saw. An error means that the files cannot be written or a component
    /// does not start; whatever a request did is in its row.
    pub(crate) fn measure<'w>(
        &mut self,
        watch: Watch<'w>,
        decided: &AtomicBool,
        writer: &mut RunWriter,
    ) -> CliResult<(Measured, Watch<'w>)> {
        let offer = Offer::of(self)?;
        self.arrivals.clone_from(&offer.words);
        let host = facts::Before::now();
        let first_row = writer.next_row();
        let asked = (offer.asked_rate, offer.asked_cv);
        let dropped = writer.counts().event_blocks_dropped;
        let (outcome, watch) = self.offer(offer, watch, decided, writer)?;
        let last_row = writer.next_row().saturating_sub(1);
        let mut facts = facts::facts(self, &outcome, asked, (first_row, last_row), &host);
        facts.events_dropped = Some(writer.counts().event_blocks_dropped - dropped);
        let Outcomes { load, decode_wait_max_ns, spilled_bytes, completed, whole, .. } = outcome;
        Ok((Measured { facts, load, decode_wait_max_ns, spilled_bytes, completed, whole }, watch))
    }

    fn offer<'w>(
        &self,
        offer: Offer,
        watch: Watch<'w>,
        decided: &AtomicBool,
        writer: &mut RunWriter,
    ) -> CliResult<(Outcomes, Watch<'w>)> {
        let run = self.run;
        let control = Control::new();
        run.interrupt.watch(Some(control.clone()));
        let (fresh_in, fresh_out) = tokio::sync::mpsc::channel::<Job>(LOOK_AHEAD);
        let (follow_in, follow_out) = tokio::sync::mpsc::unbounded_channel::<FollowUp>();
        let (done_in, done_out) = channel::<Finished>();
        let (lost_in, lost_out) = channel::<NotSent>();
        let (intake, line) = backlog(done_out, run.folder, backlog::CAP_BYTES);
        let pending = PendingTable::default();
        let recipe = recipe(run.plan, self.engine, run.id);
        let feeder = Feeder {
            engine: self.engine.instance(run.printer)?,
            items: self.workload.items_anew(self.seed())?,
            recipe: &recipe,
            supply: offer.supply,
            scheduled: offer.scheduled,
            leavers: Leavers::new(run.plan.hang_up.as_ref().map(|h| h.value), self.seed()),
            pending: &pending,
            next_id: run.next_id,
            control: control.clone(),
            decided,
            not_sent: lost_in,
            notes: run.notes,
        };
        let mut desk = Desk {
            point: self,
            timed: offer.scheduled.all.is_none().then_some(offer.open),
            decided,
            recipe: &recipe,
            engine: self.engine.instance(run.printer)?,
            scorer: self.workload.scorer()?,
            pending: &pending,
            follow: follow_in,
            control: &control,
            watch,
            progress: self.progress(&control),
            decode_wait_max_ns: 0,
            completed: 0,
        };
        let plan = LoadPlan {
            pattern: offer.pattern,
            phases: offer.phases,
            io: io_plan(run.plan),
            give_up: GIVE_UP,
            target: self.engine.target.clone(),
            clock: run.clock,
        };
        let lanes = Lanes { fresh: fresh_out, follow_ups: follow_out, finished: done_in };
        let outcome = in_threads((feeder, fresh_in), (intake, line), (plan, lanes), &control, |line| {
            desk.work(line, writer)
        });
        run.interrupt.watch(None);
        let (load, spilled_bytes) = outcome?;
        drain_telemetry(run, writer)?;
        let (decode_wait_max_ns, completed) = (desk.decode_wait_max_ns, desk.completed);
        let watch = desk.watch;
        let start = load.start.unwrap_or(load.end);
        for lost in lost_out.try_iter() {
            let at = lost.due.map_or(load.end, |due| start + due);
            self.write_not_sent(&lost, at, writer)?;
        }
        let whole = !run.interrupt.requested() && load.fault.is_none();
        Ok((
            Outcomes {
                load,
                decode_wait_max_ns,
                spilled_bytes,
                completed,
                whole,
                cap: offer_cap(run.plan, self.load),
            },
            watch,
        ))
    }

    fn progress(&self, control: &Control) -> Progress {
        let goal = match self.measured {
            Extent::Items(n) => Goal::Count(u64::from(n)),
            Extent::For(time) => Goal::Time(time),
            Extent::Whole => Goal::Open,
        };
        let control = control.clone();
        self.run.printer.progress(self.title(), goal, move || {
            let load = control.progress();
            Now { in_flight: load.in_flight, phase: load.phase }
        })
    }

    /// A row for each turn.
    pub(super) fn write_not_sent(&self, lost: &NotSent, at: Nanos, writer: &mut RunWriter) -> CliResult<()> {
        for turn in lost.first_turn..lost.turns {
            let mut row = not_sent_record(&self.labels(writer.next_row(), lost.phase), lost, at);
            row.turn = turn;
            if turn > lost.first_turn {
                row.outcome = Outcome::Shed;
            }
            writer.request(&row)?;
        }
        Ok(())
    }

    pub(super) fn labels(&self, row: u64, phase: Phase) -> Labels<'_> {
        Labels { row, point: self, phase }
    }

    /// For people: what is measured.
    pub(crate) fn title(&self) -> String {
        let plan = self.run.plan;
        let repeats = plan.repeats.value;
        let why = match self.role {
            Role::Plan if repeats > 1 => format!(" · repeat {}/{repeats}", self.repeat),
            Role::Plan => String::new(),
            Role::Anchor => " · anchor".into(),
            Role::Probe => " · probe".into(),
            Role::Confirm => " · confirming".into(),
        };
        format!("{} · {} · {}{why}", self.engine.title(), self.workload.label, self.load)
    }
}

/// Feeds, drives and takes in on threads of their own, and decodes on this one until all of it has ended. Returns the
/// load's account, and how many bytes had to wait on disk.
fn in_threads(
    (feeder, fresh): (Feeder<'_>, tokio::sync::mpsc::Sender<Job>),
    (intake, line): (Intake, Backlog),
    (plan, lanes): (LoadPlan, Lanes),
    control: &Control,
    decode: impl FnOnce(&Backlog) -> CliResult<()>,
) -> CliResult<(LoadReport, u64)> {
    std::thread::scope(|scope| {
        let feeding = scope.spawn(move || feeder.run(&fresh));
        let taking_in = scope.spawn(move || intake.run());
        let driving = scope.spawn(move || drive(plan, lanes, control));
        let written = decode(&line);
        if written.is_err() {
            control.cut();
        }
        // Nobody decodes any more; what still comes is let go.
        drop(line);
        let (fed, load, spilled) = (feeding.join(), driving.join(), taking_in.join());
        written?;
        let broken =
            |what: &str| CliError::internal(format!("the {what} thread panicked; rows before it are kept"));
        fed.map_err(|_| broken("feeding"))?;
        let spilled = spilled.map_err(|_| broken("intake"))?;
        load.map_err(|_| broken("load")).map(|load| (load, spilled))
    })
}

/// What came of offering the load.
pub(super) struct Outcomes {
    pub(super) load: LoadReport,
    pub(super) decode_wait_max_ns: u64,
    pub(super) spilled_bytes: u64,
    pub(super) completed: u64,
    pub(super) whole: bool,
    /// Most requests in flight that an open loop allows.
    pub(super) cap: Option<u32>,
}

fn offer_cap(plan: &Plan, load: LoadPoint) -> Option<u32> {
    let open = matches!(load, LoadPoint::Rate(_) | LoadPoint::Trace(_));
    plan.max_concurrency.as_ref().map(|c| c.value).filter(|_| open)
}

/// The I/O threads that the plan asks for.
pub(crate) fn io_plan(plan: &Plan) -> IoPlan {
    let threads = NonZeroUsize::new(plan.io_threads.value as usize).unwrap_or(NonZeroUsize::MIN);
    let priority = match plan.priority.value {
        Priority::Auto => benchhost_load::Priority::Auto,
        Priority::Off => benchhost_load::Priority::Off,
        Priority::Realtime => benchhost_load::Priority::Realtime,
    };
    IoPlan { threads, priority, ..IoPlan::default() }
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
