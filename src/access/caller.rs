//! The dimension of callers: one example of each set of principals that policies tell apart.

use std::collections::BTreeSet;

use super::Exhausted;
use super::clause::{Clause, Tests};
use super::minterm::minterms;
use super::pattern::{Class, Pattern};
use crate::model::{AccountId, Partition, Principal};

/// Some principals, by one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// One of them; a role stands for its sessions.
    pub(super) principal: Principal,
    /// Whether a policy names exactly this one.
    pub(super) is_named: bool,
    /// Where it belongs, if anywhere.
    pub(super) home: Option<(Partition, AccountId)>,
    /// For a session, its role's ARN without the path.
    pub(super) role: Option<String>,
}

/// What policies say about callers.
#[derive(Clone, Debug)]
pub(super) struct Mentions<'a> {
    /// The key's partition: principals of others cannot reach it.
    pub(super) partition: Partition,
    /// The key's account.
    pub(super) home: AccountId,
    /// Accounts that are written down somewhere.
    pub(super) accounts: &'a BTreeSet<AccountId>,
    /// The principals of statements.
    pub(super) principals: BTreeSet<&'a Principal>,
    /// The conditions on what follows from the caller.
    pub(super) clauses: Vec<&'a Clause>,
}

/// Accounts of examples, the first one first.
const EXAMPLE_ACCOUNTS: [&str; 4] = [
    "444455556666",
    "777788889999",
    "666677778888",
    "888899990000",
];

/// A kind of principal that policies can tell apart by text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Role,
    /// A session of a role: the role's ARN without its path, `#`, and the session's name.
    Session,
    User,
    Root,
    Federated,
    Service,
    Deleted,
}

/// The condition keys whose values follow from the caller.
pub(super) fn follows_from_caller(key: &str) -> bool {
    matches!(
        key,
        "aws:principalarn"
            | "aws:principalaccount"
            | "kms:calleraccount"
            | "aws:principaltype"
            | "aws:principalisawsservice"
            | "aws:principalservicename"
            | "aws:principalservicenameslist"
            | "aws:username"
    )
}

/// One example of each set of callers that is told apart.
pub(super) fn callers(mentions: &Mentions<'_>) -> Result<Vec<Caller>, Exhausted> {
    let mut callers = Vec::new();
    for kind in [
        Kind::Role,
        Kind::User,
        Kind::Session,
        Kind::Root,
        Kind::Federated,
        Kind::Service,
        Kind::Deleted,
    ] {
        let mut patterns: BTreeSet<Pattern> = mentions
            .principals
            .iter()
            .filter_map(|principal| mentions.pattern_of(kind, principal))
            .collect();
        patterns.extend(mentions.account(kind, mentions.home));
        for clause in &mentions.clauses {
            patterns.extend(mentions.patterns_of(kind, clause));
        }
        let patterns: Vec<Pattern> = patterns.into_iter().collect();
        let (language, favourites) = (mentions.language(kind), mentions.favourites(kind));
        for minterm in minterms(&patterns, &language, &favourites)? {
            let is_named = minterm.fits.ones().any(|index| {
                let pattern = patterns.get(index);
                pattern.is_some_and(|pattern| pattern.as_literal().is_some())
            });
            let principal = mentions.principal(kind, &minterm.word);
            callers.extend(principal.map(|principal| Caller::new(principal, is_named)));
        }
    }
    callers.sort_by_key(|caller| !caller.is_named);
    Ok(callers)
}

