//! STS: sessions of roles and users, and what they may not do.

use jiff::Timestamp;
use serde_json::json;

use super::bench::{ACCOUNT, Bench};
use crate::support::desk::{As, Desk, Keys, element, keys};

const ROOT: As = As::Root(ACCOUNT);
const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";

struct Stage {
    bench: Bench,
    desk: Desk,
    /// Somebody whose account may assume any role.
    guest: As,
}

impl Stage {
    /// An engine with the role `app`, which trusts as a statement's inner part says.
    fn new(trust: &str) -> Self {
        let bench = Bench::new();
        let desk = Desk {
            now: Timestamp::from_millisecond(1_780_000_000_000).unwrap(),
            engine: std::sync::Arc::clone(&bench.engine),
        };
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],{trust}}}]}}"#
        );
        let members = [
            ("RoleName", "app"),
            ("Path", "/team/"),
            ("AssumeRolePolicyDocument", &*trust),
        ];
        desk.done(&ROOT, "CreateRole", &members);
        let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
        desk.done(
            &ROOT,
            "AttachRolePolicy",
            &[("RoleName", "app"), ("PolicyArn", arn)],
        );
        let guest = user(&desk, ACCOUNT, "guest", Some(MAY_ASSUME));
        Self { bench, desk, guest }
    }

    fn user(&self, account: &'static str, name: &str, policy: Option<&str>) -> As {
        user(&self.desk, account, name, policy)
    }
    fn assume(&self, who: &As, more: &[(&str, &str)]) -> (u16, String) {
        let mut members = vec![("RoleArn", ROLE), ("RoleSessionName", "s1")];
        members.extend(more);
        self.desk.query(who, "AssumeRole", &members)
    }
}

fn user(desk: &Desk, account: &'static str, name: &str, policy: Option<&str>) -> As {
    let root = As::Root(account);
    desk.done(&root, "CreateUser", &[("UserName", name)]);
    if let Some(policy) = policy {
        let members = [
            ("UserName", name),
            ("PolicyName", "own"),
            ("PolicyDocument", policy),
        ];
        desk.done(&root, "PutUserPolicy", &members);
    }
    let made = desk.done(&root, "CreateAccessKey", &[("UserName", name)]);
    As::Key(keys(&made))
}

const BY_ACCOUNT: &str = r#""Principal":{"AWS":"111122223333"}"#;
const MAY_ASSUME: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"*"}]}"#;

#[test]
fn a_session_is_its_role_under_a_name() {
    let stage = Stage::new(BY_ACCOUNT);
    let (status, body) = stage.assume(&stage.guest, &[]);
    assert_eq!(status, 200, "{body}");
    let session = "arn:aws:sts::111122223333:assumed-role/app/s1";
    assert_eq!(element(&body, "Arn"), session);
    let who = As::Key(keys(&body));
    let told = stage.desk.done(&who, "GetCallerIdentity", &[]);
    assert_eq!(element(&told, "Arn"), session);
    assert!(element(&told, "UserId").starts_with("AROA"));
    assert!(element(&told, "UserId").ends_with(":s1"));
    assert_eq!(stage.desk.kms(&who, "ListKeys", &json!({})).0, 200);
}

/// Expects what a user of an account with a policy gets who assumes a role with a trust.
#[track_caller]
fn check(
    trust: &str,
    account: &'static str,
    policy: Option<&str>,
    more: &[(&str, &str)],
    expected: &str,
) {
    let stage = Stage::new(trust);
    let who = stage.user(account, "ann", policy);
    let (status, body) = stage.assume(&who, more);
    if expected == "ok" {
        assert_eq!(status, 200, "{body}");
    } else {
        assert_eq!(status, 403, "{body}");
        assert!(body.contains("<Code>AccessDenied</Code>"), "{body}");
        assert!(body.contains(expected), "{body}");
    }
}

