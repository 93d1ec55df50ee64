//! Queues whose truth is known: M/G/1 with log-normal service, M/M/1 with exponential service.

use crate::random::Random;
use benchhost_stats::{Quantile, Sample, Series};

/// Requests before the first that counts, so that a run starts in the steady state of moderate loads.
const BURN_IN: usize = 500;
/// Deviation of the logarithm of service times; their mean is 1.
const SIGMA: f64 = 0.8;

/// Waits plus service times of consecutive requests, load `rho`.
pub(crate) fn requests(random: &mut Random, count: usize, rho: f64) -> Vec<f64> {
    let mut wait = 0.0_f64;
    let mut next = || {
        let service = (SIGMA * random.normal() - 0.5 * SIGMA * SIGMA).exp();
        let time = wait + service;
        wait = (time - random.exponential() / rho).max(0.0);
        time
    };
    (0..BURN_IN).for_each(|_| {
        next();
    });
    (0..count).map(|_| next()).collect()
}

/// The same as a series, all values times `factor`.
pub(crate) fn run(random: &mut Random, count: usize, rho: f64, factor: f64) -> Series {
    Series::new(requests(random, count, rho).into_iter().map(|value| value * factor).collect()).unwrap()
}

/// Quantiles of the steady state, from two million requests.
pub(crate) fn truth(rho: f64, quantiles: &[Quantile]) -> Vec<f64> {
    let long = Sample::new(requests(&mut Random::new(99), 2_000_000, rho)).unwrap();
    quantiles.iter().map(|&quantile| long.type7(quantile)).collect()
}

/// Times in the system of an M/M/1 queue: `arrivals` and `services` per second, from an empty start. Each is (arrival,
/// departure) in seconds.
pub(crate) fn mm1(random: &mut Random, count: usize, arrivals: f64, services: f64) -> Vec<(f64, f64)> {
    let (mut now, mut free) = (0.0_f64, 0.0_f64);
    let mut next = || {
        now += random.exponential() / arrivals;
        free = free.max(now) + random.exponential() / services;
        (now, free)
    };
    (0..count).map(|_| next()).collect()
}
