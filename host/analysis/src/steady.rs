//! Whether the load had settled within the window: MSER-5 on three courses, a trend over ten parts, turnovers, and the
//! backlog of an open loop. Knows rows, a course of tokens and a window.

use benchhost_model::{LoadPoint, Outcome, Steadiness, SteadyState};
use benchhost_stats::{Window, backlog, in_flight_means, mser5, trend};

use crate::kept::Kept;
use crate::laws;
use crate::metric::from_schedule;

/// Times that the requests in flight must have been replaced.
const TURNOVERS: f64 = 3.0;
/// First tokens that MSER-5 needs.
const FIRST_TOKENS: usize = 50;
/// A course that differs by less from its settled part has settled for all that figures show.
const MATERIAL: f64 = 0.05;
/// Drift from the first to the last tenth that counts by itself, if chance is ruled out.
const DRIFT: f64 = 0.10;
/// A step at MSER-5's cut that stands out, in standard errors: the cut is chosen, so two or three are chance.
const STEP: f64 = 5.0;
/// Parts for trends; what the rules were tried on.
const PARTS: usize = 10;
/// Service times that a window must hold for its backlog to say anything.
const SERVICES: f64 = 5.0;

/// What the tests say. `rows` in the order of their sending; `course`: tokens a second over parts of the window;
/// `changing`: the rate rises or falls by plan, so that requests in flight may grow while the server keeps up.
pub(crate) fn steady_state(
    rows: &[Kept],
    course: &[f64],
    window: Option<Window>,
    (load, changing): (LoadPoint, bool),
) -> SteadyState {
    let Some(window) = window else {
        return SteadyState {
            why: "there is no stretch of time to look at".into(),
            ..SteadyState::default()
        };
    };
    let first_tokens: Vec<f64> =
        rows.iter().filter(|r| r.measured() && r.completed()).filter_map(Kept::ttft).collect();
    let parts = course.len().max(60);
    // A batch empties by design, so the number in flight is no plateau.
    let in_flight = match load {
        LoadPoint::Batch(_) => Vec::new(),
        _ => in_flight_means(window, parts, rows.iter().filter_map(laws::stay)),
    };
    let ended = rows.iter().filter(|r| r.end().is_some_and(|at| window.contains(at))).count();
    let mean = laws::in_flight(rows, window);
    let turnovers = (mean > 0.0).then(|| ended as f64 / mean);
    let courses = [
        ("time to first token", settled(&first_tokens)),
        ("output tokens a second", settled(course)),
        ("requests in flight", settled(&in_flight)),
    ];
    let growth = (from_schedule(load) && !changing).then(|| waiting(rows, window)).flatten();
    let (verdict, why) = judge(&courses, first_tokens.len(), turnovers, growth);
    let [ttft, tokens, flying] = courses.map(|(_, s)| s.cut());
    SteadyState {
        verdict,
        why,
        turnovers,
        cut_ttft: ttft,
        cut_out_tok_s: tokens,
        cut_in_flight: flying,
        backlog_growth: growth.map(|g| g.per_part),
    }
}

fn judge(
    courses: &[(&str, Settled)],
    first_tokens: usize,
    turnovers: Option<f64>,
    growth: Option<Growth>,
) -> (Steadiness, String) {
    if let Some(growth) = growth.filter(|g| g.growing) {
        let share = 100.0 * growth.per_part;
        let why = format!(
            "requests due and not yet answered grow by {share:.0}% of their mean in each tenth of the window"
        );
        return (Steadiness::Saturated, why);
    }
    if first_tokens < FIRST_TOKENS {
        let why =
            format!("{first_tokens} first tokens were measured, {FIRST_TOKENS} are needed to see a change");
        return (Steadiness::NotShown, why);
    }
    if let Some(few) = turnovers.filter(|t| *t < TURNOVERS) {
        let why = format!(
            "the requests in flight were replaced {few:.1} times in the window, {TURNOVERS} are needed"
        );
        return (Steadiness::NotShown, why);
    }
    let moving = courses.iter().find_map(|(name, s)| match s {
        Settled::Not { change } => Some((name, change)),
        _ => None,
    });
    match moving {
        Some((name, change)) => {
            let why = format!(
                "{name} still changed in the second half of the window, by {:.0}% over it",
                100.0 * change
            );
            (Steadiness::NotStationary, why)
        }
        None => (Steadiness::Steady, String::new()),
    }
}

