//! [`Headers`] of an answer.

use std::fmt;

/// The headers of a [`Response`](crate::net::Response), in the order that they came in; in the browser, sorted, and those
/// that came twice joined by a comma. Names are in small letters. A byte of a value that is not ASCII is the character of
/// that number, as the [Fetch standard](https://fetch.spec.whatwg.org/#concept-header-value) has it.
///
/// ```
/// use asyncferry::{AsyncRuntime, net};
///
/// # use std::{io::{Read, Write}, net::TcpListener};
/// # let listener = TcpListener::bind("127.0.0.1:0").unwrap();
/// # let url = format!("http://{}/", listener.local_addr().unwrap());
/// # let server = std::thread::spawn(move || {
/// #     let (mut client, _) = listener.accept().unwrap();
/// #     let _ = client.read(&mut [0; 4096]);
/// #     client.write_all(b"HTTP/1.1 204 No Content\r\nX-Where: here\r\n\r\n").unwrap();
/// # });
/// AsyncRuntime::block_on(async {
///     let response = net::fetch(&url).await.unwrap();
///     assert_eq!(response.headers().get("X-Where"), Some("here"));
///     for (name, value) in response.headers().iter() {
///         println!("{name}: {value}");
///     }
/// });
/// # server.join().unwrap();
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value of `name`, in whichever case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// Each value of `name`, in whichever case.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    pub(super) fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }
}

/// Without the values of those that let somebody in.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SECRET: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];
        let shown = |(name, value)| {
            let is_secret = SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(name));
            (name, if is_secret { "…" } else { value })
        };
        f.debug_map().entries(self.iter().map(shown)).finish()
    }
}

/// The text of a value's bytes.
#[allow(dead_code, reason = "JavaScript has texts already")]
pub(super) fn text_of(value: &[u8]) -> String {
    value.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes of a value's text; `None` where a character is none.
#[allow(dead_code, reason = "JavaScript has texts already")]
pub(super) fn bytes_of(value: &str) -> Option<Vec<u8>> {
    value.chars().map(|character| u8::try_from(character).ok()).collect()
}

#[cfg(all(test, not(ferry_loom)))]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_values_keep_their_order() {
        let mut headers = Headers::default();
        for (name, value) in [("Set-Cookie", "a"), ("Accept", "*"), ("set-cookie", "b")] {
            headers.push(name, value);
        }
        assert_eq!(headers.get("SET-COOKIE"), Some("a"));
        assert_eq!(headers.get_all("set-cookie").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(headers.get("cookie"), None);
        let all: Vec<_> = headers.iter().collect();
        assert_eq!(all, [("set-cookie", "a"), ("accept", "*"), ("set-cookie", "b")]);
        assert_eq!(format!("{headers:?}"), r#"{"set-cookie": "…", "accept": "*", "set-cookie": "…"}"#);
    }

    #[test]
    fn a_value_is_its_bytes_in_latin_1() {
        assert_eq!(text_of(b"caf\xe9"), "café");
        assert_eq!(bytes_of("café"), Some(b"caf\xe9".to_vec()));
        assert_eq!(bytes_of("☃"), None);
    }
}
