//! `ListKeyRotations`.

use serde::{Deserialize, Serialize};

use crate::engine::store::keys::Key;
use crate::engine::store::rotations::{self, Turn};
use crate::engine::wire::{Check, Code, Failure, Seconds, words};
use crate::model::Operation;

use super::page::Pages;
use super::{Context, find_key};

const PAGES: Pages = Pages {
    kind: "rotations",
    default: 100,
    most: 1000,
};

words! {
    /// Whether material that no rotation brought is shown.
    Include {
        AllKeyMaterial = "ALL_KEY_MATERIAL",
        RotationsOnly = "ROTATIONS_ONLY",
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    include_key_material: Option<String>,
    limit: Option<i64>,
    marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    rotations: Vec<Entry>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key_id: String,
    key_material_id: String,
    key_material_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_date: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_type: Option<&'static str>,
}

pub(super) fn list_rotations(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let include = check.choice(
        "includeKeyMaterial",
        input.include_key_material.as_deref(),
        Include::ALL,
    );
    PAGES.check(&mut check, input.limit, input.marker.as_deref());
    check.finish()?;
    let page = PAGES.page(input.limit, input.marker.as_deref())?;
    let (key, mut turns) = context.read(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::ListKeyRotations)?;
        if !key.kind.is_symmetric() {
            return Err(Failure::silent(Code::UnsupportedOperation));
        }
        let list = match include {
            Some(Include::AllKeyMaterial) => rotations::turns_after,
            Some(Include::RotationsOnly) | None => rotations::rotations_after,
        };
        let turns = list(connection, key.row, page.after_row()?, page.reach())?;
        Ok((key, turns))
    })?;
    let more = page.cut(&mut turns, |turn| turn.row.to_string());
    Ok(Output {
        rotations: turns.into_iter().map(|turn| entry(&key, turn)).collect(),
        truncated: more.truncated,
        next_marker: more.next_marker,
    })
}

fn entry(key: &Key, turn: Turn) -> Entry {
    let current = key.material.as_ref() == Some(&turn.material);
    Entry {
        key_id: key.arn.to_string(),
        key_material_id: turn.material,
        key_material_state: if current { "CURRENT" } else { "NON_CURRENT" },
        rotation_date: turn.rotation.map(|(date, _)| date.into()),
        rotation_type: turn.rotation.map(|(_, kind)| kind.as_str()),
    }
}
