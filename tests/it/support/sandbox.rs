//! The binary in a folder of its own, with nothing of the machine around it.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use keywright::engine::Store;
use tempfile::TempDir;

use super::engine::{self, ACCOUNT};
use crate::convergence::block_on;

/// A folder, an engine in it, and the binary.
pub(crate) struct Sandbox {
    folder: TempDir,
}

/// What a run of the binary said and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code; `None` when it was killed.
    pub(crate) code: Option<i32>,
    /// The standard output, with key ids replaced.
    pub(crate) stdout: String,
    /// The standard error, likewise.
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    /// A sandbox with one manifest, `manifests/keys.yaml`.
    pub(crate) fn with(manifest: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write("manifests/keys.yaml", manifest);
        sandbox
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes a manifest of the scope `other`, in the folder of that name.
    pub(crate) fn write_other(&self, manifest: &str) {
        self.write(
            "other/account.yaml",
            "kind: Account\nname: dev\nid: 111122223333\nregions: [us-east-1]\nscope: other\n",
        );
        self.write("other/manifest.yaml", manifest);
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keywright"));
        command
            .current_dir(self.path())
            .env_clear()
            .env("KEYWRIGHT_NOW", "2026-06-01T00:00:00Z");
        command
    }

    /// Runs the binary with words as arguments.
    pub(crate) fn run(&self, words: &str) -> Run {
        Run::of(
            &self
                .command()
                .args(words.split_whitespace())
                .output()
                .unwrap(),
        )
    }

    /// Runs the binary up to a call of the engine, lets something happen meanwhile, and lets it go on.
    pub(crate) fn run_around(&self, words: &str, call: u32, meanwhile: impl FnOnce(u32)) -> Run {
        let mut child = self
            .command()
            .args(words.split_whitespace())
            .env("KEYWRIGHT_ENGINE_FAULT", format!("wait-before:{call}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 14];
        let stderr = child.stderr.as_mut().unwrap();
        stderr.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"waiting before");
        meanwhile(child.id());
        drop(child.stdin.take());
        Run::of(&child.wait_with_output().unwrap())
    }

    /// The whole of a key's live state, without ids and dates, as a drift report in JSON and the engine's rows show it.
    pub(crate) fn report(&self, words: &str) -> serde_json::Value {
        let run = self.run(&format!("{words} --output json"));
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    }
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| without_ids(std::str::from_utf8(bytes).unwrap());
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Everything that the run said, for snapshots.
    pub(crate) fn all(&self) -> String {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        format!(
            "exit {}\n--- stdout\n{stdout}--- stderr\n{stderr}",
            code.map_or("killed".to_owned(), |code| code.to_string())
        )
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.all());
        self
    }
}

/// Replaces ids of keys and grants, which differ from run to run.
fn without_ids(text: &str) -> String {
    let is_id = |word: &str| {
        let uuid = word.len() == 36 && word.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
        let hex = word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        hex && (uuid || word.len() == 64)
    };
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() || c == '-' {
            word.push(c);
            continue;
        }
        out.push_str(if is_id(&word) { "[id]" } else { &word });
        word.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

/// A client of the sandbox's engine, for changes behind the manifests' back.
pub(crate) struct Live(aws_sdk_kms::Client);

impl std::ops::Deref for Live {
    type Target = aws_sdk_kms::Client;

    fn deref(&self) -> &aws_sdk_kms::Client {
        &self.0
    }
}

impl Live {
    /// The id of the key behind an alias.
    pub(crate) async fn key(&self, alias: &str) -> String {
        let answer = self.describe_key().key_id(alias).send().await.unwrap();
        answer.key_metadata().unwrap().key_id().to_owned()
    }

    /// Takes the tags from a key that make it ours; gives its id.
    pub(crate) async fn disown(&self, alias: &str) -> String {
        let key = self.key(alias).await;
        let request = self.untag_resource().key_id(&key);
        let request = request
            .tag_keys("keywright:key")
            .tag_keys("keywright:scope");
        request.send().await.unwrap();
        key
    }
}

impl Sandbox {
    /// Does something to the live account that no manifest knows of.
    pub(crate) fn live<F: Future<Output = ()>>(&self, change: impl FnOnce(Live) -> F) {
        let file = camino::Utf8PathBuf::try_from(self.path().join(".keywright/engine.db")).unwrap();
        let engine = engine::open(Store::File(file));
        block_on(change(Live(engine::client(&engine, ACCOUNT, "us-east-1"))));
    }
}
