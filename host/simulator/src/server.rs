//! Listens, accepts, and runs one task for each connection.
//!
//! It knows HTTP/1.1 and threads; what is answered is decided in `service`.

mod service;
mod socket;
mod stream;
mod telling;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use benchhost_os::{stamps, thread};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use crate::config::{Dialect, SimulatorConfig};
use crate::engine::{Engine, Load};
use crate::lean;
pub(crate) use socket::Stamped;
use socket::{Arrival, HyperIo};

/// Connections that may wait to be accepted: a burst of this size is not refused nor delayed.
const BACKLOG: u32 = 4096;
/// Pause after a failed accept, which is mostly a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A simulated server that listens already.
#[derive(Debug)]
pub struct Simulator {
    listener: TcpListener,
    address: SocketAddr,
    /// The kernel tells when requests arrive.
    stamps: bool,
    engine: Arc<Engine>,
}

impl Simulator {
    /// Opens the listening socket. Clients may connect from here on; they are served by [`run`](Self::run). Must be called
    /// in a tokio runtime with I/O and time.
    #[expect(
        clippy::unused_async,
        reason = "listening needs a runtime; an async signature makes callers have one"
    )]
    pub async fn bind(config: SimulatorConfig) -> anyhow::Result<Self> {
        if let Some(why) = lean::refuses(&config).filter(|_| config.lean) {
            bail!("a lean simulator cannot do this: {why}; leave out `--lean` or the other setting");
        }
        // Before the first connection, so that the first request has its stamp already.
        let stamps = (config.stamp_writes || config.lean) && stamps::keep_enabled();
        let listener = listen(config.bind).with_context(|| {
            format!("cannot listen on `{}`; is the port taken? port 0 picks a free one", config.bind)
        })?;
        let address = listener.local_addr().context("cannot read the address of the listening socket")?;
        Ok(Self { listener, address, stamps, engine: Arc::new(Engine::new(config)) })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` resolves; then all connections are closed at once.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let mut shutdown = pin!(shutdown);
        // Sleeps end when they should, not up to 50 µs later. Where that cannot be had, they end later.
        thread::timer_slack_min();
        let mut connections = JoinSet::new();
        let engine = Arc::clone(&self.engine);
        // It ends with the connections, when this returns.
        connections.spawn(async move {
            engine.metronome.run(engine.truth.started(), &engine.config.stalls).await;
        });
        loop {
            while connections.try_join_next().is_some() {}
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => return Ok(()),
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _peer)) => {
                    connections.spawn(serve_connection(stream, self.stamps, Arc::clone(&self.engine)));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves one connection to its end. Errors of a connection concern nobody else: clients see them as broken answers.
async fn serve_connection(stream: TcpStream, stamps: bool, engine: Arc<Engine>) {
    // Without it, small events would wait for acknowledgements.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let socket = Stamped::new(stream, stamps);
    if engine.config.lean {
        return lean::serve(socket, engine).await;
    }
    let close = Arc::new(Notify::new());
    let closer = Arc::clone(&close);
    let title_case = engine.config.dialect == Dialect::Llamacpp;
    let arrival = Arc::new(Arrival::default());
    let io = HyperIo::new(socket, Arc::clone(&arrival));
    let service = service_fn(move |request| {
        service::respond(Arc::clone(&engine), Arc::clone(&closer), Arc::clone(&arrival), request)
    });
    let mut connection =
        pin!(http1::Builder::new().title_case_headers(title_case).serve_connection(io, service));
    let mut closing = false;
    loop {
        tokio::select! {
            biased;
            _ended = connection.as_mut() => return,
            () = close.notified(), if !closing => {
                closing = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .context("cannot start the simulator's runtime; are file descriptors exhausted?")
}

/// Serves on the calling thread until the process ends. `announce` is called once, when clients may connect.
pub fn serve_blocking(config: SimulatorConfig, announce: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let simulator = Simulator::bind(config).await?;
        announce(simulator.local_addr());
        simulator.run(std::future::pending()).await
    })
}

/// A simulator on its own thread; it stops when the handle is dropped.
#[derive(Debug)]
pub struct SimulatorHandle {
    address: SocketAddr,
    engine: Arc<Engine>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl SimulatorHandle {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Live counts.
    pub fn load(&self) -> Load {
        self.engine.load()
    }
}

impl Drop for SimulatorHandle {
    fn drop(&mut self) {
        // Dropping the sender is the signal.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed already and must not become a second one here.
            let _ = thread.join();
        }
    }
}

/// Starts a simulator on a thread of its own; it accepts connections when this returns.
pub fn spawn_thread(config: SimulatorConfig) -> anyhow::Result<SimulatorHandle> {
    let (stop, stopped) = oneshot::channel::<Infallible>();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("simulator".to_owned())
        .spawn(move || {
            let outcome = runtime().map(|runtime| {
                runtime.block_on(async {
                    match Simulator::bind(config).await {
                        Err(error) => drop(ready.send(Err(error))),
                        Ok(simulator) => {
                            let started = (simulator.address, Arc::clone(&simulator.engine));
                            if ready.send(Ok(started)).is_ok() {
                                let shutdown = async { drop(stopped.await) };
                                // It ends by the signal only.
                                let _ = simulator.run(shutdown).await;
                            }
                        }
                    }
                });
            });
            // The channel is closed then, which the caller reports.
            drop(outcome);
        })
        .context("cannot start the simulator's thread")?;
    let (address, engine) = is_ready.recv().context("the simulator's thread ended before it listened")??;
    Ok(SimulatorHandle { address, engine, stop: Some(stop), thread: Some(thread) })
}
