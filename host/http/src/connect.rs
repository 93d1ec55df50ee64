//! Opens connections: names to addresses (once), TCP without Nagle's delay, TLS. Sends no request and keeps no
//! connection.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use benchhost_model::{Failure, TransportFailure};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::clock::RunClock;
use crate::habit::Habit;
use crate::socket::Socket;
use crate::stamps::FaultCounts;
use crate::stream::Stream;
use crate::tls::{Tls, TlsOptions, TlsSetupError};
use crate::url::{BaseUrl, Scheme};
use crate::verdict::failure;
use crate::wire::Wire;

/// Host and port.
type Server = (String, u16);
type Addresses = HashMap<Server, Vec<SocketAddr>>;

/// Opens connections. Clones share the TLS settings and what was learnt of each server.
#[derive(Clone)]
pub struct Connector {
    tls: Tls,
    /// Found once a name, so that no later connection waits for a name server. The address that worked stands first.
    known: Arc<Mutex<Addresses>>,
    /// Kept here and not with a client, so that a server shows its habit once a run and not once a load.
    habits: Arc<Mutex<HashMap<Server, Arc<Habit>>>>,
}

impl Connector {
    /// A connector that trusts the machine's authorities and those of the options. The first of a process also switches
    /// the kernel's receive stamps on and waits until they come, at most 200 ms.
    pub fn new(options: &TlsOptions) -> Result<Self, TlsSetupError> {
        benchhost_os::stamps::keep_enabled();
        Ok(Self { tls: Tls::new(options)?, known: Arc::default(), habits: Arc::default() })
    }

    /// A connector with the same settings and addresses that learns habits of its own. For questions beside a load: a
    /// server that keeps connections for them may close those of streamed answers, and must not be vouched for by them.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self { habits: Arc::default(), ..self.clone() }
    }

    /// A fresh connection within `limit`, which covers name, TCP and TLS together.
    pub(crate) async fn connect(
        &self,
        base: &BaseUrl,
        clock: RunClock,
        faults: &Arc<FaultCounts>,
        limit: Duration,
    ) -> Result<Wire, TransportFailure> {
        let late = |what: &str| format!("{what} of {base} took longer than {} s", limit.as_secs_f64());
        let end = tokio::time::Instant::now() + limit;
        let socket = tokio::time::timeout_at(end, self.dial(base))
            .await
            .unwrap_or_else(|_| Err(failure(Failure::Connect, late("the connection"))))?;
        let socket = Socket::new(socket, clock, Arc::clone(faults));
        let stream = match base.scheme() {
            Scheme::Http => Stream::Plain(socket),
            Scheme::Https => tokio::time::timeout_at(end, self.encrypt(base, socket))
                .await
                .unwrap_or_else(|_| Err(failure(Failure::Tls, late("the TLS handshake"))))?,
        };
        Ok(Wire::over(stream))
    }

    /// What this server does with connections that it promised to keep.
    pub(crate) fn habit(&self, base: &BaseUrl) -> Arc<Habit> {
        let mut habits = self.habits.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(habits.entry(key(base)).or_default())
    }

    async fn dial(&self, base: &BaseUrl) -> Result<TcpStream, TransportFailure> {
        let mut last = None;
        for address in self.resolve(base).await? {
            match TcpStream::connect(address).await {
                Ok(socket) => {
                    // Without it the kernel may hold a request back until an earlier segment is acknowledged.
                    socket.set_nodelay(true).map_err(|error| refused(base, &error))?;
                    self.prefer(base, address);
                    return Ok(socket);
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or_else(
            || failure(Failure::Connect, format!("the name `{}` has no address", base.host())),
            |error| refused(base, &error),
        ))
    }

    async fn resolve(&self, base: &BaseUrl) -> Result<Vec<SocketAddr>, TransportFailure> {
        if let Some(known) = self.known().get(&key(base)) {
            return Ok(known.clone());
        }
        let found: Vec<SocketAddr> = tokio::net::lookup_host((base.host(), base.port()))
            .await
            .map_err(|error| {
                failure(Failure::Connect, format!("cannot find the address of `{}`: {error}", base.host()))
            })?
            .collect();
        self.known().insert(key(base), found.clone());
        Ok(found)
    }

    fn prefer(&self, base: &BaseUrl, address: SocketAddr) {
        if let Some(known) = self.known().get_mut(&key(base))
            && let Some(at) = known.iter().position(|a| *a == address)
        {
            known.swap(0, at);
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Addresses> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn encrypt(&self, base: &BaseUrl, socket: Socket) -> Result<Stream, TransportFailure> {
        let name = ServerName::try_from(base.host().to_owned()).map_err(|_| {
            failure(Failure::Tls, format!("`{}` cannot be the name in a certificate", base.host()))
        })?;
        match self.tls.connector.connect(name, socket).await {
            Ok(stream) => Ok(Stream::Secure(Box::new(stream))),
            Err(error) => Err(failure(Failure::Tls, self.tls_words(base, &error))),
        }
    }

    fn tls_words(&self, base: &BaseUrl, error: &io::Error) -> String {
        let hint = if self.tls.roots == 0 {
            "; no authority is trusted on this machine, name a PEM file with `SSL_CERT_FILE`"
        } else if error.to_string().contains("certificate") {
            "; if the server has a certificate of its own, name its authority's PEM file with `SSL_CERT_FILE`"
        } else if error.kind() == io::ErrorKind::InvalidData {
            "; does the server speak TLS on this port?"
        } else {
            ""
        };
        format!("the TLS handshake with {base} failed: {error}{hint}")
    }
}

fn key(base: &BaseUrl) -> Server {
    (base.host().to_owned(), base.port())
}

fn refused(base: &BaseUrl, error: &io::Error) -> TransportFailure {
    let hint = match error.kind() {
        io::ErrorKind::ConnectionRefused => "; is the server running and listening on this port?",
        _ => "",
    };
    failure(Failure::Connect, format!("cannot connect to {base}: {error}{hint}"))
}
