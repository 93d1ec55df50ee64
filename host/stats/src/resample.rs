//! One side's requests cut into cells of neighbours, drawn in blocks, and statistics of such draws without ever
//! writing a resample out.
//!
//! A resample of a million values costs a million steps to write and more to select from. Here a draw is only "how
//! often was each cell drawn", at most a few thousand counts, shared by every metric of the side; a quantile of it is
//! found in a sorted copy made once. Knows positions and values; what is estimated and why is decided elsewhere.

use crate::bootstrap::below;
use crate::quantile::{Quantile, Refused, interpolate_between, to_count, type7_position};
use rand_chacha::ChaCha8Rng;

/// Cells of a whole side, about. Blocks of n^⅓ values or more are not shorter than a cell up to 31 000 values, and
/// beyond that a thousand blocks are as good as more.
const CELLS: usize = 1000;
/// Cells a run gets at least, however many runs there are.
const CELLS_PER_RUN: usize = 50;
/// A run is resampled in blocks only if at least so many whole blocks fit in it.
const FEWEST_BLOCKS: usize = 5;
/// Most stretches into which a sorted column is divided for searching.
const STRETCHES: usize = 256;

/// How the requests of one side are cut: runs, cells inside runs, blocks of cells.
pub(crate) struct Layout {
    runs: Vec<RunCells>,
    cells: usize,
}

struct RunCells {
    /// Number of the run's first cell among all cells.
    first: usize,
    count: usize,
    requests: usize,
    /// Cells in a block.
    block: usize,
}

impl Layout {
    /// Cuts runs given as (number of requests, least length of a block in requests). Refuses a run that does not hold
    /// five blocks.
    pub(crate) fn new(runs: &[(usize, usize)]) -> Result<Self, Refused> {
        let most = (CELLS / runs.len().max(1)).max(CELLS_PER_RUN);
        let mut first = 0;
        let cut = runs.iter().map(|&(requests, length)| {
            let needed = FEWEST_BLOCKS * length;
            if requests < needed {
                return Err(Refused { needed, have: requests });
            }
            let count = requests.min(most);
            let block = (length * count).div_ceil(requests).max(1);
            let run = RunCells { first, count, requests, block };
            first += count;
            Ok(run)
        });
        let runs = cut.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { runs, cells: first })
    }

    /// The same with whole runs as blocks: what is drawn is runs alone.
    pub(crate) fn of_whole_runs(mut self) -> Self {
        self.runs.iter_mut().for_each(|run| run.block = run.count);
        self
    }

    /// Number of cells.
    pub(crate) fn cells(&self) -> usize {
        self.cells
    }

    /// Requests in a run, and in each of its blocks.
    pub(crate) fn block(&self, run: usize) -> (f64, f64) {
        let run = &self.runs[run];
        (run.requests as f64, run.block as f64 * run.requests as f64 / run.count as f64)
    }

    /// Draws as many runs as there are, with replacement, and inside each drawn run circular blocks until it is as long
    /// as it was. `times` receives how often each cell was drawn.
    pub(crate) fn draw(&self, random: &mut ChaCha8Rng, times: &mut [u32]) {
        times.fill(0);
        for _ in &self.runs {
            let run = &self.runs[below(random, self.runs.len())];
            let own = &mut times[run.first..run.first + run.count];
            let mut left = run.count;
            while left > 0 {
                let start = below(random, run.count);
                let length = run.block.min(left);
                let to_end = length.min(run.count - start);
                own[start..start + to_end].iter_mut().for_each(|drawn| *drawn += 1);
                own[..length - to_end].iter_mut().for_each(|drawn| *drawn += 1);
                left -= length;
            }
        }
    }

    /// The cell of a request.
    fn cell(&self, run: usize, request: usize) -> usize {
        let run = &self.runs[run];
        run.first + request * run.count / run.requests
    }
}

/// One metric of one side, sorted once.
pub(crate) struct Column {
    values: Vec<f64>,
    /// Cell of each value, in the order of the values.
    cells: Vec<u32>,
    /// For each stretch of the sorted values, how many of them each cell has up to its start; one row a stretch.
    before: Vec<u32>,
    /// Sum of each cell, its mean taken off first so that sums of a large offset keep their digits.
    sums: Vec<f64>,
    /// Number of values of each cell.
    counts: Vec<u32>,
    centre: f64,
    stretch: usize,
}

