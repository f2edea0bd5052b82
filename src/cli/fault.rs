//! For tests of recovery: the engine fails a run at one of its calls.

use std::io::{Read as _, Write as _};
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
    /// The call waits until the standard input ends.
    WaitBefore,
}

impl FromStr for Fault {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let fault = text.split_once(':').and_then(|(kind, number)| {
            let kind = match kind {
                "abort-before" => Kind::AbortBefore,
                "abort-after" => Kind::AbortAfter,
                "deny-from" => Kind::DenyFrom,
                "wait-before" => Kind::WaitBefore,
                _ => return None,
            };
            let number = number.parse().ok()?;
            Some(Self { kind, number })
        });
        fault.context(
            "KEYWRIGHT_ENGINE_FAULT is `abort-before:N`, `abort-after:N`, `deny-from:N` or `wait-before:N`",
        )
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
            Kind::WaitBefore if call.number == self.number => {
                let mut rest = String::new();
                let told = writeln!(std::io::stderr(), "waiting before {}", call.operation);
                let _ended = told.and_then(|()| std::io::stdin().read_to_string(&mut rest));
                None
            }
            Kind::AbortBefore | Kind::AbortAfter | Kind::DenyFrom | Kind::WaitBefore => None,
        }
    }

    fn after(&self, call: &Call<'_>, response: Response<Bytes>) -> Response<Bytes> {
        if self.kind == Kind::AbortAfter && call.number == self.number {
            std::process::abort();
        }
        response
    }
}