#[test]
fn trust_and_identity_policies_decide_who_assumes_a_role() {
    let by_ann = r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"}"#;
    let by_away = r#""Principal":{"AWS":"444455556666"}"#;
    let by_other = r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"}"#;
    let denies = MAY_ASSUME.replace("Allow", "Deny");
    check(by_ann, ACCOUNT, None, &[], "ok");
    check(
        BY_ACCOUNT,
        ACCOUNT,
        None,
        &[],
        "no identity-based policy allows the sts:AssumeRole action",
    );
    check(BY_ACCOUNT, ACCOUNT, Some(MAY_ASSUME), &[], "ok");
    check(
        by_other,
        ACCOUNT,
        Some(MAY_ASSUME),
        &[],
        "no resource-based policy allows the sts:AssumeRole action",
    );
    check(
        by_ann,
        ACCOUNT,
        Some(&denies),
        &[],
        "explicit deny in an identity-based policy",
    );
    check(by_away, "444455556666", Some(MAY_ASSUME), &[], "ok");
    check(
        by_away,
        "444455556666",
        None,
        &[],
        "no identity-based policy",
    );
    check(
        BY_ACCOUNT,
        "444455556666",
        Some(MAY_ASSUME),
        &[],
        "no resource-based policy",
    );
    let only = MAY_ASSUME.replace("\"*\"", "\"arn:aws:iam::111122223333:role/team/*\"");
    check(BY_ACCOUNT, ACCOUNT, Some(&only), &[], "ok");
    let other = MAY_ASSUME.replace("\"*\"", "\"arn:aws:iam::111122223333:role/other\"");
    check(
        BY_ACCOUNT,
        ACCOUNT,
        Some(&other),
        &[],
        "no identity-based policy",
    );
}

#[test]
fn trust_can_ask_for_an_external_id_a_name_and_tags() {
    let when = |key: &str, value: &str| {
        format!(
            r#""Principal":{{"AWS":"arn:aws:iam::111122223333:user/ann"}},"Condition":{{"StringEquals":{{"{key}":"{value}"}}}}"#
        )
    };
    let denied = "no resource-based policy";
    let external = when("sts:ExternalId", "42");
    check(&external, ACCOUNT, None, &[("ExternalId", "42")], "ok");
    check(&external, ACCOUNT, None, &[("ExternalId", "43")], denied);
    check(&external, ACCOUNT, None, &[], denied);
    check(&when("sts:RoleSessionName", "s1"), ACCOUNT, None, &[], "ok");
    check(
        &when("sts:RoleSessionName", "s2"),
        ACCOUNT,
        None,
        &[],
        denied,
    );
    let tag = [("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")];
    check(&when("aws:RequestTag/a", "b"), ACCOUNT, None, &tag, "ok");
    check(&when("aws:RequestTag/a", "c"), ACCOUNT, None, &tag, denied);
}

#[test]
fn roles_that_are_not_there_are_not_told_apart_from_those_that_do_not_trust() {
    let stage = Stage::new(BY_ACCOUNT);
    let members = [
        ("RoleArn", "arn:aws:iam::111122223333:role/none"),
        ("RoleSessionName", "s1"),
    ];
    let (status, body) = stage.desk.query(&stage.guest, "AssumeRole", &members);
    assert_eq!(status, 403);
    assert!(body.contains("<Code>AccessDenied</Code>"), "{body}");
}

#[test]
fn roles_may_not_be_assumed_by_root_users() {
    let stage = Stage::new(BY_ACCOUNT);
    let of_root = As::Key(keys(&stage.desk.done(&ROOT, "GetSessionToken", &[])));
    for who in [ROOT, of_root] {
        let (status, body) = stage.assume(&who, &[]);
        assert_eq!(status, 403);
        assert!(
            body.contains("Roles may not be assumed by root accounts."),
            "{body}"
        );
    }
}

#[test]
fn members_of_assume_role_are_checked() {
    let stage = Stage::new(BY_ACCOUNT);
    let wrong = |members: &[(&str, &str)], code: &str| {
        let (status, body) = stage.desk.query(&stage.guest, "AssumeRole", members);
        assert_eq!(status, 400, "{body}");
        assert!(body.contains(&format!("<Code>{code}</Code>")), "{body}");
    };
    let role = ("RoleArn", ROLE);
    let name = ("RoleSessionName", "s1");
    wrong(&[role], "ValidationError");
    wrong(&[role, ("RoleSessionName", "a/b")], "ValidationError");
    wrong(&[("RoleArn", "role"), name], "ValidationError");
    wrong(&[role, name, ("DurationSeconds", "899")], "ValidationError");
    wrong(
        &[role, name, ("DurationSeconds", "3601")],
        "ValidationError",
    );
    wrong(&[role, name, ("DurationSeconds", "x")], "ValidationError");
    wrong(&[role, name, ("Policy", "{")], "MalformedPolicyDocument");
    wrong(
        &[role, name, ("Policy", &" ".repeat(2049))],
        "ValidationError",
    );
    wrong(
        &[
            role,
            name,
            ("PolicyArns.member.1.arn", "arn:aws:iam::1:policy/x"),
        ],
        "MalformedPolicyDocument",
    );
}

