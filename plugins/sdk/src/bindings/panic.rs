//! Makes a panic readable: its message goes to the host's log before the instance traps, so that the host can show it as
//! the last line. On Wasm a panic aborts; there is nothing to unwind.

use std::panic::PanicHookInfo;
use std::sync::Once;

/// Installs the hook, once per instance. Every exported function calls this first.
pub(super) fn report_through(log: fn(&str)) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(move |info| log(&describe(info))));
    });
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let message = info.payload_as_str().unwrap_or("no message");
    match info.location() {
        Some(place) => format!("panic: {message} ({}:{})", place.file(), place.line()),
        None => format!("panic: {message}"),
    }
}
