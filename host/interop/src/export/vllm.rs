//! The object of `vllm bench serve --save-detailed` (vLLM 0.33): flat keys, arrays by request. Times in arrays are seconds,
//! aggregates milliseconds; latencies are over whole answers.

use benchhost_model::{LoadPoint, Nanos};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Origin;
use super::list::List;
use super::numbers::Spread;
use super::point::{Kept, Point};

/// A point in their form.
pub(super) struct Form<'a> {
    pub(super) point: &'a Point,
    pub(super) origin: &'a Origin,
}

const PERCENTILES: [(&str, f64); 4] = [("p90", 90.0), ("p95", 95.0), ("p99", 99.0), ("p99.9", 99.9)];

impl Serialize for Form<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.identity(&mut map)?;
        self.totals(&mut map)?;
        self.arrays(&mut map)?;
        let of = |value: fn(&Kept) -> Option<f64>| Spread::of(self.point.whole().filter_map(value));
        statistics(&mut map, "ttft", of(|r| r.ttft_ms))?;
        statistics(&mut map, "tpot", of(|r| r.tpot_n1_ms))?;
        statistics(&mut map, "itl", Spread::of(self.point.all_gaps_ms()))?;
        statistics(&mut map, "e2el", of(|r| r.e2e_ms))?;
        map.end()
    }
}

impl Form<'_> {
    fn identity<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let of = &self.point.of;
        let (rate, cap) = match of.load {
            LoadPoint::Rate(rate) => (serde_json::json!(rate), None),
            LoadPoint::Concurrency(n) => (serde_json::json!("inf"), Some(n)),
            LoadPoint::Batch(_) | LoadPoint::Trace(_) => (serde_json::json!("inf"), None),
        };
        map.serialize_entry("date", &self.origin.date())?;
        map.serialize_entry("endpoint_type", &of.engine)?;
        map.serialize_entry("backend", &of.engine)?;
        map.serialize_entry("label", &of.variant)?;
        map.serialize_entry("model_id", &of.model)?;
        map.serialize_entry("tokenizer_id", &None::<()>)?;
        map.serialize_entry("num_prompts", &self.point.requests.len())?;
        // Theirs come from `--metadata KEY=VALUE`, at the top level.
        map.serialize_entry("benchhost", of)?;
        map.serialize_entry("request_rate", &rate)?;
        map.serialize_entry("burstiness", &burstiness(&of.arrivals, of.load))?;
        map.serialize_entry("max_concurrency", &cap)
    }

    fn totals<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let point = self.point;
        let whole = point.whole().count();
        let (input, output) = (point.total(|r| r.input), point.total(|r| r.output));
        let rate = |sum: Option<u64>| Some(sum? as f64 / point.seconds()?);
        map.serialize_entry("duration", &point.seconds())?;
        map.serialize_entry("completed", &whole)?;
        map.serialize_entry("failed", &(point.requests.len() - whole))?;
        map.serialize_entry("total_input_tokens", &input)?;
        map.serialize_entry("total_output_tokens", &output)?;
        map.serialize_entry("request_throughput", &rate(Some(whole as u64)))?;
        map.serialize_entry("request_goodput", &None::<()>)?;
        map.serialize_entry("output_throughput", &rate(output))?;
        map.serialize_entry("total_token_throughput", &rate(input.zip(output).map(|(i, o)| i + o)))
    }

    fn arrays<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let requests = &self.point.requests;
        // A request without an answer keeps its slot with zeros, as theirs does.
        let or_zero = |r: &Kept, value: Option<f64>| if r.is_whole() { value } else { Some(0.0) };
        let seconds = |ms: Option<f64>| ms.map(|v| v / 1e3);
        map.serialize_entry("input_lens", &List(|| requests.iter().map(|r| r.input)))?;
        let lens = || requests.iter().map(|r| if r.is_whole() { r.output } else { Some(0) });
        map.serialize_entry("output_lens", &List(lens))?;
        map.serialize_entry("ttfts", &List(|| requests.iter().map(|r| or_zero(r, seconds(r.ttft_ms)))))?;
        let gaps = |r: &Kept| if r.is_whole() { self.point.gaps_ns(r) } else { &[] };
        let list = |r| {
            let gaps = gaps(r);
            List(move || gaps.iter().map(|gap| Nanos::new(*gap).as_secs()))
        };
        map.serialize_entry("itls", &List(|| requests.iter().map(list)))?;
        map.serialize_entry("latencies", &List(|| requests.iter().map(|r| or_zero(r, seconds(r.e2e_ms)))))?;
        let start = |r: &Kept| r.send.unwrap_or(r.sched);
        map.serialize_entry("start_times", &List(|| requests.iter().map(|r| start(r).as_secs())))?;
        let wait = |r: &Kept| (start(r) - r.sched).as_secs();
        map.serialize_entry("queue_times", &List(|| requests.iter().map(wait)))?;
        map.serialize_entry("errors", &List(|| requests.iter().map(|r| &*r.error)))
    }
}

/// Their shape of the gamma distribution of gaps: 1 / cv². No number where ours is another process.
fn burstiness(arrivals: &str, load: LoadPoint) -> Option<f64> {
    match arrivals.strip_prefix("gamma:") {
        Some(cv) => cv.trim().parse().ok().filter(|cv: &f64| *cv > 0.0).map(|cv| 1.0 / (cv * cv)),
        None if arrivals == "poisson" || !matches!(load, LoadPoint::Rate(_)) => Some(1.0),
        None => None,
    }
}

fn statistics<M: SerializeMap>(map: &mut M, name: &str, spread: Option<Spread>) -> Result<(), M::Error> {
    let Some(spread) = spread else { return Ok(()) };
    map.serialize_entry(&format!("mean_{name}_ms"), &spread.mean)?;
    map.serialize_entry(&format!("median_{name}_ms"), &spread.percentile(50.0))?;
    map.serialize_entry(&format!("std_{name}_ms"), &spread.sd)?;
    PERCENTILES.iter().try_for_each(|(word, percent)| {
        map.serialize_entry(&format!("{word}_{name}_ms"), &spread.percentile(*percent))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burstiness_is_the_shape_of_gamma() {
        assert_eq!(burstiness("gamma:2", LoadPoint::Rate(1.0)), Some(0.25));
        assert_eq!(burstiness("poisson", LoadPoint::Rate(1.0)), Some(1.0));
        assert_eq!(burstiness("constant", LoadPoint::Rate(1.0)), None);
        assert_eq!(burstiness("gamma:0", LoadPoint::Rate(1.0)), None);
        assert_eq!(burstiness("closed", LoadPoint::Concurrency(2)), Some(1.0));
    }
}
