//! The generated WIT bindings and the glue between them and the traits. Nothing outside this folder sees a generated
//! type; the export macros reach them through the hidden `__private` module.

mod engine_glue;
mod panic;
mod workload_glue;

pub use engine_glue::EngineExport;
pub use workload_glue::WorkloadExport;

/// Bindings of the world `engine-plugin`.
#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    rust_2018_idioms,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code: it faces raw memory by design and is not ours to style"
)]
pub mod engine {
    wit_bindgen::generate!({
        world: "engine-plugin",
        path: "../../wit",
        pub_export_macro: true,
        export_macro_name: "export_engine_plugin",
        default_bindings_module: "benchhost_sdk::__private::engine_bindings",
    });
}

/// Bindings of the world `workload-plugin`.
#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    rust_2018_idioms,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code: it faces raw memory by design and is not ours to style"
)]
pub mod workload {
    wit_bindgen::generate!({
        world: "workload-plugin",
        path: "../../wit",
        pub_export_macro: true,
        export_macro_name: "export_workload_plugin",
        default_bindings_module: "benchhost_sdk::__private::workload_bindings",
    });
}

/// Converts lists.
fn all<A, B>(items: Vec<A>, one: impl FnMut(A) -> B) -> Vec<B> {
    items.into_iter().map(one).collect()
}

/// Both worlds have their own copy of the shared types; the conversions are the same text.
macro_rules! shared_conversions {
    ($world:ident) => {
        use crate::bindings::$world::benchhost::plugin::types as wire;
        use crate::{Finish, Message, OptionKind, OptionSpec, Refusal, Setting};

        fn refusal(refusal: Refusal) -> wire::Refusal {
            match refusal {
                Refusal::Unsupported(text) => wire::Refusal::Unsupported(text),
                Refusal::Invalid(text) => wire::Refusal::Invalid(text),
                Refusal::Internal(text) => wire::Refusal::Internal(text),
                Refusal::Other(text) => wire::Refusal::Other(text),
            }
        }

        fn option(spec: OptionSpec) -> wire::OptionSpec {
            let kind = match spec.kind {
                OptionKind::Text => wire::OptionKind::Text,
                OptionKind::Count => wire::OptionKind::Count,
                OptionKind::Number => wire::OptionKind::Number,
                OptionKind::Toggle => wire::OptionKind::Toggle,
                OptionKind::Choice(words) => wire::OptionKind::Choice(words),
            };
            wire::OptionSpec { name: spec.name, kind, default_value: spec.default_value, help: spec.help }
        }

        fn setting(setting: wire::Setting) -> Setting {
            Setting { name: setting.name, value: setting.value }
        }
    };
}
use shared_conversions;
