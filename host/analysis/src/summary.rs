//! Puts a load point's figures together. Each figure has its own module; only their order is decided here.

use benchhost_model::{LoadPoint, Outcome, Steadiness, SummaryRow};
use benchhost_stats::Window;

use crate::collector::{GpuFigures, Options};
use crate::kept::Kept;
use crate::point::{Point, Tally};
use crate::rules::{Evidence, judge};
use crate::window::Windows;
use crate::{arrivals, goodput, harness, latencies, laws, rates, steady, turns, warnings};

/// Shortest window for energy a token: below it the sensors' own periods are more than 2 % of it.
const ENERGY_S: f64 = 30.0;

/// The row of a load point.
pub(crate) fn row(
    mut point: Point,
    options: &Options,
    gpu: &mut dyn FnMut(u64, u64) -> GpuFigures,
) -> SummaryRow {
    point.rows.sort_by_key(Kept::order);
    let rows = std::mem::take(&mut point.rows);
    let mut row = head(&point);
    tally(&mut row, std::mem::take(&mut point.tally));
    latencies::fill(&mut row, &point, &rows);
    row.turns = turns::turns(&rows);
    point.rows = rows;
    let windows = Windows::of(&point);
    rates::fill(&mut row, &point, &windows);
    row.window_from_ns = point.declared.map(Window::start_ns);
    row.window_until_ns = point.declared.map(Window::end_ns);
    goodput::fill(&mut row, &point, &windows, &options.objectives);
    row.harness = harness::error(&point.rows, &point.facts, &row);
    settle(&mut row, &point, &windows);
    if point.known || row.harness.lag_first_p99_ms.is_some() {
        let evidence = Evidence::of(&point.facts, &row.harness, point.rows.len(), row.ttft.p50);
        let (verdict, reasons) = judge(&evidence);
        (row.verdict, row.reasons) = (Some(verdict), reasons);
    }
    cost(&mut row, &point, &windows, options, gpu);
    row.warnings = warnings::warnings(&row, point.declared.is_some());
    if row.steady.verdict == Steadiness::Saturated {
        latencies::set_aside(&mut row);
    }
    row
}

fn head(point: &Point) -> SummaryRow {
    let key = point.key().clone();
    SummaryRow {
        run_id: key.run_id,
        engine: key.engine,
        variant: key.variant,
        model: key.model,
        target: point.target,
        workload: key.workload,
        arrivals: point.arrivals.clone(),
        repeat: key.repeat,
        role: key.role,
        ..SummaryRow::blank(key.load)
    }
}

fn tally(row: &mut SummaryRow, tally: Tally) {
    row.counts = tally.counts;
    row.failures = tally.failures;
    row.failure_examples = tally.failure_examples;
    row.retried = tally.retried;
    row.length_mismatches = tally.length_mismatches;
    row.unstreamed = tally.unstreamed;
    row.scores = tally.scores.into_iter().map(|(name, (sum, n))| (name, sum / n)).collect();
}

/// Steadiness, the laws and the arrivals.
fn settle(row: &mut SummaryRow, point: &Point, windows: &Windows) {
    let load = point.key().load;
    // A run that knows its arrivals and asked for no one rate had a rate that changes.
    let changing = point.known && matches!(load, LoadPoint::Rate(_)) && point.facts.asked_rate.is_none();
    row.steady = steady::steady_state(&point.rows, &point.flow.course(), windows.tested, (load, changing));
    row.arrivals_made = arrivals::arrivals(&point.rows, &point.facts);
    row.in_flight_mean = windows.tested.map(|w| laws::in_flight(&point.rows, w));
    // Without a declared window the load may begin and end inside it, where the laws do not hold.
    if let Some(window) = windows.declared {
        row.little = laws::little(&point.rows, window);
        let think_s = point.facts.think_mean_ns.unwrap_or(0) as f64 / 1e9;
        row.response_law = laws::response(&point.rows, window, load, think_s);
    }
}

/// GPU figures from the first schedule to the last end of all measured requests, failed ones included: the GPU worked for
/// those too. Energy a token is over the window of the rates.
fn cost(
    row: &mut SummaryRow,
    point: &Point,
    windows: &Windows,
    options: &Options,
    gpu: &mut dyn FnMut(u64, u64) -> GpuFigures,
) {
    let measured = || point.rows.iter().filter(|r| r.measured());
    let from = measured().map(|r| r.sched).min().unwrap_or(0);
    let ends = measured().filter(|r| r.outcome != Outcome::Shed).filter_map(Kept::end);
    let figures = gpu(from, ends.max().unwrap_or(from));
    row.gpu_mem_peak_mib = figures.peak_mib;
    row.gpu_power_mean_w = figures.power_w;
    row.gpu_energy_j = figures.energy_j;
    if let Some(window) = windows.headline().filter(|w| w.seconds() >= ENERGY_S) {
        let energy = gpu(window.start_ns(), window.end_ns()).energy_j;
        let tokens = row.out_tok_s.map(|rate| rate * window.seconds()).filter(|n| *n > 0.0);
        row.j_per_out_tok = energy.zip(tokens).map(|(joules, tokens)| joules / tokens);
    }
    let dollars = |rate| dollars_a_million(options.gpu_price_usd_per_hour, rate);
    row.usd_per_mtok_out = dollars(row.out_tok_s);
    row.usd_per_mtok_goodput = dollars(row.goodput_tok_s);
}

/// Dollars an hour over million tokens an hour.
fn dollars_a_million(price: Option<f64>, tokens_per_second: Option<f64>) -> Option<f64> {
    let per_hour = tokens_per_second? * 3600.0;
    (per_hour > 0.0).then_some(price? / per_hour * 1e6)
}
