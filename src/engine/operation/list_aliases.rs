//! `ListAliases`.

use serde::{Deserialize, Serialize};

use crate::engine::store::aliases;
use crate::engine::wire::{Check, Failure, Seconds};
use crate::model::Operation;

use super::page::Pages;
use super::{Context, find_key};

const PAGES: Pages = Pages {
    kind: "aliases",
    default: 50,
    most: 100,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    limit: Option<i64>,
    marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    aliases: Vec<Entry>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    alias_name: String,
    alias_arn: String,
    target_key_id: String,
    creation_date: Seconds,
    last_updated_date: Seconds,
}

pub(super) fn list_aliases(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    check.length("keyId", input.key_id.as_deref(), 1..=2048);
    PAGES.check(&mut check, input.limit, input.marker.as_deref());
    check.finish()?;
    let page = PAGES.page(input.limit, input.marker.as_deref())?;
    let place = context.caller.place();
    let mut found = context.read(|connection| match &input.key_id {
        None => Ok(aliases::after(
            connection,
            &place,
            &page.after,
            page.reach(),
        )?),
        Some(key_id) => {
            let key = find_key::find(context, connection, key_id, Operation::ListAliases)?;
            Ok(aliases::of_key_after(
                connection,
                key.row,
                &page.after,
                page.reach(),
            )?)
        }
    })?;
    let more = page.cut(&mut found, |alias| alias.name.clone());
    let entry = |alias: aliases::Alias| Entry {
        alias_arn: find_key::alias_arn(&place, &alias.name),
        alias_name: alias.name,
        target_key_id: alias.target.to_string(),
        creation_date: alias.created.into(),
        last_updated_date: alias.updated.into(),
    };
    Ok(Output {
        aliases: found.into_iter().map(entry).collect(),
        truncated: more.truncated,
        next_marker: more.next_marker,
    })
}
