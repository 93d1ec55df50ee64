//! From a core module to a component, and the note about its sources that every built component carries.
//!
//! Must not know where modules come from or where components go.

use serde::{Deserialize, Serialize};
use wasmparser::{Encoding, Parser, Payload};
use wit_component::ComponentEncoder;

/// The custom section that holds a [`Source`] as JSON.
pub const SECTION: &str = "benchhost:source";

/// Custom sections of a core module that a component does not need.
const DROPPED: [&str; 3] = ["name", "producers", "target_features"];

/// What a component was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// SHA-256 over the sources, in hexadecimal ([`super::digest`]).
    pub digest: String,
    /// Version of the SDK.
    pub sdk: String,
    /// The compiler, as `rustc -V` says it.
    pub rustc: String,
}

/// Makes a component from the core module that cargo built and notes its source in it. The world comes from the section
/// that the bindings left in the module. The error is the encoder's reason.
pub fn wrap(module: &[u8], source: &Source) -> Result<Vec<u8>, String> {
    let mut encoder = ComponentEncoder::default();
    let module = without_names(module).map_err(|e| e.to_string())?;
    let component = encoder.validate(true).module(&module).and_then(ComponentEncoder::encode);
    let mut component = component.map_err(|e| flat(&e))?;
    let json = serde_json::to_vec(source).map_err(|e| e.to_string())?;
    append_section(&mut component, SECTION, &json);
    Ok(component)
}

/// The module without the sections that nothing reads: function names (a fifth of a component, and different for each
/// folder it was compiled in) and what the compiler says about itself.
fn without_names(module: &[u8]) -> Result<Vec<u8>, wasmparser::BinaryReaderError> {
    let mut kept = module.get(..8).unwrap_or(module).to_vec();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        let dropped = match &payload {
            Payload::CustomSection(section) => DROPPED.contains(&section.name()),
            _ => false,
        };
        if let Some((id, range)) = payload.as_section().filter(|_| !dropped) {
            // The parser has seen these bytes, so they are there.
            let (start, end) = (usize::try_from(range.start), usize::try_from(range.end));
            let bytes =
                start.ok().zip(end.ok()).and_then(|(start, end)| module.get(start..end)).unwrap_or_default();
            kept.push(id);
            leb128(&mut kept, bytes.len());
            kept.extend_from_slice(bytes);
        }
    }
    Ok(kept)
}

/// The note in a component; none when it carries none, as components from other tools do.
pub fn read_source(component: &[u8]) -> Option<Source> {
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload.ok()? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => return None,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 && section.name() == SECTION => {
                return serde_json::from_slice(section.data()).ok();
            }
            _ => {}
        }
    }
    None
}

/// A custom section: id 0, the size, the length of the name, the name, the data (core spec §5.5.3; components alike).
fn append_section(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut body = Vec::with_capacity(name.len() + data.len() + 5);
    leb128(&mut body, name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(data);
    component.push(0);
    leb128(component, body.len());
    component.extend_from_slice(&body);
}

fn leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        // The mask keeps seven bits.
        let byte = u8::try_from(value & 0x7f).unwrap_or(0x7f);
        value >>= 7;
        if value == 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}

/// An error chain in one line.
fn flat(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(component)` and `(module)`: magic, version, layer.
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    fn source(digest: &str) -> Source {
        Source { digest: digest.into(), sdk: "0.1.0".into(), rustc: "rustc 1.95.0".into() }
    }

    fn noted(component: &[u8], source: &Source) -> Vec<u8> {
        let mut bytes = component.to_vec();
        append_section(&mut bytes, SECTION, &serde_json::to_vec(source).unwrap());
        bytes
    }

    #[test]
    fn the_note_can_be_read_back_and_leaves_a_valid_component() {
        for length in [0, 64, 200, 20_000] {
            let source = source(&"a".repeat(length));
            let bytes = noted(COMPONENT, &source);
            assert_eq!(read_source(&bytes), Some(source));
            wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
                .validate_all(&bytes)
                .unwrap();
        }
    }

    #[test]
    fn a_component_without_a_note_has_none() {
        assert_eq!(read_source(COMPONENT), None);
        assert_eq!(read_source(b""), None);
        assert_eq!(read_source(b"no wasm at all"), None);
    }

    #[test]
    fn a_note_inside_a_nested_module_is_not_the_components() {
        let nested = noted(MODULE, &source("x"));
        let mut bytes = COMPONENT.to_vec();
        bytes.push(1);
        leb128(&mut bytes, nested.len());
        bytes.extend_from_slice(&nested);
        assert_eq!(read_source(&bytes), None);
        assert_eq!(read_source(&noted(&bytes, &source("y"))).unwrap().digest, "y");
    }

    #[test]
    fn names_are_dropped_and_everything_else_is_kept() {
        let mut module = MODULE.to_vec();
        // A type section with `(func)`, as any other section would be.
        module.extend_from_slice(&[1, 4, 1, 0x60, 0, 0]);
        let mut wanted = module.clone();
        append_section(&mut module, "name", b"\0\x02\x01m");
        for bytes in [&mut module, &mut wanted] {
            append_section(bytes, "component-type:x", b"kept");
        }
        append_section(&mut module, "producers", b"\0");
        assert_eq!(without_names(&module).unwrap(), wanted);
        assert!(without_names(&module[..module.len() - 1]).is_err(), "a torn module is noticed");
    }

    #[test]
    fn a_module_without_bindings_is_no_plugin() {
        // An empty module encodes to an empty component: the world is missing, and the plugin host says so.
        let wrapped = wrap(MODULE, &source("x")).unwrap();
        assert_eq!(read_source(&wrapped), Some(source("x")));
        assert!(wrap(b"garbage", &source("x")).is_err());
    }
}
