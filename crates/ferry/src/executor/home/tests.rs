//! The task cell and the loop, driven by hand without tokio's driver, so that Miri can watch all of it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::async_yields_async, reason = "handles and sleeps leave their loop on purpose")]

use super::*;
use crate::{
    AsyncError, Instant, TaskHandle, executor::Crash, hold_clock, promise, sleep, sleep_until, spawn_local,
    timeout, yield_now,
};
use futures_lite::future::{pending, poll_fn, poll_once};
use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::{Context, Wake},
    thread,
    time::Duration,
};

/// Fewer rounds under Miri, which is some thousand times slower.
const fn rounds(natively: usize, under_miri: usize) -> usize {
    if cfg!(miri) { under_miri } else { natively }
}

struct EndLoop;

impl Drop for EndLoop {
    fn drop(&mut self) {
        with_loop(Loop::shut_down);
    }
}

/// Starts a loop with this main task. The first of the two is dropped first, which ends the loop.
fn start<F: Future>(order: Option<Order>, main: F) -> (EndLoop, Spawned<F::Output>) {
    let here = with_loop(|home| home.start(order)).unwrap();
    // SAFETY: each test here keeps what it is given in one place, and drops the first of it first, before what
    // `main` borrows is gone.
    (EndLoop, with_loop(|home| unsafe { home.spawn_main(here, main) }))
}

/// Runs `main` as `block_on` does, but where the pump would sleep this looks again.
pub(crate) fn run<F: Future>(order: Option<Order>, main: F) -> F::Output {
    let (ending, mut main) = start(order, main);
    loop {
        match with_loop(Loop::turn) {
            Turn::Stop => break,
            Turn::Jump { to, ran: 0 } => with_loop(|home| home.jump(to)),
            _ => thread::yield_now(),
        }
    }
    drop(ending);
    match Pin::new(&mut main.task).poll(&mut Context::from_waker(Waker::noop())).map(Ended::into_result) {
        Poll::Ready(Ok(output)) => output,
        Poll::Ready(Err(crash)) => match *crash {
            Crash::Panic(payload) => std::panic::resume_unwind(payload),
            _ => panic!("the main task was aborted"),
        },
        Poll::Pending => panic!("the loop stopped before its main task ended"),
    }
}

/// Runs turns until there is nothing to run; how the last one ended.
fn settle() -> Turn {
    loop {
        match with_loop(Loop::turn) {
            Turn::Busy => {}
            rest => return rest,
        }
    }
}

#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn say(&self, word: &str) {
        self.0.borrow_mut().push(word.to_owned());
    }

    fn said(&self) -> String {
        self.0.borrow().join(" ")
    }
}

