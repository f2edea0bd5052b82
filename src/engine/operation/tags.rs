//! `TagResource`, `UntagResource` and `ListResourceTags`.

use serde::{Deserialize, Serialize};

use crate::engine::store::tags;
use crate::engine::wire::{Check, Code, Failure, Structure, WireTag};
use crate::model::Operation;

use super::page::Pages;
use super::{Context, find_key, tag_rules};

const PAGES: Pages = Pages {
    kind: "tags",
    default: 50,
    most: 50,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagInput {
    key_id: Option<String>,
    tags: Option<Vec<Structure<WireTag>>>,
}

pub(super) fn tag(context: &Context<'_>, input: &TagInput) -> Result<(), Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let given = check.required("tags", input.tags.as_deref());
    tag_rules::check_members(&mut check, given);
    check.finish()?;
    let pairs = tag_rules::pairs(given)?;
    context.write(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::TagResource)?;
        for (name, value) in pairs {
            tags::put(connection, key.row, name, value)?;
        }
        if usize::try_from(tags::count(connection, key.row)?).is_ok_and(|n| n > tag_rules::MOST) {
            return Err(Failure::new(
                Code::LimitExceeded,
                format!("{} cannot have more than {} tags", key.arn, tag_rules::MOST),
            ));
        }
        Ok(())
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UntagInput {
    key_id: Option<String>,
    tag_keys: Option<Vec<String>>,
}

pub(super) fn untag(context: &Context<'_>, input: &UntagInput) -> Result<(), Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let names = check.required("tagKeys", input.tag_keys.as_deref());
    for (index, name) in names.iter().enumerate() {
        check.length(
            &format!("tagKeys.{}.member", index + 1),
            Some(name),
            1..=128,
        );
    }
    check.finish()?;
    if names.iter().any(|name| tag_rules::is_reserved(name)) {
        return Err(Failure::new(
            Code::Tag,
            "Tags beginning with aws: are reserved",
        ));
    }
    context.write(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::UntagResource)?;
        for name in names {
            tags::remove(connection, key.row, name)?;
        }
        Ok(())
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListInput {
    key_id: Option<String>,
    limit: Option<i64>,
    marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListOutput {
    tags: Vec<WireTag>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

pub(super) fn list(context: &Context<'_>, input: &ListInput) -> Result<ListOutput, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    PAGES.check(&mut check, input.limit, input.marker.as_deref());
    check.finish()?;
    let page = PAGES.page(input.limit, input.marker.as_deref())?;
    let mut pairs = context.read(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::ListResourceTags)?;
        Ok(tags::after(connection, key.row, &page.after, page.reach())?)
    })?;
    let more = page.cut(&mut pairs, |(name, _)| name.clone());
    let wire = |(name, value)| WireTag {
        tag_key: Some(name),
        tag_value: Some(value),
    };
    Ok(ListOutput {
        tags: pairs.into_iter().map(wire).collect(),
        truncated: more.truncated,
        next_marker: more.next_marker,
    })
}
