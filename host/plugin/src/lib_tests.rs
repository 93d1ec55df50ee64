//! Time limits, with ticks that a test makes instead of waiting for them.

#[path = "../tests/guest/mod.rs"]
mod guest;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::runtime::Runtime;
use crate::services::{Data, Imports, NoTokens, Silent, SlotFile};
use crate::{HostConfig, Limits, Plugin, PluginHost, PluginSource};
use guest::Guest;

/// Takes a thousand seconds for every answer, as far as the epoch knows.
#[derive(Default)]
struct SlowData(OnceLock<Runtime>);

impl Data for SlowData {
    fn info(&self, _slot: &str) -> Option<SlotFile> {
        None
    }
    fn read(&self, _slot: &str, _offset: u64, _len: u32) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }
    fn count(&self, _slot: &str) -> Result<u32, String> {
        let runtime = self.0.get().unwrap();
        (0..100_000).for_each(|_| runtime.ticks.advance(&runtime.engine));
        Ok(3)
    }
    fn record(&self, _slot: &str, _index: u32) -> Result<String, String> {
        Ok(String::new())
    }
}

#[test]
fn what_a_host_call_takes_is_not_the_plugins_time() {
    let mut guest = Guest::workload();
    let count = guest.counting();
    // A loop after the host call: epochs are looked at in loops.
    let work = format!(
        "(local $n i32) {count} {count} (loop $l (local.set $n (i32.add (local.get $n) (i32.const 1)))
         (br_if $l (i32.lt_u (local.get $n) (i32.const 1000))))"
    );
    let guest = guest.before("open", &work);
    let limits = Limits { open: Duration::from_secs(20), ..Limits::default() };
    let host = PluginHost::new(&HostConfig { cache_dir: None, limits }).unwrap();
    let source = PluginSource::Bytes { name: "slow".into(), bytes: guest.build() };
    let Plugin::Workload(plugin) = host.load(&source).unwrap() else { panic!("not a workload") };
    let data = Arc::new(SlowData::default());
    assert!(data.0.set(host.runtime()).is_ok());
    let imports = Imports { data, tokens: Arc::new(NoTokens), log: Arc::new(Silent) };
    assert_eq!(plugin.instance(imports).unwrap().open(&[], 1).unwrap(), 4);
}
