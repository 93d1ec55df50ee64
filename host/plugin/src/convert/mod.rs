//! Between the generated types and `benchhost-model`. No rule is checked here: `check` reads the model's types.

mod engine;
mod shared;
mod workload;
