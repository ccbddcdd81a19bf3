//! The program's own executor. It's set once in a process, so these are one test program.

use asyncferry::{
    AsyncError, AsyncRuntime, Executor, Order, TaskLocal, Work, cancellable, gather_all, sleep, spawn,
    spawn_blocking, task_group, yield_now,
};
use std::{
    future::pending,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// Two threads named `mine`, one of which is for blocking work.
struct Mine {
    polls: Mutex<mpsc::Sender<Work>>,
    blocking: Mutex<mpsc::Sender<Work>>,
}

static DROPS: AtomicBool = AtomicBool::new(false);

impl Executor for Mine {
    fn execute(&self, work: Work) {
        if !DROPS.load(Ordering::Relaxed) {
            self.polls.lock().expect("nobody panics").send(work).expect("the thread is there");
        }
    }

    fn execute_blocking(&self, work: Work) {
        self.blocking.lock().expect("nobody panics").send(work).expect("the thread is there");
    }
}

fn worker(name: &str) -> Mutex<mpsc::Sender<Work>> {
    let (sender, receiver) = mpsc::channel::<Work>();
    let run = || {
        for work in receiver {
            work.run();
        }
    };
    thread::Builder::new().name(name.to_owned()).spawn(run).expect("there are threads");
    Mutex::new(sender)
}

/// One test at a time, as one of them has the executor drop its work.
fn on_mine(test: impl Future<Output = ()>) {
    static ONE: Mutex<()> = Mutex::new(());
    static SET: OnceLock<()> = OnceLock::new();
    let one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    SET.get_or_init(|| {
        let mine = Mine { polls: worker("mine"), blocking: worker("mine, blocking") };
        AsyncRuntime::set_executor(mine).expect("it's the first");
    });
    AsyncRuntime::block_on(test);
    drop(one);
}

fn thread_name() -> Option<String> {
    thread::current().name().map(str::to_owned)
}

#[test]
fn tasks_and_blocking_work_run_there() {
    on_mine(async {
        let task = spawn(async {
            yield_now().await;
            sleep(Duration::from_micros(10)).await;
            thread_name()
        });
        assert_eq!(task.await, Ok(Some("mine".to_owned())));
        assert_eq!(spawn_blocking(thread_name).await, Ok(Some("mine, blocking".to_owned())));
        let grouped = task_group(async |group| {
            let task = group.spawn(async { Ok::<_, AsyncError>(thread_name()) })?;
            task.await.map_err(AsyncError::from)
        });
        assert_eq!(grouped.await.ok().flatten(), Some("mine".to_owned()));
    });
}

#[test]
fn a_second_one_is_refused() {
    on_mine(async {
        let other = Mine { polls: worker("other"), blocking: worker("other") };
        assert!(matches!(AsyncRuntime::set_executor(other), Err(AsyncError::Runtime(_))));
        assert_eq!(spawn(async { thread_name() }).await, Ok(Some("mine".to_owned())));
    });
}

#[test]
fn tasks_are_aborted_and_cancelled_there() {
    on_mine(async {
        let owned = Arc::new(());
        let there = owned.clone();
        let task = spawn(async move {
            let _there = there;
            pending::<()>().await;
        });
        task.abort();
        assert_eq!(task.await, Err(AsyncError::Cancelled("the task was aborted".to_owned())));
        assert_eq!(Arc::strong_count(&owned), 1);

        let task = spawn(pending::<()>());
        assert!(task.cancel("enough"));
        assert_eq!(task.await, Err(AsyncError::Cancelled("enough".to_owned())));

        let (began, begins) = asyncferry::promise();
        let task = spawn(async move {
            let mut wait = std::pin::pin!(cancellable(pending::<()>()));
            assert!(futures_lite::future::poll_once(&mut wait).await.is_none());
            began.complete(()).expect("it's awaited");
            wait.await.expect_err("it's cancelled").message().to_owned()
        });
        begins.await.expect("it begins");
        assert!(task.cancel("with a message"));
        assert_eq!(task.await, Ok("with a message".to_owned()));

        let ended = spawn(async { 1 });
        let canceller = ended.canceller().expect("it began");
        assert_eq!(ended.await, Ok(1));
        assert!(!canceller.cancel("too late"));
    });
}

#[test]
fn panics_come_to_who_awaits() {
    on_mine(async {
        let outcomes = gather_all([spawn(async { panic!("oh") }), spawn_blocking(|| panic!("no"))]).await;
        assert_eq!(
            outcomes,
            [Err::<(), _>(AsyncError::Panic("oh".into())), Err(AsyncError::Panic("no".into()))]
        );
        assert_eq!(spawn(async { 1 }).await, Ok(1), "the thread goes on");
    });
}

#[test]
fn a_task_whose_handle_is_dropped_runs_on() {
    on_mine(async {
        let (promise, future) = asyncferry::promise();
        drop(spawn(async move {
            yield_now().await;
            let _ = promise.complete(3);
        }));
        assert_eq!(future.await.ok(), Some(3));
    });
}

#[test]
fn work_that_is_dropped_fails_for_who_awaits() {
    on_mine(async {
        DROPS.store(true, Ordering::Relaxed);
        let lost = spawn(async { 1 });
        DROPS.store(false, Ordering::Relaxed);
        assert!(lost.is_finished());
        assert!(matches!(lost.await, Err(AsyncError::JoinError(_))));
    });
}

#[test]
fn task_locals_go_there_and_a_virtual_loop_does_not() {
    static NUMBER: TaskLocal<u32> = TaskLocal::new();
    on_mine(async {
        let seen = NUMBER.sync_scope(4, || (spawn(async { NUMBER.get() }), spawn_blocking(|| NUMBER.get())));
        assert_eq!((seen.0.await, seen.1.await), (Ok(Some(4)), Ok(Some(4))));
    });
    let name = AsyncRuntime::block_on_virtual(Order::Fifo, async { spawn(async { thread_name() }).await });
    assert_ne!(name, Ok(Some("mine".to_owned())));
}
