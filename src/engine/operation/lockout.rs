//! The lock-out safety check: whoever writes a key policy must be able to write the next one.

use crate::engine::store::keys::Key;
use crate::policy::{self, Document, Level, Request};

use super::Context;

/// True when the caller may put another policy under this one.
///
/// The callers are root users of accounts, for whom a delegation to the account is enough.
pub(super) fn keeps_access(context: &Context<'_>, key: &Key, document: &Document) -> bool {
    let facts = policy::Context::new()
        .with("kms:PolicyName", "default")
        .with("kms:KeySpec", key.kind.spec.as_str())
        .with("kms:KeyUsage", key.kind.usage.as_str())
        .with("kms:KeyOrigin", key.origin.as_str())
        .with("kms:MultiRegion", key.multi_region.is_some().to_string())
        .with("aws:RequestedRegion", context.caller.region.as_str())
        .with("aws:ResourceAccount", key.arn.place.account.as_str())
        .with("aws:CurrentTime", context.now.to_string())
        .with("aws:EpochTime", context.now.as_second().to_string());
    let request = Request {
        caller: &context.caller.principal,
        action: "kms:PutKeyPolicy",
        key: &key.arn,
        context: &facts,
    };
    match policy::evaluate(document, &request).level {
        Level::Direct | Level::Delegated => true,
        Level::None | Level::Deny => false,
    }
}
