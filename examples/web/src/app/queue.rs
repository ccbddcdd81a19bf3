//! Workers on a bounded queue: the producer waits while it's full, and a button cancels all of it.

use super::page;
use asyncferry::{
    CancellationToken, Cancelled, sleep, spawn_local,
    sync::{Queue, Shutdown},
};
use std::{cell::Cell, cell::RefCell, rc::Rc, time::Duration};
use wasm_bindgen::JsValue;

const WORKERS: usize = 3;
const ROOM: usize = 4;

pub(super) fn listen() -> Result<(), JsValue> {
    let current = Rc::new(RefCell::new(CancellationToken::new()));
    let token = current.clone();
    page::on_click("queue-start", move || {
        token.replace(CancellationToken::new()).cancel("started anew");
        let token = token.borrow().clone();
        drop(spawn_local(async move {
            let ended = token.run_until_cancelled(run()).await;
            show_end(ended)
        }));
    })?;
    page::on_click("queue-cancel", move || {
        current.borrow().cancel("the button was pressed");
    })
}

fn show_end(ended: Result<Result<u32, JsValue>, Cancelled>) -> Result<(), JsValue> {
    match ended {
        Ok(Ok(done)) => page::set_state("queue-state", &format!("{done} jobs done"), "good"),
        Ok(Err(error)) => page::set_state("queue-state", &page::text_of(&error), "bad"),
        Err(cancelled) => page::set_state("queue-state", &cancelled.to_string(), "bad"),
    }
}

async fn run() -> Result<u32, JsValue> {
    let jobs = page::number("queue-jobs")?;
    page::clear("queue-log")?;
    page::set_bar("queue-bar", 0.0)?;
    page::set_state("queue-state", "working", "busy")?;
    let queue = Rc::new(Queue::new(ROOM));
    let done = Rc::new(Cell::new(0));
    // Children of this future: they end with it when it's cancelled.
    let workers: Vec<_> =
        (1..=WORKERS).map(|worker| work(worker, queue.clone(), done.clone(), jobs)).collect();
    let producing = async {
        for job in 1..=jobs {
            if queue.put(job).await.is_err() {
                break;
            }
            page::set_text("queue-waiting", &format!("{} of {ROOM}", queue.qsize()))?;
        }
        queue.shutdown(Shutdown::Drain);
        Ok::<_, JsValue>(())
    };
    let working = async {
        use asyncferry::stream::{FuturesUnordered, TryStreamExt};
        workers.into_iter().collect::<FuturesUnordered<_>>().try_collect::<Vec<()>>().await
    };
    let (mut producing, mut working) = (std::pin::pin!(producing), std::pin::pin!(working));
    let mut has_put = false;
    loop {
        asyncferry::select! {
            put = &mut producing, if !has_put => {
                put?;
                has_put = true;
            }
            worked = &mut working => {
                worked?;
                page::set_text("queue-waiting", &format!("0 of {ROOM}"))?;
                return Ok(done.get());
            }
        }
    }
}

async fn work(worker: usize, queue: Rc<Queue<u32>>, done: Rc<Cell<u32>>, jobs: u32) -> Result<(), JsValue> {
    while let Ok(job) = queue.get().await {
        sleep(Duration::from_millis(40 + 20 * u64::from(job % 4))).await;
        done.set(done.get() + 1);
        page::add_line("queue-log", &format!("worker {worker}: job {job}"))?.scroll_into_view();
        page::set_bar("queue-bar", f64::from(done.get()) / f64::from(jobs.max(1)))?;
        let _ = queue.task_done();
    }
    Ok(())
}
