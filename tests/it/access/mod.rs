//! Access as sets: what is said of all requests holds for each.

mod algebra;
mod bounds;
mod holdings;
mod pairs;
mod queries;
mod sentences;

use keywright::access::{Comparison, Scene, compare};
use keywright::model::{KeyArn, Partition, Principal};
use keywright::policy::{Context, Document, Level, Request, evaluate, read};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

fn key() -> KeyArn {
    "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        .parse()
        .unwrap()
}

const PRINCIPALS: &[&str] = &[
    "111122223333",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:role/app",
    "arn:aws:iam::111122223333:role/team/dev",
    "arn:aws:iam::111122223333:user/ann",
    "arn:aws:sts::111122223333:assumed-role/app/s-1",
    "arn:aws:sts::111122223333:assumed-role/App/s-1",
    "arn:aws:sts::111122223333:assumed-role/dev/s-1",
    "arn:aws:iam::444455556666:role/app",
    "444455556666",
    "*",
    "logs.amazonaws.com",
    "AROAEXAMPLEROLEID",
];

/// A session of `role/team/dev`, which its own ARN does not tell.
const SESSION_BELOW_A_PATH: &str = "arn:aws:sts::111122223333:assumed-role/dev/s-1";

const CALLERS: &[&str] = &[
    "111122223333",
    "arn:aws:iam::111122223333:role/app",
    "arn:aws:iam::111122223333:role/team/dev",
    "arn:aws:iam::111122223333:role/apple",
    "arn:aws:iam::111122223333:user/ann",
    "arn:aws:iam::111122223333:user/team/ann",
    "arn:aws:sts::111122223333:assumed-role/app/s-1",
    "arn:aws:sts::111122223333:assumed-role/app/s-2",
    SESSION_BELOW_A_PATH,
    "arn:aws:sts::111122223333:federated-user/bob",
    "444455556666",
    "arn:aws:iam::444455556666:role/app",
    "arn:aws:iam::777788889999:user/x",
    "logs.amazonaws.com",
    "s3.amazonaws.com",
    "AROAEXAMPLEROLEID",
];

const ACTIONS: &[&str] = &[
    "kms:*",
    "*",
    "kms:Decrypt",
    "kms:DECRYPT",
    "kms:Generate*",
    "kms:GenerateDataKey",
    "kms:De*",
    "kms:Describe?ey",
    "kms:*Key",
    "s3:GetObject",
];

const CALLED: &[&str] = &[
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:GenerateMac",
    "kms:DescribeKey",
    "kms:DeleteAlias",
    "kms:ScheduleKeyDeletion",
    "kms:Transmogrify",
    "kms:Deform",
];

/// A context key, operators, a policy's values, and a request's.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

