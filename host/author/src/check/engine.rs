//! The promises of an engine adapter. Descriptions, requests and answers are held to the rules of the contract by the
//! plugin host at each call; here they are provoked, repeated and compared.

use std::path::Path;
use std::sync::Arc;

use benchhost_model::{
    BuildInput, Ending, Event, Meaning, Message, ProbeKind, Prompt, Refusal, Route, RouteInfo, Sampling,
    Setting, WireRequest,
};
use benchhost_plugin::{CallError, DecodeInput, EngineInstance, EnginePlugin, Silent};

use super::corpus::{ERRORS, STATUSES, Stream, long_streams, streams};
use super::{CheckReport, Outcome};
use crate::replay::{Fixture, batch_sizes, decode, event, frame, replay, shown};

/// Bodies longer than this are not cut off at every byte.
const EVERY_BYTE: usize = 1024;

type Checked = Result<(), String>;

/// Tries each promise.
pub(super) fn check(plugin: &EnginePlugin, fixtures: Option<&Path>, report: &mut CheckReport) {
    let ctxs = contexts(plugin);
    report.add("every declared route builds a request", builds(plugin));
    report.add("the same input gives the same request in any instance", builds_repeat(plugin));
    report.add("odd prompts are sent or refused, never a trap", odd_prompts(plugin));
    report.add("one meaning an event, the same however events are batched", partitions(plugin, &ctxs));
    report.add("a body cut off at any byte keeps the meanings before the cut", cut_off(plugin, &ctxs));
    report.add("failed answers are read without a trap", failed_answers(plugin, &ctxs));
    report.add("every declared probe has a request, and odd answers are read without a trap", probes(plugin));
    report.add("metrics give canonical gauges only", gauges(plugin));
    report.add("recorded answers mean what the fixtures say", recorded(plugin, fixtures));
}

fn instance(plugin: &EnginePlugin) -> Result<EngineInstance, String> {
    plugin.instance(Arc::new(Silent)).map_err(|e| e.to_string())
}

/// Every declared option at its default.
fn defaults(plugin: &EnginePlugin) -> Vec<Setting> {
    let options = plugin.info().options.iter();
    options.map(|o| Setting { name: o.name.clone(), value: o.default.clone() }).collect()
}

fn input(plugin: &EnginePlugin, route: Route, prompt: Prompt) -> BuildInput {
    let sampling = Sampling {
        max_tokens: 16,
        exact: false,
        temperature: 0.0,
        top_p: None,
        seed: Some(7),
        stop: Vec::new(),
        cache_salt: None,
    };
    BuildInput { prompt, sampling, route, model: "a-model".into(), settings: defaults(plugin) }
}

fn chat(text: &str) -> Prompt {
    Prompt::Chat(vec![Message { role: "user".into(), content: text.into() }])
}

/// The prompts a route may take, the likeliest first.
fn prompts(info: &RouteInfo, text: &str) -> Vec<Prompt> {
    let tokens = info.token_prompts.then(|| Prompt::Tokens(vec![1, 2, 3]));
    let words = match info.route {
        Route::Chat => vec![chat(text)],
        Route::Completions => vec![Prompt::Text(text.into())],
        Route::Native => vec![Prompt::Text(text.into()), chat(text)],
    };
    words.into_iter().chain(tokens).collect()
}

/// A refusal is an answer, but not one that blames the plugin itself.
fn sound(error: CallError) -> Result<Refusal, String> {
    match error {
        CallError::Refused(refusal @ Refusal::Internal(_)) => Err(refusal.to_string()),
        CallError::Refused(refusal) => Ok(refusal),
        other => Err(other.to_string()),
    }
}

