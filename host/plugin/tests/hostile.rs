//! Plugins that loop, trap, lie and eat memory: each costs the call it was asked for, and the next call works.

mod guest;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use benchhost_model::{
    Answer, BuildInput, Ending, Event, Finish, Framing, Message, ProbeKind, Prompt, Refusal, Route, Sampling,
};
use benchhost_plugin::{
    CallError, Data, DecodeInput, EngineInstance, EnginePlugin, HostConfig, Imports, Limits, Log, LogLevel,
    Plugin, PluginHost, PluginSource, Silent, SlotFile, WorkloadInstance,
};
use guest::{Guest, feed};

/// The limit that endless guests run into; everything else has twenty seconds, however busy the machine.
const SHORT: Duration = Duration::from_millis(50);

fn limits() -> Limits {
    let long = Duration::from_secs(20);
    Limits { instantiate: long, describe: long, decode: long, probe: long, build: long, ..Limits::default() }
}

fn load(guest: &Guest, limits: Limits) -> Plugin {
    let host = PluginHost::new(&HostConfig { cache_dir: None, limits }).unwrap();
    host.load(&PluginSource::Bytes { name: "guest".into(), bytes: guest.build() }).unwrap()
}

fn plugin(guest: &Guest, limits: Limits) -> EnginePlugin {
    match load(guest, limits) {
        Plugin::Engine(plugin) => plugin,
        Plugin::Workload(_) => panic!("not an engine"),
    }
}

fn engine(guest: &Guest) -> EngineInstance {
    plugin(guest, limits()).instance(Arc::new(Silent)).unwrap()
}

fn workload(guest: &Guest) -> WorkloadInstance {
    match load(guest, limits()) {
        Plugin::Workload(plugin) => plugin.instance(Imports::default()).unwrap(),
        Plugin::Engine(_) => panic!("not a workload"),
    }
}

fn input(route: Route) -> BuildInput {
    BuildInput {
        prompt: Prompt::Chat(vec![Message { role: "user".into(), content: "hi".into() }]),
        sampling: Sampling {
            max_tokens: 16,
            exact: false,
            temperature: 0.0,
            top_p: None,
            seed: None,
            stop: vec![],
            cache_salt: None,
        },
        route,
        model: "m".into(),
        settings: vec![],
    }
}

fn decode(engine: &mut EngineInstance, events: usize) -> Result<usize, CallError> {
    let events = vec![Event { name: String::new(), data: "x".into() }; events];
    let input =
        DecodeInput { ctx: "{}", status: 200, headers: &[], events: &events, ending: Ending::Complete };
    engine.decode(&input).map(|decoded| {
        assert!(decoded.closing.whole);
        decoded.meanings.len()
    })
}

/// Runs `body` in `build` when the route is `native`: the route stands at 96 of the input.
fn on_native(body: &str) -> Guest {
    Guest::engine().before(
        "build",
        &format!("(if (i32.eq (i32.load8_u offset=96 (local.get $p0)) (i32.const 2)) (then {body}))"),
    )
}

/// `build` fails for route `native` with this text, and works again at once.
fn assert_costs_one_call(engine: &mut EngineInstance, message: &str) {
    let error = engine.build(&input(Route::Native)).unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
    assert!(!error.contains('\n'));
    assert_eq!(engine.build(&input(Route::Chat)).unwrap().framing, Framing::Sse);
}

#[test]
fn a_well_behaved_guest_passes_every_check() {
    let guest = Guest::engine().gauging("running", 3.0);
    let plugin = plugin(&guest, limits());
    assert_eq!(plugin.info().name, "test-engine");
    assert_eq!(plugin.info().probes, [ProbeKind::Ready, ProbeKind::Version]);
    assert_eq!(plugin.identity().imports, ["benchhost:plugin/log@0.1.0", "benchhost:plugin/types@0.1.0"]);
    assert_eq!(plugin.identity().digest_sha256.len(), 64);
    let mut engine = plugin.instance(Arc::new(Silent)).unwrap();
    let request = engine.build(&input(Route::Chat)).unwrap();
    assert_eq!((request.method.as_str(), request.ctx.as_str()), ("POST", "{}"));
    assert_eq!(decode(&mut engine, 3000).unwrap(), 3000);
    assert_eq!(engine.probe(ProbeKind::Ready, "m", "", false, &[]).unwrap(), None);
    assert_eq!(engine.gauges(b"x").unwrap(), [("running".to_owned(), 3.0)]);
}