/// Says a word when it's dropped. `Rc` inside makes it bound to its thread.
struct OnDrop(Log, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

struct PanicOnDrop(&'static str);

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

fn text(error: AsyncError) -> String {
    error.to_string()
}

#[test]
fn tasks_that_are_bound_to_their_thread_share_what_main_borrows() {
    let (mut local, log) = (String::from("borrowed"), Log::default());
    let length = run(None, async {
        let tasks: Vec<_> = ["a", "b"]
            .map(|word| {
                let log = log.clone();
                spawn_local(async move {
                    log.say(word);
                    yield_now().await;
                    log.say(word);
                    Rc::new(word)
                })
            })
            .into_iter()
            .collect();
        for task in tasks {
            local.push_str(*task.await.unwrap());
        }
        local.len()
    });
    assert_eq!((length, local.as_str(), log.said().as_str()), (10, "borrowedab", "a b a b"));
}

#[test]
fn a_panic_becomes_an_error_whether_it_polls_or_drops() {
    let log = Log::default();
    let said = log.clone();
    run(None, async move {
        let polled = spawn_local({
            let dropped = OnDrop(said.clone(), "unwound");
            async move {
                let _dropped = dropped;
                yield_now().await;
                panic!("polled")
            }
        });
        assert_eq!(polled.await.map_err(text), Err::<(), _>("panicked: polled".to_owned()));
        let owned = PanicOnDrop("ended");
        let ended = spawn_local(poll_fn(move |_| {
            let _owned = &owned;
            Poll::Ready(())
        }));
        assert_eq!(ended.await.map_err(text), Err("panicked: ended".to_owned()));
        let owned = PanicOnDrop("aborted");
        let aborted = spawn_local(poll_fn(move |_| {
            let _owned = &owned;
            Poll::<()>::Pending
        }));
        yield_now().await;
        aborted.abort();
        assert_eq!(aborted.await.map_err(text), Err("panicked: aborted".to_owned()));
        said.say("end");
    });
    assert_eq!(log.said(), "unwound end");
}

#[test]
fn an_aborted_task_drops_what_it_owns_before_its_handle_reports() {
    let log = Log::default();
    let said = log.clone();
    run(None, async move {
        let owned = OnDrop(said.clone(), "dropped");
        let task = spawn_local(async move {
            let _owned = owned;
            pending::<()>().await;
        });
        yield_now().await;
        task.abort();
        assert!(!task.is_finished());
        assert!(matches!(task.await, Err(AsyncError::Cancelled(_))));
        said.say("reported");
        let owned = OnDrop(said.clone(), "never polled");
        let early = spawn_local(async move { drop(owned) });
        early.abort();
        assert!(early.await.is_err());
    });
    assert_eq!(log.said(), "dropped reported never polled");
}

#[test]
fn the_end_of_the_loop_drops_detached_tasks_that_nobody_could_wake() {
    let log = Log::default();
    run(None, {
        let log = log.clone();
        async move {
            for word in ["first", "second"] {
                let owned = OnDrop(log.clone(), word);
                drop(spawn_local(async move {
                    let _owned = owned;
                    // Parks without keeping its waker.
                    pending::<()>().await;
                }));
            }
            yield_now().await;
            log.say("main");
        }
    });
    assert_eq!(log.said(), "main first second");
}

#[test]
fn a_destructor_that_spawns_while_the_loop_ends_is_refused() {
    // What is asserted in a destructor would be caught with its panic, so it's written down.
    type Seen = Rc<RefCell<Vec<(bool, Poll<Result<(), AsyncError>>)>>>;
    struct SpawnOnDrop(Log, Seen);
    impl Drop for SpawnOnDrop {
        fn drop(&mut self) {
            let owned = OnDrop(self.0.clone(), "refused");
            let mut late = spawn_local(async move { drop(owned) });
            late.abort();
            let polled = Pin::new(&mut late).poll(&mut Context::from_waker(Waker::noop()));
            self.1.borrow_mut().push((late.is_finished(), polled));
        }
    }
    let (log, seen) = (Log::default(), Seen::default());
    run(None, async {
        let owned = SpawnOnDrop(log.clone(), seen.clone());
        drop(spawn_local(async move {
            let _owned = owned;
            pending::<()>().await;
        }));
        yield_now().await;
    });
    assert_eq!(log.said(), "refused");
    let seen = seen.take();
    assert!(matches!(&seen[..], [(true, Poll::Ready(Err(AsyncError::Cancelled(_))))]), "{seen:?}");
}

#[test]
fn each_wake_from_another_thread_is_followed_by_a_poll() {
    let rounds = rounds(2_000, 20);
    run(None, async {
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let (waker_out, wakers) = mpsc::channel::<Waker>();
                // Wakes once for each poll: a wake that is lost stops both sides.
                let waking = thread::spawn(move || wakers.into_iter().for_each(Waker::wake));
                spawn_local(async move {
                    for _ in 0..rounds {
                        let mut sent = false;
                        poll_fn(|cx| {
                            if std::mem::replace(&mut sent, true) {
                                return Poll::Ready(());
                            }
                            waker_out.send(cx.waker().clone()).unwrap();
                            Poll::Pending
                        })
                        .await;
                    }
                    drop(waker_out);
                    waking.join().unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn a_handle_is_awaited_on_another_thread_and_outlives_the_loop() {
    let (handle, waiting) = run(None, async {
        let task = spawn_local(async {
            yield_now().await;
            Rc::new(5).to_string()
        });
        let waiting = thread::spawn(move || futures_lite::future::block_on(task).unwrap());
        // Dropped on yet another thread, with the output that nobody took in it.
        let unread = spawn_local(async { vec![1, 2, 3] });
        yield_now().await;
        while !unread.is_finished() {
            yield_now().await;
        }
        thread::spawn(move || drop(unread)).join().unwrap();
        let left = spawn_local(pending::<()>());
        while !waiting.is_finished() {
            yield_now().await;
        }
        (left, waiting)
    });
    assert_eq!(waiting.join().unwrap(), "5");
    assert!(handle.is_finished());
    handle.abort();
    assert!(matches!(futures_lite::future::block_on(handle), Err(AsyncError::JoinError(_))));
}

#[test]
fn wakers_that_outlive_their_loop_disturb_no_later_one() {
    let late = run(None, async {
        let (waker_out, wakers) = mpsc::channel();
        drop(spawn_local(poll_fn(move |cx| {
            waker_out.send(cx.waker().clone()).unwrap();
            Poll::<()>::Pending
        })));
        yield_now().await;
        wakers.try_recv().unwrap()
    });
    late.wake_by_ref();
    let elsewhere = late.clone();
    let polls = Rc::new(Cell::new(0));
    run(None, {
        let polls = polls.clone();
        async move {
            let counted = spawn_local(poll_fn(move |_| {
                polls.set(polls.get() + 1);
                Poll::<()>::Pending
            }));
            yield_now().await;
            late.wake();
            thread::spawn(move || elsewhere.wake()).join().unwrap();
            yield_now().await;
            drop(counted);
        }
    });
    assert_eq!(polls.get(), 1);
}

#[test]
fn aborting_from_another_thread_races_with_the_tasks_end() {
    for _ in 0..rounds(300, 8) {
        let ended = run(None, async {
            let log = Log::default();
            let owned = OnDrop(log.clone(), "dropped");
            let task = Arc::new(Mutex::new(spawn_local(async move {
                let _owned = owned;
                yield_now().await;
                yield_now().await;
            })));
            let aborter = task.clone();
            let aborting = thread::spawn(move || {
                aborter.lock().unwrap().abort();
                drop(aborter);
            });
            let ended = poll_fn(|cx| Pin::new(&mut *task.lock().unwrap()).poll(cx)).await;
            assert_eq!(log.said(), "dropped");
            aborting.join().unwrap();
            ended
        });
        assert!(matches!(ended, Ok(()) | Err(AsyncError::Cancelled(_))), "{ended:?}");
    }
}

#[test]
fn a_late_abort_does_not_hit_the_task_that_took_the_slot() {
    run(None, async {
        let first = spawn_local(async {});
        yield_now().await;
        let slot = Rc::new(Cell::new(0));
        let second = spawn_local({
            let slot = slot.clone();
            async move {
                yield_now().await;
                slot.set(1);
            }
        });
        // What a handle elsewhere posts when it saw the first task alive a moment ago.
        let here = with_loop(Loop::here).unwrap();
        for number in 2..=3 {
            here.remote.post(Letter::Abort { id: here.id + 1, slot: 1, number });
            here.remote.post(Letter::Abort { id: here.id, slot: 1, number: 2 });
        }
        first.abort();
        assert_eq!(second.await, Ok(()));
        assert_eq!((slot.get(), first.await), (1, Ok(())));
    });
}

#[test]
fn a_sleep_dropped_on_another_thread_takes_its_timer_back() {
    run(Some(Order::Fifo), async {
        let mut far = sleep(Duration::from_secs(60));
        assert_eq!(poll_once(&mut far).await, None);
        thread::spawn(move || drop(far)).join().unwrap();
        let start = Instant::now();
        yield_now().await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        assert_eq!(with_loop(|home| home.timers.borrow_mut().next(true)), None);
    });
}

#[test]
fn a_sleep_of_an_ended_loop_completes_at_its_own_deadline_in_the_next() {
    let mut moved = run(None, async {
        let mut sleeping = sleep(Duration::from_secs(3600));
        assert_eq!(poll_once(&mut sleeping).await, None);
        sleeping
    });
    run(None, async {
        // Takes the same place in the same pooled loop, and fires.
        let mut short = sleep_until(Instant::now());
        assert_eq!(poll_once(&mut short).await, None);
        yield_now().await;
        // The place is that of a timer which is over, but not of this one.
        assert_eq!(poll_once(&mut moved).await, None);
        assert_eq!(poll_once(&mut short).await, Some(()));
        drop(moved);
    });
}

#[test]
fn a_sleep_that_never_ends_is_not_jumped_to() {
    let _running = start(Some(Order::Fifo), sleep(Duration::MAX));
    assert_eq!(settle(), Turn::Idle(None));
}

#[test]
fn a_held_clock_lets_the_pump_sleep_until_the_hold_is_dropped() {
    let _running = start(Some(Order::Fifo), async { sleep(Duration::from_secs(1)).await });
    let (first, second) = (hold_clock(), hold_clock());
    assert_eq!(settle(), Turn::Idle(None));
    drop(first);
    assert_eq!(settle(), Turn::Idle(None));
    thread::spawn(move || drop(second)).join().unwrap();
    assert!(matches!(settle(), Turn::Jump { .. }));
}

#[test]
fn a_turn_ends_for_others_and_the_next_goes_on_in_the_same_tick() {
    let log = Rc::new(RefCell::new(Vec::new()));
    // Under Miri a turn ends sooner, by the clock.
    let count = rounds(2 * TURN_TASKS as usize, 100);
    let main = {
        let log = log.clone();
        async move {
            for number in 0..count {
                let log = log.clone();
                drop(spawn_local(async move {
                    log.borrow_mut().push(number);
                    yield_now().await;
                    log.borrow_mut().push(number);
                }));
            }
            pending::<()>().await;
        }
    };
    let _running = start(None, main);
    let mut turns = 0;
    while let Turn::Busy = with_loop(Loop::turn) {
        turns += 1;
    }
    assert!(turns >= 3, "{turns} turns for {} polls", 2 * count);
    assert!(*log.borrow() == (0..count).chain(0..count).collect::<Vec<_>>(), "not first in, first out");
}

/// A waker that owns a sleep, as those of combinators do that keep their futures beside their wakers.
struct OwnsSleep(#[expect(dead_code, reason = "owned for its destructor")] Mutex<Option<crate::Sleep>>);

impl Wake for OwnsSleep {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_waker_that_owns_a_timer_may_be_replaced_by_another() {
    run(Some(Order::Fifo), async {
        let mut owned = sleep(Duration::from_secs(5));
        assert_eq!(poll_once(&mut owned).await, None);
        let waker = Waker::from(Arc::new(OwnsSleep(Mutex::new(Some(owned)))));
        let mut outer = pin!(sleep(Duration::from_secs(1)));
        assert!(outer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        // From here on only the timer holds the first waker; polling again drops it.
        drop(waker);
        assert_eq!(poll_once(&mut outer).await, None);
        outer.await;
    });
}

#[test]
fn a_detached_task_whose_output_panics_when_dropped_hurts_nobody() {
    let log = Log::default();
    run(None, async {
        drop(spawn_local(async { PanicOnDrop("output") }));
        yield_now().await;
        log.say("after");
        // The output of this one is dropped as the loop ends.
        drop(spawn_local(async { PanicOnDrop("output") }));
    });
    assert_eq!(log.said(), "after");
}

#[test]
fn a_panicking_output_does_not_hide_the_destructors_panic() {
    run(None, async {
        let owned = PanicOnDrop("future");
        let task = spawn_local(poll_fn(move |_| {
            let _owned = &owned;
            Poll::Ready(PanicOnDrop("output"))
        }));
        assert_eq!(task.await.map(|_| ()).map_err(text), Err("panicked: future".to_owned()));
    });
}

#[test]
fn main_gives_its_panic_on_with_the_payload() {
    let caught = catch_unwind(AssertUnwindSafe(|| run(None, async { std::panic::panic_any(41_u8) })));
    assert_eq!(caught.unwrap_err().downcast_ref::<u8>(), Some(&41));
    assert_eq!(run(None, async { 1 }), 1);
}

#[test]
fn many_tasks_await_promises_that_other_threads_settle() {
    let count = rounds(5_000, 30);
    let sum = run(None, async {
        let (mut tasks, mut promises) = (Vec::new(), [Vec::new(), Vec::new()]);
        for number in 0..count {
            let (promise, future) = promise();
            promises[number % 2].push((promise, number));
            tasks.push(spawn_local(timeout(Duration::from_secs(600), future)));
        }
        let settled = Arc::new(AtomicUsize::new(0));
        for half in promises {
            let settled = settled.clone();
            thread::spawn(move || {
                for (promise, number) in half {
                    promise.complete(number).unwrap();
                    settled.fetch_add(1, SeqCst);
                }
            });
        }
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap().unwrap().unwrap();
        }
        assert_eq!(settled.load(SeqCst), count);
        sum
    });
    assert_eq!(sum, count * (count - 1) / 2);
}

/// One handle for each way of ending, kept until after the loop, which must leave nothing behind.
#[test]
fn handles_kept_beyond_the_loop_still_tell_how_their_tasks_ended() {
    let handles: Vec<TaskHandle<u32>> = run(Some(Order::Seeded(3)), async {
        let tasks =
            vec![spawn_local(async { 7 }), spawn_local(async { panic!("boom") }), spawn_local(pending())];
        yield_now().await;
        tasks
    });
    let ended: Vec<_> = handles.into_iter().map(futures_lite::future::block_on).collect();
    assert_eq!(ended[0], Ok(7));
    assert_eq!(ended[1], Err(AsyncError::Panic("boom".to_owned())));
    assert!(matches!(ended[2], Err(AsyncError::JoinError(_))));
}
