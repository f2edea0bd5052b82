//! Who calls, from which account, in which Region, and what is known about the call besides.

use std::net::IpAddr;
use std::sync::Arc;

use crate::model::{AccountId, Place, Principal, Region};
use crate::policy::Context;

use super::session::Session;

/// Who makes a call and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The caller's account.
    pub account: AccountId,
    /// The Region that the request was signed for.
    pub region: Region,
    /// Who in that account.
    pub principal: Principal,
    /// The id of the access key that signed the request.
    pub access_key: Option<String>,
    /// The session, for temporary credentials.
    pub session: Option<Arc<Session>>,
    /// Condition keys of the call, such as `aws:SourceIp`.
    pub facts: Context,
}

impl Caller {
    /// The root user of a place's account.
    #[must_use]
    pub fn root(place: &Place) -> Self {
        let principal = Principal::Account(place.partition(), place.account);
        Self::new(principal, place.account, place.region.clone())
    }

    /// A principal of an account.
    #[must_use]
    pub fn new(principal: Principal, account: AccountId, region: Region) -> Self {
        Self {
            account,
            region,
            principal,
            access_key: None,
            session: None,
            facts: Context::new(),
        }
    }

    /// The account and Region whose keys the caller sees.
    pub(crate) fn place(&self) -> Place {
        Place {
            account: self.account,
            region: self.region.clone(),
        }
    }
}

/// The other end of a connection, for requests that came over one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    pub(crate) is_encrypted: bool,
}