#[test]
fn an_endless_loop_is_ended() {
    let guest = on_native("(loop $l (br $l))");
    let plugin = plugin(&guest, Limits { build: SHORT, ..limits() });
    let error = plugin.instance(Arc::new(Silent)).unwrap().build(&input(Route::Native)).unwrap_err();
    let text = error.to_string();
    assert_eq!(text, "plugin `test-engine` passed its time limit of 50 ms in `build`");
    // The other half with a limit that a busy machine does not reach.
    let mut engine = engine(&on_native("(unreachable)"));
    assert_costs_one_call(
        &mut engine,
        "plugin `test-engine` trapped in `build`: wasm `unreachable` instruction",
    );
}

#[test]
fn memory_without_end_is_refused_with_the_reason() {
    let mut engine = engine(&on_native("(loop $l (drop (memory.grow (i32.const 16))) (br $l))"));
    assert_costs_one_call(&mut engine, "passed its memory cap of 64 MiB (it asked for 65 MiB) in `build`");
}

#[test]
fn recursion_without_end_is_named() {
    let mut engine = engine(&on_native("(call $recurse)"));
    assert_costs_one_call(&mut engine, "passed its stack in `build`");
}

#[test]
fn an_address_outside_memory_is_a_trap() {
    let mut engine = engine(&on_native("(return (i32.const -8))"));
    assert_costs_one_call(&mut engine, "trapped in `build`");
}

#[test]
fn the_last_line_before_a_trap_is_kept() {
    let mut guest = Guest::engine();
    let log = guest.logging("panic: \u{1b}[31mindex\nout of range");
    let body = format!(
        "(if (i32.eq (i32.load8_u offset=96 (local.get $p0)) (i32.const 2)) (then {log} (unreachable)))"
    );
    let mut engine = engine(&guest.before("build", &body));
    assert_costs_one_call(&mut engine, "executed (last logged: panic: \u{fffd}[31mindex out of range)");
}

#[test]
fn a_trap_while_decoding_costs_one_response() {
    let trap = "(if (i32.eq (local.get $p2) (i32.const 3)) (then (unreachable)))";
    let mut engine = engine(&Guest::engine().before("[method]decoder.feed", trap));
    assert_eq!(decode(&mut engine, 2).unwrap(), 2);
    let error = decode(&mut engine, 3).unwrap_err();
    assert!(error.to_string().contains("trapped in `decoder.feed`"), "{error}");
    assert_eq!(decode(&mut engine, 4).unwrap(), 4);
}

#[test]
fn a_wrong_number_of_meanings_is_a_fault() {
    for (len, count) in [("(i32.add (local.get $p2) (i32.const 1))", 6), ("(i32.const 0)", 0)] {
        let mut engine = engine(&Guest::engine().with("[method]decoder.feed", feed(len)));
        let error = decode(&mut engine, 5).unwrap_err();
        assert!(matches!(error, CallError::Misbehaved { .. }));
        assert!(error.to_string().contains(&format!("{count} meanings for 5 events")), "{error}");
    }
}

#[test]
fn a_list_longer_than_memory_is_a_trap() {
    let mut engine = engine(&Guest::engine().with("[method]decoder.feed", feed("(i32.const 2000000000)")));
    assert!(decode(&mut engine, 1).is_err());
}

#[test]
fn text_that_is_not_utf8_is_a_trap() {
    // The text of the first meaning: address 64 KiB (which gets a byte 0xff), length 1.
    let body = format!(
        "(i32.store8 (i32.const 512) (i32.const 255)) (i32.store offset=4 (i32.const 65536) (i32.const 512))
         (i32.store offset=8 (i32.const 65536) (i32.const 1)) {}",
        feed("(local.get $p2)")
    );
    let mut engine = engine(&Guest::engine().with("[method]decoder.feed", body));
    let error = decode(&mut engine, 1).unwrap_err().to_string();
    assert!(error.contains("utf-8"), "{error}");
}