/// Context keys with the operators that suit them, a policy's values, and a request's.
const KEYS: &[Row] = &[
    (
        "kms:ViaService",
        &[
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "StringEqualsIfExists",
            "Null",
        ],
        &[
            "s3.eu-central-1.amazonaws.com",
            "s3.*",
            "*.amazonaws.com",
            "?3*",
            "true",
        ],
        &[
            "s3.eu-central-1.amazonaws.com",
            "s3.x",
            "ec2.amazonaws.com",
            "",
            "S3.eu-central-1.amazonaws.com",
        ],
    ),
    (
        "kms:EncryptionContext:Tenant",
        &[
            "StringEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLikeIfExists",
        ],
        &["eu", "EU", "e*", "*u", "us"],
        &["eu", "EU", "us", "e", "emu", ""],
    ),
    (
        "aws:SourceArn",
        &[
            "ArnLike",
            "ArnEquals",
            "ArnNotLike",
            "StringLike",
            "ArnLikeIfExists",
        ],
        &[
            "arn:aws:s3:::bucket",
            "arn:aws:s3:::*",
            "arn:aws:*:*:444455556666:*",
            "arn:aws:sns:*:*:a*",
            "not an arn",
        ],
        &[
            "arn:aws:s3:::bucket",
            "arn:aws:s3:::bucket/x",
            "arn:aws:sns:eu-central-1:444455556666:a:b",
        ],
    ),
    (
        "aws:PrincipalArn",
        &[
            "ArnLike",
            "ArnNotEquals",
            "StringLike",
            "StringEquals",
            "StringNotLikeIfExists",
            "Null",
        ],
        &[
            "arn:aws:iam::111122223333:role/app",
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::*:role/team/*",
            "arn:aws:iam::111122223333:*",
            "*/ann",
            "true",
        ],
        &[],
    ),
    (
        "kms:CallerAccount",
        &["StringEquals", "StringNotEquals", "StringLike"],
        &["111122223333", "444455556666", "1111*"],
        &[],
    ),
    (
        "aws:MultiFactorAuthPresent",
        &["Bool", "BoolIfExists", "Null"],
        &["true", "false"],
        &["true", "false"],
    ),
    (
        "aws:MultiFactorAuthAge",
        &[
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThanEqualsIfExists",
            "NumericNotEquals",
        ],
        &["300", "301", "0", "299.5"],
        &["0", "299", "300", "301", "999999"],
    ),
    (
        "aws:CurrentTime",
        &["DateLessThan", "DateGreaterThanEquals"],
        &["2026-01-01T00:00:00Z", "2027-01-01"],
        &[
            "2025-06-01T00:00:00Z",
            "2026-06-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        ],
    ),
    (
        "aws:SourceIp",
        &["IpAddress", "NotIpAddress", "NotIpAddressIfExists"],
        &[
            "10.0.0.0/8",
            "10.1.0.0/16",
            "0.0.0.0/0",
            "2001:db8::/32",
            "10.1.2.3",
        ],
        &["10.1.2.3", "10.2.0.1", "192.0.2.1", "2001:db8::1", "::1"],
    ),
    (
        "kms:EncryptionContextKeys",
        &[
            "ForAllValues:StringEquals",
            "ForAnyValue:StringEquals",
            "ForAnyValue:StringNotLike",
            "ForAllValues:StringNotEquals",
        ],
        &["tenant", "purpose", "t*"],
        &["tenant", "purpose", "other", "tea"],
    ),
];

fn some(pool: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(pool.to_vec(), 1..=most)
}

fn condition() -> impl Strategy<Value = (String, String, Vec<&'static str>)> {
    select(KEYS).prop_flat_map(|(key, operators, values, _)| {
        (Just(key), select(operators), some(values, 2)).prop_map(|(key, operator, values)| {
            let values = if operator.starts_with("Null") {
                vec![if values.len() == 1 { "true" } else { "false" }]
            } else {
                values
            };
            (operator.to_owned(), key.to_owned(), values)
        })
    })
}

fn statement() -> impl Strategy<Value = Value> {
    let flags = (any::<bool>(), any::<bool>(), 0..20_u8);
    let conditions = proptest::collection::vec(condition(), 0..3);
    (flags, some(PRINCIPALS, 3), some(ACTIONS, 3), conditions).prop_map(
        |((a, b, rare), principals, actions, conditions)| {
            let (services, others): (Vec<_>, Vec<_>) = principals
                .into_iter()
                .partition(|one| one.ends_with(".amazonaws.com"));
            let mut object =
                json!({"Effect": if a && b { "Deny" } else { "Allow" }, "Resource": "*"});
            let mut who = json!({});
            if !services.is_empty() {
                who["Service"] = json!(services);
            }
            if !others.is_empty() {
                who["AWS"] = json!(others);
            }
            let is_not = rare == 0;
            object[if is_not { "NotPrincipal" } else { "Principal" }] = who;
            object[if rare == 1 { "NotAction" } else { "Action" }] = json!(actions);
            let mut tests = json!({});
            for (operator, key, values) in conditions {
                tests[operator][key] = json!(values);
            }
            object["Condition"] = tests;
            object
        },
    )
}

fn document(statements: &[Value]) -> Document {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    read(&text, Partition::Aws).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Two policies that share some statements.
fn pairs() -> impl Strategy<Value = (Document, Document)> {
    let list = |most| proptest::collection::vec(statement(), 0..most);
    (list(4), list(2), list(2)).prop_map(|(shared, only_a, only_b)| {
        let with = |more: &[Value]| {
            let mut all = shared.clone();
            all.extend_from_slice(more);
            all.push(json!({"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:Put*", "Resource": "*"}));
            document(&all)
        };
        (with(&only_a), with(&only_b))
    })
}

#[derive(Clone, Debug)]
struct Call {
    caller: Principal,
    action: &'static str,
    context: Context,
}

fn calls() -> impl Strategy<Value = Call> {
    let value = |pool: &'static [&'static str]| {
        if pool.is_empty() {
            Just(None).boxed()
        } else {
            proptest::option::of(some(pool, 1)).boxed()
        }
    };
    let values: Vec<_> = KEYS
        .iter()
        .map(|(key, _, _, pool)| match *key {
            "kms:EncryptionContextKeys" => proptest::option::of(some(pool, 3)).boxed(),
            // The clock is always there.
            "aws:CurrentTime" => some(pool, 1).prop_map(Some).boxed(),
            _ => value(pool),
        })
        .collect();
    (select(CALLERS), select(CALLED), values).prop_map(|(caller, action, values)| {
        let mut context = Context::new();
        for ((key, ..), values) in KEYS.iter().zip(values) {
            if let Some(values) = values {
                context.set(key, values.into_iter().map(str::to_owned));
            }
        }
        Call {
            caller: principal(caller),
            action,
            context,
        }
    })
}

fn principal(text: &str) -> Principal {
    if text.ends_with(".amazonaws.com") {
        Principal::Service(text.parse().unwrap())
    } else {
        Principal::parse(text, Partition::Aws).unwrap()
    }
}

fn level(document: &Document, call: &Call) -> Level {
    let key = key();
    let mut context = call.context.clone();
    if call.caller == principal(SESSION_BELOW_A_PATH) {
        let role = "arn:aws:iam::111122223333:role/team/dev".to_owned();
        context.set("aws:PrincipalArn", [role]);
    }
    let request = Request {
        caller: &call.caller,
        action: call.action,
        key: &key,
        context: &context,
    };
    evaluate(document, &request).level
}

fn verdicts(a: &Document, b: &Document) -> Comparison {
    let key = key();
    compare(a, b, &Scene::of(&key))
}
