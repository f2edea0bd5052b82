//! Which operations a key answers in which state.

use crate::engine::store::keys::{Key, Transition};
use crate::engine::wire::{Code, Failure};
use crate::model::{Operation, Origin};

/// A state of a key that keeps operations from happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    PendingDeletion,
    Creating,
    Updating,
    PendingImport,
    Unavailable,
    Disabled,
}

/// Fails when the key's state does not let the operation happen.
pub(super) fn check(key: &Key, operation: Operation) -> Result<(), Failure> {
    check_origin(key, operation)?;
    if operation == Operation::CancelKeyDeletion && !Obstacle::PendingDeletion.is_in_the_way(key) {
        return Err(Failure::new(
            Code::InvalidState,
            format!(
                "{} is not pending deletion (or pending replica deletion).",
                key.arn
            ),
        ));
    }
    let obstacles = obstacles(operation);
    match obstacles.iter().find(|one| one.is_in_the_way(key)) {
        Some(obstacle) => Err(obstacle.failure(key, operation)),
        None => Ok(()),
    }
}

/// What keeps an operation from happening; KMS Developer Guide, "Key states of AWS KMS keys".
fn obstacles(operation: Operation) -> &'static [Obstacle] {
    use Obstacle::{Creating, Disabled, PendingDeletion, PendingImport, Unavailable, Updating};
    if operation.is_cryptographic() {
        return &[
            PendingDeletion,
            Creating,
            PendingImport,
            Unavailable,
            Disabled,
        ];
    }
    if ENABLED.contains(&operation) {
        return &[PendingDeletion, Creating, PendingImport, Disabled];
    }
    if NOT_PENDING_DELETION.contains(&operation) {
        return &[PendingDeletion];
    }
    if matches!(operation, Operation::EnableKey | Operation::DisableKey) {
        return &[PendingDeletion, Creating, Updating, PendingImport];
    }
    if operation == Operation::ReplicateKey {
        return &[PendingDeletion, Creating, Updating, PendingImport, Disabled];
    }
    if operation == Operation::ScheduleKeyDeletion {
        return &[PendingDeletion, Updating];
    }
    if operation == Operation::GetParametersForImport {
        return &[PendingDeletion, Creating, Updating];
    }
    if operation == Operation::ImportKeyMaterial {
        return &[PendingDeletion, Creating];
    }
    if operation == Operation::DeleteImportedKeyMaterial {
        return &[Creating, Updating];
    }
    &[]
}

const ENABLED: &[Operation] = &[
    Operation::CreateGrant,
    Operation::DisableKeyRotation,
    Operation::EnableKeyRotation,
    Operation::GetPublicKey,
    Operation::RotateKeyOnDemand,
    Operation::UpdatePrimaryRegion,
];

const NOT_PENDING_DELETION: &[Operation] = &[
    Operation::CreateAlias,
    Operation::TagResource,
    Operation::UntagResource,
    Operation::UpdateAlias,
    Operation::UpdateKeyDescription,
];

impl Obstacle {
    fn is_in_the_way(self, key: &Key) -> bool {
        match self {
            Self::PendingDeletion => key.deletion.is_some() || key.deletion_window.is_some(),
            Self::Creating => key.transition == Some(Transition::Creating),
            Self::Updating => key.transition == Some(Transition::Updating),
            Self::PendingImport => !key.complete,
            Self::Unavailable => !key.available,
            Self::Disabled => !key.enabled,
        }
    }

    fn failure(self, key: &Key, operation: Operation) -> Failure {
        let (code, what) = match self {
            Self::PendingDeletion if operation.is_cryptographic() => {
                (Code::InvalidState, "is pending deletion.")
            }
            Self::PendingDeletion => (
                Code::InvalidState,
                "is pending deletion (or pending replica deletion).",
            ),
            Self::Creating => (Code::InvalidState, "is creating."),
            Self::Updating => (Code::InvalidState, "is updating."),
            Self::PendingImport => (Code::InvalidState, "is pending import."),
            Self::Unavailable => (Code::InvalidState, "is unavailable."),
            Self::Disabled => (Code::Disabled, "is disabled."),
        };
        Failure::new(code, format!("{} {what}", key.arn))
    }
}

const AUTOMATIC_ROTATION: &[Operation] = &[
    Operation::EnableKeyRotation,
    Operation::DisableKeyRotation,
    Operation::GetKeyRotationStatus,
];

const OUTSIDE_KEY_STORES: &[Operation] = &[
    Operation::RotateKeyOnDemand,
    Operation::GenerateDataKeyPair,
    Operation::GenerateDataKeyPairWithoutPlaintext,
];

const IMPORT: &[Operation] = &[
    Operation::GetParametersForImport,
    Operation::ImportKeyMaterial,
    Operation::DeleteImportedKeyMaterial,
];

/// Some operations are for keys of some origins.
fn check_origin(key: &Key, operation: Operation) -> Result<(), Failure> {
    let fits = if AUTOMATIC_ROTATION.contains(&operation) {
        key.origin == Origin::AwsKms
    } else if OUTSIDE_KEY_STORES.contains(&operation) {
        key.store.is_none()
    } else if IMPORT.contains(&operation) {
        key.origin == Origin::External
    } else {
        true
    };
    if fits {
        return Ok(());
    }
    Err(Failure::new(
        Code::UnsupportedOperation,
        format!(
            "{} origin is {} which is not valid for this operation.",
            key.arn, key.origin
        ),
    ))
}
