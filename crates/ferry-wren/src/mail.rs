//! [`Shared`]: the way to a machine's home from other threads. What is asked for is a letter in its [`Mailbox`]; the home's *reader*,
//! a task of its loop, opens them in their order.

use crate::{
    fiber::{Start, drive},
    home::{Errors, Home, plain_of},
    park::{Item, Waited},
    values,
};
use asyncferry::{Failure, Mailbox, Outcome, Promise, Value, promise, spawn_local};
use futures_util::{
    future::{Either, select},
    task::AtomicWaker,
};
use std::{
    future::{Future, poll_fn},
    rc::{Rc, Weak},
    sync::Arc,
    task::Poll,
};

/// What any thread may have of a machine.
pub(crate) struct Shared {
    mailbox: Mailbox<Letter>,
    reader: Arc<AtomicWaker>,
    pub(crate) interrupt: wren::Interrupt,
}

/// A call of a script's code, and who waits for what it gives.
struct Letter {
    what: What,
    reply: Reply,
}

/// The promise of an answer. If it's dropped without one, the machine is gone.
struct Reply(Promise<Value>);

impl Drop for Reply {
    fn drop(&mut self) {
        self.0.fail(GONE);
    }
}

pub(crate) enum What {
    /// A function, with these arguments.
    Function { function: wren::Function, arguments: Vec<Value> },
    /// A method of what a variable of a module holds.
    Method { module: String, variable: String, signature: String, arguments: Vec<Value> },
    /// The code of a module.
    Module { name: String, source: String },
    /// What was typed into a module: an expression, whose value is given as text, or statements.
    Typed { name: String, source: String },
    /// To be told when nothing goes on by itself.
    Idle,
}

impl Shared {
    pub(crate) fn new(interrupt: wren::Interrupt) -> Arc<Self> {
        let reader = Arc::new(AtomicWaker::new());
        let bell = reader.clone();
        Arc::new(Self { mailbox: Mailbox::new(move || bell.wake()), reader, interrupt })
    }

    /// Asks for something, and waits for it.
    pub(crate) fn ask(&self, what: What) -> impl Future<Output = Outcome<Value>> + Send + use<> {
        let (reply, answer) = promise();
        // A letter that is refused says so as it's dropped.
        let _ = self.mailbox.post(Letter { what, reply: Reply(reply) });
        answer
    }

    pub(crate) fn call_function(
        &self,
        function: wren::Function,
        arguments: Value,
    ) -> impl Future<Output = Outcome<Value>> + Send + use<> {
        let arguments = if let Value::List(arguments) = arguments { arguments } else { vec![arguments] };
        self.ask(What::Function { function, arguments })
    }

    pub(crate) fn has_mail(&self) -> bool {
        self.mailbox.has_mail()
    }

    /// Nothing more is opened. Who waits hears that the machine is gone.
    pub(crate) fn close(&self) {
        drop(self.mailbox.close());
    }
}

const GONE: &str = "The script's machine is gone.";

/// Opens the letters of a home, as long as there is one.
pub(crate) async fn read(home: Weak<Home>, shared: Arc<Shared>) {
    let mut batch = Vec::new();
    loop {
        poll_fn(|cx| {
            shared.reader.register(cx.waker());
            shared.mailbox.take(&mut batch);
            if batch.is_empty() && shared.mailbox.arm() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        let Some(home) = home.upgrade() else { return };
        for letter in batch.drain(..) {
            open(&home, letter);
        }
    }
}

fn open(home: &Rc<Home>, letter: Letter) {
    let Letter { what, reply } = letter;
    if let What::Idle = what {
        let home = home.clone();
        drop(spawn_local(async move {
            home.idle().await;
            let told = [home.live_tasks() as i64, home.progress().cast_signed()].map(Value::from);
            // Nobody waits any more, if it fails.
            let _ = reply.0.complete(told.into_iter().collect());
        }));
        return;
    }
    home.goes_on();
    let is_typed = matches!(what, What::Typed { .. });
    let (name, start) = match home.check_room().and_then(|()| start(home, what)) {
        Ok(start) => start,
        Err(error) => {
            reply.0.fail(error);
            return;
        }
    };
    let (driven, told_as) = (home.clone(), name.clone());
    let body = async move {
        let outcome = {
            let run = std::pin::pin!(run(&driven, start, is_typed));
            let left = std::pin::pin!(reply.0.settled());
            match select(run, left).await {
                Either::Left((outcome, _)) => outcome,
                // Nobody waits any more: the fiber gets a request to cancel.
                Either::Right((_, run)) => cancelled(run).await,
            }
        };
        let told = outcome.clone().and_then(|item| plain_of(&driven, item));
        if let Err(Err(failure @ Failure::Failed(_))) = reply.0.settle(told) {
            // Nobody waits any more.
            driven.tell(&told_as, &failure);
        }
        outcome
    };
    match home.spawn_with(name, Errors::GoElsewhere, body) {
        Ok(task) => task.see(),
        Err(_) => unreachable!("there is room, as was seen before"),
    }
}

async fn run(home: &Rc<Home>, start: Start, is_typed: bool) -> Waited {
    match drive(home.clone(), start).await? {
        Item::Own(value) if is_typed && value != wren::Value::Null => {
            drive(home.clone(), Start::On { receiver: value, signature: "toString".to_owned() }).await
        }
        item => Ok(item),
    }
}

/// Asks the fiber to cancel, and lets it end.
async fn cancelled(run: std::pin::Pin<&mut impl Future<Output = Waited>>) -> Waited {
    if let Some(canceller) = asyncferry::Canceller::current() {
        canceller.cancel("nobody waits for it any more");
    }
    run.await
}

fn start(home: &Rc<Home>, what: What) -> Result<(String, Start), wren::Error> {
    let arguments = |arguments: &[Value]| {
        home.enter(|cx| {
            arguments.iter().map(|value| values::to_wren(home, cx, value)).collect::<Result<Vec<_>, _>>()
        })
    };
    Ok(match what {
        What::Function { function, arguments: given } => {
            ("a function".to_owned(), Start::Call { function, arguments: arguments(&given)? })
        }
        What::Method { module, variable, signature, arguments: given } => {
            let arguments = arguments(&given)?;
            (format!("{variable}.{signature}"), Start::Method { module, variable, signature, arguments })
        }
        What::Module { name, source } => (name.clone(), Start::Module { name, source }),
        What::Idle => unreachable!("it's no code"),
        What::Typed { name, source } => (name.clone(), Start::Typed { name, source }),
    })
}
