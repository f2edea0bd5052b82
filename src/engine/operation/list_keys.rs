//! `ListKeys`.

use serde::{Deserialize, Serialize};

use crate::engine::store::keys;
use crate::engine::wire::{Check, Failure, words};
use crate::model::KeyArn;

use super::Context;
use super::page::Pages;

const PAGES: Pages = Pages {
    kind: "keys",
    default: 100,
    most: 1000,
};

words! {
    /// Whose keys are listed.
    ResourceOwner {
        Own = "SELF",
        Others = "OTHER_ACCOUNTS_VIA_RAM",
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    limit: Option<i64>,
    marker: Option<String>,
    resource_owners: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    keys: Vec<Entry>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key_id: String,
    key_arn: String,
}

pub(super) fn list_keys(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    PAGES.check(&mut check, input.limit, input.marker.as_deref());
    let owners = input.resource_owners.as_deref();
    let owners = owners.map(|owners| check_owners(&mut check, owners));
    check.finish()?;
    let page = PAGES.page(input.limit, input.marker.as_deref())?;
    let place = context.caller.place();
    // No account has shared a key with another one.
    let has_none = owners.is_some_and(|owners| !owners.contains(&ResourceOwner::Own));
    let mut ids = context.read(|connection| {
        if has_none {
            return Ok(Vec::new());
        }
        Ok(keys::ids_after(
            connection,
            &place,
            &page.after,
            page.reach(),
        )?)
    })?;
    let more = page.cut(&mut ids, ToString::to_string);
    let entry = |id| {
        let arn = KeyArn::new(place.clone(), id);
        Entry {
            key_id: arn.id.to_string(),
            key_arn: arn.to_string(),
        }
    };
    Ok(Output {
        keys: ids.into_iter().map(entry).collect(),
        truncated: more.truncated,
        next_marker: more.next_marker,
    })
}

fn check_owners(check: &mut Check, owners: &[String]) -> Vec<ResourceOwner> {
    let most = ResourceOwner::ALL.len();
    check.list_length("resourceOwners", owners, 1..=most);
    check.choices("resourceOwners", owners, ResourceOwner::ALL)
}
