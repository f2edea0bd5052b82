//! One request with everything that has a say about it, as JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::context::Context;
use super::document::{Document, IdentityPolicy, Principals};
use super::evaluate::{Answer, Outcome, Policies, Request, authorize_under};
use super::flaw::refuse_malformed;
use super::grant::{Grant, read_grants};
use super::json::{self, ReadError, error, object, text};
use super::reading::Exemption;
use crate::model::{KeyArn, Partition, Principal};

/// A request, and the policies and grants to be asked about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The key policy.
    pub key_policy: Document,
    /// The caller's identity policies.
    pub identity_policies: Vec<IdentityPolicy>,
    /// Whether they are all.
    pub iam: Iam,
    /// The caller's permissions boundary.
    pub boundary: Option<IdentityPolicy>,
    /// The policies of the caller's session.
    pub session_policies: Vec<IdentityPolicy>,
    /// The key's grants.
    pub grants: Vec<Grant>,
    /// Who calls.
    pub caller: Principal,
    /// What is called, such as `kms:Decrypt`.
    pub action: String,
    /// On which key.
    pub key: KeyArn,
    /// What else is known about the request.
    pub context: Context,
}

/// Whether all that IAM says about the caller is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Iam {
    /// What stands in the question is all.
    Whole,
    /// There may be more of it.
    Open,
}

impl Question {
    /// Lets the role of a session that calls have the path that a policy, a grant or somebody else gives it.
    ///
    /// A session's ARN does not tell the path; nothing changes where none is known, or more than one.
    #[must_use]
    pub fn with_role_path<'a>(mut self, others: impl Iterator<Item = &'a Principal>) -> Self {
        const KEY: &str = "aws:PrincipalArn";
        let named = self.key_policy.statements.iter().flat_map(|statement| {
            let (Principals::Any(set) | Principals::Not(set)) = &statement.principals;
            set.iter()
        });
        let named = named.chain(self.grants.iter().map(|grant| &grant.grantee));
        let is_role = |one: &&Principal| one.is_role_of(&self.caller);
        let named = named.filter(is_role).map(ToString::to_string);
        let others = others.filter(is_role).map(ToString::to_string);
        let roles: BTreeSet<String> = named.chain(others).collect();
        let mut roles = roles.into_iter();
        if let (Some(role), None, None) = (roles.next(), roles.next(), self.context.get(KEY)) {
            self.context.set(KEY, [role]);
        }
        self
    }

    /// Asks everything that has a say.
    pub fn answer(&self) -> Answer {
        self.answer_under(Exemption::WholeChain)
    }

    /// What becomes of the request if `NotPrincipal` is read the other way; `None` where that is the same.
    ///
    /// AWS's pages disagree on whom it spares; see [`Exemption`].
    pub fn otherwise(&self) -> Option<Outcome> {
        let other = self.answer_under(Exemption::AnyLink).outcome;
        (other != self.answer().outcome).then_some(other)
    }

    fn answer_under(&self, exemption: Exemption) -> Answer {
        let policies = Policies {
            key: &self.key_policy,
            identity: &self.identity_policies,
            boundary: self.boundary.as_ref(),
            session: &self.session_policies,
            grants: &self.grants,
        };
        let request = Request {
            caller: &self.caller,
            action: &self.action,
            key: &self.key,
            context: &self.context,
        };
        authorize_under(&policies, &request, exemption)
    }
}

/// Every member of a question.
const MEMBERS: [&str; 10] = [
    "id",
    "keyPolicy",
    "identityPolicies",
    "boundary",
    "sessionPolicies",
    "grants",
    "principal",
    "action",
    "resource",
    "context",
];

/// Reads a question; its `id` is for whoever asks.
pub fn read_question(value: &Value) -> Result<Question, ReadError> {
    let members = object(value, "")?;
    if let Some(name) = members
        .keys()
        .find(|name| !MEMBERS.contains(&name.as_str()))
    {
        let problem = format!("is not a member of a request; write {}", MEMBERS.join(", "));
        return Err(error(name, problem));
    }
    let key: KeyArn = text(needed(members, "resource")?, "resource")?
        .parse()
        .map_err(|malformed: crate::model::Malformed| error("resource", malformed.problem))?;
    let partition = key.partition;
    let caller = match members.get("principal") {
        Some(Value::Null) => Principal::Anyone,
        Some(value) => read_caller(text(value, "principal")?, partition)
            .map_err(|error| error.within("principal"))?,
        None => return Err(error("principal", "is missing; write null for nobody")),
    };
    let grants = given(members, "grants").map(|value| read_known_grants(value, partition));
    let grants = grants.transpose().map_err(|error| error.within("grants"))?;
    let boundary = given(members, "boundary").map(|value| read_own(value, "boundary"));
    let action = text(needed(members, "action")?, "action")?;
    check_action(action).map_err(|error| error.within("action"))?;
    let question = Question {
        key_policy: read_key_policy(needed(members, "keyPolicy")?, partition)?,
        identity_policies: read_list(members, "identityPolicies")?,
        iam: match given(members, "identityPolicies") {
            Some(_) => Iam::Whole,
            None => Iam::Open,
        },
        boundary: boundary.transpose()?,
        session_policies: read_list(members, "sessionPolicies")?,
        grants: grants.unwrap_or_default(),
        caller,
        action: action.to_owned(),
        key,
        context: read_context(members)?,
    };
    Ok(question.with_role_path(std::iter::empty()))
}

