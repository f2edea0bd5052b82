//! Principals: who can be given access, as resolved identities and as the short names of manifests.

use std::fmt;
use std::str::FromStr;

use super::{AccountId, Arn, Malformed, Partition, Place};

/// A principal that a key policy can name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// Everyone, `*`.
    Anyone,
    /// An account's root, which stands for its IAM policies as well.
    Account(Partition, AccountId),
    /// An IAM user.
    User(Arn),
    /// An IAM role, with all its sessions.
    Role(Arn),
    /// One session of a role.
    Session(Arn),
    /// A federated user session.
    Federated(Arn),
    /// An AWS service.
    Service(ServiceName),
    /// What AWS shows in place of a deleted user or role: its unique id.
    Deleted(UniqueId),
}

impl Principal {
    /// Reads an ARN, a 12-digit account id (in `partition`), `*`, or a unique id.
    pub fn parse(text: &str, partition: Partition) -> Result<Self, Malformed> {
        if text == "*" {
            return Ok(Self::Anyone);
        }
        if let Ok(account) = text.parse() {
            return Ok(Self::Account(partition, account));
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Deleted(id));
        }
        Self::from_arn(text.parse()?)
    }

    /// True for a role of which the other is a session.
    ///
    /// No two roles of an account differ in path or case alone, and a session's ARN has neither for certain.
    pub fn is_role_of(&self, session: &Self) -> bool {
        let (Self::Role(role), Self::Session(session)) = (self, session) else {
            return false;
        };
        let of_session = session.resource().split('/').nth(1).unwrap_or_default();
        let last = role.resource().rsplit('/').next().unwrap_or_default();
        of_session.eq_ignore_ascii_case(last)
            && (role.account(), role.partition()) == (session.account(), session.partition())
    }

    /// Tells what kind of principal an ARN names.
    pub fn from_arn(arn: Arn) -> Result<Self, Malformed> {
        let partition: Partition = arn.partition().parse()?;
        let account: AccountId = arn.account().parse()?;
        let wrong = |why: &str| Malformed::new(format!("`{arn}` does not name a principal: {why}"));
        if !arn.region().is_empty() {
            return Err(wrong(
                "IAM has no Regions, so the fourth part must be empty",
            ));
        }
        let name_is_plain = |name: &str| !name.is_empty() && !name.contains(['*', '?']);
        let (kind, name) = arn
            .resource()
            .split_once('/')
            .unwrap_or((arn.resource(), ""));
        match (arn.service(), kind) {
            ("iam", "root") if name.is_empty() => Ok(Self::Account(partition, account)),
            ("iam", "user") if name_is_plain(name) => Ok(Self::User(arn)),
            ("iam", "role") if name_is_plain(name) => Ok(Self::Role(arn)),
            ("sts", "assumed-role") if name_is_plain(name) && name.contains('/') => {
                Ok(Self::Session(arn))
            }
            ("sts", "federated-user") if name_is_plain(name) => Ok(Self::Federated(arn)),
            ("iam", "user" | "role") | ("sts", "assumed-role" | "federated-user") => {
                Err(wrong("a wildcard or an empty name is not allowed here"))
            }
            ("iam", "group") => Err(wrong("IAM groups cannot be principals")
                .with_help("name the roles or users themselves")),
            _ => Err(wrong(
                "it is not a root, user, role, role session or federated user",
            )),
        }
    }

    /// The account that the principal belongs to, where it belongs to one.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(_, account) => Some(*account),
            Self::User(arn) | Self::Role(arn) | Self::Session(arn) | Self::Federated(arn) => {
                arn.account().parse().ok()
            }
            Self::Anyone | Self::Service(_) | Self::Deleted(_) => None,
        }
    }

    /// The account that the principal belongs to, with its partition.
    pub fn home(&self) -> Option<(Partition, AccountId)> {
        let partition = match self {
            Self::Account(partition, _) => *partition,
            Self::User(arn) | Self::Role(arn) | Self::Session(arn) | Self::Federated(arn) => {
                arn.partition().parse().ok()?
            }
            Self::Anyone | Self::Service(_) | Self::Deleted(_) => return None,
        };
        Some((partition, self.account()?))
    }

    /// The short name as manifests write it, as seen from an account: `role/NAME`, `222233334444:role/NAME`.
    pub fn short(&self, home: AccountId) -> String {
        let named = |arn: &Arn, resource: String| {
            if arn.account() == home.as_str() {
                resource
            } else {
                format!("{}:{resource}", arn.account())
            }
        };
        match self {
            Self::Anyone => "anyone".to_owned(),
            Self::Account(_, account) if *account == home => "account".to_owned(),
            Self::Account(_, account) => format!("account/{account}"),
            Self::User(arn) | Self::Role(arn) => named(arn, arn.resource().to_owned()),
            Self::Session(arn) => {
                named(arn, arn.resource().replacen("assumed-role/", "session/", 1))
            }
            Self::Federated(arn) => named(
                arn,
                arn.resource().replacen("federated-user/", "federated/", 1),
            ),
            Self::Service(name) => format!("service/{name}"),
            Self::Deleted(id) => format!("deleted/{id}"),
        }
    }
}

impl fmt::Display for Principal {
    /// Writes the form that policies use: an ARN, `*`, a service name, or a unique id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("*"),
            Self::Account(partition, account) => write!(f, "arn:{partition}:iam::{account}:root"),
            Self::User(arn) | Self::Role(arn) | Self::Session(arn) | Self::Federated(arn) => {
                arn.fmt(f)
            }
            Self::Service(name) => name.fmt(f),
            Self::Deleted(id) => id.fmt(f),
        }
    }
}