impl Column {
    /// `runs` holds a value for each request of each run of the layout; NaN where the metric does not exist. `None` if
    /// it exists nowhere.
    pub(crate) fn new(layout: &Layout, runs: &[&[f64]]) -> Option<Self> {
        let mut pairs: Vec<(f64, u32)> = Vec::with_capacity(runs.iter().map(|run| run.len()).sum());
        for (run, values) in runs.iter().enumerate() {
            let with_cell = values.iter().enumerate().filter(|(_, value)| !value.is_nan());
            // There are a few thousand cells.
            pairs.extend(
                with_cell.map(|(at, &value)| (value, u32::try_from(layout.cell(run, at)).unwrap_or(0))),
            );
        }
        if pairs.is_empty() {
            return None;
        }
        pairs.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let (values, cells): (Vec<f64>, Vec<u32>) = pairs.into_iter().unzip();
        let centre = crate::sample::mean(&values);
        // To count up to a stretch costs a step for each cell, to walk through it one for each value: no use in shorter ones.
        let stretch = values.len().div_ceil(STRETCHES).max(layout.cells());
        let (mut counts, mut sums) = (vec![0_u32; layout.cells()], vec![0.0; layout.cells()]);
        let mut before = Vec::with_capacity(values.len().div_ceil(stretch) * layout.cells());
        for (at, (&value, &cell)) in values.iter().zip(&cells).enumerate() {
            if at % stretch == 0 {
                before.extend_from_slice(&counts);
            }
            counts[cell as usize] += 1;
            sums[cell as usize] += value - centre;
        }
        Some(Self { values, cells, before, sums, counts, centre, stretch })
    }

    /// The values in ascending order.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Number of values in a draw.
    pub(crate) fn drawn(&self, times: &[u32]) -> u64 {
        dot(&self.counts, times)
    }

    /// Mean of a draw; `None` if it holds no value.
    pub(crate) fn mean(&self, times: &[u32]) -> Option<f64> {
        let drawn = self.drawn(times);
        let sum: f64 = self.sums.iter().zip(times).map(|(sum, &times)| sum * f64::from(times)).sum();
        (drawn > 0).then(|| self.centre + sum / drawn as f64)
    }

    /// Type 7 quantile of a draw; `None` if it holds no value.
    pub(crate) fn type7(&self, times: &[u32], quantile: Quantile) -> Option<f64> {
        let drawn = usize::try_from(self.drawn(times)).ok().filter(|&drawn| drawn > 0)?;
        let (below, weight) = type7_position(drawn, quantile);
        let mut walk = self.walk_from(times, below as u64);
        let (low, up_to) = walk.next()?;
        let high = if up_to > below as u64 + 1 { low } else { walk.next().map_or(low, |(high, _)| high) };
        Some(interpolate_between(low, high, weight))
    }

    /// Harrell–Davis quantile of a draw; `None` if it holds no value.
    pub(crate) fn harrell_davis(&self, times: &[u32], cumulated: &Cumulated) -> Option<f64> {
        let drawn = self.drawn(times);
        if drawn == 0 {
            return None;
        }
        let size = drawn as f64;
        let mut rank = to_count((cumulated.start() * size).floor().max(0.0)) as u64;
        let (mut before, mut estimate, mut covered) = (cumulated.at(rank as f64 / size), 0.0, 0.0);
        for (value, up_to) in self.walk_from(times, rank) {
            rank = up_to;
            let here = cumulated.at(rank as f64 / size);
            estimate += (here - before) * (value - self.centre);
            covered += here - before;
            before = here;
            if rank as f64 >= cumulated.end() * size {
                break;
            }
        }
        Some(self.centre + estimate / covered)
    }

    /// Values of a draw from the one at `rank` (counted from 0) upwards, each once, with the rank behind it.
    fn walk_from<'a>(&'a self, times: &'a [u32], rank: u64) -> impl Iterator<Item = (f64, u64)> + 'a {
        let cells = self.counts.len();
        let row = |stretch: usize| &self.before[stretch * cells..(stretch + 1) * cells];
        let (mut low, mut high) = (0, self.before.len() / cells);
        // The last stretch that starts at or before the rank.
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if dot(row(middle), times) <= rank { low = middle } else { high = middle }
        }
        let mut up_to = dot(row(low), times);
        let rest = self.values[low * self.stretch..].iter().zip(&self.cells[low * self.stretch..]);
        rest.filter_map(move |(&value, &cell)| {
            let drawn = times[cell as usize];
            up_to += u64::from(drawn);
            (drawn > 0 && up_to > rank).then_some((value, up_to))
        })
    }
}

fn dot(counts: &[u32], times: &[u32]) -> u64 {
    counts.iter().zip(times).map(|(&count, &times)| u64::from(count) * u64::from(times)).sum()
}

