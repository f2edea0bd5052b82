//! Random operations on keys in all states, in two Regions, against a model that fits on a page.

mod model;

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use camino::Utf8PathBuf;
use keywright::engine::Store;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::bench::{ACCOUNT, Bench, UNKNOWN};

use model::{Act, DAY, EXPIRY, Key, Kind, Model, Step, WINDOW};

const HERE: &str = "eu-central-1";
const THERE: &str = "eu-west-1";
const START: i64 = 1_780_000_000;

fn act() -> impl Strategy<Value = Act> {
    let (small, alias) = (0_u8..3, 0_usize..3);
    let life = prop_oneof![
        3 => Just(Act::Enable),
        2 => Just(Act::Disable),
        1 => Just(Act::Schedule),
        1 => Just(Act::Cancel),
        2 => alias.clone().prop_map(Act::Name),
        1 => alias.prop_map(Act::Point),
    ];
    let hangings = prop_oneof![
        (small.clone(), small.clone()).prop_map(|(name, value)| Act::Tag(name, value)),
        small.clone().prop_map(Act::Untag),
        small.prop_map(Act::PutPolicy),
        Just(Act::Grant),
        (0_usize..3).prop_map(Act::Revoke),
    ];
    let material = prop_oneof![
        1 => any::<bool>().prop_map(|expires| Act::Import { expires }),
        1 => Just(Act::TakeMaterial),
        2 => prop::sample::select(vec![90_i64, 180]).prop_map(Act::RotateEvery),
        1 => Just(Act::StopRotating),
        2 => Just(Act::Rotate),
        2 => Just(Act::Replicate),
        1 => Just(Act::Promote),
    ];
    let use_of = prop_oneof![Just(Act::Encrypt), (0_usize..9).prop_map(Act::Decrypt)];
    prop_oneof![life, hangings, material, use_of]
}

fn step() -> impl Strategy<Value = Step> {
    let kinds = vec![Kind::Plain, Kind::External, Kind::Primary];
    let days = vec![1_i64, 3, 8, 30, 91, 200];
    prop_oneof![
        1 => prop::sample::select(kinds).prop_map(Step::Create),
        24 => (0_usize..5, act()).prop_map(|(key, act)| Step::To(key, act)),
        1 => (prop::sample::select(vec![HERE, THERE]), 0_usize..3)
            .prop_map(|(region, alias)| Step::Unname(region, alias)),
        4 => prop::sample::select(days).prop_map(Step::Days),
        1 => Just(Step::Reopen),
    ]
}

/// Steps, among them some in a row that chance hardly ever finds.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let to = |key, act| Step::To(key, act);
    let import = || Act::Import { expires: false };
    let stories = vec![
        vec![
            to(PRIMARY, Act::RotateEvery(90)),
            to(PRIMARY, Act::Replicate),
            to(PRIMARY, Act::Promote),
        ],
        vec![
            to(PRIMARY, Act::Replicate),
            to(PRIMARY, Act::Schedule),
            to(REPLICA, Act::Schedule),
        ],
        vec![
            to(EXTERNAL, import()),
            to(EXTERNAL, Act::Disable),
            to(EXTERNAL, Act::TakeMaterial),
            to(EXTERNAL, import()),
        ],
    ];
    let some = prop_oneof![
        9 => step().prop_map(|step| vec![step]),
        1 => prop::sample::select(stories),
    ];
    prop::collection::vec(some, 1..80).prop_map(|all| all.concat())
}

/// The keys that there are from the beginning, and the one that comes first.
const KINDS: [Kind; 3] = [Kind::Primary, Kind::External, Kind::Plain];
const PRIMARY: usize = 0;
const EXTERNAL: usize = 1;
const REPLICA: usize = 3;

/// An engine, which may be opened again, and what it ought to be like.
struct Machine {
    file: Option<(TempDir, u64)>,
    bench: Bench,
    model: Model,
}

impl Machine {
    fn new(file: Option<TempDir>) -> Self {
        let store = file.as_ref().map_or(Store::Memory, store);
        Self {
            bench: Bench::with(store, 1),
            file: file.map(|folder| (folder, 1)),
            model: Model::default(),
        }
    }

