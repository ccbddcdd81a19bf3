//! Aborting and detaching: what ends when, on which thread its destructors run, and who hears of it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::async_yields_async, reason = "handles and sleeps leave their loop on purpose")]

use asyncferry::{
    AsyncError, AsyncRuntime, Order, TaskBuilder, TaskHandle, promise, sleep, spawn, spawn_blocking,
    spawn_local, yield_now,
};
use std::{
    cell::RefCell,
    future::{pending, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    task::{Poll, Waker},
    thread,
    time::Duration,
};

/// Says its word when it's dropped, and on which thread.
#[derive(Clone)]
struct Log(Arc<Mutex<Vec<(&'static str, thread::ThreadId)>>>);

struct OnDrop(Log, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

impl Log {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn say(&self, word: &'static str) {
        self.0.lock().unwrap().push((word, thread::current().id()));
    }

    fn said(&self) -> String {
        self.0.lock().unwrap().iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" ")
    }

    /// A local task that parks for ever and says its word when it's dropped.
    fn parked(&self, word: &'static str) -> TaskHandle<()> {
        let owned = OnDrop(self.clone(), word);
        spawn_local(async move {
            let _owned = owned;
            pending().await
        })
    }
}

fn cancelled<T>(ended: &Result<T, AsyncError>) -> bool {
    matches!(ended, Err(AsyncError::Cancelled(text)) if text.contains("aborted"))
}

#[test]
fn a_task_aborted_before_its_first_poll_never_runs() {
    AsyncRuntime::block_on(async {
        let log = Log::new();
        let (owned, said) = (OnDrop(log.clone(), "dropped"), log.clone());
        let task = spawn_local(async move {
            let _owned = owned;
            said.say("ran");
        });
        task.abort();
        assert!(!task.is_finished(), "it ends at its turn, not inside abort");
        assert!(cancelled(&task.await));
        assert_eq!(log.said(), "dropped");
    });
}

#[test]
fn a_parked_task_drops_what_it_owns_before_its_handle_reports() {
    AsyncRuntime::block_on(async {
        let log = Log::new();
        let task = log.parked("dropped");
        yield_now().await;
        task.abort();
        task.abort();
        assert_eq!(log.said(), "");
        assert!(cancelled(&task.await));
        assert_eq!(log.said(), "dropped");
    });
}

#[test]
fn aborting_from_another_thread_runs_the_destructor_on_the_loops_thread() {
    for _ in 0..50 {
        AsyncRuntime::block_on(async {
            let log = Log::new();
            let task = log.parked("dropped");
            yield_now().await;
            let elsewhere = thread::spawn(move || {
                task.abort();
                futures_lite::future::block_on(task)
            });
            while !elsewhere.is_finished() {
                yield_now().await;
            }
            assert!(cancelled(&elsewhere.join().unwrap()));
            assert_eq!(*log.0.lock().unwrap(), [("dropped", thread::current().id())]);
        });
    }
}

#[test]
fn an_abort_from_another_thread_wakes_a_loop_that_sleeps() {
    AsyncRuntime::block_on(async {
        let task = Log::new().parked("dropped");
        yield_now().await;
        let (send, receive) = promise();
        thread::spawn(move || {
            task.abort();
            send.complete(Arc::new(Mutex::new(Some(task)))).unwrap_or_else(|_| panic!("settled already"));
        });
        let task = receive.await.unwrap().lock().unwrap().take().unwrap();
        assert!(cancelled(&task.await));
    });
}

#[test]
fn a_task_that_has_ended_keeps_its_result() {
    AsyncRuntime::block_on(async {
        let task = spawn_local(async { 5 });
        yield_now().await;
        assert!(task.is_finished());
        task.abort();
        assert_eq!(task.await, Ok(5));
        let failed = spawn_local(async { panic!("boom") });
        yield_now().await;
        failed.abort();
        assert_eq!(failed.await, Err::<(), _>(AsyncError::Panic("boom".to_owned())));
    });
}

type Slot = Rc<RefCell<Option<TaskHandle<u32>>>>;

#[test]
fn a_task_that_aborts_itself_ends_where_it_waits_next() {
    AsyncRuntime::block_on(async {
        let own: Slot = Slot::default();
        let (there, log) = (own.clone(), Log::new());
        let said = log.clone();
        *own.borrow_mut() = Some(spawn_local(async move {
            there.borrow().as_ref().unwrap().abort();
            said.say("still here");
            yield_now().await;
            said.say("never");
            1
        }));
        yield_now().await;
        yield_now().await;
        let task = own.take().unwrap();
        assert!(task.is_finished());
        assert!(cancelled(&task.await));
        assert_eq!(log.said(), "still here");
    });
}

#[test]
fn a_task_that_aborts_itself_and_ends_at_once_keeps_its_result() {
    AsyncRuntime::block_on(async {
        let own: Slot = Slot::default();
        let there = own.clone();
        *own.borrow_mut() = Some(spawn_local(async move {
            there.borrow().as_ref().unwrap().abort();
            1
        }));
        yield_now().await;
        let task = own.take().unwrap();
        assert_eq!(task.await, Ok(1));
    });
}

#[test]
fn a_task_whose_handle_is_dropped_runs_on() {
    let log = Log::new();
    AsyncRuntime::block_on(async {
        let said = log.clone();
        drop(spawn_local(async move {
            for _ in 0..3 {
                yield_now().await;
            }
            said.say("ran on");
        }));
        for _ in 0..5 {
            yield_now().await;
        }
    });
    assert_eq!(log.said(), "ran on");
}

#[test]
fn a_detached_task_whose_wakers_are_gone_is_dropped_at_the_end_of_the_loop() {
    let log = Log::new();
    AsyncRuntime::block_on(async {
        drop(log.parked("lost"));
        for _ in 0..10 {
            yield_now().await;
        }
        log.say("main");
    });
    assert_eq!(log.said(), "main lost");
    assert!(log.0.lock().unwrap().iter().all(|(_, on)| *on == thread::current().id()));
}

#[test]
fn the_end_of_block_on_drops_what_is_left_the_ready_ones_first() {
    let log = Log::new();
    let kept = AsyncRuntime::block_on(async {
        let kept = log.parked("a");
        drop(log.parked("b"));
        yield_now().await;
        drop(log.parked("never polled"));
        log.say("main");
        kept
    });
    assert_eq!(log.said(), "main never polled a b");
    assert!(kept.is_finished());
    assert!(matches!(futures_lite::future::block_on(kept), Err(AsyncError::JoinError(_))));
}

#[test]
fn a_destructor_at_the_end_may_spawn_which_is_refused() {
    struct Spawns(Log, Rc<RefCell<Option<TaskHandle<()>>>>);
    impl Drop for Spawns {
        fn drop(&mut self) {
            let owned = OnDrop(self.0.clone(), "refused");
            let late = spawn_local(async move { drop(owned) });
            if late.is_finished() {
                self.0.say("at once");
            }
            *self.1.borrow_mut() = Some(late);
        }
    }
    let (log, late) = (Log::new(), Rc::default());
    AsyncRuntime::block_on(async {
        let owned = Spawns(log.clone(), Rc::clone(&late));
        drop(spawn_local(async move {
            let _owned = owned;
            pending::<()>().await
        }));
        yield_now().await;
    });
    assert_eq!(log.said(), "refused at once");
    let late = late.take().unwrap();
    assert!(late.is_finished());
    late.abort();
    assert!(matches!(futures_lite::future::block_on(late), Err(AsyncError::Cancelled(_))));
}

#[test]
fn a_destructor_at_the_end_may_wake_and_abort_others() {
    struct Meddles(TaskHandle<()>, asyncferry::Promise<u32>, Log);
    impl Drop for Meddles {
        fn drop(&mut self) {
            self.0.abort();
            // The task that waited for it was dropped before this one, and with it the last future.
            self.2.say(if self.1.complete(1).is_ok() { "settled" } else { "cancelled" });
        }
    }
    let log = Log::new();
    AsyncRuntime::block_on(async {
        let (promise, future) = promise();
        drop(spawn_local(future));
        let owned = Meddles(log.parked("other"), promise, log.clone());
        drop(spawn_local(async move {
            let _owned = owned;
            pending::<()>().await
        }));
        yield_now().await;
    });
    assert_eq!(log.said(), "other cancelled");
}

#[test]
fn a_local_tasks_handle_may_be_awaited_on_another_thread() {
    let (result, waited_on) = mpsc::channel();
    AsyncRuntime::block_on(async {
        let shared = Rc::new(3);
        let task = spawn_local(async move {
            sleep(Duration::from_micros(200)).await;
            shared.to_string()
        });
        let waiting = spawn(async move { result.send((task.await, thread::current().id())).unwrap() });
        waiting.await.unwrap();
    });
    let (result, on) = waited_on.recv().unwrap();
    assert_eq!(result, Ok("3".to_owned()));
    assert_ne!(on, thread::current().id());
}

#[test]
fn handles_await_each_other_across_two_loops() {
    let (handles, received) = mpsc::channel::<TaskHandle<u32>>();
    let (finish, finished) = promise();
    let other = thread::spawn(move || {
        AsyncRuntime::block_on(async move {
            handles.send(spawn_local(async { 1 })).unwrap();
            handles.send(spawn_local(pending())).unwrap();
            drop(handles);
            finished.await.unwrap();
        });
    });
    AsyncRuntime::block_on(async {
        let (first, second) = (received.recv().unwrap(), received.recv().unwrap());
        assert_eq!(first.await, Ok(1));
        second.abort();
        assert!(cancelled(&second.await));
        finish.complete(()).unwrap();
    });
    other.join().unwrap();
}

#[test]
fn an_aborted_pool_task_is_cancelled_and_dropped() {
    AsyncRuntime::block_on(async {
        let log = Log::new();
        let owned = OnDrop(log.clone(), "dropped");
        let (started, start) = promise();
        let task = spawn(async move {
            let _owned = owned;
            started.complete(()).unwrap();
            pending::<()>().await
        });
        start.await.unwrap();
        task.abort();
        assert!(cancelled(&task.await));
        assert_eq!(log.said(), "dropped");
    });
}

#[test]
fn is_finished_tells_in_every_state() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let task = spawn_local(yield_now());
        assert!(!task.is_finished());
        yield_now().await;
        assert!(!task.is_finished());
        yield_now().await;
        yield_now().await;
        assert!(task.is_finished());
    });
    AsyncRuntime::block_on(async {
        let (release, released) = mpsc::channel::<()>();
        let task = spawn_blocking(move || released.recv());
        assert!(!task.is_finished());
        drop(release);
        assert!(task.await.unwrap().is_err());
    });
}

