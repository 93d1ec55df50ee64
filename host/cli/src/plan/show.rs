//! `plan show`: each value in force, engine by engine and workload by workload, and where it came from. Values of
//! headers are never shown.

use std::fmt::Write as _;
use std::path::PathBuf;

use benchhost_model::LoadPoint;

use super::phases::{Warmup, Words as _};
use super::{
    Amount, Bound, EngineChoice, Extent, HeaderValue, ItemSource, Origin, Plan, Sourced, WorkloadChoice,
    duration,
};

/// Width of the column of keys.
const KEY_WIDTH: usize = 15;

/// Width of the column of values; with key and origin a line stays below 80 characters.
const VALUE_WIDTH: usize = 48;

/// Aligned lines `key  value  origin`; what belongs to an engine or a workload is indented below it.
pub(crate) fn show(plan: &Plan) -> String {
    let mut lines = Lines::default();
    plan.engines.iter().for_each(|engine| show_engine(&mut lines, plan, engine));
    plan.workloads.iter().for_each(|workload| show_workload(&mut lines, plan, workload));
    lines.opt("profile", plan.profile.as_ref(), Clone::clone);
    show_load(&mut lines, plan);
    show_study(&mut lines, plan);
    let tokens = plan.max_tokens.value.map_or("the workload's, else 128".into(), |n| n.to_string());
    lines.add("max-tokens", tokens, plan.max_tokens.origin);
    lines.one("temperature", &plan.temperature);
    let top_p = plan.top_p.value.map_or("whole distribution".into(), |p| p.to_string());
    lines.add("top-p", top_p, plan.top_p.origin);
    lines.add("history", plan.history.value.word(), plan.history.origin);
    for (key, span) in [
        ("timeout", &plan.timeout),
        ("idle-timeout", &plan.idle_timeout),
        ("ready-timeout", &plan.ready_timeout),
    ] {
        lines.add(key, duration::format(span.value), span.origin);
    }
    let path = |p: &PathBuf| p.display().to_string();
    lines.opt("tokenizer", plan.tokenizer.as_ref(), path);
    lines.opt("ca-file", plan.ca_file.as_ref(), path);
    let simulate = match plan.simulate.as_ref().map(|s| s.value.as_str()) {
        None => "no",
        Some("") => "yes",
        Some(dialect) => dialect,
    };
    lines.add("simulate", simulate, plan.simulate_origin);
    lines.add("gpu", if plan.gpu.value { "auto" } else { "off" }, plan.gpu.origin);
    lines.add("gauges", if plan.gauges.value { "auto" } else { "off" }, plan.gauges.origin);
    lines.opt("gpu-price", plan.gpu_price.as_ref(), ToString::to_string);
    lines.one("io-threads", &plan.io_threads);
    lines.add("priority", plan.priority.value.word(), plan.priority.origin);
    lines.switch("selfcheck", &plan.selfcheck);
    lines.0
}

/// How load is offered. What belongs to another kind of load than the plan's is left out.
fn show_load(lines: &mut Lines, plan: &Plan) {
    let any = |is: fn(&LoadPoint) -> bool| plan.all_points().any(|p| is(&p));
    if let Some(shape) = &plan.shape {
        lines.add(shape.value.key(), shape.value.to_string(), shape.origin);
    }
    lines.one("arrivals", &plan.arrivals);
    if any(|p| matches!(p, LoadPoint::Trace(_))) {
        lines.opt("trace-window", plan.trace_window.as_ref(), ToString::to_string);
        lines.opt("trace-thin", plan.trace_thin.as_ref(), ToString::to_string);
    }
    if any(|p| matches!(p, LoadPoint::Rate(_) | LoadPoint::Trace(_))) {
        lines.opt("max-concurrency", plan.max_concurrency.as_ref(), ToString::to_string);
    }
    if any(|p| matches!(p, LoadPoint::Concurrency(_))) {
        lines.opt("think", plan.think.as_ref(), ToString::to_string);
    }
    lines.opt("hang-up", plan.hang_up.as_ref(), ToString::to_string);
    lines.add("drain", plan.drain.value.word(), plan.drain.origin);
}

