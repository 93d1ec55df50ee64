//! Recorded answers mean what their `.json` says. `BLESS=1` writes the expectations; read them before you commit them.

use benchhost_sdk::testkit;
use engine_friendli::Friendli;

#[test]
fn fixtures_mean_what_they_say() {
    testkit::replay::<Friendli>(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
}

#[test]
fn the_description_holds() {
    testkit::engine::check::<Friendli>();
}
