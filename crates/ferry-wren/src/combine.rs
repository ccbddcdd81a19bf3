//! What a script does with several tasks, and with time: `spawn`, `all`, `any`, `race`, `settle`, `select`, `scope`, `timeout`,
//! `sleep`, `metrics`.
//!
//! | | gives | when | and the others |
//! |---|---|---|---|
//! | `all` | a list of the values | all have completed; or the first error, at once | go on |
//! | `any` | the first value | one has completed; or an error with all of theirs | go on |
//! | `race` | the first value or error | one has ended | go on |
//! | `settle` | how each has ended | all have ended | |
//! | `select` | which was first, and its value | one has something | lose nothing |
//! | `scope` | its function's value | its function and all tasks in it have ended | are cancelled at the first error |
//! | `timeout` | its function's value | it has ended; or an error when the time is up | is cancelled, and waited for |
//!
//! When the fiber that waits is cancelled, so is what it waits for in `all`, `any`, `race`, `settle`, `scope` and `timeout`, as in
//! asyncio's `gather`.

use crate::{
    channel::{Channel, ChannelObject},
    fiber::{Start, drive},
    home::{Home, current, timed_out},
    host::milliseconds,
    park::{Answer, By, Item, Park, Waited, suspend, wait},
    primitives,
    task::{self, Task, TaskObject, words},
};
use asyncferry::{Failure, Value, sleep, sync, timeout, yield_now};
use futures_util::{
    StreamExt,
    future::{Either, LocalBoxFuture, join_all, select, select_all, try_join_all},
    stream::FuturesUnordered,
};
use std::{cell::RefCell, pin::pin, rc::Rc, sync::Arc, time::Duration};
use wren::{Context, Error, VmBuilder};

/// Starts a function of the script's as a task.
pub(crate) fn spawn(home: &Rc<Home>, function: wren::Function, argument: Item) -> Result<Arc<Task>, Error> {
    home.spawn("a fiber", drive(home.clone(), Start::Function { function, argument }))
}

/// Who has to do something for all of these to end.
fn by_all(tasks: &[Arc<Task>]) -> By {
    if tasks.iter().any(|task| task.by() == By::Itself) { By::Itself } else { By::Others }
}

/// Waits for tasks, which are cancelled with the one that waits.
fn together(tasks: Vec<Arc<Task>>, waiting: LocalBoxFuture<'static, Waited>) -> Park {
    Park::new(by_all(&tasks), waiting).passing_on(move |message| {
        tasks.iter().for_each(|task| _ = task.cancel(message));
    })
}

type Joined = fn(Vec<Arc<Task>>) -> LocalBoxFuture<'static, Waited>;

fn join(cx: &mut Context<'_>, list: &wren::List, join: Joined) -> Result<Answer, Error> {
    let tasks = task::all_named(cx, list)?;
    wait(&current(), cx, together(tasks.clone(), join(tasks)))
}

fn all(tasks: Vec<Arc<Task>>) -> LocalBoxFuture<'static, Waited> {
    tasks.iter().for_each(|task| task.see());
    Box::pin(async move { try_join_all(tasks.into_iter().map(Task::wait)).await.map(Item::All) })
}

fn settle(tasks: Vec<Arc<Task>>) -> LocalBoxFuture<'static, Waited> {
    Box::pin(async move { Ok(Item::Settled(join_all(tasks.into_iter().map(Task::wait)).await)) })
}

fn any(tasks: Vec<Arc<Task>>) -> LocalBoxFuture<'static, Waited> {
    let mut ends: FuturesUnordered<_> = tasks.into_iter().map(Task::wait).collect();
    Box::pin(async move {
        let mut failures = Vec::new();
        while let Some(end) = ends.next().await {
            match end {
                Ok(item) => return Ok(item),
                Err(failure) => failures.push(failure),
            }
        }
        Err(match failures.len() {
            0 => Failure::from_error("Async.any needs a task at least."),
            1 => failures.remove(0),
            count => Failure::from_error(format!("all {count} tasks failed: {}", words(&failures))),
        })
    })
}

fn race(tasks: Vec<Arc<Task>>) -> LocalBoxFuture<'static, Waited> {
    let mut ends: FuturesUnordered<_> = tasks.into_iter().map(Task::wait).collect();
    Box::pin(async move {
        let end = ends.next().await;
        end.unwrap_or_else(|| Err(Failure::from_error("Async.race needs a task at least.")))
    })
}

// Select.

/// What can be waited for beside others.
pub(crate) enum Source {
    Task(Arc<Task>),
    Channel(Arc<Channel>),
    Event(Arc<sync::Event>),
    Queue(Arc<sync::Queue<Value>>),
}

