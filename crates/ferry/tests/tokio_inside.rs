//! tokio's own types work inside the loop, get their turn however much else is ready, and leave the order of
//! the loop's tasks alone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{
    AsyncRuntime, Instant, Order, TaskHandle, promise, sleep, spawn, spawn_local, timeout, yield_now,
};
use std::{
    cell::{Cell, RefCell},
    future::pending,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Long enough for the slowest machine: a test that would hang fails instead.
const TOO_LONG: Duration = Duration::from_secs(120);

struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Sends so many bytes to an echo server on the same loop, one by one.
async fn echo(bytes: u8) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = spawn_local(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut byte = [0];
        while socket.read(&mut byte).await.unwrap() == 1 {
            socket.write_all(&byte).await.unwrap();
        }
    });
    let mut socket = TcpStream::connect(address).await.unwrap();
    for sent in 0..bytes {
        socket.write_all(&[sent]).await.unwrap();
        let mut got = [0];
        socket.read_exact(&mut got).await.unwrap();
        assert_eq!(got, [sent]);
    }
    drop(socket);
    server.await.unwrap();
}

#[test]
fn a_socket_on_the_loop_echoes() {
    AsyncRuntime::block_on(async { timeout(TOO_LONG, echo(100)).await.expect("I/O never came") });
}

#[test]
fn a_socket_on_a_virtual_loop_echoes() {
    AsyncRuntime::block_on_virtual(Order::Fifo, echo(20));
}

#[test]
fn io_gets_its_turn_however_many_tasks_are_ready() {
    AsyncRuntime::block_on(async {
        let stop = Rc::new(Cell::new(false));
        let busy: Vec<TaskHandle<()>> = (0..1_000)
            .map(|_| {
                let stop = stop.clone();
                spawn_local(async move {
                    while !stop.get() {
                        yield_now().await;
                    }
                })
            })
            .collect();
        timeout(TOO_LONG, echo(20)).await.expect("I/O starved");
        // A timer gets its turn among them as well.
        timeout(TOO_LONG, sleep(Duration::from_millis(1))).await.expect("timers starved");
        stop.set(true);
        for task in busy {
            task.await.unwrap();
        }
    });
}

#[test]
fn a_tokio_task_gets_its_turn_beside_one_that_never_waits() {
    AsyncRuntime::block_on(async {
        let stop = Rc::new(Cell::new(false));
        let there = stop.clone();
        let busy = spawn_local(async move {
            while !there.get() {
                yield_now().await;
            }
        });
        let sum = tokio::spawn(async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            1
        });
        assert_eq!(timeout(TOO_LONG, sum).await.expect("tokio's tasks starved").unwrap(), 1);
        stop.set(true);
        busy.await.unwrap();
    });
}

#[test]
fn tokio_wakes_tasks_of_the_loop_and_the_other_way_round() {
    AsyncRuntime::block_on(async {
        let (to_tokio, mut at_tokio) = tokio::sync::mpsc::channel(1);
        let (to_loop, mut at_loop) = tokio::sync::mpsc::channel(1);
        let relay = tokio::spawn(async move {
            while let Some(number) = at_tokio.recv().await {
                to_loop.send(number + 1).await.unwrap();
            }
        });
        for number in 0..1_000 {
            to_tokio.send(number).await.unwrap();
            assert_eq!(at_loop.recv().await, Some(number + 1));
        }
        drop(to_tokio);
        relay.await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(tokio::task::spawn_blocking(|| 5).await.unwrap(), 5);
    });
}

/// A channel that always has something, read by one task without a break; three others take turns beside it.
fn beside_a_greedy_reader(order: Option<Order>) -> (Vec<&'static str>, usize) {
    const ITEMS: usize = 20_000;
    let said = Rc::new(RefCell::new(Vec::new()));
    let log = said.clone();
    let main = async move {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        (0..ITEMS).for_each(|item| sender.send(item).unwrap());
        let read = Rc::new(Cell::new(0));
        let ticker = |name: &'static str| {
            let (log, read) = (log.clone(), read.clone());
            spawn_local(async move {
                while read.get() < ITEMS {
                    log.borrow_mut().push(name);
                    yield_now().await;
                }
            })
        };
        let (first, counted) = (ticker("a"), read.clone());
        let reader = spawn_local(async move {
            for expected in 0..ITEMS {
                assert_eq!(receiver.recv().await, Some(expected));
                counted.set(expected + 1);
            }
        });
        let others = [ticker("b"), ticker("c")];
        reader.await.unwrap();
        first.await.unwrap();
        for other in others {
            other.await.unwrap();
        }
    };
    match order {
        None => AsyncRuntime::block_on(main),
        Some(order) => AsyncRuntime::block_on_virtual(order, main),
    }
    (said.take(), ITEMS)
}

