//! The bundled KMS: bytes in, bytes out, with real keys and AWS's own errors.
//!
//! A request's way: [`Caller`] reads whose it is, `wire` reads its members, `operation` does it on `store` with
//! `crypto`, and `wire` writes the answer. The engine opens no sockets and has no threads; time and randomness are
//! handed in.

mod clock;
mod entropy;
mod credentials;
mod session;
mod caller;
mod record;
mod interceptor;
mod chaos;
mod wire;
mod crypto;
mod store;
mod target;
mod identify;
mod parsed;
mod authorize;
mod operation;
mod iam;
mod sts;
mod custody;
mod connector;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use camino::Utf8PathBuf;
use http::request::Parts;
use http::{Request, Response};
use jiff::Timestamp;

use crate::model::AccountId;

pub use caller::Caller;
pub use chaos::{Chaos, ChaosError};
pub use clock::{Clock, SystemClock};
pub use connector::{connector, connector_as, connector_as_root};
pub use credentials::Credentials;
pub use custody::{CustodyError, Holdings, IssuedKeys};
pub use entropy::{Entropy, NoEntropy, SystemEntropy};
pub use interceptor::{Call, Interceptor};
pub use record::{Record, RecordedError, Ruling, Service};
pub use server::{AuditLog, BLOCKING_THREADS, Limits, ServerSettings, Tls, TlsError, serve};
pub use session::Session;
pub use store::{MasterSecret, NoMasterSecret, OpenError, is_in_use};

use authorize::Carried;
use chaos::{Lag, Luck, Turmoil};
use identify::Asked;
use operation::Patience;
use parsed::Parsed;
use store::Database;
use target::Target;
use wire::{Code, Failure};

/// Where an engine keeps its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// In memory, as long as the engine lives.
    Memory,
    /// In a database file; its master key is given, or in a `.key` file beside it.
    File(Utf8PathBuf),
}

/// How strict an engine is where AWS is and a desk need not be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// How callers are known.
    pub credentials: Credentials,
    /// Which principals policies and grants may name.
    pub principals: Principals,
}

/// Which principals policies and grants may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Principals {
    /// Any that could exist.
    #[default]
    Any,
    /// Only users and roles that the engine has.
    Existing,
}

/// What an engine is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where keys are kept.
    pub store: Store,
    /// The master key of a file, where none is to be kept beside it.
    pub master_key: Option<MasterSecret>,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The account of callers whose access key id is not an account id.
    pub default_account: AccountId,
    /// How strict the engine is.
    pub rules: Rules,
    /// A hook around every call.
    pub interceptor: Option<Arc<dyn Interceptor>>,
    /// Misbehaviour on purpose.
    pub chaos: Option<Chaos>,
}

impl Settings {
    /// An engine with the machine's own clock and randomness.
    #[must_use]
    pub fn new(store: Store, default_account: AccountId) -> Self {
        Self {
            store,
            master_key: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            default_account,
            rules: Rules::default(),
            interceptor: None,
            chaos: None,
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
    rules: Rules,
    interceptor: Option<Arc<dyn Interceptor>>,
    turmoil: Option<Turmoil>,
    parsed: Parsed,
    calls: AtomicU64,
}

impl Engine {
    /// Opens the store, or makes it.
    pub fn open(settings: Settings) -> Result<Self, OpenError> {
        let Settings {
            store,
            master_key,
            clock,
            entropy,
            default_account,
            rules,
            interceptor,
            chaos,
        } = settings;
        let database = match store {
            Store::Memory => Database::in_memory(&*entropy)?,
            Store::File(path) => Database::in_file(&path, master_key.as_ref(), &*entropy)?,
        };
        Ok(Self {
            database,
            clock,
            entropy,
            default_account,
            rules,
            interceptor,
            turmoil: chaos.map(Turmoil::new),
            parsed: Parsed::default(),
            calls: AtomicU64::new(0),
        })
    }

    /// Answers one request; every fault is an answer too. What became of it is in the answer's extensions, as a
    /// [`Record`].
    pub fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (parts, body) = request.into_parts();
        self.answer_with(&parts, &body, Patience::Waits).0
    }

    /// The answer to a request that can be answered without waiting for a disk or for anyone.
    pub(crate) fn handle_at_once(&self, parts: &Parts, body: &[u8]) -> Option<Response<Bytes>> {
        let target = parts.headers.get("x-amz-target")?.as_bytes();
        let is_disturbed = self.interceptor.is_some() || self.turmoil.is_some();
        if is_disturbed || !operation::QUICK.contains(&target) {
            return None;
        }
        let (response, is_postponed) = self.answer_with(parts, body, Patience::Hurries);
        (!is_postponed).then_some(response)
    }

    /// Answers a request, and says whether that has to be done again with more patience.
    fn answer_with(
        &self,
        parts: &Parts,
        body: &[u8],
        patience: Patience,
    ) -> (Response<Bytes>, bool) {
        let request_id = match entropy::uuid(&*self.entropy) {
            Ok(request_id) => request_id,
            Err(error) => return (wire::respond(Err(error.into()), ""), false),
        };
        let now = self.clock.now();
        let target = Target::of(parts, body);
        let asked = Asked {
            service: (!target.name().is_empty()).then(|| target.service()),
            operation: target.name(),
        };
        let caller = match identify::identify(self, parts, body, asked, now) {
            Ok(caller) => caller,
            Err(failure) => {
                let sheet = Sheet::new(now, &request_id, &target);
                return (sheet.close(Err(failure)), false);
            }
        };
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
            return (answer, false);
        }
        let mut sheet = Sheet::new(now, &request_id, &target);
        sheet.patience = patience;
        let luck = self.luck(&call);
        let fate = luck.as_ref().map(Luck::fate);
        let outcome = self.spare(luck.as_ref(), &call, now).and_then(|()| {
            sheet.luck = luck;
            self.answer(&mut sheet, body, &caller)
        });
        let is_postponed = sheet.is_postponed;
        let mut response = if let Some(hook) = &self.interceptor {
            sheet.caller = Some(caller.clone());
            hook.after(&call, sheet.close(outcome))
        } else {
            sheet.caller = Some(caller);
            sheet.close(outcome)
        };
        if let Some(fate) = fate {
            response.extensions_mut().insert(fate);
        }
        (response, is_postponed)
    }

