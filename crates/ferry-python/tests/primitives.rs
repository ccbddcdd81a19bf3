//! Primitives that Rust and Python use at once: the same object on both sides.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use asyncferry::{
    AsyncRuntime,
    sync::{Barrier, Condition, Event, LifoQueue, Lock, Queue, Semaphore, Shutdown},
};
use asyncferry_python::{
    interpreter,
    primitives::{
        Item, PyBarrier, PyBoundedSemaphore, PyCondition, PyEvent, PyLifoQueue, PyLock, PyQueue, PySemaphore,
    },
};
use pyo3::{
    PyClass,
    exceptions::PyValueError,
    prelude::*,
    types::{PyDict, PyInt},
};
use std::{
    convert::Infallible,
    ffi::CString,
    future::Future,
    sync::{
        Arc, Once,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

fn python() {
    static START: Once = Once::new();
    START.call_once(|| {
        asyncferry_python::append_to_inittab();
        interpreter::ensure_started().unwrap();
    });
}

/// Runs a Python program that knows `names`.
#[track_caller]
fn run(names: &[(&str, Py<PyAny>)], program: &str) {
    Python::attach(|py| {
        let globals = PyDict::new(py);
        for (name, object) in names {
            globals.set_item(name, object).unwrap();
        }
        let program = format!("import asyncio, asyncferry as ferry\n{program}");
        if let Err(error) = py.run(&CString::new(program).unwrap(), Some(&globals), None) {
            let trace = error.traceback(py).map(|trace| trace.format().unwrap()).unwrap_or_default();
            panic!("{trace}{error}");
        }
    });
}

/// Runs a future of Rust's on a thread and a loop of its own.
fn in_rust<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    thread::spawn(|| AsyncRuntime::block_on(future))
}

fn object<T: PyClass>(bound: PyResult<Bound<'_, T>>) -> Py<PyAny> {
    bound.unwrap().into_any().unbind()
}

#[test]
fn a_queue_that_rust_fills_and_workers_of_python_drain() {
    python();
    let queue = Arc::new(Queue::<Item>::new(8));
    let source = queue.clone();
    let producer = in_rust(async move {
        for number in 1..=1000u64 {
            source.put(Item::new(number)).await.unwrap();
        }
        source.join().await;
        source.shutdown(Shutdown::Drain);
    });
    let shown = Python::attach(|py| object(PyQueue::of(py, queue.clone())));
    run(
        &[("queue", shown)],
        r"
taken = []
async def worker():
    try:
        while True:
            number = await queue.get()
            await asyncio.sleep(0)
            taken.append(number)
            queue.task_done()
    except ferry.QueueShutDown:
        return
async def main():
    await asyncio.gather(worker(), worker(), worker())
asyncio.run(main())
assert sorted(taken) == list(range(1, 1001)), len(taken)
",
    );
    producer.join().unwrap();
    assert_eq!(queue.unfinished(), 0);
}

#[test]
fn a_queue_that_python_fills_and_rust_drains() {
    python();
    let shown = Python::attach(|py| {
        let queue = py.import("asyncferry").unwrap().getattr("Queue").unwrap().call1((4,)).unwrap();
        queue.cast_into::<PyQueue>().unwrap().unbind()
    });
    let queue = shown.get().shared().unwrap().clone();
    let consumer = in_rust(async move {
        let mut items = Vec::new();
        while let Ok(item) = queue.get().await {
            items.push(item);
            queue.task_done().unwrap();
        }
        items
    });
    let program = r#"
async def main():
    for item in [1, "two", None, [3]] * 25:
        await queue.put(item)
    await queue.join()
    queue.shutdown()
asyncio.run(main())
"#;
    run(&[("queue", shown.into_any())], program);
    let items = consumer.join().unwrap();
    assert!(items[0].object().is_some());
    let told = Python::attach(|py| {
        let shown = |item: Item| item.into_python(py).unwrap().repr().unwrap().to_string();
        items.into_iter().map(shown).collect::<Vec<_>>()
    });
    assert_eq!(told, ["1", "'two'", "None", "[3]"].repeat(25));
}

#[test]
fn values_of_rust_that_rust_takes_stay_what_they_are() {
    python();
    let queue = Arc::new(LifoQueue::<Item>::new(0));
    for word in ["a", "b"] {
        queue.put_nowait(Item::new(word.to_owned())).unwrap();
    }
    let shown = Python::attach(|py| object(PyLifoQueue::of(py, queue.clone())));
    run(
        &[("queue", shown)],
        r#"
assert isinstance(queue, ferry.LifoQueue) and isinstance(queue, ferry.Queue)
assert "alloc::string::String of Rust" in repr(queue), queue
assert queue.get_nowait() == "b"
queue.put_nowait("c")
"#,
    );
    let item = queue.get_nowait().unwrap().take::<String>().unwrap_err();
    assert!(item.object().is_some(), "it's Python's");
    assert_eq!(queue.get_nowait().unwrap().take::<String>().unwrap(), "a");
}

/// A value whose conversion fails.
struct Broken;

impl<'py> IntoPyObject<'py> for Broken {
    type Target = PyInt;
    type Output = Bound<'py, PyInt>;
    type Error = PyErr;

    fn into_pyobject(self, _: Python<'py>) -> PyResult<Self::Output> {
        Err(PyValueError::new_err("it can't be shown"))
    }
}

#[test]
fn a_value_that_python_cannot_have_is_an_error_there() {
    python();
    let queue = Arc::new(Queue::<Item>::new(0));
    queue.put_nowait(Item::new(Broken)).unwrap();
    queue.put_nowait(Item::new(7)).unwrap();
    let shown = Python::attach(|py| object(PyQueue::of(py, queue)));
    run(
        &[("queue", shown)],
        r#"
async def main():
    try:
        await queue.get()
    except ValueError as error:
        assert str(error) == "it can't be shown"
    else:
        assert False
    assert await queue.get() == 7
asyncio.run(main())
"#,
    );
}

#[test]
fn an_event_that_rust_sets_wakes_every_loop() {
    python();
    let event = Arc::new(Event::new());
    let setter = event.clone();
    let waiting = thread::spawn(move || {
        while setter.waiters() < 6 {
            thread::yield_now();
        }
        setter.set();
    });
    let shown = Python::attach(|py| object(PyEvent::of(py, event.clone())));
    run(
        &[("event", shown)],
        r"
import threading
async def main():
    assert await asyncio.gather(*[event.wait() for _ in range(2)]) == [True, True]
threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
",
    );
    waiting.join().unwrap();
    assert_eq!(event.waiters(), 0);
}

#[test]
fn a_lock_excludes_both_languages_from_each_other() {
    python();
    let lock = Arc::new(Lock::new(()));
    let inside = Arc::new(AtomicUsize::new(0));
    let (rust_lock, rust_inside) = (lock.clone(), inside.clone());
    let rust = in_rust(async move {
        for _ in 0..300 {
            let _guard = rust_lock.acquire().await;
            assert_eq!(rust_inside.fetch_add(1, Ordering::SeqCst), 0);
            asyncferry::yield_now().await;
            rust_inside.fetch_sub(1, Ordering::SeqCst);
        }
    });
    let names = Python::attach(|py| {
        let (entering, leaving) = (inside.clone(), inside.clone());
        let enter = pyo3::types::PyCFunction::new_closure(py, None, None, move |_, _| {
            Ok::<_, PyErr>(entering.fetch_add(1, Ordering::SeqCst))
        });
        let leave = pyo3::types::PyCFunction::new_closure(py, None, None, move |_, _| {
            Ok::<_, PyErr>(leaving.fetch_sub(1, Ordering::SeqCst))
        });
        [
            ("lock", object(PyLock::of(py, lock.clone()))),
            ("enter", enter.unwrap().into_any().unbind()),
            ("leave", leave.unwrap().into_any().unbind()),
        ]
    });
    run(
        &names,
        r"
async def work():
    for _ in range(100):
        async with lock:
            assert enter() == 0
            await asyncio.sleep(0)
            leave()
async def main():
    await asyncio.gather(work(), work(), work())
asyncio.run(main())
",
    );
    rust.join().unwrap();
    assert!(!lock.locked());
}

#[test]
fn a_waiter_of_either_language_that_gives_up_hands_on_to_the_other() {
    python();
    let semaphore = Arc::new(Semaphore::new(1));
    let shown = Python::attach(|py| object(PySemaphore::of(py, semaphore.clone())));
    // Python's waiter is cancelled in the moment in which it's called; Rust's, behind it, gets the permit.
    let behind = semaphore.clone();
    let rust = in_rust(async move {
        while behind.waiters() < 1 {
            asyncferry::yield_now().await;
        }
        behind.acquire().await.forget();
    });
    run(
        &[("semaphore", shown)],
        r"
async def main():
    await semaphore.acquire()
    waiting = asyncio.create_task(semaphore.acquire())
    while 'waiters:2' not in repr(semaphore):
        await asyncio.sleep(0)
    semaphore.release()
    waiting.cancel()
    try:
        await waiting
    except asyncio.CancelledError:
        pass
    else:
        assert False
asyncio.run(main())
",
    );
    rust.join().unwrap();
    assert!(semaphore.locked());
    // And Rust's is dropped when it was called; Python's, behind it, gets the permit.
    let mut acquire = Box::pin(semaphore.clone().acquire_owned());
    let polled = acquire.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    assert!(polled.is_pending());
    let drop_it = Python::attach(|py| {
        let (semaphore, acquire) = (semaphore.clone(), std::sync::Mutex::new(Some(acquire)));
        pyo3::types::PyCFunction::new_closure(py, None, None, move |_, _| {
            semaphore.release();
            drop(acquire.lock().unwrap().take());
            Ok::<_, PyErr>(())
        })
        .unwrap()
        .into_any()
        .unbind()
    });
    let shown = Python::attach(|py| object(PySemaphore::of(py, semaphore.clone())));
    run(
        &[("semaphore", shown), ("release_and_drop", drop_it)],
        r"
async def main():
    waiting = asyncio.create_task(semaphore.acquire())
    await asyncio.sleep(0)
    release_and_drop()
    assert await waiting is True
asyncio.run(main())
",
    );
}

#[test]
fn both_languages_meet_at_a_barrier() {
    python();
    let barrier = Arc::new(Barrier::new(3));
    let there = barrier.clone();
    let rust = in_rust(async move { there.wait().await.unwrap() });
    let shown = Python::attach(|py| object(PyBarrier::of(py, barrier)));
    run(
        &[("barrier", shown)],
        r"
async def main():
    places = await asyncio.gather(barrier.wait(), barrier.wait())
    assert len(set(places)) == 2 and set(places) < {0, 1, 2}
asyncio.run(main())
",
    );
    assert!(rust.join().unwrap() < 3);
}

#[test]
fn rust_notifies_a_condition_that_python_waits_for() {
    python();
    let (condition, lock) = (Arc::new(Condition::new()), Arc::new(Lock::new(())));
    let (notifying, locking) = (condition.clone(), lock.clone());
    let rust = in_rust(async move {
        while notifying.waiters() < 2 {
            asyncferry::yield_now().await;
        }
        let _guard = locking.acquire().await;
        notifying.notify_all();
    });
    let shown = Python::attach(|py| {
        let lock = PyLock::of(py, lock.clone()).unwrap();
        object(PyCondition::of(condition.clone(), &lock))
    });
    run(
        &[("condition", shown)],
        r"
async def wait():
    async with condition:
        return await condition.wait()
async def main():
    assert await asyncio.gather(wait(), wait()) == [True, True]
asyncio.run(main())
",
    );
    rust.join().unwrap();
    assert!(!lock.locked());
}

#[test]
fn what_python_made_is_the_same_object_in_rust() {
    python();
    Python::attach(|py| {
        let ferry = py.import("asyncferry").unwrap();
        let made = |name: &str| ferry.getattr(name).unwrap().call0().unwrap();
        let event = made("Event").cast_into::<PyEvent>().unwrap();
        event.get().shared().set();
        assert!(event.call_method0("is_set").unwrap().is_truthy().unwrap());
        let semaphore = made("Semaphore").cast_into::<PySemaphore>().unwrap();
        semaphore.get().shared().unwrap().try_acquire().unwrap().forget();
        assert!(semaphore.call_method0("locked").unwrap().is_truthy().unwrap());
        let bounded = made("BoundedSemaphore").cast_into::<PyBoundedSemaphore>().unwrap();
        assert!(PyBoundedSemaphore::shared(&bounded).release().is_err(), "all its permits are free");
        assert!(bounded.as_super().get().shared().is_none(), "it's not a plain one");
        let condition = made("Condition").cast_into::<PyCondition>().unwrap();
        condition.get().lock(py).unwrap().get().shared().try_acquire().unwrap().forget();
        assert!(condition.call_method0("locked").unwrap().is_truthy().unwrap());
        assert!(made("PriorityQueue").cast_into::<PyQueue>().unwrap().get().shared().is_none());
        Ok::<_, Infallible>(())
    })
    .unwrap();
}

/// Whoever waits on a loop that is closed will never go on: what it was handed goes to others.
#[test]
fn waiters_of_a_closed_loop_swallow_nothing() {
    python();
    let queue = Arc::new(Queue::<Item>::new(0));
    let shown = Python::attach(|py| object(PyQueue::of(py, queue.clone())));
    run(
        &[("queue", shown)],
        r"
loop = asyncio.new_event_loop()
waiting = [loop.create_task(queue.get()) for _ in range(2)]
loop.run_until_complete(asyncio.sleep(0))
assert '_getters[2]' in repr(queue)
# The first one is called, and the loop makes no turn any more.
queue.put_nowait('item')
loop.close()
assert '_getters' not in repr(queue)
assert asyncio.run(asyncio.wait_for(queue.get(), 30)) == 'item'
for task in waiting:
    task._log_destroy_pending = False
",
    );
    assert_eq!((queue.qsize(), queue.getters()), (0, 0));
}