impl Source {
    fn read(cx: &mut Context<'_>, value: &wren::Value, place: usize) -> Result<Self, Error> {
        let wrong = |kind: &str| {
            Error::new(format!("Item {place} must be a Task, a Channel, an Event or a Queue, not {kind}."))
        };
        let wren::Value::Object(object) = value else { return Err(wrong(value.kind())) };
        if let Ok(task) = cx.with_object(object, |held: &mut TaskObject, _| held.0.clone()) {
            return Ok(Self::Task(task));
        }
        if let Ok(channel) = cx.with_object(object, |held: &mut ChannelObject, _| held.0.clone()) {
            return Ok(Self::Channel(channel));
        }
        primitives::selectable(cx, object).ok_or_else(|| wrong("an object of another class"))
    }

    fn by(&self) -> By {
        if let Self::Task(task) = self { task.by() } else { By::Others }
    }

    /// What it gives, and whether it's at its end.
    fn take(self) -> LocalBoxFuture<'static, Result<(Item, bool), Failure>> {
        Box::pin(async move {
            Ok(match self {
                Self::Task(task) => (task.wait().await?, false),
                Self::Channel(channel) => match channel.receive().await {
                    Some(value) => (Item::Own(value), false),
                    None => (Item::NULL, true),
                },
                Self::Event(event) => {
                    event.wait().await;
                    (Item::Own(true.into()), false)
                }
                Self::Queue(queue) => match queue.get().await {
                    Ok(value) => (Item::Plain(value), false),
                    Err(sync::QueueShutDown(())) => (Item::NULL, true),
                },
            })
        })
    }
}

/// `[index, value, whether it's at its end]` of the first that has something; earlier ones come first.
fn select_first(cx: &mut Context<'_>, (list,): (wren::List,)) -> Result<Answer, Error> {
    let values = list.to_vec(cx)?;
    let sources: Result<Vec<_>, _> =
        values.iter().enumerate().map(|(place, value)| Source::read(cx, value, place)).collect();
    let sources = sources?;
    if sources.is_empty() {
        return Err(Error::new("Async.select needs something to wait for."));
    }
    let by = if sources.iter().any(|source| source.by() == By::Itself) { By::Itself } else { By::Others };
    let waiting = async move {
        let (first, index, _others) = select_all(sources.into_iter().map(Source::take)).await;
        let (item, is_end) = first?;
        Ok(Item::Selected { index, item: Box::new(item), is_end })
    };
    wait(&current(), cx, Park::new(by, waiting))
}

// Time.

fn sleeping(_: &mut Context<'_>, (time,): (wren::Value,)) -> Result<Answer, Error> {
    let time = milliseconds(&time, "The time to sleep")?;
    Ok(suspend(&current(), asleep(time)))
}

/// A fiber sleeps.
pub(crate) fn asleep(time: Duration) -> Park {
    let sleep = sleep(time);
    Park::new(By::Itself, async move {
        sleep.await;
        Ok(Item::NULL)
    })
}

fn within(cx: &mut Context<'_>, (time, function): (wren::Value, wren::Function)) -> Result<Answer, Error> {
    let home = current();
    let time = milliseconds(&time, "The time of a timeout")?;
    let task = spawn(&home, function, Item::NULL)?;
    let waiting = ended_within(time, task.clone());
    let park = Park::new(By::Itself, waiting).passing_on(move |message| _ = task.cancel(message));
    wait(&home, cx, park)
}

async fn ended_within(time: Duration, task: Arc<Task>) -> Waited {
    if let Ok(outcome) = timeout(time, task.clone().wait()).await {
        return outcome;
    }
    task.cancel(&format!("it took longer than {time:?}"));
    let outcome = task.wait().await;
    // What came after all, or failed in its own way, is not lost.
    match outcome {
        Err(Failure::Cancelled(_)) => Err(timed_out(time)),
        other => other,
    }
}

// Scopes.

/// What an object of the class `Scope` holds: the way of new tasks to the scope, until it's over.
struct ScopeObject(Arc<sync::Queue<Arc<Task>>>);

/// The tasks of a scope.
type Members = Rc<RefCell<Vec<Arc<Task>>>>;

fn scope(cx: &mut Context<'_>, (function,): (wren::Function,)) -> Result<Answer, Error> {
    let home = current();
    let new = Arc::new(sync::Queue::new(0));
    let object = home.object(cx, "Scope", ScopeObject(new.clone()))?;
    let body = spawn(&home, function, Item::Own(object))?;
    let members = Rc::new(RefCell::new(vec![body.clone()]));
    let waiting = all_of_scope(new, body, members.clone());
    let park = Park::new(By::Others, waiting).passing_on(move |message| cancel_all(&members, message));
    wait(&home, cx, park)
}

fn cancel_all(members: &Members, message: &str) {
    let members = members.borrow().clone();
    members.iter().for_each(|task| _ = task.cancel(message));
}

