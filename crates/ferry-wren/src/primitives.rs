//! `Event`, `Lock`, `Semaphore` and `Queue`: Ferry's own primitives as Wren's classes. They are the same objects that Rust and Python
//! use: by a name ([`asyncferry::sync::named`]), or as an argument or a result.

use crate::{
    home::current,
    park::{Answer, By, Item, Park, wait},
    values,
};
use asyncferry::{
    Failure, Value,
    sync::{Event, Lock, Queue, QueueShutDown, Semaphore, Shutdown, named},
    value::Foreign,
};
use std::{fmt::Display, sync::Arc};
use wren::{Context, Error, VmBuilder};

pub(crate) struct EventObject(pub(crate) Arc<Event>);
pub(crate) struct LockObject(pub(crate) Arc<Lock>);
pub(crate) struct SemaphoreObject(pub(crate) Arc<Semaphore>);
/// What it holds has crossed: it's plain values.
pub(crate) struct QueueObject(pub(crate) Arc<Queue<Value>>);

/// The primitive that an object is.
pub(crate) fn crossing(cx: &mut Context<'_>, object: &wren::Object) -> Option<Foreign> {
    let event = |held: &mut EventObject, _: &mut Context<'_>| Foreign::new("Event", held.0.clone());
    let lock = |held: &mut LockObject, _: &mut Context<'_>| Foreign::new("Lock", held.0.clone());
    let semaphore =
        |held: &mut SemaphoreObject, _: &mut Context<'_>| Foreign::new("Semaphore", held.0.clone());
    let queue = |held: &mut QueueObject, _: &mut Context<'_>| Foreign::new("Queue", held.0.clone());
    cx.with_object(object, event)
        .or_else(|_| cx.with_object(object, lock))
        .or_else(|_| cx.with_object(object, semaphore))
        .or_else(|_| cx.with_object(object, queue))
        .ok()
}

/// A number of things that a script gives.
///
/// # Errors
/// A sentence that begins with `what`.
pub(crate) fn count(value: &wren::Value, what: &str, least: usize) -> Result<usize, Error> {
    match value {
        wren::Value::Num(number)
            if number.fract() == 0.0 && *number >= least as f64 && *number <= u32::MAX.into() =>
        {
            Ok(*number as usize)
        }
        wren::Value::Num(number) => {
            Err(Error::new(format!("{what} must be a whole number from {least} on, not {number}.")))
        }
        other => Err(Error::new(format!("{what} must be a whole number, not {}.", other.kind()))),
    }
}

fn optional_count(value: &wren::Value, what: &str) -> Result<Option<usize>, Error> {
    if *value == wren::Value::Null { Ok(None) } else { count(value, what, 1).map(Some) }
}

fn said(error: impl Display) -> Error {
    Error::new(error)
}

pub(crate) fn register(builder: VmBuilder) -> VmBuilder {
    register_queue(register_semaphore(register_lock(register_event(builder))))
}

fn register_event(builder: VmBuilder) -> VmBuilder {
    let class = "Event";
    builder
        .class("async", class, |_: &mut Context<'_>, ()| Ok(EventObject(Arc::default())))
        .method("async", class, "static named(_)", |cx: &mut Context<'_>, (name,): (String,)| {
            let event = named::event(&name).map_err(said)?;
            current().object(cx, class, EventObject(event))
        })
        .method_of("async", class, "isSet", |held: &mut EventObject, _: &mut Context<'_>, ()| held.0.is_set())
        .method_of("async", class, "set()", |held: &mut EventObject, _: &mut Context<'_>, ()| held.0.set())
        .method_of("async", class, "clear()", |held: &mut EventObject, _: &mut Context<'_>, ()| {
            held.0.clear()
        })
        .method_of("async", class, "wait()", |held: &mut EventObject, cx: &mut Context<'_>, ()| {
            wait(&current(), cx, waiting_for_event(held.0.clone()))
        })
}