/// What one course says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Settled {
    /// After this share of it.
    After(f64),
    /// Not within it; it changed by this share.
    Not { change: f64 },
    /// Too short to tell.
    Unknown,
}

impl Settled {
    fn cut(self) -> Option<f64> {
        match self {
            Self::After(share) => Some(share),
            Self::Not { .. } | Self::Unknown => None,
        }
    }
}

/// MSER-5, held against chance: of pure noise its cut lies in the second half now and then, so the change must also be
/// material, and a trend over ten parts or the step at the cut must stand out.
fn settled(values: &[f64]) -> Settled {
    let found = mser5(values);
    if !found.examined() {
        return Settled::Unknown;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let level = mean(values);
    let tenths: Vec<f64> = values.chunks(values.len().div_ceil(PARTS)).map(mean).collect();
    let line = trend(&tenths);
    let share = |difference: f64| if level == 0.0 { 0.0 } else { (difference / level).abs() };
    let drift = share(line.slope_per_window * (tenths.len() - 1) as f64);
    let cut = found.cut.min(values.len() - 1);
    let tail = share(mean(&values[cut..]) - level);
    let late = !found.stationary && tail > MATERIAL && (line.p < 0.05 || step(values, cut) > STEP);
    if late || (line.p < 0.01 && drift > DRIFT) {
        return Settled::Not { change: drift.max(tail) };
    }
    Settled::After(if found.stationary { found.cut as f64 / values.len() as f64 } else { 0.0 })
}

/// The difference between the means before and after a cut over its standard error, by batches of five.
fn step(values: &[f64], cut: usize) -> f64 {
    let of = |part: &[f64]| {
        let batches: Vec<f64> = part.chunks_exact(5).map(|b| b.iter().sum::<f64>() / 5.0).collect();
        let count = batches.len() as f64;
        let mean = batches.iter().sum::<f64>() / count;
        let squares: f64 = batches.iter().map(|b| (b - mean).powi(2)).sum();
        (mean, squares / (count - 1.0) / count)
    };
    let ((before, error_before), (after, error_after)) = (of(&values[..cut]), of(&values[cut..]));
    let error = (error_before + error_after).sqrt();
    // Fewer than two batches on a side have no error, and prove nothing.
    if error > 0.0 { ((after - before) / error).abs() } else { 0.0 }
}

/// How the requests due and not yet answered developed.
#[derive(Debug, Clone, Copy)]
struct Growth {
    growing: bool,
    /// Of the mean, in a tenth of the window.
    per_part: f64,
}

/// Waiting at the client counts: a cap must not hide a backlog. The first service time is left out, in which an empty
/// server fills; a window of few service times says nothing.
fn waiting(rows: &[Kept], window: Window) -> Option<Growth> {
    let service_s = service_ms(rows)? / 1000.0;
    if window.seconds() < SERVICES * service_s {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most a fifth of the window"
    )]
    let from = window.start_ns() + (service_s * 1e9) as u64;
    let window = Window::new(from, window.end_ns()).ok()?;
    let stays = rows.iter().filter_map(|r| match (r.end(), r.outcome) {
        (Some(end), _) => Some((r.sched, end)),
        (None, Outcome::Cut | Outcome::Shed) => Some((r.sched, u64::MAX)),
        (None, _) => None,
    });
    // Under a ramp the load itself grows, which says nothing of the server.
    if backlog(&due_in_parts(rows, window)).growing {
        return None;
    }
    let found = backlog(&in_flight_means(window, PARTS, stays));
    Some(Growth { growing: found.growing, per_part: found.growth_per_window })
}

