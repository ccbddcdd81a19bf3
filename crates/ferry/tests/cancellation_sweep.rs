//! Each waiter of each primitive is cancelled at each of its await points, under many orders: nothing is lost, nothing is
//! left behind, and those that stay are served in their order. Each test says how many schedules it ran; one that fails names
//! its seed, and `FERRY_SEED` runs that again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{
    TaskHandle, spawn_local,
    sync::{
        Barrier, BoundedSemaphore, BrokenBarrier, Condition, Event, Fifo, Lifo, Lock, Priority, Queue,
        QueueWith, Semaphore, Shutdown, Storage,
    },
    testing::{self, CancelPoint},
    yield_now,
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    io::Write,
    rc::Rc,
};

const SEEDS: u64 = 100;

/// Sweeps `scenario`. Its report goes past the test harness, which would keep it to itself.
fn sweep<F: Future<Output = ()>>(name: &str, scenario: impl FnMut(CancelPoint) -> F) {
    let schedules = testing::seeds(SEEDS).sweep(scenario);
    let mut stderr = std::io::stderr();
    writeln!(stderr, "cancellation sweep, {name}: {schedules} schedules").unwrap();
}

/// Starts `count` tasks that are alike, in this order, and gives each its number.
fn start<F: Future + 'static>(count: usize, task: impl Fn(usize) -> F) -> Vec<TaskHandle<F::Output>> {
    (0..count).map(|number| spawn_local(task(number))).collect()
}

async fn all<T>(tasks: Vec<TaskHandle<T>>) -> Vec<T> {
    let mut ended = Vec::new();
    for task in tasks {
        ended.push(task.await.unwrap());
    }
    ended
}

async fn turns() {
    for _ in 0..10 {
        yield_now().await;
    }
}

/// Numbers of those that got to go on, in their order.
type Log = Rc<RefCell<Vec<usize>>>;

#[test]
fn event() {
    sweep("Event", |point| async move {
        let event = Rc::new(Event::new());
        let waiters = start(4, |_| {
            let (event, point) = (event.clone(), point.clone());
            async move { point.cancel(event.wait()).await.is_some() }
        });
        yield_now().await;
        event.set();
        event.clear();
        let late = spawn_local({
            let event = event.clone();
            async move { event.wait().await }
        });
        turns().await;
        event.set();
        let woken = all(waiters).await.into_iter().filter(|woken| *woken).count();
        late.await.unwrap();
        assert!(woken >= 3);
        assert_eq!(format!("{event:?}"), "Event { set: true, waiters: 0 }");
    });
}

#[test]
fn lock() {
    sweep("Lock", |point| async move {
        let (lock, asked, log) = (Rc::new(Lock::new(0)), Log::default(), Log::default());
        let held = lock.acquire().await;
        let tasks = start(4, |number| {
            let (lock, point, asked, log) = (lock.clone(), point.clone(), asked.clone(), log.clone());
            async move {
                asked.borrow_mut().push(number);
                let Some(mut inside) = point.cancel(lock.acquire()).await else { return };
                *inside += 1;
                yield_now().await;
                *inside -= 1;
                assert_eq!(*inside, 0, "only one is inside");
                log.borrow_mut().push(number);
            }
        });
        turns().await;
        drop(held);
        all(tasks).await;
        let served = log.borrow();
        let expected: Vec<_> =
            asked.borrow().iter().copied().filter(|number| served.contains(number)).collect();
        assert_eq!(*served, expected);
        assert!(served.len() >= 3 && !lock.locked() && lock.try_acquire().is_some());
    });
}

#[test]
fn semaphore() {
    sweep("Semaphore", |point| async move {
        let (semaphore, inside) = (Rc::new(Semaphore::new(2)), Rc::new(Cell::new(0)));
        let tasks = start(5, |_| {
            let (semaphore, inside, point) = (semaphore.clone(), inside.clone(), point.clone());
            async move {
                let Some(_permit) = point.cancel(semaphore.acquire()).await else { return false };
                inside.set(inside.get() + 1);
                assert!(inside.get() <= 2);
                yield_now().await;
                inside.set(inside.get() - 1);
                true
            }
        });
        let served = all(tasks).await.into_iter().filter(|served| *served).count();
        assert!(served >= 4);
        assert_eq!((semaphore.permits(), semaphore.locked()), (2, false));
    });
}

#[test]
fn bounded_semaphore() {
    sweep("BoundedSemaphore", |point| async move {
        let semaphore = Rc::new(BoundedSemaphore::new(1));
        let tasks = start(3, |_| {
            let (semaphore, point) = (semaphore.clone(), point.clone());
            async move {
                if let Some(permit) = point.cancel(semaphore.acquire_owned()).await {
                    yield_now().await;
                    permit.forget();
                    semaphore.release().unwrap();
                }
            }
        });
        all(tasks).await;
        assert_eq!(semaphore.permits(), 1);
        semaphore.release().unwrap_err();
    });
}

#[test]
fn condition() {
    sweep("Condition", |point| async move {
        let shared = Rc::new((Lock::new(()), Condition::new()));
        let woken = Rc::new(Cell::new(0));
        let tasks = start(4, |_| {
            let (shared, woken, point) = (shared.clone(), woken.clone(), point.clone());
            async move {
                let guard = shared.0.acquire().await;
                let waited = point.cancel(shared.1.wait(guard)).await.is_some();
                woken.set(woken.get() + usize::from(waited));
                waited
            }
        });
        turns().await;
        // Two notifications are for two that stay, whoever of those that they were for gives up.
        shared.1.notify(2);
        turns().await;
        assert_eq!(woken.get(), 2);
        shared.1.notify_all();
        let stayed = all(tasks).await.into_iter().filter(|stayed| *stayed).count();
        assert!(stayed >= 3 && woken.get() == stayed);
        assert!(!shared.0.locked());
    });
}