#[test]
fn a_result_above_the_limits_is_named() {
    let error = engine(&Guest::engine().answering_bytes(17 << 20)).build(&input(Route::Chat)).unwrap_err();
    assert!(error.to_string().ends_with("the body has 17 MiB; at most 16 MiB are sent"), "{error}");
    let error = engine(&Guest::engine().answering_bytes(40 << 20)).build(&input(Route::Chat)).unwrap_err();
    assert!(matches!(error, CallError::Limit { .. }));
    assert!(error.to_string().contains("its limit of 32 MiB handed over at once"), "{error}");
}

#[test]
fn headers_of_the_host_are_refused() {
    for header in ["Authorization", "host", "content-length", "x\r\nhost: evil"] {
        let error = engine(&Guest::engine().answering(header, b"{}")).build(&input(Route::Chat)).unwrap_err();
        assert!(matches!(error, CallError::Misbehaved { function: "build", .. }), "{error}");
        assert!(error.to_string().contains("header"), "{error}");
    }
}

#[test]
fn gauges_outside_the_list_and_not_finite_are_faults() {
    for (name, value) in [("speed", 1.0), ("running", f64::NAN)] {
        let error = engine(&Guest::engine().gauging(name, value)).gauges(b"").unwrap_err();
        assert!(error.to_string().contains(&format!("gauge `{name}`")), "{error}");
    }
}

#[test]
fn a_refusal_leaves_the_instance_alone() {
    let mut guest = Guest::engine();
    let refusal = guest.refusing("top_p\nis wrong");
    let mut engine = engine(&guest.with("build", refusal));
    for _ in 0..2 {
        let error = engine.build(&input(Route::Chat)).unwrap_err();
        assert_eq!(error, CallError::Refused(Refusal::Invalid("top_p is wrong".into())));
    }
}

/// Keeps what it is told.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn log(&self, plugin: &str, level: LogLevel, message: &str) {
        assert_eq!((plugin, level), ("test-engine", LogLevel::Error));
        self.0.lock().unwrap().push(message.to_owned());
    }
}

#[test]
fn a_flood_of_lines_is_cut_and_ended() {
    let mut guest = Guest::engine();
    let log = guest.logging(&"x".repeat(10_000));
    let flood = format!("(loop $l {log} (br $l))");
    let plugin = plugin(&guest.before("gauges", &flood), Limits { host_calls: 500, ..limits() });
    let lines = Arc::new(Lines::default());
    let mut engine = plugin.instance(lines.clone()).unwrap();
    let error = engine.gauges(b"").unwrap_err().to_string();
    assert!(
        error.starts_with(
            "plugin `test-engine` passed its limit of 500 host calls in `gauges` (last logged: xxx"
        ),
        "{error}"
    );
    let lines = lines.0.lock().unwrap();
    assert_eq!(lines.len(), 64);
    assert!(lines.iter().all(|line| line.len() <= 8195));
}

#[test]
fn bytes_moved_by_host_calls_are_bounded() {
    let mut guest = Guest::engine();
    let log = guest.logging(&"x".repeat(10_000));
    let flood = format!("(loop $l {log} (br $l))");
    let plugin = plugin(&guest.before("gauges", &flood), Limits { host_bytes: 1 << 20, ..limits() });
    let error = plugin.instance(Arc::new(Silent)).unwrap().gauges(b"").unwrap_err().to_string();
    assert!(error.contains("its limit of 1 MiB moved by host calls"), "{error}");
}

fn answer() -> Answer {
    Answer { turn: 0, text: "4".into(), reasoning: String::new(), finish: Finish::Stop }
}

#[test]
fn a_workload_answers_items_and_scores() {
    let mut workload = workload(&Guest::workload());
    assert!(workload.item(0).is_err(), "not opened yet");
    assert_eq!(workload.open(&[], 7).unwrap(), 4);
    assert_eq!(workload.item(0).unwrap().id, "first");
    assert_eq!(workload.score(3, &answer()).unwrap()[0].name, "exact");
    let error = workload.item(4).unwrap_err();
    assert_eq!(error.to_string(), "invalid: item 4 of 4: the first is 0");
}

