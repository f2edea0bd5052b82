//! Who calls, from which account, in which Region: read from the request's signature.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::model::{AccountId, Place, Principal, Region};

use super::wire::{Code, Failure};

/// Who makes a call and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The caller's account.
    pub account: AccountId,
    /// The Region that the request was signed for.
    pub region: Region,
    /// Who in that account.
    pub principal: Principal,
}

impl Caller {
    /// Reads the credential scope of a signature: `AKID/date/region/service/aws4_request`.
    ///
    /// An access key id of 12 digits is the root user of that account; any other belongs to the default account.
    pub(crate) fn of(headers: &HeaderMap, default_account: AccountId) -> Result<Self, Failure> {
        let header = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .ok_or_else(|| {
                Failure::new(
                    Code::MissingAuthenticationToken,
                    "Request is missing Authentication Token",
                )
            })?;
        let incomplete = || {
            Failure::new(
                Code::IncompleteSignature,
                format!("'{header}' not a valid key=value pair in Authorization header."),
            )
        };
        let (_, scope) = header.split_once("Credential=").ok_or_else(incomplete)?;
        let scope = scope.split([',', ' ']).next().unwrap_or(scope);
        let mut parts = scope.rsplitn(5, '/');
        let (Some("aws4_request"), Some(_service), Some(region), Some(_date), Some(access_key)) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(incomplete());
        };
        let region: Region = region.parse().map_err(|_| incomplete())?;
        let account = access_key.parse().unwrap_or(default_account);
        Ok(Self {
            account,
            principal: Principal::Account(region.partition(), account),
            region,
        })
    }

    /// The account and Region whose keys the caller sees.
    pub(crate) fn place(&self) -> Place {
        Place {
            account: self.account,
            region: self.region.clone(),
        }
    }
}
