//! `keywright explain`: whether one request is allowed, and what decides it; or many, as JSON Lines.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use crate::cli::args::{ExplainArgs, RequestArgs, TargetArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::keys::{Found, KeyRef, Keys};
use crate::cli::{identities, lines, output, session, target};
use crate::manifest::nearest;
use crate::model::{KeyArn, Malformed, Operation, Partition, Place, Principal, PrincipalName};
use crate::policy::{
    self, Document, Grant, Iam, Identities, IdentityPolicy, Outcome, Question, ReadError,
};
use crate::report::{Format, answer_json, answer_text};
use crate::state::{LivePolicy, ObservedKey};

/// Changes when a field of the answer changes its meaning; new fields leave it.
const VERSION: u32 = 1;

pub(super) async fn run(args: &ExplainArgs, context: &Context) -> anyhow::Result<Exit> {
    output::ended(
        "explain",
        &args.outputs.outputs,
        explain(args, context).await,
    )
}

async fn explain(args: &ExplainArgs, context: &Context) -> anyhow::Result<Exit> {
    if let Some(file) = &args.batch {
        return lines::answer(file, |line| {
            let question = policy::read_question(line).map_err(|error| error.to_string())?;
            Ok(answer_json(&question, &question.answer()))
        });
    }
    output::prepare(&args.outputs.outputs)?;
    let (Some(principal), Some(name)) = (&args.principal, &args.operation) else {
        bail!("a request needs PRINCIPAL and OPERATION");
    };
    let operation = operation(name)?;
    let subject = match (&args.request.policy, &args.key) {
        (Some(file), key) => {
            let (identities, found) = identities::read(&args.live.iam.identities);
            session::settle(found)?;
            Subject {
                identities: identities.into(),
                ..Subject::of_files(file, &args.request, key.as_ref(), &args.live.target)?
            }
        }
        (None, None) => bail!("a request needs a KEY"),
        (None, Some(key)) => {
            let (key, identities) = live(args, key, context).await?;
            Subject {
                identities,
                ..Subject::of_live(key)?
            }
        }
    };
    let question = subject.question(principal, operation, &args.request, context)?;
    answer(&question, args)
}

