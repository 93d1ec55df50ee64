//! Lets an I/O thread run through all it will need before anything is measured: exchanges with a listener in the same
//! thread. Without, the first requests of a new thread meet code, memory and connections that were never touched, which
//! was seen to stall one of them for 8 to 20 ms on some machines. Knows nothing of the server that is measured, and sends it nothing.

use std::time::Duration;

use benchhost_http::{Cancel, Client, Limits, Outgoing, RunClock, Target};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Connections at a time.
const WIDTH: usize = 4;
/// Exchanges of each.
const ROUNDS: usize = 24;
/// It ends here whether or not all exchanges were run.
const LIMIT: Duration = Duration::from_millis(20);

/// Runs some exchanges in the calling thread's runtime. Returns how many: 0 where the machine gives no listener, and where
/// they took longer than [`LIMIT`]. A few milliseconds.
pub(crate) async fn up(like: &Target, clock: RunClock) -> usize {
    let Some((target, server)) = mirror(like).await else { return 0 };
    let client = std::sync::Arc::new(Client::new(target, clock));
    let mut exchanges = tokio::task::JoinSet::new();
    for _ in 0..WIDTH {
        let client = std::sync::Arc::clone(&client);
        exchanges.spawn(async move {
            let mut run = 0;
            for _ in 0..ROUNDS {
                let Ok(request) = Outgoing::get("/") else { break };
                client.exchange(&request, clock.now(), &Cancel::new()).await;
                run += 1;
            }
            run
        });
    }
    let all = async {
        let mut run = 0;
        while let Some(done) = exchanges.join_next().await {
            run += done.unwrap_or(0);
        }
        run
    };
    let run = tokio::time::timeout(LIMIT, all).await.unwrap_or(0);
    server.abort();
    run
}

/// A target of the same kind in this thread, without the user's headers, and the task that serves it.
async fn mirror(like: &Target) -> Option<(Target, tokio::task::JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.ok()?;
    let base = format!("http://{}", listener.local_addr().ok()?).parse().ok()?;
    let connector = like.connector.clone();
    let target =
        Target { base, connector, headers: Vec::new(), limits: Limits::default(), reuse: like.reuse };
    let server = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer(socket));
        }
    });
    Some((target, server))
}

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const EVENT: &[u8] = b"f\r\ndata: warming\n\n\r\n";
const END: &[u8] = b"0\r\n\r\n";
/// Events of an answer, each with a write of its own.
const EVENTS: usize = 3;

/// Streams a short answer to each request; requests have no body and come one after the other.
async fn answer(mut socket: TcpStream) {
    // Otherwise the second write of an answer would wait for the acknowledgement of the first, 40 ms later.
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let mut request = [0; 2048];
    while socket.read(&mut request).await.is_ok_and(|read| read > 0) {
        if socket.write_all(HEAD).await.is_err() {
            return;
        }
        for _ in 0..EVENTS {
            tokio::task::yield_now().await;
            if socket.write_all(EVENT).await.is_err() {
                return;
            }
        }
        if socket.write_all(END).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_http::{Connector, Reuse, TlsOptions};

    #[test]
    fn it_runs_exchanges_without_the_server_that_is_to_be_measured() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Nobody listens there, so a request to it would not be answered.
        let target = Target {
            base: "http://127.0.0.1:1".parse().unwrap(),
            connector: Connector::new(&TlsOptions::default()).unwrap(),
            headers: Vec::new(),
            limits: Limits::default(),
            reuse: Reuse::KeepAlive,
        };
        let run = runtime.block_on(up(&target, RunClock::start()));
        // A slow machine stops at the time limit, and then does not say how many it ran.
        assert!(run == 0 || run == WIDTH * ROUNDS, "{run}");
        let answered = runtime.block_on(async {
            let (target, _server) = mirror(&target).await.unwrap();
            let clock = RunClock::start();
            let client = Client::new(target, clock);
            client.exchange(&Outgoing::get("/").unwrap(), clock.now(), &Cancel::new()).await
        });
        assert_eq!(answered.body, b"data: warming\n\n".repeat(EVENTS));
    }
}
