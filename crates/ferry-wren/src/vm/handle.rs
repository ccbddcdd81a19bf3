//! [`VmHandle`]: a machine for other threads.

use super::Idle;
use crate::mail::{Shared, What};
use asyncferry::{
    Failure, Value, ValueLimits,
    value::{from_value, to_value_within},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, sync::Arc};

/// A [`Vm`](crate::Vm) for other threads. It may outlive it: what's asked for then fails.
#[derive(Clone)]
pub struct VmHandle {
    pub(super) shared: Arc<Shared>,
    pub(super) values: ValueLimits,
}

impl VmHandle {
    /// See [`Vm::call_async`](crate::Vm::call_async).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn call_async<R: DeserializeOwned>(
        &self,
        module: &str,
        method: &str,
        arguments: impl Serialize,
    ) -> Result<R, Failure> {
        let arguments = to_value_within(&arguments, &self.values).map_err(Failure::from_error)?;
        let arguments = match arguments {
            Value::List(arguments) => arguments,
            Value::Null => Vec::new(),
            one => vec![one],
        };
        let Some((variable, signature)) = method.split_once('.') else {
            return Err(Failure::from_error(format!(
                "'{method}' must be a variable and a method's signature, as Rules.check(_)"
            )));
        };
        let what = What::Method {
            module: module.to_owned(),
            variable: variable.to_owned(),
            signature: signature.to_owned(),
            arguments,
        };
        from_value(&self.shared.ask(what).await?).map_err(Failure::from_error)
    }

    /// See [`Vm::run_until_idle`](crate::Vm::run_until_idle); `None` once the `Vm` is gone.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn run_until_idle(&self) -> Option<Idle> {
        let told = self.shared.ask(What::Idle).await.ok()?;
        let (waiting, progress): (usize, i64) = from_value(&told).ok()?;
        Some(Idle { waiting, progress: progress.cast_unsigned() })
    }

    /// Runs what somebody has typed into a module: statements, or an expression, whose value is given as text.
    ///
    /// # Errors
    /// As [`Vm::run`](crate::Vm::run).
    ///
    /// # Cancel safety
    /// As there.
    pub async fn interact(&self, module: &str, input: &str) -> Result<Option<String>, Failure> {
        let what = What::Typed { name: module.to_owned(), source: input.to_owned() };
        from_value(&self.shared.ask(what).await?).map_err(Failure::from_error)
    }

    /// Stops the code that runs now, or the next that will. No `try` of it catches that.
    pub fn interrupt(&self) {
        self.shared.interrupt.now();
    }
}

impl fmt::Debug for VmHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmHandle").finish_non_exhaustive()
    }
}
