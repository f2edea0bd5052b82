//! Compare-and-set: KMS has no If-Match, so the part is read again just before it is written.

use std::collections::BTreeSet;

use super::Failure;
use crate::kms::Client;
use crate::model::KeyId;
use crate::observe;
use crate::plan::{Change, Expectation};
use crate::state::Part;

/// The parts of one key that this run has checked, and so owns from there on.
#[derive(Default)]
pub(super) struct Expectations {
    checked: BTreeSet<Part>,
}

impl Expectations {
    /// Checks that what a change was planned from is still so.
    pub(super) async fn check(
        &mut self,
        client: &Client,
        key: Option<&KeyId>,
        change: &Change,
    ) -> Result<(), Failure> {
        match (&change.expects, key) {
            (None, _) | (Some(Expectation::Part(..)), None) => Ok(()),
            (Some(Expectation::Part(part, expected)), Some(key)) => {
                // The first change of a part moves it, so only the first one can be compared.
                if !self.checked.insert(*part) {
                    return Ok(());
                }
                let live = observe::read_part(client, key, *part).await?;
                if live.fingerprint(*part) == *expected {
                    Ok(())
                } else {
                    Err(Failure::Stale(*part))
                }
            }
            (Some(Expectation::AliasTarget(alias, target)), _) => {
                let live = observe::alias_target(client, alias, Some(target)).await?;
                if live.as_ref() == Some(target) {
                    Ok(())
                } else {
                    Err(Failure::StaleAlias(alias.clone()))
                }
            }
        }
    }
}
