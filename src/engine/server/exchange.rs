//! One request over a connection: read within its limits, answered by the engine, counted and written down.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, ORIGIN};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::{self, Instant};

use crate::engine::Engine;
use crate::engine::caller::Peer;
use crate::engine::chaos::Fate;
use crate::engine::record::Record;
use crate::engine::wire::{self, Code, Failure};

use super::Limits;
use super::audit::AuditLog;
use super::metrics::Metrics;

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) engine: Arc<Engine>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) audit: Option<AuditLog>,
    /// Room for the bodies of so many requests.
    pub(super) room: Semaphore,
    /// As many at once as the store has connections for.
    pub(super) hands: Semaphore,
    pub(super) limits: Limits,
}

/// Answers one request.
pub(super) async fn exchange(
    shared: Arc<Shared>,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let begin = Instant::now();
    let own = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/healthz") => Some(health(&shared).await),
        (&Method::GET | &Method::HEAD, "/metrics") => Some(text(shared.metrics.text())),
        _ => None,
    };
    if let Some(own) = own {
        return Ok(own.map(Full::new));
    }
    // Only a closed semaphore gives no room, and nobody closes this one.
    let _room = shared.room.acquire().await;
    let response = match read(&shared, peer, request).await {
        Ok(request) => answer(&shared, request).await,
        Err(failure) => close(wire::respond(Err(failure), "")),
    };
    let record = response.extensions().get::<Arc<Record>>();
    shared
        .metrics
        .count(record.map(|record| &**record), begin.elapsed());
    if let (Some(audit), Some(record)) = (&shared.audit, record) {
        audit.write(Arc::clone(record)).await;
    }
    if let Some(Fate { delay, is_lost }) = response.extensions().get().copied() {
        time::sleep(delay).await;
        if is_lost {
            return Err(Lost);
        }
    }
    Ok(response.map(Full::new))
}

/// An answer that never comes; the connection ends.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer is lost")]
pub(super) struct Lost;

/// Reads a request's body, as long as it is neither too long nor too slow.
async fn read(
    shared: &Shared,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Request<Bytes>, Failure> {
    let too_long = || Failure::silent(Code::RequestEntityTooLarge);
    let (mut parts, body) = request.into_parts();
    if parts.headers.contains_key(ORIGIN) {
        return Err(Failure::new(
            Code::AccessDenied,
            "Requests of web pages are not answered",
        ));
    }
    let announced = parts.headers.get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let most = u64::try_from(shared.limits.body).unwrap_or(u64::MAX);
    if announced.is_some_and(|length| length > most) {
        return Err(too_long());
    }
    let whole = Limited::new(body, shared.limits.body).collect();
    let body = match time::timeout(shared.limits.patience, whole).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_long()),
        Ok(Err(_)) => return Err(Failure::silent(Code::Serialization)),
        Err(_) => return Err(Failure::silent(Code::RequestTimeout)),
    };
    parts.extensions.insert(peer);
    Ok(Request::from_parts(parts, body))
}

/// Lets the engine answer: at once where it only reads, else where waiting for a disk holds nobody up.
async fn answer(shared: &Arc<Shared>, request: Request<Bytes>) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    if let Some(response) = shared.engine.handle_at_once(&parts, &body) {
        return response;
    }
    let request = Request::from_parts(parts, body);
    let _hand = shared.hands.acquire().await;
    let engine = Arc::clone(&shared.engine);
    let answered = tokio::task::spawn_blocking(move || engine.handle(request)).await;
    answered.unwrap_or_else(|error| wire::respond(Err(Failure::internal(&error)), ""))
}

/// Whether the engine can still read its state.
async fn health(shared: &Arc<Shared>) -> Response<Bytes> {
    let _hand = shared.hands.acquire().await;
    let engine = Arc::clone(&shared.engine);
    let is_well = tokio::task::spawn_blocking(move || engine.is_well()).await;
    if is_well.unwrap_or(false) {
        return text("ok\n".to_owned());
    }
    let mut response = text("the state cannot be read\n".to_owned());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

/// An answer after which nothing that the client still sends is read.
fn close(mut response: Response<Bytes>) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn text(body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::OK;
    let plain = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
