//! [`Task`]: what a script awaits: a job of the pool, a function of the host's, or a fiber of its own.

use crate::{
    error::{CANCELLED, message_of},
    home::{Home, current, plain_of},
    park::{self, Answer, By, Item, Park, Waited},
    values,
};
use asyncferry::{
    Canceller, Failure, Future, State, Value,
    jobs::{Job, JobId},
    promise, spawn_local,
    value::Foreign,
    yield_now,
};
use std::{
    ops::Deref,
    rc::Rc,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use wren::{Context, Error, VmBuilder};

pub(crate) struct Task {
    kind: Kind,
    name: Name,
    id: OnceLock<JobId>,
    /// Whether somebody has looked at its outcome, or will.
    is_seen: AtomicBool,
    /// Where its failure is told, if nobody does.
    unseen: Option<Arc<Mutex<Vec<Unseen>>>>,
}

pub(crate) enum Kind {
    /// A task of the loop's.
    Task { outcome: Future<Item>, canceller: Option<Canceller> },
    /// A job of a pool's, who tells of its failure himself.
    Job(Arc<Job<Value>>),
    /// Somebody else's promise.
    Outside(Future<Value>),
    /// It was over before it was a task.
    Done(Waited),
}

/// A failure that nobody looked at.
pub(crate) struct Unseen {
    pub(crate) name: String,
    pub(crate) failure: Failure,
}

/// What a task is called.
#[derive(Clone)]
pub(crate) enum Name {
    Fixed(&'static str),
    Shared(Arc<str>),
}

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Self {
        Self::Fixed(name)
    }
}

impl From<Arc<str>> for Name {
    fn from(name: Arc<str>) -> Self {
        Self::Shared(name)
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self::Shared(name.into())
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Fixed(name) => name,
            Self::Shared(name) => name,
        }
    }
}

/// What a Wren object of the class `Task` holds.
pub(crate) struct TaskObject(pub(crate) Arc<Task>);

impl Task {
    pub(crate) fn new(
        kind: Kind,
        name: impl Into<Name>,
        unseen: Option<Arc<Mutex<Vec<Unseen>>>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            kind,
            name: name.into(),
            id: OnceLock::new(),
            is_seen: AtomicBool::new(false),
            unseen,
        })
    }

    pub(crate) fn of_future(future: Future<Value>) -> Arc<Self> {
        Self::new(Kind::Outside(future), "a task of elsewhere", None)
    }

    pub(crate) fn name(&self) -> &str {
        match &self.kind {
            Kind::Job(job) => job.name(),
            _ => &self.name,
        }
    }

    pub(crate) fn state(&self) -> State {
        match &self.kind {
            Kind::Task { outcome, .. } => outcome.state(),
            Kind::Job(job) => job.state(),
            Kind::Outside(future) => future.state(),
            Kind::Done(Ok(_)) => State::Completed,
            Kind::Done(Err(Failure::Failed(_))) => State::Failed,
            Kind::Done(Err(Failure::Cancelled(_))) => State::Cancelled,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.state() != State::Pending
    }

    /// Somebody looks after its failure.
    pub(crate) fn see(&self) {
        self.is_seen.store(true, Ordering::Relaxed);
    }

    /// How it has ended, if it has.
    pub(crate) fn outcome(&self) -> Option<Waited> {
        self.see();
        self.ended()
    }

    fn ended(&self) -> Option<Waited> {
        match &self.kind {
            Kind::Task { outcome, .. } => outcome.get().cloned(),
            Kind::Job(job) => job.outcome().map(|outcome| outcome.map(Item::Plain)),
            Kind::Outside(future) => future.get().cloned().map(|outcome| outcome.map(Item::Plain)),
            Kind::Done(outcome) => Some(outcome.clone()),
        }
    }

    /// Who has to do something for it to end.
    pub(crate) fn by(&self) -> By {
        match &self.kind {
            Kind::Task { .. } | Kind::Done(_) => By::Others,
            Kind::Job(_) | Kind::Outside(_) => By::Itself,
        }
    }

    /// Waits for its outcome.
    pub(crate) async fn wait(self: Arc<Self>) -> Waited {
        self.see();
        match &self.kind {
            Kind::Task { outcome, .. } => outcome.clone().await,
            Kind::Job(job) => {
                job.ended().await;
                job.outcome().unwrap_or_else(|| Err(Failure::from_error("future not found"))).map(Item::Plain)
            }
            Kind::Outside(future) => future.clone().await.map(Item::Plain),
            Kind::Done(outcome) => outcome.clone(),
        }
    }

    /// Asks it to cancel; `false` when it has ended.
    pub(crate) fn cancel(&self, message: &str) -> bool {
        match &self.kind {
            Kind::Task { outcome, canceller } => {
                outcome.state() == State::Pending
                    && canceller.as_ref().is_some_and(|canceller| canceller.cancel(message))
            }
            Kind::Job(job) => job.cancel(message),
            Kind::Outside(future) => future.cancel(message),
            Kind::Done(_) => false,
        }
    }

    /// Its number, by which it's found from now on.
    fn id(self: &Arc<Self>, home: &Home) -> JobId {
        *self.id.get_or_init(|| {
            let id = match &self.kind {
                Kind::Job(job) => home.pool.ids().keep(job.clone()),
                _ => JobId::unused(),
            };
            home.ids.borrow_mut().keep(id, self);
            id
        })
    }

    fn progress(&self) -> Option<Value> {
        if let Kind::Job(job) = &self.kind { job.progress() } else { None }
    }

    /// Its future, for other languages.
    fn future(self: &Arc<Self>, home: &Rc<Home>) -> Future<Value> {
        if let Kind::Outside(future) = &self.kind {
            return future.clone();
        }
        let (settles, future) = promise();
        let (task, home) = (self.clone(), Rc::downgrade(home));
        drop(spawn_local(async move {
            let outcome = ended_or_left(&task, &settles).await;
            let outcome = match (outcome, home.upgrade()) {
                (Some(Ok(item)), Some(home)) => plain_of(&home, item),
                (Some(Err(failure)), _) => Err(failure),
                (None, _) | (_, None) => return,
            };
            // Nobody waits any more, if it fails.
            let _ = settles.settle(outcome);
        }));
        future
    }
}

