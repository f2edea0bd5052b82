//! One statement or two against one caller, a line each.

use super::*;
use crate::policy::read;

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ROOT: &str = "arn:aws:iam::111122223333:root";
const USER: &str = "arn:aws:iam::111122223333:user/staff/ann";
const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/i-1";
const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/bob";
const OTHER_ROOT: &str = "arn:aws:iam::444455556666:root";
const OTHER_ROLE: &str = "arn:aws:iam::444455556666:role/app";
const LOGS: &str = "logs.amazonaws.com";
const GONE: &str = "AROAEXAMPLEID";

fn principal(text: &str) -> Principal {
    match text.parse() {
        Ok(service) => Principal::Service(service),
        Err(_) => Principal::parse(text, Partition::Aws).unwrap(),
    }
}

/// Evaluates statements, each as the members that differ from "everything on this key", for `kms:Decrypt`.
#[track_caller]
fn decide(statements: &[String], caller: &str, exemption: Exemption) -> Decision {
    let statements = statements.join(",");
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    let document = read(&text, Partition::Aws).unwrap();
    let context = Context::new().with("kms:ViaService", "s3.eu-central-1.amazonaws.com");
    let request = Request {
        caller: &principal(caller),
        action: "kms:Decrypt",
        key: &KEY.parse().unwrap(),
        context: &context,
    };
    evaluate_under(&document, &request, exemption)
}