#[test]
fn a_replaced_workload_is_opened_again() {
    // Items exist only in an opened instance; item 2 traps.
    let guest = Guest::workload().before(
        "item-at",
        "(if (i32.eqz (global.get $open)) (then (unreachable)))
         (if (i32.eq (local.get $p0) (i32.const 2)) (then (unreachable)))",
    );
    let mut workload = workload(&guest);
    workload.open(&[], 7).unwrap();
    assert!(workload.item(2).unwrap_err().to_string().contains("trapped in `item-at`"));
    assert_eq!(workload.item(1).unwrap().id, "first");
    assert!(workload.item(2).is_err());
    assert_eq!(workload.score(1, &answer()).unwrap().len(), 1);
}

/// A file that cannot be read at the second look, as one on a network drive.
#[derive(Default)]
struct Flaky(AtomicU32);

impl Data for Flaky {
    fn info(&self, _: &str) -> Option<SlotFile> {
        None
    }

    fn read(&self, _: &str, _: u64, _: u32) -> Result<Vec<u8>, String> {
        Err("not read".into())
    }

    fn count(&self, _: &str) -> Result<u32, String> {
        if self.0.fetch_add(1, Ordering::Relaxed) == 1 { Err("gone".into()) } else { Ok(4) }
    }

    fn record(&self, _: &str, _: u32) -> Result<String, String> {
        Err("not read".into())
    }
}

#[test]
fn a_workload_that_refuses_to_open_again_is_opened_at_the_next_call() {
    let mut guest = Guest::workload();
    let (count, refuse) = (guest.counting(), guest.refusing("no data"));
    // `count` answers at 16: 1 is an error.
    let open =
        format!("{count} (if (i32.eq (i32.load8_u (i32.const 16)) (i32.const 1)) (then (return {refuse})))");
    let guest = guest.before("open", &open).before(
        "item-at",
        "(if (i32.eqz (global.get $open)) (then (unreachable)))
         (if (i32.eq (local.get $p0) (i32.const 2)) (then (unreachable)))",
    );
    let Plugin::Workload(plugin) = load(&guest, limits()) else { panic!("not a workload") };
    let imports = Imports { data: Arc::new(Flaky::default()), ..Imports::default() };
    let mut workload = plugin.instance(imports).unwrap();
    workload.open(&[], 7).unwrap();
    assert!(workload.item(2).unwrap_err().to_string().contains("trapped in `item-at`"));
    assert_eq!(workload.item(1).unwrap_err().to_string(), "invalid: no data");
    assert_eq!(workload.item(1).unwrap().id, "first");
}

#[test]
fn scores_that_were_not_declared_or_are_no_numbers_are_faults() {
    for (name, value) in [("speed", 1.0), ("exact", f64::INFINITY)] {
        let mut workload = workload(&Guest::workload().scoring(name, value));
        workload.open(&[], 7).unwrap();
        let error = workload.score(0, &answer()).unwrap_err();
        assert!(
            error.to_string().contains(&format!("`score-answer` against the contract: score `{name}`")),
            "{error}"
        );
    }
}

#[test]
fn a_workload_without_its_data_says_which_slot() {
    let mut guest = Guest::workload();
    let count = guest.counting();
    // The error of `count` (case at 16, text at 20 and 24) becomes a refusal `invalid` at 32.
    let body = format!(
        "{count} (i32.store8 (i32.const 32) (i32.load8_u (i32.const 16))) (i32.store (i32.const 36) (i32.const 1))
         (i32.store (i32.const 40) (i32.load (i32.const 20))) (i32.store (i32.const 44) (i32.load (i32.const 24)))
         (i32.const 32)"
    );
    let error = workload(&guest.with("open", body)).open(&[], 0).unwrap_err();
    assert_eq!(error.to_string(), "invalid: no file was given for slot `data`");
}

#[test]
fn instances_on_several_threads_do_not_share_failures() {
    let plugin = plugin(&on_native("(unreachable)"), limits());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let plugin = plugin.clone();
            scope.spawn(move || {
                let mut engine = plugin.instance(Arc::new(Silent)).unwrap();
                for _ in 0..20 {
                    let route = if thread % 2 == 0 { Route::Chat } else { Route::Native };
                    assert_eq!(engine.build(&input(route)).is_ok(), thread % 2 == 0);
                }
            });
        }
    });
}
