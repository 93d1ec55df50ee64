//! The test kit itself: a wrong expectation fails, a right one passes, and a decoder that forgets is found out.

use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

use benchhost_sdk::openai::{Dialect, Speaks, StreamDecoder};
use benchhost_sdk::testkit::replay;
use benchhost_sdk::{BuildInput, Engine, EngineDescription, Refusal, Request};

struct Plain;

impl Speaks for Plain {
    const DIALECT: Dialect = Dialect::STRICT;
}

impl Engine for Plain {
    type Decoder = StreamDecoder<Self>;
    fn describe() -> EngineDescription {
        EngineDescription::default()
    }
    fn build(_input: &BuildInput) -> Result<Request, Refusal> {
        Err(Refusal::Unsupported("not part of this test".into()))
    }
}

const HTTP: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n\
    data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\u{e9}\"}}]}\n\ndata: [DONE]\n\n";
const RIGHT: &str = r#"{"ctx":"{\"route\":\"chat\"}","framing":"sse","ending":"complete",
    "meanings":[{"text":"hé"},{"done":true}],"closing":{"whole":true,"last":null}}"#;

fn folder(name: &str, json: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("chat-normal.http"), HTTP).unwrap();
    fs::write(folder.join("chat-normal.json"), json).unwrap();
    folder
}

#[test]
fn a_right_expectation_passes() {
    assert_eq!(replay::<Plain>(folder("right", RIGHT)), ["chat-normal"]);
}

#[test]
fn a_wrong_text_a_missing_event_and_a_wrong_closing_each_fail() {
    let wrong = [
        ("text", RIGHT.replace("hé", "he")),
        ("events", RIGHT.replace(",{\"done\":true}", "")),
        ("closing", RIGHT.replace("\"whole\":true", "\"whole\":false")),
    ];
    for (name, json) in wrong {
        let folder = folder(name, &json);
        assert!(catch_unwind(|| replay::<Plain>(folder)).is_err(), "{name}");
    }
}

#[test]
fn an_empty_folder_fails() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("empty");
    fs::create_dir_all(&folder).unwrap();
    assert!(catch_unwind(|| replay::<Plain>(folder)).is_err());
}
