//! [`Token`]: a word of the language, and where it stands.

/// What kind of word it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    Colon,
    Dot,
    DotDot,
    DotDotDot,
    Comma,
    Star,
    Slash,
    Percent,
    Hash,
    Plus,
    Minus,
    LessLess,
    GreaterGreater,
    Pipe,
    PipePipe,
    Caret,
    Amp,
    AmpAmp,
    Bang,
    Tilde,
    Question,
    Equal,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    EqualEqual,
    BangEqual,
    As,
    Break,
    Class,
    Construct,
    Continue,
    Else,
    False,
    For,
    Foreign,
    If,
    Import,
    In,
    Is,
    Null,
    Return,
    Static,
    Super,
    This,
    True,
    Var,
    While,
    Field,
    StaticField,
    Name,
    Number,
    /// A string, or the end of one with interpolations.
    String,
    /// A string up to `%(`.
    Interpolation,
    /// The end of a line, which ends a statement.
    Line,
    /// What the lexer could make nothing of, and has told already.
    Error,
    Eof,
}

/// What a literal stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    None,
    Number(f64),
    /// Wren's strings are bytes, mostly of UTF-8.
    String(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// Where its text begins and ends in the source.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) line: u32,
    pub(crate) literal: Literal,
}

/// The keyword that `name` is.
pub(crate) fn keyword(name: &[u8]) -> Option<Kind> {
    Some(match name {
        b"as" => Kind::As,
        b"break" => Kind::Break,
        b"class" => Kind::Class,
        b"construct" => Kind::Construct,
        b"continue" => Kind::Continue,
        b"else" => Kind::Else,
        b"false" => Kind::False,
        b"for" => Kind::For,
        b"foreign" => Kind::Foreign,
        b"if" => Kind::If,
        b"import" => Kind::Import,
        b"in" => Kind::In,
        b"is" => Kind::Is,
        b"null" => Kind::Null,
        b"return" => Kind::Return,
        b"static" => Kind::Static,
        b"super" => Kind::Super,
        b"this" => Kind::This,
        b"true" => Kind::True,
        b"var" => Kind::Var,
        b"while" => Kind::While,
        _ => return None,
    })
}