#[test]
fn a_session_ends_when_its_time_has_come() {
    let mut stage = Stage::new(BY_ACCOUNT);
    let (_, body) = stage.assume(&stage.guest, &[("DurationSeconds", "900")]);
    let who = As::Key(keys(&body));
    assert_eq!(stage.desk.kms(&who, "ListKeys", &json!({})).0, 200);
    stage.bench.clock.forward_minutes(15);
    stage.desk.now += jiff::SignedDuration::from_mins(15);
    let (_, body) = stage.desk.kms(&who, "ListKeys", &json!({}));
    assert_eq!(body["__type"], "ExpiredTokenException");
    let (status, body) = stage.desk.query(&who, "GetCallerIdentity", &[]);
    assert_eq!(status, 403);
    assert!(body.contains("<Code>ExpiredToken</Code>"), "{body}");
}

#[test]
fn a_temporary_key_is_nothing_without_its_own_token() {
    let stage = Stage::new(BY_ACCOUNT);
    let one = keys(&stage.assume(&stage.guest, &[]).1);
    let two = keys(&stage.assume(&stage.guest, &[]).1);
    for token in [None, Some("nonsense".to_owned()), two.token] {
        let who = As::Key(Keys {
            token,
            ..one.clone()
        });
        let (_, body) = stage.desk.kms(&who, "ListKeys", &json!({}));
        assert_eq!(body["__type"], "UnrecognizedClientException");
    }
}

#[test]
fn a_session_of_a_role_that_was_made_again_is_worth_nothing() {
    let stage = Stage::new(BY_ACCOUNT);
    let who = As::Key(keys(&stage.assume(&stage.guest, &[]).1));
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    let policy = [("RoleName", "app"), ("PolicyArn", arn)];
    stage.desk.done(&ROOT, "DetachRolePolicy", &policy);
    stage.desk.done(&ROOT, "DeleteRole", &[("RoleName", "app")]);
    assert_eq!(
        stage.desk.kms(&who, "ListKeys", &json!({})).1["__type"],
        "AccessDeniedException"
    );
    let trust = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}"#;
    let again = [
        ("RoleName", "app"),
        ("Path", "/team/"),
        ("AssumeRolePolicyDocument", trust),
    ];
    stage.desk.done(&ROOT, "CreateRole", &again);
    stage.desk.done(&ROOT, "AttachRolePolicy", &policy);
    assert_eq!(
        stage.desk.kms(&who, "ListKeys", &json!({})).1["__type"],
        "AccessDeniedException"
    );
}

#[test]
fn session_tags_take_a_permission_of_their_own() {
    const TAGS: [(&str, &str); 2] = [("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")];
    let stage = Stage::new(BY_ACCOUNT);
    let (status, body) = stage.assume(&stage.guest, &TAGS);
    assert_eq!(status, 200, "{body}");
    // The caller's own policy must allow them.
    let only = MAY_ASSUME.replace(r#","sts:TagSession""#, "");
    let eve = stage.user(ACCOUNT, "eve", Some(&only));
    assert_eq!(stage.assume(&eve, &[]).0, 200);
    let (status, body) = stage.assume(&eve, &TAGS);
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("sts:TagSession"), "{body}");
    // So must the role's trust policy.
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole",{BY_ACCOUNT}}}]}}"#
    );
    let members = [("RoleName", "app"), ("PolicyDocument", &*trust)];
    stage.desk.done(&ROOT, "UpdateAssumeRolePolicy", &members);
    assert_eq!(stage.assume(&stage.guest, &[]).0, 200);
    let (status, body) = stage.assume(&stage.guest, &TAGS);
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("sts:TagSession"), "{body}");
}

