//! Ctrl-C: a run stops between two calls, or at once when it is pressed again, and always tells what it did.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::recovery::check_converged;
use crate::support::manifests::TWO_KEYS;
use crate::support::sandbox::Sandbox;

#[test]
fn ctrl_c_ends_a_run_after_the_call_under_way_with_what_was_done() {
    let sandbox = Sandbox::with(TWO_KEYS);
    let run = sandbox.run_around("apply --yes", 3, interrupt).expect(4);
    let (_, said) = run.stdout.split_once("Plan: ").unwrap();
    insta::assert_snapshot!(said, @r"
    2 to create, 0 to change, 0 to delete; 0 unchanged.
    Applied: 2 changes done, 4 skipped. Stopped on request; run again to continue.
    ");
    assert!(
        run.stderr.contains("stopping after the calls under way"),
        "{}",
        run.all()
    );
    sandbox.run("apply --yes").expect(0);
    check_converged(&sandbox);
}

/// Presses Ctrl-C.
fn interrupt(process: u32) {
    let status = Command::new("kill")
        .args(["-INT", &process.to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// A KMS that has nothing, and takes `CreateKey` without ever answering: its URL, and word of each such call.
fn silent_server() -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, calls) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, asked) = (stream.unwrap(), asked.clone());
            std::thread::spawn(move || while answer(&mut stream, &asked).is_some() {});
        }
    });
    (url, calls)
}

/// Answers one request; `None` when there is none any more.
fn answer(stream: &mut TcpStream, asked: &Sender<()>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut target, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim().split_once(": ") else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match &*name.to_ascii_lowercase() {
            "x-amz-target" => value.clone_into(&mut target),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (status, body) = match &*target {
        "TrentService.ListAliases" => ("200 OK", r#"{"Aliases":[]}"#),
        "TrentService.ListKeys" => ("200 OK", r#"{"Keys":[]}"#),
        "TrentService.CreateKey" => {
            asked.send(()).ok()?;
            return Some(());
        }
        _ => (
            "400 Bad Request",
            r#"{"__type":"UnknownOperationException"}"#,
        ),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).ok()
}

#[test]
fn a_second_ctrl_c_ends_a_run_at_once_and_keeps_the_report() {
    let sandbox = Sandbox::with(TWO_KEYS);
    let (url, calls) = silent_server();
    let words = format!("apply --yes --endpoint {url} --account 111122223333");
    let mut child = sandbox
        .command()
        .args(words.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    calls.recv().unwrap();
    interrupt(child.id());
    let line = told.next().unwrap().unwrap();
    assert_eq!(
        line,
        "stopping after the calls under way; press again to stop at once"
    );
    interrupt(child.id());
    assert_eq!(told.next().unwrap().unwrap(), "stopping at once");
    let report = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
    let (_, said) = report.split_once("Plan: ").unwrap();
    insta::assert_snapshot!(said, @r"
    2 to create, 0 to change, 0 to delete; 0 unchanged.
    failed payments in 111122223333/us-east-1: stopped on request in the middle of a call, which may have taken effect
        not done: key + SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT
        not done: alias + alias/payments
        not done: rotation + every 180 days
        not done: grant + nightly-export: role/nightly-export may Decrypt when the context has purpose=export
    failed releases in 111122223333/us-east-1: stopped on request in the middle of a call, which may have taken effect
        not done: key + ECC_NIST_P256 for SIGN_VERIFY
        not done: alias + alias/releases
    Applied: 0 changes done, 2 failed, 4 skipped. Stopped on request; run again to continue.
    ");
    assert_eq!(child.wait().unwrap().code(), Some(4));
}
