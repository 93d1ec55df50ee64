//! `plan show`: each value, and where it came from.

use std::fmt::Write as _;

use super::{Amount, ItemSource, Origin, Plan, Sourced, duration};

/// Aligned lines `key  value  origin`.
pub(crate) fn show(plan: &Plan) -> String {
    let mut lines = Lines::default();
    for engine in &plan.engines {
        let mut text = engine.plugin.clone();
        let mut add = |what: &str, value: &str| {
            if !value.is_empty() {
                let _ = write!(text, " {what}={value}");
            }
        };
        add("url", engine.url.as_deref().unwrap_or_default());
        add("label", &engine.label);
        add("model", engine.model.as_deref().unwrap_or_default());
        add("api", engine.route.map_or("", benchhost_model::Route::as_str));
        engine.options.iter().for_each(|(k, v)| add(k, v));
        lines.add("engine", text, plan.engines_origin);
    }
    for workload in &plan.workloads {
        let mut text = match &workload.source {
            ItemSource::Plugin(name) => name.clone(),
            ItemSource::Prompts(list) => format!("{} prompts of your own", list.len()),
        };
        for (key, value) in &workload.options {
            let _ = write!(text, " {key}={value}");
        }
        for (slot, path) in &workload.data {
            let _ = write!(text, " data {slot}={}", path.display());
        }
        lines.add("workload", text, plan.workloads_origin);
    }
    lines.opt("profile", plan.profile.as_ref().map(|p| map(p, Clone::clone)));
    let points: Vec<String> = plan.ladder.value.iter().map(ToString::to_string).collect();
    lines.add("load", points.join(", "), plan.ladder.origin);
    lines.add("arrivals", format!("{:?}", plan.arrivals.value).to_lowercase(), plan.arrivals.origin);
    let amount = match plan.amount.value {
        Amount::Automatic => "4 x concurrency, at least 40; open loop: 20 s".into(),
        Amount::Requests(n) => format!("{n} per load point"),
        Amount::For(span) => format!("{} per load point", duration::format(span)),
    };
    lines.add("requests", amount, plan.amount.origin);
    let warmup = plan.warmup.value.map_or("1 x concurrency; open loop: 1 s".into(), |n| n.to_string());
    lines.add("warmup", warmup, plan.warmup.origin);
    lines.one("repeats", &plan.repeats);
    lines.one("seed", &plan.seed);
    let tokens = plan.max_tokens.value.map_or("the workload's, else 128".into(), |n| n.to_string());
    lines.add("max-tokens", tokens, plan.max_tokens.origin);
    lines.one("temperature", &plan.temperature);
    let top_p = plan.top_p.value.map_or("whole distribution".into(), |p| p.to_string());
    lines.add("top-p", top_p, plan.top_p.origin);
    lines.add("history", format!("{:?}", plan.history.value).to_lowercase(), plan.history.origin);
    lines.add("timeout", duration::format(plan.timeout.value), plan.timeout.origin);
    lines.add("idle-timeout", duration::format(plan.idle_timeout.value), plan.idle_timeout.origin);
    lines.add("ready-timeout", duration::format(plan.ready_timeout.value), plan.ready_timeout.origin);
    lines.opt("tokenizer", plan.tokenizer.as_ref().map(|t| map(t, |p| p.display().to_string())));
    lines.opt("ca-file", plan.ca_file.as_ref().map(|t| map(t, |p| p.display().to_string())));
    let dialect = |d: &String| if d.is_empty() { "yes".to_owned() } else { d.clone() };
    lines.opt("simulate", plan.simulate.as_ref().map(|s| map(s, dialect)));
    lines.add("gpu", if plan.gpu.value { "auto".into() } else { "off".into() }, plan.gpu.origin);
    lines.opt("gpu-price", plan.gpu_price.as_ref().map(|p| map(p, ToString::to_string)));
    lines.finish()
}

fn map<T>(sourced: &Sourced<T>, text: impl Fn(&T) -> String) -> (String, Origin) {
    (text(&sourced.value), sourced.origin)
}

#[derive(Default)]
struct Lines(Vec<(&'static str, String, Origin)>);

impl Lines {
    fn add(&mut self, key: &'static str, value: String, origin: Origin) {
        self.0.push((key, value, origin));
    }

    fn one(&mut self, key: &'static str, sourced: &Sourced<impl ToString>) {
        self.add(key, sourced.value.to_string(), sourced.origin);
    }

    fn opt(&mut self, key: &'static str, value: Option<(String, Origin)>) {
        if let Some((value, origin)) = value {
            self.add(key, value, origin);
        }
    }

    fn finish(self) -> String {
        let mut text = String::new();
        for (key, value, origin) in self.0 {
            let origin = match origin {
                Origin::Flag => "flag",
                Origin::File => "plan file",
                Origin::Profile => "profile",
                Origin::Default => "default",
            };
            let _ = writeln!(text, "{key:<14} {value:<48} {origin}");
        }
        text
    }
}