    /// True while the state can be read.
    pub(crate) fn is_well(&self) -> bool {
        self.database.touch().is_ok()
    }

    fn luck(&self, call: &Call<'_>) -> Option<Luck> {
        let turmoil = self.turmoil.as_ref()?;
        Some(turmoil.luck(call.number, call.operation))
    }

    /// Fails a call that chaos does not spare.
    fn spare(&self, luck: Option<&Luck>, call: &Call<'_>, now: Timestamp) -> Result<(), Failure> {
        match (&self.turmoil, luck) {
            (Some(turmoil), Some(luck)) => {
                turmoil.check(luck, call.operation, &call.caller.place(), now)
            }
            (None, _) | (_, None) => Ok(()),
        }
    }

    fn answer(
        &self,
        sheet: &mut Sheet<'_>,
        body: &[u8],
        caller: &Caller,
    ) -> Result<Output, Failure> {
        let luck = sheet.luck.take();
        let since = luck
            .as_ref()
            .and_then(|luck| luck.blind_since(Lag::Principals, sheet.now));
        let carried = Carried::load(&self.database, &self.parsed, caller, since)?;
        let moment = (sheet.now, sheet.request_id);
        let context = operation::Context {
            patience: sheet.patience,
            luck,
            ..self.context(caller, moment, body, carried)
        };
        let outcome = match sheet.target {
            Target::Json(name) => operation::find(name)
                .ok_or_else(|| Failure::silent(Code::UnknownOperation))
                .and_then(|handler| handler(&context))
                .map(Output::Json),
            Target::Query(service, name, form) => match service {
                Service::Iam => iam::find(name),
                Service::Sts | Service::Kms => sts::find(name),
            }
            .ok_or_else(|| {
                let message = format!("Could not find operation {name}");
                Failure::new(Code::InvalidAction, message)
            })
            .and_then(|action| action(&context, form))
            .map(Output::Query),
        };
        sheet.is_postponed = context.is_postponed.get();
        sheet.rulings = context.rulings.into_inner();
        outcome
    }
}

/// What an operation answers with.
enum Output {
    Json(Bytes),
    Query(Option<wire::Xml>),
}

/// What is written down of a call while it goes on.
struct Sheet<'a> {
    now: Timestamp,
    request_id: &'a str,
    target: &'a Target,
    caller: Option<Caller>,
    rulings: Vec<Ruling>,
    luck: Option<Luck>,
    patience: Patience,
    is_postponed: bool,
}

impl<'a> Sheet<'a> {
    fn new(now: Timestamp, request_id: &'a str, target: &'a Target) -> Self {
        Self {
            now,
            request_id,
            target,
            caller: None,
            rulings: Vec::new(),
            luck: None,
            patience: Patience::Waits,
            is_postponed: false,
        }
    }

    /// Makes the answer, with the record of the call beside it.
    fn close(self, outcome: Result<Output, Failure>) -> Response<Bytes> {
        let Self {
            now,
            request_id,
            target,
            caller,
            rulings,
            luck: _,
            patience: _,
            is_postponed: _,
        } = self;
        // A name that a client made up is not written down.
        let operation = match target {
            Target::Json(name) => operation::find(name).map(|_| name),
            Target::Query(Service::Iam, name, _) => iam::find(name).map(|_| name),
            Target::Query(Service::Sts | Service::Kms, name, _) => sts::find(name).map(|_| name),
        };
        let record = Record {
            request_id: request_id.to_owned(),
            time: now,
            service: target.service(),
            operation: operation.cloned().unwrap_or_default(),
            caller,
            rulings,
            error: outcome
                .as_ref()
                .err()
                .map(|failure| recorded(failure, target)),
        };
        let mut response = match (target, outcome) {
            (Target::Json(_), Ok(Output::Json(body))) => wire::respond(Ok(body), request_id),
            (Target::Json(_), Ok(Output::Query(_))) => wire::respond(Ok(Bytes::new()), request_id),
            (Target::Json(_), Err(failure)) => wire::respond(Err(failure), request_id),
            (Target::Query(service, action, _), outcome) => {
                let outcome = outcome.map(|output| match output {
                    Output::Query(result) => result,
                    Output::Json(_) => None,
                });
                wire::respond_query(*service, action, outcome, request_id)
            }
        };
        response.extensions_mut().insert(Arc::new(record));
        response
    }
}

fn recorded(failure: &Failure, target: &Target) -> RecordedError {
    let code = match target {
        Target::Json(_) => failure.code.name(),
        Target::Query(..) => failure.code.query_name(),
    };
    let is_told = failure.code == Code::AccessDenied;
    RecordedError {
        code: code.to_owned(),
        message: failure.message.clone().filter(|_| is_told),
    }
}
