//! Engine gauges: what one reading of a server's counters holds, and the figures of a load point derived from readings.
//!
//! It must not know how a reading is fetched or what a server calls its counters: names are those of `wit/gauges.md`, and
//! windows are given as times on the run's clock.

use serde::{Deserialize, Serialize};

/// Farther apart than this, two readings say nothing of the time between them: a server that does not answer for so long
/// is asked again at most this much later.
pub const MAX_GAP_NS: u64 = 5_000_000_000;

/// One reading. What the server does not tell is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GaugeSample {
    /// When the server was asked: nanoseconds on the run's clock.
    pub t_ns: u64,
    /// From asking to the end of the answer; the values are of some moment within.
    pub took_ns: u64,
    /// Requests being generated.
    pub running: Option<f64>,
    /// Requests accepted and not yet running.
    pub waiting: Option<f64>,
    /// Share of the KV cache in use, 0 to 1.
    pub kv_cache_use: Option<f64>,
    /// Tokens held in the KV cache.
    pub kv_cache_tokens: Option<f64>,
    /// Counter: prompt tokens found in the prefix cache.
    pub prefix_cache_hits: Option<f64>,
    /// Counter: prompt tokens looked up in the prefix cache.
    pub prefix_cache_queries: Option<f64>,
    /// Share of prompt tokens found in the prefix cache, 0 to 1, as the server gives it.
    pub prefix_hit_share: Option<f64>,
    /// Counter: prompt tokens processed.
    pub prompt_tokens: Option<f64>,
    /// Counter: tokens generated.
    pub generated_tokens: Option<f64>,
    /// Counter: requests evicted and started again.
    pub preemptions: Option<f64>,
    /// Counter: requests ended.
    pub requests_finished: Option<f64>,
    /// Counter: tokens proposed by speculative decoding.
    pub draft_tokens: Option<f64>,
    /// Counter: of those, accepted.
    pub draft_tokens_accepted: Option<f64>,
}

impl GaugeSample {
    /// A reading of these figures; names that are not canonical and values that are not finite are left out.
    pub fn of(t_ns: u64, took_ns: u64, figures: &[(String, f64)]) -> Self {
        let mut sample = Self { t_ns, took_ns, ..Self::default() };
        for (name, value) in figures {
            if let Some(field) = sample.field(name).filter(|_| value.is_finite()) {
                *field = Some(*value);
            }
        }
        sample
    }

    /// Nothing was told.
    pub fn is_empty(&self) -> bool {
        *self == Self { t_ns: self.t_ns, took_ns: self.took_ns, ..Self::default() }
    }

    fn field(&mut self, name: &str) -> Option<&mut Option<f64>> {
        Some(match name {
            "running" => &mut self.running,
            "waiting" => &mut self.waiting,
            "kv_cache_use" => &mut self.kv_cache_use,
            "kv_cache_tokens" => &mut self.kv_cache_tokens,
            "prefix_cache_hits" => &mut self.prefix_cache_hits,
            "prefix_cache_queries" => &mut self.prefix_cache_queries,
            "prefix_hit_share" => &mut self.prefix_hit_share,
            "prompt_tokens" => &mut self.prompt_tokens,
            "generated_tokens" => &mut self.generated_tokens,
            "preemptions" => &mut self.preemptions,
            "requests_finished" => &mut self.requests_finished,
            "draft_tokens" => &mut self.draft_tokens,
            "draft_tokens_accepted" => &mut self.draft_tokens_accepted,
            _ => return None,
        })
    }

    /// The middle of the reading, where its values are put.
    fn at_ns(&self) -> u64 {
        self.t_ns.saturating_add(self.took_ns / 2)
    }
}

/// Figures of one engine over one window. `None`: not told, or the readings do not support it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GaugeFigures {
    /// Largest share of the KV cache in use, 0 to 1.
    pub kv_cache_peak: Option<f64>,
    /// Mean share over time.
    pub kv_cache_mean: Option<f64>,
    /// Largest number of running requests.
    pub running_peak: Option<f64>,
    /// Mean number over time.
    pub running_mean: Option<f64>,
    /// Largest number of waiting requests.
    pub waiting_peak: Option<f64>,
    /// Mean number over time.
    pub waiting_mean: Option<f64>,
    /// Requests evicted and started again.
    pub preemptions: Option<f64>,
    /// Share of prompt tokens found in the prefix cache.
    pub prefix_hit_share: Option<f64>,
}