fn waiting_for_event(event: Arc<Event>) -> Park {
    Park::new(By::Others, async move {
        event.wait().await;
        Ok(Item::Own(true.into()))
    })
}

fn register_lock(builder: VmBuilder) -> VmBuilder {
    let class = "Lock";
    builder
        .class("async", class, |_: &mut Context<'_>, ()| Ok(LockObject(Arc::new(Lock::new(())))))
        .method("async", class, "static named(_)", |cx: &mut Context<'_>, (name,): (String,)| {
            let lock = named::lock(&name).map_err(said)?;
            current().object(cx, class, LockObject(lock))
        })
        .method_of("async", class, "isLocked", |held: &mut LockObject, _: &mut Context<'_>, ()| {
            held.0.locked()
        })
        .method_of("async", class, "acquire()", |held: &mut LockObject, cx: &mut Context<'_>, ()| {
            let lock = held.0.clone();
            let acquiring = async move {
                lock.acquire().await.forget();
                Ok(Item::Own(true.into()))
            };
            wait(&current(), cx, Park::new(By::Others, acquiring))
        })
        .method_of("async", class, "tryAcquire()", |held: &mut LockObject, _: &mut Context<'_>, ()| {
            held.0.try_acquire().map(asyncferry::sync::LockGuard::forget).is_some()
        })
        .method_of("async", class, "release()", |held: &mut LockObject, _: &mut Context<'_>, ()| {
            held.0.release().map_err(|_| Error::new("The lock is not acquired."))
        })
}

fn register_semaphore(builder: VmBuilder) -> VmBuilder {
    let class = "Semaphore";
    builder
        .class("async", class, |_: &mut Context<'_>, (permits,): (wren::Value,)| {
            let permits = optional_count(&permits, "A semaphore's number of permits")?.unwrap_or(1);
            Ok(SemaphoreObject(Arc::new(Semaphore::new(permits))))
        })
        .method(
            "async",
            class,
            "static named(_,_)",
            |cx: &mut Context<'_>, (name, permits): (String, wren::Value)| {
                let permits = optional_count(&permits, "A semaphore's number of permits")?;
                let semaphore = named::semaphore(&name, permits).map_err(said)?;
                current().object(cx, class, SemaphoreObject(semaphore))
            },
        )
        .method_of("async", class, "isLocked", |held: &mut SemaphoreObject, _: &mut Context<'_>, ()| {
            held.0.locked()
        })
        .method_of("async", class, "permits", |held: &mut SemaphoreObject, _: &mut Context<'_>, ()| {
            held.0.permits() as f64
        })
        .method_of("async", class, "acquire()", |held: &mut SemaphoreObject, cx: &mut Context<'_>, ()| {
            let semaphore = held.0.clone();
            let acquiring = async move {
                semaphore.acquire().await.forget();
                Ok(Item::Own(true.into()))
            };
            wait(&current(), cx, Park::new(By::Others, acquiring))
        })
        .method_of("async", class, "tryAcquire()", |held: &mut SemaphoreObject, _: &mut Context<'_>, ()| {
            held.0.try_acquire().map(asyncferry::sync::Permit::forget).is_some()
        })
        .method_of("async", class, "release()", |held: &mut SemaphoreObject, _: &mut Context<'_>, ()| {
            held.0.release();
        })
}