/// The distribution function whose steps are Harrell–Davis weights, for the stretch in which it rises.
pub(crate) struct Cumulated {
    first: usize,
    count: usize,
    steps: Vec<f64>,
}

impl Cumulated {
    /// From the function at i/`count` for i = `first`, `first` + 1, …
    pub(crate) fn new(first: usize, count: usize, steps: Vec<f64>) -> Self {
        Self { first, count, steps }
    }

    fn start(&self) -> f64 {
        self.first as f64 / self.count as f64
    }

    fn end(&self) -> f64 {
        (self.first + self.steps.len() - 1) as f64 / self.count as f64
    }

    /// Its value at a share of the sample; between the steps, where draws of another size fall, on a line.
    fn at(&self, share: f64) -> f64 {
        let last = self.steps.len() - 1;
        let position = (share * self.count as f64 - self.first as f64).clamp(0.0, last as f64);
        let below = to_count(position.floor());
        let low = self.steps[below];
        low + position.fract() * (self.steps[(below + 1).min(last)] - low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harrell_davis::Weights;
    use crate::sample::Sample;
    use rand::SeedableRng;

    fn scrambled(count: usize) -> Vec<f64> {
        (0..count).map(|i| 1e6 + (i * 7919 % 10_007) as f64).collect()
    }

    /// What a draw stands for, written out.
    fn written_out(layout: &Layout, runs: &[&[f64]], times: &[u32]) -> Sample {
        let mut all = Vec::new();
        for (run, values) in runs.iter().enumerate() {
            for (at, &value) in values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                all.extend(std::iter::repeat_n(value, times[layout.cell(run, at)] as usize));
            }
        }
        Sample::new(all).unwrap()
    }

    #[test]
    fn every_statistic_equals_that_of_the_draw_written_out() {
        let (mut long, short) = (scrambled(5001), scrambled(300));
        for missing in (0..5001).step_by(7) {
            long[missing] = f64::NAN;
        }
        for runs in [vec![&long[..]], vec![&short[..], &long[..], &short[..250]]] {
            let layout = Layout::new(&runs.iter().map(|run| (run.len(), 20)).collect::<Vec<_>>()).unwrap();
            let column = Column::new(&layout, &runs).unwrap();
            let mut random = ChaCha8Rng::seed_from_u64(2);
            let mut times = vec![0; layout.cells()];
            for _ in 0..20 {
                layout.draw(&mut random, &mut times);
                let want = written_out(&layout, &runs, &times);
                assert!((column.mean(&times).unwrap() - want.mean()).abs() < 1e-6);
                for p in [0.01, 0.5, 0.9, 0.99, 0.999] {
                    let quantile = Quantile::new(p).unwrap();
                    assert_eq!(
                        column.type7(&times, quantile).unwrap().to_bits(),
                        want.type7(quantile).to_bits(),
                        "{p}"
                    );
                    let cumulated = Weights::new(want.len(), quantile).cumulated(want.len());
                    let exact = Weights::new(want.len(), quantile).apply(want.values());
                    let got = column.harrell_davis(&times, &cumulated).unwrap();
                    assert!((got - exact).abs() < 1e-4, "{p}: {got} {exact}");
                }
            }
        }
    }

    #[test]
    fn a_draw_is_as_long_as_the_side_and_draws_every_cell_equally_often() {
        let layout = Layout::new(&[(400, 30)]).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(9);
        let (mut times, mut total) = (vec![0; layout.cells()], vec![0_u32; layout.cells()]);
        for _ in 0..3000 {
            layout.draw(&mut random, &mut times);
            assert_eq!(times.iter().sum::<u32>(), 400);
            total.iter_mut().zip(&times).for_each(|(total, times)| *total += times);
        }
        // A cell's count in one draw has variance below 14 · 30/400; over 3000 draws the deviation is about 55.
        assert!(total.iter().all(|&count| count.abs_diff(3000) < 300), "{total:?}");
    }

    #[test]
    fn large_runs_get_few_cells_and_short_ones_are_refused() {
        assert_eq!(Layout::new(&[(1_000_000, 100)]).unwrap().cells(), CELLS);
        assert_eq!(Layout::new(&[(300, 1)]).unwrap().cells(), 300);
        assert_eq!(Layout::new(&[(1000, 1); 100]).unwrap().cells(), 100 * CELLS_PER_RUN);
        assert_eq!(Layout::new(&[(99, 20)]).err(), Some(Refused { needed: 100, have: 99 }));
    }

    #[test]
    fn a_metric_that_exists_nowhere_has_no_column() {
        let layout = Layout::new(&[(10, 1)]).unwrap();
        assert!(Column::new(&layout, &[&[f64::NAN; 10]]).is_none());
    }
}
