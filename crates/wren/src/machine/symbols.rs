//! [`Symbols`]: the numbers of method signatures, one for all modules of a machine.

use std::collections::HashMap;

/// So many there may be: what a call's instruction can name.
const MOST: usize = 1 << 16;

#[derive(Default)]
pub(crate) struct Symbols {
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u16>,
}

impl Symbols {
    /// The number of a signature, a new one if need be. `None` if there are too many.
    pub(crate) fn number(&mut self, signature: &str) -> Option<u16> {
        if let Some(known) = self.numbers.get(signature) {
            return Some(*known);
        }
        if self.names.len() >= MOST {
            return None;
        }
        let number = self.names.len() as u16;
        self.names.push(signature.into());
        self.numbers.insert(signature.into(), number);
        Some(number)
    }

    pub(crate) fn name(&self, number: usize) -> &str {
        self.names.get(number).map_or("?", |name| name)
    }
}