#[test]
fn ids_are_unique_and_names_are_kept() {
    let mut ids = Vec::new();
    for _ in 0..3 {
        AsyncRuntime::block_on(async {
            let named = TaskBuilder::new().name("named").spawn_local(async {}).unwrap();
            assert_eq!(named.name(), Some("named"));
            assert!(format!("{named:?}").contains("named"));
            ids.push(named.id());
            for task in [spawn_local(async {}), spawn(async {}), spawn_blocking(|| ())] {
                assert_eq!(task.name(), None);
                ids.push(task.id());
                task.await.unwrap();
            }
        });
    }
    let (count, texts) = (ids.len(), ids.iter().map(ToString::to_string));
    assert_eq!(texts.collect::<std::collections::BTreeSet<_>>().len(), count);
}

#[test]
fn a_result_is_given_once() {
    AsyncRuntime::block_on(async {
        let mut task = spawn_local(async { 1 });
        assert_eq!((&mut task).await, Ok(1));
        let again = spawn_local(task);
        assert!(matches!(again.await, Err(AsyncError::Panic(_))));
    });
}

#[test]
fn a_waker_kept_beyond_its_task_wakes_nothing() {
    AsyncRuntime::block_on(async {
        let (kept, ran) = (Rc::new(RefCell::new(None::<Waker>)), Arc::new(AtomicBool::new(false)));
        let there = kept.clone();
        spawn_local(poll_fn(move |cx| {
            *there.borrow_mut() = Some(cx.waker().clone());
            Poll::Ready(())
        }))
        .await
        .unwrap();
        let noticed = ran.clone();
        let next = spawn_local(async move {
            pending::<()>().await;
            noticed.store(true, SeqCst);
        });
        let waker = kept.take().unwrap();
        waker.wake_by_ref();
        thread::spawn(move || waker.wake()).join().unwrap();
        yield_now().await;
        yield_now().await;
        assert!(!ran.load(SeqCst) && !next.is_finished());
        let mut next = next;
        let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut next).poll(cx).is_pending())).await;
        assert!(polled);
    });
}
