//! The client side of HTTP/1.1: connections, TLS, stamped reads, one exchange, a small fetch.
//!
//! [`Client::exchange`] sends one request and returns a [`benchhost_model::Timeline`]: the body's bytes and the moment
//! at which each read delivered them. It cannot fail; what went wrong is part of the timeline. This crate does not know
//! what the bytes mean, when a request ought to be sent, or who asked for it.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")
)]

mod alarm;
mod attribution;
mod cancel;
mod chunked;
mod clock;
mod connect;
mod exchange;
mod fetch;
mod habit;
mod hang_up;
mod head;
mod lateness;
mod outgoing;
mod pool;
mod recorder;
mod request;
mod secret;
mod socket;
mod stamps;
mod stream;
mod tls;
mod url;
mod verdict;
mod watch;
mod wire;

pub use attribution::{Attribution, Shared, attribution};
pub use cancel::Cancel;
pub use clock::RunClock;
pub use connect::Connector;
pub use exchange::{Client, Limits, Target};
pub use fetch::{FetchError, HttpAnswer, fetch};
pub use hang_up::{HangUp, Separator};
pub use outgoing::{Outgoing, OutgoingError};
pub use pool::Reuse;
pub use secret::{SecretHeader, SecretHeaderError};
pub use stamps::StampFaults;
pub use tls::{TlsOptions, TlsSetupError};
pub use url::{BaseUrl, BaseUrlError, Scheme};
