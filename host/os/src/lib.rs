//! What the operating system gives beyond the standard library: kernel receive stamps, clocks, thread priority, precise
//! sleep. Safe functions over system calls; knows nothing of HTTP, loads or requests.

pub mod clock;
pub mod sleep;
pub mod stamps;
pub mod thread;
#[cfg(target_os = "linux")]
pub mod timer;