/// The task's outcome; or `None` once the promise was cancelled from outside, which cancels the task.
async fn ended_or_left(task: &Arc<Task>, outside: &asyncferry::Promise<Value>) -> Option<Waited> {
    use futures_util::future::{Either, select};
    let ended = std::pin::pin!(task.clone().wait());
    let gone = std::pin::pin!(outside.settled());
    match select(ended, gone).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => {
            task.cancel("");
            None
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let (false, Some(unseen)) = (*self.is_seen.get_mut(), &self.unseen) else { return };
        let Some(Err(failure @ Failure::Failed(_))) = self.ended() else { return };
        let unseen_one = Unseen { name: self.name.to_string(), failure };
        unseen.lock().unwrap_or_else(PoisonError::into_inner).push(unseen_one);
    }
}

/// What a script names a task by: its object, or its number.
enum Given {
    Task(Arc<Task>),
    Unknown,
    /// It's nothing of that kind.
    Other(&'static str),
}

fn given(cx: &mut Context<'_>, value: &wren::Value) -> Given {
    match value {
        wren::Value::Object(object) => {
            match cx.with_object(object, |held: &mut TaskObject, _| held.0.clone()) {
                Ok(task) => Given::Task(task),
                Err(_) => Given::Other(value.kind()),
            }
        }
        wren::Value::Num(number) => {
            let id = (number.fract() == 0.0 && *number > 0.0).then(|| JobId::of(*number as u64)).flatten();
            id.and_then(by_id).map_or(Given::Unknown, Given::Task)
        }
        other => Given::Other(other.kind()),
    }
}

/// One of this machine's, or of whoever else uses the pool.
fn by_id(id: JobId) -> Option<Arc<Task>> {
    let home = current();
    let known = home.ids.borrow().get(id);
    known.or_else(|| {
        let job = home.pool.ids().job(id)?;
        let task = Task::new(Kind::Job(job), "a job of elsewhere", None);
        let _ = task.id.set(id);
        Some(task)
    })
}

/// The task that a script names.
///
/// # Errors
/// The seed's words, if it's a number of none.
pub(crate) fn named(cx: &mut Context<'_>, value: &wren::Value) -> Result<Arc<Task>, Error> {
    match given(cx, value) {
        Given::Task(task) => Ok(task),
        Given::Unknown => Err(Error::new("future not found")),
        Given::Other(kind) => Err(Error::new(format!("A Task or the id of one is wanted, not {kind}."))),
    }
}

/// Those that a script names in a list.
///
/// # Errors
/// As [`named`], with the place.
pub(crate) fn all_named(cx: &mut Context<'_>, list: &wren::List) -> Result<Vec<Arc<Task>>, Error> {
    let values = list.to_vec(cx)?;
    let mut tasks = Vec::with_capacity(values.len());
    for (place, value) in values.iter().enumerate() {
        match given(cx, value) {
            Given::Task(task) => tasks.push(task),
            Given::Unknown => return Err(Error::new("future not found")),
            Given::Other(kind) => {
                return Err(Error::new(format!("Item {place} must be a Task or the id of one, not {kind}.")));
            }
        }
    }
    Ok(tasks)
}

/// A task as an object of the script's.
pub(crate) fn object(home: &Rc<Home>, cx: &mut Context<'_>, task: Arc<Task>) -> Result<wren::Value, Error> {
    home.object(cx, "Task", TaskObject(task))
}

/// What a task is to other languages.
pub(crate) fn crossing(home: &Rc<Home>, cx: &mut Context<'_>, object: &wren::Object) -> Option<Foreign> {
    let task = cx.with_object(object, |held: &mut TaskObject, _| held.0.clone()).ok()?;
    Some(Foreign::new("Task", Arc::new(task.future(home))))
}

/// Waits for a task, as a fiber does.
pub(crate) fn awaiting(task: Arc<Task>) -> Park {
    let asked = task.clone();
    Park::new(task.by(), task.wait()).passing_on(move |message| _ = asked.cancel(message))
}

/// The seed's methods, and those of a task.
pub(crate) fn register(builder: VmBuilder) -> VmBuilder {
    let on_async = |builder: VmBuilder, signature: &str, method: Method| {
        builder.method(
            "async",
            "Async",
            &format!("static {signature}"),
            move |cx: &mut Context<'_>, (task,)| {
                let task = named(cx, &task)?;
                method(cx, task)
            },
        )
    };
    let on_task = |builder: VmBuilder, signature: &str, method: Method| {
        builder.method_of(
            "async",
            "Task",
            signature,
            move |held: &mut TaskObject, cx: &mut Context<'_>, ()| {
                let task = held.0.clone();
                method(cx, task)
            },
        )
    };
    let mut builder = builder;
    let both: [(&str, &str, Method); 6] = [
        ("await(_)", "await()", |cx, task| match task.outcome() {
            Some(outcome) => park::answer(&current(), cx, outcome),
            None => park::wait(&current(), cx, awaiting(task)),
        }),
        ("isReady(_)", "isReady", |_, task| Ok(is_ready(task))),
        ("get(_)", "get()", get),
        ("cancel(_)", "cancel()", |_, task| Ok(Answer::Value(task.cancel("").into()))),
        ("getState(_)", "state", |_, task| Ok(Answer::Value(f64::from(task.state() as u8).into()))),
        ("cleanup(_)", "cleanup()", cleanup),
    ];
    for (on_class, on_object, method) in both {
        builder = on_async(builder, on_class, method);
        builder = on_task(builder, on_object, method);
    }
    builder = on_task(builder, "id", |_, task| {
        let id = task.id(&current()).number();
        Ok(Answer::Value((id as f64).into()))
    });
    builder = on_task(builder, "name", |_, task| Ok(Answer::Value(task.name().into())));
    builder = on_task(builder, "error", |cx, task| {
        Ok(Answer::Value(match task.outcome() {
            Some(Err(failure)) => values::error_value(cx, &failure),
            _ => wren::Value::Null,
        }))
    });
    builder = on_task(builder, "errorTrace", |_, task| {
        Ok(Answer::Value(match task.outcome() {
            Some(Err(failure @ Failure::Failed(_))) => failure.to_string().into(),
            Some(Err(_)) => CANCELLED.into(),
            _ => wren::Value::Null,
        }))
    });
    builder = on_task(builder, "progress", |cx, task| {
        let home = current();
        match task.progress() {
            Some(value) => values::to_wren(&home, cx, &value).map(Answer::Value),
            None => Ok(Answer::Value(wren::Value::Null)),
        }
    });
    builder.method_of(
        "async",
        "Task",
        "cancel(_)",
        |held: &mut TaskObject, _: &mut Context<'_>, (message,): (String,)| held.0.cancel(&message),
    )
}

