//! The binary before a KMS server, with a look past it at the live keys.

use std::path::Path;
use std::sync::Arc;

use camino::Utf8PathBuf;
use keywright::engine::{Engine, Store};
use serde_json::Value;

use super::engine::{self, ACCOUNT};
use super::sandbox::{Run, Sandbox};
use crate::convergence::block_on;

/// A KMS server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// The bundled engine.
    Engine,
    /// moto, at a URL.
    Moto(String),
    /// `LocalStack`, at a URL.
    LocalStack(String),
}

impl Server {
    /// The bundled engine, and the server that the environment names.
    pub(crate) fn all() -> Vec<Self> {
        let (url, name) = (
            variable("KEYWRIGHT_TEST_ENDPOINT"),
            variable("KEYWRIGHT_TEST_SERVER"),
        );
        let named = url.map(|url| match name.as_deref() {
            Some("moto") => Self::Moto(url),
            Some("localstack") => Self::LocalStack(url),
            other => panic!("KEYWRIGHT_TEST_SERVER is `moto` or `localstack`, not {other:?}"),
        });
        [Self::Engine].into_iter().chain(named).collect()
    }

    /// True when the server takes a rotation period and does not show it again.
    pub(crate) fn forgets_rotation_periods(&self) -> bool {
        match self {
            Self::Moto(_) => true,
            Self::Engine | Self::LocalStack(_) => false,
        }
    }

    /// True when a new grant is taken for an old one of the same name, whatever it allows.
    pub(crate) fn knows_grants_by_name_alone(&self) -> bool {
        match self {
            Self::LocalStack(_) => true,
            Self::Engine | Self::Moto(_) => false,
        }
    }

    /// True when an operation that the server does not have looks like a fault of the server.
    pub(crate) fn fails_at_unknown_operations(&self) -> bool {
        match self {
            Self::Moto(_) => true,
            Self::Engine | Self::LocalStack(_) => false,
        }
    }

    fn url(&self) -> Option<&str> {
        match self {
            Self::Engine => None,
            Self::Moto(url) | Self::LocalStack(url) => Some(url),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server under test is named by the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A server, a Region of it that no other test uses, and manifests.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) sandbox: Sandbox,
    region: &'static str,
}

impl Stage {
    pub(crate) fn new(server: &Server, region: &'static str) -> Self {
        Self {
            server: server.clone(),
            sandbox: Sandbox::new(),
            region,
        }
    }

    pub(crate) fn with(server: &Server, region: &'static str, manifest: &str) -> Self {
        let stage = Self::new(server, region);
        stage.write(manifest);
        stage
    }

    /// Puts a manifest in place of the one before.
    pub(crate) fn write(&self, manifest: &str) {
        self.sandbox.write("manifests/keys.yaml", manifest);
    }

    /// Changes one word of a manifest.
    #[track_caller]
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = format!("manifests/{file}");
        let text = std::fs::read_to_string(self.sandbox.path().join(&path)).unwrap();
        assert!(text.contains(from), "no `{from}` in {text}");
        self.sandbox.write(&path, text.replace(from, to));
    }

    /// Copies a folder of the shipped manifests.
    pub(crate) fn copy_shipped(&self, name: &str) {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("manifests")
            .join(name);
        copy(&shipped, &self.sandbox.path().join("manifests"));
    }

    /// The words of a run, followed by those that lead to the server.
    pub(crate) fn command(&self, words: &str) -> std::process::Command {
        let mut command = self.sandbox.command();
        command
            .args(words.split_whitespace())
            .args(["--region", self.region]);
        match self.server.url() {
            Some(url) => command.args(["--endpoint", url]),
            None => command.args(["--target", "local"]),
        };
        command
    }

    pub(crate) fn run(&self, words: &str) -> Run {
        Run::of(&self.command(words).output().unwrap())
    }

    /// Runs at another time than the sandbox's own.
    pub(crate) fn run_at(&self, now: &str, words: &str) -> Run {
        let output = self.command(words).env("KEYWRIGHT_NOW", now).output();
        Run::of(&output.unwrap())
    }

    /// The report of a run that ends with a code.
    #[track_caller]
    pub(crate) fn report(&self, words: &str, code: i32) -> Value {
        report(self.run(&format!("{words} --output json")), code)
    }

    /// Applies everything; what is written is what is read.
    #[track_caller]
    pub(crate) fn apply(&self, flags: &str) -> Value {
        self.report(&format!("apply --yes {flags}"), 0)
    }

    #[track_caller]
    pub(crate) fn check_clean(&self) {
        let stdout = self.run("plan").expect(0).stdout;
        assert!(stdout.contains("Plan: no changes;"), "{stdout}");
        self.run("drift --all").expect(0);
    }

    /// A client that knows nothing of keywright.
    pub(crate) fn client(&self) -> aws_sdk_kms::Client {
        let config = match self.server.url() {
            Some(url) => engine::config(ACCOUNT, self.region).endpoint_url(url),
            None => engine::engine_config(&self.engine(), ACCOUNT, self.region),
        };
        aws_sdk_kms::Client::from_conf(config.build())
    }

    /// The id of the key that an alias leads to.
    pub(crate) fn key_id(&self, alias: &str) -> String {
        let described = block_on(self.client().describe_key().key_id(alias).send()).unwrap();
        described.key_metadata().unwrap().key_id().to_owned()
    }

    fn engine(&self) -> Arc<Engine> {
        let folder = Utf8PathBuf::try_from(self.sandbox.path().join(".keywright")).unwrap();
        engine::open(Store::File(folder.join("engine.db")))
    }
}

/// The report of a run in JSON.
#[track_caller]
pub(crate) fn report(run: Run, code: i32) -> Value {
    let run = run.expect(code);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.all()))
}

/// Every change of a report, as `key Action`.
pub(crate) fn changes(report: &Value) -> Vec<String> {
    let places = report["places"].as_array().unwrap().iter();
    let keys = places.flat_map(|place| place["keys"].as_array().unwrap());
    let named = keys.flat_map(|key| {
        let changes = key["changes"].as_array().unwrap().iter();
        changes.map(|change| {
            let words = (
                key["name"].as_str().unwrap(),
                change["action"].as_str().unwrap(),
            );
            format!("{} {}", words.0, words.1)
        })
    });
    named.collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
