//! The dimension of callers: one example of each set of principals that policies tell apart.

use std::collections::BTreeSet;

use super::Exhausted;
use super::clause::{Clause, Tests};
use super::minterm::minterms;
use super::pattern::{Class, Pattern};
use crate::model::{AccountId, Arn, Partition, Principal};

/// Some principals, by one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// One of them; a role stands for its sessions.
    pub(super) principal: Principal,
    /// Whether a policy names exactly this one.
    pub(super) is_named: bool,
    /// Where it belongs, if anywhere.
    pub(super) home: Option<(Partition, AccountId)>,
    /// For a session, its role's ARN.
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
    /// A session of a role: the role's ARN, `#`, and the session's name.
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
            .flat_map(|principal| mentions.patterns_for(kind, principal))
            .collect();
        patterns.extend(mentions.account(kind, mentions.home));
        for clause in &mentions.clauses {
            patterns.extend(mentions.patterns_of(kind, clause));
        }
        let patterns: Vec<Pattern> = patterns.into_iter().collect();
        let (language, favourites) = (mentions.language(kind), mentions.favourites(kind));
        for minterm in minterms(&patterns, &[language], &favourites)? {
            let is_named = minterm.fits.ones().any(|index| {
                let pattern = patterns.get(index);
                pattern.is_some_and(|pattern| pattern.as_literal().is_some())
            });
            let caller = mentions.caller(kind, &minterm.word, is_named);
            callers.extend(caller.filter(|caller| mentions.has(caller)));
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
    fn language(&self, kind: Kind) -> Pattern {
        let of_account = |rest: &str| {
            let start = Pattern::literal(&self.prefix(kind));
            start.times(12, Class::Digit).text(rest)
        };
        let name = |start: Pattern| start.times(1, Class::Name).many(Class::Name);
        // A path has a name at its end.
        let path = |start: Pattern| start.many(Class::Path).times(1, Class::Name);
        match kind {
            Kind::Role => path(of_account(":role/")),
            Kind::User => path(of_account(":user/")),
            Kind::Session => name(path(of_account(":role/")).text("#")),
            Kind::Root => of_account(":root"),
            Kind::Federated => name(of_account(":federated-user/")),
            Kind::Service => Pattern::default()
                .times(1, Class::Letter)
                .many(Class::Name)
                .text(".amazonaws.com"),
            Kind::Deleted => Pattern::literal("A").many(Class::Name),
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

    /// Who of a kind a principal of a statement stands for; a session can be of a role below any path.
    fn patterns_for(&self, kind: Kind, principal: &Principal) -> Vec<Pattern> {
        let (Kind::Session, Principal::Session(arn)) = (kind, principal) else {
            return self.pattern_of(kind, principal).into_iter().collect();
        };
        let mut names = arn.resource().splitn(3, '/').skip(1);
        let (Some(role), Some(session)) = (names.next(), names.next()) else {
            return Vec::new();
        };
        let start = format!("arn:{}:iam::{}:role/", arn.partition(), arn.account());
        let end = format!("{role}#{session}");
        let mut patterns = vec![Pattern::literal(&format!("{start}{end}"))];
        let below = |path: &str| Pattern::literal(&format!("{start}{path}/{end}"));
        patterns.extend(self.roles_of(principal).filter_map(|arn| {
            let (_, name) = arn.resource().split_once('/')?;
            let (path, _) = name.rsplit_once('/')?;
            Some(below(path))
        }));
        if self.clauses.iter().any(|one| one.key == "aws:principalarn") {
            let any = Pattern::literal(&start).times(1, Class::Name);
            let any = any.many(Class::Path).text("/").text(&end);
            patterns.push(any);
        }
        patterns
    }

    /// The roles that policies name and that can have a session.
    fn roles_of(&self, session: &Principal) -> impl Iterator<Item = &Arn> {
        let roles = self.principals.iter();
        roles.filter_map(move |one| match one {
            Principal::Role(arn) => one.is_role_of(session).then_some(arn),
            Principal::Anyone
            | Principal::Account(..)
            | Principal::User(_)
            | Principal::Session(_)
            | Principal::Federated(_)
            | Principal::Service(_)
            | Principal::Deleted(_) => None,
        })
    }

    /// False for the session of a role that there cannot be, because another one has its name.
    fn has(&self, caller: &Caller) -> bool {
        let Some(role) = &caller.role else {
            return true;
        };
        let mut roles = self.roles_of(&caller.principal).peekable();
        roles.peek().is_none() || roles.any(|arn| arn.as_str().eq_ignore_ascii_case(role))
    }

    /// Who of a kind a principal of a statement stands for.
    fn pattern_of(&self, kind: Kind, principal: &Principal) -> Option<Pattern> {
        match (kind, principal) {
            (Kind::Role, Principal::Role(arn))
            | (Kind::User, Principal::User(arn))
            | (Kind::Federated, Principal::Federated(arn)) => Some(Pattern::literal(arn.as_str())),
            (Kind::Session, Principal::Role(arn)) => {
                let start = format!("{arn}#");
                Some(Pattern::literal(&start).many(Class::Any))
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

    fn caller(&self, kind: Kind, word: &str, is_named: bool) -> Option<Caller> {
        let (principal, role) = match kind {
            Kind::Service => (Principal::Service(word.parse().ok()?), None),
            Kind::Session => {
                let (role, session) = word.split_once('#')?;
                let (start, name) = role.split_once(":role/")?;
                let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
                let start = start.replacen(":iam:", ":sts:", 1);
                let arn = format!("{start}:assumed-role/{name}/{session}");
                (self.parse(&arn)?, Some(role.to_owned()))
            }
            Kind::Role | Kind::User | Kind::Root | Kind::Federated | Kind::Deleted => {
                (self.parse(word)?, None)
            }
        };
        Some(Caller {
            is_named: is_named || (kind == Kind::Session && self.principals.contains(&principal)),
            home: principal.home(),
            principal,
            role,
        })
    }

    fn parse(&self, word: &str) -> Option<Principal> {
        Principal::parse(word, self.partition).ok()
    }
}

impl Caller {
    /// The role of a session whose path the session's own ARN does not tell.
    pub(super) fn role_below_a_path(&self) -> Option<&str> {
        let role = self.role.as_deref()?;
        let (_, name) = role.split_once(":role/")?;
        name.contains('/').then_some(role)
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
