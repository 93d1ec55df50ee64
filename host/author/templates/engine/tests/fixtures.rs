//! Replays the recorded answers of `fixtures/`: what each event means, however the answer arrives.

use std::path::Path;

use benchhost_sdk::testkit;
use my_engine::MyEngine;

#[test]
fn every_fixture_means_what_it_says() {
    testkit::replay::<MyEngine>(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"));
}