type Method = fn(&mut Context<'_>, Arc<Task>) -> Result<Answer, Error>;

/// Whether it's ready. If not, others have a turn, so that a script which asks over and over gets there.
fn is_ready(task: Arc<Task>) -> Answer {
    if task.is_ready() {
        return Answer::Value(true.into());
    }
    let asking = async move {
        yield_now().await;
        Ok(Item::Own(task.is_ready().into()))
    };
    park::suspend(&current(), Park::new(By::Itself, asking))
}

fn get(cx: &mut Context<'_>, task: Arc<Task>) -> Result<Answer, Error> {
    match task.outcome() {
        None => Err(Error::new("future not ready")),
        Some(outcome) => park::answer(&current(), cx, outcome),
    }
}

/// Forgets its number, and with it its result, if nobody else has the task.
fn cleanup(_: &mut Context<'_>, task: Arc<Task>) -> Result<Answer, Error> {
    if !task.is_ready() {
        return Err(Error::new("future not ready"));
    }
    task.see();
    if let Some(id) = task.id.get() {
        let home = current();
        let known = home.ids.borrow_mut().remove(*id);
        drop(known);
        // One that was never there, or is gone, is cleaned up.
        let _ = home.pool.ids().cleanup(*id);
    }
    Ok(Answer::Value(wren::Value::Null))
}

/// The words of a failure, for another one that has several.
pub(crate) fn words(failures: &[Failure]) -> String {
    failures.iter().map(message_of).collect::<Vec<_>>().join("; ")
}
