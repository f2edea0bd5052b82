//! What the fuzz targets do with their input; a panic, a hang or too much memory is a fault of the program.

use arbitrary::Arbitrary;
use keywright::access::{Scene, Verdict, holdings, shifts};
use keywright::manifest::{self, Fallback, Sources};
use keywright::model::{KeyArn, Partition, Place};
use keywright::policy::{Document, read, write};
use serde_json::{Map, Value, json};

/// A policy in bytes: whatever can be read can be written, and is the same when it is read again.
pub fn policy_json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(document) = read(text, Partition::Aws) else {
        return;
    };
    let again = read(&write(&document), Partition::Aws).expect("what was written is a policy");
    assert_eq!(again, document);
}

/// A manifest in bytes: it has a meaning or faults.
pub fn manifest(bytes: &[u8]) {
    let place = Place {
        account: "111122223333".parse().expect("an account"),
        region: "eu-central-1".parse().expect("a Region"),
    };
    let (sources, _) = Sources::from_texts(vec![("fuzz.yaml".into(), bytes.to_vec())]);
    let _ = manifest::load(&sources, &Fallback { place });
}

/// Two policies that share some statements.
#[derive(Arbitrary, Debug)]
pub struct Pair {
    shared: Vec<Statement>,
    a: Vec<Statement>,
    b: Vec<Statement>,
}

/// A statement; numbers choose from lists.
#[derive(Arbitrary, Debug)]
struct Statement {
    denies: bool,
    is_not_principal: u8,
    is_not_action: u8,
    principals: Vec<Principal>,
    actions: Vec<Glob>,
    conditions: Vec<Condition>,
}

#[derive(Arbitrary, Debug)]
enum Principal {
    Anyone,
    Account(bool),
    Role(bool, u8),
    User(u8),
    Session(u8, u8),
    Service(u8),
    Deleted,
}

#[derive(Arbitrary, Debug)]
struct Condition {
    operator: u8,
    key: u8,
    values: Vec<Glob>,
}

/// A short text over few characters, so that globs overlap.
#[derive(Arbitrary, Debug)]
struct Glob(Vec<u8>);

const LETTERS: &[u8] = b"ab:*?/.1${}";

const OPERATORS: [&str; 20] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "StringLikeIfExists",
    "StringNotEqualsIfExists",
    "ArnLike",
    "ArnNotEqualsIfExists",
    "Bool",
    "BoolIfExists",
    "Null",
    "NumericLessThan",
    "DateGreaterThanEquals",
    "IpAddress",
    "NotIpAddressIfExists",
    "ForAllValues:StringLike",
    "ForAnyValue:StringLike",
    "ForAllValues:StringNotLike",
    "ForAnyValue:StringNotEqualsIfExists",
];

const KEYS: [&str; 10] = [
    "kms:ViaService",
    "kms:EncryptionContext:a",
    "kms:EncryptionContextKeys",
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:username",
    "aws:SourceArn",
    "aws:SourceIp",
    "aws:CurrentTime",
    "aws:MultiFactorAuthAge",
];

