//! asyncio's primitives, promises and queues.

use asyncferry::{
    Failure, Promise, promise, sleep, spawn_local,
    sync::{
        Barrier, BoundedSemaphore, Condition, Event, LifoQueue, Lock, PriorityQueue, Queue, Semaphore,
        Shutdown,
    },
    yield_now,
};
use asyncferry_conformance::portable;
use std::{cell::RefCell, rc::Rc, time::Duration};

const MS: Duration = Duration::from_millis(1);

portable! {
    an_event_wakes_all: async {
        let event = Rc::new(Event::new());
        let waiters = [(); 3].map(|()| {
            let event = event.clone();
            spawn_local(async move { event.wait().await })
        });
        sleep(MS).await;
        assert_eq!(event.waiters(), 3);
        event.set();
        for waiter in waiters {
            assert!(waiter.await.is_ok());
        }
        event.wait().await;
    };

    a_lock_serves_in_order: async {
        let lock = Rc::new(Lock::new(Vec::new()));
        let tasks = [0, 1, 2].map(|number| {
            let lock = lock.clone();
            spawn_local(async move {
                let mut held = lock.acquire().await;
                yield_now().await;
                held.push(number);
            })
        });
        for task in tasks {
            assert_eq!(task.await, Ok(()));
        }
        assert_eq!(*lock.acquire().await, [0, 1, 2]);
    };

    a_semaphore_lets_so_many_in: async {
        let semaphore = Rc::new(Semaphore::new(2));
        let most = Rc::new(RefCell::new((0, 0)));
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let (semaphore, most) = (semaphore.clone(), most.clone());
                spawn_local(async move {
                    let _permit = semaphore.acquire().await;
                    {
                        let (now, highest) = &mut *most.borrow_mut();
                        *now += 1;
                        *highest = (*highest).max(*now);
                    }
                    sleep(MS).await;
                    most.borrow_mut().0 -= 1;
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await, Ok(()));
        }
        assert_eq!(*most.borrow(), (0, 2));
    };

    a_bounded_semaphore_refuses_a_release_too_many: async {
        let semaphore = BoundedSemaphore::new(1);
        semaphore.acquire().await.forget();
        assert!(semaphore.release().is_ok());
        assert!(semaphore.release().is_err());
    };

    a_condition_wakes_whom_it_is_told_to: async {
        let state = Rc::new((Lock::new(0), Condition::new()));
        let waiter = {
            let state = state.clone();
            spawn_local(async move {
                let (lock, condition) = &*state;
                let held = condition.wait_for(lock.acquire().await, |value| *value == 2).await;
                *held
            })
        };
        for value in [1, 2] {
            sleep(MS).await;
            *state.0.acquire().await = value;
            state.1.notify(1);
        }
        assert_eq!(waiter.await, Ok(2));
    };

    a_barrier_lets_go_of_all_at_once: async {
        let barrier = Rc::new(Barrier::new(3));
        let tasks = [(); 2].map(|()| {
            let barrier = barrier.clone();
            spawn_local(async move { barrier.wait().await.is_ok() })
        });
        sleep(MS).await;
        assert_eq!(barrier.n_waiting(), 2);
        assert!(barrier.wait().await.is_ok());
        for task in tasks {
            assert_eq!(task.await, Ok(true));
        }
    };

    a_queue_holds_back_who_puts: async {
        let queue = Rc::new(Queue::new(2));
        let there = queue.clone();
        let producer = spawn_local(async move {
            for number in 0..10 {
                there.put(number).await.expect("it's open");
            }
            there.shutdown(Shutdown::Drain);
        });
        let mut got = Vec::new();
        while let Ok(number) = queue.get().await {
            assert!(queue.qsize() <= 2);
            got.push(number);
            queue.task_done().expect("it was got");
        }
        assert_eq!(producer.await, Ok(()));
        assert_eq!(got, (0..10).collect::<Vec<_>>());
        queue.join().await;
    };

    queues_have_their_orders: async {
        let (priority, lifo) = (PriorityQueue::new(0), LifoQueue::new(0));
        for number in [2, 1, 3] {
            priority.put(number).await.expect("it's open");
            lifo.put(number).await.expect("it's open");
        }
        let mut got = Vec::new();
        for _ in 0..3 {
            got.push((priority.get().await.expect("it has some"), lifo.get().await.expect("it has some")));
        }
        assert_eq!(got, [(1, 3), (2, 1), (3, 2)]);
    };

    a_promise_is_settled_once_for_many: async {
        let (promise, future) = promise();
        let waiters = [(); 3].map(|()| spawn_local(future.clone()));
        yield_now().await;
        assert!(promise.complete(4).is_ok());
        for waiter in waiters {
            assert_eq!(waiter.await.ok().and_then(Result::ok), Some(4));
        }
    };

    a_promise_that_is_dropped_cancels_who_waits: async {
        let (promise, future) = promise::<u32>();
        drop(promise);
        assert!(matches!(future.await, Err(Failure::Cancelled(_))));
    };

    a_failure_keeps_its_error: async {
        let (promise, future): (Promise<u32>, _) = promise();
        assert!(promise.fail("no such job"));
        assert_eq!(future.await.map_err(|failure| failure.to_string()), Err("no such job".to_owned()));
    };
}
