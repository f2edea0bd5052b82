//! What is known about a request: condition keys and their values.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::quantity::timestamp;
use crate::model::{Arn, Principal};

/// The condition keys of a request; their names are compared without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// A request of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What follows from who calls: `aws:PrincipalArn`, `kms:CallerAccount` and their like.
    #[must_use]
    pub fn of_caller(caller: &Principal) -> Self {
        let mut context = Self::new();
        if *caller == Principal::Anyone {
            return context.with("aws:PrincipalType", "Anonymous");
        }
        let is_service = matches!(caller, Principal::Service(_));
        context.set("aws:PrincipalIsAWSService", [is_service.to_string()]);
        if let Principal::Service(name) = caller {
            context.set("aws:PrincipalServiceName", [name.to_string()]);
            context.set("aws:PrincipalServiceNamesList", [name.to_string()]);
        }
        if let Some(account) = caller.account() {
            context.set("aws:PrincipalAccount", [account.to_string()]);
            context.set("kms:CallerAccount", [account.to_string()]);
            context.set("aws:PrincipalArn", [principal_arn(caller)]);
        }
        if let Some(kind) = principal_type(caller) {
            context.set("aws:PrincipalType", [kind.to_owned()]);
        }
        if let Principal::User(arn) = caller {
            context.set("aws:username", [last_name(arn).to_owned()]);
        }
        context
    }

    /// The context with one more key of one value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.set(key, [value.into()]);
        self
    }

    /// Sets a key's values; none means that the key is known to be absent.
    pub fn set(&mut self, key: &str, values: impl IntoIterator<Item = String>) {
        self.0
            .insert(key.to_ascii_lowercase(), values.into_iter().collect());
    }

    /// Takes over what another context says.
    pub fn extend(&mut self, other: &Self) {
        let entries = other.0.iter();
        self.0
            .extend(entries.map(|(key, values)| (key.clone(), values.clone())));
    }

    /// Lets `aws:CurrentTime` and `aws:EpochTime` say the same where one of them is not spoken of.
    pub fn agree_on_time(&mut self) {
        const DATE: &str = "aws:CurrentTime";
        const SECONDS: &str = "aws:EpochTime";
        match (self.get(DATE), self.get(SECONDS)) {
            (Some([date]), None) => {
                let second = timestamp(date).map(|time| time.as_second().to_string());
                let seconds = second.unwrap_or_else(|| date.clone());
                self.set(SECONDS, [seconds]);
            }
            (None, Some([seconds])) => {
                let second = seconds.parse().ok();
                let date = second.and_then(|second| Timestamp::from_second(second).ok());
                let date = date.map_or_else(|| seconds.clone(), |date| date.to_string());
                self.set(DATE, [date]);
            }
            _ => {}
        }
    }

    /// The pairs of the encryption context: names in lower case, and values.
    pub(super) fn encryption_context(&self) -> impl Iterator<Item = (&str, &[String])> {
        const PREFIX: &str = "kms:encryptioncontext:";
        let pairs = self.0.iter().filter(|(_, values)| !values.is_empty());
        pairs.filter_map(|(key, values)| Some((key.strip_prefix(PREFIX)?, values.as_slice())))
    }

    /// A key's values, where the context says anything about it.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }
}

impl<K: AsRef<str>> FromIterator<(K, Vec<String>)> for Context {
    fn from_iter<I: IntoIterator<Item = (K, Vec<String>)>>(entries: I) -> Self {
        let mut context = Self::new();
        for (key, values) in entries {
            context.set(key.as_ref(), values);
        }
        context
    }
}

/// A request's own context before what follows from its caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) given: &'a Context,
    pub(super) of_caller: &'a Context,
}

impl<'a> Facts<'a> {
    /// A key's values; empty when the key is absent.
    pub(super) fn values(&self, key: &str) -> &'a [String] {
        let values = self.given.get(key).or_else(|| self.of_caller.get(key));
        values.unwrap_or_default()
    }

    /// The value of a key that has exactly one, as policy variables need it.
    pub(super) fn single(&self, key: &str) -> Option<&'a str> {
        match self.values(key) {
            [value] => Some(value),
            _ => None,
        }
    }
}

/// The role of a session, as its ARN tells it: without the role's path.
pub(super) fn session_role(session: &Arn) -> Option<String> {
    let (_, names) = session.resource().split_once('/')?;
    let (role, _) = names.split_once('/')?;
    let (partition, account) = (session.partition(), session.account());
    Some(format!("arn:{partition}:iam::{account}:role/{role}"))
}