/// One of a list.
fn one<const COUNT: usize>(list: [&'static str; COUNT], number: u8) -> &'static str {
    list[usize::from(number) % COUNT]
}

impl Glob {
    fn text(&self) -> String {
        let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
        self.0.iter().map(letter).collect()
    }

    /// The text, or one that suits the key.
    fn value(&self, key: &str) -> String {
        let first = self.0.first().copied().unwrap_or_default();
        match key {
            "aws:SourceIp" => format!("10.{first}.0.0/{}", first % 33),
            "aws:CurrentTime" => format!("20{:02}-01-01T00:00:00Z", first % 100),
            "aws:MultiFactorAuthAge" => first.to_string(),
            "aws:SourceArn" => format!("arn:aws:s3:::{}", self.text()),
            "aws:PrincipalArn" => format!("arn:aws:iam::111122223333:{}", self.text()),
            _ => self.text(),
        }
    }
}

impl Principal {
    fn put(&self, who: &mut Map<String, Value>) {
        let account = |is_own: &bool| {
            if *is_own {
                "111122223333"
            } else {
                "444455556666"
            }
        };
        let name = |number: &u8| one(["a", "b", "c", "x/a"], *number);
        let (kind, text) = match self {
            Self::Anyone => ("AWS", "*".to_owned()),
            Self::Account(own) => ("AWS", account(own).to_owned()),
            Self::Role(own, role) => {
                let text = format!("arn:aws:iam::{}:role/{}", account(own), name(role));
                ("AWS", text)
            }
            Self::User(user) => (
                "AWS",
                format!("arn:aws:iam::111122223333:user/{}", name(user)),
            ),
            Self::Session(role, session) => {
                let (role, session) = (one(["a", "b"], *role), one(["s-1", "s-2"], *session));
                let text = format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}");
                ("AWS", text)
            }
            Self::Service(service) => {
                let service = one(["logs", "s3"], *service);
                ("Service", format!("{service}.amazonaws.com"))
            }
            Self::Deleted => ("AWS", "AROAEXAMPLEROLEID0001".to_owned()),
        };
        if let Some(list) = who.entry(kind).or_insert_with(|| json!([])).as_array_mut() {
            list.push(text.into());
        }
    }
}

impl Statement {
    fn json(&self) -> Value {
        let mut who = Map::new();
        for principal in &self.principals {
            principal.put(&mut who);
        }
        let principals = if self.is_not_principal == 0 {
            "NotPrincipal"
        } else {
            "Principal"
        };
        let actions = if self.is_not_action == 0 {
            "NotAction"
        } else {
            "Action"
        };
        let names = self.actions.iter();
        let names: Vec<String> = names
            .map(|glob| match glob.0.first() {
                Some(first) if first % 3 == 0 => {
                    let operations = ["Decrypt", "Encrypt", "Generate*", "*", "Put*", "De*"];
                    format!("kms:{}", one(operations, first / 3))
                }
                _ => format!("kms:{}", glob.text()),
            })
            .collect();
        let mut conditions = json!({});
        for Condition {
            operator,
            key,
            values,
        } in &self.conditions
        {
            let (operator, key) = (one(OPERATORS, *operator), one(KEYS, *key));
            let values = values.iter().map(|value| match operator {
                "Bool" | "BoolIfExists" | "Null" => (value.0.len() % 2 == 0).to_string(),
                _ => value.value(key),
            });
            conditions[operator][key] = values.collect();
        }
        json!({
            "Effect": if self.denies { "Deny" } else { "Allow" },
            principals: who,
            actions: names,
            "Resource": "*",
            "Condition": conditions,
        })
    }
}

/// Reads a policy of some statements; none where they are no policy.
fn document(shared: &[Statement], own: &[Statement]) -> Option<Document> {
    let all: Vec<Value> = shared.iter().chain(own).map(Statement::json).collect();
    let text = json!({"Version": "2012-10-17", "Statement": all}).to_string();
    read(&text, Partition::Aws).ok()
}

/// Two policies: both directions of the comparison agree, and each difference has a request that shows it.
pub fn compare(pair: &Pair) {
    let Pair { shared, a, b } = pair;
    let (Some(a), Some(b)) = (document(shared, a), document(shared, b)) else {
        return;
    };
    let key: KeyArn =
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
            .parse()
            .expect("a key");
    let scene = Scene::of(&key);
    let there = keywright::access::compare(&a, &b, &scene);
    let back = keywright::access::compare(&b, &a, &scene);
    let mirrored = match back.scales.full {
        Verdict::Narrower => Verdict::Wider,
        Verdict::Wider => Verdict::Narrower,
        other => other,
    };
    let is_unsure = [there.scales.full, mirrored].contains(&Verdict::Undetermined);
    assert!(
        is_unsure || there.scales.full == mirrored,
        "{there:?} {back:?}"
    );
    assert!(
        there.witnesses.iter().all(|one| one.a != one.b),
        "{there:?}"
    );
    let unconfirmed = |reason: &keywright::access::Undetermined| {
        matches!(reason, keywright::access::Undetermined::Unconfirmed(_))
    };
    assert!(!there.reason.iter().any(unconfirmed), "{there:?}");
    if let Ok(shifts) = shifts(&a, &b, &scene) {
        let is_equal = there.scales.full == Verdict::Equivalent;
        assert!(!is_equal || shifts.is_empty(), "{shifts:?}");
    }
    let _ = holdings(&a, &[], &scene);
}
