//! What may be shown of a URL, and what is asked of one before a platform sees it.

/// `url` without its user name and password, which belong in no log.
pub(super) fn without_userinfo(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let authority = url[start..].find(['/', '?', '#', '\\']).map_or(url.len(), |end| start + end);
    match url[start..authority].rfind('@') {
        Some(at) => format!("{}{}", &url[..start], &url[start + at + 1..]),
        None => url.to_owned(),
    }
}

/// Whether `url` has one of `schemes`, in small or capital letters.
pub(super) fn has_scheme(url: &str, schemes: &[&str]) -> bool {
    let scheme = url.trim_start().split(':').next().unwrap_or_default();
    schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

#[cfg(all(test, not(ferry_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let cases = [
            ("http://host/a@b", "http://host/a@b"),
            ("http://user:secret@host/a", "http://host/a"),
            ("http://user:sec@ret@host", "http://host"),
            ("http://host?at=a@b", "http://host?at=a@b"),
            ("user:secret@host", "host"),
            ("http://", "http://"),
            ("", ""),
            ("naïve@ü://x@y", "naïve@ü://y"),
        ];
        for (url, shown) in cases {
            assert_eq!(without_userinfo(url), shown, "{url}");
        }
    }

    #[test]
    fn a_scheme_counts_in_any_case() {
        assert!(has_scheme("WSS://host", &["ws", "wss"]));
        assert!(!has_scheme("https://host", &["ws", "wss"]));
        assert!(!has_scheme("", &["ws"]));
    }
}