fn builds(plugin: &EnginePlugin) -> Checked {
    let mut instance = instance(plugin)?;
    for route in &plugin.info().routes {
        let mut refused = Vec::new();
        let mut built = false;
        for prompt in prompts(route, "What is 2 + 2?") {
            let tokens = matches!(prompt, Prompt::Tokens(_));
            match instance.build(&input(plugin, route.route, prompt)).map_err(sound) {
                Ok(request) => {
                    built = true;
                    json_body(&request).map_err(|e| format!("route `{}`: {e}", route.route))?;
                }
                Err(Ok(refusal)) if tokens => {
                    return Err(format!("route `{}` declares token prompts, but: {refusal}", route.route));
                }
                Err(Ok(refusal)) => refused.push(refusal.to_string()),
                Err(Err(fault)) => return Err(fault),
            }
        }
        if !built {
            return Err(format!("route `{}` refuses every prompt: {}", route.route, refused.join("; ")));
        }
    }
    Ok(())
}

/// A body that says it is JSON is.
fn json_body(request: &WireRequest) -> Checked {
    let says_json = request.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.starts_with("application/json")
    });
    if !says_json {
        return Ok(());
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(&request.body)
        .map(drop)
        .map_err(|e| format!("the body says it is JSON and is not: {e}"))
}

fn builds_repeat(plugin: &EnginePlugin) -> Checked {
    let (mut first, mut second) = (instance(plugin)?, instance(plugin)?);
    for route in &plugin.info().routes {
        for prompt in prompts(route, "Tell me a story.") {
            let mut input = input(plugin, route.route, prompt);
            input.sampling.exact = route.exact_output;
            input.sampling.cache_salt = route.cache_bypass.then(|| "salt-1".into());
            input.sampling.stop = vec!["\n\n".into()];
            let answers = [first.build(&input), first.build(&input), second.build(&input)];
            if answers[0] != answers[1] || answers[0] != answers[2] {
                return Err(format!("route `{}`: two builds of one input differ", route.route));
            }
        }
    }
    Ok(())
}

fn odd_prompts(plugin: &EnginePlugin) -> Checked {
    let mut instance = instance(plugin)?;
    let texts = ["", " ", "\u{0}\u{7f}\u{202e}\u{fffd}", "\"quoted\\ \n\r\t", "\u{1f600}\u{1f1e9}\u{1f1ea}"];
    let long = "long text ".repeat(20_000);
    let odd = [
        Prompt::Chat(vec![]),
        Prompt::Tokens(vec![]),
        Prompt::Tokens(vec![u32::MAX]),
        Prompt::Raw(String::new()),
    ];
    let raw = ["{}", "[]", "{", "null", "{\"messages\":5,\"stream\":\"no\"}"].map(|r| Prompt::Raw(r.into()));
    for route in &plugin.info().routes {
        let worded = texts.into_iter().chain([long.as_str()]).flat_map(|t| prompts(route, t));
        for prompt in worded.chain(odd.iter().cloned()).chain(raw.iter().cloned()) {
            for mut input in [input(plugin, route.route, prompt)].into_iter().flat_map(variations) {
                input.settings = defaults(plugin);
                match instance.build(&input).map_err(sound) {
                    Ok(request) => json_body(&request)?,
                    Err(Ok(_)) => {}
                    Err(Err(fault)) => return Err(format!("route `{}`: {fault}", route.route)),
                }
            }
        }
    }
    Ok(())
}

/// The input, and the same with sampling at its edges.
fn variations(input: BuildInput) -> [BuildInput; 3] {
    let (mut edge, mut none) = (input.clone(), input.clone());
    edge.sampling = Sampling {
        max_tokens: u32::MAX,
        exact: true,
        temperature: 2.0,
        top_p: Some(1.0),
        seed: Some(u64::MAX),
        stop: vec!["\u{0}".into(); 8],
        cache_salt: Some("s".repeat(200)),
    };
    none.sampling.max_tokens = 1;
    none.sampling.seed = None;
    none.model = String::new();
    [input, edge, none]
}