    fn call(&self, region: &str, operation: &str, members: &Value) -> Option<Value> {
        let credential = format!("{ACCOUNT}/20260101/{region}/kms/aws4_request");
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        let request = http::Request::post("/")
            .header("x-amz-target", format!("TrentService.{operation}"))
            .header("authorization", authorization)
            .body(Bytes::from(members.to_string()));
        let answer = self.bench.engine.handle(request.unwrap());
        let status = answer.status().as_u16();
        let body = answer.into_body();
        assert!(status == 200 || status == 400, "{operation}: {body:?}");
        let body = if body.is_empty() { b"{}" } else { &body[..] };
        (status == 200).then(|| serde_json::from_slice(body).unwrap())
    }

    /// Lets time pass on both sides.
    fn pass(&mut self, minutes: i64) {
        self.bench.clock.forward_minutes(minutes);
        self.model.pass(minutes);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Create(kind) => self.create(kind),
            Step::To(key, ref act) => {
                let key = self.model.bearer(key);
                let works = self.model.allows(key, act);
                assert_eq!(self.perform(key, act), works, "{act:?}");
                if works {
                    self.model.apply(key, act);
                    // What begins with this ends by itself.
                    self.pass(i64::from(matches!(act, Act::Replicate | Act::Promote)));
                    self.compare_key(key);
                }
            }
            Step::Unname(region, alias) => {
                let members = json!({"AliasName": format!("alias/{alias}")});
                let done = self.call(region, "DeleteAlias", &members).is_some();
                let known = self.model.aliases.remove(&(region, alias)).is_some();
                assert_eq!(done, known);
            }
            Step::Days(days) => {
                self.pass(days * DAY);
                self.compare();
            }
            Step::Reopen => {
                if let Some((folder, seed)) = &mut self.file {
                    *seed += 1;
                    self.bench = Bench::with(store(folder), *seed);
                    self.bench.clock.forward_minutes(self.model.now);
                    self.compare();
                }
            }
        }
    }

    fn create(&mut self, kind: Kind) {
        let members = json!({
            "MultiRegion": kind == Kind::Primary,
            "Origin": if kind == Kind::External { "EXTERNAL" } else { "AWS_KMS" },
            "Policy": policy(0),
        });
        let made = self.call(HERE, "CreateKey", &members).unwrap();
        let id = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
        self.model.keys.push(Key::new(HERE, id, kind));
    }

    /// Does an act in the engine and tells whether it worked.
    fn perform(&mut self, key: usize, act: &Act) -> bool {
        let (operation, more) = match *act {
            Act::Grant => return self.grant(key),
            Act::Import { expires } => return self.import(key, expires),
            Act::Encrypt => return self.encrypt(key),
            Act::Decrypt(number) => return self.decrypt(key, number),
            Act::Replicate => return self.replicate(key),
            Act::Revoke(number) => return self.revoke(key, number),
            Act::Enable => ("EnableKey", json!({})),
            Act::Disable => ("DisableKey", json!({})),
            Act::Schedule => (
                "ScheduleKeyDeletion",
                json!({"PendingWindowInDays": WINDOW}),
            ),
            Act::Cancel => ("CancelKeyDeletion", json!({})),
            Act::Name(alias) => (
                "CreateAlias",
                json!({"AliasName": format!("alias/{alias}")}),
            ),
            Act::Point(alias) => (
                "UpdateAlias",
                json!({"AliasName": format!("alias/{alias}")}),
            ),
            Act::Tag(name, value) => (
                "TagResource",
                json!({"Tags": [{"TagKey": name.to_string(), "TagValue": value.to_string()}]}),
            ),
            Act::Untag(name) => ("UntagResource", json!({"TagKeys": [name.to_string()]})),
            Act::PutPolicy(number) => ("PutKeyPolicy", json!({"Policy": policy(number)})),
            Act::TakeMaterial => ("DeleteImportedKeyMaterial", json!({})),
            Act::RotateEvery(days) => ("EnableKeyRotation", json!({"RotationPeriodInDays": days})),
            Act::StopRotating => ("DisableKeyRotation", json!({})),
            Act::Rotate => ("RotateKeyOnDemand", json!({})),
            Act::Promote => (
                "UpdatePrimaryRegion",
                json!({"PrimaryRegion": self.elsewhere(key)}),
            ),
        };
        self.on(key, operation, more).is_some()
    }

    /// Calls an operation on a key.
    fn on(&self, key: usize, operation: &str, mut members: Value) -> Option<Value> {
        let known = self.model.keys.get(key);
        let (region, id) = known.map_or((HERE, UNKNOWN), |key| (key.region, &*key.id));
        members["KeyId"] = id.into();
        members["TargetKeyId"] = id.into();
        self.call(region, operation, &members)
    }

    fn elsewhere(&self, key: usize) -> &'static str {
        match self.model.keys.get(key) {
            Some(Key { region: HERE, .. }) => THERE,
            _ => HERE,
        }
    }

    fn grant(&mut self, key: usize) -> bool {
        let grantee = format!("arn:aws:iam::{ACCOUNT}:role/app");
        let members = json!({"GranteePrincipal": grantee, "Operations": ["Decrypt"]});
        let Some(made) = self.on(key, "CreateGrant", members) else {
            return false;
        };
        let id = made["GrantId"].as_str().unwrap().to_owned();
        self.model.keys[key].grants.insert(id)
    }

    fn revoke(&mut self, key: usize, number: usize) -> bool {
        let known = self.model.keys.get(key).map(|key| &key.grants);
        let known = known.filter(|grants| !grants.is_empty());
        let id = known.and_then(|grants| grants.iter().nth(number % grants.len()).cloned());
        let id = id.unwrap_or_else(|| "0".repeat(64));
        let done = self
            .on(key, "RevokeGrant", json!({"GrantId": id}))
            .is_some();
        if done {
            self.model.keys[key].grants.remove(&id);
        }
        done
    }

    /// Imports the one piece of material that a key ever has.
    fn import(&self, key: usize, expires: bool) -> bool {
        let how = json!({"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"});
        let Some(got) = self.on(key, "GetParametersForImport", how) else {
            return false;
        };
        let public = STANDARD.decode(got["PublicKey"].as_str().unwrap()).unwrap();
        let public = PublicEncryptingKey::from_der(&public).unwrap();
        let public = OaepPublicEncryptingKey::new(public).unwrap();
        let mut wrapped = vec![0; public.ciphertext_size()];
        let material = [u8::try_from(key).unwrap(); 32];
        let wrapped = public.encrypt(&OAEP_SHA256_MGF1SHA256, &material, &mut wrapped, None);
        let mut members = json!({
            "ImportToken": got["ImportToken"], "EncryptedKeyMaterial": STANDARD.encode(wrapped.unwrap()),
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        });
        if expires {
            members["ExpirationModel"] = "KEY_MATERIAL_EXPIRES".into();
            members["ValidTo"] = (START + (self.model.now + EXPIRY * DAY) * 60).into();
        }
        self.on(key, "ImportKeyMaterial", members).is_some()
    }

    fn encrypt(&mut self, key: usize) -> bool {
        let Some(made) = self.on(key, "Encrypt", json!({"Plaintext": "dGV4dA=="})) else {
            return false;
        };
        let id = self.model.keys[key].id.clone();
        let blob = made["CiphertextBlob"].as_str().unwrap().to_owned();
        self.model.sealed.entry(id).or_default().push(blob);
        true
    }

    fn decrypt(&self, key: usize, number: usize) -> bool {
        let known = self.model.keys.get(key);
        let sealed = known.and_then(|key| self.model.sealed.get(&key.id));
        let blob = sealed.map_or("AA==", |blobs| &blobs[number % blobs.len()]);
        let opened = self.on(key, "Decrypt", json!({"CiphertextBlob": blob}));
        opened.is_some_and(|opened| opened["Plaintext"] == "dGV4dA==")
    }

    fn replicate(&mut self, key: usize) -> bool {
        let region = self.elsewhere(key);
        let members = json!({"ReplicaRegion": region, "Policy": policy(0)});
        if self.on(key, "ReplicateKey", members).is_none() {
            return false;
        }
        self.model.add_replica(key, region);
        true
    }

    fn compare(&self) {
        for key in 0..self.model.keys.len() {
            self.compare_key(key);
        }
        for region in [HERE, THERE] {
            let listed = self.call(region, "ListAliases", &json!({})).unwrap();
            let alias = |alias: &Value| (text(&alias["AliasName"]), text(&alias["TargetKeyId"]));
            let listed: Vec<_> = entries(&listed["Aliases"]).map(alias).collect();
            let own = self
                .model
                .aliases
                .iter()
                .filter(|((at, _), _)| *at == region);
            let expected = own.map(|((_, alias), key)| {
                (format!("alias/{alias}"), self.model.keys[*key].id.clone())
            });
            assert_eq!(listed, expected.collect::<Vec<_>>());
        }
    }

    fn compare_key(&self, number: usize) {
        let key = &self.model.keys[number];
        if self.model.bearer(number) != number {
            return;
        }
        let found = self.on(number, "DescribeKey", json!({}));
        assert_eq!(found.is_none(), key.is_gone, "{key:?}");
        let Some(found) = found else {
            return;
        };
        let metadata = &found["KeyMetadata"];
        assert_eq!(
            Some(text(&metadata["KeyState"]).as_str()),
            key.state(),
            "{key:?}"
        );
        assert_eq!(minute(&metadata["DeletionDate"]), key.deletion(), "{key:?}");
        assert_eq!(minute(&metadata["ValidTo"]), key.expires, "{key:?}");
        let read = |operation: &str| self.on(number, operation, json!({})).unwrap();
        let listed = read("ListResourceTags");
        let tag = |tag: &Value| (text(&tag["TagKey"]), text(&tag["TagValue"]));
        let expected = key.tags.iter();
        let expected = expected.map(|(name, value)| (name.to_string(), value.to_string()));
        let listed: Vec<_> = entries(&listed["Tags"]).map(tag).collect();
        assert_eq!(listed, expected.collect::<Vec<_>>());
        assert_eq!(read("GetKeyPolicy")["Policy"], policy(key.policy));
        let listed = read("ListGrants");
        let listed = entries(&listed["Grants"]).map(|grant| text(&grant["GrantId"]));
        assert_eq!(
            listed.collect::<std::collections::BTreeSet<_>>(),
            key.grants
        );
        let listed = read("ListKeyRotations");
        assert_eq!(
            entries(&listed["Rotations"]).count(),
            key.rotations,
            "{key:?}"
        );
        if key.kind != Kind::External {
            let status = read("GetKeyRotationStatus");
            let days = status["RotationPeriodInDays"].as_i64();
            let rotation = days.zip(minute(&status["NextRotationDate"]));
            assert_eq!(rotation, self.model.rotation(number), "{key:?}");
        }
    }
}

fn store(folder: &TempDir) -> Store {
    let folder = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    Store::File(folder.join("engine.db"))
}

/// A policy that leaves everything to the account, and differs by a number.
fn policy(number: u8) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Id":"{number}","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"kms:*","Resource":"*"}}]}}"#
    )
}

fn entries(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().unwrap().iter()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A time in the model's.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the times of tests are small"
)]
fn minute(time: &Value) -> Option<i64> {
    time.as_f64().map(|seconds| (seconds as i64 - START) / 60)
}

fn run(file: Option<TempDir>, steps: &[Step]) {
    let mut machine = Machine::new(file);
    for kind in KINDS {
        machine.create(kind);
    }
    for step in steps {
        machine.step(step);
    }
    machine.compare();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn keys_behave_as_the_model_says(steps in steps()) {
        run(None, &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_engine_that_is_opened_again_is_the_same(steps in steps()) {
        run(Some(TempDir::new().unwrap()), &steps);
    }
}
