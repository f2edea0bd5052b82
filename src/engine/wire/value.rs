//! Values that JSON has no type for: times, bytes, and structures that are objects and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A time as epoch seconds with a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Seconds(f64);

impl Seconds {
    /// The time, where there is one.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is out of range is no timestamp either"
    )]
    pub(crate) fn time(self) -> Option<Timestamp> {
        Timestamp::from_millisecond((self.0 * 1000.0).round() as i64).ok()
    }
}

impl From<Timestamp> for Seconds {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of every year that a timestamp can hold fit into 53 bits"
    )]
    fn from(time: Timestamp) -> Self {
        Self(time.as_millisecond() as f64 / 1000.0)
    }
}

/// Bytes as base64.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Blob(pub Vec<u8>);

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(de::Error::custom)
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

/// A structure among the members; what is derived for a struct alone takes a list for its members in order.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Structure<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Structure<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::<String, Value>::deserialize(deserializer)?;
        T::deserialize(members).map(Self).map_err(de::Error::custom)
    }
}
