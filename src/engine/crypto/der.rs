//! The few DER structures that the cryptographic libraries do not write themselves.

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// A sequence of encoded elements.
pub(crate) fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    element(SEQUENCE, &elements.concat())
}

/// A positive integer of big-endian bytes.
pub(crate) fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0);
    let digits = start.and_then(|start| bytes.get(start..)).unwrap_or(&[0]);
    let sign: &[u8] = match digits.first() {
        Some(0x80..) => &[0],
        _ => &[],
    };
    element(INTEGER, &[sign, digits].concat())
}

/// Bytes.
pub(crate) fn octets(bytes: &[u8]) -> Vec<u8> {
    element(OCTET_STRING, bytes)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let start = length.iter().position(|byte| *byte != 0);
    let digits = start.and_then(|start| length.get(start..)).unwrap_or(&[0]);
    let mut encoded = vec![tag];
    match digits {
        [short @ ..=0x7f] => encoded.push(*short),
        long => {
            encoded.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            encoded.extend_from_slice(long);
        }
    }
    encoded.extend_from_slice(content);
    encoded
}

/// Reads a structure from its start.
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The content of a sequence that is all there is.
    pub(crate) fn sequence(mut self) -> Option<Self> {
        let content = self.element(SEQUENCE)?;
        self.0.is_empty().then_some(Self(content))
    }

    /// A positive integer of at most 32 bytes, padded to 32.
    pub(crate) fn integer(&mut self) -> Option<[u8; 32]> {
        let content = self.element(INTEGER)?;
        let digits = content.strip_prefix(&[0]).unwrap_or(content);
        let mut bytes = [0; 32];
        let start = bytes.len().checked_sub(digits.len())?;
        bytes.get_mut(start..)?.copy_from_slice(digits);
        Some(bytes)
    }

    /// Bytes.
    pub(crate) fn octets(&mut self) -> Option<&'a [u8]> {
        self.element(OCTET_STRING)
    }

    fn element(&mut self, expected: u8) -> Option<&'a [u8]> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = digits
                    .iter()
                    .fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (*tag == expected).then_some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_octets_are_read_back() {
        let mut number = [0; 32];
        number[30] = 0x80;
        let encoded = sequence(&[integer(&number), octets(&[7; 200])]);
        let mut reader = Reader(&encoded).sequence().unwrap();
        assert_eq!(reader.integer(), Some(number));
        assert_eq!(reader.octets(), Some(&[7; 200][..]));
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let encoded = [sequence(&[]), vec![0]].concat();
        assert!(Reader(&encoded).sequence().is_none());
    }
}
