//! What the engine under measurement tells of itself (running, waiting, KV cache …), asked ten times a second on a thread of
//! its own with a connection of its own. Nothing here can delay a request or a stamp of one: the load's threads share
//! nothing with this one, and a server that answers slowly or not at all is asked less often and counted.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use benchhost_http::{Cancel, Client, Limits, Outgoing, RunClock, Target};
use benchhost_model::{Nanos, ProbeKind, TransportFailure};
use benchhost_plugin::EngineInstance;
use benchhost_telemetry::gauges::GaugeSample;
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use tokio::sync::Notify;

use super::engines::ReadyEngine;
use crate::error::CliResult;
use crate::gauges::{row, source};
use crate::store::TelemetryRow;
use crate::ui::Printer;

/// Between two questions; a study of KV-cache use needs ten a second.
const PERIOD: Duration = Duration::from_millis(100);
/// Either way, so that sampling does not beat with the engine's steps.
const JITTER: Duration = Duration::from_millis(20);
/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longest time between two questions to a server that fails.
const LONGEST: Duration = Duration::from_secs(4);
/// Failures from the start after which nothing is to be expected any more.
const HOPELESS: u32 = 3;
/// Largest answer; metrics pages have some hundred kilobytes.
const BODY_CAP: usize = 8 << 20;

/// How the sampling went; nothing of it is a fault of the measurement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct GaugeHealth {
    /// `vllm · fp8`.
    pub(crate) engine: String,
    /// Readings handed out.
    pub(crate) samples: u64,
    /// Questions without a usable answer.
    pub(crate) failed: u64,
    /// Answers that took longer than the period.
    pub(crate) slow: u64,
    /// Longest time of one answer, nanoseconds.
    pub(crate) took_max_ns: u64,
    /// Time of all answers together: what the scrapes may have cost the server at most, nanoseconds.
    pub(crate) took_sum_ns: u64,
    /// Why there are none, on one line; empty: there are.
    pub(crate) off: String,
    /// The user can do something about it.
    pub(crate) mendable: bool,
}

/// The thread that asks one engine. Dropping it ends the thread without waiting.
#[derive(Debug)]
pub(crate) struct GaugeSampler {
    stop: Arc<Notify>,
    health: Arc<Mutex<GaugeHealth>>,
    thread: Option<JoinHandle<()>>,
}

impl GaugeSampler {
    /// Starts asking `engine`; samples are stamped with `clock` and go to `sink` as rows of telemetry. An adapter without
    /// such a question starts nothing.
    pub(crate) fn start(
        engine: &ReadyEngine,
        clock: RunClock,
        seed: u64,
        sink: Sender<TelemetryRow>,
        printer: &Printer,
    ) -> CliResult<Self> {
        let stop = Arc::new(Notify::new());
        let health = GaugeHealth { engine: engine.title(), ..GaugeHealth::default() };
        let health = Arc::new(Mutex::new(health));
        let mut instance = engine.instance(printer)?;
        let mut sampler = Self { stop: Arc::clone(&stop), health: Arc::clone(&health), thread: None };
        match question(engine, &mut instance) {
            Ok((target, question)) => {
                let asking = Asking {
                    client: Client::new(target, clock),
                    question,
                    instance,
                    clock,
                    source: source(&engine.title()),
                    sink,
                    health,
                    jitter: ChaCha8Rng::seed_from_u64(seed),
                    failed_in_row: 0,
                };
                let spawned =
                    std::thread::Builder::new().name("engine-gauges".into()).spawn(move || asking.run(&stop));
                match spawned {
                    Ok(thread) => sampler.thread = Some(thread),
                    Err(error) => {
                        sampler.off(format!("the sampling thread cannot be started ({error})"), true);
                    }
                }
            }
            Err(why) => sampler.off(why, false),
        }
        Ok(sampler)
    }

    fn off(&self, why: String, mendable: bool) {
        let mut health = lock(&self.health);
        (health.off, health.mendable) = (why, mendable);
    }

