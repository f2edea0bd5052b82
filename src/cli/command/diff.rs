//! `keywright diff`: two policies, or two sets of manifests, and who gains and who loses what between them.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail, ensure};
use camino::Utf8Path;
use serde_json::{Map, Value, json};

use crate::access::{
    Comparison, Rights, Scene, Shifts, Tables, Universe, Verdict, compare, shifts,
};
use crate::cli::args::{ActionsArg, DiffArgs, IamArgs, ManifestArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::session::{self, Faulty};
use crate::cli::{identities, lines, output, target};
use crate::manifest::Fallback;
use crate::model::{AccountId, KeyArn, KeyName, Partition, Place};
use crate::policy::{self, Document, Grant, Identities};
use crate::report::{
    Format, KeyDifference, Presence, comparison_json, comparison_text, differences_json,
    differences_text, shifts_json,
};
use crate::state::{Desired, DesiredGrant, DesiredKey, GrantsOnKey};

/// Changes when a field of the report changes its meaning; new fields leave it.
const VERSION: u32 = 1;

pub(super) fn run(args: &DiffArgs, context: &Context) -> anyhow::Result<Exit> {
    output::ended("diff", &args.outputs.outputs, diff(args, context))
}

fn diff(args: &DiffArgs, context: &Context) -> anyhow::Result<Exit> {
    let (identities, found) = identities::read(&args.iam.identities);
    session::settle(found)?;
    let lens = Lens {
        universe: match args.actions {
            ActionsArg::Open => Universe::Open,
            ActionsArg::Today => Universe::Today,
        },
        tables: if args.kms_tables {
            Tables::Heard
        } else {
            Tables::Ignored
        },
        identities: &identities,
    };
    if let Some(file) = &args.batch {
        return lines::answer(file, |question| answer(question, lens));
    }
    let (Some(a), Some(b)) = (&args.before, &args.after) else {
        bail!("two policies, or two sets of manifests, are needed");
    };
    output::prepare(&args.outputs.outputs)?;
    ensure!(
        a != "-" || b != "-",
        "`-` is the standard input, which can be read once: name a file for the other policy"
    );
    for path in [a, b] {
        ensure!(
            path == "-" || path.exists(),
            "cannot read {path}: there is no such file or folder"
        );
    }
    match (Kind::of(a), Kind::of(b)) {
        (Kind::Policy, Kind::Policy) => policies([a, b], args, lens),
        (Kind::Manifests, Kind::Manifests) => manifests([a, b], args, lens, context),
        (Kind::Policy, Kind::Manifests) => bail!("{}", mixed(a, b)),
        (Kind::Manifests, Kind::Policy) => bail!("{}", mixed(b, a)),
    }
}

/// Which requests are compared, and what is known of IAM.
#[derive(Clone, Copy, Debug)]
struct Lens<'a> {
    universe: Universe,
    tables: Tables,
    identities: &'a Identities,
}

impl<'a> Lens<'a> {
    fn on(self, key: &'a KeyArn) -> Scene<'a> {
        Scene {
            key,
            universe: self.universe,
            tables: self.tables,
            identities: Some(self.identities),
        }
    }
}

/// What a path holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Policy,
    Manifests,
}

impl Kind {
    fn of(path: &Utf8Path) -> Self {
        let is_yaml = matches!(path.extension(), Some("yaml" | "yml"));
        if is_yaml || path.is_dir() {
            Self::Manifests
        } else {
            Self::Policy
        }
    }
}

fn mixed(policy: &Utf8Path, manifests: &Utf8Path) -> String {
    format!(
        "{policy} is a policy, and {manifests} holds manifests: compare two policies, or two sets of manifests"
    )
}

fn policies([a, b]: [&Utf8Path; 2], args: &DiffArgs, lens: Lens<'_>) -> anyhow::Result<Exit> {
    let key = key(args.key.as_deref(), args.account)?;
    let (a, b) = (read(a, key.partition)?, read(b, key.partition)?);
    let scene = lens.on(&key);
    let (comparison, shifts) = told((&a).into(), (&b).into(), &scene);
    output::each(&args.outputs.outputs, |format, out| match format {
        Format::Json => {
            let mut report = Map::from_iter([
                ("version".to_owned(), json!(VERSION)),
                ("verb".to_owned(), json!("diff")),
            ]);
            report.extend(comparison_json(&comparison));
            let shifts = shifts.as_ref().map(shifts_json);
            report.insert("shifts".to_owned(), shifts.unwrap_or_default());
            serde_json::to_writer_pretty(&mut *out, &report)?;
            writeln!(out)
        }
        Format::Text => comparison_text(&comparison, shifts.as_ref(), key.place.account, out),
    })?;
    Ok(exit_of(comparison.scales.full != Verdict::Equivalent))
}

