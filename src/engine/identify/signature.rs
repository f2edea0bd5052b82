//! Signature Version 4, checked by signing again.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use http::header::HOST;
use http::request::Parts;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::engine::entropy::{hex, unhex};
use crate::engine::wire::{Code, Failure, percent};

use super::claim::{ALGORITHM, Claim, Form, Scope};
use super::query::Query;

/// How far a client's clock may be off.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// How long a presigned URL can be good, in seconds.
const LONGEST: i64 = 604_800;

/// A request as it was signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    pub(super) parts: &'a Parts,
    pub(super) query: &'a Query,
    pub(super) body: &'a [u8],
}

/// Checks that a claim is true: signed with the secret, for the service, and not too long ago.
pub(super) fn verify(
    claim: &Claim,
    secret: &str,
    service: Option<&str>,
    signed: Signed<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let (headers, signature, date) = complete(claim)?;
    check_scope(claim, service, date)?;
    check_time(claim, date, now)?;
    let canonical = canonical_request(signed, headers)?;
    let to_sign = format!(
        "{ALGORITHM}\n{date}\n{}\n{}",
        scope_text(&claim.scope),
        hex(digest(&SHA256, canonical.as_bytes()).as_ref())
    );
    let expected = hmac::sign(&signing_key(secret, &claim.scope), to_sign.as_bytes());
    let given = unhex(signature).unwrap_or_default();
    verify_slices_are_equal(expected.as_ref(), &given).map_err(|_| mismatch())
}

/// The parts of a claim that must all be there.
fn complete(claim: &Claim) -> Result<(&str, &str, &str), Failure> {
    if claim.algorithm != ALGORITHM {
        return Err(Failure::new(
            Code::IncompleteSignature,
            format!("Unsupported AWS 'algorithm': '{}'.", claim.algorithm),
        ));
    }
    match (&claim.signed_headers, &claim.signature, &claim.date) {
        (Some(headers), Some(signature), Some(date)) => Ok((headers, signature, date)),
        (headers, signature, date) => {
            let lacks = |name: &str, value: &Option<String>| {
                if value.is_some() {
                    return String::new();
                }
                format!("Authorization header requires '{name}' parameter. ")
            };
            let message = lacks("Signature", signature)
                + &lacks("SignedHeaders", headers)
                + &lacks("X-Amz-Date", date);
            Err(Failure::new(Code::IncompleteSignature, message.trim_end()))
        }
    }
}

fn check_scope(claim: &Claim, service: Option<&str>, date: &str) -> Result<(), Failure> {
    let wrong = |what: String| Err(Failure::new(Code::SignatureMismatch, what));
    if let Some(service) = service.filter(|service| claim.scope.service != *service) {
        return wrong(format!(
            "Credential should be scoped to correct service: '{service}'."
        ));
    }
    if !date.starts_with(&claim.scope.date) {
        return wrong(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '{}' != '{}'.",
            claim.scope.date,
            date.get(..8).unwrap_or(date)
        ));
    }
    Ok(())
}

fn check_time(claim: &Claim, date: &str, now: Timestamp) -> Result<(), Failure> {
    let wrong = |what: String| Err(Failure::new(Code::SignatureMismatch, what));
    let Some(time) = read_time(date) else {
        return Err(Failure::new(
            Code::IncompleteSignature,
            format!("Date must be in ISO-8601 'basic format'. Got '{date}'."),
        ));
    };
    let age = now.duration_since(time);
    let good_for = match claim.form {
        Form::Header => WINDOW,
        Form::Query { expires } => match expires.filter(|it| (1..=LONGEST).contains(it)) {
            Some(seconds) => SignedDuration::from_secs(seconds),
            None => {
                return wrong(format!(
                    "X-Amz-Expires must be between 1 and {LONGEST} seconds"
                ));
            }
        },
    };
    let basic = |time: Timestamp| time.strftime("%Y%m%dT%H%M%SZ").to_string();
    if age > good_for {
        let earliest = now.saturating_sub(good_for).unwrap_or(now);
        return wrong(format!(
            "Signature expired: {date} is now earlier than {} ({} - {} min.)",
            basic(earliest),
            basic(now),
            good_for.as_mins()
        ));
    }
    if age < -WINDOW {
        let latest = now.saturating_add(WINDOW).unwrap_or(now);
        return wrong(format!(
            "Signature not yet current: {date} is still later than {} ({} + {} min.)",
            basic(latest),
            basic(now),
            WINDOW.as_mins()
        ));
    }
    Ok(())
}

fn read_time(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

fn scope_text(scope: &Scope) -> String {
    format!(
        "{}/{}/{}/aws4_request",
        scope.date, scope.region, scope.service
    )
}

fn signing_key(secret: &str, scope: &Scope) -> hmac::Key {
    let first = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    let parts = [&scope.date, &scope.region, &scope.service, "aws4_request"];
    parts.into_iter().fold(first, |key, part: &str| {
        hmac::Key::new(
            hmac::HMAC_SHA256,
            hmac::sign(&key, part.as_bytes()).as_ref(),
        )
    })
}

fn canonical_request(signed: Signed<'_>, names: &str) -> Result<String, Failure> {
    let Signed { parts, query, body } = signed;
    let hash = hex(digest(&SHA256, body).as_ref());
    // A hash that is sent along must be the body's, or the signature would be good for other bodies.
    let sent = parts.headers.get("x-amz-content-sha256");
    if sent.is_some_and(|sent| sent.as_bytes() != hash.as_bytes()) {
        return Err(mismatch());
    }
    let mut headers = String::new();
    let mut signs_host = false;
    for name in names.split(';') {
        signs_host |= name == HOST.as_str();
        let value = header(parts, name).ok_or_else(mismatch)?;
        headers.push_str(name);
        headers.push(':');
        headers.push_str(&value);
        headers.push('\n');
    }
    if !signs_host {
        let what = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
        return Err(Failure::new(Code::SignatureMismatch, what));
    }
    let path = match parts.uri.path() {
        "" => "/".to_owned(),
        path => percent::encode(path, "/"),
    };
    Ok(format!(
        "{}\n{path}\n{}\n{headers}\n{names}\n{hash}",
        parts.method,
        query.canonical()
    ))
}

/// A header's value as it is signed; HTTP/2 has the host in the URL.
fn header(parts: &Parts, name: &str) -> Option<String> {
    let values: Vec<String> = parts
        .headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().map(collapse))
        .collect::<Result<_, _>>()
        .ok()?;
    if values.is_empty() && name == HOST.as_str() {
        return parts.uri.authority().map(ToString::to_string);
    }
    (!values.is_empty()).then(|| values.join(","))
}

/// Single spaces inside, none around.
fn collapse(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn mismatch() -> Failure {
    Failure::new(
        Code::SignatureMismatch,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.",
    )
}
