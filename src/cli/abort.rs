//! For tests of recovery: the process ends in the middle of a run, at a call of the engine.

use std::str::FromStr;

use bytes::Bytes;
use http::Response;

use crate::engine::{Call, Interceptor};

/// At which call the process ends: `before:7` or `after:7`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Abort {
    number: u64,
    after: bool,
}

impl FromStr for Abort {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts = text
            .split_once(':')
            .map(|(side, number)| (side, number.parse()));
        match parts {
            Some(("before", Ok(number))) => Ok(Self {
                number,
                after: false,
            }),
            Some(("after", Ok(number))) => Ok(Self {
                number,
                after: true,
            }),
            _ => anyhow::bail!("KEYWRIGHT_ENGINE_ABORT is `before:N` or `after:N`"),
        }
    }
}

impl Interceptor for Abort {
    fn before(&self, call: &Call<'_>) -> Option<Response<Bytes>> {
        if !self.after && call.number == self.number {
            std::process::abort();
        }
        None
    }

    fn after(&self, call: &Call<'_>, response: Response<Bytes>) -> Response<Bytes> {
        if self.after && call.number == self.number {
            std::process::abort();
        }
        response
    }
}
