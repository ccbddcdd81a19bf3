//! [`Lexer`]: a source, word by word.
//!
//! Line ends are words, as they end statements. A string with interpolations comes as several: `"a %(b) c"` is an
//! [`Interpolation`](Kind::Interpolation) `a `, the words of `b`, and a [`String`](Kind::String) ` c`. The lexer counts the
//! parentheses that are open in each interpolation, so that it knows which one ends it.

use super::token::{Kind, Literal, Token, keyword};

/// So deep may interpolations lie in each other.
const MAX_INTERPOLATIONS: usize = 8;

/// Something that no word can be made of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: u32,
    pub(crate) message: String,
}

pub(crate) struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
    start: usize,
    line: u32,
    /// How many parentheses are open in each interpolation.
    interpolations: Vec<u32>,
    pub(crate) faults: Vec<Fault>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        // A byte order mark is no part of the text.
        let source = source.strip_prefix('\u{feff}').unwrap_or(source).as_bytes();
        Self { source, at: 0, start: 0, line: 1, interpolations: Vec::new(), faults: Vec::new() }
    }

    pub(crate) fn text(&self, token: &Token) -> &'a [u8] {
        &self.source[token.start..token.end]
    }

    /// The next word; [`Eof`](Kind::Eof) for ever at the end.
    pub(crate) fn next(&mut self) -> Token {
        while let Some(byte) = self.peek() {
            self.start = self.at;
            self.at += 1;
            match byte {
                b' ' | b'\r' | b'\t' => {}
                b'\n' => {
                    let token = self.make(Kind::Line);
                    self.line += 1;
                    return token;
                }
                b'/' if self.take(b'/') => self.skip_line(),
                b'/' if self.take(b'*') => {
                    if !self.skip_block() {
                        return self.make(Kind::Error);
                    }
                }
                b'#' if self.line == 1 && self.start == 0 && self.peek() == Some(b'!') => self.skip_line(),
                other => return self.word(other),
            }
        }
        self.start = self.at;
        self.make(Kind::Eof)
    }

    fn word(&mut self, first: u8) -> Token {
        let kind = match first {
            b'(' => {
                if let Some(open) = self.interpolations.last_mut() {
                    *open += 1;
                }
                Kind::LeftParen
            }
            b')' => {
                if let Some(open) = self.interpolations.last_mut() {
                    *open -= 1;
                    if *open == 0 {
                        self.interpolations.pop();
                        return self.string();
                    }
                }
                Kind::RightParen
            }
            b'[' => Kind::LeftBracket,
            b']' => Kind::RightBracket,
            b'{' => Kind::LeftBrace,
            b'}' => Kind::RightBrace,
            b':' => Kind::Colon,
            b',' => Kind::Comma,
            b'*' => Kind::Star,
            b'%' => Kind::Percent,
            b'#' => Kind::Hash,
            b'^' => Kind::Caret,
            b'+' => Kind::Plus,
            b'-' => Kind::Minus,
            b'~' => Kind::Tilde,
            b'?' => Kind::Question,
            b'/' => Kind::Slash,
            b'|' => self.either(b'|', Kind::PipePipe, Kind::Pipe),
            b'&' => self.either(b'&', Kind::AmpAmp, Kind::Amp),
            b'=' => self.either(b'=', Kind::EqualEqual, Kind::Equal),
            b'!' => self.either(b'=', Kind::BangEqual, Kind::Bang),
            b'.' if self.take(b'.') => self.either(b'.', Kind::DotDotDot, Kind::DotDot),
            b'.' => Kind::Dot,
            b'<' if self.take(b'<') => Kind::LessLess,
            b'<' => self.either(b'=', Kind::LessEqual, Kind::Less),
            b'>' if self.take(b'>') => Kind::GreaterGreater,
            b'>' => self.either(b'=', Kind::GreaterEqual, Kind::Greater),
            b'"' if self.source[self.at..].starts_with(b"\"\"") => {
                self.at += 2;
                return self.raw_string();
            }
            b'"' => return self.string(),
            b'_' if self.take(b'_') => return self.name(Kind::StaticField),
            b'_' => return self.name(Kind::Field),
            b'0' if self.take(b'x') => return self.hex_number(),
            b'0'..=b'9' => return self.number(),
            b'a'..=b'z' | b'A'..=b'Z' => return self.name(Kind::Name),
            32..=126 => {
                self.fault(format!("Invalid character '{}'.", first as char));
                Kind::Error
            }
            other => {
                self.fault(format!("Invalid byte 0x{other:x}."));
                Kind::Error
            }
        };
        self.make(kind)
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn either(&mut self, second: u8, two: Kind, one: Kind) -> Kind {
        if self.take(second) { two } else { one }
    }

    fn make(&self, kind: Kind) -> Token {
        self.make_literal(kind, Literal::None)
    }

    fn make_literal(&self, kind: Kind, literal: Literal) -> Token {
        Token { kind, start: self.start, end: self.at, line: self.line, literal }
    }

    fn fault(&mut self, message: impl Into<String>) {
        self.faults.push(Fault { line: self.line, message: message.into() });
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    /// Skips a block comment, with those in it. `false` where it has no end.
    fn skip_block(&mut self) -> bool {
        let mut depth = 1_u32;
        while depth > 0 {
            match (self.peek(), self.source.get(self.at + 1)) {
                (None, _) => {
                    self.fault("Unterminated block comment.");
                    return false;
                }
                (Some(b'/'), Some(b'*')) => {
                    self.at += 2;
                    depth += 1;
                }
                (Some(b'*'), Some(b'/')) => {
                    self.at += 2;
                    depth -= 1;
                }
                (Some(byte), _) => {
                    self.at += 1;
                    self.line += u32::from(byte == b'\n');
                }
            }
        }
        true
    }

    fn name(&mut self, kind: Kind) -> Token {
        while self.peek().is_some_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            self.at += 1;
        }
        let keyword = if kind == Kind::Name { keyword(&self.source[self.start..self.at]) } else { None };
        self.make(keyword.unwrap_or(kind))
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Token {
        self.digits();
        // A dot without a digit behind it is a call: `1.abs`.
        if self.peek() == Some(b'.') && self.source.get(self.at + 1).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
            self.digits();
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                self.fault("Unterminated scientific notation.");
            }
            self.digits();
        }
        let text = String::from_utf8_lossy(&self.source[self.start..self.at]);
        let value: f64 = text.parse().unwrap_or(0.0);
        self.finite(value)
    }

    fn hex_number(&mut self) -> Token {
        let begun = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
            self.at += 1;
        }
        let text = String::from_utf8_lossy(&self.source[begun..self.at]);
        let value = if text.is_empty() { Ok(0) } else { u64::from_str_radix(&text, 16) };
        self.finite(value.map_or(f64::INFINITY, |value| value as f64))
    }

    fn finite(&mut self, value: f64) -> Token {
        if value.is_finite() {
            return self.make_literal(Kind::Number, Literal::Number(value));
        }
        // The size of C's long, as Wren says it on most machines.
        self.fault("Number literal was too large (8).".to_owned());
        self.make_literal(Kind::Number, Literal::Number(0.0))
    }

    /// A string whose quote, or the end of whose interpolation, was read.
    fn string(&mut self) -> Token {
        let mut text = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                self.fault("Unterminated string.");
                return self.make_literal(Kind::String, Literal::String(text));
            };
            self.at += 1;
            match byte {
                b'"' => return self.make_literal(Kind::String, Literal::String(text)),
                b'%' => {
                    if self.interpolations.len() >= MAX_INTERPOLATIONS {
                        self.fault(format!("Interpolation may only nest {MAX_INTERPOLATIONS} levels deep."));
                        return self.make_literal(Kind::Error, Literal::None);
                    }
                    if !self.take(b'(') {
                        self.fault("Expect '(' after '%'.");
                    }
                    self.interpolations.push(1);
                    return self.make_literal(Kind::Interpolation, Literal::String(text));
                }
                b'\\' => self.escape(&mut text),
                b'\r' => {}
                b'\n' => {
                    self.line += 1;
                    text.push(byte);
                }
                _ => text.push(byte),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let Some(byte) = self.peek() else { return };
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'%' => text.push(byte),
            b'0' => text.push(0),
            b'a' => text.push(7),
            b'b' => text.push(8),
            b'e' => text.push(27),
            b'f' => text.push(12),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'v' => text.push(11),
            b'x' => text.extend(self.hex_escape(2, "byte").map(|value| value as u8)),
            b'u' => self.unicode(4, text),
            b'U' => self.unicode(8, text),
            other => self.fault(format!("Invalid escape character '{}'.", other as char)),
        }
    }

    fn unicode(&mut self, digits: usize, text: &mut Vec<u8>) {
        let Some(value) = self.hex_escape(digits, "Unicode") else { return };
        // What is no scalar value is written as its bytes would be, as far as they go.
        match char::from_u32(value) {
            Some(character) => text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None if value < 0x1_0000 => {
                text.extend([
                    0xe0 | (value >> 12) as u8,
                    0x80 | (value >> 6 & 0x3f) as u8,
                    0x80 | (value & 0x3f) as u8,
                ]);
            }
            None => {}
        }
    }

    fn hex_escape(&mut self, digits: usize, what: &str) -> Option<u32> {
        let mut value = 0_u32;
        for _ in 0..digits {
            match self.peek() {
                None | Some(b'"') => {
                    self.fault(format!("Incomplete {what} escape sequence."));
                    return None;
                }
                Some(byte) => {
                    self.at += 1;
                    let Some(digit) = (byte as char).to_digit(16) else {
                        self.fault(format!("Invalid {what} escape sequence."));
                        return None;
                    };
                    value = value << 4 | digit;
                }
            }
        }
        Some(value)
    }

    /// A string in three quotes: without escapes and interpolations. A first and a last line that are blank are no part of it.
    fn raw_string(&mut self) -> Token {
        let begun = self.at;
        let Some(length) = self.source[begun..].windows(3).position(|three| three == b"\"\"\"") else {
            self.at = self.source.len();
            self.fault("Unterminated raw string.");
            return self.make_literal(Kind::String, Literal::String(Vec::new()));
        };
        self.at = begun + length + 3;
        let text: Vec<u8> =
            self.source[begun..begun + length].iter().copied().filter(|byte| *byte != b'\r').collect();
        self.line += text.iter().filter(|byte| **byte == b'\n').count() as u32;
        let blank = |text: &[u8]| text.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        let mut kept = &text[..];
        if let Some(first) = kept.iter().position(|byte| *byte == b'\n')
            && blank(&kept[..first])
        {
            kept = &kept[first + 1..];
        }
        if let Some(last) = kept.iter().rposition(|byte| *byte == b'\n')
            && blank(&kept[last + 1..])
        {
            kept = &kept[..last];
        }
        self.make_literal(Kind::String, Literal::String(kept.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &[(Kind, &str)]) {
        let mut lexer = Lexer::new(source);
        let mut found = Vec::new();
        loop {
            let token = lexer.next();
            if token.kind == Kind::Eof {
                break;
            }
            found.push((token.kind, String::from_utf8_lossy(lexer.text(&token)).into_owned()));
        }
        let expected: Vec<_> = expected.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect();
        assert_eq!(found, expected, "{source}");
        assert_eq!(lexer.faults, [], "{source}");
    }

    fn check_literal(source: &str, expected: Literal) {
        let mut lexer = Lexer::new(source);
        assert_eq!(lexer.next().literal, expected, "{source}");
        assert_eq!(lexer.next().kind, Kind::Eof, "{source}");
        assert_eq!(lexer.faults, [], "{source}");
    }

    fn check_fault(source: &str, line: u32, message: &str) {
        let mut lexer = Lexer::new(source);
        while lexer.next().kind != Kind::Eof {}
        assert_eq!(lexer.faults, [Fault { line, message: message.to_owned() }], "{source}");
    }

    #[test]
    fn words() {
        use Kind::*;
        check(
            "a.b(c)",
            &[(Name, "a"), (Dot, "."), (Name, "b"), (LeftParen, "("), (Name, "c"), (RightParen, ")")],
        );
        check("_a __b var", &[(Field, "_a"), (StaticField, "__b"), (Var, "var")]);
        check(
            "1..2 1...2",
            &[(Number, "1"), (DotDot, ".."), (Number, "2"), (Number, "1"), (DotDotDot, "..."), (Number, "2")],
        );
        check("1.abs", &[(Number, "1"), (Dot, "."), (Name, "abs")]);
        check(
            "a << b >> c <= d >= e",
            &[
                (Name, "a"),
                (LessLess, "<<"),
                (Name, "b"),
                (GreaterGreater, ">>"),
                (Name, "c"),
                (LessEqual, "<="),
                (Name, "d"),
                (GreaterEqual, ">="),
                (Name, "e"),
            ],
        );
        check("!a != ~b", &[(Bang, "!"), (Name, "a"), (BangEqual, "!="), (Tilde, "~"), (Name, "b")]);
        check("a /* b /* c */ d */ e // f", &[(Name, "a"), (Name, "e")]);
        check("#!/usr/bin/wren\na", &[(Line, "\n"), (Name, "a")]);
        check("#!key", &[(Hash, "#"), (Bang, "!"), (Name, "key")][..0]);
        check("\n#!key", &[(Line, "\n"), (Hash, "#"), (Bang, "!"), (Name, "key")]);
        check("\u{feff}a", &[(Name, "a")]);
    }

    #[test]
    fn interpolations() {
        use Kind::*;
        check(
            "\"a %(b(c)) d\" e",
            &[
                (Interpolation, "\"a %("),
                (Name, "b"),
                (LeftParen, "("),
                (Name, "c"),
                (RightParen, ")"),
                (String, ") d\""),
                (Name, "e"),
            ],
        );
        check(
            "\"%(\"%(a)\")\"",
            &[
                (Interpolation, "\"%("),
                (Interpolation, "\"%("),
                (Name, "a"),
                (String, ")\""),
                (String, ")\""),
            ],
        );
    }

    #[test]
    fn literals() {
        let text = |text: &[u8]| Literal::String(text.to_vec());
        check_literal("12.5e-1", Literal::Number(1.25));
        check_literal("0xff", Literal::Number(255.0));
        check_literal(r#""a\n\"\\\%\x41\u00e9\U0001F600\0""#, text("a\n\"\\%Aé😀\0".as_bytes()));
        check_literal(r#""\xff""#, text(&[0xff]));
        check_literal("\"\"\"raw \\n %(a) \"quoted\" \"\"\"", text(b"raw \\n %(a) \"quoted\" "));
        check_literal("\"\"\"\n  line\n  \"\"\"", text(b"  line"));
        check_literal("\"\"", text(b""));
        check_literal("\"a\r\nb\"", text(b"a\nb"));
    }

    #[test]
    fn faults() {
        check_fault("\"a", 1, "Unterminated string.");
        check_fault("\n/* a", 2, "Unterminated block comment.");
        check_fault("\"\\q\"", 1, "Invalid escape character 'q'.");
        check_fault("\"\\x4\"", 1, "Incomplete byte escape sequence.");
        check_fault("\"\\uzzzz\"", 1, "Invalid Unicode escape sequence.");
        check_fault("\"%a)\"", 1, "Expect '(' after '%'.");
        check_fault("1e", 1, "Unterminated scientific notation.");
        check_fault("@", 1, "Invalid character '@'.");
        check_fault("\"\"\"a", 1, "Unterminated raw string.");
        let deep = "\"%(".repeat(9);
        let mut lexer = Lexer::new(&deep);
        while lexer.next().kind != Kind::Eof {}
        assert_eq!(lexer.faults[0].message, "Interpolation may only nest 8 levels deep.");
    }
}
