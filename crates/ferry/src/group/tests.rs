//! Groups, on the virtual clock. What is asyncio's is named by CPython 3.13's section "Task Groups" of
//! <https://docs.python.org/3.13/library/asyncio-task.html>, or by its `taskgroups.py`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{
    AsyncRuntime, Instant, Order, cancellable, cancelling, executor::run_by_hand, promise, sleep, spawn,
    spawn_local, timeout, yield_now,
};
use std::{cell::RefCell, future::pending, rc::Rc, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

type AnyError = Box<dyn Error + Send + Sync>;

fn run<F: Future>(main: F) -> F::Output {
    run_by_hand(Some(Order::Fifo), main)
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

struct OnDrop(Log, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

async fn fails(after: u32, error: &'static str) -> Result<(), &'static str> {
    sleep(SECOND * after).await;
    Err(error)
}

/// Waits for ever, and says how it ended; the clean-up takes a second.
async fn careful(log: Log, name: &'static str) -> Result<(), Cancelled> {
    let ended = cancellable(pending::<()>()).await;
    sleep(SECOND).await;
    log.say(name);
    ended
}

fn shown(error: &GroupError) -> Vec<String> {
    error.errors().iter().map(ToString::to_string).collect()
}

/// CPython 3.13: "All tasks are awaited when the context manager exits."
#[test]
fn a_group_waits_for_all_its_tasks() {
    run(async {
        let (start, log) = (Instant::now(), Log::default());
        let value = task_group(async |group| {
            for seconds in [3, 1, 2] {
                let log = log.clone();
                let task = async move {
                    sleep(SECOND * seconds).await;
                    log.say(&seconds.to_string());
                    Ok::<_, AnyError>(())
                };
                group.spawn_local(task)?.detach();
            }
            Ok::<_, AnyError>("value")
        });
        assert_eq!(value.await.unwrap(), "value");
        assert_eq!((start.elapsed(), log.said().as_str()), (SECOND * 3, "1 2 3"));
        assert_eq!(task_group(async |_| Ok::<_, AnyError>(1)).await.unwrap(), 1);
    });
}

/// CPython 3.13: "The first time any of the tasks belonging to the group fails with an exception other than
/// asyncio.CancelledError, the remaining tasks in the group are cancelled", the body among them, and "no further
/// tasks can then be added"; "once all tasks have finished, if any tasks have failed [...] those exceptions are
/// combined".
#[test]
fn the_first_failure_cancels_the_siblings_and_the_body_and_waits_for_them() {
    run(async {
        let (start, log) = (Instant::now(), Log::default());
        let ended = task_group(async |group| {
            let plain = OnDrop(log.clone(), "plain");
            group
                .spawn_local(async move {
                    let _plain = plain;
                    pending::<Result<(), AnyError>>().await
                })?
                .detach();
            group.spawn_local(careful(log.clone(), "careful"))?.detach();
            group.spawn_local(fails(1, "boom"))?.detach();
            let _body = OnDrop(log.clone(), "body");
            sleep(SECOND * 100).await;
            Ok::<_, AnyError>(())
        });
        let error = ended.await.unwrap_err();
        assert_eq!(error.to_string(), "a task of the group failed: boom");
        assert_eq!((error.source().unwrap().to_string(), error.cancelled()), ("boom".to_owned(), None));
        assert_eq!((start.elapsed(), log.said().as_str()), (SECOND * 2, "plain body careful"));
        assert_eq!(cancelling(), 0);
    });
}

/// As above, of a body that has opted in. CPython 3.13, `TaskGroup.__aexit__`: the parent's count is as before.
#[test]
fn a_body_that_has_opted_in_cleans_up_when_a_task_fails() {
    run(async {
        let log = Log::default();
        let ended = task_group(async |group| {
            group.spawn_local(fails(1, "boom"))?.detach();
            let ended = cancellable(pending::<()>()).await;
            assert_eq!(cancelling(), 1);
            sleep(SECOND).await;
            log.say("cleaned");
            ended?;
            Ok::<_, AnyError>(())
        });
        assert_eq!(shown(&ended.await.unwrap_err()), ["boom"]);
        assert_eq!((log.said().as_str(), cancelling()), ("cleaned", 0));
        cancellable(yield_now()).await.unwrap();
    });
}

/// CPython 3.13, `TaskGroup._errors`: in the order in which the tasks failed, the body's last.
#[test]
fn all_errors_come_in_order_panics_among_them_and_the_bodys_last() {
    run(async {
        let ended = task_group(async |group| {
            for (name, error) in [("a", "second"), ("b", "third")] {
                group
                    .spawn_local(async move {
                        cancellable(pending::<()>()).await.unwrap_err();
                        sleep(if name == "a" { SECOND } else { 2 * SECOND }).await;
                        Err::<(), _>(error)
                    })?
                    .detach();
            }
            let panics: TaskHandle<()> = spawn_local(async { panic!("first") });
            group.spawn_local(panics)?.detach();
            cancellable(pending::<()>()).await.unwrap_err();
            Err::<(), AnyError>("body".into())
        });
        let error = ended.await.unwrap_err();
        assert_eq!(shown(&error), ["panicked: first", "second", "third", "body"]);
        assert_eq!(error.to_string(), "4 tasks of the group failed: panicked: first; second; third; body");
    });
}

#[test]
fn a_panic_of_a_task_is_an_error_with_its_text() {
    run(async {
        let ended = task_group(async |group| {
            group.spawn_local::<(), AnyError, _>(async { panic!("crash") })?.detach();
            pending::<Result<(), AnyError>>().await
        });
        let error = ended.await.unwrap_err();
        let panic = error.errors()[0].downcast_ref::<AsyncError>();
        assert_eq!(panic, Some(&AsyncError::Panic("crash".to_owned())));
    });
}

/// CPython 3.13: a body that fails aborts the group as a task does.
#[test]
fn a_body_that_fails_cancels_the_tasks() {
    run(async {
        let log = Log::default();
        let ended = task_group(async |group| {
            group.spawn_local(careful(log.clone(), "careful"))?.detach();
            yield_now().await;
            Err::<(), _>(AnyError::from("body"))
        });
        assert_eq!(shown(&ended.await.unwrap_err()), ["body"]);
        assert_eq!(log.said(), "careful");
    });
}

#[test]
fn an_error_that_the_body_got_from_a_task_counts_once() {
    run(async {
        let ended = task_group(async |group| {
            group.spawn_local(fails(1, "once"))?.await?;
            Ok::<_, AnyError>(())
        });
        assert_eq!(shown(&ended.await.unwrap_err()), ["once"]);
    });
}

/// CPython 3.13, `TaskGroup._on_task_done`: a task that was cancelled is no error.
#[test]
fn a_task_that_is_cancelled_is_no_error() {
    run(async {
        let ended = task_group(async |group| {
            let plain = group.spawn_local(pending::<Result<(), AnyError>>())?;
            let careful = group.spawn_local(careful(Log::default(), ""))?;
            yield_now().await;
            assert!(plain.cancel("one") && careful.cancel("two"));
            let (plain, careful) = (plain.await.unwrap_err(), careful.await.unwrap_err());
            Ok::<_, AnyError>(format!("{plain}, {careful}"))
        });
        assert_eq!(ended.await.unwrap(), "cancelled: one, cancelled: two");
    });
}

/// CPython 3.13, `TaskGroup.create_task`: RuntimeError "is shutting down", and "is finished"; a task may add tasks
/// as long as some run.
#[test]
fn a_task_is_added_while_the_group_runs_only() {
    let adds = |group: &TaskGroup| group.spawn_local(async { Ok::<_, AnyError>(()) }).map(GroupTask::detach);
    run(async {
        let kept = task_group(async |group| {
            let inner = group.clone();
            group
                .spawn_local(async move {
                    yield_now().await;
                    adds(&inner)
                })?
                .detach();
            Ok::<_, AsyncError>(group)
        });
        let refused = adds(&kept.await.unwrap()).unwrap_err().to_string();
        assert!(refused.contains("has ended"), "{refused}");
        let ended = task_group(async |group| {
            group.spawn_local(fails(0, "boom"))?.detach();
            cancellable(pending::<()>()).await.unwrap_err();
            adds(&group)
        });
        let error = ended.await.unwrap_err();
        assert_eq!(error.errors().len(), 2);
        assert!(error.errors()[1].to_string().contains("is shutting down"), "{error}");
    });
    let off_a_loop = futures_lite::future::block_on(task_group(async |group| adds(&group)));
    assert!(off_a_loop.unwrap_err().to_string().contains("no loop runs"));
}

/// CPython 3.13: "If the task containing the async with statement is cancelled from outside", body and tasks are
/// cancelled, waited for, and the CancelledError goes on.
#[test]
fn a_request_from_outside_reaches_all_and_goes_on() {
    for body_opts_in in [true, false] {
        run(async {
            let log = Log::default();
            let task = spawn_local({
                let log = log.clone();
                task_group(async move |group| {
                    group.spawn_local(careful(log.clone(), "task"))?.detach();
                    if body_opts_in {
                        careful(log, "body").await?;
                    }
                    pending::<Result<(), AnyError>>().await
                })
            });
            yield_now().await;
            let start = Instant::now();
            task.cancel("outside");
            let error = task.await.unwrap().unwrap_err();
            assert_eq!(error.cancelled().unwrap().message(), "outside");
            assert_eq!(error.to_string(), "the group was cancelled: outside");
            assert!(matches!(Failure::from(error), Failure::Cancelled(Some(text)) if &*text == "outside"));
            let (said, took) = if body_opts_in { ("body task", SECOND * 2) } else { ("task", SECOND) };
            assert_eq!((log.said().as_str(), start.elapsed()), (said, took));
        });
    }
}

/// CPython 3.13, `TaskGroup.__aexit__`: the request comes while it waits for the tasks.
#[test]
fn a_request_from_outside_reaches_the_tasks_when_the_body_is_over() {
    run(async {
        let log = Log::default();
        let there = log.clone();
        let task = spawn_local(task_group(async move |group| {
            group.spawn_local(careful(there, "task"))?.detach();
            Ok::<_, AnyError>(())
        }));
        yield_now().await;
        yield_now().await;
        task.cancel("late");
        assert_eq!(task.await.unwrap().unwrap_err().cancelled().unwrap().message(), "late");
        assert_eq!(log.said(), "task");
    });
}

/// CPython 3.13, "Changed in version 3.13: Improved handling of simultaneous internal and external cancellations":
/// the errors are raised, and the task is cancelled at its next await.
#[test]
fn errors_go_before_a_request_from_outside_which_waits() {
    run(async {
        let task = spawn_local(async {
            let ended = task_group(async |group| {
                group
                    .spawn_local(async {
                        cancellable(pending::<()>()).await.unwrap_err();
                        Err::<(), _>("boom")
                    })?
                    .detach();
                pending::<Result<(), AnyError>>().await
            });
            let errors = shown(&ended.await.unwrap_err());
            (errors, cancelling(), cancellable(yield_now()).await)
        });
        yield_now().await;
        yield_now().await;
        task.cancel("outside");
        let (errors, count, next) = task.await.unwrap();
        assert_eq!((errors, count, next), (vec!["boom".to_owned()], 1, Err(Cancelled::new("outside"))));
    });
}

#[test]
fn dropping_a_group_half_way_cancels_its_tasks() {
    run(async {
        let log = Log::default();
        let plain = OnDrop(log.clone(), "plain");
        let group = task_group(async |group| {
            group.spawn_local(careful(log.clone(), "careful"))?.detach();
            group
                .spawn_local(async move {
                    let _plain = plain;
                    pending::<Result<(), AnyError>>().await
                })?
                .detach();
            pending::<Result<(), AnyError>>().await
        });
        assert!(timeout(SECOND, async { group.await.map_err(drop) }).await.is_err());
        sleep(SECOND * 2).await;
        assert_eq!(log.said(), "plain careful");
    });
}

#[test]
fn groups_nest_and_a_failure_inside_is_one_error_outside() {
    run(async {
        let ended = task_group(async |group| {
            group
                .spawn_local(task_group(async |inner| {
                    inner.spawn_local(fails(1, "deep"))?.detach();
                    pending::<Result<(), AnyError>>().await
                }))?
                .detach();
            pending::<Result<(), AnyError>>().await
        });
        let error = ended.await.unwrap_err();
        assert_eq!(error.to_string(), "a task of the group failed: a task of the group failed: deep");
        assert!(error.errors()[0].downcast_ref::<GroupError>().is_some());
    });
}

#[test]
#[cfg_attr(miri, ignore = "the pool needs I/O that Miri does not have")]
fn a_group_runs_in_the_pool_with_tasks_of_the_pool() {
    let ended = AsyncRuntime::block_on(async {
        let (promise, never) = promise::<()>();
        let group = task_group(async move |group: TaskGroup| {
            group.spawn(async move { cancellable(never).await.map(drop) })?.detach();
            let three = group.spawn(async { Ok::<_, AnyError>(3) })?.await?;
            group.spawn(async move { Err::<(), _>(format!("after {three}")) })?.detach();
            pending::<Result<(), AnyError>>().await
        });
        let ended = spawn(group).await.unwrap();
        drop(promise);
        ended
    });
    assert_eq!(shown(&ended.unwrap_err()), ["after 3"]);
}

/// Whichever task of a tick runs first, the group ends with the one error when all have ended.
#[test]
fn in_every_order_a_group_ends_when_all_have() {
    for seed in 0..if cfg!(miri) { 3 } else { 200 } {
        let (left, error) = run_by_hand(Some(Order::Seeded(seed)), async {
            let left = Rc::new(());
            let error = task_group(async |group| {
                for number in 0..6 {
                    let left = left.clone();
                    group
                        .spawn_local(async move {
                            let _left = left;
                            for _ in 0..number {
                                cancellable(yield_now()).await?;
                            }
                            if number == 3 { Err(AnyError::from("three")) } else { Ok(()) }
                        })?
                        .detach();
                }
                cancellable(pending::<()>()).await?;
                Ok::<_, AnyError>(())
            });
            let error = error.await.unwrap_err();
            (Rc::strong_count(&left) - 1, shown(&error))
        });
        assert_eq!((left, error), (0, vec!["three".to_owned()]), "seed {seed}");
    }
}
