//! The answer to one request, for people and for programs.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::style::{ADDED, PROBLEM, QUIET, paint};
use crate::model::Principal;
use crate::policy::{Answer, Denial, Ground, Iam, Level, Outcome, Question, Source};

/// What AWS leaves open about `NotPrincipal`.
const DISPUTE: &str = "AWS's pages disagree on whom `NotPrincipal` spares";

/// The answer for programs.
pub fn answer_json(question: &Question, answer: &Answer) -> Map<String, Value> {
    let Answer {
        outcome,
        level,
        by,
        denial,
    } = answer;
    let word = |outcome| match outcome {
        Outcome::Allowed => "Allowed",
        Outcome::ExplicitlyDenied => "ExplicitlyDenied",
        Outcome::ImplicitlyDenied => "ImplicitlyDenied",
    };
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("decision", word(*outcome).into());
    put("level", level.word().into());
    put("by", by.iter().map(ground).collect());
    if let Some(denial) = denial {
        put("reason", denial.to_string().into());
    }
    if let Some(other) = question.otherwise() {
        put(
            "otherwise",
            json!({"decision": word(other), "reason": DISPUTE}),
        );
    }
    object
}

/// What decided, under the names that requests have in a batch.
fn ground(ground: &Ground) -> Value {
    match ground {
        Ground::Grant(id) => json!({"grant": id}),
        Ground::Statement { source, index, sid } => {
            let policy = match source {
                Source::Key => "keyPolicy".to_owned(),
                Source::Identity(at) => format!("identityPolicies[{at}]"),
                Source::Boundary => "boundary".to_owned(),
                Source::Session(at) => format!("sessionPolicies[{at}]"),
            };
            json!({"policy": policy, "statement": index, "sid": sid})
        }
    }
}

/// Writes what becomes of a request, and why, for people.
pub fn answer_text(question: &Question, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let Question {
        caller,
        action,
        key,
        ..
    } = question;
    let words = |outcome| match outcome {
        Outcome::Allowed => (ADDED, "Allowed"),
        Outcome::ExplicitlyDenied => (PROBLEM, "Explicitly denied"),
        Outcome::ImplicitlyDenied => (PROBLEM, "Implicitly denied"),
    };
    let (style, decision) = words(answer.outcome);
    let caller = if *caller == Principal::Anyone {
        "an anonymous caller".to_owned()
    } else {
        caller.to_string()
    };
    writeln!(out, "{}: {caller} calls {action}", paint(style, decision))?;
    writeln!(out, "  {}", paint(QUIET, &format!("on {key}")))?;
    if let Some(denial) = &answer.denial {
        writeln!(out, "  why         {denial}")?;
    }
    if let Some(other) = question.otherwise() {
        let (_, other) = words(other);
        let other = other.to_lowercase();
        writeln!(
            out,
            "  unclear     {DISPUTE}; read the other way, it is {other}"
        )?;
    }
    let needs_iam = matches!(
        answer.denial,
        Some(Denial::Identity | Denial::ForeignIdentity | Denial::BeyondKeyPolicies(_))
    );
    if needs_iam && question.iam == Iam::Open {
        let help = "not all of IAM is known; give the account's with --identities, or the caller's policies with --identity-policy";
        writeln!(out, "  help        {help}")?;
    }
    let level = match answer.level {
        Level::Deny => "denies it",
        Level::None => "does not allow it",
        Level::Delegated => "leaves it to IAM policies",
        Level::Direct => "allows it",
    };
    writeln!(out, "  key policy  {level}")?;
    for ground in &answer.by {
        match ground {
            Ground::Grant(id) => writeln!(out, "  by          grant {id}")?,
            Ground::Statement { source, index, sid } => {
                let sid = sid
                    .as_ref()
                    .map_or_else(String::new, |sid| format!(" `{sid}`"));
                writeln!(out, "  by          {source}, Statement[{index}]{sid}")?;
            }
        }
    }
    Ok(())
}
