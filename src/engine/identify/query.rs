//! The query of a URL, decoded and in the form that is signed.

use crate::engine::wire::percent;

/// The pairs of a query, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query; what is no text in UTF-8 is left as it stands.
    pub(super) fn read(text: &str) -> Self {
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent::decode(name), percent::decode(value))
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(pairs.map(pair).collect())
    }

    /// The first value of a name.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The query as it is signed: encoded anew, sorted, and without the signature itself.
    pub(super) fn canonical(&self) -> String {
        let signed = self.0.iter().filter(|(name, _)| name != "X-Amz-Signature");
        let mut pairs: Vec<(String, String)> = signed
            .map(|(name, value)| (percent::encode(name, ""), percent::encode(value, "")))
            .collect();
        pairs.sort();
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    }
}
