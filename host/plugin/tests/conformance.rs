//! The built first-party components decode every recorded answer as its fixture says, however the body was cut by the
//! network and however the events are batched. A folder of fixtures without its component fails: what is shipped must be
//! what was tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use benchhost_framing::{Framed, Framer, Framing};
use benchhost_model::{Closing, Ending, Event, Meaning};
use benchhost_plugin::{
    DecodeInput, Decoded, EnginePlugin, HostConfig, Limits, Plugin, PluginHost, PluginKind, PluginSource,
    Silent, embedded,
};
use serde::Deserialize;

/// The `.json` of a fixture.
#[derive(Deserialize)]
struct Expected {
    #[serde(default)]
    ctx: String,
    framing: benchhost_model::Framing,
    #[serde(default = "complete")]
    ending: Ending,
    meanings: Vec<Meaning>,
    closing: Closing,
}

fn complete() -> Ending {
    Ending::Complete
}

/// The `.http` of a fixture.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a blank line after the headers");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }

    /// An error status or a JSON content type is a whole body, whatever was asked for.
    fn framing(&self, asked: benchhost_model::Framing) -> Framing {
        let json = self.headers.iter().any(|(name, value)| {
            let media = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            name == "content-type" && (media == "application/json" || media.ends_with("+json"))
        });
        match asked {
            _ if json || !(200..300).contains(&self.status) => Framing::WholeBody,
            benchhost_model::Framing::Sse => Framing::Sse,
            benchhost_model::Framing::Ndjson => Framing::Ndjson,
            benchhost_model::Framing::WholeBody => Framing::WholeBody,
        }
    }

    fn frame(&self, framing: Framing, cut: usize) -> Vec<Framed> {
        let (mut framer, mut events) = (Framer::new(framing), Vec::new());
        let (before, after) = self.body.split_at(cut);
        framer.push(before, &mut events);
        framer.push(after, &mut events);
        framer.finish(&mut events);
        events
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sorted(folder: &Path, keep: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| keep(path)).collect();
    paths.sort();
    paths
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|e| e == ending)
}

fn host() -> PluginHost {
    PluginHost::new(&HostConfig { cache_dir: None, limits: Limits::default() }).unwrap()
}

#[test]
fn every_fixture_means_the_same_through_wasm() {
    let host = host();
    let (mut replayed, mut failures) = (0, Vec::new());
    for guest in sorted(&root().join("plugins"), |path| path.join("fixtures").is_dir()) {
        let component = guest.with_extension("wasm");
        if !component.is_file() {
            let name = component.file_name().unwrap().to_string_lossy().into_owned();
            failures.push(format!("{name} is missing: build it with `benchhost plugin build`"));
            continue;
        }
        let plugin = match host.load(&PluginSource::File(component)) {
            Ok(Plugin::Engine(plugin)) => plugin,
            Ok(Plugin::Workload(_)) => panic!("{} is a workload", guest.display()),
            Err(error) => panic!("{error}: {}", error.hint()),
        };
        for recording in sorted(&guest.join("fixtures"), |path| has_ending(path, "http")) {
            let case = recording.strip_prefix(root()).unwrap_or(&recording).display().to_string();
            failures.extend(replay(&plugin, &recording).err().map(|e| format!("{case}: {e}")));
            replayed += 1;
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {replayed} fixtures failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(replayed > 0, "no fixture was found");
}

fn replay(plugin: &EnginePlugin, recording: &Path) -> Result<(), String> {
    let answer = Answer::parse(&fs::read(recording).unwrap());
    let json = fs::read(recording.with_extension("json")).map_err(|e| format!("no expectations: {e}"))?;
    let expected: Expected = serde_json::from_slice(&json).map_err(|e| format!("the expectations: {e}"))?;
    let framing = answer.framing(expected.framing);
    let framed = answer.frame(framing, 0);
    for cut in 1..answer.body.len() {
        if answer.frame(framing, cut) != framed {
            return Err(format!("cut at byte {cut}: other events"));
        }
    }
    let events: Vec<Event> = framed.into_iter().map(|f| Event { name: f.name, data: f.data }).collect();
    for batch in 1..=events.len().max(1) {
        let mut instance = plugin.instance(Arc::new(Silent)).unwrap().with_batch(batch);
        let input = DecodeInput {
            ctx: &expected.ctx,
            status: answer.status,
            headers: &answer.headers,
            events: &events,
            ending: expected.ending,
        };
        let got = instance.decode(&input).map_err(|e| e.to_string())?;
        same(&got, &expected).map_err(|e| format!("batches of {batch}: {e}"))?;
    }
    Ok(())
}

fn same(got: &Decoded, wanted: &Expected) -> Result<(), String> {
    if got.meanings.len() != wanted.meanings.len() {
        return Err(format!("{} events, expected {}", got.meanings.len(), wanted.meanings.len()));
    }
    for (at, (got, wanted)) in got.meanings.iter().zip(&wanted.meanings).enumerate() {
        if got != wanted {
            return Err(format!("event {at} means {got:?}, expected {wanted:?}"));
        }
    }
    if got.closing != wanted.closing {
        return Err(format!("closes with {:?}, expected {:?}", got.closing, wanted.closing));
    }
    Ok(())
}

#[test]
fn every_embedded_component_loads_under_its_own_name() {
    let host = host();
    for component in embedded() {
        let plugin = host
            .load(&PluginSource::Embedded(component.name.to_owned()))
            .unwrap_or_else(|error| panic!("{error}: {}", error.hint()));
        let kind = match plugin {
            Plugin::Engine(_) => PluginKind::Engine,
            Plugin::Workload(_) => PluginKind::Workload,
        };
        assert_eq!((plugin.identity().name.as_str(), kind), (component.name, component.kind));
        assert_eq!(plugin.identity().origin, "embedded");
    }
}

#[test]
fn every_component_in_the_tree_is_embedded() {
    let names: Vec<&str> = embedded().iter().map(|e| e.name).collect();
    for folder in ["plugins", "workloads"] {
        for path in sorted(&root().join(folder), |path| has_ending(path, "wasm")) {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(names.contains(&name.as_str()), "{name} is not among {names:?}");
        }
    }
}