/// Declares a newtype over checked text.
macro_rules! checked_text {
    ($(#[$meta:meta])* $name:ident, $valid:expr, $problem:literal, $help:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Malformed::new(format!($problem, text)).with_help($help))
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text! {
    /// An AWS service principal such as `logs.eu-central-1.amazonaws.com`.
    ServiceName,
    |text| {
        let label = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let amazon = text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn") || text.ends_with(".aws.internal");
        amazon && text.len() <= 128 && text.split('.').all(label)
    },
    "`{}` is not an AWS service principal",
    "write it like `logs.amazonaws.com`"
}

checked_text! {
    /// The unique id of an IAM user (`AIDA…`) or role (`AROA…`).
    UniqueId,
    |text| {
        (text.starts_with("AIDA") || text.starts_with("AROA"))
            && text.len() > 4
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    },
    "`{}` is not the unique id of a user or role",
    "unique ids start with `AIDA` or `AROA`"
}

checked_text! {
    /// An AWS Organizations id, `o-` and 10 to 32 lower-case letters and digits.
    OrganizationId,
    |text| text.strip_prefix("o-").is_some_and(|rest| {
        (10..=32).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    }),
    "`{}` is not an organization id",
    "an organization id is `o-` and 10 to 32 lower-case letters and digits"
}

checked_text! {
    /// A team's name in manifests.
    TeamName,
    |text| !text.is_empty() && text.len() <= 128 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')),
    "`{}` is not a team name",
    "use letters, digits, `_`, `-` and `.`"
}

/// A principal as a manifest writes it, before account, Region and teams are known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalName {
    /// `team/NAME`.
    Team(TeamName),
    /// `organization/o-…`: everyone in it, by condition.
    Organization(OrganizationId),
    /// Any other short form or ARN; checked, with `${account}` and `${region}` still open.
    Single(String),
}

impl PrincipalName {
    /// The short forms, for messages.
    pub const FORMS: &'static str = "`role/NAME`, `user/NAME`, `account`, `account/ID`, `ID:role/NAME`, `session/ROLE/SESSION`, `federated/NAME`, `service/NAME.amazonaws.com`, `organization/o-…`, `team/NAME`, `anyone`, or an ARN";

    /// The principal in a place; `None` for teams and organizations, which stand for more than one.
    pub fn resolve(&self, place: &Place) -> Option<Result<Principal, Malformed>> {
        match self {
            Self::Team(_) | Self::Organization(_) => None,
            Self::Single(text) => {
                let text = text
                    .replace("${account}", place.account.as_str())
                    .replace("${region}", place.region.as_str());
                Some(resolve_single(&text, place))
            }
        }
    }
}

impl FromStr for PrincipalName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some(team) = text.strip_prefix("team/") {
            return Ok(Self::Team(team.parse()?));
        }
        if let Some(organization) = text.strip_prefix("organization/") {
            return Ok(Self::Organization(organization.parse()?));
        }
        let sample = Place {
            account: "111122223333".parse()?,
            region: "us-east-1".parse()?,
        };
        let name = Self::Single(text.to_owned());
        match name.resolve(&sample) {
            Some(Err(malformed)) => Err(malformed),
            Some(Ok(_)) | None => Ok(name),
        }
    }
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Team(name) => write!(f, "team/{name}"),
            Self::Organization(id) => write!(f, "organization/{id}"),
            Self::Single(text) => f.write_str(text),
        }
    }
}

fn resolve_single(text: &str, place: &Place) -> Result<Principal, Malformed> {
    let unknown = || {
        Malformed::new(format!("`{text}` is not a principal"))
            .with_help(format!("write {}", PrincipalName::FORMS))
    };
    if text.starts_with("arn:") {
        return Principal::from_arn(text.parse()?);
    }
    if text == "anyone" {
        return Ok(Principal::Anyone);
    }
    if text == "account" {
        return Ok(Principal::Account(place.partition(), place.account));
    }
    if text.parse::<AccountId>().is_ok() {
        return Err(unknown().with_help(format!("for the whole account, write `account/{text}`")));
    }
    let (account, rest) = match text.split_once(':') {
        Some((account, rest)) => (account.parse::<AccountId>()?, rest),
        None => (place.account, text),
    };
    let (kind, name) = rest.split_once('/').ok_or_else(unknown)?;
    if name.is_empty() {
        return Err(unknown());
    }
    let partition = place.partition();
    let arn = |service: &str, resource: &str| {
        iam_characters(text, name)?;
        Principal::from_arn(format!("arn:{partition}:{service}::{account}:{resource}").parse()?)
    };
    match kind {
        "role" | "user" => arn("iam", rest),
        "session" if !name.contains('/') => {
            Err(unknown().with_help("a session is `session/ROLE/SESSION`"))
        }
        "session" => arn("sts", &format!("assumed-role/{name}")),
        "federated" => arn("sts", &format!("federated-user/{name}")),
        "account" if account == place.account => Ok(Principal::Account(partition, name.parse()?)),
        "service" if account == place.account => Ok(Principal::Service(name.parse()?)),
        _ => Err(unknown()),
    }
}

/// IAM's alphabet for names and paths.
fn iam_characters(text: &str, name: &str) -> Result<(), Malformed> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
    match name.chars().find(|c| !valid(*c)) {
        None => Ok(()),
        Some(wrong) => Err(Malformed::new(format!(
            "`{text}` is not a principal: IAM names cannot have the character `{wrong}`"
        ))),
    }
}
