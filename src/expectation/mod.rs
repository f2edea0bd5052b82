//! Expectations put to the keys that the manifests ask for: each is answered for all the requests that it names.
//!
//! An answer is a proof over key policy, grants and what is known of IAM; what does not hold comes with a request that
//! shows it. Service and resource control policies of an organization are not looked at: they only take access away.

mod bench;
mod finding;
mod verdict;

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::Timestamp;

pub use self::finding::Failure;
pub use self::verdict::Kind;

use self::bench::Bench;
use self::verdict::Verdict;
use crate::access::Query;
use crate::diagnostic::Location;
use crate::state::{Callers, Claim, Desired, DesiredKey, DesiredPlace, Expectation};

/// What became of all expectations.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How many there are.
    pub expectations: usize,
    /// How many of them hold for all their keys.
    pub held: usize,
    /// What does not hold, in the order of the manifests.
    pub failures: Vec<Failure>,
}

/// One claim about one key and one name among the principals.
struct Test<'a> {
    expectation: &'a Expectation,
    claim: &'a Claim,
    callers: &'a Callers,
    /// The queries that answer it together.
    queries: Range<usize>,
}

/// Puts every expectation to its keys as they should be; `now` tells which grants have expired.
pub fn check(desired: &Desired, now: Timestamp) -> Outcome {
    let mut failures = Vec::new();
    for place in &desired.places {
        for key in place.keys.values() {
            failures.extend(check_key(&desired.expectations, place, key, now));
        }
    }
    failures.sort_by_cached_key(|failure: &Failure| failure.diagnostic.locations.clone());
    let failed: BTreeSet<&Location> = failures.iter().filter_map(Failure::claim).collect();
    let holds = |one: &&Expectation| {
        let mut claims = one.claims.iter();
        claims.all(|claim| !failed.contains(&claim.location))
    };
    Outcome {
        expectations: desired.expectations.len(),
        held: desired.expectations.iter().filter(holds).count(),
        failures,
    }
}

fn check_key(
    expectations: &[Expectation],
    place: &DesiredPlace,
    key: &DesiredKey,
    now: Timestamp,
) -> Vec<Failure> {
    let bench = Bench::new(place, key, now);
    let mut queries = Vec::new();
    let mut tests = Vec::new();
    for expectation in expectations {
        let Some(subjects) = expectation.subjects.get(&place.place) else {
            continue;
        };
        if !subjects.keys.contains(&key.name) {
            continue;
        }
        let suits = |claim: &&Claim| claim.allowance.suits(key.key_type);
        for claim in expectation.claims.iter().filter(suits) {
            for callers in &subjects.callers {
                let first = queries.len();
                queries.extend(bench.queries(claim, callers, &subjects.when));
                tests.push(Test {
                    expectation,
                    claim,
                    callers,
                    queries: first..queries.len(),
                });
            }
        }
    }
    judge(&bench, &tests, &queries)
}

fn judge(bench: &Bench<'_>, tests: &[Test<'_>], queries: &[Query]) -> Vec<Failure> {
    if queries.is_empty() {
        return Vec::new();
    }
    let readings = bench.ask(queries);
    let failed = tests.iter().filter_map(|test| {
        let of_test = |reading: &Vec<_>| {
            let answers = reading.get(test.queries.clone()).unwrap_or_default();
            Verdict::of(test.claim.verb, answers)
        };
        let verdict = match bench.stays_home(test.claim, test.callers) {
            Some(operation) => Verdict::never(operation),
            None => Verdict::both(readings.iter().map(of_test)),
        };
        finding::failure(bench, test, verdict)
    });
    failed.collect()
}