fn register_queue(builder: VmBuilder) -> VmBuilder {
    let class = "Queue";
    builder
        .class("async", class, |_: &mut Context<'_>, (maxsize,): (wren::Value,)| {
            let maxsize = optional_count(&maxsize, "A queue's maxsize")?.unwrap_or(named::DEFAULT_MAXSIZE);
            Ok(QueueObject(Arc::new(Queue::new(maxsize))))
        })
        .method(
            "async",
            class,
            "static named(_,_)",
            |cx: &mut Context<'_>, (name, maxsize): (String, wren::Value)| {
                let maxsize = optional_count(&maxsize, "A queue's maxsize")?;
                let queue = named::queue(&name, maxsize).map_err(said)?;
                current().object(cx, class, QueueObject(queue))
            },
        )
        .method_of(
            "async",
            class,
            "put(_)",
            |held: &mut QueueObject, cx: &mut Context<'_>, (value,): (_,)| {
                let home = current();
                let (queue, value) = (held.0.clone(), values::to_plain(&home, cx, &value)?);
                let putting = async move {
                    let put = queue.put(value).await;
                    put.map(|()| Item::NULL).map_err(|QueueShutDown(_)| Failure::from_error(SHUT_DOWN))
                };
                wait(&home, cx, Park::new(By::Others, putting))
            },
        )
        .method_of(
            "async",
            class,
            "putNowait(_)",
            |held: &mut QueueObject, cx: &mut Context<'_>, (value,): (_,)| {
                let value = values::to_plain(&current(), cx, &value)?;
                held.0.put_nowait(value).map_err(|error| {
                    Error::new(if matches!(error, asyncferry::sync::PutError::Full(_)) {
                        FULL
                    } else {
                        SHUT_DOWN
                    })
                })
            },
        )
        .method_of("async", class, "get()", |held: &mut QueueObject, cx: &mut Context<'_>, ()| {
            getting(held, cx, |item| item.map(Item::Plain).ok_or_else(|| Failure::from_error(SHUT_DOWN)))
        })
        .method_of("async", class, "advance_()", |held: &mut QueueObject, cx: &mut Context<'_>, ()| {
            getting(held, cx, |item| {
                Ok(item.map_or(Item::End, |value| Item::Next(Box::new(Item::Plain(value)))))
            })
        })
        .method_of("async", class, "getNowait()", |held: &mut QueueObject, cx: &mut Context<'_>, ()| {
            let item = held.0.get_nowait().map_err(|error| {
                Error::new(if error == asyncferry::sync::GetError::Empty { EMPTY } else { SHUT_DOWN })
            })?;
            values::to_wren(&current(), cx, &item)
        })
        .method_of("async", class, "taskDone()", |held: &mut QueueObject, _: &mut Context<'_>, ()| {
            held.0.task_done().map_err(|_| Error::new("taskDone() called too many times"))
        })
        .method_of("async", class, "join()", |held: &mut QueueObject, cx: &mut Context<'_>, ()| {
            let queue = held.0.clone();
            let joining = async move {
                queue.join().await;
                Ok(Item::NULL)
            };
            wait(&current(), cx, Park::new(By::Others, joining))
        })
        .method_of("async", class, "shutdown()", |held: &mut QueueObject, _: &mut Context<'_>, ()| {
            held.0.shutdown(Shutdown::Drain);
        })
        .method_of("async", class, "isShutDown", |held: &mut QueueObject, _: &mut Context<'_>, ()| {
            held.0.is_shut_down()
        })
        .method_of("async", class, "count", |held: &mut QueueObject, _: &mut Context<'_>, ()| {
            held.0.qsize() as f64
        })
        .method_of("async", class, "maxsize", |held: &mut QueueObject, _: &mut Context<'_>, ()| {
            held.0.maxsize() as f64
        })
}

const SHUT_DOWN: &str = "The queue is shut down.";
const FULL: &str = "The queue is full.";
const EMPTY: &str = "The queue is empty.";

fn getting(
    held: &QueueObject,
    cx: &mut Context<'_>,
    made: fn(Option<Value>) -> Result<Item, Failure>,
) -> Result<Answer, Error> {
    let queue = held.0.clone();
    wait(&current(), cx, Park::new(By::Others, async move { made(queue.get().await.ok()) }))
}

/// What a script waits for beside others.
pub(crate) fn selectable(cx: &mut Context<'_>, object: &wren::Object) -> Option<crate::combine::Source> {
    use crate::combine::Source;
    let event = |held: &mut EventObject, _: &mut Context<'_>| Source::Event(held.0.clone());
    let queue = |held: &mut QueueObject, _: &mut Context<'_>| Source::Queue(held.0.clone());
    cx.with_object(object, event).or_else(|_| cx.with_object(object, queue)).ok()
}
