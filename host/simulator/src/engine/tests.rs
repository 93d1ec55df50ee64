//! The engine's places, steps and counts; delays are none, so nothing here waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Engine, FOREVER};
use crate::answer::{Asked, Length, Script, Style, write};
use crate::config::{Dialect, SimulatorConfig};
use crate::delay::Delay;

fn engine(change: impl FnOnce(&mut SimulatorConfig)) -> Arc<Engine> {
    let mut config = SimulatorConfig::new(Dialect::Vllm);
    (config.ttft, config.itl) = (Delay::NONE, Delay::NONE);
    change(&mut config);
    Arc::new(Engine::new(config))
}

fn script(length: u32, reasoning: u32) -> Script {
    let length = Length { most: length, ignore_end: true, ..Length::default() };
    write(&Asked::default(), &length, 0, Style { reasoning, unicode: false, wrong: 0.0, length: 1.0 })
}

#[tokio::test]
async fn steps_cover_both_channels_without_gap_and_never_mix_them() {
    let engine = engine(|config| config.tokens_per_event = 3);
    let mut generation = engine.accept(1, script(11, 4), 9, 0);
    let mut seen = Vec::new();
    while let Some(step) = generation.next().await {
        seen.push((step.reasoning, step.range, step.last, step.written));
    }
    let want =
        [(true, 0..3, false, 3), (true, 3..4, false, 4), (false, 0..3, false, 7), (false, 3..6, false, 10)];
    assert_eq!(seen[..4], want);
    assert_eq!(seen[4..], [(false, 6..7, true, 11)]);
}

#[tokio::test]
async fn a_slow_down_of_any_size_gives_a_delay_that_clocks_can_add() {
    let second = Duration::from_secs(1);
    for (slowdown, want) in
        [(0.5, second * 2), (0.0, second), (1e300, FOREVER), (f64::INFINITY, FOREVER), (-1.0, second)]
    {
        let engine = engine(|config| config.batch_slowdown = slowdown);
        let generation = engine.accept(1, script(1, 0), 1, 0);
        engine.running.store(3, Ordering::Relaxed);
        assert_eq!(generation.stretched(second), want, "{slowdown}");
    }
}

#[tokio::test]
async fn places_are_limited_and_given_back_in_every_case() {
    let engine = engine(|config| config.max_running = Some(1));
    let mut first = engine.accept(1, script(5, 0), 9, 0);
    first.next().await;
    let mut second = engine.accept(2, script(5, 0), 9, 0);
    let mut waiting = Box::pin(second.next());
    tokio::select! {
        biased;
        _ = &mut waiting => unreachable!("the only place is taken"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!((engine.load().running, engine.load().waiting, engine.held_tokens()), (1, 1, 10));
    drop(first);
    assert!(waiting.await.is_some());
    assert_eq!((engine.load().running, engine.load().waiting, engine.load().aborted), (1, 0, 1));
    while second.next().await.is_some() {}
    second.complete();
    assert_eq!((engine.load().running, engine.held_tokens(), engine.totals().at_limit), (0, 0, 1));
}

#[tokio::test]
async fn a_completed_request_is_not_also_aborted() {
    let engine = engine(|_| ());
    let mut generation = engine.accept(1, Script::empty(), 9, 0);
    assert_eq!(generation.next().await, None);
    generation.complete();
    drop(generation);
    let totals = engine.totals();
    assert_eq!((totals.stopped, totals.aborted), (1, 0));
}

#[test]
fn a_repeated_prompt_is_cached_until_the_reset() {
    let engine = engine(|_| ());
    assert_eq!(engine.cached_tokens(7, 40), 0);
    assert_eq!(engine.cached_tokens(7, 40), 32);
    assert_eq!(engine.cached_tokens(8, 40), 0);
    engine.reset_cache();
    assert_eq!(engine.cached_tokens(7, 40), 0);
}
