//! What became of one call, for audit logs and figures; it travels beside the answer.

use jiff::Timestamp;

use crate::model::KeyArn;
use crate::policy::Answer;

use super::caller::Caller;

/// What became of one call.
///
/// Nothing in it is secret: no plaintext, no key material, no grant token, no credentials but an access key's id.
#[derive(Clone, Debug)]
pub struct Record {
    /// The id that the answer carries.
    pub request_id: String,
    /// When the call came.
    pub time: Timestamp,
    /// Which service was called.
    pub service: Service,
    /// What was called; empty where the service has no such operation.
    pub operation: String,
    /// Who called, where that could be found out.
    pub caller: Option<Caller>,
    /// What was decided about it, in order.
    pub rulings: Vec<Ruling>,
    /// The error that was answered.
    pub error: Option<RecordedError>,
}

/// The services that the engine stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Keys.
    Kms,
    /// Users, roles, groups and their policies.
    Iam,
    /// Who calls, and as whom else.
    Sts,
}

impl Service {
    /// The name in signatures and in policies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }
}

/// One decision on the way of a call.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// What was asked for, such as `kms:Decrypt`.
    pub action: String,
    /// On what.
    pub resource: String,
    /// The key, where the resource is one.
    pub key: Option<KeyArn>,
    /// What was decided, and by what.
    pub answer: Answer,
}

/// An error as it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedError {
    /// Its code.
    pub code: String,
    /// Its text, only where it says who may not do what; others repeat members of the request.
    pub message: Option<String>,
}
