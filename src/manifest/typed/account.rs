//! `kind: Account`.

use serde_json::{Value as Json, json};

use super::key::{KeyDefaults, PolicySource};
use super::words::{AccountName, AdministratorCount, Percent, Text, one_of, text};
use crate::manifest::fault::{Fault, Faults};
use crate::manifest::fields::{NonEmpty, Readable, mapping, mapping_schema, read_mapping};
use crate::manifest::yaml::Node;
use crate::model::{AccountId, OrganizationId, Region, ScopeName};
use crate::state::TargetKind;

mapping! {
    /// An AWS account that the manifests describe.
    AccountFields ("an account") {
        /// The name that other manifests use.
        name: AccountName [required],
        /// The 12-digit id; text, never a number.
        id: AccountId [required],
        /// The Regions in which keys are kept.
        regions: NonEmpty<Region> [required],
        /// Where the live state is: `aws`, or `local` for the bundled engine.
        target: TargetKind [],
        /// A KMS endpoint URL.
        endpoint: Endpoint [],
        /// A role to assume: its ARN, or `role/NAME` in this account.
        assume_role: Text [],
        /// The external id for that role.
        external_id: Text [],
        /// The profile of the shared AWS configuration.
        profile: Text [],
        /// Who owns the keys; two repositories use two scopes.
        scope: ScopeName [= "\"default\""],
        /// Fields for every key of the account; a key's own field wins, and tags merge.
        defaults: KeyDefaults [],
        /// Limits on what a plan may do.
        guardrails: GuardrailFields [],
        /// The part of AWS's request quotas to use.
        requests_share: Percent [= "50"],
    }
    later {}
}

mapping! {
    /// Limits on what a plan may do.
    GuardrailFields ("the guardrails") {
        /// Largest part of ten or more keys that one run may change.
        mass_change: Percent [= "30"],
        /// How many durable principals must be able to change a key's policy, at least.
        minimum_administrators: AdministratorCount [= "1"],
        /// Whether whoever makes a change may lose the way to undo it.
        caller_may_leave: bool [= "false"],
        /// Other accounts that may be given access.
        allowed_accounts: Vec<AccountId> [],
        /// Organizations that may be given access.
        allowed_organizations: Vec<OrganizationId> [],
        /// Whether anyone may be given access.
        public: bool [= "false"],
        /// A key policy beyond which no access goes: written out, or `{file: PATH}`.
        ceiling: PolicySource [],
    }
    later {}
}

impl Readable for GuardrailFields {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        read_mapping(node, &["kind"], faults)
    }

    fn schema() -> Json {
        mapping_schema::<Self>(&[])
    }
}

impl Readable for TargetKind {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let all = [("aws", Self::Aws), ("local", Self::Local)];
        one_of(node, "a target", &all, faults)
    }

    fn schema() -> Json {
        json!({"enum": ["aws", "local"]})
    }
}

/// The URL of a KMS endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint(pub(crate) String);

impl Readable for Endpoint {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let text = text(node, "a URL", faults)?;
        if ["http://", "https://"].iter().any(|scheme| {
            text.strip_prefix(scheme)
                .is_some_and(|rest| !rest.is_empty())
        }) {
            return Some(Self(text.to_owned()));
        }
        let message = format!("`{text}` is not the URL of an endpoint");
        let fault = Fault::error("malformed", message, node.span);
        faults.push(fault.help("write it like `http://localhost:4566`"));
        None
    }

    fn schema() -> Json {
        json!({"type": "string", "pattern": "^https?://"})
    }
}
