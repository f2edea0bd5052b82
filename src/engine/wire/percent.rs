//! Percent-encoding as Signature Version 4 and the query protocol have it.

/// Decodes `%XX`; anything else, and what is not UTF-8 afterwards, stays as it is or becomes `�`.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let pair = tail.get(..2).and_then(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        });
        if let (b'%', Some(byte)) = (first, pair) {
            bytes.push(byte);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Encodes all but letters, digits, `-._~` and some more.
pub(crate) fn encode(text: &str, more: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    let digit = |value: u8| {
        DIGITS
            .get(usize::from(value))
            .map_or('0', |it| char::from(*it))
    };
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain || more.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(digit(byte >> 4));
            out.push(digit(byte & 15));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_goes_both_ways() {
        assert_eq!(encode("a b/ü*", "/"), "a%20b/%C3%BC%2A");
        assert_eq!(decode("a%20b/%C3%BC%2a"), "a b/ü*");
    }

    #[test]
    fn what_is_not_encoded_stays() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz+%4"), "%zz+%4");
        assert_eq!(decode("%ff"), "\u{fffd}");
    }
}
