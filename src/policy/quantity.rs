//! Values that condition operators order or mask: numbers, dates and addresses.

use std::cmp::Ordering;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A decimal number of any length; a date is its seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    negative: bool,
    /// Without leading zeros.
    whole: String,
    /// Without trailing zeros.
    fraction: String,
}

impl Quantity {
    /// Reads an integer or a decimal; no exponents.
    pub(super) fn number(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let are_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !are_digits(whole) || !are_digits(fraction)
        {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        Some(Self {
            negative: negative && !(whole.is_empty() && fraction.is_empty()),
            whole,
            fraction,
        })
    }

    /// Reads epoch seconds or an ISO 8601 date, in UTC where it names no offset.
    pub(super) fn instant(text: &str) -> Option<Self> {
        Self::number(text).or_else(|| Self::number(&epoch_seconds(text)?))
    }

    /// The number without its sign, in an order that compares.
    fn size(&self) -> (usize, &str, &str) {
        (self.whole.len(), &self.whole, &self.fraction)
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.size().cmp(&other.size()),
            (true, true) => other.size().cmp(&self.size()),
        }
    }
}

/// An ISO 8601 date as AWS takes it, in UTC where it names no offset.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    // The profile of ISO 8601 that AWS takes has months alone; the parser has not.
    let whole = match text.len() {
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let local = || {
        let date: DateTime = whole.parse().ok()?;
        TimeZone::UTC.to_timestamp(date).ok()
    };
    whole.parse().ok().or_else(local)
}

fn epoch_seconds(text: &str) -> Option<String> {
    let nanoseconds = timestamp(text)?.as_nanosecond();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (seconds, rest) = (
        nanoseconds.unsigned_abs() / 1_000_000_000,
        nanoseconds.unsigned_abs() % 1_000_000_000,
    );
    Some(format!("{sign}{seconds}.{rest:09}"))
}

/// True when an address lies in a CIDR block; a bare address is a block of one.
pub(super) fn in_block(address: &str, block: &str) -> Option<bool> {
    let (base, length) = match block.split_once('/') {
        None => (block, None),
        Some((base, length)) => (base, Some(length.parse::<u32>().ok()?)),
    };
    match (address.parse().ok()?, base.parse().ok()?) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            let (address, base) = (u32::from(address), u32::from(base));
            let host_bits = 32_u32.checked_sub(length.unwrap_or(32))?;
            Some((address ^ base).checked_shr(host_bits).unwrap_or(0) == 0)
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => {
            let (address, base) = (u128::from(address), u128::from(base));
            let host_bits = 128_u32.checked_sub(length.unwrap_or(128))?;
            Some((address ^ base).checked_shr(host_bits).unwrap_or(0) == 0)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Some(false),
    }
}

/// True when a text is a CIDR block or a bare address.
pub(super) fn is_block(text: &str) -> bool {
    let (base, length) = match text.split_once('/') {
        None => (text, Some(0)),
        Some((base, length)) => (base, length.parse::<u32>().ok()),
    };
    let most = match base.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.is_some_and(|length| length <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(left: &str, right: &str, expected: Option<Ordering>) {
        let (left, right) = (Quantity::instant(left), Quantity::instant(right));
        let found = left.zip(right).map(|(left, right)| left.cmp(&right));
        assert_eq!(found, expected);
    }

    #[test]
    fn numbers_compare_by_value() {
        check("10", "10.0", Some(Ordering::Equal));
        check("010", "+10", Some(Ordering::Equal));
        check("-0", "0", Some(Ordering::Equal));
        check("9", "10", Some(Ordering::Less));
        check("-9", "-10", Some(Ordering::Greater));
        check("-1", "0.5", Some(Ordering::Less));
        check("0.25", "0.3", Some(Ordering::Less));
        check(
            "9007199254740993",
            "9007199254740992",
            Some(Ordering::Greater),
        );
        check("1e3", "1000", None);
        check("", "0", None);
        check(".", "0", None);
        check("NaN", "0", None);
    }

    #[test]
    fn dates_compare_as_instants() {
        let day = "1704067200";
        check("2024-01-01", day, Some(Ordering::Equal));
        check("2024-01", day, Some(Ordering::Equal));
        check("2024-01-01T00:00Z", day, Some(Ordering::Equal));
        check("2024-01-01T00:00:00Z", day, Some(Ordering::Equal));
        check("2024-01-01T01:00:00+01:00", day, Some(Ordering::Equal));
        check("2024-01-01T00:00:00", day, Some(Ordering::Equal));
        check(
            "2024-01-01T00:00:00.5Z",
            "1704067200.5",
            Some(Ordering::Equal),
        );
        check("1969-12-31T23:59:59Z", "-1", Some(Ordering::Equal));
        check("2024-01-01T00:00:01Z", day, Some(Ordering::Greater));
        check("2024-13-01", day, None);
        check("yesterday", day, None);
    }

    #[track_caller]
    fn check_block(address: &str, block: &str, expected: Option<bool>) {
        assert_eq!(in_block(address, block), expected, "{address} in {block}");
    }

    #[test]
    fn blocks_hold_addresses_of_their_family() {
        check_block("203.0.113.9", "203.0.113.0/24", Some(true));
        check_block("203.0.113.9", "203.0.113.77/24", Some(true));
        check_block("203.0.114.9", "203.0.113.0/24", Some(false));
        check_block("203.0.113.9", "203.0.113.9", Some(true));
        check_block("203.0.113.9", "203.0.113.8", Some(false));
        check_block("203.0.113.9", "0.0.0.0/0", Some(true));
        check_block("2001:db8::1", "2001:db8::/32", Some(true));
        check_block("2001:DB8:0::1", "2001:db8::1", Some(true));
        check_block("2001:db9::1", "2001:db8::/32", Some(false));
        check_block("2001:db8::1", "::/0", Some(true));
        check_block("203.0.113.9", "::/0", Some(false));
        check_block("2001:db8::1", "0.0.0.0/0", Some(false));
        check_block("203.0.113.9", "203.0.113.0/33", None);
        check_block("203.0.113.9", "203.0.113.*", None);
        check_block("here", "203.0.113.0/24", None);
    }
}