/// What is measured in which order, and what it is held against.
fn show_study(lines: &mut Lines, plan: &Plan) {
    lines.one("repeats", &plan.repeats);
    lines.add("order", plan.order.value.word(), plan.order.origin);
    lines.switch("anchor", &plan.anchor);
    lines.switch("interleave", &plan.interleave);
    let texts = |list: &[String]| list.join(", ");
    let words = |list: &[Bound]| texts(&list.iter().map(ToString::to_string).collect::<Vec<_>>());
    lines.opt("search", plan.search.as_ref(), |bounds| words(bounds));
    if let Some(longest) = &plan.max_duration {
        lines.add("max-duration", duration::format(longest.value), longest.origin);
    }
    lines.several("slo", &plan.slo);
    lines.several("require", &plan.require);
    lines.one("seed", &plan.seed);
}

fn show_engine(lines: &mut Lines, plan: &Plan, engine: &EngineChoice) {
    let origins = &engine.origins;
    lines.add("engine", &engine.plugin, origins.of("plugin"));
    let mut row = |key: &str, value: Option<&str>, unset: &str, origin: Origin| {
        lines.add(&format!("  {key}"), value.unwrap_or(unset), origin);
    };
    if plan.simulate.is_some() {
        row("url", None, "the simulator's", plan.simulate_origin);
    } else {
        row("url", engine.url.as_deref(), "the adapter's", origins.of("url"));
    }
    let label = Some(engine.label.as_str()).filter(|l| !l.is_empty());
    row("label", label, "none", origins.of("label"));
    row("model", engine.model.as_deref(), "the server's first", origins.of("model"));
    let route = engine.route.map(benchhost_model::Route::as_str);
    row("api", route, "the adapter's first", origins.of("api"));
    row("api-key-env", engine.api_key_env.as_deref(), "the adapter's", origins.of("api-key-env"));
    for (name, value) in &engine.options {
        lines.add("  option", format!("{name}={value}"), origins.of(&format!("options.{name}")));
    }
    for (name, value) in &engine.simulator {
        lines.add("  simulator", format!("{name}={value}"), origins.of(&format!("simulator.{name}")));
    }
    for (name, value) in &engine.headers {
        let source = match value {
            HeaderValue::Variable(variable) => format!("{name}: from the variable {variable}"),
            HeaderValue::Literal(_) => format!("{name}: a literal value, not stored"),
        };
        lines.add("  header", source, origins.of(&format!("headers.{name}")));
    }
}

fn show_workload(lines: &mut Lines, plan: &Plan, workload: &WorkloadChoice) {
    let origins = &workload.origins;
    let (name, label) = match &workload.source {
        ItemSource::Plugin(name) => (name.clone(), "the component's name"),
        ItemSource::Prompts(list) => (format!("{} prompts of your own", list.len()), "prompts"),
    };
    lines.add("workload", name, origins.of("plugin"));
    lines.add("  label", workload.label.as_deref().unwrap_or(label), origins.of("label"));
    for (name, value) in &workload.options {
        lines.add("  option", format!("{name}={value}"), origins.of(&format!("options.{name}")));
    }
    for (slot, path) in &workload.data {
        lines.add("  data", format!("{slot}={}", path.display()), origins.of(&format!("data.{slot}")));
    }
    let points = plan.ladder_of(workload);
    let own = |set: bool, key: &str, plans: Origin| if set { origins.of(key) } else { plans };
    let load = list(points, |p| Some(p.to_string()));
    lines.add("  load", load, own(workload.ladder.is_some(), "load", plan.ladder.origin));
    let requests = match (workload.requests, plan.amount.value) {
        (Some(n), _) | (None, Amount::Requests(n)) => format!("{n} per load point"),
        (None, Amount::Until(until)) => {
            let longest =
                points.first().map_or(String::new(), |p| plan.measured_at(workload, *p).to_string());
            format!("until {until}, at most {longest}")
        }
        (None, Amount::Automatic) if points.iter().all(|p| plan.requests_at(workload, *p).is_some()) => {
            let counts = list(points, |p| plan.requests_at(workload, *p).map(|n| n.to_string()));
            format!("{counts} ({}, at least 40)", rule(points, "4 x concurrency", "20 s of arrivals"))
        }
        (None, _) => match points.first().map(|p| plan.measured_at(workload, *p)) {
            Some(Extent::Whole) | None => "all of the trace".into(),
            Some(extent) if plan.search.is_some() => format!("{extent} per rate at most"),
            Some(extent) => format!("{extent} per load point"),
        },
    };
    lines.add("  requests", requests, own(workload.requests.is_some(), "requests", plan.amount.origin));
    let warmup = match plan.warmup.value {
        Warmup::Automatic => {
            let counts = list(points, |p| Some(plan.warmup_at(workload, *p).to_string()));
            format!("{counts} ({})", rule(points, "1 x concurrency", "1 s of arrivals"))
        }
        Warmup::Items(n) => format!("{n} per load point"),
        Warmup::For(span) => format!("{} per load point", duration::format(span)),
    };
    lines.add("  warmup", warmup, plan.warmup.origin);
}

