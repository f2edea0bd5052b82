//! The order in which the console writes actions.

use sorted_vec::SortedSet;

use super::document::ActionPattern;

/// The actions that the console knows.
const CONSOLE_ORDER: &[&str] = &[
    "kms:*",
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:ImportKeyMaterial",
    "kms:ReplicateKey",
    "kms:UpdatePrimaryRegion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:RotateKeyOnDemand",
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey*",
    "kms:DescribeKey",
    "kms:GetPublicKey",
    "kms:Sign",
    "kms:Verify",
    "kms:GenerateMac",
    "kms:VerifyMac",
    "kms:DeriveSharedSecret",
    "kms:Encapsulate",
    "kms:Decapsulate",
    "kms:CreateGrant",
    "kms:ListGrants",
    "kms:RevokeGrant",
];

/// Actions in the console's order; others follow by name.
pub(super) fn in_console_order(actions: &SortedSet<ActionPattern>) -> Vec<String> {
    let rank = |action: &str| {
        CONSOLE_ORDER
            .iter()
            .position(|known| *known == action)
            .unwrap_or(CONSOLE_ORDER.len())
    };
    let mut actions: Vec<String> = actions.iter().map(ToString::to_string).collect();
    actions.sort_by_key(|action| rank(action));
    actions
}
