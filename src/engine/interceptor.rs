//! A hook around every call, for making the engine misbehave.

use std::fmt;

use bytes::Bytes;
use http::Response;

use super::caller::Caller;

/// One call of an operation.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The operation's name, known or not.
    pub operation: &'a str,
    /// The count of calls of this engine, from 1.
    pub number: u64,
    /// Who calls.
    pub caller: &'a Caller,
}

/// Sees every call, and may answer in the engine's place.
pub trait Interceptor: fmt::Debug + Send + Sync {
    /// Called before the engine does anything; an answer keeps it from doing so.
    fn before(&self, call: &Call<'_>) -> Option<Response<Bytes>> {
        let _ = call;
        None
    }

    /// Called with the engine's answer; what it gives back is what the caller gets.
    fn after(&self, call: &Call<'_>, response: Response<Bytes>) -> Response<Bytes> {
        let _ = call;
        response
    }
}