#[test]
fn barrier() {
    sweep("Barrier", |point| async move {
        let barrier = Rc::new(Barrier::new(3));
        let tasks = start(4, |_| {
            let (barrier, point) = (barrier.clone(), point.clone());
            async move { point.cancel(barrier.wait()).await }
        });
        turns().await;
        // Three passed, or two did while one that was called is gone; one is left at most.
        assert!(barrier.n_waiting() <= 1);
        barrier.abort();
        let ended = all(tasks).await;
        let of =
            |wanted: Option<Result<usize, BrokenBarrier>>| ended.iter().filter(|end| **end == wanted).count();
        let (gone, broken) = (of(None), of(Some(Err(BrokenBarrier))));
        assert!(gone <= 1 && broken <= 1 && gone + broken <= 2);
        assert!(4 - gone - broken >= 2, "{ended:?}");
        barrier.reset();
        let again = start(3, |_| {
            let barrier = barrier.clone();
            async move { barrier.wait().await }
        });
        let mut places: Vec<_> = all(again).await.into_iter().map(Result::unwrap).collect();
        places.sort_unstable();
        assert_eq!(places, [0, 1, 2]);
    });
}

/// Items of two producers go to two consumers through a queue of one place; each wait of each of them may be cancelled.
async fn traffic<S: Storage<u32> + 'static>(point: CancelPoint) -> Vec<u32> {
    let queue = Rc::new(QueueWith::<u32, S>::new(1));
    let producers = start(2, |number| {
        let (queue, point) = (queue.clone(), point.clone());
        async move {
            let mut put = Vec::new();
            for item in 0..4 {
                let item = 10 * number as u32 + item;
                let mut putting = queue.put(item);
                match point.cancel(&mut putting).await {
                    Some(done) => {
                        done.unwrap();
                        put.push(item);
                    }
                    None => assert_eq!(putting.take_item(), Some(item), "it was not put"),
                }
            }
            put
        }
    });
    let got = Rc::new(RefCell::new(Vec::new()));
    let consumers = start(2, |_| {
        let (queue, got, point) = (queue.clone(), got.clone(), point.clone());
        async move {
            loop {
                match point.cancel(queue.get()).await {
                    Some(Ok(item)) => {
                        got.borrow_mut().push(item);
                        yield_now().await;
                        queue.task_done().unwrap();
                    }
                    Some(Err(_)) => return,
                    None => {}
                }
            }
        }
    });
    let mut put: Vec<_> = all(producers).await.concat();
    // A join that is cancelled is asked for again.
    if point.cancel(queue.join()).await.is_none() {
        queue.join().await;
    }
    queue.shutdown(Shutdown::Drain);
    all(consumers).await;
    assert_eq!((queue.qsize(), queue.unfinished()), (0, 0));
    let in_order = got.take();
    let mut got = in_order.clone();
    got.sort_unstable();
    put.sort_unstable();
    assert_eq!(got, put, "each item that was put came out, once");
    in_order
}

#[test]
fn queue() {
    sweep("Queue", |point| async move {
        let got = traffic::<Fifo<u32>>(point).await;
        for producer in [0, 1] {
            let own: Vec<_> = got.iter().filter(|item| **item / 10 == producer).collect();
            assert!(own.is_sorted(), "those of one producer come in order: {got:?}");
        }
    });
}

#[test]
fn getters_that_stay_get_what_was_put() {
    sweep("Queue, one-time getters", |point| async move {
        let queue = Rc::new(Queue::new(0));
        let getters = start(4, |_| {
            let (queue, point) = (queue.clone(), point.clone());
            async move { point.cancel(queue.get()).await }
        });
        turns().await;
        for item in 0..3 {
            queue.put_nowait(item).unwrap();
            yield_now().await;
        }
        turns().await;
        // Whoever gives up, there are three others for the three items.
        assert_eq!(queue.qsize(), 0);
        queue.shutdown(Shutdown::Drain);
        let mut got: Vec<_> = all(getters).await.into_iter().flatten().filter_map(Result::ok).collect();
        got.sort_unstable();
        assert_eq!(got, [0, 1, 2]);
    });
}

#[test]
fn priority_queue() {
    sweep("PriorityQueue", |point| async move { drop(traffic::<Priority<u32>>(point).await) });
}

#[test]
fn lifo_queue() {
    sweep("LifoQueue", |point| async move { drop(traffic::<Lifo<u32>>(point).await) });
}

#[test]
fn a_queue_that_is_shut_down_while_all_wait() {
    sweep("Queue, shut down", |point| async move {
        let queue = Rc::new(Queue::new(1));
        queue.put_nowait(1).unwrap();
        let producers = start(2, |number| {
            let (queue, point) = (queue.clone(), point.clone());
            async move { point.cancel(queue.put(number)).await.is_some_and(|put| put.is_ok()) }
        });
        yield_now().await;
        queue.shutdown(Shutdown::Immediate);
        let put = all(producers).await.into_iter().filter(|put| *put).count();
        // What came in before the shutdown was dropped by it, and counts as done.
        assert!(put == 0 && queue.is_empty());
        queue.join().await;
        queue.get().await.unwrap_err();
    });
}
