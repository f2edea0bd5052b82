//! `GenerateRandom`.

use serde::{Deserialize, Serialize};

use crate::engine::store::key_stores::{ConnectionState, KeyStoreKind};
use crate::engine::wire::{Blob, Check, Code, Failure, Structure};

use super::key_use::{self, Recipient};
use super::{Context, key_store_members};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    number_of_bytes: Option<i64>,
    custom_key_store_id: Option<String>,
    recipient: Option<Structure<Recipient>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    plaintext: Blob,
}

pub(super) fn generate(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    check.range("numberOfBytes", input.number_of_bytes, &(1..=1024));
    check.length(
        "customKeyStoreId",
        input.custom_key_store_id.as_deref(),
        1..=64,
    );
    check.finish()?;
    key_use::check_recipient(input.recipient.as_ref())?;
    let length = input
        .number_of_bytes
        .and_then(|length| usize::try_from(length).ok())
        .ok_or_else(|| Failure::validation("NumberOfBytes is required."))?;
    if let Some(id) = &input.custom_key_store_id {
        check_key_store(context, id)?;
    }
    let mut plaintext = vec![0; length];
    context.entropy.fill(&mut plaintext)?;
    Ok(Output {
        plaintext: Blob(plaintext),
    })
}

/// A cluster that is connected makes random bytes; an external key store makes none.
fn check_key_store(context: &Context<'_>, id: &str) -> Result<(), Failure> {
    let store = context.read(|connection| key_store_members::find(context, connection, id))?;
    match store.kind() {
        KeyStoreKind::CloudHsm => {
            key_store_members::check_state(&store, ConnectionState::Connected)
        }
        KeyStoreKind::External => Err(Failure::silent(Code::UnsupportedOperation)),
    }
}