/// Requests due in each tenth of the window.
fn due_in_parts(rows: &[Kept], window: Window) -> Vec<f64> {
    let parts = window.parts(PARTS);
    let due = |part: &Window| rows.iter().filter(|r| part.contains(r.sched)).count() as f64;
    parts.iter().map(due).collect()
}

/// A request's time in the server when it is least loaded: the smallest of the medians of ten stretches of requests.
fn service_ms(rows: &[Kept]) -> Option<f64> {
    let stays: Vec<f64> = rows.iter().filter_map(Kept::e2e_body).collect();
    let medians = stays.chunks(stays.len().div_ceil(PARTS).max(1)).map(|stretch| {
        let mut sorted = stretch.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    });
    medians.min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::{Nanos, Record};

    const MS: u64 = 1_000_000;

    /// Noise without a random source, −0.5 to 0.5.
    fn noise(seed: u32, count: u32) -> impl Iterator<Item = f64> {
        (0..count).scan(seed, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(f64::from(*state >> 16) / 65_536.0 - 0.5)
        })
    }

    fn row(sched_ms: u64, send_ms: u64, first_ms: u64, end_ms: u64) -> Kept {
        let at = |ms: u64| Some(Nanos::new(ms * MS));
        Kept::of(&Record {
            outcome: Outcome::Completed,
            t_sched_ns: Nanos::new(sched_ms * MS),
            t_send_ns: at(send_ms),
            t_first_ns: at(first_ms),
            t_last_ns: at(end_ms),
            t_end_ns: at(end_ms),
            ..Record::blank()
        })
    }

    fn window(until_ms: u64) -> Option<Window> {
        Window::new(0, until_ms * MS).ok()
    }

    #[test]
    fn pure_noise_is_rarely_called_unsettled() {
        for count in [60, 200, 2000] {
            let alarms = (1..=200)
                .filter(|seed| {
                    let values: Vec<f64> = noise(seed * 7919, count).map(|e| 100.0 + 100.0 * e).collect();
                    matches!(settled(&values), Settled::Not { .. })
                })
                .count();
            assert!(alarms <= 8, "{alarms} of 200 series of {count}");
        }
    }

    #[test]
    fn a_climb_and_a_late_step_are_unsettled_and_a_short_start_is_cut() {
        let climb: Vec<f64> =
            noise(3, 500).enumerate().map(|(i, e)| 100.0 + 20.0 * e + i as f64 / 5.0).collect();
        assert!(matches!(settled(&climb), Settled::Not { .. }));
        let step: Vec<f64> = noise(3, 500)
            .enumerate()
            .map(|(i, e)| 100.0 + 10.0 * e + if i > 350 { 80.0 } else { 0.0 })
            .collect();
        assert!(matches!(settled(&step), Settled::Not { .. }));
        let start: Vec<f64> = noise(3, 1000)
            .enumerate()
            .map(|(i, e)| 100.0 + 20.0 * e + if i < 50 { 100.0 } else { 0.0 })
            .collect();
        let Settled::After(share) = settled(&start) else { panic!("{:?}", settled(&start)) };
        assert!((0.04..0.2).contains(&share), "{share}");
        assert_eq!(settled(&[1.0; 49]), Settled::Unknown);
    }

    #[test]
    fn a_closed_loop_of_equal_requests_is_steady() {
        let rows: Vec<Kept> =
            (0..800).map(|i| (i / 4, i / 4 * 100)).map(|(_, t)| row(t, t, t + 20, t + 100)).collect();
        let found = steady_state(&rows, &[40.0; 60], window(20_000), (LoadPoint::Concurrency(4), false));
        assert_eq!((found.verdict, found.why.as_str()), (Steadiness::Steady, ""));
        assert!((found.turnovers.unwrap() - 199.0).abs() < 1.5, "{:?}", found.turnovers);
        assert_eq!((found.cut_ttft, found.cut_in_flight, found.backlog_growth), (Some(0.0), Some(0.0), None));
    }

    #[test]
    fn too_few_requests_or_turnovers_show_nothing() {
        let rows: Vec<Kept> = (0..40).map(|i| row(i * 100, i * 100, i * 100 + 20, i * 100 + 100)).collect();
        let found = steady_state(&rows, &[], window(4000), (LoadPoint::Concurrency(1), false));
        assert_eq!(found.verdict, Steadiness::NotShown);
        assert!(found.why.contains("40 first tokens"), "{}", found.why);
        let wide: Vec<Kept> = (0..100).map(|i| row(0, 0, 20 + i % 3, 900)).collect();
        let found = steady_state(&wide, &[], window(1000), (LoadPoint::Concurrency(100), false));
        assert!(found.verdict == Steadiness::NotShown && found.why.contains("replaced"), "{found:?}");
        assert_eq!(
            steady_state(&rows, &[], None, (LoadPoint::Concurrency(1), false)).verdict,
            Steadiness::NotShown
        );
    }

    #[test]
    fn an_open_loop_above_capacity_is_saturated_and_one_below_is_not() {
        // One server, 100 ms a request. Every 80 ms is too often; every 120 ms is not.
        let queue = |every: u64| -> Vec<Kept> {
            let mut free = 0;
            (0..300_u64)
                .map(|i| {
                    let due = i * every + (i * 37 % 23);
                    free = free.max(due) + 100;
                    row(due, due, free - 80, free)
                })
                .collect()
        };
        let above = steady_state(&queue(80), &[], window(300 * 80), (LoadPoint::Rate(12.5), false));
        assert_eq!(above.verdict, Steadiness::Saturated);
        assert!(above.why.contains("grow") && above.backlog_growth.unwrap() > 0.05);
        let below = steady_state(&queue(120), &[], window(300 * 120), (LoadPoint::Rate(8.3), false));
        assert_eq!((below.verdict, below.why.as_str()), (Steadiness::Steady, ""));
    }

    #[test]
    fn a_cap_does_not_hide_a_backlog() {
        // At most one in flight: those due wait at the client.
        let mut free = 0;
        let rows: Vec<Kept> = (0..300_u64)
            .map(|i| {
                let due = i * 80;
                let send = free.max(due);
                free = send + 100;
                row(due, send, send + 20, free)
            })
            .collect();
        assert_eq!(
            steady_state(&rows, &[], window(24_000), (LoadPoint::Rate(12.5), false)).verdict,
            Steadiness::Saturated
        );
    }

    #[test]
    fn a_ramp_is_no_backlog_of_the_servers() {
        // The n-th is due at √n seconds, so the rate grows evenly; each takes 2 s.
        let ramp: Vec<Kept> = (0..400_u64)
            .map(|i| (i * 1_000_000).isqrt())
            .map(|due| row(due, due, due + 20, due + 2000))
            .collect();
        let found = steady_state(&ramp, &[], window(20_000), (LoadPoint::Rate(20.0), false));
        assert_ne!(found.verdict, Steadiness::Saturated, "{found:?}");
    }

    #[test]
    fn a_rate_that_changes_by_plan_makes_no_backlog() {
        // One server, 100 ms a request, one due every 80 ms.
        let rows: Vec<Kept> =
            (0..300_u64).map(|i| row(i * 80, i * 80, i * 100 + 20, i * 100 + 100)).collect();
        let found = |changing| steady_state(&rows, &[], window(24_000), (LoadPoint::Rate(12.5), changing));
        assert_eq!(found(false).verdict, Steadiness::Saturated);
        assert_eq!((found(true).verdict, found(true).backlog_growth), (Steadiness::NotStationary, None));
    }

    #[test]
    fn an_empty_server_that_fills_is_not_a_backlog() {
        // Each stays for 1 s, one comes every 10 ms: the first second fills the server.
        let rows: Vec<Kept> =
            (0..1000).map(|i| row(i * 10, i * 10, i * 10 + 50 + i % 7, i * 10 + 1000)).collect();
        let found = steady_state(&rows, &[], window(10_000), (LoadPoint::Rate(100.0), false));
        assert_ne!(found.verdict, Steadiness::Saturated, "{found:?}");
    }
}
