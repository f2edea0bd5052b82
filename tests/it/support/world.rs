//! Generated sets of keys, such as manifests could ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use keywright::diagnostic::Location;
use keywright::model::{
    Constraints, GrantName, GrantTerms, KeyName, KeyType, Operation, Origin, Principal,
    RotationPeriod, ScopeName, Tags,
};
use keywright::policy::{Document, Duties, Effect, Holder, Principals, Statement, User, compile};
use keywright::state::{
    Desired, DesiredGrant, DesiredKey, DesiredPlace, Guardrails, Rotation, Target, UnmanagedGrants,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;

use super::policies::{duties, nobody, place, statements, symmetric};

/// What the manifests of one place could ask for.
pub(crate) fn desired() -> impl Strategy<Value = Desired> {
    let some = vec((any::<bool>(), 0..6_usize), 1..4);
    some.prop_flat_map(|slots| {
        slots
            .into_iter()
            .map(|(_, index)| key(index))
            .collect::<Vec<_>>()
    })
    .prop_map(in_place)
}

/// Keys in the one place of the tests.
pub(crate) fn in_place(keys: Vec<DesiredKey>) -> Desired {
    let place = DesiredPlace {
        place: place(),
        target: Target::default(),
        scope: ScopeName::default(),
        guardrails: Guardrails {
            public: true,
            allowed_accounts: ["444455556666".parse().unwrap()].into(),
            allowed_organizations: ["o-abcdef1234".parse().unwrap()].into(),
            ..Guardrails::default()
        },
        keys: keys
            .into_iter()
            .map(|key| (key.name.clone(), key))
            .collect(),
        grants: BTreeMap::new(),
        identities: Arc::default(),
    };
    Desired {
        places: vec![place],
        expectations: Vec::new(),
    }
}

/// The type that the key of this index always has, since it cannot change.
fn key_type(index: usize) -> KeyType {
    let types = [
        "SYMMETRIC_DEFAULT",
        "SYMMETRIC_DEFAULT",
        "SYMMETRIC_DEFAULT",
        "HMAC_256",
        "ECC_NIST_P256",
        "ECC_NIST_P256",
    ];
    let spec: keywright::model::KeySpec = types[index].parse().unwrap();
    KeyType {
        spec,
        usage: spec.usages()[0],
    }
}

fn name(index: usize) -> KeyName {
    format!("key-{index}").parse().unwrap()
}

fn tags() -> impl Strategy<Value = Tags> {
    btree_map(
        select(vec!["team", "cost centre", "stage"]),
        select(vec!["", "a", "b"]),
        0..3,
    )
    .prop_map(|tags| {
        tags.into_iter()
            .map(|(key, value)| (key.parse().unwrap(), value.parse().unwrap()))
            .collect()
    })
}

/// True for statements under which the root user, who runs the tests, keeps its access.
fn spares_root(statement: &Statement) -> bool {
    let root = Principal::Account(place().partition(), place().account);
    match &statement.principals {
        _ if statement.effect == Effect::Allow => true,
        Principals::Any(set) => !set.contains(&Principal::Anyone) && !set.contains(&root),
        Principals::Not(_) => false,
    }
}

/// Policies that KMS takes: none with the id of a deleted principal, which only ever comes back from it.
fn policies() -> impl Strategy<Value = Document> {
    let policy = (duties(), vec(statements(), 0..2)).prop_map(|(mut duties, mut extra)| {
        duties.iam_policies = true;
        extra.retain(spares_root);
        compile(&duties, &symmetric(), &extra)
    });
    policy.prop_filter("KMS refuses deleted principals", |policy| {
        let of = |statement: &Statement| match &statement.principals {
            Principals::Any(set) | Principals::Not(set) => set.clone(),
        };
        let mut all = policy.statements.iter().flat_map(of);
        !all.any(|one| matches!(one, Principal::Deleted(_)))
    })
}

fn grant(index: usize) -> impl Strategy<Value = DesiredGrant> {
    let possible: Vec<Operation> = Operation::ALL
        .iter()
        .copied()
        .filter(|one| one.is_grantable_on(key_type(index)) && *one != Operation::CreateGrant)
        .collect();
    let grantees = vec![
        "arn:aws:iam::111122223333:role/a",
        "arn:aws:iam::444455556666:role/b",
    ];
    let expiries = vec![
        None,
        Some("2026-05-01T00:00:00Z"),
        Some("2027-01-01T00:00:00Z"),
    ];
    let context = btree_map(
        select(vec!["tenant", "purpose"]),
        select(vec!["x", "y"]),
        0..2,
    );
    (
        btree_set(select(possible), 1..3),
        select(grantees),
        select(expiries),
        context,
        any::<bool>(),
    )
        .prop_map(move |(operations, grantee, expires, context, equals)| {
            let context: BTreeMap<String, String> = context
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
            let context = if key_type(index).is_symmetric() {
                context
            } else {
                BTreeMap::new()
            };
            let (context_equals, context_subset) = if equals {
                (context, BTreeMap::new())
            } else {
                (BTreeMap::new(), context)
            };
            DesiredGrant {
                name: "placeholder".parse().unwrap(),
                location: Location::whole_file("test"),
                terms: GrantTerms {
                    grantee: Principal::from_arn(grantee.parse().unwrap()).unwrap(),
                    retiring: None,
                    operations,
                    constraints: Constraints {
                        context_subset,
                        context_equals,
                        source_arn: None,
                    },
                },
                expires: expires.map(|text| text.parse().unwrap()),
            }
        })
}

fn grants(index: usize) -> impl Strategy<Value = BTreeMap<GrantName, DesiredGrant>> {
    btree_map(select(vec!["one", "two"]), grant(index), 0..3).prop_map(|grants| {
        let named = |(name, grant): (&str, DesiredGrant)| {
            let name: GrantName = name.parse().unwrap();
            (name.clone(), DesiredGrant { name, ..grant })
        };
        grants.into_iter().map(named).collect()
    })
}

fn rotation() -> impl Strategy<Value = Rotation> {
    prop_oneof![
        Just(Rotation::Off),
        select(vec![90, 365, 2560])
            .prop_map(|days| Rotation::Every(RotationPeriod::from_days(days).unwrap())),
    ]
}

/// The key of an index: what can change does, what cannot is always the same.
pub(crate) fn key(index: usize) -> impl Strategy<Value = DesiredKey> {
    let texts = (select(vec!["", "one", "Zwei \u{e4}"]), tags());
    let switches = (any::<bool>(), rotation(), any::<bool>(), 0..3_u32);
    let access = (policies(), grants(index), any::<bool>());
    (texts, switches, access).prop_map(move |(texts, switches, access)| {
        let (
            (description, tags),
            (enabled, rotation, second_alias, rotations),
            (policy, grants, revoke),
        ) = (texts, switches, access);
        let name = name(index);
        let mut aliases = BTreeSet::from([name.alias().clone()]);
        if second_alias {
            aliases.insert(format!("second-{index}").parse().unwrap());
        }
        let key_type = key_type(index);
        let mut tags = tags;
        tags.extend(ScopeName::default().ownership(&name));
        DesiredKey {
            location: Location::whole_file("test"),
            id: None,
            formerly: Vec::new(),
            aliases,
            key_type,
            origin: Origin::AwsKms,
            description: description.to_owned(),
            enabled,
            rotation: key_type.rotates(Origin::AwsKms).then_some(rotation),
            rotations_on_demand: key_type.is_symmetric().then_some(rotations),
            tags,
            policy: policy.into(),
            grants,
            unmanaged_grants: if revoke {
                UnmanagedGrants::Revoke
            } else {
                UnmanagedGrants::Keep
            },
            deletion: None,
            name,
        }
    })
}

/// A symmetric key as a short manifest asks for it.
pub(crate) fn plain_key(index: usize) -> DesiredKey {
    let name = name(index);
    let duties = Duties {
        administrators: [role("admin")].into(),
        users: vec![user("app")],
        ..nobody()
    };
    DesiredKey {
        location: Location::whole_file("test"),
        id: None,
        formerly: Vec::new(),
        aliases: BTreeSet::from([name.alias().clone()]),
        key_type: KeyType::SYMMETRIC,
        origin: Origin::AwsKms,
        description: "plain".to_owned(),
        enabled: true,
        rotation: Some(Rotation::Every(RotationPeriod::DEFAULT)),
        rotations_on_demand: None,
        tags: ScopeName::default().ownership(&name),
        policy: compile(&duties, &symmetric(), &[]).into(),
        grants: BTreeMap::new(),
        unmanaged_grants: UnmanagedGrants::Keep,
        deletion: None,
        name,
    }
}

fn role(name: &str) -> Principal {
    Principal::from_arn(
        format!("arn:aws:iam::111122223333:role/{name}")
            .parse()
            .unwrap(),
    )
    .unwrap()
}

fn user(name: &str) -> User {
    User {
        holders: [Holder::Principal(role(name))].into(),
        allowances: BTreeSet::new(),
        via: BTreeSet::new(),
        context: BTreeMap::new(),
    }
}
