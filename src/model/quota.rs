//! AWS's request quotas.

use super::Operation;

/// Requests a second that AWS accepts by default, per account and Region; KMS Developer Guide, "Request quotas", 2026.
const QUOTAS: &[(Operation, u32)] = &[
    (Operation::CreateAlias, 5),
    (Operation::CreateGrant, 50),
    (Operation::DeleteAlias, 15),
    (Operation::DeleteImportedKeyMaterial, 15),
    (Operation::DescribeKey, 2000),
    (Operation::EnableKeyRotation, 15),
    (Operation::GetKeyPolicy, 1000),
    (Operation::GetKeyRotationStatus, 1000),
    (Operation::GetParametersForImport, 1),
    (Operation::GetPublicKey, 2000),
    (Operation::ImportKeyMaterial, 15),
    (Operation::ListAliases, 500),
    (Operation::ListGrants, 100),
    (Operation::ListKeyPolicies, 100),
    (Operation::ListKeyRotations, 100),
    (Operation::ListKeys, 500),
    (Operation::ListResourceTags, 2000),
    (Operation::ListRetirableGrants, 100),
    (Operation::PutKeyPolicy, 15),
    (Operation::RetireGrant, 50),
    (Operation::RevokeGrant, 50),
    (Operation::ScheduleKeyDeletion, 15),
    (Operation::TagResource, 10),
];

/// Of operations that use key material with keys of one kind together, where nothing says more.
const CRYPTOGRAPHIC: u32 = 10_000;
/// Of every other operation.
const OTHER: u32 = 5;

impl Operation {
    /// Requests a second that AWS accepts by default, per account and Region.
    pub fn quota(self) -> u32 {
        let listed = QUOTAS.iter().find(|(operation, _)| *operation == self);
        match listed {
            Some((_, quota)) => *quota,
            None if self.is_cryptographic() || self == Self::GenerateRandom => CRYPTOGRAPHIC,
            None => OTHER,
        }
    }
}