#[test]
fn session_tags_follow_the_rules_of_tags() {
    let stage = Stage::new(BY_ACCOUNT);
    let status = |names: &[&str]| {
        let members: Vec<(String, &str)> = names
            .iter()
            .enumerate()
            .flat_map(|(index, name)| {
                let at = |part: &str| format!("Tags.member.{}.{part}", index + 1);
                [(at("Key"), *name), (at("Value"), "v")]
            })
            .collect();
        let members: Vec<(&str, &str)> =
            members.iter().map(|(key, text)| (&**key, *text)).collect();
        stage.assume(&stage.guest, &members).0
    };
    let many: Vec<String> = (0..51).map(|number| format!("k{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(status(&many[..50]), 200);
    assert_eq!(status(&many), 400);
    assert_eq!(status(&["team", "Team"]), 400);
    assert_eq!(status(&["aws:team"]), 400);
    assert_eq!(status(&[&"x".repeat(129)]), 400);
}

#[test]
fn transitive_tags_go_from_session_to_session() {
    let stage = Stage::new(r#""Principal":"*""#);
    let tags = [
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "b"),
        ("TransitiveTagKeys.member.1", "a"),
    ];
    let first = As::Key(keys(&stage.assume(&stage.guest, &tags).1));
    let (status, body) = stage.assume(&first, &tags[..2]);
    assert_eq!(status, 400, "{body}");
    let second = As::Key(keys(&stage.assume(&first, &[]).1));
    let (_, made) = stage.desk.kms(&ROOT, "CreateKey", &json!({"BypassPolicyLockoutSafetyCheck": true, "Policy":
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:DescribeKey","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/a":"b"}}}]}"#}));
    let key = json!({"KeyId": made["KeyMetadata"]["KeyId"]});
    assert_eq!(stage.desk.kms(&second, "DescribeKey", &key).0, 200);
    let plain = As::Key(keys(&stage.assume(&stage.guest, &[]).1));
    assert_eq!(
        stage.desk.kms(&plain, "DescribeKey", &key).1["__type"],
        "AccessDeniedException"
    );
}

#[test]
fn a_user_has_sessions_of_its_own() {
    let stage = Stage::new(BY_ACCOUNT);
    let policy = r#"{"Statement":[{"Effect":"Allow","Action":"kms:ListKeys","Resource":"*"}]}"#;
    let ann = stage.user(ACCOUNT, "ann", Some(policy));
    let who = As::Key(keys(&stage.desk.done(&ann, "GetSessionToken", &[])));
    let told = stage.desk.done(&who, "GetCallerIdentity", &[]);
    assert_eq!(element(&told, "Arn"), "arn:aws:iam::111122223333:user/ann");
    assert_eq!(stage.desk.kms(&who, "ListKeys", &json!({})).0, 200);
    assert_eq!(
        stage.desk.kms(&who, "ListAliases", &json!({})).1["__type"],
        "AccessDeniedException"
    );
    assert_eq!(stage.desk.query(&who, "GetSessionToken", &[]).0, 403);
    let (status, body) = stage
        .desk
        .query(&ann, "GetFederationToken", &[("Name", "fay")]);
    assert_eq!(status, 403);
    assert!(body.contains("sts:GetFederationToken"), "{body}");
}

#[test]
fn a_source_identity_takes_a_permission_goes_on_and_stays() {
    let setting = r#""Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity"]"#;
    let named = [("SourceIdentity", "ann")];
    // The role's trust does not let anybody set one.
    let stage = Stage::new(BY_ACCOUNT);
    let may_set = MAY_ASSUME.replace("sts:TagSession", "sts:SetSourceIdentity");
    let ann = stage.user(ACCOUNT, "ann", Some(&may_set));
    let (status, body) = stage.assume(&ann, &named);
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("sts:SetSourceIdentity"), "{body}");

    let trust = |condition: &str| {
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{{setting},{BY_ACCOUNT}{condition}}}]}}"#
        );
        let members = [("RoleName", "app"), ("PolicyDocument", &*trust)];
        stage.desk.done(&ROOT, "UpdateAssumeRolePolicy", &members);
    };
    trust(r#","Condition":{"StringLike":{"sts:SourceIdentity":"a*"}}"#);
    assert_eq!(stage.assume(&ann, &[]).0, 403);
    assert_eq!(stage.assume(&ann, &[("SourceIdentity", "bob")]).0, 403);
    assert_eq!(stage.assume(&stage.guest, &named).0, 403);
    let (status, body) = stage.assume(&ann, &[("SourceIdentity", "a b")]);
    assert_eq!(status, 400, "{body}");
    let (status, body) = stage.assume(&ann, &named);
    assert_eq!(status, 200, "{body}");
    assert_eq!(element(&body, "SourceIdentity"), "ann");

    // The next session has it too, and no other.
    let first = As::Key(keys(&body));
    trust(r#","Condition":{"StringEquals":{"aws:SourceIdentity":"ann"}}"#);
    let (status, body) = stage.assume(&first, &[("SourceIdentity", "amy")]);
    assert_eq!(status, 403, "{body}");
    let (status, body) = stage.assume(&first, &[]);
    assert_eq!(status, 200, "{body}");
    assert_eq!(element(&body, "SourceIdentity"), "ann");

    let members = [
        ("RoleName", "app"),
        ("PolicyName", "own"),
        ("PolicyDocument", NOT_FOR_ANN),
    ];
    stage.desk.done(&ROOT, "PutRolePolicy", &members);
    let second = As::Key(keys(&body));
    assert_eq!(stage.desk.kms(&second, "ListKeys", &json!({})).0, 400);
    assert_eq!(stage.desk.kms(&second, "ListAliases", &json!({})).0, 200);
}

const NOT_FOR_ANN: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"kms:ListKeys","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":"ann"}}}]}"#;