fn exit_of(is_different: bool) -> Exit {
    if is_different {
        Exit::Changes
    } else {
        Exit::Done
    }
}

/// How two sides stand to each other, and who gains and loses what where that can be told.
fn told<'a>(a: Rights<'a>, b: Rights<'a>, scene: &Scene<'a>) -> (Comparison, Option<Shifts>) {
    let comparison = compare(a, b, scene);
    let shifts = match comparison.scales.full {
        Verdict::Equivalent | Verdict::Undetermined => None,
        Verdict::Narrower | Verdict::Wider | Verdict::Incomparable => shifts(a, b, scene).ok(),
    };
    (comparison, shifts)
}

fn manifests(
    [a, b]: [&Utf8Path; 2],
    args: &DiffArgs,
    lens: Lens<'_>,
    context: &Context,
) -> anyhow::Result<Exit> {
    ensure!(
        args.key.is_none(),
        "--key is for policies; manifests say which keys they are about"
    );
    let (first, second) = (load(a, args), load(b, args));
    let (first, second) = (first?, second?);
    let is_in_force = |grant: &DesiredGrant| grant.expires.is_none_or(|end| end > context.now);
    let keys = compare_all(
        sides(&first, &is_in_force),
        sides(&second, &is_in_force),
        lens,
    );
    output::each(&args.outputs.outputs, |format, out| match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &differences_json(&keys))?;
            writeln!(out)
        }
        Format::Text => differences_text(&keys, [a.as_str(), b.as_str()], out),
    })?;
    Ok(exit_of(keys.iter().any(KeyDifference::is_different)))
}

/// Loads manifests; their faults are told.
fn load(path: &Utf8Path, args: &DiffArgs) -> anyhow::Result<Desired> {
    let paths = ManifestArgs {
        paths: vec![path.to_owned()],
        iam: IamArgs::default(),
    };
    let (manifests, mut found) = session::read(&paths)?.map_err(Faulty)?;
    let mut place = target::local_place()?;
    place.account = args.account.unwrap_or(place.account);
    let (desired, more) = manifests.desired(&Fallback { place });
    found.extend(more);
    session::settle(found)?;
    Ok(desired)
}

/// What one set of manifests gives on one key.
struct Side {
    policy: Document,
    grants: Vec<Grant>,
    formerly: Vec<KeyName>,
}

/// What one set of manifests gives, key by key.
type Sides = BTreeMap<(Place, KeyName), Side>;

fn sides(desired: &Desired, is_in_force: &dyn Fn(&DesiredGrant) -> bool) -> Sides {
    let given = |grants: &mut dyn Iterator<Item = &DesiredGrant>| {
        grants
            .filter(|grant| is_in_force(grant))
            .map(terms)
            .collect()
    };
    let owned = |key: &DesiredKey| Side {
        policy: Document::clone(&key.policy),
        grants: given(&mut key.grants.values()),
        formerly: key.formerly.clone(),
    };
    // Of a key of someone else's, the manifests say nothing but their own grants.
    let foreign = |on_key: &GrantsOnKey| Side {
        policy: Document::empty(),
        grants: given(&mut on_key.grants.values()),
        formerly: Vec::new(),
    };
    let mut sides = Sides::new();
    for place in &desired.places {
        let at = |name: &KeyName| (place.place.clone(), name.clone());
        let keys = place.keys.iter();
        sides.extend(keys.map(|(name, key)| (at(name), owned(key))));
        let grants = place.grants.iter();
        sides.extend(grants.map(|(name, on_key)| (at(name), foreign(on_key))));
    }
    sides
}

fn terms(grant: &DesiredGrant) -> Grant {
    let operations = grant.terms.operations.iter();
    Grant {
        id: grant.name.to_string(),
        key: None,
        grantee: grant.terms.grantee.clone(),
        operations: operations.map(|one| one.name().to_owned()).collect(),
        constraints: grant.terms.constraints.clone(),
    }
}