fn list(points: &[LoadPoint], text: impl Fn(&LoadPoint) -> Option<String>) -> String {
    points.iter().filter_map(text).collect::<Vec<_>>().join(", ")
}

fn rule<'a>(points: &[LoadPoint], closed: &'a str, open: &'a str) -> &'a str {
    match points.first() {
        Some(LoadPoint::Rate(_)) => open,
        Some(LoadPoint::Batch(_)) => {
            if closed.starts_with('4') {
                "4 x batch"
            } else {
                "1 x batch"
            }
        }
        Some(LoadPoint::Trace(_)) => "before the trace",
        _ => closed,
    }
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, key: &str, value: impl AsRef<str>, origin: Origin) {
        let origin = match origin {
            Origin::Flag => "flag",
            Origin::File => "plan file",
            Origin::Profile => "profile",
            Origin::Default => "default",
        };
        let mut rows = wrap(value.as_ref()).into_iter();
        let first = rows.next().unwrap_or_default();
        let _ = writeln!(self.0, "{key:<KEY_WIDTH$} {first:<VALUE_WIDTH$} {origin}");
        for row in rows {
            let _ = writeln!(self.0, "{:<KEY_WIDTH$} {row}", "");
        }
    }

    fn switch(&mut self, key: &str, sourced: &Sourced<bool>) {
        self.add(key, if sourced.value { "yes" } else { "no" }, sourced.origin);
    }

    fn several(&mut self, key: &str, sourced: &Sourced<Vec<impl ToString>>) {
        let words: Vec<String> = sourced.value.iter().map(ToString::to_string).collect();
        let value = if words.is_empty() { "none".to_owned() } else { words.join(", ") };
        self.add(key, value, sourced.origin);
    }

    fn one(&mut self, key: &str, sourced: &Sourced<impl ToString>) {
        self.add(key, sourced.value.to_string(), sourced.origin);
    }

    fn opt<T>(&mut self, key: &str, sourced: Option<&Sourced<T>>, text: impl Fn(&T) -> String) {
        match sourced {
            Some(sourced) => self.add(key, text(&sourced.value), sourced.origin),
            None => self.add(key, "none", Origin::Default),
        }
    }
}

/// Cuts at spaces where there are some, and anywhere in a word that is longer than a line. Characters that would move
/// the cursor are written as escapes.
fn wrap(value: &str) -> Vec<String> {
    let plain: String = value
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect();
    let mut rows: Vec<String> = Vec::new();
    let mut row = String::new();
    for word in plain.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if !row.is_empty() && row.chars().count() + 1 + word.len() > VALUE_WIDTH {
            rows.push(std::mem::take(&mut row));
        }
        while word.len() > VALUE_WIDTH {
            rows.push(word.drain(..VALUE_WIDTH).collect());
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.extend(word);
    }
    rows.push(row);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_wider_than_the_column_and_none_is_lost() {
        let long = format!("one two {} three {}", "x".repeat(130), "four ".repeat(30));
        let rows = wrap(&long);
        assert!(rows.iter().all(|r| r.chars().count() <= VALUE_WIDTH), "{rows:?}");
        let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
        assert_eq!(letters(&rows.concat()), letters(&long));
        assert_eq!(wrap("a\nb"), ["a\\nb"]);
    }
}
