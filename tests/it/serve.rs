//! The engine on a port: real clients, real bytes, and bytes that are none.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_kms::primitives::Blob;
use bytes::Bytes;
use http::Response;
use keywright::engine::{
    AuditLog, Call, Engine, Interceptor, Limits, Record, ServerSettings, Settings, Store, Tls,
    TlsError, serve,
};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::engine::ACCOUNT;
use crate::support::sandbox::Sandbox;

/// An engine that is served.
struct Served {
    engine: Arc<Engine>,
    address: SocketAddr,
    end: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn new() -> Self {
        Self::with(ServerSettings::default()).await
    }

    async fn with(settings: ServerSettings) -> Self {
        let engine = Settings::new(Store::Memory, ACCOUNT.parse().unwrap());
        Self::of(engine, settings).await
    }

    async fn of(engine: Settings, settings: ServerSettings) -> Self {
        let engine = Arc::new(Engine::open(engine).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ending) = oneshot::channel();
        let serving = serve(Arc::clone(&engine), listener, settings, async {
            drop(ending.await);
        });
        let ended = tokio::spawn(serving);
        Self {
            engine,
            address,
            end,
            ended,
        }
    }

    fn kms(&self, access_key: &str) -> aws_sdk_kms::Client {
        let config = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new(access_key, "secret", None, None, "test"))
            .endpoint_url(format!("http://{}", self.address))
            .build();
        aws_sdk_kms::Client::from_conf(config)
    }

    /// Sends bytes and gives everything that comes back until the server hangs up.
    async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may answer and hang up before it has read all.
        let _sent = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _read = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn get(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        self.raw(request.as_bytes()).await
    }

    async fn stop(self) {
        self.end.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
    }
}

/// Settings of a server that soon hangs up on who says nothing.
fn impatient() -> ServerSettings {
    ServerSettings {
        limits: Limits {
            patience: Duration::from_millis(50),
            ..Limits::default()
        },
        ..ServerSettings::default()
    }
}

fn authorization() -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260601/eu-central-1/kms/aws4_request, SignedHeaders=host, Signature=0"
    )
}