/// Pairs the keys of two sets of manifests, by name or former name, and compares each pair.
fn compare_all(mut first: Sides, second: Sides, lens: Lens<'_>) -> Vec<KeyDifference> {
    let mut pairs = Vec::new();
    let mut added = Vec::new();
    for (at, side) in second {
        match first.remove(&at) {
            Some(before) => pairs.push((at, Presence::Both, Some(before), Some(side))),
            None => added.push((at, side)),
        }
    }
    for ((place, name), side) in added {
        let mut formerly = side.formerly.iter();
        let renamed = formerly.find_map(|old| {
            let before = first.remove(&(place.clone(), old.clone()))?;
            Some((old.clone(), before))
        });
        let (presence, before) = match renamed {
            Some((old, before)) => (Presence::Renamed(old), Some(before)),
            None => (Presence::Second, None),
        };
        pairs.push(((place, name), presence, before, Some(side)));
    }
    let removed = first.into_iter();
    pairs.extend(removed.map(|(at, side)| (at, Presence::First, Some(side), None)));
    pairs.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let pairs = pairs.into_iter();
    pairs
        .map(|((place, name), presence, before, after)| {
            let empty = || Side {
                policy: Document::empty(),
                grants: Vec::new(),
                formerly: Vec::new(),
            };
            let before = before.unwrap_or_else(empty);
            let after = after.unwrap_or_else(empty);
            let key = KeyArn::of_new_key(place.clone());
            let scene = lens.on(&key);
            let (comparison, shifts) = told(before.rights(), after.rights(), &scene);
            KeyDifference {
                place,
                name,
                presence,
                comparison,
                shifts,
                is_same_text: before.policy == after.policy && before.grants == after.grants,
            }
        })
        .collect()
}

impl Side {
    fn rights(&self) -> Rights<'_> {
        Rights {
            policy: &self.policy,
            grants: &self.grants,
        }
    }
}

/// Every member of a pair.
const MEMBERS: [&str; 5] = ["id", "a", "b", "account", "keyArn"];

/// Answers one line of a batch.
fn answer(question: &Value, lens: Lens<'_>) -> Result<Map<String, Value>, String> {
    let members = question.as_object().ok_or("a line must be an object")?;
    if let Some(name) = members
        .keys()
        .find(|name| !MEMBERS.contains(&name.as_str()))
    {
        let known = MEMBERS.join(", ");
        return Err(format!("{name}: is not a member of a pair; write {known}"));
    }
    let text = |name: &str| match question.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("{name}: must be text")),
    };
    let account = text("account")?.map(str::parse).transpose();
    let account =
        account.map_err(|malformed: crate::model::Malformed| format!("account: {malformed}"))?;
    let key = key(text("keyArn")?, account).map_err(|error| format!("keyArn: {error:#}"))?;
    if account.is_some_and(|account| account != key.place.account) {
        return Err("account: is not the account of keyArn".to_owned());
    }
    let document = |name: &str| {
        let value = question.get(name).ok_or(format!("{name}: is missing"))?;
        let within = |problem: String| format!("{name}: {problem}");
        let document = read_value(value, key.partition).map_err(within)?;
        policy::refuse_malformed(document.flaws()).map_err(|error| within(error.to_string()))?;
        Ok::<_, String>(document)
    };
    let (a, b) = (document("a")?, document("b")?);
    Ok(comparison_json(&compare(&a, &b, &lens.on(&key))))
}

/// The key that the policies are of; some key of the account where nobody says.
fn key(arn: Option<&str>, account: Option<AccountId>) -> anyhow::Result<KeyArn> {
    if let Some(arn) = arn {
        return arn.parse().map_err(|malformed| anyhow!("{malformed}"));
    }
    let place = target::local_place()?;
    let account = account.unwrap_or(place.account);
    Ok(KeyArn::of_new_key(Place { account, ..place }))
}

fn read(file: &Utf8Path, partition: Partition) -> anyhow::Result<Document> {
    let text = if file == "-" {
        std::io::read_to_string(std::io::stdin().lock())
            .context("cannot read the standard input")?
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?
    };
    let value = policy::read_json(&text)
        .map_err(|problem| anyhow!("{file} is not a key policy: {problem}"))?;
    let document = read_value(&value, partition)
        .map_err(|problem| anyhow!("{file} is not a key policy: {problem}"))?;
    session::settle_flaws(file.as_str(), document.flaws())?;
    Ok(document)
}

/// Reads a policy as an object, as text, or as `aws kms get-key-policy` prints it.
fn read_value(value: &Value, partition: Partition) -> Result<Document, String> {
    let value = value.get("Policy").unwrap_or(value);
    let document = match value.as_str() {
        Some(text) => policy::read(text, partition),
        None => policy::read_value(value, partition),
    };
    document.map_err(|error| error.to_string())
}
