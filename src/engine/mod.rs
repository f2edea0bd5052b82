//! The bundled KMS: bytes in, bytes out, with real keys and AWS's own errors.
//!
//! A request's way: [`Caller`] reads whose it is, `wire` reads its members, `operation` does it on `store` with
//! `crypto`, and `wire` writes the answer. The engine opens no sockets and has no threads; time and randomness are
//! handed in.

mod clock;
mod entropy;
mod caller;
mod interceptor;
mod wire;
mod crypto;
mod store;
mod operation;
mod sts;
mod connector;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use camino::Utf8PathBuf;
use http::{Request, Response};

use crate::model::AccountId;

pub use caller::Caller;
pub use clock::{Clock, SystemClock};
pub use connector::connector;
pub use entropy::{Entropy, NoEntropy, SystemEntropy};
pub use interceptor::{Call, Interceptor};
pub use store::OpenError;

use store::Database;
use wire::{Code, Failure};

/// Where an engine keeps its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// In memory, as long as the engine lives.
    Memory,
    /// In a database file, with the master key in a `.key` file beside it.
    File(Utf8PathBuf),
}

/// What an engine is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where keys are kept.
    pub store: Store,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The account of callers whose access key id is not an account id.
    pub default_account: AccountId,
    /// A hook around every call.
    pub interceptor: Option<Arc<dyn Interceptor>>,
}

impl Settings {
    /// An engine with the machine's own clock and randomness.
    #[must_use]
    pub fn new(store: Store, default_account: AccountId) -> Self {
        Self {
            store,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            default_account,
            interceptor: None,
        }
    }
}

/// A KMS for any number of accounts and Regions.
#[derive(Debug)]
pub struct Engine {
    database: Database,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    default_account: AccountId,
    interceptor: Option<Arc<dyn Interceptor>>,
    calls: AtomicU64,
}

impl Engine {
    /// Opens the store, or makes it.
    pub fn open(settings: Settings) -> Result<Self, OpenError> {
        let Settings {
            store,
            clock,
            entropy,
            default_account,
            interceptor,
        } = settings;
        let database = match store {
            Store::Memory => Database::in_memory(&*entropy)?,
            Store::File(path) => Database::in_file(&path, &*entropy)?,
        };
        Ok(Self {
            database,
            clock,
            entropy,
            default_account,
            interceptor,
            calls: AtomicU64::new(0),
        })
    }

    /// Answers one request; every fault is an answer too.
    pub fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let request_id = match entropy::uuid(&*self.entropy) {
            Ok(request_id) => request_id,
            Err(error) => return wire::respond(Err(error.into()), ""),
        };
        let caller = match Caller::of(request.headers(), self.default_account) {
            Ok(caller) => caller,
            Err(failure) => return wire::respond(Err(failure), &request_id),
        };
        let (parts, body) = request.into_parts();
        let target = Target::of(&parts, &body);
        let call = Call {
            operation: target.name(),
            number: self.calls.fetch_add(1, Ordering::Relaxed) + 1,
            caller: &caller,
        };
        if let Some(answer) = self
            .interceptor
            .as_ref()
            .and_then(|hook| hook.before(&call))
        {
            return answer;
        }
        let response = self.answer(&target, &body, &caller, &request_id);
        match &self.interceptor {
            Some(hook) => hook.after(&call, response),
            None => response,
        }
    }

    fn answer(
        &self,
        target: &Target<'_>,
        body: &[u8],
        caller: &Caller,
        request_id: &str,
    ) -> Response<Bytes> {
        let handler = match target {
            Target::Sts(action) => return sts::answer(action, caller, request_id),
            Target::Kms(name) => operation::find(name),
            Target::Unknown => None,
        };
        let context = operation::Context {
            database: &self.database,
            entropy: &*self.entropy,
            caller,
            now: self.clock.now(),
            request_id,
        };
        let outcome = handler
            .ok_or_else(|| Failure::silent(Code::UnknownOperation))
            .and_then(|handler| handler(&context, body));
        wire::respond(outcome, request_id)
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
enum Target<'a> {
    Kms(&'a str),
    Sts(&'a str),
    Unknown,
}

impl<'a> Target<'a> {
    /// KMS names its operation in a header, STS in the body.
    fn of(parts: &'a http::request::Parts, body: &'a [u8]) -> Self {
        if parts.method != http::Method::POST {
            return Self::Unknown;
        }
        match parts.headers.get("x-amz-target") {
            Some(target) => target
                .to_str()
                .ok()
                .and_then(|target| target.strip_prefix("TrentService."))
                .map_or(Self::Unknown, Self::Kms),
            None => sts::action(body).map_or(Self::Unknown, Self::Sts),
        }
    }

    fn name(self) -> &'a str {
        match self {
            Self::Kms(name) | Self::Sts(name) => name,
            Self::Unknown => "",
        }
    }
}
