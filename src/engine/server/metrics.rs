//! Figures of a running server, as Prometheus reads them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::engine::record::Record;

/// The upper bounds of the latency histogram, in microseconds; one more bucket takes the rest.
const BOUNDS: [u64; 12] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 100_000, 1_000_000, 10_000_000,
];

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    requests: Mutex<Requests>,
    connections: AtomicU64,
    connections_open: AtomicU64,
}

/// Service, operation and outcome.
type Series = (&'static str, String, String);

#[derive(Debug, Default)]
struct Requests {
    outcomes: BTreeMap<Series, u64>,
    buckets: [u64; BOUNDS.len() + 1],
    microseconds: u64,
}

/// An open connection, counted as long as it lives.
#[derive(Debug)]
pub(super) struct Open<'a>(&'a AtomicU64);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Counts a connection that has come.
    pub(super) fn connection(&self) -> Open<'_> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connections_open.fetch_add(1, Ordering::Relaxed);
        Open(&self.connections_open)
    }

    /// Counts an answered request; one without a record never reached the engine.
    pub(super) fn count(&self, record: Option<&Record>, took: Duration) {
        let series = match record {
            Some(record) => (
                record.service.name(),
                record.operation.clone(),
                outcome(record),
            ),
            None => ("", String::new(), "Refused".to_owned()),
        };
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < microseconds);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.outcomes.entry(series).or_default() += 1;
        requests.microseconds = requests.microseconds.saturating_add(microseconds);
        if let Some(count) = requests.buckets.get_mut(bucket) {
            *count += 1;
        }
    }

    /// All figures in Prometheus's text format.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _written = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(
            out,
            "# HELP keywright_requests_total Requests by operation and outcome."
        )?;
        writeln!(out, "# TYPE keywright_requests_total counter")?;
        for ((service, operation, outcome), count) in &requests.outcomes {
            writeln!(
                out,
                "keywright_requests_total{{service=\"{service}\",operation=\"{operation}\",outcome=\"{outcome}\"}} {count}"
            )?;
        }
        writeln!(
            out,
            "# HELP keywright_request_duration_seconds How long requests took."
        )?;
        writeln!(out, "# TYPE keywright_request_duration_seconds histogram")?;
        let mut total = 0;
        for (index, count) in requests.buckets.iter().enumerate() {
            total += count;
            let bound = BOUNDS
                .get(index)
                .map_or("+Inf".to_owned(), |it| seconds(*it));
            writeln!(
                out,
                "keywright_request_duration_seconds_bucket{{le=\"{bound}\"}} {total}"
            )?;
        }
        let sum = seconds(requests.microseconds);
        writeln!(out, "keywright_request_duration_seconds_sum {sum}")?;
        writeln!(out, "keywright_request_duration_seconds_count {total}")?;
        writeln!(out, "# HELP keywright_connections Open connections.")?;
        writeln!(out, "# TYPE keywright_connections gauge")?;
        let open = self.connections_open.load(Ordering::Relaxed);
        writeln!(out, "keywright_connections {open}")?;
        writeln!(
            out,
            "# HELP keywright_connections_total Connections since the start."
        )?;
        writeln!(out, "# TYPE keywright_connections_total counter")?;
        let all = self.connections.load(Ordering::Relaxed);
        writeln!(out, "keywright_connections_total {all}")
    }
}

/// `ok`, or the code of the error.
fn outcome(record: &Record) -> String {
    let code = record.error.as_ref().map(|error| error.code.clone());
    code.unwrap_or_else(|| "ok".to_owned())
}

/// Microseconds as seconds.
fn seconds(microseconds: u64) -> String {
    let whole = microseconds / 1_000_000;
    let fraction = format!("{:06}", microseconds % 1_000_000);
    match fraction.trim_end_matches('0') {
        "" => whole.to_string(),
        digits => format!("{whole}.{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_exactly() {
        assert_eq!(seconds(50), "0.00005");
        assert_eq!(seconds(1_000_000), "1");
        assert_eq!(seconds(1_250_000), "1.25");
    }

    #[test]
    fn a_duration_counts_in_its_bucket_and_all_above() {
        let metrics = Metrics::default();
        metrics.count(None, Duration::from_micros(100));
        metrics.count(None, Duration::from_micros(101));
        let text = metrics.text();
        let line = |bound: &str, count: u64| {
            format!("keywright_request_duration_seconds_bucket{{le=\"{bound}\"}} {count}\n")
        };
        assert!(text.contains(&line("0.00005", 0)), "{text}");
        assert!(text.contains(&line("0.0001", 1)), "{text}");
        assert!(text.contains(&line("0.00025", 2)), "{text}");
        assert!(text.contains(&line("+Inf", 2)), "{text}");
    }

    #[test]
    fn connections_are_open_until_they_are_dropped() {
        let metrics = Metrics::default();
        let open = metrics.connection();
        assert!(metrics.text().contains("keywright_connections 1\n"));
        drop(open);
        assert!(metrics.text().contains("keywright_connections 0\n"));
        assert!(metrics.text().contains("keywright_connections_total 1\n"));
    }
}