    /// Ends the thread; an answer that is awaited is given up.
    pub(crate) fn stop(mut self) -> GaugeHealth {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            self.off("the sampling thread panicked".into(), true);
        }
        lock(&self.health).clone()
    }
}

impl Drop for GaugeSampler {
    fn drop(&mut self) {
        self.stop.notify_one();
    }
}

impl GaugeHealth {
    /// For people, if something is worth saying.
    pub(crate) fn note(&self) -> Option<String> {
        if !self.off.is_empty() {
            return self.mendable.then(|| format!("no gauges of `{}`: {}", self.engine, self.off));
        }
        let asked = self.samples + self.failed;
        (self.failed * 10 > asked).then(|| {
            format!(
                "gauges of `{}` are sparse: {} of {asked} questions had no answer",
                self.engine, self.failed
            )
        })
    }
}

fn lock(health: &Mutex<GaugeHealth>) -> std::sync::MutexGuard<'_, GaugeHealth> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What to ask and where; the error says why there is nothing to ask.
fn question(engine: &ReadyEngine, instance: &mut EngineInstance) -> Result<(Target, Outgoing), String> {
    let probe = instance
        .probe(ProbeKind::Metrics, &engine.model, "", false, &engine.settings)
        .map_err(|e| e.to_string())?
        .ok_or("the adapter knows no metrics of this server")?;
    if engine.is_simulated() && probe.port.is_some() {
        return Err("the simulator tells no metrics on a port of their own".into());
    }
    let mut target = engine.target.clone();
    target.connector = target.connector.apart();
    target.limits =
        Limits { timeout: PATIENCE, idle_timeout: PATIENCE, connect_timeout: PATIENCE, body_cap: BODY_CAP };
    if let Some(port) = probe.port {
        target.base = target.base.with_port(port);
    }
    let question = Outgoing::new(&probe.method, &probe.path, &probe.headers, probe.body);
    Ok((target, question.map_err(|e| e.to_string())?))
}

/// What the thread works with.
struct Asking {
    client: Client,
    question: Outgoing,
    instance: EngineInstance,
    clock: RunClock,
    source: String,
    sink: Sender<TelemetryRow>,
    health: Arc<Mutex<GaugeHealth>>,
    jitter: ChaCha8Rng,
    failed_in_row: u32,
}

/// What an answer is good for.
enum Answer {
    /// A reading, and how long it took.
    Reading(GaugeSample),
    /// None this time.
    Failed(String),
    /// None ever.
    Never(String),
}

