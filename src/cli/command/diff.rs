//! `keywright diff`: two policies, and which requests they answer differently.

use anyhow::{Context as _, anyhow};
use camino::Utf8Path;
use serde_json::{Map, Value};

use crate::access::{Scene, Universe, Verdict, compare};
use crate::cli::args::{ActionsArg, DiffArgs};
use crate::cli::exit::Exit;
use crate::cli::{lines, output};
use crate::model::{AccountId, KeyArn, Partition};
use crate::policy::{self, Document};
use crate::report::{Format, comparison_json, comparison_text};

/// The key of policies that come without one.
const NO_KEY: &str = "00000000-0000-0000-0000-000000000000";

pub(super) fn run(args: &DiffArgs) -> anyhow::Result<Exit> {
    let universe = match args.actions {
        ActionsArg::Open => Universe::Open,
        ActionsArg::Today => Universe::Today,
    };
    if let Some(file) = &args.batch {
        return lines::answer(file, |question| answer(question, universe));
    }
    let (Some(a), Some(b)) = (&args.before, &args.after) else {
        anyhow::bail!("two policies are needed, BEFORE and AFTER");
    };
    let key = key(args.key.as_deref(), args.account)?;
    let (a, b) = (read(a, key.partition)?, read(b, key.partition)?);
    let scene = Scene {
        universe,
        ..Scene::of(&key)
    };
    let comparison = compare(&a, &b, &scene);
    output::each(&args.outputs.outputs, |format, out| match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &comparison_json(&comparison))?;
            writeln!(out)
        }
        Format::Text => comparison_text(&comparison, key.place.account, out),
    })?;
    Ok(match comparison.scales.full {
        Verdict::Equivalent => Exit::Done,
        Verdict::Narrower | Verdict::Wider | Verdict::Incomparable | Verdict::Undetermined => {
            Exit::Changes
        }
    })
}

/// Answers one line of a batch.
fn answer(question: &Value, universe: Universe) -> Result<Map<String, Value>, String> {
    let text = |name: &str| match question.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("{name}: must be text")),
    };
    let account = text("account")?.map(str::parse).transpose();
    let account =
        account.map_err(|malformed: crate::model::Malformed| format!("account: {malformed}"))?;
    let key = key(text("keyArn")?, account).map_err(|error| format!("keyArn: {error:#}"))?;
    let document = |name: &str| {
        let value = question.get(name).ok_or(format!("{name}: is missing"))?;
        read_value(value, key.partition).map_err(|problem| format!("{name}: {problem}"))
    };
    let (a, b) = (document("a")?, document("b")?);
    let scene = Scene {
        universe,
        ..Scene::of(&key)
    };
    Ok(comparison_json(&compare(&a, &b, &scene)))
}

/// The key that the policies are of; some key of the account where nobody says.
fn key(arn: Option<&str>, account: Option<AccountId>) -> anyhow::Result<KeyArn> {
    if let Some(arn) = arn {
        return arn.parse().map_err(|malformed| anyhow!("{malformed}"));
    }
    let place = crate::cli::target::local_place()?;
    let account = account.unwrap_or(place.account);
    let arn = format!("arn:aws:kms:{}:{account}:key/{NO_KEY}", place.region);
    arn.parse().map_err(|malformed| anyhow!("{malformed}"))
}

fn read(file: &Utf8Path, partition: Partition) -> anyhow::Result<Document> {
    let text = if file == "-" {
        std::io::read_to_string(std::io::stdin().lock())
            .context("cannot read the standard input")?
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?
    };
    let value: Value =
        serde_json::from_str(&text).with_context(|| format!("{file} is not JSON"))?;
    read_value(&value, partition)
        .map_err(|problem| anyhow!("{file} is not a key policy: {problem}"))
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
