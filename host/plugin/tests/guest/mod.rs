//! Components made on the spot, without a Wasm toolchain: a core module in WAT that has every function of a world,
//! well behaved unless a test replaces a body. Values are laid out by hand as the component model's canonical ABI says;
//! offsets stand beside the fields.
#![allow(dead_code, unreachable_pub, reason = "several test crates use parts of it")]

mod image;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use image::{Image, Rec};

/// The contract, as one text.
const WIT: [&str; 3] = [
    include_str!("../../../../wit/types.wit"),
    include_str!("../../../../wit/engine.wit"),
    include_str!("../../../../wit/workload.wit"),
];

/// Where the zeroed area begins and how long it is: 2048 empty meanings.
const ZEROS: u32 = 1 << 16;
const ZEROS_LEN: u32 = 144 * 2048;
/// Where `cabi_realloc` begins.
const HEAP: u32 = ZEROS + ZEROS_LEN;

/// Core signatures: name, parameters, results.
const ENGINE: &[(&str, &str, &str)] = &[
    ("describe", "", "i32"),
    // (build-input)
    ("build", "i32", "i32"),
    // kind, model, text, special-tokens, settings
    ("probe", "i32 i32 i32 i32 i32 i32 i32 i32", "i32"),
    // kind, status, headers, body
    ("read-probe", "i32 i32 i32 i32 i32 i32", "i32"),
    ("gauges", "i32 i32", "i32"),
    // ctx, status, headers
    ("[static]decoder.start", "i32 i32 i32 i32 i32", "i32"),
    // self, events
    ("[method]decoder.feed", "i32 i32 i32", "i32"),
    // self, ending
    ("[method]decoder.finish", "i32 i32", "i32"),
];

const WORKLOAD: &[(&str, &str, &str)] = &[
    ("describe", "", "i32"),
    // settings, seed
    ("open", "i32 i32 i64", "i32"),
    ("item-at", "i32", "i32"),
    // index, turn, text, reasoning, finish, extra
    ("score-answer", "i32 i32 i32 i32 i32 i32 i32 i32 i32", "i32"),
];

/// A component in the making. Bodies are WAT instructions; parameters are called `$p0`, `$p1`….
#[derive(Clone)]
pub struct Guest {
    interface: &'static str,
    functions: &'static [(&'static str, &'static str, &'static str)],
    bodies: BTreeMap<&'static str, String>,
    image: Image,
    pages: u32,
    wit: String,
    version: String,
}

impl Guest {
    /// An engine adapter that says it is `test-engine` and does nothing wrong.
    pub fn engine() -> Self {
        let mut image = Image::new(1024);
        let describe = engine_description(&mut image, "test-engine");
        let request = request(&mut image, "content-type", &[]);
        let closing = image.record(Rec::new().u8(1).zeros(147), 4);
        Self::new("engine", ENGINE, image)
            .with("describe", constant(describe))
            .with("build", constant(request))
            .with("probe", constant(ZEROS))
            .with("read-probe", constant(ZEROS))
            .with("gauges", constant(ZEROS))
            .with("[static]decoder.start", "(call $new (i32.const 7))")
            .with("[method]decoder.feed", feed("(local.get $p2)"))
            .with("[method]decoder.finish", constant(closing))
    }

    /// A workload `test-workload` with four items and the score `exact`.
    pub fn workload() -> Self {
        let mut image = Image::new(1024);
        let describe = workload_description(&mut image);
        let opened = image.record(Rec::new().u8(0).u32(4), 4);
        let item = item(&mut image);
        let (name, note) = (image.text("exact"), image.text(""));
        let score = image.record(Rec::new().pair(name).f64(1.0).pair(note), 8);
        let scores = image.record(Rec::new().u8(0).u32(score).u32(1), 4);
        Self::new("workload", WORKLOAD, image)
            .with("describe", constant(describe))
            .with("open", format!("(global.set $open (i32.const 1)) {}", constant(opened)))
            .with("item-at", constant(item))
            .with("score-answer", constant(scores))
    }

