//! [`Parser`]: the words around the place that was reached, and what was wrong so far.

use super::{
    lexer::Lexer,
    token::{Kind, Literal, Token},
};
use crate::error::CompileError;

/// So much of a word is shown in an error.
const SHOWN: usize = 64;

pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    pub(super) previous: Token,
    pub(super) current: Token,
    /// Looked ahead at, for the sake of a dot in the next line.
    ahead: Vec<Token>,
    module: String,
    errors: Vec<CompileError>,
    max_errors: usize,
    is_over: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(module: &str, source: &'a str, max_errors: usize) -> Self {
        let none = Token { kind: Kind::Error, start: 0, end: 0, line: 1, literal: Literal::None };
        let mut parser = Self {
            lexer: Lexer::new(source),
            previous: none.clone(),
            current: none,
            ahead: Vec::new(),
            module: module.to_owned(),
            errors: Vec::new(),
            max_errors,
            is_over: false,
        };
        parser.current = parser.lex();
        parser
    }

    fn lex(&mut self) -> Token {
        let mut token = self.lexer.next();
        for fault in std::mem::take(&mut self.lexer.faults) {
            self.error_at_line(fault.line, &format!("Error: {}", fault.message));
        }
        if self.is_over {
            token.kind = Kind::Eof;
        }
        token
    }

    pub(super) fn advance(&mut self) {
        let next = if self.ahead.is_empty() { self.lex() } else { self.ahead.remove(0) };
        self.previous = std::mem::replace(&mut self.current, next);
    }

    /// Whether only line ends stand between here and a dot, which then belongs to the expression that ends here.
    pub(super) fn goes_on_with_dot(&mut self) -> bool {
        if self.current.kind != Kind::Line {
            return false;
        }
        let mut place = 0;
        loop {
            if place == self.ahead.len() {
                let token = self.lex();
                // It may have been the last fault that is told.
                if self.is_over {
                    return false;
                }
                self.ahead.push(token);
            }
            match self.ahead[place].kind {
                Kind::Line => place += 1,
                kind => return kind == Kind::Dot,
            }
        }
    }

    pub(super) fn text(&self, token: &Token) -> String {
        String::from_utf8_lossy(self.lexer.text(token)).into_owned()
    }

    pub(super) fn previous_text(&self) -> String {
        self.text(&self.previous)
    }

    pub(super) fn is_at(&self, kind: Kind) -> bool {
        self.current.kind == kind
    }

    pub(super) fn take(&mut self, kind: Kind) -> bool {
        let is_there = self.is_at(kind);
        if is_there {
            self.advance();
        }
        is_there
    }

    /// The word must be there.
    pub(super) fn expect(&mut self, kind: Kind, message: &str) {
        self.advance();
        if self.previous.kind == kind {
            return;
        }
        self.error(message);
        // If the one behind it is it, there was one too many.
        if self.is_at(kind) {
            self.advance();
        }
    }

    /// Takes line ends, one at least.
    pub(super) fn take_line(&mut self) -> bool {
        if !self.take(Kind::Line) {
            return false;
        }
        self.skip_lines();
        true
    }

    pub(super) fn skip_lines(&mut self) {
        while self.take(Kind::Line) {}
    }

    pub(super) fn expect_line(&mut self, message: &str) {
        self.expect(Kind::Line, message);
        self.skip_lines();
    }

    /// An error at the word that was read last.
    pub(super) fn error(&mut self, message: &str) {
        let token = self.previous.clone();
        let place = match token.kind {
            // It was told already.
            Kind::Error => return,
            Kind::Line => "Error at newline".to_owned(),
            Kind::Eof => "Error at end of file".to_owned(),
            _ => {
                let text = self.text(&token);
                match text.char_indices().nth(SHOWN) {
                    Some((end, _)) => format!("Error at '{}...'", &text[..end]),
                    None => format!("Error at '{text}'"),
                }
            }
        };
        self.error_at_line(token.line, &format!("{place}: {message}"));
    }

    pub(super) fn error_at_line(&mut self, line: u32, message: &str) {
        if self.is_over {
            return;
        }
        self.errors.push(CompileError { module: self.module.clone(), line, message: message.to_owned() });
        if self.errors.len() >= self.max_errors {
            self.end();
        }
    }

    /// An error after which nothing more is read.
    pub(super) fn fatal(&mut self, message: &str) {
        let line = self.previous.line;
        self.error_at_line(line, &format!("Error: {message}"));
        self.end();
    }

    fn end(&mut self) {
        self.is_over = true;
        self.ahead.clear();
        self.current.kind = Kind::Eof;
    }

    pub(super) fn into_errors(self) -> Vec<CompileError> {
        self.errors
    }
}
