//! A key's policy: its duties compiled, or the raw policy that takes their place.

use camino::Utf8PathBuf;

use super::Site;
use super::duty::duties;
use super::key::Settings;
use crate::manifest::fault::{Fault, Faults, Span};
use crate::manifest::fields::Mapping as _;
use crate::manifest::typed::{KeyFields, PolicySource, RelativePath};
use crate::manifest::yaml::At;
use crate::model::{KeyType, Origin};
use crate::policy::{self, Document, Flaw, KeyContext, Statement, Version, Weight};

/// AWS's limit on a key policy, in bytes.
const MAX_POLICY: usize = 32_768;
/// From here on a policy is close to the limit.
const LARGE_POLICY: usize = MAX_POLICY / 5 * 4;

/// Resolves the policy.
pub(super) fn resolve<'a>(
    site: Site<'a>,
    settings: Settings<'a>,
    key_type: KeyType,
    origin: Origin,
    faults: &mut Faults,
) -> Document {
    let name = settings.own.name.given();
    let at = name.map_or(settings.own.span(), |name| name.span);
    if let Some(whole) = settings.pick(|key| &key.policy).given() {
        refuse_duties(settings.own, whole.key, faults);
        let document = whole_policy(site, &whole.value, faults);
        if let Some(document) = &document {
            check_text(document, whole.key, faults);
        }
        return document.unwrap_or(Document {
            version: Version::V2012,
            id: None,
            statements: Vec::new(),
        });
    }
    let context = KeyContext {
        key_type,
        origin,
        multi_region: false,
        place: site.place.clone(),
    };
    let duties = duties(site, settings, &context, faults);
    let document = policy::compile(&duties, &context, &statements(site, settings, faults));
    check_text(&document, at, faults);
    document
}

/// What KMS demands of a policy's text.
fn check_text(document: &Document, at: Span, faults: &mut Faults) {
    let text = policy::write_compact(document);
    let size = text.len();
    if size > MAX_POLICY {
        let message = format!("the key policy has {size} bytes");
        let fault = Fault::error("policy-too-large", message, at);
        let help = format!(
            "KMS takes at most {MAX_POLICY}; leave some roles to IAM policies of the account, or give them grants"
        );
        faults.push(fault.help(help));
    } else if size > LARGE_POLICY {
        let message = format!("the key policy has {size} bytes, which is close to the limit");
        let fault = Fault::warning("policy-large", message, at);
        faults.push(fault.help(format!("KMS takes at most {MAX_POLICY}")));
    }
    if let Some(wrong) = text.chars().find(|c| *c > '\u{ff}') {
        let message = format!("the key policy has the character `{wrong}`");
        let fault = Fault::error("policy-text", message, at);
        faults.push(
            fault.help("KMS takes letters of Latin-1 only, in descriptions of statements too"),
        );
    }
}

/// A policy that is written out, or stands in a file.
pub(super) fn whole_policy(
    site: Site<'_>,
    source: &PolicySource,
    faults: &mut Faults,
) -> Option<Document> {
    let partition = site.place.partition();
    match source {
        PolicySource::Inline(raw) => {
            let json = raw.to_json(&|text| site.fill(text));
            match policy::read_value(&json, partition) {
                Ok(document) => {
                    let span = |path: &str| raw.span_of(path);
                    push_flaws(document.flaws(), span, faults);
                    Some(document)
                }
                Err(error) => {
                    let span = raw.span_of(&error.path);
                    faults.push(Fault::error("malformed-policy", error.to_string(), span));
                    None
                }
            }
        }
        PolicySource::File(path) => {
            let (file, text) = read_policy(site, path, faults)?;
            match policy::read(&site.fill(&text), partition) {
                Ok(document) => {
                    push_flaws(document.flaws(), |_| path.span, faults);
                    Some(document)
                }
                Err(error) => {
                    let message = format!("`{file}` is not a key policy: {error}");
                    faults.push(Fault::error("malformed-policy", message, path.span));
                    None
                }
            }
        }
    }
}

/// Reads the file beside the manifest.
pub(super) fn read_policy(
    site: Site<'_>,
    path: &At<RelativePath>,
    faults: &mut Faults,
) -> Option<(Utf8PathBuf, String)> {
    match site.sources.read_beside(path.span, &path.value.0) {
        Ok(found) => Some(found),
        Err(why) => {
            faults.push(Fault::error("unreadable-file", why, path.span));
            None
        }
    }
}

/// Tells what is wrong with a policy that can be read.
pub(super) fn push_flaws(flaws: Vec<Flaw>, span_of: impl Fn(&str) -> Span, faults: &mut Faults) {
    faults.extend(flaws.into_iter().map(|flaw| {
        let span = span_of(&flaw.fault.path);
        let fault = match flaw.weight {
            Weight::Malformed => Fault::error("malformed-policy", flaw.to_string(), span),
            Weight::Doubtful => Fault::warning("doubtful-policy", flaw.to_string(), span),
        };
        fault.help(flaw.help)
    }));
}

/// How paths within a single statement begin.
const STATEMENT: &str = "statement";

/// The statements that stand beside the duties.
fn statements(site: Site<'_>, settings: Settings<'_>, faults: &mut Faults) -> Vec<Statement> {
    let raws = settings.pick(|key| &key.statements).value();
    let mut statements = Vec::new();
    for raw in raws.into_iter().flatten() {
        let json = raw.value.to_json(&|text| site.fill(text));
        let span = |path: &str| {
            raw.value
                .span_of(path.strip_prefix(STATEMENT).unwrap_or_default())
        };
        match policy::read_statement(&json, STATEMENT, site.place.partition()) {
            Ok(statement) => {
                push_flaws(statement.flaws(STATEMENT), span, faults);
                statements.push(statement);
            }
            Err(error) => {
                let span = span(&error.path);
                faults.push(Fault::error("malformed-policy", error.to_string(), span));
            }
        }
    }
    statements
}

/// A whole policy leaves no room for duties.
fn refuse_duties(own: &KeyFields, policy: Span, faults: &mut Faults) {
    let duties = [
        (
            "iam_policies",
            own.iam_policies.given().map(|given| given.key),
        ),
        (
            "administrators",
            own.administrators.given().map(|given| given.key),
        ),
        (
            "administrators_may_delete",
            own.administrators_may_delete.given().map(|given| given.key),
        ),
        ("users", own.users.given().map(|given| given.key)),
        ("statements", own.statements.given().map(|given| given.key)),
    ];
    for (name, span) in duties {
        if let Some(span) = span {
            let message = format!("`{name}` has no effect beside a whole `policy`");
            let fault = Fault::error("policy-and-duties", message, span);
            faults.push(
                fault
                    .also(policy, "the whole policy")
                    .help("keep one of them; to add statements to the duties, use `statements`"),
            );
        }
    }
}
