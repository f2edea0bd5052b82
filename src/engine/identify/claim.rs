//! What a request says about its signature: in its `Authorization` header, or in the query of a presigned URL.

use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::engine::wire::{Code, Failure};

use super::query::Query;

/// The one algorithm of shared secrets.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A signature as it is claimed to be, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) access_key: String,
    pub(super) scope: Scope,
    pub(super) algorithm: String,
    pub(super) signed_headers: Option<String>,
    pub(super) signature: Option<String>,
    /// The time of the signature, as `20260601T000000Z`.
    pub(super) date: Option<String>,
    pub(super) token: Option<String>,
    pub(super) form: Form,
}

/// The scope of a credential, behind the access key id: `date/region/service/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
}

/// Where a signature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Header,
    /// A presigned URL, with the seconds for which it is good.
    Query {
        expires: Option<i64>,
    },
}

impl Claim {
    /// Reads the claim of a request.
    pub(super) fn of(parts: &Parts, query: &Query) -> Result<Self, Failure> {
        if let Some(header) = parts.headers.get(AUTHORIZATION) {
            let header = header.to_str().map_err(|_| incomplete("…"))?;
            return Self::of_header(parts, header);
        }
        if query.first("X-Amz-Credential").is_some() {
            return Self::of_query(query);
        }
        Err(Failure::new(
            Code::MissingAuthenticationToken,
            "Request is missing Authentication Token",
        ))
    }

    fn of_header(parts: &Parts, header: &str) -> Result<Self, Failure> {
        let (algorithm, rest) = header.split_once(' ').unwrap_or((header, ""));
        let member = |name: &str| {
            let mut pairs = rest
                .split([',', ' '])
                .filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let named = |name: &str| {
            let value = parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let credential = member("Credential").ok_or_else(|| incomplete(header))?;
        let (access_key, scope) = read_credential(credential).ok_or_else(|| incomplete(header))?;
        Ok(Self {
            access_key,
            scope,
            algorithm: algorithm.to_owned(),
            signed_headers: member("SignedHeaders").map(str::to_owned),
            signature: member("Signature").map(str::to_owned),
            date: named("x-amz-date"),
            token: named("x-amz-security-token"),
            form: Form::Header,
        })
    }

    fn of_query(query: &Query) -> Result<Self, Failure> {
        let credential = query.first("X-Amz-Credential").unwrap_or_default();
        let (access_key, scope) =
            read_credential(credential).ok_or_else(|| incomplete(credential))?;
        let member = |name: &str| query.first(name).map(str::to_owned);
        Ok(Self {
            access_key,
            scope,
            algorithm: member("X-Amz-Algorithm").unwrap_or_default(),
            signed_headers: member("X-Amz-SignedHeaders"),
            signature: member("X-Amz-Signature"),
            date: member("X-Amz-Date"),
            token: member("X-Amz-Security-Token"),
            form: Form::Query {
                expires: query
                    .first("X-Amz-Expires")
                    .and_then(|text| text.parse().ok()),
            },
        })
    }
}

fn read_credential(text: &str) -> Option<(String, Scope)> {
    let mut parts = text.rsplitn(5, '/');
    let (Some("aws4_request"), Some(service), Some(region), Some(date), Some(access_key)) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return None;
    };
    let scope = Scope {
        date: date.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
    };
    Some((access_key.to_owned(), scope))
}

pub(super) fn incomplete(header: &str) -> Failure {
    Failure::new(
        Code::IncompleteSignature,
        format!("'{header}' not a valid key=value pair in Authorization header."),
    )
}