/// One reading of one figure: time in nanoseconds, value.
type Point = (u64, f64);

/// Figures of one engine's readings between `from_ns` and `to_ns`, both included. The order of `samples` does not matter.
///
/// A peak is the largest value read inside, a lower bound of the true one: between two readings there may have been more.
/// Means are weighted by time, with straight lines between readings and the outer values held to the edges. Counters
/// are compared between the last readings before the window begins and before it ends; one that falls was restarted with
/// its server, and counts from 0. The prefix hit share is that of the tokens looked up in the window; where only a share is
/// told, its mean over time.
pub fn figures(samples: &[GaugeSample], from_ns: u64, to_ns: u64) -> GaugeFigures {
    let mut own: Vec<&GaugeSample> = samples.iter().collect();
    own.sort_by_key(|s| s.at_ns());
    let of = |pick: fn(&GaugeSample) -> Option<f64>| -> Vec<Point> {
        own.iter().filter_map(|s| Some((s.at_ns(), pick(s)?))).collect()
    };
    let (kv, running, waiting) = (of(|s| s.kv_cache_use), of(|s| s.running), of(|s| s.waiting));
    let rise = |points: &[Point]| rise(points, from_ns, to_ns);
    let hits = rise(&of(|s| s.prefix_cache_hits)).zip(rise(&of(|s| s.prefix_cache_queries)));
    let hit_share = match hits {
        Some((hits, queries)) => (queries > 0.0).then(|| (hits / queries).min(1.0)),
        None => mean(&of(|s| s.prefix_hit_share), from_ns, to_ns),
    };
    GaugeFigures {
        kv_cache_peak: peak(&kv, from_ns, to_ns),
        kv_cache_mean: mean(&kv, from_ns, to_ns),
        running_peak: peak(&running, from_ns, to_ns),
        running_mean: mean(&running, from_ns, to_ns),
        waiting_peak: peak(&waiting, from_ns, to_ns),
        waiting_mean: mean(&waiting, from_ns, to_ns),
        preemptions: rise(&of(|s| s.preemptions)),
        prefix_hit_share: hit_share,
    }
}

fn peak(points: &[Point], from_ns: u64, to_ns: u64) -> Option<f64> {
    let inside = points.iter().filter(|(t, _)| (from_ns..=to_ns).contains(t));
    inside.map(|(_, value)| *value).reduce(f64::max)
}

/// The mean over time; `None` when the window is empty, nothing was read inside, or a hole or an edge without readings is
/// wider than [`MAX_GAP_NS`].
fn mean(points: &[Point], from_ns: u64, to_ns: u64) -> Option<f64> {
    if from_ns >= to_ns || !points.iter().any(|(t, _)| (from_ns..=to_ns).contains(t)) {
        return None;
    }
    let (first, last) = (points.first()?, points.last()?);
    if first.0.saturating_sub(from_ns) > MAX_GAP_NS || to_ns.saturating_sub(last.0) > MAX_GAP_NS {
        return None;
    }
    let edges = [(from_ns.min(first.0), first.1)].into_iter();
    let held: Vec<Point> = edges.chain(points.iter().copied()).chain([(to_ns.max(last.0), last.1)]).collect();
    let mut sum = 0.0;
    for pair in held.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        let (left, right) = (before.0.max(from_ns), after.0.min(to_ns));
        if left >= right {
            continue;
        }
        if after.0 - before.0 > MAX_GAP_NS {
            return None;
        }
        let height =
            |t: u64| before.1 + (after.1 - before.1) * ((t - before.0) as f64 / (after.0 - before.0) as f64);
        sum += f64::midpoint(height(left), height(right)) * (right - left) as f64;
    }
    Some(sum / (to_ns - from_ns) as f64)
}

/// How far a counter rose; `None` without two readings, one of them inside or at the edges.
fn rise(points: &[Point], from_ns: u64, to_ns: u64) -> Option<f64> {
    let end = points.partition_point(|(t, _)| *t <= to_ns);
    let start = points.partition_point(|(t, _)| *t <= from_ns).saturating_sub(1);
    let span = points.get(start..end)?;
    if span.len() < 2 {
        return None;
    }
    let step = |pair: &[Point]| if pair[1].1 >= pair[0].1 { pair[1].1 - pair[0].1 } else { pair[1].1 };
    Some(span.windows(2).map(step).sum())
}

#[cfg(test)]
mod tests;