    fn new(
        interface: &'static str,
        functions: &'static [(&'static str, &'static str, &'static str)],
        image: Image,
    ) -> Self {
        Self {
            interface,
            functions,
            bodies: BTreeMap::new(),
            image,
            pages: 16,
            wit: WIT.concat(),
            version: "0.1.0".to_owned(),
        }
    }

    /// Replaces the body of `function`.
    pub fn with(mut self, function: &'static str, body: impl Into<String>) -> Self {
        assert!(self.functions.iter().any(|(name, ..)| *name == function), "{function}");
        self.bodies.insert(function, body.into());
        self
    }

    /// Puts `body` before the present one.
    pub fn before(self, function: &'static str, body: &str) -> Self {
        let old = self.bodies.get(function).cloned().unwrap_or_default();
        self.with(function, format!("{body} {old}"))
    }

    /// Begins with so many pages of memory.
    pub fn pages(mut self, pages: u32) -> Self {
        self.pages = pages;
        self
    }

    /// Built against another version of the contract.
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// Built against another text of the contract.
    pub fn contract(mut self, from: &str, to: &str) -> Self {
        assert!(self.wit.contains(from), "{from}");
        self.wit = self.wit.replacen(from, to, 1);
        self
    }

    /// Describes itself with another name (engines only).
    pub fn named(mut self, name: &str) -> Self {
        let at = engine_description(&mut self.image, name);
        self.with("describe", constant(at))
    }

    /// `build` answers a request with this header and a body of `(address, length)`.
    pub fn answering(mut self, header: &str, body: &[u8]) -> Self {
        let at = request(&mut self.image, header, body);
        self.with("build", constant(at))
    }

    /// `build` answers a body of so many bytes, taken from fresh memory.
    pub fn answering_bytes(mut self, bytes: u32) -> Self {
        let at = request(&mut self.image, "content-type", &[]);
        // Payload of the result at 4; in it the body at 24.
        self.with(
            "build",
            format!(
                "(i32.store (i32.const {}) (call $alloc (i32.const {bytes}) (i32.const 1)))
                 (i32.store (i32.const {}) (i32.const {bytes})) {}",
                at + 28,
                at + 32,
                constant(at)
            ),
        )
    }

    /// `gauges` answers this one.
    pub fn gauging(mut self, name: &str, value: f64) -> Self {
        let name = self.image.text(name);
        let gauge = self.image.record(Rec::new().pair(name).f64(value), 8);
        let list = self.image.record(Rec::new().u32(gauge).u32(1), 4);
        self.with("gauges", constant(list))
    }

    /// `score-answer` answers this one.
    pub fn scoring(mut self, name: &str, value: f64) -> Self {
        let (name, note) = (self.image.text(name), self.image.text(""));
        let score = self.image.record(Rec::new().pair(name).f64(value).pair(note), 8);
        let list = self.image.record(Rec::new().u8(0).u32(score).u32(1), 4);
        self.with("score-answer", constant(list))
    }

    /// Instructions that log `message` at level `error`.
    pub fn logging(&mut self, message: &str) -> String {
        let (at, len) = self.image.text(message);
        format!("(call $log (i32.const 3) (i32.const {at}) (i32.const {len}))")
    }

    /// Instructions that ask for the number of records of slot `data` (workloads only).
    pub fn counting(&mut self) -> String {
        let (at, len) = self.image.text("data");
        format!("(call $count (i32.const {at}) (i32.const {len}) (i32.const 16))")
    }

    /// Instructions that load a result with a refusal `invalid` and this text, for functions whose result has its
    /// payload at 4.
    pub fn refusing(&mut self, text: &str) -> String {
        let text = self.image.text(text);
        constant(self.image.record(Rec::new().u8(1).u32(1).pair(text), 4))
    }

    /// The component.
    pub fn build(&self) -> Vec<u8> {
        let mut module = wat::parse_str(self.module()).unwrap_or_else(|e| panic!("{e}\n{}", self.module()));
        let wit = self.wit.replace("benchhost:plugin@0.1.0", &format!("benchhost:plugin@{}", self.version));
        let mut resolve = Resolve::new();
        let package = resolve.push_source("contract.wit", &wit).unwrap();
        let world = resolve.select_world(&[package], Some(&format!("{}-plugin", self.interface))).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
        ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
    }

    fn module(&self) -> String {
        let (interface, version) = (self.interface, &self.version);
        let mut text = format!(
            "(module\n(import \"benchhost:plugin/log@{version}\" \"log\" (func $log (param i32 i32 i32)))\n"
        );
        if interface == "engine" {
            let _ = writeln!(
                text,
                "(import \"[export]benchhost:plugin/engine@{version}\" \"[resource-new]decoder\"
                   (func $new (param i32) (result i32)))"
            );
        } else {
            let _ = writeln!(
                text,
                "(import \"benchhost:plugin/data@{version}\" \"count\" (func $count (param i32 i32 i32)))"
            );
        }
        let _ = writeln!(text, "(memory (export \"memory\") {})\n{ALLOC}", self.pages);
        let _ = writeln!(
            text,
            "(global $heap (mut i32) (i32.const {HEAP})) (global $open (mut i32) (i32.const 0))"
        );
        let _ = writeln!(text, "(data (i32.const {}) \"{}\")", self.image.base(), self.image.wat());
        for (name, parameters, result) in self.functions {
            let mut params = String::new();
            for (index, kind) in parameters.split_whitespace().enumerate() {
                let _ = write!(params, "(param $p{index} {kind})");
            }
            let body = &self.bodies[name];
            let _ = writeln!(
                text,
                "(func (export \"benchhost:plugin/{interface}@{version}#{name}\") {params} (result {result}) {body})"
            );
        }
        text.push_str("(func $recurse (call $recurse)))");
        text
    }
}