/// The `ctx` of each route's request, and the ones nobody made.
fn contexts(plugin: &EnginePlugin) -> Vec<String> {
    let mut ctxs = Vec::new();
    if let Ok(mut instance) = instance(plugin) {
        for route in &plugin.info().routes {
            for prompt in prompts(route, "x") {
                ctxs.extend(instance.build(&input(plugin, route.route, prompt)).map(|r| r.ctx));
            }
        }
    }
    ctxs.extend(["", "{}", "null", "{broken"].map(str::to_owned));
    // The longest first: it is one that the adapter made.
    ctxs.sort_by_key(|ctx| (std::cmp::Reverse(ctx.len()), ctx.clone()));
    ctxs.dedup();
    ctxs
}

fn headers(media: &str) -> Vec<(String, String)> {
    vec![("content-type".into(), media.into())]
}

fn events_of(stream: &Stream, body: &[u8]) -> Vec<Event> {
    frame(stream.framing, &[body]).into_iter().map(event).collect()
}

fn partitions(plugin: &EnginePlugin, ctxs: &[String]) -> Checked {
    let headers = headers("text/event-stream");
    // Long bodies try the batches, not the contexts: one of those is enough.
    let (short, long) = (streams(), long_streams());
    let tried = short.iter().map(|s| (s, ctxs)).chain(long.iter().map(|s| (s, &ctxs[..ctxs.len().min(1)])));
    for (stream, ctxs) in tried {
        let events = events_of(stream, &stream.body);
        let sizes = batch_sizes(events.len());
        for ctx in ctxs {
            let input = DecodeInput {
                ctx,
                status: 200,
                headers: &headers,
                events: &events,
                ending: Ending::Complete,
            };
            let at = |e: String| format!("{} (ctx `{ctx}`): {e}", stream.name);
            let whole = decode(plugin, &input, events.len().max(1)).map_err(|e| at(e.to_string()))?;
            for size in &sizes {
                let parts = decode(plugin, &input, *size).map_err(|e| at(e.to_string()))?;
                if let Some(difference) = difference(&parts.meanings, &whole.meanings) {
                    return Err(at(format!("with batches of {size}, {difference}")));
                }
                if parts.closing != whole.closing {
                    return Err(at(format!("with batches of {size}, the end means something else")));
                }
            }
        }
    }
    Ok(())
}

fn difference(got: &[Meaning], wanted: &[Meaning]) -> Option<String> {
    let index = got.iter().zip(wanted).position(|(g, w)| g != w)?;
    Some(format!("event {index} means {}, else {}", shown(&got[index]), shown(&wanted[index])))
}

/// A meaning depends on what came before it, never on what comes later.
fn cut_off(plugin: &EnginePlugin, ctxs: &[String]) -> Checked {
    let headers = headers("text/event-stream");
    let ctx = ctxs.first().map_or("", String::as_str);
    for stream in streams().iter().filter(|s| s.body.len() <= EVERY_BYTE) {
        let all = events_of(stream, &stream.body);
        let input =
            DecodeInput { ctx, status: 200, headers: &headers, events: &all, ending: Ending::Complete };
        let whole = decode(plugin, &input, all.len().max(1)).map_err(|e| format!("{}: {e}", stream.name))?;
        for cut in 0..stream.body.len() {
            let events = events_of(stream, &stream.body[..cut]);
            // The last event may be a torn one.
            let same = events.iter().zip(&all).take_while(|(a, b)| a == b).count();
            let at = |e: String| format!("{} cut off at byte {cut}: {e}", stream.name);
            for ending in [Ending::Cut, Ending::Complete, Ending::TimedOut, Ending::Cancelled] {
                let input = DecodeInput { ctx, status: 200, headers: &headers, events: &events, ending };
                let part = decode(plugin, &input, events.len().max(1)).map_err(|e| at(e.to_string()))?;
                if let Some(difference) = difference(&part.meanings[..same], &whole.meanings[..same]) {
                    return Err(at(difference));
                }
            }
        }
    }
    Ok(())
}