fn given<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).filter(|value| !value.is_null())
}

fn needed<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a Value, ReadError> {
    given(members, name).ok_or_else(|| error(name, "is missing"))
}

fn read_key_policy(value: &Value, partition: Partition) -> Result<Document, ReadError> {
    let document = match value.as_str() {
        Some(text) => json::read(text, partition),
        None => json::read_value(value, partition),
    };
    let checked = document.and_then(|one| refuse_malformed(one.flaws()).map(|()| one));
    checked.map_err(|error| error.within("keyPolicy"))
}

fn read_known_grants(value: &Value, partition: Partition) -> Result<Vec<Grant>, ReadError> {
    let grants = read_grants(value, partition)?;
    let mut all = grants.iter().enumerate();
    match all.find_map(|(index, grant)| Some((index, grant.unknown_operation()?))) {
        None => Ok(grants),
        Some((index, name)) => {
            let problem = format!("`{name}` is not an operation that a grant can give");
            Err(error(format!("[{index}].Operations"), problem))
        }
    }
}

fn read_own(value: &Value, path: &str) -> Result<IdentityPolicy, ReadError> {
    let policy = match value.as_str() {
        Some(text) => json::read_identity(text),
        None => json::read_identity_value(value),
    };
    let checked = policy.and_then(|one| refuse_malformed(one.flaws()).map(|()| one));
    checked.map_err(|error| error.within(path))
}

fn read_list(members: &Map<String, Value>, name: &str) -> Result<Vec<IdentityPolicy>, ReadError> {
    let Some(value) = given(members, name) else {
        return Ok(Vec::new());
    };
    let Some(policies) = value.as_array() else {
        return Err(error(name, "must be a list of policies"));
    };
    let one = |(index, value)| read_own(value, &format!("{name}[{index}]"));
    policies.iter().enumerate().map(one).collect()
}

/// Reads who calls: an ARN, an account's id for its root user, a service's name, or a unique id.
pub fn read_caller(text: &str, partition: Partition) -> Result<Principal, ReadError> {
    if let Ok(service) = text.parse() {
        return Ok(Principal::Service(service));
    }
    match Principal::parse(text, partition) {
        Ok(Principal::Anyone) => Err(error("", "`*` is no caller; a request comes from one")),
        Ok(caller) => Ok(caller),
        Err(malformed) => Err(error("", malformed.problem)),
    }
}

/// Checks that an action is one action.
pub fn check_action(text: &str) -> Result<(), ReadError> {
    let is_plain = |part: &str| !part.is_empty() && !part.contains(['*', '?', ':', ' ']);
    match text.split_once(':') {
        Some(_) if text.eq_ignore_ascii_case("kms:ReEncrypt") => {
            let problem = "is no action: KMS asks for `kms:ReEncryptFrom` on the one key and `kms:ReEncryptTo` on the other";
            Err(error("", format!("`{text}` {problem}")))
        }
        Some((service, name)) if is_plain(service) && is_plain(name) => Ok(()),
        Some(_) | None => {
            let problem = format!("`{text}` is not an action such as `kms:Decrypt`");
            Err(error("", problem))
        }
    }
}

/// What a request carries is text; null stands for a key that is not there.
fn context_values(value: &Value, path: &str) -> Result<Vec<String>, ReadError> {
    let one = |value: &Value| {
        let problem = || {
            error(
                path,
                "must be text or a list of texts; write numbers and truth values as text",
            )
        };
        value.as_str().map(str::to_owned).ok_or_else(problem)
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items.iter().map(one).collect(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Ok(vec![one(value)?])
        }
    }
}

/// The names of the encryption context's pairs.
fn names_of_pairs(context: &Value) -> Vec<String> {
    const PAIR: &str = "kms:EncryptionContext:";
    let keys = context.as_object().into_iter().flat_map(Map::keys);
    let names = keys.filter_map(|key| {
        let (prefix, name) = key.split_at_checked(PAIR.len())?;
        prefix.eq_ignore_ascii_case(PAIR).then(|| name.to_owned())
    });
    names.collect()
}

fn read_context(members: &Map<String, Value>) -> Result<Context, ReadError> {
    let mut context = Context::new();
    let Some(value) = given(members, "context") else {
        return Ok(context);
    };
    for (key, value) in object(value, "context")? {
        let at = format!("context.{key}");
        if context.get(key).is_some() {
            let problem = "stands twice; case does not distinguish condition keys";
            return Err(error(&at, problem));
        }
        context.set(key, context_values(value, &at)?);
    }
    let pairs = names_of_pairs(value);
    if context.get("kms:EncryptionContextKeys").is_none() && !pairs.is_empty() {
        context.set("kms:EncryptionContextKeys", pairs);
    }
    context.agree_on_time();
    Ok(context)
}
