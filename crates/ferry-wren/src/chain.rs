//! `then`, `catch` and `finally`: callbacks of a task. Each is a task, which waits for the first one, calls its function in a fiber of its own,
//! and ends as that does.

use crate::{
    fiber::{Start, drive},
    home::{Home, count, current},
    park::{Item, Waited},
    task::{Task, TaskObject, object},
    values,
};
use asyncferry::{Failure, cancellable};
use std::{rc::Rc, sync::Arc};
use wren::{Context, Error, VmBuilder};

pub(crate) fn register(builder: VmBuilder) -> VmBuilder {
    let mut builder = builder;
    let chains: [(&str, On); 3] = [("then(_)", On::Value), ("catch(_)", On::Error), ("finally(_)", On::Both)];
    for (signature, on) in chains {
        let method = move |held: &mut TaskObject, cx: &mut Context<'_>, (function,): (wren::Function,)| {
            chain(cx, held.0.clone(), on, function)
        };
        builder = builder.method_of("async", "Task", signature, method);
    }
    builder
}

/// Which ends a callback is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Value,
    Error,
    Both,
}

/// A task that calls a function once another one has ended, and ends as that does.
fn chain(
    cx: &mut Context<'_>,
    task: Arc<Task>,
    on: On,
    function: wren::Function,
) -> Result<wren::Value, Error> {
    let home = current();
    task.see();
    let name = format!("a callback of {}", task.name());
    let body = {
        let home = home.clone();
        async move {
            let by = task.by();
            let waiting = home.waiting(by);
            let outcome = cancellable(task.wait()).await.map_err(Failure::from).and_then(|end| end);
            drop(waiting);
            let argument = match (&outcome, on) {
                (Ok(item), On::Value) => item.clone(),
                (Err(failure), On::Error) => home.enter(|cx| Item::Own(values::error_value(cx, failure))),
                (_, On::Both) => Item::NULL,
                (_, On::Value | On::Error) => return outcome,
            };
            count(&home.counts.callbacks);
            let given =
                flattened(&home, drive(home.clone(), Start::Function { function, argument }).await?).await;
            if on == On::Both { given.and(outcome) } else { given }
        }
    };
    let task = home.spawn(name, body)?;
    object(&home, cx, task)
}

/// What a task gives that a callback has given, or else what it has given.
async fn flattened(home: &Rc<Home>, item: Item) -> Waited {
    let Item::Own(wren::Value::Object(object)) = &item else { return Ok(item) };
    let inner = home.enter(|cx| cx.with_object(object, |held: &mut TaskObject, _| held.0.clone()).ok());
    match inner {
        Some(task) => {
            let _waiting = home.waiting(task.by());
            task.wait().await
        }
        None => Ok(item),
    }
}