impl Mentions<'_> {
    fn prefix(&self, kind: Kind) -> String {
        let service = if kind == Kind::Federated {
            "sts"
        } else {
            "iam"
        };
        format!("arn:{}:{service}::", self.partition)
    }

    /// Everyone of a kind.
    fn language(&self, kind: Kind) -> Vec<Pattern> {
        let of_account = |rest: &str| {
            let start = Pattern::literal(&self.prefix(kind));
            start.times(12, Class::Digit).text(rest)
        };
        let name = |start: Pattern| start.times(1, Class::Name).many(Class::Name);
        // A path has a name at its end.
        let path = |start: Pattern| {
            let long = start.clone().times(1, Class::Name).many(Class::Path);
            vec![start.times(1, Class::Name), long.times(1, Class::Name)]
        };
        match kind {
            Kind::Role => path(of_account(":role/")),
            Kind::User => path(of_account(":user/")),
            Kind::Session => vec![name(name(of_account(":role/")).text("#"))],
            Kind::Root => vec![of_account(":root")],
            Kind::Federated => vec![name(of_account(":federated-user/"))],
            Kind::Service => vec![
                Pattern::default()
                    .times(1, Class::Letter)
                    .many(Class::Name)
                    .text(".amazonaws.com"),
            ],
            Kind::Deleted => vec![Pattern::literal("A").many(Class::Name)],
        }
    }

    fn favourites(&self, kind: Kind) -> Vec<String> {
        let prefix = self.prefix(kind);
        // Who stands for everyone of any account is of none that is written down.
        let is_free = |account: &&str| {
            let mut known = self.accounts.iter().chain([&self.home]);
            known.all(|one| one.as_str() != *account)
        };
        let other = EXAMPLE_ACCOUNTS.into_iter().find(is_free);
        let name = match kind {
            Kind::Role => ":role/Example",
            Kind::User => ":user/example",
            Kind::Session => ":role/Example#session",
            Kind::Root => ":root",
            Kind::Federated => ":federated-user/example",
            Kind::Service => {
                return ["s3", "logs", "sns", "example"]
                    .map(|name| format!("{name}.amazonaws.com"))
                    .into();
            }
            Kind::Deleted => return vec!["AROAEXAMPLE1234567890".to_owned()],
        };
        let accounts = [self.home.as_str()].into_iter().chain(other);
        let accounts = accounts.chain(EXAMPLE_ACCOUNTS);
        accounts
            .map(|account| format!("{prefix}{account}{name}"))
            .collect()
    }

    fn account(&self, kind: Kind, account: AccountId) -> Option<Pattern> {
        match kind {
            Kind::Service | Kind::Deleted => None,
            Kind::Role | Kind::Session | Kind::User | Kind::Root | Kind::Federated => {
                let start = format!("{}{account}:", self.prefix(kind));
                Some(Pattern::literal(&start).many(Class::Any))
            }
        }
    }

    /// Who of a kind a principal of a statement stands for.
    fn pattern_of(&self, kind: Kind, principal: &Principal) -> Option<Pattern> {
        match (kind, principal) {
            (Kind::Role, Principal::Role(arn))
            | (Kind::User, Principal::User(arn))
            | (Kind::Federated, Principal::Federated(arn)) => Some(Pattern::literal(arn.as_str())),
            (Kind::Session, Principal::Role(arn)) => {
                let last = arn.resource().rsplit('/').next().unwrap_or_default();
                let (partition, account) = (arn.partition(), arn.account());
                let start = format!("arn:{partition}:iam::{account}:role/{last}#");
                Some(Pattern::literal(&start).many(Class::Any))
            }
            (Kind::Session, Principal::Session(arn)) => {
                let (_, names) = arn.resource().split_once('/')?;
                let (role, session) = names.split_once('/')?;
                let (partition, account) = (arn.partition(), arn.account());
                let word = format!("arn:{partition}:iam::{account}:role/{role}#{session}");
                Some(Pattern::literal(&word))
            }
            (_, Principal::Account(partition, account)) if *partition == self.partition => {
                self.account(kind, *account)
            }
            (Kind::Service, Principal::Service(name)) => Some(Pattern::literal(name.as_str())),
            (Kind::Deleted, Principal::Deleted(id)) => Some(Pattern::literal(id.as_str())),
            (
                _,
                Principal::Anyone
                | Principal::Account(..)
                | Principal::User(_)
                | Principal::Role(_)
                | Principal::Session(_)
                | Principal::Federated(_)
                | Principal::Service(_)
                | Principal::Deleted(_),
            ) => None,
        }
    }

    /// Who of a kind a condition on the caller tells apart.
    fn patterns_of(&self, kind: Kind, clause: &Clause) -> Vec<Pattern> {
        let Tests::Words(words) = &clause.tests else {
            return Vec::new();
        };
        let has_account = !matches!(kind, Kind::Service | Kind::Deleted);
        let prefix = || Pattern::literal(&self.prefix(kind));
        let of_word = |word: &Pattern| match clause.key.as_str() {
            "aws:principalarn" if kind == Kind::Session => {
                vec![word.clone().text("#").many(Class::Any)]
            }
            "aws:principalarn" if has_account => vec![word.clone()],
            "aws:principalaccount" | "kms:calleraccount" if has_account => {
                vec![prefix().then(word).text(":").many(Class::Any)]
            }
            "aws:principalservicename" | "aws:principalservicenameslist"
                if kind == Kind::Service =>
            {
                vec![word.clone()]
            }
            "aws:username" if kind == Kind::User => {
                let user = prefix().times(12, Class::Digit).text(":user/");
                vec![
                    user.clone().then(word),
                    user.many(Class::Path).text("/").then(word),
                ]
            }
            _ => Vec::new(),
        };
        words.iter().flat_map(of_word).collect()
    }

    fn principal(&self, kind: Kind, word: &str) -> Option<Principal> {
        match kind {
            Kind::Service => word.parse().ok().map(Principal::Service),
            Kind::Session => {
                let (role, session) = word.split_once('#')?;
                let arn = role.replacen(":iam:", ":sts:", 1);
                let arn = arn.replacen(":role/", ":assumed-role/", 1);
                Principal::parse(&format!("{arn}/{session}"), self.partition).ok()
            }
            Kind::Role | Kind::User | Kind::Root | Kind::Federated | Kind::Deleted => {
                Principal::parse(word, self.partition).ok()
            }
        }
    }
}

