//! Write benchhost plugins: traits over plain Rust types, two macros, a codec for OpenAI-like dialects, a test kit.
//!
//! A plugin is an ordinary crate (`crate-type = ["cdylib", "rlib"]`) that implements [`Engine`] and [`Decode`], or
//! [`Workload`], and names its type once in [`export_engine!`] or [`export_workload!`]. Its logic is plain functions, so
//! it is tested natively; the generated WIT bindings stay inside this crate. `README.md` beside this crate is the guide.
//!
//! This crate must not know the host: it shares only `wit/` with it.

mod bindings;
pub mod chunks;
mod engine;
pub mod filler;
mod host;
pub mod json;
pub mod openai;
mod probe;
pub mod prometheus;
mod request;
mod rng;
pub mod server_error;
mod settings;
mod shared;
pub mod squad;
mod stream;
#[cfg(feature = "testkit")]
pub mod testkit;
mod workload;

pub use engine::{Decode, Engine, EngineDescription, ProbeKind, Route, RouteInfo};
pub use host::{Host, LogLevel, SlotInfo, TokensSource};
pub use probe::{Gauge, HttpAnswer, ModelInfo, ProbeAnswer, ProbeInput, ProbeRequest};
pub use request::{BuildInput, EndRule, Framing, Prompt, Request, Sampling};
pub use rng::Rng;
pub use settings::Settings;
pub use shared::{Finish, Message, OptionKind, OptionSpec, Refusal, Setting};
pub use stream::{Closing, Ending, Event, Meaning, ServerError, Usage};
pub use workload::{
    Answer, Item, Score, ScoreSpec, Slot, SlotFormat, Turn, TurnInput, Workload, WorkloadDescription,
};

/// What the export macros expand to. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::bindings::{
        EngineExport, WorkloadExport, engine as engine_bindings, workload as workload_bindings,
    };

    /// Natively the macros export nothing; they still check that the type fits.
    pub const fn is_engine<T: crate::Engine>() {}
    /// See [`is_engine`].
    pub const fn is_workload<T: crate::Workload>() {}
}

/// Makes a type that implements [`Engine`] the engine of this component. Once per crate.
#[macro_export]
macro_rules! export_engine {
    ($plugin:ty) => {
        const _: () = {
            $crate::__private::is_engine::<$plugin>();
        };
        #[cfg(target_arch = "wasm32")]
        type BenchhostExport = $crate::__private::EngineExport<$plugin>;
        #[cfg(target_arch = "wasm32")]
        $crate::__private::engine_bindings::export_engine_plugin!(
            BenchhostExport with_types_in $crate::__private::engine_bindings
        );
    };
}

/// Makes a type that implements [`Workload`] the workload of this component. Once per crate.
#[macro_export]
macro_rules! export_workload {
    ($plugin:ty) => {
        const _: () = {
            $crate::__private::is_workload::<$plugin>();
        };
        #[cfg(target_arch = "wasm32")]
        type BenchhostExport = $crate::__private::WorkloadExport<$plugin>;
        #[cfg(target_arch = "wasm32")]
        $crate::__private::workload_bindings::export_workload_plugin!(
            BenchhostExport with_types_in $crate::__private::workload_bindings
        );
    };
}

/// The code in the guide is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Guide;