#[test]
fn a_greedy_reader_neither_starves_others_nor_changes_their_order() {
    for order in [None, Some(Order::Fifo)] {
        let (said, items) = beside_a_greedy_reader(order);
        // tokio lets a task have 128 items before the next ones must have had their turn.
        assert!(said.len() >= items / 128 * 3 - 3, "{} turns beside {items} items", said.len());
        let in_order =
            said.iter().zip(["a", "b", "c"].iter().cycle()).all(|(said, expected)| said == expected);
        assert!(in_order, "the three did not take turns");
    }
}

#[test]
fn the_order_of_a_tick_survives_the_end_of_tokios_budget() {
    AsyncRuntime::block_on(async {
        let log = Rc::new(RefCell::new(Vec::new()));
        // Each uses a part of tokio's budget in each tick, as one that reads a channel: all use it up again and
        // again, and would wait a tick if it were not renewed in time.
        let tasks: Vec<_> = (0..1_000)
            .map(|number| {
                let log = log.clone();
                spawn_local(async move {
                    for _ in 0..3 {
                        tokio::task::consume_budget().await;
                        log.borrow_mut().push(number);
                        yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let expected: Vec<_> = (0..1_000).chain(0..1_000).chain(0..1_000).collect();
        assert!(*log.borrow() == expected, "the order of the ticks broke");
    });
}

#[test]
fn tasks_left_with_tokio_end_with_their_block_on() {
    let dropped = Arc::new(AtomicBool::new(false));
    let ticks = Arc::new(AtomicUsize::new(0));
    AsyncRuntime::block_on(async {
        let (owned, counted) = (SetOnDrop(dropped.clone()), ticks.clone());
        drop(tokio::spawn(async move {
            let _owned = owned;
            loop {
                counted.fetch_add(1, SeqCst);
                tokio::task::yield_now().await;
            }
        }));
        yield_now().await;
    });
    assert!(dropped.load(SeqCst));
    let before = ticks.load(SeqCst);
    AsyncRuntime::block_on(sleep(Duration::from_millis(1)));
    assert_eq!(ticks.load(SeqCst), before);
}

#[test]
fn a_destructor_at_the_end_of_the_loop_may_still_use_tokio() {
    struct SpawnsOnDrop(Arc<AtomicBool>, Arc<AtomicBool>);
    impl Drop for SpawnsOnDrop {
        fn drop(&mut self) {
            let owned = SetOnDrop(self.0.clone());
            drop(tokio::spawn(async move {
                let _owned = owned;
                pending::<()>().await
            }));
            self.1.store(true, SeqCst);
        }
    }
    let (dropped, spawned) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    AsyncRuntime::block_on(async {
        let owned = SpawnsOnDrop(dropped.clone(), spawned.clone());
        drop(spawn_local(async move {
            let _owned = owned;
            pending::<()>().await
        }));
        yield_now().await;
    });
    assert!(spawned.load(SeqCst), "tokio refused");
    assert!(dropped.load(SeqCst), "the task outlived its block_on");
}

#[test]
fn the_pool_runs_tokios_io_and_timers() {
    AsyncRuntime::block_on(async {
        let listener = spawn(async { TcpListener::bind("127.0.0.1:0").await.unwrap() }).await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = spawn(async move { TcpStream::connect(address).await.unwrap().peer_addr().unwrap() });
        let server = spawn(async move { listener.accept().await.unwrap().1 });
        assert_eq!(client.await, Ok(address));
        assert!(server.await.unwrap().ip().is_loopback());
        assert!(spawn(timeout(Duration::from_millis(1), pending::<()>())).await.unwrap().is_err());
    });
}

#[test]
fn a_blocking_job_does_not_hold_up_the_loop() {
    AsyncRuntime::block_on(async {
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let job = asyncferry::spawn_blocking(move || wait.recv());
        let start = Instant::now();
        for _ in 0..5 {
            sleep(Duration::from_micros(200)).await;
        }
        let (promise, future) = promise();
        drop(spawn(async move { promise.complete(1) }));
        assert_eq!(future.await.unwrap(), 1);
        assert!(!job.is_finished() && start.elapsed() < TOO_LONG);
        release.send(()).unwrap();
        job.await.unwrap().unwrap();
    });
}

#[test]
fn a_task_of_tokio_sleeps_on_the_loops_timers() {
    let nap = || async { tokio::spawn(async { sleep(Duration::from_millis(1)).await }).await.unwrap() };
    AsyncRuntime::block_on(nap());
    AsyncRuntime::block_on_virtual(Order::Fifo, nap());
}