fn failed_answers(plugin: &EnginePlugin, ctxs: &[String]) -> Checked {
    for status in STATUSES.into_iter().chain([200]) {
        for body in ERRORS {
            for (ctx, media) in
                ctxs.iter().flat_map(|c| ["application/json", "text/html", ""].map(|m| (c, m)))
            {
                let events: Vec<Event> =
                    frame(benchhost_framing::Framing::WholeBody, &[body]).into_iter().map(event).collect();
                let headers = if media.is_empty() { Vec::new() } else { headers(media) };
                let input =
                    DecodeInput { ctx, status, headers: &headers, events: &events, ending: Ending::Complete };
                decode(plugin, &input, 1).map_err(|e| format!("status {status}: {e}"))?;
            }
        }
    }
    Ok(())
}

fn probes(plugin: &EnginePlugin) -> Checked {
    const ALL: [ProbeKind; 6] = [
        ProbeKind::Ready,
        ProbeKind::Version,
        ProbeKind::Models,
        ProbeKind::Metrics,
        ProbeKind::CacheReset,
        ProbeKind::Tokenize,
    ];
    let mut instance = instance(plugin)?;
    let settings = defaults(plugin);
    for kind in ALL {
        let declared = plugin.info().probes.contains(&kind);
        let request =
            instance.probe(kind, "a-model", "some text", true, &settings).map_err(|e| e.to_string())?;
        if request.is_some() != declared {
            let (says, does) = if declared { ("", "no") } else { ("not ", "a") };
            return Err(format!("probe `{kind}` is {says}declared, but there is {does} request for it"));
        }
        // An answer to a question that was not asked never comes; metrics go to `gauges`.
        if !declared || kind == ProbeKind::Metrics {
            continue;
        }
        for status in STATUSES.into_iter().chain([200]) {
            for body in
                ERRORS.into_iter().chain([&b"{\"data\":[{\"id\":null},5,{}]}"[..], b"\xff\xfe", b"OK"])
            {
                if let Err(error) = instance.read_probe(kind, status, &headers("application/json"), body) {
                    sound(error).map_err(|e| format!("answer {status} to probe `{kind}`: {e}"))?;
                }
            }
        }
    }
    Ok(())
}

fn gauges(plugin: &EnginePlugin) -> Outcome {
    if !plugin.info().probes.contains(&ProbeKind::Metrics) {
        return Outcome::Skip("it declares no `metrics` probe".into());
    }
    let mut bodies = ERRORS.to_vec();
    bodies.extend([
        &b"# HELP x y\n# TYPE x gauge\nx 1\nx{a=\"b\",c=\"\\\"}\"} 2 1700000000\n"[..],
        b"vllm:num_requests_running{model_name=\"m\"} 3.0\nvllm:num_requests_waiting 1e400\nsglang:num_running_reqs NaN\n",
        b"tgi_queue_size +Inf\nllamacpp:requests_processing -Inf\n{ 5\nname{unclosed 1\n",
        b"\xff\xfe\x00",
    ]);
    let tried = instance(plugin).and_then(|mut instance| {
        bodies.into_iter().try_for_each(|body| instance.gauges(body).map(drop).map_err(|e| e.to_string()))
    });
    tried.into()
}

fn recorded(plugin: &EnginePlugin, dir: Option<&Path>) -> Outcome {
    let Some(dir) = dir else { return Outcome::Skip("there is no folder of fixtures".into()) };
    let fixtures = match Fixture::read_all(dir) {
        Ok(fixtures) if fixtures.is_empty() => {
            return Outcome::Skip(format!("`{}` holds no fixture", dir.display()));
        }
        Ok(fixtures) => fixtures,
        Err(error) => return Outcome::Fail(error.to_string()),
    };
    match replay(plugin, &fixtures).failures.as_slice() {
        [] => Outcome::Pass,
        failures => Outcome::Fail(failures.join("; ")),
    }
}
