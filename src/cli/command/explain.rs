//! `keywright explain`: whether one request is allowed, and what decides it; or many, as JSON Lines.

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use crate::cli::args::{ExplainArgs, RequestArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::{lines, output};
use crate::model::{KeyArn, Partition, Principal};
use crate::policy::{self, IdentityPolicy, Outcome, Question, ReadError};
use crate::report::{Format, answer_json, answer_text};

/// Changes when a field of the answer changes its meaning; new fields leave it.
const VERSION: u32 = 1;

pub(super) fn run(args: &ExplainArgs, context: &Context) -> anyhow::Result<Exit> {
    if let Some(file) = &args.batch {
        return lines::answer(file, |line| {
            let question = policy::read_question(line).map_err(|error| error.to_string())?;
            Ok(answer_json(&question.answer()))
        });
    }
    output::prepare(&args.outputs.outputs)?;
    let question = question(&args.request, context)?;
    let answer = question.answer();
    output::each(&args.outputs.outputs, |format, out| match format {
        Format::Text => answer_text(&question, &answer, out),
        Format::Json => {
            let mut value = json!({"version": VERSION, "verb": "explain"});
            if let Some(object) = value.as_object_mut() {
                object.extend(answer_json(&answer));
            }
            serde_json::to_writer_pretty(&mut *out, &value)?;
            writeln!(out)
        }
    })?;
    Ok(match answer.outcome {
        Outcome::Allowed => Exit::Done,
        Outcome::ExplicitlyDenied | Outcome::ImplicitlyDenied => Exit::Changes,
    })
}

/// Reads the files of a request and what was typed about it.
fn question(args: &RequestArgs, context: &Context) -> anyhow::Result<Question> {
    let RequestArgs {
        policy,
        principal,
        action,
        resource,
        identity_policies,
        boundary,
        session_policies,
        grants,
        context: pairs,
    } = args;
    let (Some(path), Some(principal), Some(action), Some(key)) =
        (policy, principal, action, resource)
    else {
        bail!("a request needs --policy, --principal, --action and --resource");
    };
    policy::check_action(action)?;
    let partition = key.partition;
    let key_policy = read(path, |text| policy::read_live(text, partition))?;
    let own = |path: &Utf8Path| read(path, policy::read_identity);
    let all = |paths: &[Utf8PathBuf]| -> anyhow::Result<Vec<IdentityPolicy>> {
        paths.iter().map(|path| own(path)).collect()
    };
    let grants = grants
        .as_ref()
        .map(|path| read(path, |text| policy::read_grants_text(text, partition)));
    Ok(Question {
        key_policy,
        identity_policies: all(identity_policies)?,
        boundary: boundary.as_ref().map(|path| own(path)).transpose()?,
        session_policies: all(session_policies)?,
        grants: grants.transpose()?.unwrap_or_default(),
        caller: caller(principal, partition)?,
        action: action.clone(),
        key: KeyArn::clone(key),
        context: facts(pairs, context),
    })
}

fn read<T>(path: &Utf8Path, parse: impl FnOnce(&str) -> Result<T, ReadError>) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    parse(&text).with_context(|| format!("{path} is not usable"))
}

fn caller(text: &str, partition: Partition) -> anyhow::Result<Principal> {
    if text == "anonymous" {
        return Ok(Principal::Anyone);
    }
    Ok(policy::read_caller(text, partition)?)
}

/// What was typed, and the time of the call where none was.
fn facts(pairs: &[(String, String)], context: &Context) -> policy::Context {
    let mut facts = policy::Context::new();
    for (key, value) in pairs {
        let mut values = facts.get(key).unwrap_or_default().to_vec();
        values.push(value.clone());
        facts.set(key, values);
    }
    let (time, seconds) = ("aws:CurrentTime", "aws:EpochTime");
    if facts.get(time).is_none() && facts.get(seconds).is_none() {
        facts.set(time, [context.now.to_string()]);
        facts.set(seconds, [context.now.as_second().to_string()]);
    }
    facts
}
