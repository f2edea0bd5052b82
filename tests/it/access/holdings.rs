//! What is said about who can do what holds for each request.

use keywright::access::{Cell, Column, Holdings, Row, Scene, holdings};
use keywright::model::{KeyType, Operation, Origin, Principal};
use keywright::policy::{Document, KeyContext, Level, write_compact};
use proptest::prelude::*;
use serde_json::json;

use super::{KEYS, calls, document, key, level, pairs};

pub(super) fn columns() -> Vec<Column> {
    Column::of(&KeyContext {
        key_type: KeyType::SYMMETRIC,
        origin: Origin::AwsKms,
        multi_region: false,
        place: key().place,
    })
}

/// The rows that a caller can belong to: those that name it, or else those of its kind.
fn rows<'h>(holdings: &'h Holdings, caller: &Principal) -> Vec<&'h Row> {
    let key = key();
    let home = key.place.account;
    let roles = ["role/app", "role/team/dev"].into_iter().filter(|role| {
        let role = Principal::parse(&format!("arn:aws:iam::{home}:{role}"), key.partition);
        role.unwrap().is_role_of(caller)
    });
    let roles = roles.map(str::to_owned).collect();
    let of_kind = match (caller, caller.account()) {
        (Principal::Account(..), Some(account)) if account == home => {
            vec!["the root user".to_owned()]
        }
        (_, Some(account)) if account == home => ["others", "everyone"]
            .map(|who| format!("{who} in this account"))
            .to_vec(),
        (_, Some(account)) => ["others", "everyone"]
            .map(|who| format!("{who} in account {account}"))
            .into_iter()
            .chain(["everyone in other accounts".to_owned()])
            .collect(),
        (_, None) => vec![
            "other AWS services".to_owned(),
            "every AWS service".to_owned(),
        ],
    };
    let is_root = matches!(caller, Principal::Account(..));
    let named = if is_root {
        Vec::new()
    } else {
        vec![caller.short(home)]
    };
    let found = |names: Vec<String>| -> Vec<&Row> {
        let is_one = |row: &&Row| names.contains(&row.who);
        holdings.rows.iter().filter(is_one).collect()
    };
    let candidates = [named, roles, of_kind].map(found);
    candidates
        .into_iter()
        .find(|rows| !rows.is_empty())
        .unwrap_or_default()
}

fn allows(cell: &Cell, level: Level) -> bool {
    let most = cell.more.iter().map(|part| part.level).max();
    let most = most.unwrap_or(cell.whole).max(cell.whole);
    (cell.whole..=most).contains(&level)
}

proptest! {
    // Each case lays out a whole matrix.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]
    #[test]
    fn every_request_is_within_its_cell(
        (policy, _) in pairs(),
        calls in proptest::collection::vec(calls(), 20),
    ) {
        let (key, columns) = (key(), columns());
        let Ok(told) = holdings(&policy, &columns, &Scene::of(&key)) else {
            return Ok(());
        };
        for call in calls {
            let operation: Result<Operation, _> = call.action.parse();
            let has = |column: &Column| operation.as_ref().is_ok_and(|one| column.operations.contains(one));
            let Some(at) = columns.iter().position(has) else { continue };
            let is_deleted = matches!(call.caller, Principal::Deleted(_));
            let is_foreign = call.caller.account().is_some_and(|account| account != key.place.account);
            let operation = operation.unwrap();
            let carries = |name: &str| call.context.get(name).is_none_or(|values| values.is_empty()) || operation.can_carry(&name.to_ascii_lowercase());
            if is_deleted || (is_foreign && !operation.is_cross_account()) || !KEYS.iter().all(|(name, ..)| carries(name)) {
                continue;
            }
            let level = level(&policy, &call).max(Level::None);
            let rows = rows(&told, &call.caller);
            let fits = rows.iter().any(|row| allows(&row.cells[at], level));
            prop_assert!(
                fits || (rows.is_empty() && level == Level::None),
                "{call:?} {level:?} {rows:#?}\n{}", write_compact(&policy)
            );
        }
    }
}

/// The cell of a principal and a column as words.
#[track_caller]
fn check(policy: &Document, (who, column): (&str, &str), expected: &str) {
    let (key, columns) = (key(), columns());
    let told = holdings(policy, &columns, &Scene::of(&key)).unwrap();
    let row = told.rows.iter().find(|row| row.who == who).unwrap();
    let names = columns.iter().map(|column| column.capability.to_string());
    let at = names.into_iter().position(|name| name == column).unwrap();
    let Cell { whole, more } = &row.cells[at];
    let parts = more.iter().map(|part| {
        let words = [&part.operations[..], &part.conditions].concat();
        format!("; {}: {}", part.level.word(), words.join(", "))
    });
    let words = format!("{}{}", whole.word(), parts.collect::<String>());
    assert_eq!(words, expected);
}

#[test]
fn an_account_that_has_less_than_others_has_a_row() {
    let but_one = json!({"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"kms:CallerAccount": "444455556666"}}});
    let policy = document(&[but_one]);
    check(
        &policy,
        ("everyone in account 444455556666", "decrypt"),
        "none",
    );
    check(
        &policy,
        ("everyone in other accounts", "decrypt"),
        "delegated",
    );
}

#[test]
fn a_condition_that_no_request_of_an_operation_carries_is_none() {
    let tenant = json!({"StringEquals": {"kms:EncryptionContext:tenant": "eu"}});
    let app = json!({"AWS": "arn:aws:iam::111122223333:role/app"});
    let allow = json!({"Effect": "Allow", "Principal": app, "Action": "kms:De*", "Resource": "*", "Condition": tenant});
    let deny = json!({"Effect": "Deny", "Principal": app, "Action": "kms:*", "Resource": "*", "Condition": tenant});
    let all = json!({"Effect": "Allow", "Principal": app, "Action": "kms:De*", "Resource": "*"});
    let policy = document(&[allow]);
    check(
        &policy,
        ("role/app", "decrypt"),
        "none; direct: only with context tenant=eu",
    );
    check(&policy, ("role/app", "describe"), "none");
    let policy = document(&[all, deny]);
    check(
        &policy,
        ("role/app", "decrypt"),
        "none; direct: except with context tenant=eu",
    );
    check(&policy, ("role/app", "describe"), "direct");
}

#[test]
fn other_accounts_have_all_of_a_column_that_works_across_accounts() {
    let policy = document(&[
        json!({"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "kms:*", "Resource": "*"}),
    ]);
    let who = "everyone in account 444455556666";
    check(&policy, (who, "grant"), "delegated");
    check(&policy, (who, "read"), "delegated");
    check(&policy, (who, "administer"), "none");
}
