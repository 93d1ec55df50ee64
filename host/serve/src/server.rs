//! Listens, accepts, and hands each request to the site. One thread; work that takes long goes to another.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::hosts::Hosts;
use crate::io::Socket;
use crate::{ServeError, Site};

/// Pause after a failed accept, which is mostly a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// Connections at a time; a browser opens six.
const CONNECTIONS: usize = 64;
/// Pages made at a time; of comparisons, the site makes one.
const AT_A_TIME: usize = 8;
/// How long a peer may take over a request, or over the next piece of an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that listens already.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    site: Site,
    patience: Duration,
}

impl Server {
    /// Opens the listening socket; port 0 picks a free one.
    pub fn bind(site: Site, address: SocketAddr) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, site, patience: PATIENCE })
    }

    /// With another limit than 20 s to what a peer may take over a request, or over the next piece of an answer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves on this thread until `stop` resolves; then connections are closed at once.
    pub fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(AT_A_TIME)
            .build()
            .map_err(ServeError::Runtime)?;
        let served = runtime.block_on(self.accept(stop));
        // A comparison that nobody waits for any more must not hold up the end.
        runtime.shutdown_background();
        served
    }

    async fn accept(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(ServeError::Runtime)?;
        let (site, hosts, patience) = (Arc::new(self.site), Hosts::of(self.address.ip()), self.patience);
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            while connections.try_join_next().is_some() {}
            let accepted = tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                accepted = listener.accept() => accepted,
            };
            match (accepted, Arc::clone(&room).try_acquire_owned()) {
                (Ok((stream, _peer)), Ok(place)) => {
                    let site = Arc::clone(&site);
                    connections.spawn(async move {
                        connection(stream, site, hosts, patience).await;
                        drop(place);
                    });
                }
                // Too many: it is closed again.
                (Ok(_), Err(_)) => {}
                (Err(_), _) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
}

/// Serves one connection to its end. Errors of a connection concern nobody else.
async fn connection(stream: tokio::net::TcpStream, site: Arc<Site>, hosts: Hosts, patience: Duration) {
    let busy = Arc::new(AtomicBool::new(false));
    let socket = Socket::new(stream, patience, Arc::clone(&busy));
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (site, busy) = (Arc::clone(&site), Arc::clone(&busy));
        async move {
            busy.store(true, Ordering::Relaxed);
            // Bodies are not read: no request that is answered has one.
            let request = request.map(drop);
            let answer = tokio::task::spawn_blocking(move || site.answer(&request, hosts)).await;
            busy.store(false, Ordering::Relaxed);
            Ok::<_, Infallible>(answer.unwrap_or_else(|_| Site::broken()))
        }
    });
    // Half-closed or broken connections end here as well.
    let _ended = http1::Builder::new().half_close(false).serve_connection(socket, service).await;
}
