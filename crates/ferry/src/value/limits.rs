//! [`ValueLimits`]: how deep and how large a value may be.

use super::{Value, ValueError};

/// How deep and how large a [`Value`] may be. Whoever makes one may not be trusted, and what recurses through one needs
/// stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueLimits {
    /// How many lists and maps may lie within each other; 64 unless it's set. What is refused is what lies deeper.
    pub depth: usize,
    /// How many bytes it may take in all, as far as can be said: texts and bytes as they are, and 32 for each value; 64 MiB unless
    /// it's set.
    pub size: usize,
}

impl Default for ValueLimits {
    fn default() -> Self {
        Self { depth: 64, size: 64 << 20 }
    }
}

/// What each value counts, beside its content.
const EACH: usize = 32;

impl ValueLimits {
    pub(crate) fn too_deep(&self) -> ValueError {
        ValueError::new(format!(
            "it's too deep: at most {} lists and maps may lie within each other, and a list that contains itself has no end",
            self.depth
        ))
    }

    pub(crate) fn too_large(&self) -> ValueError {
        ValueError::new(format!("it's too large: it may take at most {} bytes in all", self.size))
    }

    /// Counts one more value with so much content.
    pub(crate) fn count(&self, size: &mut usize, content: usize) -> Result<(), ValueError> {
        *size = size.saturating_add(EACH).saturating_add(content);
        if *size > self.size { Err(self.too_large()) } else { Ok(()) }
    }

    /// Goes through a value that is there already.
    ///
    /// # Errors
    /// [`ValueError`], when it's deeper or larger.
    ///
    /// ```
    /// use asyncferry::value::{Value, ValueLimits};
    ///
    /// let limits = ValueLimits { depth: 1, ..ValueLimits::default() };
    /// let flat = Value::from_iter([Value::from(1)]);
    /// assert!(limits.check(&flat).is_ok());
    /// assert!(limits.check(&Value::from_iter([flat])).is_err());
    /// ```
    pub fn check(&self, value: &Value) -> Result<(), ValueError> {
        let mut size = 0;
        let mut left = vec![(value, 0)];
        while let Some((value, depth)) = left.pop() {
            let content = match value {
                Value::String(text) => text.len(),
                Value::Bytes(bytes) => bytes.len(),
                Value::Map(values) => values.keys().map(String::len).sum(),
                _ => 0,
            };
            self.count(&mut size, content)?;
            let is_within = depth < self.depth;
            match value {
                Value::List(_) | Value::Map(_) if !is_within => return Err(self.too_deep()),
                Value::List(values) => left.extend(values.iter().map(|value| (value, depth + 1))),
                Value::Map(values) => left.extend(values.values().map(|value| (value, depth + 1))),
                _ => {}
            }
        }
        Ok(())
    }

    /// As [`check`](Self::check), of a value that goes where it's refused, however deep it is.
    pub(crate) fn admit(&self, value: Value) -> Result<Value, ValueError> {
        match self.check(&value) {
            Ok(()) => Ok(value),
            Err(error) => {
                value.discard();
                Err(error)
            }
        }
    }
}
