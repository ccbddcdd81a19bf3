//! [`Utf8Decoder`]: text from bytes that come in pieces, which may end inside a character.

/// Keeps the beginning of a character until its rest comes. What is no UTF-8 is replaced by U+FFFD.
#[derive(Default)]
pub(super) struct Utf8Decoder {
    /// At most three bytes.
    begun: Vec<u8>,
}

impl Utf8Decoder {
    /// The text of all characters that end in `bytes`.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        self.begun = all.split_off(all.len() - begun(&all));
        String::from_utf8_lossy(&all).into_owned()
    }

    /// What stands for a character that was begun and won't be ended.
    pub(super) fn finish(&mut self) -> &'static str {
        if std::mem::take(&mut self.begun).is_empty() { "" } else { "\u{fffd}" }
    }
}

/// How many bytes at the end of `bytes` may be the beginning of a character.
fn begun(bytes: &[u8]) -> usize {
    let is_begun = |count: &usize| {
        let tail = &bytes[bytes.len() - count..];
        // Without a length: more bytes may still make it valid.
        std::str::from_utf8(tail).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=bytes.len().min(3)).find(is_begun).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_may_come_in_pieces() {
        let text = "aü€😀z";
        for size in 1..text.len() {
            let mut decoder = Utf8Decoder::default();
            let decoded: String = text.as_bytes().chunks(size).map(|piece| decoder.decode(piece)).collect();
            assert_eq!((decoded.as_str(), decoder.finish()), (text, ""), "pieces of {size} bytes");
        }
    }

    #[test]
    fn what_is_no_utf8_is_replaced_at_once() {
        let mut decoder = Utf8Decoder::default();
        assert_eq!(decoder.decode(b"a\xff"), "a\u{fffd}");
        assert_eq!(decoder.decode(b"\xc3"), "");
        assert_eq!(decoder.decode(b"b"), "\u{fffd}b");
        assert_eq!(decoder.decode(b"\xf0\x9f\x98"), "");
        assert_eq!(decoder.finish(), "\u{fffd}");
        assert_eq!(decoder.finish(), "");
    }
}
