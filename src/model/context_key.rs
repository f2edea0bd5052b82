//! What AWS documents of condition keys: what their values are, and which operations come with them.

use super::Operation;

/// What the values of a condition key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextValue {
    /// Text, an ARN included.
    Text,
    /// `true` or `false`.
    Truth,
    /// Numbers.
    Number,
    /// Points in time.
    Date,
    /// IP addresses.
    Address,
    /// Several texts at once.
    Texts,
}

/// What the values of a condition key are; text where nobody says otherwise. Case does not distinguish keys.
///
/// Service Authorization Reference for KMS and IAM's page on global condition keys, 2026-09.
pub fn context_value(key: &str) -> ContextValue {
    match key.to_ascii_lowercase().as_str() {
        "kms:bypasspolicylockoutsafetycheck"
        | "kms:grantisforawsresource"
        | "kms:multiregion"
        | "kms:reencryptonsamekey"
        | "aws:multifactorauthpresent"
        | "aws:principalisawsservice"
        | "aws:securetransport"
        | "aws:viaawsservice" => ContextValue::Truth,
        "kms:rotationperiodindays"
        | "kms:schedulekeydeletionpendingwindowindays"
        | "kms:trailingdayswithoutkeyusage"
        | "aws:multifactorauthage" => ContextValue::Number,
        "kms:validto" | "aws:currenttime" | "aws:epochtime" | "aws:tokenissuetime" => {
            ContextValue::Date
        }
        "aws:sourceip" | "aws:vpcsourceip" => ContextValue::Address,
        "kms:encryptioncontextkeys"
        | "kms:grantoperations"
        | "kms:resourcealiases"
        | "aws:calledvia"
        | "aws:principalorgpaths"
        | "aws:principalservicenameslist"
        | "aws:resourceorgpaths"
        | "aws:sourceorgpaths"
        | "aws:tagkeys" => ContextValue::Texts,
        _ => ContextValue::Text,
    }
}

impl Operation {
    /// True when a request for this operation can have a condition key; case does not distinguish keys.
    ///
    /// Keys of which nothing is documented come with every operation.
    pub fn can_carry(self, key: &str) -> bool {
        let key = key.to_ascii_lowercase();
        carriers(&key).is_none_or(|carriers| carriers.contains(&self))
    }
}

/// Condition keys of KMS that come with every operation on a key, in lower case.
const OF_EVERY_OPERATION: [&str; 10] = [
    "kms:calleraccount",
    "kms:customermasterkeyspec",
    "kms:customermasterkeyusage",
    "kms:keyorigin",
    "kms:keyspec",
    "kms:keyusage",
    "kms:multiregion",
    "kms:multiregionkeytype",
    "kms:resourcealiases",
    "kms:viaservice",
];

/// True for the condition keys of KMS itself that AWS documents; case does not distinguish keys.
pub fn is_key_of_kms(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let key = key.as_str();
    key.starts_with("kms:") && (carriers(key).is_some() || OF_EVERY_OPERATION.contains(&key))
}

