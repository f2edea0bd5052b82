//! What a comparison of two policies costs.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot set itself up has to stop"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use keywright::access::{Scene, Universe, Verdict, compare};
use keywright::model::{KeyArn, Partition};
use keywright::policy::{Document, Principals, Statement, read};
use mimalloc::MiMalloc;
use serde_json::json;
use std::hint::black_box;

/// As in the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn key() -> KeyArn {
    "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        .parse()
        .expect("a key ARN")
}

fn document(statements: &[serde_json::Value]) -> Document {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    read(&text, Partition::Aws).expect("a policy")
}

/// The console's policy of a key with a few users.
fn console(user: &str) -> Document {
    let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    document(&[
        json!({"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}),
        json!({"Sid": "Allow access for Key Administrators", "Effect": "Allow", "Principal": {"AWS": role("KeyAdmin")}, "Resource": "*", "Action": [
            "kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*", "kms:Disable*", "kms:Get*",
            "kms:Delete*", "kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:RotateKeyOnDemand"]}),
        json!({"Sid": "Allow use of the key", "Effect": "Allow", "Principal": {"AWS": [role(user), role("app")]}, "Resource": "*", "Action": [
            "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]}),
        json!({"Sid": "Allow attachment of persistent resources", "Effect": "Allow", "Principal": {"AWS": [role(user), role("app")]}, "Resource": "*", "Action": [
            "kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"], "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}),
        json!({"Sid": "reporting", "Effect": "Allow", "Principal": {"AWS": role("reporting")}, "Resource": "*", "Action": "kms:Decrypt",
            "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com", "kms:EncryptionContext:tenant": "eu"}}}),
    ])
}

/// The same policy in other words: statements of two principals as two, the last one first.
fn reworded(user: &str) -> Document {
    let mut document = console(user);
    let split = |statement: Statement| {
        let principals = match &statement.principals {
            Principals::Any(all) => all.to_vec(),
            Principals::Not(_) => return vec![statement],
        };
        let alone = |principal| Statement {
            principals: Principals::Any(vec![principal].into()),
            ..statement.clone()
        };
        principals.into_iter().map(alone).collect()
    };
    let statements = document.statements.into_iter().flat_map(split);
    document.statements = statements.collect();
    document.statements.reverse();
    document
}

/// A policy near KMS's limit of 32 KiB: a hundred statements with conditions.
fn large(changed: usize) -> Document {
    let statements: Vec<_> = (0..100)
        .map(|index| {
            let service = if index == changed { "other" } else { "s3" };
            json!({
                "Sid": format!("statement number {index}"),
                "Effect": if index % 10 == 9 { "Deny" } else { "Allow" },
                "Principal": {"AWS": [format!("arn:aws:iam::111122223333:role/team-{index}"), format!("arn:aws:iam::444455556666:role/team-{index}")]},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
                "Condition": {
                    "StringEquals": {"kms:ViaService": format!("{service}.eu-central-1.amazonaws.com")},
                    "StringLike": {"kms:EncryptionContext:tenant": format!("tenant-{index}-*")},
                },
            })
        })
        .collect();
    document(&statements)
}

fn benches(c: &mut Criterion) {
    let key = key();
    let scene = Scene {
        universe: Universe::Open,
        ..Scene::of(&key)
    };
    let (before, after) = (console("billing"), console("invoices"));
    c.bench_function("a console policy with one user changed", |b| {
        b.iter(|| compare(black_box(&before), black_box(&after), &scene));
    });
    let fleet: Vec<_> = (0..10_000)
        .map(|index| format!("team-{index}"))
        .map(|user| (reworded(&user), console(&user)))
        .collect();
    let mut group = c.benchmark_group("keys whose policies mean the same in other words");
    group.sample_size(10);
    group.bench_function("10000", |b| {
        b.iter(|| {
            let verdicts = fleet
                .iter()
                .map(|(live, desired)| compare(live, desired, &scene));
            assert!(
                verdicts
                    .map(|one| one.scales.full)
                    .all(|full| full == Verdict::Equivalent)
            );
        });
    });
    group.finish();
    let (before, after) = (large(1_000), large(50));
    c.bench_function("a policy of 32 KiB with one condition changed", |b| {
        b.iter(|| compare(black_box(&before), black_box(&after), &scene));
    });
}

criterion_group!(all, benches);
criterion_main!(all);
