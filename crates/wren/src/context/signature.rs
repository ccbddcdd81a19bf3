//! Signatures, as the host writes them.

/// How many arguments a signature has; `None` if it is none.
pub(crate) fn arguments_of(signature: &str) -> Option<usize> {
    let is_list = |list: &str| list.is_empty() || list.split(',').all(|place| place == "_");
    let count = signature.matches('_').count();
    let rest = match signature.find(['(', '[']) {
        None => return (!signature.is_empty() && !signature.contains(',')).then_some(0),
        Some(start) => &signature[start..],
    };
    let mut counted = 0;
    let mut left = rest;
    while !left.is_empty() {
        let (open, close) = match left.as_bytes()[0] {
            b'(' => ('(', ')'),
            b'[' => ('[', ']'),
            b'=' => {
                left = &left[1..];
                continue;
            }
            _ => return None,
        };
        let inner = left.strip_prefix(open)?;
        let end = inner.find(close)?;
        if !is_list(&inner[..end]) {
            return None;
        }
        counted += inner[..end].matches('_').count();
        left = &inner[end + 1..];
    }
    // A name may have the character too.
    (counted <= count && counted <= 17).then_some(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_counted() {
        let cases = [
            ("name", Some(0)),
            ("name_", Some(0)),
            ("name()", Some(0)),
            ("name(_)", Some(1)),
            ("a_b(_,_)", Some(2)),
            ("name=(_)", Some(1)),
            ("[_]", Some(1)),
            ("[_,_]=(_)", Some(3)),
            ("+(_)", Some(1)),
            ("-", Some(0)),
            ("", None),
            ("name(", None),
            ("name(a)", None),
            ("name(_,)", None),
            ("name(_", None),
            ("a,b", None),
        ];
        for (signature, expected) in cases {
            assert_eq!(arguments_of(signature), expected, "{signature}");
        }
    }
}