/// The operations that come with a condition key, in lower case; `None` for any.
fn carriers(key: &str) -> Option<&'static [Operation]> {
    use Operation as Op;
    Some(match key {
        "kms:bypasspolicylockoutsafetycheck" => &[Op::CreateKey, Op::PutKeyPolicy],
        "kms:datakeypairspec" => &[
            Op::GenerateDataKeyPair,
            Op::GenerateDataKeyPairWithoutPlaintext,
        ],
        "kms:encryptionalgorithm" => &ENCRYPTION,
        "kms:encryptioncontextkeys" => &SYMMETRIC,
        "kms:expirationmodel" | "kms:validto" => &[Op::ImportKeyMaterial],
        "kms:grantconstrainttype" => &[Op::CreateGrant, Op::RetireGrant],
        "kms:grantconstraintsourcearn"
        | "kms:grantoperations"
        | "kms:granteeprincipal"
        | "kms:granteeserviceprincipal"
        | "kms:retiringprincipal"
        | "kms:retiringserviceprincipal" => &[Op::CreateGrant],
        "kms:grantisforawsresource" => &[Op::CreateGrant, Op::ListGrants, Op::RevokeGrant],
        "kms:keyagreementalgorithm" => &[Op::DeriveSharedSecret],
        "kms:macalgorithm" => &[Op::GenerateMac, Op::VerifyMac],
        "kms:messagetype" | "kms:signingalgorithm" => &[Op::Sign, Op::Verify],
        "kms:policyname" => &[Op::GetKeyPolicy, Op::PutKeyPolicy],
        "kms:primaryregion" => &[Op::UpdatePrimaryRegion],
        "kms:reencryptonsamekey" => &[Op::ReEncryptFrom, Op::ReEncryptTo],
        "kms:replicaregion" => &[Op::ReplicateKey],
        "kms:requestalias" => &WITH_ALIAS,
        "kms:rotationperiodindays" => &[Op::EnableKeyRotation],
        "kms:schedulekeydeletionpendingwindowindays" => &[Op::ScheduleKeyDeletion],
        "kms:trailingdayswithoutkeyusage" => &[Op::DisableKey, Op::ScheduleKeyDeletion],
        "kms:wrappingalgorithm" | "kms:wrappingkeyspec" => &[Op::GetParametersForImport],
        "aws:tagkeys" => &[Op::CreateKey, Op::TagResource, Op::UntagResource],
        _ if key.starts_with("kms:encryptioncontext:") => &SYMMETRIC,
        _ if key.starts_with("kms:recipientattestation:") => &[
            Op::Decrypt,
            Op::DeriveSharedSecret,
            Op::GenerateDataKey,
            Op::GenerateDataKeyPair,
            Op::GenerateRandom,
        ],
        _ if key.starts_with("aws:requesttag/") => {
            &[Op::CreateKey, Op::TagResource, Op::UntagResource]
        }
        _ => return None,
    })
}

/// Operations with an encryption algorithm.
const ENCRYPTION: [Operation; 8] = [
    Operation::Decrypt,
    Operation::Encrypt,
    Operation::GenerateDataKey,
    Operation::GenerateDataKeyPair,
    Operation::GenerateDataKeyPairWithoutPlaintext,
    Operation::GenerateDataKeyWithoutPlaintext,
    Operation::ReEncryptFrom,
    Operation::ReEncryptTo,
];

/// Operations with an encryption context.
const SYMMETRIC: [Operation; 10] = [
    Operation::Decrypt,
    Operation::Encrypt,
    Operation::GenerateDataKey,
    Operation::GenerateDataKeyPair,
    Operation::GenerateDataKeyPairWithoutPlaintext,
    Operation::GenerateDataKeyWithoutPlaintext,
    Operation::ReEncryptFrom,
    Operation::ReEncryptTo,
    Operation::CreateGrant,
    Operation::RetireGrant,
];

/// Operations that can name their key by an alias.
const WITH_ALIAS: [Operation; 17] = [
    Operation::Decapsulate,
    Operation::Decrypt,
    Operation::DeriveSharedSecret,
    Operation::DescribeKey,
    Operation::Encapsulate,
    Operation::Encrypt,
    Operation::GenerateDataKey,
    Operation::GenerateDataKeyPair,
    Operation::GenerateDataKeyPairWithoutPlaintext,
    Operation::GenerateDataKeyWithoutPlaintext,
    Operation::GenerateMac,
    Operation::GetPublicKey,
    Operation::ReEncryptFrom,
    Operation::ReEncryptTo,
    Operation::Sign,
    Operation::Verify,
    Operation::VerifyMac,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &str, with: &[Operation], without: &[Operation]) {
        for operation in with {
            assert!(operation.can_carry(key), "{operation} {key}");
        }
        for operation in without {
            assert!(!operation.can_carry(key), "{operation} {key}");
        }
    }

    #[test]
    fn an_operation_comes_with_its_own_keys_and_those_of_every_operation() {
        use Operation as Op;
        check(
            "kms:EncryptionContext:Tenant",
            &[Op::Decrypt, Op::CreateGrant],
            &[Op::DescribeKey, Op::Sign, Op::PutKeyPolicy],
        );
        check("kms:ViaService", &[Op::Decrypt, Op::PutKeyPolicy], &[]);
        check("aws:SourceIp", &[Op::Decrypt, Op::PutKeyPolicy], &[]);
        check(
            "kms:GrantIsForAWSResource",
            &[Op::CreateGrant, Op::RevokeGrant],
            &[Op::RetireGrant, Op::Decrypt],
        );
        check(
            "kms:EncryptionAlgorithm",
            &[Op::ReEncryptTo],
            &[Op::CreateGrant],
        );
        check("kms:NotInventedYet", &[Op::Decrypt, Op::TagResource], &[]);
    }
}