impl Asking {
    fn run(mut self, stop: &Notify) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = stop.notified() => {}
                    () = self.ask_on() => {}
                }
            }),
            Err(error) => lock(&self.health).off = format!("cannot start the network runtime ({error})"),
        }
    }

    /// Asks until nobody listens or nothing is to be expected. Dropped at any await when the sampling ends.
    async fn ask_on(&mut self) {
        loop {
            let begun = self.clock.now();
            let took = match self.once().await {
                Answer::Reading(sample) => {
                    self.failed_in_row = 0;
                    let took = sample.took_ns;
                    self.count(took);
                    if self.sink.send(row(&self.source, &sample)).is_err() {
                        return;
                    }
                    Duration::from_nanos(took)
                }
                Answer::Failed(why) => {
                    self.failed_in_row += 1;
                    let mut health = lock(&self.health);
                    health.failed += 1;
                    if health.samples == 0 && self.failed_in_row >= HOPELESS {
                        (health.off, health.mendable) = (why, true);
                        return;
                    }
                    Duration::from(self.clock.now() - begun)
                }
                Answer::Never(why) => {
                    let mut health = lock(&self.health);
                    health.failed += 1;
                    (health.off, health.mendable) = (why, true);
                    return;
                }
            };
            let spread = self.jitter.random_range(0..=2 * nanos(JITTER));
            let pause = pause(took, self.failed_in_row, Duration::from_nanos(spread));
            tokio::time::sleep(pause).await;
        }
    }

    async fn once(&mut self) -> Answer {
        let first = lock(&self.health).samples == 0;
        let asked = self.clock.now();
        let timeline = self.client.exchange(&self.question, Nanos::ZERO, &Cancel::new()).await;
        let took = (self.clock.now() - asked).get();
        let status = match (&timeline.failure, timeline.status) {
            (None, Some(status)) => status,
            (Some(TransportFailure { failure, detail }), _) => {
                return refused(
                    first,
                    *failure == benchhost_model::Failure::Connect,
                    format!("{failure}: {detail}"),
                );
            }
            (None, None) => return Answer::Failed("the exchange was cut".into()),
        };
        if !(200..300).contains(&status) {
            let what = format!(
                "`{}` answered {status}; some servers tell metrics only when told to",
                self.question.path()
            );
            return refused(first, status < 500 || status == 501, what);
        }
        match self.instance.gauges(&timeline.body) {
            Ok(figures) => {
                let sample = GaugeSample::of(asked.get(), took, &figures);
                if sample.is_empty() {
                    let what =
                        format!("`{}` has none of the metrics that the adapter knows", self.question.path());
                    return refused(first, true, what);
                }
                Answer::Reading(sample)
            }
            Err(error) => Answer::Failed(error.to_string()),
        }
    }

    fn count(&self, took_ns: u64) {
        let mut health = lock(&self.health);
        health.samples += 1;
        health.slow += u64::from(took_ns > nanos(PERIOD));
        health.took_max_ns = health.took_max_ns.max(took_ns);
        health.took_sum_ns = health.took_sum_ns.saturating_add(took_ns);
    }
}

/// A first answer that says there is nothing ends the asking; a later one may be a moment's trouble.
fn refused(first: bool, for_good: bool, why: String) -> Answer {
    if first && for_good { Answer::Never(why) } else { Answer::Failed(why) }
}

/// From the end of one question to the next: the rest of the period, with its jitter; twice as long for each failure in a row,
/// and never less than the answer took, so that a server that labours is asked for at most half of its time.
fn pause(took: Duration, failed_in_row: u32, spread: Duration) -> Duration {
    let period = PERIOD.saturating_sub(JITTER) + spread;
    let backed_off = period.saturating_mul(1 << failed_in_row.min(6)).min(LONGEST);
    backed_off.saturating_sub(took).max(took.min(LONGEST))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_server_is_asked_ten_times_a_second_and_a_slow_one_less_often() {
        let ms = Duration::from_millis;
        assert_eq!(pause(ms(2), 0, ms(20)), ms(98));
        assert_eq!((pause(ms(2), 0, ms(0)), pause(ms(2), 0, ms(40))), (ms(78), ms(118)));
        assert_eq!(pause(ms(300), 0, ms(20)), ms(300));
        assert_eq!(pause(ms(0), 1, ms(20)), ms(200));
        assert_eq!(pause(ms(0), 3, ms(20)), ms(800));
        assert_eq!(pause(ms(0), 40, ms(20)), LONGEST);
        assert_eq!(pause(ms(60_000), 0, ms(20)), LONGEST);
    }

    #[test]
    fn a_note_is_for_what_the_user_can_mend() {
        let health = |samples, failed, off: &str, mendable| GaugeHealth {
            engine: "vllm".into(),
            samples,
            failed,
            off: off.into(),
            mendable,
            ..GaugeHealth::default()
        };
        assert_eq!(health(100, 2, "", false).note(), None);
        assert_eq!(health(0, 0, "the adapter knows none", false).note(), None);
        assert!(health(0, 1, "`/metrics` answered 404", true).note().is_some_and(|n| n.contains("404")));
        assert!(health(5, 5, "", false).note().is_some_and(|n| n.contains("sparse")));
    }
}
