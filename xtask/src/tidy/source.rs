//! Rust text taken apart into code and comments, so that a rule about code is not broken by a comment or a
//! string that speaks of it.
//!
//! This is a scanner, not a parser: it knows comments (nested), strings (raw, byte, C), characters and
//! lifetimes, and nothing else of the grammar.

/// A Rust file: two texts with the same lines as the file, in which all that is not code, or not comment,
/// is blank. Strings and characters are in neither.
pub(super) struct Source {
    pub(super) code: String,
    pub(super) comments: String,
}

/// An attribute: `#[...]` or `#![...]`.
pub(super) struct Attribute<'a> {
    /// What is between the brackets.
    pub(super) text: &'a str,
    /// Where the text after the closing bracket begins in the code.
    pub(super) end: usize,
    pub(super) line: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let mut source = Self { code: String::new(), comments: String::new() };
        let mut rest = text;
        let mut previous = ' ';
        while let Some(first) = rest.chars().next() {
            let (kind, length) = token(rest, previous);
            let (token, after) = rest.split_at(length);
            for character in token.chars() {
                source.push(character, kind);
            }
            previous = if kind == Kind::Code { first } else { ' ' };
            rest = after;
        }
        source
    }

    fn push(&mut self, character: char, kind: Kind) {
        let seen_as = |wanted: Kind| if kind == wanted || character == '\n' { character } else { ' ' };
        self.code.push(seen_as(Kind::Code));
        self.comments.push(seen_as(Kind::Comment));
    }

    /// The line, from 1, of a place in the code.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }

    /// Where `word` stands in the code, not as a part of a longer name.
    pub(super) fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.code.match_indices(word).map(|(offset, _)| offset).filter(move |&offset| {
            let before = self.code[..offset].chars().next_back();
            let after = self.code[offset + word.len()..].chars().next();
            !before.is_some_and(in_name) && !after.is_some_and(in_name)
        })
    }

    /// The attributes, in order.
    pub(super) fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        self.code.match_indices('#').filter_map(|(offset, _)| {
            let after = self.code[offset + 1..].trim_start_matches('!').trim_start();
            let inside = after.strip_prefix('[')?;
            let start = self.code.len() - inside.len();
            let length = balanced(inside, '[', ']')?;
            Some(Attribute { text: &inside[..length], end: start + length + 1, line: self.line(offset) })
        })
    }
}

/// The length of the text before the bracket that closes one opened just before `text`.
pub(super) fn balanced(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0;
    for (offset, character) in text.char_indices() {
        if character == close {
            if depth == 0 {
                return Some(offset);
            }
            depth -= 1;
        } else if character == open {
            depth += 1;
        }
    }
    None
}

pub(super) fn in_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The kind and the length in bytes of what `text` begins with, after `previous`.
fn token(text: &str, previous: char) -> (Kind, usize) {
    if text.starts_with("//") {
        return (Kind::Comment, text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return (Kind::Comment, block_comment(text));
    }
    if !in_name(previous)
        && let Some(length) = prefixed_string(text)
    {
        return (Kind::Literal, length);
    }
    if let Some(inside) = text.strip_prefix('"') {
        return (Kind::Literal, 1 + escaped(inside, '"'));
    }
    if let Some(inside) = text.strip_prefix('\'')
        && is_character(inside)
    {
        return (Kind::Literal, 1 + escaped(inside, '\''));
    }
    (Kind::Code, text.chars().next().map_or(0, char::len_utf8))
}

/// The length of a string with a prefix (`r`, `br`, `cr`, with or without `#`; `b`, `c`).
fn prefixed_string(text: &str) -> Option<usize> {
    let letters = ["br", "cr", "r", "b", "c"].into_iter().find(|letters| text.starts_with(letters))?;
    let after = &text[letters.len()..];
    if !letters.ends_with('r') {
        return after.strip_prefix('"').map(|inside| letters.len() + 1 + escaped(inside, '"'));
    }
    let hashes = after.len() - after.trim_start_matches('#').len();
    let inside = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
    Some(letters.len() + hashes + 1 + length)
}

/// The length of text up to and with `quote`; a backslash takes the next character with it.
fn escaped(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices();
    while let Some((offset, character)) = characters.next() {
        if character == quote {
            return offset + quote.len_utf8();
        }
        if character == '\\' {
            characters.next();
        }
    }
    text.len()
}

/// Whether what follows a `'` is a character and not a lifetime.
fn is_character(inside: &str) -> bool {
    let mut characters = inside.chars();
    match characters.next() {
        Some('\\') => true,
        Some(_) => characters.next() == Some('\''),
        None => false,
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut offset = 0;
    while offset < text.len() {
        let rest = &text[offset..];
        if rest.starts_with("/*") {
            depth += 1;
            offset += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            offset += 2;
            if depth == 0 {
                return offset;
            }
        } else {
            offset += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str, comments: &str) {
        let source = Source::new(text);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((words(&source.code).as_str(), words(&source.comments).as_str()), (code, comments));
        assert_eq!(source.code.lines().count(), text.lines().count());
    }

    #[test]
    fn comments_are_told_from_code() {
        check("a // b\nc", "a c", "// b");
        check("a /* b /* c */ d */ e", "a e", "/* b /* c */ d */");
        check("//! a\nb", "b", "//! a");
        check("a /* never closed", "a", "/* never closed");
    }

    #[test]
    fn strings_are_in_neither() {
        check(r#"a("b // \" c"); d"#, "a( ); d", "");
        check(r##"a(r#"b " /* c"#) d"##, "a( ) d", "");
        check(r#"a(b"x", c"y", br"\", cr"z") d"#, "a( , , , ) d", "");
        check(r#"for"x" a"#, "for a", "");
        check("a(\"never closed", "a(", "");
    }

    #[test]
    fn characters_are_told_from_lifetimes() {
        check(r"a('{') b", "a( ) b", "");
        check(r"a('\'') b", "a( ) b", "");
        check("&'a str", "&'a str", "");
        check("'ä' a", "a", "");
        check("r#type 'static", "r#type 'static", "");
    }

    #[test]
    fn words_are_whole() {
        let source = Source::new("unsafe not_unsafe unsafely\nunsafe");
        let lines: Vec<usize> = source.words("unsafe").map(|offset| source.line(offset)).collect();
        assert_eq!(lines, [1, 2]);
    }

    #[test]
    fn attributes_are_found_whole() {
        let source = Source::new("#![a]\n#[b(c = [1], \"]\")] # [d] fn e() { f[0] }");
        let found: Vec<_> =
            source.attributes().map(|attribute| (attribute.text.trim(), attribute.line)).collect();
        assert_eq!(found, [("a", 1), ("b(c = [1],    )", 2), ("d", 2)]);
    }
}