/// Hands out memory and never takes it back.
const ALLOC: &str = "
  (func $alloc (param $len i32) (param $align i32) (result i32) (local $at i32)
    (local.set $at (i32.and
      (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $heap (i32.add (local.get $at) (local.get $len)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
      (drop (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get $len) (i32.const 65536))))))
    (local.get $at))
  (func (export \"cabi_realloc\") (param i32 i32) (param $align i32) (param $len i32) (result i32)
    (call $alloc (local.get $len) (local.get $align)))";

/// Instructions that load a constant.
pub fn constant(value: u32) -> String {
    format!("(i32.const {value})")
}

/// A body of `feed` that answers `len` (instructions) empty meanings.
pub fn feed(len: &str) -> String {
    format!("(i32.store (i32.const 16) (i32.const {ZEROS})) (i32.store (i32.const 20) {len}) (i32.const 16)")
}

fn engine_description(image: &mut Image, name: &str) -> u32 {
    let empty = image.text("");
    let path = image.text("/v1/chat/completions");
    // route 0, path 4, five flags 12, extra 20
    let routes = image.list(&[Rec::new().u8(0).pair(path).u8(1).u8(0).u8(0).u8(0).u8(1).pair(empty)], 4);
    let probes = (image.bytes(&[0, 1]), 2);
    let texts =
        [name, "0.1.0", "A test.", "nothing", "http://127.0.0.1:1", "TEST_KEY"].map(|t| image.text(t));
    let head = texts.into_iter().fold(Rec::new(), Rec::pair);
    image.record(head.pair(routes).pair(probes).pair((0, 0)).pair(empty), 4)
}

fn request(image: &mut Image, header: &str, body: &[u8]) -> u32 {
    let [method, path, ctx] = ["POST", "/v1/chat/completions", "{}"].map(|t| image.text(t));
    let (name, value, done) = (image.text(header), image.text("application/json"), image.text("[DONE]"));
    let headers = image.list(&[Rec::new().pair(name).pair(value)], 4);
    let body = (image.bytes(body), u32::try_from(body.len()).unwrap());
    // method 0, path 8, headers 16, body 24, framing 32, end 36 (text 40), ctx 48, notes 56
    let record = Rec::new().u8(0).pair(method).pair(path).pair(headers).pair(body).u8(0);
    image.record(record.u32(0).pair(done).pair(ctx).pair((0, 0)), 4)
}

fn workload_description(image: &mut Image) -> u32 {
    let texts = ["test-workload", "0.1.0", "A test."].map(|t| image.text(t));
    let (exact, help, empty) = (image.text("exact"), image.text("Equal."), image.text(""));
    let scores = image.list(&[Rec::new().pair(exact).u8(1).pair(help)], 4);
    let head = texts.into_iter().fold(Rec::new(), Rec::pair);
    // categories 24, slots 32, options 40, scores 48, needs-tokens 56, extra 60
    image.record(head.pair((0, 0)).pair((0, 0)).pair((0, 0)).pair(scores).u8(0).pair(empty), 4)
}

fn item(image: &mut Image) -> u32 {
    let (id, text, empty) = (image.text("first"), image.text("Hello"), image.text(""));
    // input 0 (case 1: text, at 4), answer 12, delay 24, max-tokens 28, exact 36, stop 40, input-tokens 48, extra 56
    let turn = Rec::new().u8(1).pair(text).zeros(12).u32(0).zeros(8).u8(0).pair((0, 0)).zeros(8).pair(empty);
    let turns = image.list(&[turn], 4);
    // Result: payload at 8, because an arrival is aligned to 8. id 0, category 8, turns 16, reference 24, arrival 32.
    let result = Rec::new().zeros(8).pair(id).pair(empty).pair(turns).pair(empty);
    image.record(result.zeros(16).pair(empty), 8)
}
