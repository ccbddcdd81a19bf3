//! A service that stops gracefully: it takes no more work, ends what it has begun within a deadline, and says what it
//! had to give up.
//!
//!     cargo run -p asyncferry --example graceful_shutdown
//!
//! The wrong way is to look at a flag every 100 ms: it wakes for nothing, stops late, and a task that is cut off between
//! two looks has taken a request with it. Here the wait for the next request ends as the shutdown begins. In a service,
//! `begin()` is what the handler of a signal calls.

use asyncferry::{
    AsyncRuntime, Cancelled, cancellable,
    patterns::{BackgroundTasks, Shutdown},
    sleep, spawn_local,
    sync::Queue,
};
use std::{cell::RefCell, rc::Rc, time::Duration};

#[derive(Default)]
struct Log(RefCell<Vec<String>>);

impl Log {
    fn say(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }
}

type Request = (&'static str, u64);

async fn serve(shutdown: Shutdown, requests: Rc<Queue<Request>>, log: Rc<Log>) {
    let background = BackgroundTasks::new();
    // A request that arrives as the shutdown begins isn't lost: it's handled, or it's in the queue still.
    while let Some(Ok((name, milliseconds))) = shutdown.run_until(requests.get()).await {
        let work = shutdown.track(name, handle(name, milliseconds, log.clone()));
        let told = log.clone();
        let handled = async move {
            match work.await {
                Ok(handled) => handled,
                Err(refused) => {
                    told.say(format!("{name}: {refused}"));
                    Ok(())
                }
            }
        };
        if let Err(refused) = background.spawn_local(name, handled) {
            log.say(format!("{name}: {refused}"));
        }
    }
    log.say("shutting down");
    log.say(shutdown.drain(Duration::from_millis(300)).await.to_string());
    log.say(format!("left in the queue: {}", requests.qsize()));
}

async fn handle(name: &'static str, milliseconds: u64, log: Rc<Log>) -> Result<(), Cancelled> {
    log.say(format!("{name} begins"));
    // Work that has something to clean up hears of the deadline here; other work is dropped where it waits.
    if let Err(cancelled) = cancellable(sleep(Duration::from_millis(milliseconds))).await {
        log.say(format!("{name} is rolled back"));
        return Err(cancelled);
    }
    log.say(format!("{name} is done"));
    Ok(())
}

pub(crate) async fn demo() -> Vec<String> {
    let (shutdown, requests, log) = (Shutdown::new(), Rc::new(Queue::new(10)), Rc::new(Log::default()));
    let service = spawn_local(serve(shutdown.clone(), requests.clone(), log.clone()));
    for request in [("short request", 100), ("longer request", 600), ("endless request", 60_000)] {
        if let Err(closed) = requests.put(request).await {
            log.say(closed.to_string());
        }
        sleep(Duration::from_millis(10)).await;
    }
    sleep(Duration::from_millis(470)).await;
    shutdown.begin();
    // It comes too late, and somebody should tell who sent it.
    if let Err(closed) = requests.put(("late request", 1)).await {
        log.say(closed.to_string());
    }
    if let Err(error) = service.await {
        log.say(error.to_string());
    }
    log.0.take()
}

fn main() {
    AsyncRuntime::block_on(demo()).iter().for_each(|line| println!("{line}"));
}