/// Waits for the body, and for all tasks that come. At the first error all others are cancelled.
async fn all_of_scope(new: Arc<sync::Queue<Arc<Task>>>, body: Arc<Task>, members: Members) -> Waited {
    let mut left: FuturesUnordered<_> = std::iter::once(body.clone().wait()).collect();
    let mut failures = Vec::new();
    while !left.is_empty() || !new.is_empty() {
        let next = pin!(new.get());
        match select(next, left.next()).await {
            Either::Left((Ok(task), _)) => {
                members.borrow_mut().push(task.clone());
                if !failures.is_empty() {
                    task.cancel(LEFT);
                }
                left.push(task.wait());
            }
            Either::Right((Some(Err(failure @ Failure::Failed(_))), _)) => {
                if failures.is_empty() {
                    cancel_all(&members, LEFT);
                }
                failures.push(failure);
            }
            _ => {}
        }
    }
    new.shutdown(sync::Shutdown::Drain);
    match failures.len() {
        0 => body.outcome().unwrap_or(Ok(Item::NULL)),
        1 => Err(failures.remove(0)),
        count => Err(Failure::from_error(format!("{count} tasks of the scope failed: {}", words(&failures)))),
    }
}

const LEFT: &str = "another task of the scope failed";

fn spawn_in_scope(
    scope: &mut ScopeObject,
    cx: &mut Context<'_>,
    (function,): (wren::Function,),
) -> Result<wren::Value, Error> {
    let home = current();
    if scope.0.is_shut_down() {
        return Err(Error::new("The scope is over, and takes no more tasks."));
    }
    let task = spawn(&home, function, Item::NULL)?;
    // It's open, and holds any number.
    let _ = scope.0.put_nowait(task.clone());
    task::object(&home, cx, task)
}

// Metrics.

fn metrics(cx: &mut Context<'_>, (): ()) -> Result<wren::Value, Error> {
    let home = current();
    let map = cx.new_map()?;
    let counts = &home.counts;
    let numbers = [
        ("tasks", home.live_tasks() as f64),
        ("waiting", home.waiting_tasks() as f64),
        ("spawned", counts.spawned.get() as f64),
        ("completed", counts.completed.get() as f64),
        ("failed", counts.failed.get() as f64),
        ("cancelled", counts.cancelled.get() as f64),
        ("callbacks", counts.callbacks.get() as f64),
        ("ids", home.ids.borrow().len() as f64),
        ("queued", home.pool.queued() as f64),
        ("workers", home.pool.workers() as f64),
    ];
    for (name, number) in numbers {
        map.insert(cx, name, number)?;
    }
    let jobs = cx.new_list()?;
    for kind in home.pool.metrics() {
        let job = cx.new_map()?;
        job.insert(cx, "name", &*kind.name)?;
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let numbers = [
            ("priority", f64::from(kind.priority)),
            ("done", kind.done as f64),
            ("failed", kind.failed as f64),
            ("cancelled", kind.cancelled as f64),
            ("waitP50", milliseconds(kind.wait_p50)),
            ("waitP99", milliseconds(kind.wait_p99)),
            ("runP50", milliseconds(kind.run_p50)),
            ("runP99", milliseconds(kind.run_p99)),
        ];
        for (name, number) in numbers {
            job.insert(cx, name, number)?;
        }
        jobs.push(cx, wren::Value::from(job))?;
    }
    map.insert(cx, "jobs", wren::Value::from(jobs))?;
    Ok(map.into())
}

pub(crate) fn register(builder: VmBuilder) -> VmBuilder {
    let joins: [(&str, Joined); 4] = [
        ("static all(_)", all),
        ("static settle(_)", settle),
        ("static any(_)", any),
        ("static race(_)", race),
    ];
    let mut builder = builder;
    for (signature, joined) in joins {
        builder = builder.method("async", "Async", signature, move |cx: &mut Context<'_>, (list,)| {
            join(cx, &list, joined)
        });
    }
    builder
        .method("async", "Async", "static spawn(_)", |cx: &mut Context<'_>, (function,)| {
            let home = current();
            let task = spawn(&home, function, Item::NULL)?;
            task::object(&home, cx, task)
        })
        .method("async", "Async", "static select_(_)", select_first)
        .method("async", "Async", "static sleep(_)", sleeping)
        .method("async", "Async", "static timeout(_,_)", within)
        .method("async", "Async", "static scope(_)", scope)
        .method("async", "Async", "static metrics", metrics)
        .method("async", "Async", "static yield()", |_: &mut Context<'_>, ()| {
            let yielding = async {
                yield_now().await;
                Ok(Item::NULL)
            };
            suspend(&current(), Park::new(By::Itself, yielding))
        })
        .method_of("async", "Scope", "spawn(_)", spawn_in_scope)
}
