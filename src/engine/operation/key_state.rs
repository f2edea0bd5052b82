//! Which operations a key answers in which state.

use crate::engine::store::keys::Key;
use crate::engine::wire::{Code, Failure};
use crate::model::{KeyState, Operation, Origin};

/// What an operation demands of a key's state; KMS Developer Guide, "Key states of AWS KMS keys".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    Anything,
    PendingDeletion,
    NotPendingDeletion,
    NotPending,
    Enabled,
}

/// Fails when the key's state does not let the operation happen.
pub(super) fn check(key: &Key, operation: Operation) -> Result<(), Failure> {
    if key.origin == Origin::External && ROTATION.contains(&operation) {
        return Err(Failure::new(
            Code::UnsupportedOperation,
            format!(
                "{} origin is EXTERNAL which is not valid for this operation.",
                key.arn
            ),
        ));
    }
    let wrong = |code, what: &str| Err(Failure::new(code, format!("{} {what}", key.arn)));
    let pending_deletion = key.state() == KeyState::PendingDeletion;
    let pending_import = key.state() == KeyState::PendingImport;
    match demand(operation) {
        Demand::PendingDeletion if !pending_deletion => wrong(
            Code::InvalidState,
            "is not pending deletion (or pending replica deletion).",
        ),
        Demand::Anything | Demand::PendingDeletion => Ok(()),
        _ if pending_deletion && operation.is_cryptographic() => {
            wrong(Code::InvalidState, "is pending deletion.")
        }
        _ if pending_deletion => wrong(
            Code::InvalidState,
            "is pending deletion (or pending replica deletion).",
        ),
        Demand::NotPending | Demand::Enabled if pending_import => {
            wrong(Code::InvalidState, "is pending import.")
        }
        Demand::Enabled if !key.enabled => wrong(Code::Disabled, "is disabled."),
        Demand::NotPendingDeletion | Demand::NotPending | Demand::Enabled => Ok(()),
    }
}

/// Automatic rotation, which imported material does not have.
const ROTATION: &[Operation] = &[
    Operation::EnableKeyRotation,
    Operation::DisableKeyRotation,
    Operation::GetKeyRotationStatus,
];

fn demand(operation: Operation) -> Demand {
    const NOT_PENDING_DELETION: &[Operation] = &[
        Operation::CreateAlias,
        Operation::ScheduleKeyDeletion,
        Operation::TagResource,
        Operation::UntagResource,
        Operation::UpdateAlias,
        Operation::UpdateKeyDescription,
    ];
    const ENABLED: &[Operation] = &[
        Operation::CreateGrant,
        Operation::DisableKeyRotation,
        Operation::EnableKeyRotation,
        Operation::GetPublicKey,
        Operation::RotateKeyOnDemand,
    ];
    if operation == Operation::CancelKeyDeletion {
        Demand::PendingDeletion
    } else if NOT_PENDING_DELETION.contains(&operation) {
        Demand::NotPendingDeletion
    } else if matches!(operation, Operation::EnableKey | Operation::DisableKey) {
        Demand::NotPending
    } else if operation.is_cryptographic() || ENABLED.contains(&operation) {
        Demand::Enabled
    } else {
        Demand::Anything
    }
}