/// The name at the end of a user's or role's path.
pub(super) fn last_name(arn: &Arn) -> &str {
    let resource = arn.resource();
    resource.rsplit_once('/').map_or(resource, |(_, name)| name)
}

/// `aws:PrincipalArn`, which for a session is its role's.
fn principal_arn(caller: &Principal) -> String {
    let role = match caller {
        Principal::Session(arn) => session_role(arn),
        Principal::Anyone
        | Principal::Account(..)
        | Principal::User(_)
        | Principal::Role(_)
        | Principal::Federated(_)
        | Principal::Service(_)
        | Principal::Deleted(_) => None,
    };
    role.unwrap_or_else(|| caller.to_string())
}

fn principal_type(caller: &Principal) -> Option<&'static str> {
    match caller {
        Principal::Anyone => Some("Anonymous"),
        Principal::Account(..) => Some("Account"),
        Principal::User(_) => Some("User"),
        Principal::Role(_) | Principal::Session(_) => Some("AssumedRole"),
        Principal::Federated(_) => Some("FederatedUser"),
        Principal::Service(_) | Principal::Deleted(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Partition;

    #[track_caller]
    fn check(caller: &str, key: &str, expected: Option<&str>) {
        let caller = if caller.contains(".amazonaws.com") {
            Principal::Service(caller.parse().unwrap())
        } else {
            Principal::parse(caller, Partition::Aws).unwrap()
        };
        let context = Context::of_caller(&caller);
        let found = context.get(key).and_then(|values| values.first());
        assert_eq!(found.map(String::as_str), expected);
    }

    const ROOT: &str = "arn:aws:iam::111122223333:root";
    const USER: &str = "arn:aws:iam::111122223333:user/staff/ann";
    const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/i-1";
    const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/bob";

    #[test]
    fn date_and_seconds_are_one_clock() {
        let check = |given: &str, value: &str, derived: &str, expected: Option<&str>| {
            let mut context = Context::new().with(given, value);
            context.agree_on_time();
            let found = context.get(derived).and_then(|values| values.first());
            assert_eq!(found.map(String::as_str), expected);
        };
        let (date, seconds) = ("aws:CurrentTime", "aws:EpochTime");
        check(date, "2024-01-01T00:00:00Z", seconds, Some("1704067200"));
        check(date, "2024-01", seconds, Some("1704067200"));
        check(
            "AWS:epochtime",
            "1704067200",
            date,
            Some("2024-01-01T00:00:00Z"),
        );
        check(date, "1704067200", seconds, Some("1704067200"));
        check(seconds, "2024-01-01", date, Some("2024-01-01"));
        check("aws:SourceVpc", "vpc-1", date, None);
        let mut absent = Context::new().with(seconds, "0");
        absent.set(date, []);
        absent.agree_on_time();
        assert_eq!(absent.get(date), Some(&[][..]));
    }

    #[test]
    fn caller_tells_who_it_is() {
        check(USER, "aws:PrincipalArn", Some(USER));
        check(USER, "AWS:principalarn", Some(USER));
        check(USER, "aws:username", Some("ann"));
        check(USER, "aws:PrincipalType", Some("User"));
        check(ROLE, "aws:PrincipalArn", Some(ROLE));
        check(ROLE, "aws:username", None);
        check(FEDERATED, "aws:PrincipalArn", Some(FEDERATED));
        check("111122223333", "aws:PrincipalArn", Some(ROOT));
        check("111122223333", "aws:PrincipalType", Some("Account"));
        check("111122223333", "kms:CallerAccount", Some("111122223333"));
        check(ROLE, "aws:PrincipalIsAWSService", Some("false"));
    }

    #[test]
    fn session_answers_with_its_role() {
        let role = "arn:aws:iam::111122223333:role/app";
        check(SESSION, "aws:PrincipalArn", Some(role));
        check(SESSION, "aws:PrincipalAccount", Some("111122223333"));
        check(SESSION, "aws:PrincipalType", Some("AssumedRole"));
    }

    #[test]
    fn service_has_no_account() {
        let logs = "logs.amazonaws.com";
        check(logs, "aws:PrincipalIsAWSService", Some("true"));
        check(logs, "aws:PrincipalServiceName", Some(logs));
        check(logs, "aws:PrincipalArn", None);
        check(logs, "kms:CallerAccount", None);
        check("AROAEXAMPLE", "aws:PrincipalArn", None);
    }
}
