//! The simulated engine: who runs, who waits, and when the next tokens are ready.
//!
//! It knows tokens and delays. It does not know how a dialect writes them, nor that sockets exist.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use benchhost_os::clock::monotonic_ns;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::answer::{Finish, Script};
use crate::config::SimulatorConfig;
use crate::counters::{Outcome, Totals};
use crate::metronome::{Metronome, nanos};
use crate::truth::Truth;

/// Prompt tokens are cached in blocks of this size, and the last token is always computed.
const CACHE_BLOCK: u32 = 16;
/// Prompts remembered before the cache is emptied.
const CACHE_ENTRIES: usize = 65_536;
/// Sequences the key-value memory holds where no limit of running requests is set.
const DEFAULT_SEQUENCES: u32 = 64;
/// A step later than this does not make the following ones come faster.
const CATCH_UP_NS: u64 = 5_000_000;
/// What a delay is stretched to at most: longer than any run, and clocks can still add it.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// Live counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Requests that generate now.
    pub running: u32,
    /// Requests that wait for a place.
    pub waiting: u32,
    /// Generating requests that arrived since the start, those that a fault or a refusal ended included.
    pub arrived: u64,
    /// Generating requests accepted since the start.
    pub accepted: u64,
    /// Those cut off by the client or a fault.
    pub aborted: u64,
    /// Tokens written since the start.
    pub generated_tokens: u64,
}

/// State shared by all connections.
#[derive(Debug)]
pub(crate) struct Engine {
    /// The settings it was started with.
    pub(crate) config: SimulatorConfig,
    /// The timer all answers wait on.
    pub(crate) metronome: Metronome,
    /// What is known of the simulator itself.
    pub(crate) truth: Truth,
    gate: Option<Arc<Semaphore>>,
    running: AtomicU32,
    waiting: AtomicU32,
    held_tokens: AtomicU64,
    arrivals: AtomicU64,
    started: SystemTime,
    totals: Mutex<Totals>,
    cached: Mutex<HashSet<u64>>,
}

impl Engine {
    /// An idle engine.
    pub(crate) fn new(config: SimulatorConfig) -> Self {
        let gate = config.max_running.map(|places| Arc::new(Semaphore::new(places.max(1) as usize)));
        Self {
            config,
            metronome: Metronome::new(),
            truth: Truth::new(),
            gate,
            running: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            held_tokens: AtomicU64::new(0),
            arrivals: AtomicU64::new(0),
            started: SystemTime::now(),
            totals: Mutex::new(Totals::new()),
            cached: Mutex::new(HashSet::new()),
        }
    }