fn statement(effect: &str, element: &str, principals: &[&str]) -> String {
    let (services, others): (Vec<&str>, Vec<&str>) = principals
        .iter()
        .partition(|one| one.contains(".amazonaws."));
    let list = |texts: &[&str]| format!("{texts:?}");
    let mut kinds = Vec::new();
    if !services.is_empty() {
        kinds.push(format!(r#""Service": {}"#, list(&services)));
    }
    if !others.is_empty() {
        kinds.push(format!(r#""AWS": {}"#, list(&others)));
    }
    let kinds = kinds.join(",");
    format!(
        r#"{{"Effect": "{effect}", "{element}": {{{kinds}}}, "Action": "kms:*", "Resource": "*"}}"#
    )
}

#[track_caller]
fn check_allow(principal: &str, caller: &str, expected: Level) {
    let statement = statement("Allow", "Principal", &[principal]);
    let found = decide(&[statement], caller, Exemption::WholeChain);
    assert_eq!(found.level, expected, "{principal} for {caller}");
}

#[test]
fn account_delegates_but_to_its_root_user() {
    check_allow(ROOT, ROOT, Level::Direct);
    check_allow("111122223333", ROOT, Level::Direct);
    check_allow(ROOT, USER, Level::Delegated);
    check_allow("111122223333", ROLE, Level::Delegated);
    check_allow(ROOT, SESSION, Level::Delegated);
    check_allow(ROOT, FEDERATED, Level::Delegated);
    check_allow(ROOT, LOGS, Level::None);
    check_allow(ROOT, OTHER_ROLE, Level::None);
    check_allow(ROOT, OTHER_ROOT, Level::None);
    check_allow(ROOT, GONE, Level::None);
    check_allow("arn:aws-cn:iam::111122223333:root", USER, Level::None);
}

#[test]
fn names_allow_directly() {
    check_allow(USER, USER, Level::Direct);
    check_allow(USER, ROOT, Level::None);
    check_allow(USER, "arn:aws:iam::111122223333:user/ann", Level::None);
    check_allow(
        USER,
        "arn:aws:iam::111122223333:user/staff/Ann",
        Level::None,
    );
    check_allow(FEDERATED, FEDERATED, Level::Direct);
    check_allow(GONE, GONE, Level::Direct);
    check_allow(GONE, ROLE, Level::None);
}

#[test]
fn role_matches_its_sessions_but_not_the_reverse() {
    check_allow(ROLE, ROLE, Level::Direct);
    check_allow(ROLE, SESSION, Level::Direct);
    check_allow(
        ROLE,
        "arn:aws:sts::111122223333:assumed-role/team/i-1",
        Level::None,
    );
    check_allow(
        ROLE,
        "arn:aws:sts::444455556666:assumed-role/app/i-1",
        Level::None,
    );
    check_allow(SESSION, SESSION, Level::Direct);
    check_allow(SESSION, ROLE, Level::None);
    check_allow(
        SESSION,
        "arn:aws:sts::111122223333:assumed-role/app/i-2",
        Level::None,
    );
}

#[test]
fn other_accounts_need_their_own_policies() {
    check_allow(OTHER_ROLE, OTHER_ROLE, Level::Delegated);
    check_allow(OTHER_ROOT, OTHER_ROLE, Level::Delegated);
    check_allow(OTHER_ROOT, OTHER_ROOT, Level::Delegated);
    check_allow("*", OTHER_ROLE, Level::Delegated);
    check_allow(
        "*",
        "arn:aws-cn:iam::111122223333:role/app",
        Level::Delegated,
    );
}

#[test]
fn anyone_and_services() {
    check_allow("*", USER, Level::Direct);
    check_allow("*", ROOT, Level::Direct);
    check_allow("*", LOGS, Level::Direct);
    check_allow("*", "*", Level::None);
    check_allow(LOGS, LOGS, Level::Direct);
    check_allow(LOGS, "logs.eu-central-1.amazonaws.com", Level::None);
    check_allow(LOGS, ROOT, Level::None);
}

#[track_caller]
fn check_deny(principal: &str, caller: &str, expected: Level) {
    let statements = [
        statement("Allow", "Principal", &["*"]),
        statement("Deny", "Principal", &[principal]),
    ];
    let found = decide(&statements, caller, Exemption::WholeChain);
    assert_eq!(found.level, expected, "deny {principal} for {caller}");
}

#[test]
fn denied_account_takes_everyone_with_it() {
    check_deny(ROOT, ROOT, Level::Deny);
    check_deny(ROOT, USER, Level::Deny);
    check_deny(ROOT, SESSION, Level::Deny);
    check_deny(ROOT, FEDERATED, Level::Deny);
    check_deny(ROOT, OTHER_ROLE, Level::Delegated);
    check_deny(ROOT, LOGS, Level::Direct);
    check_deny(OTHER_ROOT, OTHER_ROLE, Level::Deny);
    check_deny(ROLE, SESSION, Level::Deny);
    check_deny(SESSION, ROLE, Level::Direct);
    check_deny("*", LOGS, Level::Deny);
    check_deny("*", GONE, Level::Deny);
    check_deny("*", "*", Level::Deny);
}

/// `NotPrincipal` under Deny: the levels where a whole chain must be listed, and where any link will do.
#[track_caller]
fn check_not(listed: &[&str], caller: &str, whole_chain: Level, any_link: Level) {
    let statements = [
        statement("Allow", "Principal", &["*"]),
        statement("Deny", "NotPrincipal", listed),
    ];
    let found = [Exemption::WholeChain, Exemption::AnyLink]
        .map(|exemption| decide(&statements, caller, exemption).level);
    assert_eq!(
        found,
        [whole_chain, any_link],
        "not {listed:?} for {caller}"
    );
}

#[test]
fn not_principal_spares_those_who_are_listed() {
    check_not(&[USER, ROOT], USER, Level::Direct, Level::Direct);
    check_not(&[USER], USER, Level::Deny, Level::Direct);
    check_not(&[ROOT], USER, Level::Deny, Level::Deny);
    check_not(&[ROOT], ROOT, Level::Direct, Level::Direct);
    check_not(&[ROLE, ROOT], ROLE, Level::Direct, Level::Direct);
    check_not(&[ROLE, ROOT], SESSION, Level::Deny, Level::Direct);
    check_not(
        &[ROLE, ROOT, SESSION],
        SESSION,
        Level::Direct,
        Level::Direct,
    );
    check_not(&[ROOT, SESSION], SESSION, Level::Deny, Level::Direct);
    check_not(&[USER, ROOT], OTHER_ROLE, Level::Deny, Level::Deny);
    check_not(&[USER, ROOT], LOGS, Level::Deny, Level::Deny);
    check_not(&[LOGS], LOGS, Level::Direct, Level::Direct);
    check_not(&["*"], USER, Level::Direct, Level::Direct);
}

#[track_caller]
fn check_allow_not(listed: &[&str], caller: &str, expected: Level) {
    let statement = statement("Allow", "NotPrincipal", listed);
    let found = decide(&[statement], caller, Exemption::WholeChain);
    assert_eq!(found.level, expected, "allow not {listed:?} for {caller}");
}

#[test]
fn allowing_all_but_some_allows_everyone_else() {
    check_allow_not(&[USER], USER, Level::None);
    check_allow_not(&[USER], ROLE, Level::Direct);
    check_allow_not(&[ROLE], SESSION, Level::None);
    check_allow_not(&[USER], OTHER_ROLE, Level::Delegated);
    check_allow_not(&[USER], LOGS, Level::Direct);
    check_allow_not(&[ROOT], ROOT, Level::None);
}

/// Members of an Allow for the role's name, with what they give the role.
#[track_caller]
fn check_members(members: &str, expected: Level) {
    let statement =
        format!(r#"{{"Effect": "Allow", "Principal": {{"AWS": "{ROLE}"}}, {members}}}"#);
    let found = decide(&[statement], ROLE, Exemption::WholeChain);
    assert_eq!(found.level, expected, "{members}");
}

#[test]
fn actions_and_resources_must_cover_the_request() {
    check_members(r#""Action": "kms:decrypt", "Resource": "*""#, Level::Direct);
    check_members(
        r#""Action": ["kms:Sign", "*"], "Resource": "*""#,
        Level::Direct,
    );
    check_members(r#""Action": "kms:Encrypt", "Resource": "*""#, Level::None);
    check_members(r#""Action": [], "Resource": "*""#, Level::None);
    check_members(r#""Resource": "*""#, Level::None);
    check_members(r#""Action": "kms:*""#, Level::None);
    check_members(r#""Action": "kms:*", "Resource": []"#, Level::None);
    check_members(
        r#""NotAction": "kms:Encrypt", "Resource": "*""#,
        Level::Direct,
    );
    check_members(
        r#""NotAction": "KMS:decrypt", "Resource": "*""#,
        Level::None,
    );
    check_members(r#""NotAction": [], "Resource": "*""#, Level::None);
    check_members(
        &format!(r#""Action": "*", "Resource": "{KEY}""#),
        Level::Direct,
    );
    check_members(
        r#""Action": "*", "Resource": "arn:aws:kms:*:*:key/*""#,
        Level::Direct,
    );
    check_members(
        r#""Action": "*", "Resource": "arn:aws:kms:*:*:key/9*""#,
        Level::None,
    );
    check_members(
        r#""Action": "*", "Resource": "arn:aws:kms:*:${aws:PrincipalAccount}:key/*""#,
        Level::Direct,
    );
    check_members(r#""Action": "*", "NotResource": "*""#, Level::None);
    check_members(
        r#""Action": "*", "NotResource": "arn:aws:s3:::x""#,
        Level::Direct,
    );
}

#[test]
fn conditions_must_all_hold() {
    let check = |conditions: &str, expected: Level| {
        check_members(
            &format!(r#""Action": "*", "Resource": "*", "Condition": {{{conditions}}}"#),
            expected,
        );
    };
    check(r#""StringLike": {"kms:ViaService": "s3.*"}"#, Level::Direct);
    check(r#""StringLike": {"kms:ViaService": "ec2.*"}"#, Level::None);
    check(
        r#""StringEquals": {"kms:CallerAccount": "111122223333"}"#,
        Level::Direct,
    );
    check(
        r#""StringEquals": {"kms:CallerAccount": "444455556666"}"#,
        Level::None,
    );
    check(
        r#""ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/team/*"}"#,
        Level::Direct,
    );
    check(
        r#""StringLike": {"kms:ViaService": "s3.*"}, "Bool": {"aws:SecureTransport": true}"#,
        Level::None,
    );
    check(
        r#""StringLike": {"kms:ViaService": "s3.*"}, "Null": {"aws:SourceIp": true}"#,
        Level::Direct,
    );
    check(
        r#""StringEquals": {"kms:ViaService": "x", "kms:CallerAccount": "111122223333"}"#,
        Level::None,
    );
}

#[test]
fn context_has_the_last_word_over_the_caller() {
    let statement = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/team/app"}}}"#;
    let text = format!(r#"{{"Statement": {statement}}}"#);
    let document = read(&text, Partition::Aws).unwrap();
    let level = |context: &Context| {
        let request = Request {
            caller: &principal(SESSION),
            action: "kms:Decrypt",
            key: &KEY.parse().unwrap(),
            context,
        };
        evaluate(&document, &request).level
    };
    let mut context = Context::new();
    assert_eq!(level(&context), Level::None);
    context.set("aws:PrincipalArn", [ROLE.to_owned()]);
    assert_eq!(level(&context), Level::Direct);
    context.set("aws:PrincipalArn", []);
    assert_eq!(level(&context), Level::None);
}

#[track_caller]
fn check_deciding(statements: &[String], caller: &str, level: Level, deciding: &[usize]) {
    let found = decide(statements, caller, Exemption::WholeChain);
    assert_eq!(
        (found.level, found.statements.as_slice()),
        (level, deciding)
    );
}

#[test]
fn decision_names_its_statements() {
    let statements = [
        statement("Allow", "Principal", &[ROOT]),
        statement("Allow", "Principal", &[ROLE]),
        statement("Deny", "Principal", &[FEDERATED]),
        statement("Allow", "Principal", &["*"]),
    ];
    check_deciding(&statements, ROLE, Level::Direct, &[1, 3]);
    check_deciding(&statements, FEDERATED, Level::Deny, &[2]);
    check_deciding(&statements[..2], USER, Level::Delegated, &[0]);
    check_deciding(&statements[..2], LOGS, Level::None, &[]);
    check_deciding(&statements[2..3], USER, Level::None, &[]);
}
