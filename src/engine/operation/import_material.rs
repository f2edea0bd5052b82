//! `ImportKeyMaterial` and `DeleteImportedKeyMaterial`.

use crate::engine::store::Connection;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::crypto;
use crate::engine::store::keys::{self, Key, MultiRegion};
use crate::engine::store::material::{self, Piece};
use crate::engine::wire::{Blob, Check, Code, Failure, Seconds, words};
use crate::model::{KeyState, Operation};

use super::import_parameters::Token;
use super::{Context, find_key, imported, replicate, settle};

/// The longest time until material expires.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 365);

words! {
    /// Whether material expires.
    ExpirationModel {
        Expires = "KEY_MATERIAL_EXPIRES",
        DoesNotExpire = "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }
}

impl ExpirationModel {
    /// The model of material with such an end.
    pub(super) fn of(valid_to: Option<Timestamp>) -> Self {
        match valid_to {
            Some(_) => Self::Expires,
            None => Self::DoesNotExpire,
        }
    }
}

words! {
    /// Whether a key has had the material before.
    ImportType {
        New = "NEW_KEY_MATERIAL",
        Existing = "EXISTING_KEY_MATERIAL",
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    import_token: Option<Blob>,
    encrypted_key_material: Option<Blob>,
    valid_to: Option<Seconds>,
    expiration_model: Option<String>,
    import_type: Option<String>,
    key_material_description: Option<String>,
    key_material_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

pub(super) fn import(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let token = check.blob("importToken", input.import_token.as_ref(), 6144);
    let wrapped = check.blob(
        "encryptedKeyMaterial",
        input.encrypted_key_material.as_ref(),
        6144,
    );
    let model = input.expiration_model.as_deref();
    let model = check.choice("expirationModel", model, ExpirationModel::ALL);
    let import_type = input.import_type.as_deref();
    let import_type = check.choice("importType", import_type, ImportType::ALL);
    let description = input.key_material_description.as_deref();
    check_description(&mut check, description);
    check_material_id(&mut check, input.key_material_id.as_deref());
    check.finish()?;
    let valid_to = expiry(context, model, input.valid_to)?;
    if import_type == Some(ImportType::New) && input.key_material_id.is_some() {
        return Err(Failure::validation(
            "KeyMaterialId cannot be specified when ImportType is NEW_KEY_MATERIAL",
        ));
    }
    context.write(|connection| {
        let operation = Operation::ImportKeyMaterial;
        let key = find_key::find(context, connection, key_id, operation)?;
        check_symmetric_members(&key, input)?;
        let token = Token::open(context, token)?;
        let bytes = token.unwrap(context, &key, wrapped)?;
        let fresh = crypto::import(key.kind.spec, &bytes)
            .map_err(|_| Failure::silent(Code::IncorrectKeyMaterial))?;
        let id = imported::id(&key.arn.id, &fresh.secret);
        if input
            .key_material_id
            .as_ref()
            .is_some_and(|named| *named != id)
        {
            return Err(Failure::silent(Code::IncorrectKeyMaterial));
        }
        make_place(context, connection, &key, import_type, &id)?;
        let stored = settle::seal(context, key.row, id, &fresh)?;
        material::fill(connection, &stored, valid_to, description)?;
        material::note_completeness(connection, key.row)?;
        if key.state() == KeyState::PendingImport {
            keys::set_enabled(connection, key.row, true)?;
        }
        Ok(output(&key, stored.id))
    })
}

/// Sees to it that the key has a place for a piece, or refuses the piece.
fn make_place(
    context: &Context<'_>,
    connection: &Connection,
    key: &Key,
    import_type: Option<ImportType>,
    id: &str,
) -> Result<(), Failure> {
    let incorrect = || Err(Failure::silent(Code::IncorrectKeyMaterial));
    let pieces = material::pieces(connection, key.row)?;
    let is_known = pieces.iter().any(|piece| piece.id == id);
    let is_first = pieces.is_empty();
    let default = if is_first {
        ImportType::New
    } else {
        ImportType::Existing
    };
    if import_type.unwrap_or(default) == ImportType::Existing {
        return if is_known { Ok(()) } else { incorrect() };
    }
    if key.multi_region == Some(MultiRegion::Replica) {
        return Err(replicate::not_primary(key));
    }
    if is_known || (!is_first && !key.kind.is_symmetric()) {
        return incorrect();
    }
    if let Some(Piece { id: other, .. }) = pieces.iter().find(|piece| piece.pending) {
        return Err(Failure::new(
            Code::InvalidState,
            format!(
                "New key material (id: {id}) cannot be imported into KMS key {}, because another key material (id: \
                 {other}) is pending rotation.",
                key.arn
            ),
        ));
    }
    for row in settle::rows_of_all(connection, key)? {
        material::associate(connection, row, id, !is_first, context.now)?;
    }
    if is_first {
        keys::set_material(connection, key.row, id)?;
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteInput {
    key_id: Option<String>,
    key_material_id: Option<String>,
}

pub(super) fn delete(context: &Context<'_>, input: &DeleteInput) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check_material_id(&mut check, input.key_material_id.as_deref());
    check.finish()?;
    context.write(|connection| {
        let operation = Operation::DeleteImportedKeyMaterial;
        let key = find_key::find(context, connection, key_id, operation)?;
        let named = input.key_material_id.as_ref().or(key.material.as_ref());
        let Some(id) = named.cloned() else {
            return Ok(output(&key, String::new()));
        };
        let pieces = material::pieces(connection, key.row)?;
        if !pieces.iter().any(|piece| piece.id == id) {
            return Err(Failure::new(
                Code::NotFound,
                format!("Key material '{id}' does not exist in key {}", key.arn),
            ));
        }
        imported::take_away(connection, &key, &id)?;
        Ok(output(&key, id))
    })
}

fn output(key: &Key, id: String) -> Output {
    Output {
        key_id: key.arn.to_string(),
        key_material_id: key.kind.is_symmetric().then_some(id),
    }
}

/// When the material expires, as two members say together.
fn expiry(
    context: &Context<'_>,
    model: Option<ExpirationModel>,
    valid_to: Option<Seconds>,
) -> Result<Option<Timestamp>, Failure> {
    let wrong = |why: &str| Err(Failure::validation(why));
    let valid_to = match (model.unwrap_or(ExpirationModel::Expires), valid_to) {
        (ExpirationModel::DoesNotExpire, None) => return Ok(None),
        (ExpirationModel::DoesNotExpire, Some(_)) => {
            return wrong(
                "A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
            );
        }
        (ExpirationModel::Expires, None) => {
            return wrong(
                "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
            );
        }
        (ExpirationModel::Expires, Some(valid_to)) => valid_to.time(),
    };
    let left = valid_to.map(|time| time.duration_since(context.now));
    if left.is_none_or(|left| !left.is_positive() || left > LONGEST) {
        return wrong("The validTo date must be in the future and at most 365 days away");
    }
    Ok(valid_to)
}

/// Several pieces, and with them ids and descriptions, are for symmetric keys.
fn check_symmetric_members(key: &Key, input: &Input) -> Result<(), Failure> {
    let has_any = input.import_type.is_some()
        || input.key_material_description.is_some()
        || input.key_material_id.is_some();
    if !has_any || key.kind.is_symmetric() {
        return Ok(());
    }
    Err(Failure::validation(
        "ImportType, KeyMaterialDescription and KeyMaterialId are supported for symmetric encryption keys only",
    ))
}

fn check_description(check: &mut Check, value: Option<&str>) {
    check.length("keyMaterialDescription", value, 0..=256);
    check.pattern(
        "keyMaterialDescription",
        value,
        r"^[a-zA-Z0-9:/_\s.-]+$",
        |character| {
            character.is_ascii_alphanumeric()
                || character.is_ascii_whitespace()
                || ":/_.-".contains(character)
        },
    );
}

fn check_material_id(check: &mut Check, value: Option<&str>) {
    check.length("keyMaterialId", value, 64..=64);
    check.pattern(
        "keyMaterialId",
        value,
        "^[a-f0-9]+$",
        |character| matches!(character, 'a'..='f' | '0'..='9'),
    );
}
