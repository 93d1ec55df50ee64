//! Warm-up and backlog: is a transient cut, is a stable queue left alone, is an overloaded one found?

use crate::queue::mm1;
use crate::random::Random;
use crate::table::{Table, percent, share};
use benchhost_stats::{Window, backlog, in_flight_means, mser5, trend};

pub(crate) fn tables() -> Vec<Table> {
    vec![transients(), trends(), queues()]
}

fn transients() -> Table {
    let mut table = Table::new(
        "MSER-5",
        "AR(1) values around 0 with a decaying start 3·e^(−i/T), 400 runs each: bias of the mean of all values and of \
         those behind the cut, median cut, and share of runs called stationary.",
        &["values", "r", "T", "bias of all", "bias after", "median cut", "stationary"],
    );
    let mut random = Random::new(31);
    for (count, r, decay) in [
        (500, 0.0, 0.0),
        (2000, 0.5, 0.0),
        (500, 0.5, 50.0),
        (2000, 0.5, 50.0),
        (2000, 0.9, 50.0),
        (2000, 0.5, 150.0),
    ] {
        let (mut before, mut after, mut cuts, mut stationary) = (0.0, 0.0, Vec::new(), 0_u32);
        for _ in 0..400 {
            let start = |i: usize| if decay > 0.0 { 3.0 * (-(i as f64) / decay).exp() } else { 0.0 };
            let noise = random.autoregressive(count, r);
            let values: Vec<f64> = noise.iter().enumerate().map(|(i, noise)| noise + start(i)).collect();
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let found = mser5(&values);
            before += mean(&values) / 400.0;
            after += mean(&values[found.cut..]) / 400.0;
            cuts.push(found.cut);
            stationary += u32::from(found.stationary);
        }
        cuts.sort_unstable();
        let settled = f64::from(stationary) / 400.0;
        table.row(vec![
            count.to_string(),
            format!("{r}"),
            if decay > 0.0 { format!("{decay}") } else { "none".to_owned() },
            format!("{before:+.3}"),
            format!("{after:+.3}"),
            cuts[200].to_string(),
            percent(settled),
        ]);
        if decay > 0.0 {
            table.promise("a transient's bias falls by at least half", after.abs() < 0.5 * before.abs());
        } else {
            table.promise("without a transient the median cut is 0", cuts[200] == 0);
        }
    }
    table
}

fn trends() -> Table {
    let mut table = Table::new(
        "Trend and backlog of ten window means, no growth",
        "AR(1) window means around a level of 10 with deviation 1, 4000 series: share with a slope at p < 0.05 and \
         p < 0.01, and share called a growing backlog. Ten windows are too few to see a strong correlation, so beyond r = 0.3 \
         the p-values of the line are too small; the verdict on a backlog asks for 5 % growth a window as well.",
        &["r", "p < 0.05", "p < 0.01", "growing"],
    );
    let mut random = Random::new(32);
    for r in [0.0, 0.3, 0.6, 0.8] {
        let (mut strict, mut growing) = (0_u32, 0_u32);
        let loose = share(4000, || {
            let values: Vec<f64> = random.autoregressive(10, r).into_iter().map(|x| 10.0 + x).collect();
            let line = trend(&values);
            strict += u32::from(line.p < 0.01);
            growing += u32::from(backlog(&values).growing);
            line.p < 0.05
        });
        let [strict, growing] = [strict, growing].map(|count| f64::from(count) / 4000.0);
        table.row(vec![format!("{r}"), percent(loose), percent(strict), percent(growing)]);
        table.promise("up to r = 0.3 a slope at p < 0.05 in at most 7 %", r > 0.35 || loose <= 0.07);
        table.promise("growth is claimed in at most 2 %", growing <= 0.02);
    }
    table
}

fn queues() -> Table {
    let mut table = Table::new(
        "Backlog of a queue",
        "M/M/1 at the stated load, 4000 requests of which the first quarter is left out; ten windows of in-flight means; \
         400 runs. Above a load of 1 there is no steady state.",
        &["load", "called growing"],
    );
    let mut random = Random::new(33);
    for load in [0.5, 0.7, 0.8, 0.9, 1.1, 1.2, 1.5, 2.0] {
        let growing = share(400, || {
            let spans = mm1(&mut random, 4000, load, 1.0);
            let window = Window::new(nanoseconds(spans[1000].0), nanoseconds(spans[3999].0)).unwrap();
            let spans = spans.iter().map(|(from, to)| (nanoseconds(*from), nanoseconds(*to)));
            backlog(&in_flight_means(window, 10, spans)).growing
        });
        table.row(vec![format!("{load}"), percent(growing)]);
        table.promise("up to a load of 0.8 growth is claimed in at most 3 %", load > 0.85 || growing <= 0.03);
        table.promise("from a load of 1.2 on it is found in at least 90 %", load < 1.15 || growing >= 0.90);
    }
    table
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "simulated seconds are small and positive"
)]
pub(crate) fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}