/// A whole request with a body, which ends its connection.
fn post(target: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Amz-Target: {target}\r\nAuthorization: {}\r\n\
         Content-Length: {}\r\n\r\n",
        authorization(),
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_encrypts_and_decrypts_over_a_socket() {
    let served = Served::new().await;
    let kms = served.kms(ACCOUNT);
    let made = kms.create_key().send().await.unwrap();
    let id = made.key_metadata.unwrap().key_id;
    let sealed = kms
        .encrypt()
        .key_id(&id)
        .plaintext(Blob::new("hello"))
        .send();
    let sealed = sealed.await.unwrap().ciphertext_blob.unwrap();
    let opened = kms.decrypt().ciphertext_blob(sealed).send().await.unwrap();
    assert_eq!(opened.plaintext.unwrap().as_ref(), b"hello");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_to_write_after_all_is_done_once() {
    let served = Served::new().await;
    let kms = served.kms(ACCOUNT);
    let made = kms.create_key().send().await.unwrap();
    let id = made.key_metadata.unwrap().key_id;
    // The first use of a key is noted, the second is not.
    for _ in 0..2 {
        let sealed = kms.encrypt().key_id(&id).plaintext(Blob::new("hello"));
        sealed.send().await.unwrap();
    }
    let last = kms.get_key_last_usage().key_id(&id).send().await.unwrap();
    let used = last.key_last_usage.unwrap();
    assert_eq!(used.operation().map(|it| it.as_str()), Some("Encrypt"));
    let metrics = served.get("/metrics").await;
    let line = r#"keywright_requests_total{service="kms",operation="Encrypt",outcome="ok"} 2"#;
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_is_spoken_to_those_who_know_it_is() {
    let served = Served::new().await;
    // The preface and an empty SETTINGS frame; the server answers with SETTINGS of its own.
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "{frame:?}");
}

/// A certificate for `localhost` that signs itself, and its key.
const CERTIFICATE: &[u8] = include_bytes!("tls/cert.pem");
const KEY: &[u8] = include_bytes!("tls/key.pem");

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_both_versions_of_http_are_offered() {
    let served = Served::with(ServerSettings {
        tls: Some(Tls::from_pem(CERTIFICATE, KEY).unwrap()),
        ..ServerSettings::default()
    })
    .await;
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    roots.add(certificate).unwrap();
    for offered in ["h2", "http/1.1"] {
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
        config.alpn_protocols = vec![offered.into()];
        let stream = TcpStream::connect(served.address).await.unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector
            .connect("localhost".try_into().unwrap(), stream)
            .await
            .unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(offered.as_bytes()));
        if offered == "http/1.1" {
            let request = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with("ok\n"), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_cannot_read_its_state_is_not_well() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("engine.db");
    let store = Store::File(path.clone().try_into().unwrap());
    let engine = Settings::new(store, ACCOUNT.parse().unwrap());
    let served = Served::of(engine, ServerSettings::default()).await;
    std::fs::write(&path, [0xA5; 8192]).unwrap();
    let answer = served.get("/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.ends_with("the state cannot be read\n"), "{answer}");
    served.stop().await;
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    assert!(matches!(Tls::from_pem(KEY, KEY), Err(TlsError::Pair(_))));
    assert!(matches!(
        Tls::from_pem(CERTIFICATE, CERTIFICATE),
        Err(TlsError::Key(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_need_no_signature() {
    let served = Served::new().await;
    assert!(served.get("/healthz").await.ends_with("ok\n"));
    let head = "HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let head = served.raw(head.as_bytes()).await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(!head.ends_with("ok\n"), "{head}");
    let kms = served.kms(ACCOUNT);
    kms.list_keys().send().await.unwrap();
    kms.describe_key().key_id("x").send().await.unwrap_err();
    let metrics = served.get("/metrics").await;
    for line in [
        r#"keywright_requests_total{service="kms",operation="ListKeys",outcome="ok"} 1"#,
        r#"keywright_requests_total{service="kms",operation="DescribeKey",outcome="NotFoundException"} 1"#,
        "keywright_request_duration_seconds_count 2",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_clients_make_up_do_not_become_series() {
    let served = Served::new().await;
    served.raw(&post("TrentService.MadeUp", b"{}")).await;
    let metrics = served.get("/metrics").await;
    assert!(!metrics.contains("MadeUp"), "{metrics}");
    assert!(metrics.contains("outcome=\"UnknownOperationException\"} 1"));
}

/// Expects a status and an error code for raw bytes.
async fn check(bytes: &[u8], status: &str, code: &str) {
    let served = Served::new().await;
    let answer = served.raw(bytes).await;
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status}")),
        "{answer}"
    );
    assert!(answer.contains(code), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_of_kms_is_told_so() {
    let describe = "TrentService.DescribeKey";
    check(&post(describe, b"{"), "400", "SerializationException").await;
    check(
        &post(describe, b"\xff\xfe"),
        "400",
        "SerializationException",
    )
    .await;
    check(&post(describe, b"[]"), "400", "Exception").await;
    check(
        &post("TrentService.Nonsense", b"{}"),
        "400",
        "UnknownOperationException",
    )
    .await;
    check(
        &post("Other.DescribeKey", b"{}"),
        "400",
        "UnknownOperationException",
    )
    .await;
    let unsigned = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    check(unsigned, "400", "MissingAuthenticationTokenException").await;
    let unknown =
        b"PUT /thing HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    check(unknown, "400", "MissingAuthenticationTokenException").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_have_a_limit_announced_or_not() {
    let long = vec![b' '; 600 * 1024];
    let code = "RequestEntityTooLargeException";
    check(&post("TrentService.DescribeKey", &long), "413", code).await;
    let mut chunked = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Amz-Target: TrentService.DescribeKey\r\n\
         Authorization: {}\r\nTransfer-Encoding: chunked\r\n\r\n96000\r\n",
        authorization()
    )
    .into_bytes();
    chunked.extend(vec![b' '; 0x96000]);
    chunked.extend(b"\r\n0\r\n\r\n");
    check(&chunked, "413", code).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_have_a_limit() {
    let many = "X: y\r\n".repeat(200);
    let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n");
    check(request.as_bytes(), "431", "").await;
    let long = "y".repeat(100 * 1024);
    let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n");
    check(request.as_bytes(), "431", "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_are_not_answered() {
    let request = String::from_utf8(post("TrentService.ListKeys", b"{}")).unwrap();
    let request = request.replace("Host: x", "Host: x\r\nOrigin: http://evil.test");
    check(request.as_bytes(), "400", "AccessDeniedException").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_let_go() {
    let served = Served::with(impatient()).await;
    for beginning in [
        "",
        "PRI * HT",
        "POST / HTTP/1.1\r\nHost",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Ends only when the server hangs up.
        stream.read_to_end(&mut answer).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_over_the_limit_waits_for_another_to_end() {
    let served = Served::with(ServerSettings {
        limits: Limits {
            connections: 1,
            ..Limits::default()
        },
        ..ServerSettings::default()
    })
    .await;
    let first = TcpStream::connect(served.address).await.unwrap();
    let second = tokio::spawn(async move { served.get("/healthz").await });
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    drop(first);
    assert!(second.await.unwrap().ends_with("ok\n"));
}

/// Holds every call up from its beginning until the other end of `go` is dropped.
#[derive(Debug)]
struct Gate {
    begun: mpsc::UnboundedSender<()>,
    go: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Interceptor for Gate {
    fn before(&self, _: &Call<'_>) -> Option<Response<Bytes>> {
        let _told = self.begun.send(());
        let _dropped = self.go.lock().unwrap().recv();
        None
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_before_the_end_is_answered() {
    let (begun, mut begins) = mpsc::unbounded_channel();
    let (gate, go) = std::sync::mpsc::channel::<()>();
    let go = Mutex::new(go);
    let mut engine = Settings::new(Store::Memory, ACCOUNT.parse().unwrap());
    engine.interceptor = Some(Arc::new(Gate { begun, go }));
    let served = Served::of(engine, ServerSettings::default()).await;
    let call = tokio::spawn(served.kms(ACCOUNT).create_key().send());
    begins.recv().await.unwrap();
    served.end.send(()).unwrap();
    drop(gate);
    served.ended.await.unwrap().unwrap();
    call.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_written_down_without_their_secrets() {
    let (reader, writer) = std::io::pipe().unwrap();
    let served = Served::with(ServerSettings {
        audit: Some(AuditLog::to(writer)),
        ..ServerSettings::default()
    })
    .await;
    let kms = served.kms(ACCOUNT);
    let made = kms.create_key().send().await.unwrap();
    let id = made.key_metadata.unwrap().key_id;
    let secret = "c2VjcmV0IHRleHQ";
    let token = "a-token-of-a-grant";
    let sealed = kms.encrypt().key_id(&id).plaintext(Blob::new(secret));
    sealed.send().await.unwrap();
    let tokens = (0..11).fold(kms.describe_key().key_id(&id), |call, _| {
        call.grant_tokens(token)
    });
    let _refused = tokens.send().await;
    served.stop().await;
    let log = std::io::read_to_string(reader).unwrap();
    assert!(!log.contains(secret) && !log.contains(token), "{log}");
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["eventName"], "CreateKey");
    let encrypt = &lines[1];
    assert_eq!(encrypt["eventSource"], "kms.amazonaws.com");
    assert_eq!(encrypt["awsRegion"], "eu-central-1");
    assert_eq!(encrypt["sourceIPAddress"], "127.0.0.1");
    assert_eq!(encrypt["userIdentity"]["type"], "Root");
    assert_eq!(encrypt["userIdentity"]["accessKeyId"], ACCOUNT);
    let arn = format!("arn:aws:kms:eu-central-1:{ACCOUNT}:key/{id}");
    assert_eq!(encrypt["resources"][0]["ARN"], arn);
    let decision = &encrypt["decisions"][0];
    assert_eq!(decision["action"], "kms:Encrypt");
    assert_eq!(decision["decision"], "allowed");
    assert_eq!(decision["by"][0]["sid"], "Enable IAM User Permissions");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_is_beside_answers_within_the_process_too() {
    let served = Served::new().await;
    let request = http::Request::post("/")
        .header("x-amz-target", "TrentService.ListKeys")
        .header("authorization", authorization())
        .body(Bytes::new());
    let answer = served.engine.handle(request.unwrap());
    let record = answer.extensions().get::<Arc<Record>>().unwrap();
    assert_eq!(record.operation, "ListKeys");
    assert_eq!(record.rulings.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_bytes_are_answered_or_hung_up_on(bytes in proptest::collection::vec(any::<u8>(), 0..512), is_body in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let served = Served::with(impatient()).await;
            let bytes = if is_body { post("TrentService.CreateGrant", &bytes) } else { bytes };
            let answer = served.raw(&bytes).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
            assert!(served.get("/healthz").await.ends_with("ok\n"));
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_ends_the_connection_after_all_was_done() {
    let engine = Settings {
        chaos: Some("lost=100%".parse().unwrap()),
        ..Settings::new(Store::Memory, ACCOUNT.parse().unwrap())
    };
    let served = Served::of(engine, ServerSettings::default()).await;
    let request = post("TrentService.CreateKey", b"{}");
    assert_eq!(served.raw(&request).await, "");
    let held = served.engine.holdings().unwrap();
    assert_eq!(held[ACCOUNT].keys["eu-central-1"], 1);
    served.stop().await;
    let run = Sandbox::new().run("serve --chaos noise").expect(1);
    assert!(run.stderr.contains("`noise` is no chaos"), "{}", run.stderr);
}

#[test]
fn an_address_that_others_reach_needs_tls() {
    let run = Sandbox::new().run("serve --listen 0.0.0.0:0").expect(1);
    insta::assert_snapshot!(run.stderr, @"error: `0.0.0.0:0` can be reached from other machines, and without TLS they can read secrets; give --tls-cert and --tls-key, or listen on 127.0.0.1");
    let run = Sandbox::new().run("serve --tls-cert cert.pem").expect(1);
    assert!(run.stderr.contains("--tls-key"), "{}", run.stderr);
}
