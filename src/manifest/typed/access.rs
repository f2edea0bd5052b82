//! Who and what: principals, capabilities and operations, with the nearest spelling.

use serde_json::{Value as Json, json};

use super::words::text;
use crate::manifest::fault::{Fault, Faults, nearest};
use crate::manifest::fields::Readable;
use crate::manifest::yaml::Node;
use crate::model::{AccountId, Operation, PrincipalName};
use crate::policy::{Allowance, Capability};

impl Readable for PrincipalName {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let text = text(node, "a principal", faults)?;
        match text.parse() {
            Ok(name) => Some(name),
            Err(malformed) => {
                let fault = Fault::malformed("not-a-principal", malformed, node.span);
                faults.push(match misspelt_principal(text) {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault,
                });
                None
            }
        }
    }

    fn schema() -> Json {
        json!({
            "type": "string",
            "minLength": 1,
            "examples": ["role/NAME", "user/NAME", "account", "account/222233334444", "222233334444:role/NAME", "service/logs.amazonaws.com", "organization/o-abc1234567", "team/NAME"],
        })
    }
}

/// The principal that was probably meant: its kind misspelt, in the wrong case, or left out.
fn misspelt_principal(text: &str) -> Option<String> {
    const KINDS: [&str; 8] = [
        "role",
        "user",
        "account",
        "session",
        "federated",
        "service",
        "organization",
        "team",
    ];
    let better = |text: String| text.parse::<PrincipalName>().is_ok().then_some(text);
    if text.ends_with(".amazonaws.com") && !text.contains('/') {
        return better(format!("service/{text}"));
    }
    let (owner, rest) = match text.split_once(':') {
        Some((owner, rest)) if owner.parse::<AccountId>().is_ok() => (format!("{owner}:"), rest),
        Some(_) | None => (String::new(), text),
    };
    let (kind, name) = rest.split_once(['/', ':'])?;
    let near = nearest(kind, KINDS)?;
    better(format!("{owner}{near}/{name}"))
}

/// The names of the capabilities, and of all operations.
fn allowances() -> (Vec<&'static str>, impl Iterator<Item = &'static str>) {
    let capabilities = Capability::NAMES.iter().map(|(_, name)| *name);
    let operations = Operation::ALL.iter().map(|operation| operation.name());
    (capabilities.collect(), operations)
}

impl Readable for Allowance {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let text = text(node, "an operation", faults)?;
        if let Ok(allowance) = text.parse() {
            return Some(allowance);
        }
        let (capabilities, operations) = allowances();
        let message = format!("`{text}` is neither a capability nor a KMS operation");
        let fault = Fault::error("unknown-operation", message, node.span);
        let help = format!(
            "the capabilities are {}; operations are written as AWS does, such as `Decrypt`",
            capabilities.join(", ")
        );
        let all = capabilities.into_iter().chain(operations);
        faults.push(fault.help(help).nearest(text, all));
        None
    }

    fn schema() -> Json {
        let (capabilities, operations) = allowances();
        let all: Vec<&str> = capabilities.into_iter().chain(operations).collect();
        json!({"enum": all})
    }
}

impl Readable for Operation {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let text = text(node, "a KMS operation", faults)?;
        if let Ok(operation) = text.parse::<Self>()
            && operation.is_grantable()
        {
            return Some(operation);
        }
        let all: Vec<&str> = grantable().collect();
        let what = match text.parse::<Self>() {
            Ok(_) => "cannot be given by a grant",
            Err(_) => "is not a KMS operation",
        };
        let fault = Fault::error("unknown-operation", format!("`{text}` {what}"), node.span);
        let help = format!("a grant can give {}", all.join(", "));
        faults.push(fault.help(help).nearest(text, all));
        None
    }

    fn schema() -> Json {
        let all: Vec<&str> = grantable().collect();
        json!({"enum": all})
    }
}

fn grantable() -> impl Iterator<Item = &'static str> {
    let operations = Operation::ALL.iter().copied();
    operations
        .filter(|operation| operation.is_grantable())
        .map(Operation::name)
}
