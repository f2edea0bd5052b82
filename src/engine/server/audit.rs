//! The audit log: one line of JSON for each call, with `CloudTrail`'s names where it has one.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::engine::caller::Caller;
use crate::engine::record::{Record, Ruling};
use crate::model::Principal;
use crate::policy::{Ground, Outcome, Source};

/// How many records wait for the disk before calls do.
const WAITING: usize = 1024;

/// Where calls are written down, each as a line of JSON.
#[derive(Debug)]
pub struct AuditLog {
    records: Mutex<Option<mpsc::Sender<Arc<Record>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl AuditLog {
    /// A log that goes to a writer; must be made where the runtime is.
    pub fn to(out: impl Write + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let writer = tokio::task::spawn_blocking(move || write_all(out, receiver));
        Self {
            records: Mutex::new(Some(sender)),
            writer: Mutex::new(Some(writer)),
        }
    }

    /// Takes a record; waits while the disk is behind.
    pub(super) async fn write(&self, record: Arc<Record>) {
        let sender = self
            .records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(sender) = sender {
            // The writer ends early only when its file does, and calls go on then.
            let _sent = sender.send(record).await;
        }
    }

    /// Waits until everything is written.
    pub(super) async fn finish(&self) {
        drop(
            self.records
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            let _ended = writer.await;
        }
    }
}

fn write_all(mut out: impl Write, mut records: mpsc::Receiver<Arc<Record>>) {
    let mut written = Ok(());
    while let (Ok(()), Some(record)) = (&written, records.blocking_recv()) {
        written = write_waiting(&mut out, &record, &mut records);
    }
}

/// Writes a record and those behind it, and only then makes sure that they are out.
fn write_waiting(
    out: &mut impl Write,
    record: &Record,
    records: &mut mpsc::Receiver<Arc<Record>>,
) -> io::Result<()> {
    writeln!(out, "{}", entry(record))?;
    while let Ok(record) = records.try_recv() {
        writeln!(out, "{}", entry(&record))?;
    }
    out.flush()
}

/// A record as `CloudTrail` would show it, and what decided it.
fn entry(record: &Record) -> Value {
    let Record {
        request_id,
        time,
        service,
        operation,
        caller,
        rulings,
        error,
    } = record;
    let mut entry = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            entry.insert(name.to_owned(), value);
        }
    };
    put("eventTime", time.to_string().into());
    put("requestID", request_id.as_str().into());
    put(
        "eventSource",
        format!("{}.amazonaws.com", service.name()).into(),
    );
    put("eventName", operation.as_str().into());
    if let Some(caller) = caller {
        put("awsRegion", caller.region.as_str().into());
        put("userIdentity", identity(caller));
        put("sourceIPAddress", fact(caller, "aws:SourceIp"));
        put("userAgent", fact(caller, "aws:UserAgent"));
    }
    if let Some(error) = error {
        put("errorCode", error.code.as_str().into());
        put("errorMessage", error.message.clone().into());
    }
    let keys = rulings.iter().filter_map(|ruling| ruling.key.as_ref());
    let resources: Vec<Value> = keys
        .map(|key| json!({"ARN": key.to_string(), "accountId": key.place.account.as_str(), "type": "AWS::KMS::Key"}))
        .collect();
    if !resources.is_empty() {
        put("resources", resources.into());
    }
    let decisions: Vec<Value> = rulings.iter().map(decision).collect();
    if !decisions.is_empty() {
        put("decisions", decisions.into());
    }
    entry.into()
}

fn identity(caller: &Caller) -> Value {
    let kind = match &caller.principal {
        Principal::Account(..) => "Root",
        Principal::User(_) => "IAMUser",
        Principal::Role(_) => "Role",
        Principal::Session(_) => "AssumedRole",
        Principal::Federated(_) => "FederatedUser",
        Principal::Service(_) => "AWSService",
        Principal::Anyone | Principal::Deleted(_) => "Unknown",
    };
    let mut identity = json!({
        "type": kind,
        "arn": caller.principal.to_string(),
        "accountId": caller.account.as_str(),
    });
    if let Some(members) = identity.as_object_mut() {
        let known = [
            ("principalId", fact(caller, "aws:userid")),
            ("accessKeyId", caller.access_key.clone().into()),
        ];
        let known = known.into_iter().filter(|(_, value)| !value.is_null());
        members.extend(known.map(|(name, value)| (name.to_owned(), value)));
        let session = caller.session.as_deref();
        if let Some(who) = session.and_then(|session| session.source_identity.as_deref()) {
            members.insert("sessionContext".to_owned(), json!({"sourceIdentity": who}));
        }
    }
    identity
}

fn fact(caller: &Caller, key: &str) -> Value {
    let values = caller.facts.get(key).unwrap_or_default();
    values.first().cloned().into()
}

fn decision(ruling: &Ruling) -> Value {
    let outcome = match ruling.answer.outcome {
        Outcome::Allowed => "allowed",
        Outcome::ExplicitlyDenied => "explicitly denied",
        Outcome::ImplicitlyDenied => "not allowed",
    };
    let by: Vec<Value> = ruling.answer.by.iter().map(ground).collect();
    let mut decision = json!({
        "action": ruling.action,
        "resource": ruling.resource,
        "decision": outcome,
        "by": by,
    });
    if let (Some(members), Some(denial)) = (decision.as_object_mut(), &ruling.answer.denial) {
        members.insert("reason".to_owned(), denial.to_string().into());
    }
    decision
}

fn ground(ground: &Ground) -> Value {
    match ground {
        Ground::Grant(id) => json!({"grantId": id}),
        Ground::Statement { source, index, sid } => {
            let policy = match source {
                Source::Key => "resource".to_owned(),
                Source::Identity(at) => format!("identity[{at}]"),
                Source::Boundary => "boundary".to_owned(),
                Source::Session(at) => format!("session[{at}]"),
            };
            match sid {
                Some(sid) => json!({"policy": policy, "statement": index, "sid": sid}),
                None => json!({"policy": policy, "statement": index}),
            }
        }
    }
}
