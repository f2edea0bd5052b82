//! `ConnectCustomKeyStore`, `DisconnectCustomKeyStore` and `DeleteCustomKeyStore`, and what time does to key stores.

use crate::engine::store::Connection;
use serde::Deserialize;

use crate::engine::store::key_stores::{self, ConnectionState};
use crate::engine::store::keys;
use crate::engine::wire::{Check, Code, Failure};

use super::{Context, key_store_backend, key_store_members, settle};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    custom_key_store_id: Option<String>,
}

pub(super) fn connect(context: &Context<'_>, input: &Input) -> Result<(), Failure> {
    let mut check = Check::default();
    let id = key_store_members::check_id(&mut check, input.custom_key_store_id.as_deref());
    check.finish()?;
    let end = settle::end_of_transition(context)?;
    context.write(|connection| {
        let store = key_store_members::find(context, connection, id)?;
        match store.state {
            ConnectionState::Connected | ConnectionState::Connecting => Ok(()),
            ConnectionState::Failed | ConnectionState::Disconnecting => {
                Err(key_store_members::wrong_state(&store))
            }
            ConnectionState::Disconnected => {
                key_store_backend::check(&store.backing)?;
                let state = ConnectionState::Connecting;
                Ok(key_stores::set_state(
                    connection,
                    store.row,
                    state,
                    Some(end),
                    None,
                )?)
            }
        }
    })
}

pub(super) fn disconnect(context: &Context<'_>, input: &Input) -> Result<(), Failure> {
    let mut check = Check::default();
    let id = key_store_members::check_id(&mut check, input.custom_key_store_id.as_deref());
    check.finish()?;
    let end = settle::end_of_transition(context)?;
    context.write(|connection| {
        let store = key_store_members::find(context, connection, id)?;
        match store.state {
            ConnectionState::Disconnected | ConnectionState::Disconnecting => {
                Err(key_store_members::wrong_state(&store))
            }
            ConnectionState::Connected | ConnectionState::Connecting | ConnectionState::Failed => {
                let state = ConnectionState::Disconnecting;
                key_stores::set_state(connection, store.row, state, Some(end), None)?;
                Ok(keys::set_available(connection, &store.id, false)?)
            }
        }
    })
}

pub(super) fn delete(context: &Context<'_>, input: &Input) -> Result<(), Failure> {
    let mut check = Check::default();
    let id = key_store_members::check_id(&mut check, input.custom_key_store_id.as_deref());
    check.finish()?;
    context.write(|connection| {
        let store = key_store_members::find(context, connection, id)?;
        if keys::count_in_store(connection, &store.id)? > 0 {
            return Err(Failure::silent(Code::CustomKeyStoreHasCmks));
        }
        key_store_members::check_state(&store, ConnectionState::Disconnected)?;
        Ok(key_stores::delete(connection, store.row)?)
    })
}

/// Ends the transitions of key stores that are over by now.
pub(super) fn settle(context: &Context<'_>, connection: &Connection) -> Result<(), Failure> {
    for store in key_stores::due(connection, context.now)? {
        let set = |state, error| key_stores::set_state(connection, store.row, state, None, error);
        if store.state != ConnectionState::Connecting {
            set(ConnectionState::Disconnected, None)?;
            continue;
        }
        let master = &context.database.master;
        let secret = master
            .open(&store.secret, &store.id)
            .map_err(|error| Failure::internal(&error))?;
        match key_store_backend::connect(&store, &String::from_utf8_lossy(&secret)) {
            Ok(()) => {
                set(ConnectionState::Connected, None)?;
                keys::set_available(connection, &store.id, true)?;
            }
            Err(error) => set(ConnectionState::Failed, Some(error))?,
        }
    }
    Ok(())
}
