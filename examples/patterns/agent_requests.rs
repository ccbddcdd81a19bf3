//! Agents that ask each other over a connection: requests go out with an id, responses come back in any order.
//!
//!     cargo run -p asyncferry --example agent_requests
//!
//! The wrong way is to send first and to register then: a fast response finds nobody who waits, and is lost.

use asyncferry::{
    AsyncRuntime, Cancelled,
    patterns::{Answer, BackgroundTasks, PendingRequests, RequestError},
    sleep, spawn_local,
    sync::Queue,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

struct Task {
    id: u64,
    what: &'static str,
    takes: Duration,
}

type Response = (u64, Result<String, String>);

/// Sends tasks, and hands each response to who waits for it.
struct Client {
    outgoing: Rc<Queue<Task>>,
    requests: PendingRequests<u64, String>,
    last_id: Cell<u64>,
    log: RefCell<Vec<String>>,
}

impl Client {
    async fn send_task(&self, what: &'static str, takes: u64) -> Result<String, RequestError> {
        let (id, takes) = (self.last_id.get() + 1, Duration::from_millis(takes));
        self.last_id.set(id);
        // Registered before it's sent: however fast the response comes, somebody waits for it.
        let mut pending = self.requests.register(id)?;
        self.outgoing.put(Task { id, what, takes }).await.map_err(|_| RequestError::Closed)?;
        pending.wait(Duration::from_millis(200)).await
    }

    async fn receive(&self, incoming: &Queue<Response>) {
        while let Ok((id, response)) = incoming.get().await {
            let is_delivered = match response {
                Ok(result) => matches!(self.requests.answer(&id, result), Answer::Delivered),
                Err(error) => matches!(self.requests.fail(&id, error), Answer::Delivered),
            };
            if !is_delivered {
                self.log.borrow_mut().push("a response comes too late".to_owned());
            }
        }
    }
}

/// Works on several tasks at once, so its responses come in an order of their own.
async fn other_agent(incoming: Rc<Queue<Task>>, outgoing: Rc<Queue<Response>>) -> Result<(), Cancelled> {
    let background = BackgroundTasks::new();
    while let Ok(Task { id, what, takes }) = incoming.get().await {
        let outgoing = outgoing.clone();
        let work = async move {
            sleep(takes).await;
            let failed = what == "divide by zero";
            let response = if failed { Err("it can't be done".to_owned()) } else { Ok(what.to_uppercase()) };
            outgoing.put((id, response)).await
        };
        if let Err(refused) = background.spawn_local(what, work) {
            eprintln!("task {id}: {refused}");
        }
    }
    Ok(())
}

pub(crate) async fn demo() -> Vec<String> {
    let (there, back) = (Rc::new(Queue::new(100)), Rc::new(Queue::new(100)));
    let client = Rc::new(Client {
        outgoing: there.clone(),
        requests: PendingRequests::new(),
        last_id: Cell::new(0),
        log: RefCell::default(),
    });
    let (receiver, incoming) = (client.clone(), back.clone());
    drop(spawn_local(async move { receiver.receive(&incoming).await }));
    drop(spawn_local(other_agent(there, back)));

    let asked = [("slow question", 120), ("fast question", 60), ("divide by zero", 0), ("too slow", 300)];
    let answers = asked.map(|(what, takes)| {
        let client = client.clone();
        spawn_local(async move {
            let answer = client.send_task(what, takes).await.unwrap_or_else(|error| error.to_string());
            client.log.borrow_mut().push(format!("{what}: {answer}"));
        })
    });
    for answer in answers {
        let _ = answer.await;
    }
    // The response that comes too late is no riddle.
    sleep(Duration::from_millis(200)).await;
    client.log.take()
}

fn main() {
    AsyncRuntime::block_on(demo()).iter().for_each(|line| println!("{line}"));
}