impl Caller {
    fn new(principal: Principal, is_named: bool) -> Self {
        let home = principal.home();
        let role = session_role(&principal);
        Self {
            principal,
            is_named,
            home,
            role,
        }
    }

    /// The value of a condition key that follows from the caller; `None` where it has none.
    pub(super) fn value(&self, key: &str) -> Option<String> {
        let one = &self.principal;
        let service = || matches!(one, Principal::Service(_)).then(|| one.to_string());
        match key {
            "aws:principalarn" => {
                let own = self.home.map(|_| one.to_string());
                self.role.clone().or(own)
            }
            "aws:principalaccount" | "kms:calleraccount" => {
                self.home.map(|(_, account)| account.to_string())
            }
            "aws:principalisawsservice" => Some(service().is_some().to_string()),
            "aws:principalservicename" | "aws:principalservicenameslist" => service(),
            "aws:username" => user_name(one),
            "aws:principaltype" => kind_of(one).map(str::to_owned),
            _ => None,
        }
    }
}

/// The role of a session without its path.
fn session_role(principal: &Principal) -> Option<String> {
    let Principal::Session(arn) = principal else {
        return None;
    };
    let role = arn.resource().split('/').nth(1)?;
    let (partition, account) = (arn.partition(), arn.account());
    Some(format!("arn:{partition}:iam::{account}:role/{role}"))
}

/// `aws:username`, which only users have.
fn user_name(principal: &Principal) -> Option<String> {
    let Principal::User(arn) = principal else {
        return None;
    };
    arn.resource().rsplit('/').next().map(str::to_owned)
}

/// `aws:PrincipalType`.
fn kind_of(principal: &Principal) -> Option<&'static str> {
    match principal {
        Principal::Account(..) => Some("Account"),
        Principal::User(_) => Some("User"),
        Principal::Role(_) | Principal::Session(_) => Some("AssumedRole"),
        Principal::Federated(_) => Some("FederatedUser"),
        Principal::Anyone | Principal::Service(_) | Principal::Deleted(_) => None,
    }
}
