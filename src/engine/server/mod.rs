//! The engine behind a listener: HTTP/1.1 and HTTP/2, with or without TLS.
//!
//! The listener, the end and the place of the audit log are handed in. INVARIANT: whatever a client does, memory stays
//! bounded: connections, requests at once, headers and bodies each have a limit, and slow ones a time.

mod audit;
mod exchange;
mod metrics;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time;

use super::Engine;
use super::caller::Peer;
use super::store::IDLE_CONNECTIONS;

pub use audit::AuditLog;
pub use tls::{Tls, TlsError};

use exchange::Shared;
use metrics::Metrics;

/// How a server is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; later ones wait.
    pub connections: usize,
    /// Requests at once; later ones wait.
    pub requests: usize,
    /// The longest body, in bytes.
    pub body: usize,
    /// How long a client may take for a handshake, for the headers of a request and for its body, each.
    pub patience: Duration,
    /// How long requests may go on after the end was asked for.
    pub farewell: Duration,
}

impl Default for Limits {
    /// The longest requests are key policies, of 131,072 characters before JSON escapes them.
    fn default() -> Self {
        Self {
            connections: 1024,
            requests: 256,
            body: 512 * 1024,
            patience: Duration::from_secs(20),
            farewell: Duration::from_secs(10),
        }
    }
}

/// What a server needs besides an engine and a listener.
#[derive(Debug, Default)]
pub struct ServerSettings {
    /// The certificate and key; without them, requests come in the clear.
    pub tls: Option<Tls>,
    /// Where calls are written down.
    pub audit: Option<AuditLog>,
    /// How the server is limited.
    pub limits: Limits,
}

/// How many threads a server keeps waiting for disks: one for each connection to the store, and one for the audit log.
///
/// A runtime with room for more fills it, to no avail.
pub const BLOCKING_THREADS: usize = IDLE_CONNECTIONS + 1;

/// The longest headers of one request; session tokens are the longest of them.
const MOST_HEADER_BYTES: usize = 64 * 1024;
/// The most headers of one request.
const MOST_HEADERS: usize = 64;
/// The most requests at once on one connection.
const MOST_STREAMS: u32 = 64;

/// Serves until `end` is there, and then until the requests of that moment are answered.
pub async fn serve(
    engine: Arc<Engine>,
    listener: TcpListener,
    settings: ServerSettings,
    end: impl Future<Output = ()>,
) -> io::Result<()> {
    let ServerSettings { tls, audit, limits } = settings;
    let shared = Arc::new(Shared {
        engine,
        metrics: Arc::new(Metrics::default()),
        audit,
        room: Semaphore::new(limits.requests),
        hands: Semaphore::new(IDLE_CONNECTIONS),
        limits,
    });
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        let accepted = tokio::select! {
            () = &mut end => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Ok((stream, address, place)) = accepted else {
            // Out of file handles, or a client that is gone already; both pass.
            time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let connection = Connection {
            shared: Arc::clone(&shared),
            address,
            watcher: graceful.watcher(),
            place,
        };
        tokio::spawn(connection.run(stream, tls.clone()));
    }
    drop(listener);
    // Whoever takes longer than this is cut off.
    let _ended = time::timeout(limits.farewell, graceful.shutdown()).await;
    if let Some(audit) = &shared.audit {
        audit.finish().await;
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.map_err(io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, address, place))
}

/// One connection.
struct Connection {
    shared: Arc<Shared>,
    address: SocketAddr,
    watcher: Watcher,
    place: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: Option<Tls>) {
        let patience = self.shared.limits.patience;
        match tls {
            None => self.speak(stream, false).await,
            Some(tls) => {
                // A failed handshake is the client's to tell of.
                if let Ok(Ok(stream)) = time::timeout(patience, tls.accept(stream)).await {
                    self.speak(stream, true).await;
                }
            }
        }
    }

    async fn speak<S>(self, stream: S, is_encrypted: bool)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            shared,
            address,
            watcher,
            place: _place,
        } = self;
        let metrics = Arc::clone(&shared.metrics);
        let _open = metrics.connection();
        let patience = shared.limits.patience;
        let peer = Peer {
            address: address.ip(),
            is_encrypted,
        };
        let has_spoken = Arc::new(AtomicBool::new(false));
        let spoken = Arc::clone(&has_spoken);
        let service = service_fn(move |request| {
            spoken.store(true, Ordering::Relaxed);
            exchange::exchange(Arc::clone(&shared), peer, request)
        });
        let builder = builder(patience);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        // Until the first request, nothing else would end a connection on which nobody speaks.
        let silence = async {
            time::sleep(patience).await;
            if has_spoken.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            // What is wrong with a connection is the client's to tell of.
            _ended = watcher.watch(connection) => {}
            () = silence => {}
        }
    }
}

fn builder(patience: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_HEADER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(patience)
        .keep_alive_timeout(patience)
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(u32::try_from(MOST_HEADER_BYTES).unwrap_or(u32::MAX));
    builder
}