fn answer(question: &Question, args: &ExplainArgs) -> anyhow::Result<Exit> {
    let answer = question.answer();
    output::each(&args.outputs.outputs, |format, out| match format {
        Format::Text => answer_text(question, &answer, out),
        Format::Json => {
            let mut value = json!({
                "version": VERSION,
                "verb": "explain",
                "request": {
                    "principal": named(&question.caller),
                    "action": question.action,
                    "resource": question.key.to_string(),
                },
            });
            if let Some(object) = value.as_object_mut() {
                object.extend(answer_json(question, &answer));
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

/// Who calls; null for nobody, as in batches.
fn named(caller: &Principal) -> Option<String> {
    (*caller != Principal::Anyone).then(|| caller.to_string())
}

fn operation(text: &str) -> anyhow::Result<Operation> {
    let Ok(operation) = text.parse::<Operation>() else {
        let names = Operation::ALL.iter().map(|operation| operation.name());
        let help = match nearest(text.strip_prefix("kms:").unwrap_or(text), names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "operations are written as AWS does, such as `Decrypt`".to_owned(),
        };
        bail!("`{text}` is not a KMS operation; {help}");
    };
    ensure!(
        operation.is_key_level() || operation.is_grantable(),
        "`{operation}` is not an operation on a key: IAM policies alone decide it"
    );
    Ok(operation)
}

/// The one live key that was typed.
async fn live(
    args: &ExplainArgs,
    asked: &KeyRef,
    context: &Context,
) -> anyhow::Result<(ObservedKey, Arc<Identities>)> {
    let asked = std::slice::from_ref(asked);
    let keys = Keys::open(&args.live, asked, context).await?;
    let wishes: Vec<_> = asked.iter().map(|key| keys.wish(key)).collect();
    let answers = keys.look(&wishes).await?.into_iter().flatten();
    let name: String = wishes.into_iter().map(|wish| wish.name).collect();
    let mut places = Vec::new();
    let mut found = Vec::new();
    let mut unreadable = None;
    for (place, answer) in answers {
        match answer {
            Found::Nothing => {}
            Found::Key(key) => found.push(*key),
            Found::Unreadable(reason) => {
                unreadable = Some(anyhow!("cannot read key `{name}` in {place}: {reason}"));
            }
        }
        places.push(place.to_string());
    }
    match (<[ObservedKey; 1]>::try_from(found), unreadable) {
        (Ok([key]), None) => Ok((key, keys.identities())),
        (_, Some(error)) => Err(error),
        (Err(found), None) if found.is_empty() => {
            bail!("there is no key `{name}` in {}", places.join(", "))
        }
        (Err(found), None) => {
            let arns: Vec<String> = found.iter().map(|key| key.arn.to_string()).collect();
            bail!("`{name}` is several keys; name one of {}", arns.join(", "))
        }
    }
}

/// The key that a request is about, and what the key has to say.
struct Subject {
    key: KeyArn,
    policy: Document,
    grants: Vec<Grant>,
    /// The condition keys that follow from the key.
    facts: policy::Context,
    /// What IAM is known to say.
    identities: Arc<Identities>,
}

impl Subject {
    fn of_files(
        file: &Utf8Path,
        args: &RequestArgs,
        key: Option<&KeyRef>,
        target: &TargetArgs,
    ) -> anyhow::Result<Self> {
        let key = match key {
            Some(KeyRef::Arn(arn)) => arn.clone(),
            Some(other) => {
                bail!("with --policy, KEY is an ARN; `{other}` is looked up at a target")
            }
            None => some_key(target)?,
        };
        let partition = key.partition;
        let grants = args
            .grants
            .as_ref()
            .map(|path| read(path, |text| policy::read_grants_text(text, partition)));
        let policy = read(file, |text| policy::read_live(text, partition))?;
        session::settle_flaws(file.as_str(), policy.flaws())?;
        Ok(Self {
            policy,
            grants: grants.transpose()?.unwrap_or_default(),
            key,
            facts: policy::Context::new(),
            identities: Arc::default(),
        })
    }

    fn of_live(key: ObservedKey) -> anyhow::Result<Self> {
        let facts = key.condition_keys();
        let mut grants = Vec::new();
        for grant in &key.grants {
            let terms = grant.terms();
            if terms.is_none() {
                writeln!(
                    anstream::stderr(),
                    "grant {} is left out: its grantee is not understood",
                    grant.id
                )?;
            }
            grants.extend(terms);
        }
        let policy = match key.policy {
            LivePolicy::Document(document) => Document::clone(&document),
            LivePolicy::Opaque { reason, .. } => {
                bail!("the policy of {} is not understood: {reason}", key.arn)
            }
        };
        Ok(Self {
            key: key.arn,
            policy,
            grants,
            facts,
            identities: Arc::default(),
        })
    }

    fn question(
        self,
        principal: &str,
        operation: Operation,
        args: &RequestArgs,
        context: &Context,
    ) -> anyhow::Result<Question> {
        let Self {
            key,
            policy,
            grants,
            mut facts,
            identities,
        } = self;
        let caller = caller(principal, &key.place, key.partition)?;
        let known = identities.of_caller(&caller);
        for (name, value) in known.into_iter().flat_map(|known| &known.tags) {
            facts.set(&format!("aws:PrincipalTag/{name}"), [value.clone()]);
        }
        let own = |path: &Utf8Path| -> anyhow::Result<IdentityPolicy> {
            let policy = read(path, policy::read_identity)?;
            session::settle_flaws(path.as_str(), policy.flaws())?;
            Ok(policy)
        };
        let all = |paths: &[Utf8PathBuf]| -> anyhow::Result<Vec<IdentityPolicy>> {
            paths.iter().map(|path| own(path)).collect()
        };
        let mut identity_policies = known.map_or_else(Vec::new, |known| known.policies.clone());
        identity_policies.extend(all(&args.identity_policies)?);
        let is_all = identities.knows(&caller) || !args.identity_policies.is_empty();
        let boundary = args.boundary.as_ref().map(|path| own(path)).transpose()?;
        let question = Question {
            key_policy: policy,
            identity_policies,
            iam: if is_all { Iam::Whole } else { Iam::Open },
            boundary: boundary.or_else(|| known?.boundary.clone()),
            session_policies: all(&args.session_policies)?,
            grants,
            caller,
            action: operation.action().to_owned(),
            context: typed(&args.context, &key.place, facts, context),
            key,
        };
        let known = identities.iter().map(|identity| &identity.principal);
        Ok(question.with_role_path(known))
    }
}

/// Some key of the account that was named.
fn some_key(args: &TargetArgs) -> anyhow::Result<KeyArn> {
    let place = target::local_place()?;
    Ok(KeyArn::of_new_key(Place {
        account: args.account.unwrap_or(place.account),
        region: args.region.clone().unwrap_or(place.region),
    }))
}

fn read<T>(path: &Utf8Path, parse: impl FnOnce(&str) -> Result<T, ReadError>) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    parse(&text).with_context(|| format!("{path} is not usable"))
}

/// Who calls: as policies write principals, or as manifests do.
fn caller(text: &str, place: &Place, partition: Partition) -> anyhow::Result<Principal> {
    if text == "anonymous" {
        return Ok(Principal::Anyone);
    }
    let is_short = !text.starts_with("arn:") && (text.contains('/') || text == "account");
    if !is_short {
        return Ok(policy::read_caller(text, partition)?);
    }
    let name: PrincipalName = text.parse().map_err(with_help)?;
    match name.resolve(place) {
        Some(caller) => caller.map_err(with_help),
        None => bail!("`{text}` stands for several principals; a request comes from one"),
    }
}

/// What is wrong with a word, and the next step.
fn with_help(malformed: Malformed) -> anyhow::Error {
    match malformed.help {
        Some(help) => anyhow!("{}; {help}", malformed.problem),
        None => anyhow!(malformed.problem),
    }
}

/// What follows from the key, what was typed over it, and the time of the call where none was.
fn typed(
    pairs: &[(String, String)],
    place: &Place,
    mut facts: policy::Context,
    context: &Context,
) -> policy::Context {
    let mut given: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |key: String, value: String| {
        let mut known = given.iter_mut();
        match known.find(|(known, _)| known.eq_ignore_ascii_case(&key)) {
            Some((_, values)) => values.push(value),
            None => given.push((key, vec![value])),
        }
    };
    let mut names = Vec::new();
    for (key, value) in pairs {
        let (key, value) = written_out(key, value, place);
        let (prefix, name) = key.split_at_checked(PAIR.len()).unwrap_or_default();
        if prefix.eq_ignore_ascii_case(PAIR) {
            names.push(name.to_owned());
        }
        add(key, value);
    }
    if !names.is_empty() {
        facts.set("kms:EncryptionContextKeys", names);
    }
    for (key, values) in given {
        facts.set(&key, values);
    }
    let time = "aws:CurrentTime";
    if facts.get(time).is_none() && facts.get("aws:EpochTime").is_none() {
        facts.set(time, [context.now.to_string()]);
    }
    facts.agree_on_time();
    facts
}

/// How the condition keys of the encryption context begin.
const PAIR: &str = "kms:EncryptionContext:";

/// A condition key and a value, whose short forms are those of manifests.
fn written_out(key: &str, value: &str, place: &Place) -> (String, String) {
    if key == "via" {
        let is_whole = value.contains('.');
        // The suffix is the same in all partitions.
        let whole = || format!("{value}.{}.amazonaws.com", place.region);
        let value = if is_whole { value.to_owned() } else { whole() };
        return ("kms:ViaService".to_owned(), value);
    }
    match key.strip_prefix("context.") {
        Some(name) => (format!("{PAIR}{name}"), value.to_owned()),
        None => (key.to_owned(), value.to_owned()),
    }
}
