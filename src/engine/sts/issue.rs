//! What all sessions have in common: their duration, policies and tags, and the credentials that carry them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::engine::store::Connection;
use jiff::{SignedDuration, Timestamp};

use crate::engine::authorize;
use crate::engine::credentials::{self, AccessKey, Life};
use crate::engine::iam;
use crate::engine::operation::Context;
use crate::engine::session::{self, Terms};
use crate::engine::wire::{Code, Failure, Form, Xml};

/// The longest session policy in characters, and the most managed policies.
const LONGEST_POLICY: usize = 2048;
const MOST_POLICIES: usize = 10;
/// The most tags that a request gives a session.
const MOST_TAGS: usize = 50;

/// Temporary credentials.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) key: AccessKey,
    pub(crate) token: String,
    pub(crate) expires: Timestamp,
}

/// Makes the credentials of a session.
pub(super) fn issue(context: &Context<'_>, terms: &Terms) -> Result<Issued, Failure> {
    let master = &context.database.master;
    let key = credentials::mint(Life::Temporary, master, context.entropy)?;
    let token = session::seal(master, &key, terms, context.entropy)
        .map_err(|error| Failure::internal(&error))?;
    Ok(Issued {
        key,
        token,
        expires: terms.expires,
    })
}

impl Issued {
    /// Writes the credentials.
    pub(super) fn write(&self, result: &mut Xml) {
        result.element("Credentials", |xml| {
            xml.text("AccessKeyId", &self.key.id)
                .text("SecretAccessKey", &self.key.secret)
                .text("SessionToken", &self.token)
                .time("Expiration", self.expires);
        });
    }
}

/// When a session ends that is asked for now.
pub(super) fn end(
    context: &Context<'_>,
    form: &Form,
    default: i64,
    range: RangeInclusive<i64>,
) -> Result<Timestamp, Failure> {
    let seconds = match form.get("DurationSeconds").map(str::parse::<i64>) {
        None => default.min(*range.end()),
        Some(Ok(seconds)) if seconds > *range.end() => {
            return Err(Failure::validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        Some(Ok(seconds)) if range.contains(&seconds) => seconds,
        Some(_) => {
            return Err(Failure::validation(format!(
                "1 validation error detected: Value at 'durationSeconds' failed to satisfy constraint: Member must have \
                 value greater than or equal to {}",
                range.start()
            )));
        }
    };
    let end = context.now.checked_add(SignedDuration::from_secs(seconds));
    end.map_err(|error| Failure::internal(&error))
}

/// The texts of the policies that narrow a session: one in the request, and managed ones by ARN.
pub(super) fn policies(connection: &Connection, form: &Form) -> Result<Vec<String>, Failure> {
    let malformed = |why: String| Failure::new(Code::MalformedPolicyDocument, why);
    let mut texts = Vec::new();
    if let Some(text) = form.get("Policy") {
        if text.chars().count() > LONGEST_POLICY {
            return Err(Failure::validation(format!(
                "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less \
                 than or equal to {LONGEST_POLICY}"
            )));
        }
        iam::check_policy(text)?;
        texts.push(text.to_owned());
    }
    let named = (1..).map_while(|index| form.get(&format!("PolicyArns.member.{index}.arn")));
    for (index, arn) in named.enumerate() {
        let text = authorize::managed_text(connection, arn)?.filter(|_| index < MOST_POLICIES);
        texts.push(text.ok_or_else(|| malformed(format!("Policy {arn} is not valid")))?);
    }
    Ok(texts)
}

/// Whether a request gives a session tags, which takes a permission of its own.
pub(super) fn has_tags(form: &Form) -> bool {
    !form.pairs("Tags", "Key", "Value").is_empty()
}

/// A session's tags, with those that it inherits, and the keys of those that the next one does.
pub(super) fn tags(
    context: &Context<'_>,
    form: &Form,
) -> Result<(BTreeMap<String, String>, Vec<String>), Failure> {
    let mut tags = BTreeMap::new();
    let mut transitive = Vec::new();
    if let Some(session) = &context.caller.session {
        for name in &session.transitive {
            if let Some(value) = session.tags.get(name) {
                tags.insert(name.clone(), value.clone());
                transitive.push(name.clone());
            }
        }
    }
    let given = form.pairs("Tags", "Key", "Value");
    check_tags(&given)?;
    for (name, value) in given {
        if transitive
            .iter()
            .any(|inherited| inherited.eq_ignore_ascii_case(name))
        {
            return Err(Failure::new(
                Code::InvalidInput,
                format!(
                    "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag \
                         key from the calling session: {name}"
                ),
            ));
        }
        tags.insert(name.to_owned(), value.to_owned());
    }
    transitive.extend(
        form.list("TransitiveTagKeys")
            .into_iter()
            .map(str::to_owned),
    );
    Ok((tags, transitive))
}

/// Who is behind a session: whoever was behind the one that asks for it, or whom the request names.
pub(super) fn source_identity(
    context: &Context<'_>,
    form: &Form,
) -> Result<Option<String>, Failure> {
    let session = context.caller.session.as_deref();
    let inherited = session.and_then(|session| session.source_identity.as_deref());
    let given = form.get("SourceIdentity");
    let given = given.map(|_| name(form, "SourceIdentity")).transpose()?;
    match (inherited, given) {
        (Some(inherited), Some(given)) if inherited != given => Err(Failure::new(
            Code::AccessDenied,
            "The source identity of the calling session cannot be changed",
        )),
        _ => Ok(inherited.or(given).map(str::to_owned)),
    }
}

fn check_tags(given: &[(&str, &str)]) -> Result<(), Failure> {
    if given.len() > MOST_TAGS {
        return Err(Failure::validation(format!(
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than \
             or equal to {MOST_TAGS}"
        )));
    }
    iam::check_tags(given)?;
    let names: BTreeSet<String> = given.iter().map(|(name, _)| name.to_lowercase()).collect();
    if names.len() < given.len() {
        return Err(Failure::new(
            Code::InvalidInput,
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ));
    }
    Ok(())
}

/// A session's name, in STS's alphabet.
pub(super) fn name<'a>(form: &'a Form, member: &str) -> Result<&'a str, Failure> {
    let name = form.get(member).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (2..=64).contains(&name.len()) && name.chars().all(is_plain) {
        return Ok(name);
    }
    Err(Failure::validation(format!(
        "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [\\w+=,.@-]*"
    )))
}
