//! `ListKeyRotations`.

use serde::{Deserialize, Serialize};

use crate::engine::store::keys::Key;
use crate::engine::store::rotations::{self, Turn};
use crate::engine::wire::{Check, Code, Failure, Seconds, words};
use crate::model::{Operation, Origin};

use super::import_material::ExpirationModel;
use super::imported::{self, Progress};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    import_state: Option<&'static str>,
    key_material_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_model: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Seconds>,
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
    let (key, mut turns, progress) = context.read(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::ListKeyRotations)?;
        if !key.kind.is_symmetric() || key.store.is_some() {
            return Err(Failure::silent(Code::UnsupportedOperation));
        }
        let list = match include {
            Some(Include::AllKeyMaterial) => rotations::turns_after,
            Some(Include::RotationsOnly) | None => rotations::rotations_after,
        };
        let turns = list(connection, key.row, page.after_row()?, page.reach())?;
        let pending = imported::pending(connection, &key)?;
        Ok((key, turns, pending.map(|(_, progress)| progress)))
    })?;
    let more = page.cut(&mut turns, |turn| turn.row.to_string());
    Ok(Output {
        rotations: turns
            .into_iter()
            .map(|turn| entry(&key, turn, progress))
            .collect(),
        truncated: more.truncated,
        next_marker: more.next_marker,
    })
}

fn entry(key: &Key, turn: Turn, progress: Option<Progress>) -> Entry {
    let piece = turn.material;
    let is_imported = key.origin == Origin::External;
    let state = if piece.pending && progress == Some(Progress::Missing) {
        "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    } else if piece.pending {
        "PENDING_ROTATION"
    } else if key.material.as_ref() == Some(&piece.id) {
        "CURRENT"
    } else {
        "NON_CURRENT"
    };
    Entry {
        key_id: key.arn.to_string(),
        key_material_id: piece.id,
        key_material_description: piece.description,
        import_state: is_imported.then_some(if piece.present {
            "IMPORTED"
        } else {
            "PENDING_IMPORT"
        }),
        key_material_state: state,
        expiration_model: (is_imported && piece.present)
            .then(|| ExpirationModel::of(piece.valid_to).as_str()),
        valid_to: piece.valid_to.map(Seconds::from),
        rotation_date: turn.rotation.map(|(date, _)| date.into()),
        rotation_type: turn.rotation.map(|(_, kind)| kind.as_str()),
    }
}
