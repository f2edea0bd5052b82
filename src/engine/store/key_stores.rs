//! Custom key stores.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::engine::store::Connection;
use crate::engine::wire::words;
use crate::model::Place;

use super::row::{noun, time, word};

type Sql<T> = Result<T, rusqlite::Error>;

words! {
    /// What is behind a key store.
    KeyStoreKind {
        CloudHsm = "AWS_CLOUDHSM",
        External = "EXTERNAL_KEY_STORE",
    }
}

words! {
    /// Whether a key store reaches what is behind it.
    ConnectionState {
        Connected = "CONNECTED",
        Connecting = "CONNECTING",
        Failed = "FAILED",
        Disconnected = "DISCONNECTED",
        Disconnecting = "DISCONNECTING",
    }
}

words! {
    /// How an external key store's proxy is reached.
    Connectivity {
        PublicEndpoint = "PUBLIC_ENDPOINT",
        VpcEndpointService = "VPC_ENDPOINT_SERVICE",
    }
}

/// One key store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyStore {
    pub row: i64,
    pub place: Place,
    pub id: String,
    pub name: String,
    pub created: Timestamp,
    pub state: ConnectionState,
    /// Why it could not be connected.
    pub error: Option<String>,
    pub backing: Backing,
    /// The password or secret access key, sealed with the store's id.
    pub secret: Vec<u8>,
}

/// What is behind a key store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Backing {
    CloudHsm {
        cluster: String,
        certificate: String,
    },
    External(Proxy),
}

/// The proxy of an external key manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    pub connectivity: Connectivity,
    pub endpoint: String,
    pub path: String,
    pub service: Option<String>,
    pub service_owner: Option<String>,
    pub access_key: String,
}

impl KeyStore {
    /// What kind of thing is behind it.
    pub(crate) fn kind(&self) -> KeyStoreKind {
        match self.backing {
            Backing::CloudHsm { .. } => KeyStoreKind::CloudHsm,
            Backing::External(_) => KeyStoreKind::External,
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT row, account, region, id, name, created, state, error, secret, kind, cluster, certificate, \
             connectivity, endpoint, path, service, service_owner, access_key FROM key_stores ",
            $rest
        )
    };
}

fn read(row: &Row<'_>) -> Sql<KeyStore> {
    let backing = match word(row, 9, KeyStoreKind::ALL, KeyStoreKind::as_str)? {
        KeyStoreKind::CloudHsm => Backing::CloudHsm {
            cluster: row.get(10)?,
            certificate: row.get(11)?,
        },
        KeyStoreKind::External => Backing::External(Proxy {
            connectivity: word(row, 12, Connectivity::ALL, Connectivity::as_str)?,
            endpoint: row.get(13)?,
            path: row.get(14)?,
            service: row.get(15)?,
            service_owner: row.get(16)?,
            access_key: row.get(17)?,
        }),
    };
    Ok(KeyStore {
        row: row.get(0)?,
        place: Place {
            account: noun(row, 1)?,
            region: noun(row, 2)?,
        },
        id: row.get(3)?,
        name: row.get(4)?,
        created: time(row, 5)?,
        state: word(row, 6, ConnectionState::ALL, ConnectionState::as_str)?,
        error: row.get(7)?,
        secret: row.get(8)?,
        backing,
    })
}

/// Finds a key store of a place by its id.
pub(crate) fn find(connection: &Connection, place: &Place, id: &str) -> Sql<Option<KeyStore>> {
    connection
        .prepare_cached(select!("WHERE account = ?1 AND region = ?2 AND id = ?3"))?
        .query_row(
            params![place.account.as_str(), place.region.as_str(), id],
            read,
        )
        .optional()
}

/// Finds a key store of a place by its name.
pub(crate) fn named(connection: &Connection, place: &Place, name: &str) -> Sql<Option<KeyStore>> {
    connection
        .prepare_cached(select!("WHERE account = ?1 AND region = ?2 AND name = ?3"))?
        .query_row(
            params![place.account.as_str(), place.region.as_str(), name],
            read,
        )
        .optional()
}

/// A place's key stores after one of them, by id.
pub(crate) fn after(
    connection: &Connection,
    place: &Place,
    after: &str,
    limit: u32,
) -> Sql<Vec<KeyStore>> {
    connection
        .prepare_cached(select!(
            "WHERE account = ?1 AND region = ?2 AND id > ?3 ORDER BY id LIMIT ?4"
        ))?
        .query_map(
            params![place.account.as_str(), place.region.as_str(), after, limit],
            read,
        )?
        .collect()
}

/// All key stores of a Region, whatever account they are of.
pub(crate) fn of_region(connection: &Connection, region: &str) -> Sql<Vec<KeyStore>> {
    connection
        .prepare_cached(select!("WHERE region = ?1 ORDER BY id"))?
        .query_map([region], read)?
        .collect()
}

/// The key stores whose transition is over.
pub(crate) fn due(connection: &Connection, now: Timestamp) -> Sql<Vec<KeyStore>> {
    connection
        .prepare_cached(select!("WHERE transition_end <= ?1"))?
        .query_map([now.as_millisecond()], read)?
        .collect()
}

/// Adds a key store.
pub(crate) fn insert(connection: &Connection, store: &KeyStore) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO key_stores (account, region, id, name, kind, created, state, secret) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            store.place.account.as_str(),
            store.place.region.as_str(),
            store.id,
            store.name,
            store.kind().as_str(),
            store.created.as_millisecond(),
            store.state.as_str(),
            store.secret,
        ])?;
    update(connection, store)
}

/// Writes a key store's name, secret and backing.
pub(crate) fn update(connection: &Connection, store: &KeyStore) -> Sql<()> {
    let (cluster, certificate, proxy) = match &store.backing {
        Backing::CloudHsm {
            cluster,
            certificate,
        } => (Some(cluster), Some(certificate), None),
        Backing::External(proxy) => (None, None, Some(proxy)),
    };
    connection
        .prepare_cached(
            "UPDATE key_stores SET name = ?2, secret = ?3, cluster = ?4, certificate = ?5, connectivity = ?6, \
             endpoint = ?7, path = ?8, service = ?9, service_owner = ?10, access_key = ?11 WHERE id = ?1",
        )?
        .execute(params![
            store.id,
            store.name,
            store.secret,
            cluster,
            certificate,
            proxy.map(|proxy| proxy.connectivity.as_str()),
            proxy.map(|proxy| &proxy.endpoint),
            proxy.map(|proxy| &proxy.path),
            proxy.and_then(|proxy| proxy.service.as_ref()),
            proxy.and_then(|proxy| proxy.service_owner.as_ref()),
            proxy.map(|proxy| &proxy.access_key),
        ])
        .map(|_| ())
}

/// Sets the connection state, with the time at which it ends by itself.
pub(crate) fn set_state(
    connection: &Connection,
    row: i64,
    state: ConnectionState,
    end: Option<Timestamp>,
    error: Option<&str>,
) -> Sql<()> {
    connection
        .prepare_cached(
            "UPDATE key_stores SET state = ?2, transition_end = ?3, error = ?4 WHERE row = ?1",
        )?
        .execute(params![
            row,
            state.as_str(),
            end.map(Timestamp::as_millisecond),
            error
        ])
        .map(|_| ())
}

/// Removes a key store.
pub(crate) fn delete(connection: &Connection, row: i64) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM key_stores WHERE row = ?1")?
        .execute([row])
        .map(|_| ())
}
