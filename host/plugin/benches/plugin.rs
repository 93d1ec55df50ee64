//! What the Wasm boundary costs: `cargo bench -p benchhost-plugin -- [component]`. Every figure is the smallest of
//! several rounds, so that neighbours on the machine disturb it little; the native figure is taken in the same run.

#![allow(clippy::print_stdout, reason = "prints a table")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use benchhost_model::{BuildInput, Ending, Event, Message, Prompt, Sampling, Setting};
use benchhost_plugin::{
    DecodeInput, EnginePlugin, HostConfig, Limits, Plugin, PluginHost, PluginSource, Silent, embedded,
};
use serde::Deserialize;

const ROUNDS: u32 = 15;

fn main() {
    let source =
        std::env::args().skip(1).find(|a| !a.starts_with("--")).map(|text| PluginSource::parse(&text));
    let Some(source) = source.or_else(first_engine) else {
        println!("no engine component inside the program; name one: `-- ./plugins/vllm.wasm`");
        return;
    };
    if let Err(error) = run(&source) {
        println!("{error}");
    }
}

fn first_engine() -> Option<PluginSource> {
    embedded().first().map(|e| PluginSource::Embedded(e.name.to_owned()))
}

fn run(source: &PluginSource) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let plugin = loads(source, folder.path())?;
    let events = events(1024);
    let native = per(events.len(), best(|| parse_natively(&events)));
    let mut instance = plugin.instance(Arc::new(Silent))?;
    row("instantiate", best(|| black_box(plugin.instance(Arc::new(Silent)).map(drop))), "");
    let input = build_input(&plugin);
    row("build, one request", best(|| black_box(instance.build(&input).map(drop))), "");
    row("parse natively, per event", native, "");
    let ctx = instance.build(&input)?.ctx;
    for batch in [1, 64, 1024] {
        let mut instance = plugin.instance(Arc::new(Silent))?.with_batch(batch);
        let input =
            DecodeInput { ctx: &ctx, status: 200, headers: &[], events: &events, ending: Ending::Complete };
        instance.decode(&input)?;
        let time = per(events.len(), best(|| black_box(instance.decode(&input).map(drop))));
        let ratio = time.as_secs_f64() / native.as_secs_f64();
        row(&format!("decode through Wasm, batch {batch}, per event"), time, &format!("{ratio:.1} × native"));
    }
    Ok(())
}

/// Cold and warm load; the warm one from a second host, as in a second run of the program.
fn loads(source: &PluginSource, cache: &Path) -> Result<EnginePlugin, Box<dyn std::error::Error>> {
    let config = HostConfig { cache_dir: Some(cache.to_owned()), limits: Limits::default() };
    let host = PluginHost::new(&config)?;
    let start = Instant::now();
    let plugin = host.load(source)?;
    row("cold load (compile and describe)", start.elapsed(), &format!("{} bytes", plugin.identity().size));
    let mut warm = Duration::MAX;
    for _ in 0..ROUNDS {
        let host = PluginHost::new(&config)?;
        let start = Instant::now();
        black_box(host.load(source)?);
        warm = warm.min(start.elapsed());
    }
    row("warm load (from the cache)", warm, "");
    match plugin {
        Plugin::Engine(plugin) => Ok(plugin),
        Plugin::Workload(_) => Err("this benchmark needs an engine".into()),
    }
}

fn row(what: &str, time: Duration, note: &str) {
    let ns = time.as_nanos() as f64;
    let text = if ns < 1e4 {
        format!("{ns:.0} ns")
    } else if ns < 1e6 {
        format!("{:.1} µs", ns / 1e3)
    } else {
        format!("{:.2} ms", ns / 1e6)
    };
    println!("{what:<44} {text:>12}  {note}");
}

fn best<R>(mut work: impl FnMut() -> R) -> Duration {
    let mut least = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(work());
        least = least.min(start.elapsed());
    }
    least
}

fn per(count: usize, time: Duration) -> Duration {
    time / u32::try_from(count).unwrap_or(u32::MAX)
}

/// Chunks of about 250 bytes, as OpenAI-like servers send them, and the end marker.
fn events(count: usize) -> Vec<Event> {
    let event = |i: usize| {
        let word = [" the", " of", "\\n", " quick", " \\\"q\\\"", "\\u00e9", " benchmark", "."][i % 8];
        let data = format!(
            "{{\"id\":\"chatcmpl-3f2b8c1a9d7e4f60b1c2d3e4f5a6b7c8\",\"object\":\"chat.completion.chunk\",\
             \"created\":1760000000,\"model\":\"meta-llama/Llama-3.1-8B-Instruct\",\"choices\":[{{\"index\":0,\
             \"delta\":{{\"content\":\"{word}\"}},\"logprobs\":null,\"finish_reason\":null}}]}}"
        );
        Event { name: String::new(), data }
    };
    (0..count).map(event).collect()
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
    usage: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Delta<'a>,
    finish_reason: Option<&'a str>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<std::borrow::Cow<'a, str>>,
}

/// The least that any decoder must do: find the text of each event.
fn parse_natively(events: &[Event]) -> usize {
    let text = |event: &Event| {
        let chunk: Chunk<'_> = serde_json::from_str(&event.data).ok()?;
        let choice = chunk.choices.into_iter().next()?;
        let ended = choice.finish_reason.is_some() || chunk.usage.is_some();
        Some(choice.delta.content?.into_owned().len() + usize::from(ended))
    };
    events.iter().filter_map(|event| black_box(text(event))).sum()
}

fn build_input(plugin: &EnginePlugin) -> BuildInput {
    let info = plugin.info();
    let settings =
        info.options.iter().map(|o| Setting { name: o.name.clone(), value: o.default.clone() }).collect();
    BuildInput {
        prompt: Prompt::Chat(vec![Message {
            role: "user".into(),
            content: "Why is the sky blue? ".repeat(50),
        }]),
        sampling: Sampling {
            max_tokens: 256,
            exact: false,
            temperature: 0.0,
            top_p: None,
            seed: Some(1),
            stop: vec![],
            cache_salt: None,
        },
        route: info.routes.first().map_or(benchhost_model::Route::Chat, |r| r.route),
        model: "m".into(),
        settings,
    }
}