    /// The number of the next generating request; the first is 1.
    pub(crate) fn arrive(&self) -> u64 {
        self.arrivals.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Totals since the start. The lock must not be held across an await, nor taken twice in one statement.
    pub(crate) fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Live counts.
    pub(crate) fn load(&self) -> Load {
        let totals = self.totals();
        Load {
            running: self.running.load(Ordering::Relaxed),
            waiting: self.waiting.load(Ordering::Relaxed),
            arrived: self.arrivals.load(Ordering::Relaxed),
            accepted: totals.requests,
            aborted: totals.aborted,
            generated_tokens: totals.generated_tokens,
        }
    }

    /// What the simulator knows of itself.
    pub(crate) fn truth_page(&self) -> Value {
        self.truth.page(self.arrivals.load(Ordering::Relaxed), &self.metronome.stood())
    }

    /// Tokens in the key-value memory: prompts and answers of running requests.
    pub(crate) fn held_tokens(&self) -> u64 {
        self.held_tokens.load(Ordering::Relaxed)
    }

    /// Tokens the key-value memory can hold.
    pub(crate) fn token_capacity(&self) -> u64 {
        let sequences = self.config.max_running.unwrap_or(DEFAULT_SEQUENCES).max(1);
        u64::from(self.config.context_tokens.max(1)) * u64::from(sequences)
    }

    /// Share of the key-value memory in use, 0 to 1.
    pub(crate) fn memory_use(&self) -> f64 {
        (self.held_tokens() as f64 / self.token_capacity() as f64).min(1.0)
    }

    /// When the engine was made, in seconds since 1970.
    pub(crate) fn started_unix(&self) -> u64 {
        self.started.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// Tokens of this prompt that an earlier request left in the cache, and remembers the prompt. Delays do not depend on
    /// it: only the reported counts do.
    pub(crate) fn cached_tokens(&self, prompt_key: u64, prompt_tokens: u32) -> u32 {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.len() >= CACHE_ENTRIES {
            cached.clear();
        }
        if cached.insert(prompt_key) {
            0
        } else {
            prompt_tokens.saturating_sub(1) / CACHE_BLOCK * CACHE_BLOCK
        }
    }

    /// Forgets all prompts.
    pub(crate) fn reset_cache(&self) {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Accepts a request; nothing happens before the first [`Generation::next`].
    pub(crate) fn accept(
        self: &Arc<Self>,
        number: u64,
        script: Script,
        prompt_tokens: u32,
        cached: u32,
    ) -> Generation {
        self.totals().requests += 1;
        let mut random = ChaCha8Rng::seed_from_u64(self.config.seed);
        random.set_stream(number);
        let now = Instant::now();
        Generation {
            engine: Arc::clone(self),
            script,
            prompt_tokens,
            cached,
            random,
            place: None,
            written: 0,
            arrived: now,
            deadline: monotonic_ns(),
            first: None,
            latest: now,
            over: false,
        }
    }
}

/// A place among the running requests; given back when dropped.
#[derive(Debug)]
struct Place {
    engine: Arc<Engine>,
    held: u64,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Place {
    async fn take(engine: &Arc<Engine>, prompt_tokens: u32) -> Self {
        let permit = match &engine.gate {
            None => None,
            Some(gate) => {
                let _waiting = Waiting::new(engine);
                Arc::clone(gate).acquire_owned().await.ok()
            }
        };
        engine.running.fetch_add(1, Ordering::Relaxed);
        engine.held_tokens.fetch_add(u64::from(prompt_tokens), Ordering::Relaxed);
        Self { engine: Arc::clone(engine), held: u64::from(prompt_tokens), _permit: permit }
    }

    fn hold(&mut self, tokens: u64) {
        self.held += tokens;
        self.engine.held_tokens.fetch_add(tokens, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.engine.running.fetch_sub(1, Ordering::Relaxed);
        self.engine.held_tokens.fetch_sub(self.held, Ordering::Relaxed);
    }
}

/// Counts a waiting request, also when the client gives up while waiting.
struct Waiting<'a>(&'a Engine);

impl<'a> Waiting<'a> {
    fn new(engine: &'a Engine) -> Self {
        engine.waiting.fetch_add(1, Ordering::Relaxed);
        Self(engine)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Tokens that became ready together, all on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Whether they belong to the reasoning channel.
    pub(crate) reasoning: bool,
    /// Their indices within the channel.
    pub(crate) range: Range<usize>,
    /// Whether no token follows.
    pub(crate) last: bool,
    /// Tokens written so far, these included.
    pub(crate) written: u32,
}

/// Times and counts of a request, as servers report them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Prompt tokens, cached ones included.
    pub(crate) prompt: u32,
    /// Prompt tokens from the cache.
    pub(crate) cached: u32,
    /// Tokens written.
    pub(crate) written: u32,
    /// Those on the reasoning channel.
    pub(crate) reasoning: u32,
    /// Arrival to first token; to now if there is none.
    pub(crate) before_first: Duration,
    /// First token to now.
    pub(crate) after_first: Duration,
}

/// What the next delay counts from, when the step before was due at `due` and it is `now`: a step that is a little late
/// does not shift those that follow, a stop does.
pub(crate) fn next_due(due: u64, now: u64) -> u64 {
    if now > due.saturating_add(CATCH_UP_NS) { now } else { due }
}

/// One request in the engine.
#[derive(Debug)]
pub(crate) struct Generation {
    engine: Arc<Engine>,
    script: Script,
    prompt_tokens: u32,
    cached: u32,
    random: ChaCha8Rng,
    place: Option<Place>,
    written: usize,
    arrived: Instant,
    /// When the newest tokens were due, on the monotonic clock.
    deadline: u64,
    first: Option<Instant>,
    latest: Instant,
    over: bool,
}

impl Generation {
    /// The text and how it ends.
    pub(crate) fn script(&self) -> &Script {
        &self.script
    }

    /// Waits for a place, then for the delay, and gives the next tokens; nothing after the last.
    pub(crate) async fn next(&mut self) -> Option<Step> {
        if self.place.is_none() && !self.over {
            self.place = Some(Place::take(&self.engine, self.prompt_tokens).await);
            let now = Instant::now();
            self.engine.totals().queue.observe((now - self.arrived).as_secs_f64());
            let delay = self.engine.config.ttft.draw(&mut self.random);
            self.deadline = monotonic_ns().saturating_add(nanos(self.stretched(delay)));
            self.engine.metronome.sleep_until(self.deadline).await;
        }
        let step = self.ready()?;
        if self.written > 0 {
            let delay: Duration =
                step.range.clone().map(|_| self.engine.config.itl.draw(&mut self.random)).sum();
            self.deadline =
                next_due(self.deadline, monotonic_ns()).saturating_add(nanos(self.stretched(delay)));
            self.engine.metronome.sleep_until(self.deadline).await;
        }
        self.book(&step);
        Some(step)
    }

    /// The next tokens, not yet counted.
    fn ready(&self) -> Option<Step> {
        let (thoughts, total) = (self.script.reasoning.len(), self.script.len());
        if self.written >= total || self.over {
            return None;
        }
        let reasoning = self.written < thoughts;
        let (offset, channel_end) = if reasoning { (0, thoughts) } else { (thoughts, total) };
        let end = (self.written + self.engine.config.tokens_per_event.max(1) as usize).min(channel_end);
        Some(Step {
            reasoning,
            range: self.written - offset..end - offset,
            last: end == total,
            written: u32::try_from(end).unwrap_or(u32::MAX),
        })
    }

    /// Notes that a step is on its way to the socket.
    pub(crate) fn wrote(&self, step: &Step) {
        self.engine.truth.wrote(step.range.len() as u64, self.deadline, monotonic_ns());
    }

    /// Waits, as a fault of this one answer wants it.
    pub(crate) async fn pause(&self, pause: Duration) {
        self.engine.metronome.sleep(pause).await;
    }

    /// Counts tokens that are ready.
    fn book(&mut self, step: &Step) {
        let now = Instant::now();
        let mut totals = self.engine.totals();
        if self.first.is_none() {
            self.first = Some(now);
            totals.first_token.observe((now - self.arrived).as_secs_f64());
            totals.prompt_tokens += u64::from(self.prompt_tokens);
            totals.cached_tokens += u64::from(self.cached);
            totals.prompt_seconds += (now - self.arrived).as_secs_f64();
        } else {
            totals.between.observe((now - self.latest).as_secs_f64());
        }
        totals.generated_tokens += step.range.len() as u64;
        totals.steps += 1;
        drop(totals);
        self.latest = now;
        self.written += step.range.len();
        if let Some(place) = &mut self.place {
            place.hold(step.range.len() as u64);
        }
    }

    /// A delay as the load stretches it: each further running request adds its share.
    fn stretched(&self, delay: Duration) -> Duration {
        let others = self.engine.running.load(Ordering::Relaxed).saturating_sub(1);
        let factor = 1.0 + self.engine.config.batch_slowdown.max(0.0) * f64::from(others);
        Duration::try_from_secs_f64(delay.as_secs_f64() * factor).unwrap_or(FOREVER).min(FOREVER)
    }

    /// Ends the request as complete and gives its place to the next. Not calling it counts as aborted.
    pub(crate) fn complete(&mut self) {
        let outcome = if self.script.finish == Finish::Length { Outcome::Length } else { Outcome::Stop };
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        if self.over {
            return;
        }
        self.over = true;
        self.place = None;
        let tally = self.tally();
        let mut totals = self.engine.totals();
        totals.decode_seconds += tally.after_first.as_secs_f64();
        totals.finish(outcome, tally.prompt, tally.written, tally.before_first + tally.after_first);
    }

    /// Times and counts so far.
    pub(crate) fn tally(&self) -> Tally {
        let now = Instant::now();
        let first = self.first.unwrap_or(now);
        Tally {
            prompt: self.prompt_tokens,
            cached: self.cached,
            written: u32::try_from(self.written).unwrap_or(u32::MAX),
            reasoning: u32::try_from(self.written.min(self.script.reasoning.len())).unwrap_or(u32::MAX),
            before_first: first - self.arrived,
            after_first: now - first,
        }
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.end(Outcome::Aborted);
    }
}

#[cfg(test)]
mod tests;
