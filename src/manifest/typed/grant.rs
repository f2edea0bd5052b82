//! `kind: Grant`, and grants inside a key.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::words::{AccountName, Text, text};
use crate::manifest::fault::{Fault, Faults};
use crate::manifest::fields::{NonEmpty, Pairs, Readable, mapping, mapping_schema, read_mapping};
use crate::manifest::yaml::Node;
use crate::model::{GrantName, KeyName, Operation, PrincipalName, Region};

mapping! {
    /// A KMS grant: one principal may call some operations on one key.
    GrantFields ("a grant") {
        /// The name, unique on its key.
        name: GrantName [required],
        /// The key that the grant is for, by name.
        key: KeyName [required],
        /// Names or ids of accounts; those of the key by default.
        accounts: NonEmpty<AccountName> [],
        /// Regions; those of the key by default.
        regions: NonEmpty<Region> [],
        /// Who is given access.
        grantee: PrincipalName [required],
        /// KMS operations that the grant gives.
        operations: NonEmpty<Operation> [required],
        /// Pairs that the encryption context must contain.
        context: Pairs<Text, Text> [],
        /// Pairs that the encryption context must equal.
        context_equals: Pairs<Text, Text> [],
        /// The resource for which an AWS service must call; `${account}` and `${region}` stand for the key's own.
        source_arn: Text [],
        /// Who may retire the grant.
        retiring: PrincipalName [],
        /// When a run revokes it, as `2026-12-31T00:00:00Z`.
        expires: Expiry [],
    }
    later {}
}

/// A grant inside a key, which says for which key and where.
#[derive(Debug)]
pub(crate) struct NestedGrant(pub(crate) GrantFields);

impl NestedGrant {
    const WITHOUT: [&'static str; 4] = ["kind", "key", "accounts", "regions"];
}

impl Readable for NestedGrant {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        read_mapping(node, &Self::WITHOUT, faults).map(Self)
    }

    fn schema() -> Json {
        mapping_schema::<GrantFields>(&Self::WITHOUT)
    }
}

/// A moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expiry(pub(crate) Timestamp);

impl Readable for Expiry {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let text = text(node, "a time", faults)?;
        if let Ok(time) = text.parse() {
            return Some(Self(time));
        }
        let message = format!("`{text}` is not a time with a time zone");
        let fault = Fault::error("malformed", message, node.span);
        faults.push(fault.help("write it like `2026-12-31T00:00:00Z`"));
        None
    }

    fn schema() -> Json {
        json!({"type": "string", "format": "date-time"})
    }
}
