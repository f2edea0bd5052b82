//! Generated duties, statements and documents.

use std::collections::{BTreeMap, BTreeSet};

use keywright::model::{KeyType, Operation, Origin, Place, Principal};
use keywright::policy::{
    ActionPattern, Actions, Allowance, Capability, Condition, Document, Duties, Effect, Holder,
    KeyContext, Principals, Resources, Statement, User, Version,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::Value;

/// The account and Region of generated keys.
pub(crate) fn place() -> Place {
    Place {
        account: "111122223333".parse().unwrap(),
        region: "eu-central-1".parse().unwrap(),
    }
}

/// A symmetric key, which is what most duties are for.
pub(crate) fn symmetric() -> KeyContext {
    KeyContext {
        key_type: KeyType::SYMMETRIC,
        origin: Origin::AwsKms,
        multi_region: false,
        place: place(),
    }
}

/// Keys of every type.
pub(crate) fn keys() -> impl Strategy<Value = KeyContext> {
    let types: Vec<KeyType> = KeyType::all().collect();
    (select(types), any::<bool>(), any::<bool>()).prop_map(|(key_type, external, multi_region)| {
        KeyContext {
            key_type,
            origin: if external {
                Origin::External
            } else {
                Origin::AwsKms
            },
            multi_region,
            place: place(),
        }
    })
}

/// Principals of every kind.
pub(crate) fn principals() -> impl Strategy<Value = Principal> {
    let texts = vec![
        "*",
        "111122223333",
        "444455556666",
        "arn:aws:iam::111122223333:role/api",
        "arn:aws:iam::111122223333:role/team/reporting",
        "arn:aws:iam::444455556666:role/partner",
        "arn:aws:iam::111122223333:user/ann",
        "arn:aws:sts::111122223333:assumed-role/api/session",
        "arn:aws:sts::111122223333:federated-user/bob",
        "AROAEXAMPLEROLEID0001",
    ];
    let services = vec!["logs.eu-central-1.amazonaws.com", "sns.amazonaws.com"];
    let partition = place().partition();
    prop_oneof![
        6 => select(texts).prop_map(move |text| Principal::parse(text, partition).unwrap()),
        1 => select(services).prop_map(|name| Principal::Service(name.parse().unwrap())),
    ]
}

fn holders() -> impl Strategy<Value = Holder> {
    prop_oneof![
        8 => principals().prop_map(Holder::Principal),
        1 => Just(Holder::Organization("o-abcdef1234".parse().unwrap())),
    ]
}

fn allowances() -> impl Strategy<Value = Allowance> {
    let capabilities: Vec<Capability> = Capability::NAMES
        .iter()
        .map(|(capability, _)| *capability)
        .collect();
    let operations: Vec<Operation> = Operation::ALL
        .iter()
        .copied()
        .filter(|one| one.is_key_level())
        .collect();
    prop_oneof![
        select(capabilities).prop_map(Allowance::Capability),
        select(operations).prop_map(Allowance::Operation),
    ]
}

fn users() -> impl Strategy<Value = User> {
    let context = btree_map(
        select(vec!["tenant", "purpose"]),
        select(vec!["eu", "us"]),
        0..2,
    );
    let via = btree_set(select(vec!["s3", "ec2", "secretsmanager"]), 0..3);
    (
        btree_set(holders(), 1..4),
        btree_set(allowances(), 0..4),
        via,
        context,
    )
        .prop_map(|(holders, allowances, via, context)| User {
            holders,
            allowances,
            via: via.into_iter().map(str::to_owned).collect(),
            context: context
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect::<BTreeMap<_, _>>(),
        })
}

/// Duties of every kind, in no particular form.
pub(crate) fn duties() -> impl Strategy<Value = Duties> {
    (
        any::<bool>(),
        btree_set(principals(), 0..3),
        any::<bool>(),
        vec(users(), 0..4),
    )
        .prop_map(
            |(iam_policies, administrators, administrators_may_delete, users)| Duties {
                iam_policies,
                administrators,
                administrators_may_delete,
                users,
            },
        )
}

fn conditions() -> impl Strategy<Value = BTreeSet<Condition>> {
    let values = vec![
        "true",
        "eu",
        "444455556666",
        "arn:aws:s3:::*",
        "${aws:username}",
    ];
    let operators = vec![
        "StringEquals",
        "StringLike",
        "Bool",
        "ForAnyValue:StringLikeIfExists",
        "ArnNotLike",
        "Null",
    ];
    let keys = vec![
        "aws:SourceAccount",
        "kms:ViaService",
        "aws:PrincipalArn",
        "kms:EncryptionContext:Tenant",
    ];
    let tests = (select(operators), select(keys));
    btree_map(tests, btree_set(select(values), 1..3), 0..3).prop_map(|tests| {
        let condition = |((operator, key), values): ((&str, &str), BTreeSet<&str>)| Condition {
            operator: operator.parse().unwrap(),
            key: key.to_owned(),
            values: values.into_iter().map(str::to_owned).collect(),
        };
        tests.into_iter().map(condition).collect()
    })
}

/// Statements that duties cannot say.
pub(crate) fn statements() -> impl Strategy<Value = Statement> {
    let patterns = vec![
        "kms:*",
        "kms:Decrypt",
        "KMS:decrypt",
        "kms:Generate*",
        "*",
        "kms:DescribeKey",
        "s3:GetObject",
    ];
    let actions = btree_set(select(patterns).prop_map(ActionPattern::new), 0..4);
    let sids = vec![
        "one",
        "Allow use of the key",
        "keywright: decrypt",
        "three four",
    ];
    let sids = proptest::option::of(select(sids).prop_map(str::to_owned));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let parts = (
        sids,
        flags,
        btree_set(principals(), 1..4),
        actions,
        conditions(),
    );
    parts.prop_map(
        |(sid, (allow, not_principal, not_action), principals, actions, conditions)| Statement {
            sid,
            effect: if allow { Effect::Allow } else { Effect::Deny },
            principals: if not_principal {
                Principals::Not(principals.into_iter().collect())
            } else {
                Principals::Any(principals.into_iter().collect())
            },
            actions: if not_action && !actions.is_empty() {
                Actions::Not(actions.into_iter().collect())
            } else {
                Actions::Any(actions.into_iter().collect())
            },
            resources: Resources::this_key(),
            conditions: conditions.into_iter().collect(),
        },
    )
}

/// Documents of a few statements, some of them compiled from duties.
pub(crate) fn documents() -> impl Strategy<Value = Document> {
    let compiled = duties()
        .prop_map(|duties| keywright::policy::compile(&duties, &symmetric(), &[]).statements);
    (vec(statements(), 0..4), compiled, any::<bool>()).prop_flat_map(
        |(mut statements, compiled, new)| {
            statements.extend(compiled);
            if statements.is_empty() {
                statements
                    .extend(keywright::policy::compile(&nobody(), &symmetric(), &[]).statements);
            }
            let version = if new { Version::V2012 } else { Version::V2008 };
            let most = statements.len();
            subsequence(statements, 1..=most)
                .prop_shuffle()
                .prop_map(move |statements| Document {
                    version,
                    id: None,
                    statements,
                })
        },
    )
}

/// Duties of a key that only IAM policies rule.
pub(crate) fn nobody() -> Duties {
    Duties {
        iam_policies: true,
        administrators: [].into(),
        administrators_may_delete: true,
        users: Vec::new(),
    }
}

/// The same JSON with every array in another order; `seed` decides which.
pub(crate) fn shuffled(value: &Value, seed: u64) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| shuffled(item, seed)).collect();
            let mut state = seed | 1;
            for index in (1..items.len()).rev() {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                items.swap(index, usize::try_from(state >> 33).unwrap() % (index + 1));
            }
            Value::Array(items)
        }
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), shuffled(value, seed)))
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
