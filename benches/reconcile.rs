//! What a run costs per key on the bundled engine, through the real client: a plan without changes, and a first apply
//! with durable writes.
//!
//! `cargo bench --bench reconcile` prints times per key as criterion's throughput; compare runs as ratios.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on should stop"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use aws_sdk_kms::config::{BehaviorVersion, Region};
use camino::Utf8PathBuf;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use keywright::apply::{Event, Stop, apply};
use keywright::engine::{self, Engine, Settings, Store};
use keywright::kms::{Client, Pace};
use keywright::manifest::{Fallback, Sources, load};
use keywright::model::{Partition, Place, Principal};
use keywright::observe::{Others, Scope, observe};
use keywright::plan::{Allow, Limits, Plan, plan};
use keywright::state::{Desired, Observed};
use mimalloc::MiMalloc;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// As in the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn place() -> Place {
    Place {
        account: "111122223333".parse().unwrap(),
        region: "eu-central-1".parse().unwrap(),
    }
}

/// Keys with administrators, plain and conditioned users, tags, and a grant on every tenth.
fn desired(keys: usize) -> Desired {
    let mut yaml = String::new();
    for key in 0..keys {
        write!(
            yaml,
            "---\nkind: Key\nname: fleet/key-{key}\ndescription: Number {key}\ntags: {{team: fleet}}\n\
             administrators: [role/admin, role/break-glass]\n\
             users: [role/app-{key}, {{principals: [role/report], operations: [decrypt], via: [s3]}}]\n"
        )
        .unwrap();
        if key % 10 == 0 {
            yaml.push_str(
                "grants: [{name: export, grantee: role/export, operations: [Decrypt]}]\n",
            );
        }
    }
    let (sources, _) = Sources::from_texts([("fleet.yaml".into(), yaml.into_bytes())]);
    let (desired, found) = load(&sources, &Fallback { place: place() });
    assert!(found.is_empty(), "{found:?}");
    desired
}

/// An engine on disk, and a client of it.
struct Account {
    client: Client,
    _folder: TempDir,
}

impl Account {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let file = Utf8PathBuf::try_from(folder.path().join("engine.db")).unwrap();
        let engine = Engine::open(Settings::new(Store::File(file), place().account)).unwrap();
        let caller = Principal::Account(Partition::Aws, place().account);
        let config = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(place().region.to_string()))
            .allow_no_auth()
            .endpoint_url("http://engine.bench")
            .http_client(engine::connector_as_root(Arc::new(engine), &place()))
            .build();
        Self {
            client: Client::new(place(), &config, Pace::unlimited()).with_caller(Some(caller)),
            _folder: folder,
        }
    }

    async fn plan(&self, desired: &Desired) -> Plan {
        let scope = Scope::of(desired.places.first().unwrap(), Others::WhenMissing);
        let observed = Observed {
            places: vec![observe(&self.client, &scope, &mut |_| {}).await],
        };
        let limits = Limits {
            now: jiff::Timestamp::UNIX_EPOCH,
            allow: Allow::default(),
            rewrite: false,
        };
        plan(desired, &observed, &limits)
    }

    async fn apply(&self, plan: &Plan) {
        let (place, stop) = (plan.places.first().unwrap(), Stop::default());
        let outcome = apply(&self.client, place, &stop, &mut |_: Event<'_>| {}).await;
        assert!(outcome.keys.iter().all(|key| key.failure.is_none()));
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn plan_without_changes(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("plan without changes");
    group.sample_size(10);
    // Made once, and only for the sizes that are asked for.
    let mut fleet: BTreeMap<usize, (Desired, Account)> = BTreeMap::new();
    for keys in [100, 1_000, 10_000] {
        group.throughput(Throughput::Elements(u64::try_from(keys).unwrap()));
        group.bench_function(BenchmarkId::from_parameter(keys), |bencher| {
            let (desired, account) = fleet.entry(keys).or_insert_with(|| {
                let (desired, account) = (desired(keys), Account::new());
                runtime.block_on(async { account.apply(&account.plan(&desired).await).await });
                (desired, account)
            });
            bencher.iter(|| {
                let plan = runtime.block_on(account.plan(desired));
                assert!(plan.summary().is_clean());
                black_box(plan)
            });
        });
    }
    group.finish();
}

fn first_apply(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("first apply");
    group.sample_size(10);
    let keys = 1_000;
    let desired = desired(keys);
    group.throughput(Throughput::Elements(u64::try_from(keys).unwrap()));
    group.bench_function(BenchmarkId::from_parameter(keys), |bencher| {
        let new = || {
            let account = Account::new();
            let plan = runtime.block_on(account.plan(&desired));
            (account, plan)
        };
        bencher.iter_batched(
            new,
            |(account, plan)| runtime.block_on(account.apply(&plan)),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, plan_without_changes, first_apply);
criterion_main!(benches);
