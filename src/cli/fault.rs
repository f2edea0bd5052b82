//! For tests of recovery: the engine fails a run at one of its calls.

use std::str::FromStr;

use anyhow::Context as _;
use bytes::Bytes;
use http::Response;

use crate::engine::{Call, Interceptor};

/// What goes wrong, and at which call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    kind: Kind,
    number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The process ends before the call has an effect.
    AbortBefore,
    /// The process ends before it hears of the effect.
    AbortAfter,
    /// This call and all later ones are refused.
    DenyFrom,
}

impl FromStr for Fault {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let fault = text.split_once(':').and_then(|(kind, number)| {
            let kind = match kind {
                "abort-before" => Kind::AbortBefore,
                "abort-after" => Kind::AbortAfter,
                "deny-from" => Kind::DenyFrom,
                _ => return None,
            };
            let number = number.parse().ok()?;
            Some(Self { kind, number })
        });
        fault
            .context("KEYWRIGHT_ENGINE_FAULT is `abort-before:N`, `abort-after:N` or `deny-from:N`")
    }
}

impl Interceptor for Fault {
    fn before(&self, call: &Call<'_>) -> Option<Response<Bytes>> {
        match self.kind {
            Kind::AbortBefore if call.number == self.number => std::process::abort(),
            Kind::DenyFrom if call.number >= self.number => {
                let body = r#"{"__type":"AccessDeniedException","Message":"injected"}"#;
                let mut response = Response::new(Bytes::from_static(body.as_bytes()));
                *response.status_mut() = http::StatusCode::BAD_REQUEST;
                Some(response)
            }
            Kind::AbortBefore | Kind::AbortAfter | Kind::DenyFrom => None,
        }
    }

    fn after(&self, call: &Call<'_>, response: Response<Bytes>) -> Response<Bytes> {
        if self.kind == Kind::AbortAfter && call.number == self.number {
            std::process::abort();
        }
        response
    }
}
