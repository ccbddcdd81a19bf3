//! Tokens and their tree.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{
    Instant, Order, cancellable, cancelling, executor::run_by_hand, sleep, spawn_local, uncancel, yield_now,
};
use futures_lite::future::poll_once;
use std::{
    future::{pending, ready},
    rc::Rc,
    task::{Wake, Waker},
    thread,
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);
const MANY: usize = if cfg!(miri) { 50 } else { 100_000 };

fn run<F: Future>(main: F) -> F::Output {
    run_by_hand(Some(Order::Fifo), main)
}

fn why(token: &CancellationToken) -> Option<String> {
    token.reason().map(|reason| reason.message().to_owned())
}

/// How many tokens its tree holds.
fn size(token: &CancellationToken) -> usize {
    token.0.lock().len()
}

/// ```text
///   0 ─ 1 ─ 3 ─ 5
///   │   └ 4
///   └ 2
/// ```
fn family() -> [CancellationToken; 6] {
    let root = CancellationToken::new();
    let [a, b] = [(); 2].map(|()| root.child_token());
    let [c, d] = [(); 2].map(|()| a.child_token());
    let e = c.child_token();
    [root, a, b, c, d, e]
}

#[test]
fn cancelling_one_cancels_those_below_it_for_its_reason() {
    let check = |which: usize, expected: &[usize]| {
        let family = family();
        assert!(family[which].cancel("why"));
        let cancelled: Vec<_> = (0..6).filter(|number| family[*number].is_cancelled()).collect();
        assert_eq!(cancelled, expected, "after {which} was cancelled");
        assert!(expected.iter().all(|number| why(&family[*number]).unwrap() == "why"));
        assert_eq!(size(&family[0]), 6 - expected.len(), "those that are cancelled left the tree");
    };
    check(0, &[0, 1, 2, 3, 4, 5]);
    check(1, &[1, 3, 4, 5]);
    check(2, &[2]);
    check(3, &[3, 5]);
    check(5, &[5]);
}

#[test]
fn the_first_reason_stays() {
    let [root, child, ..] = family();
    assert!(child.cancel("first"));
    assert!(!child.cancel("second") && root.cancel("third") && !root.clone().cancel("fourth"));
    assert_eq!((why(&root), why(&child)), (Some("third".to_owned()), Some("first".to_owned())));
    assert_eq!(why(&child.child_token().child_token()), Some("first".to_owned()));
    let without = CancellationToken::default();
    without.cancel("");
    assert_eq!(
        (without.reason(), without.reason().unwrap().to_string()),
        (Some(Cancelled::default()), "cancelled".to_owned())
    );
}

/// Whoever is in between and gone.
#[test]
fn those_whose_parent_was_dropped_belong_to_its_parent() {
    let check = |gone: &[usize], expected: &[usize]| {
        let mut family = family().map(Some);
        for number in gone {
            family[*number] = None;
        }
        let last = family[5].clone().unwrap();
        assert_eq!(size(&last), 6 - gone.len());
        if let Some(root) = &family[0] {
            root.cancel("why");
        }
        let cancelled: Vec<_> = (0..6)
            .filter(|number| family[*number].as_ref().is_some_and(CancellationToken::is_cancelled))
            .collect();
        assert_eq!(cancelled, expected, "without {gone:?}");
        // Below the one that is left.
        let child = last.child_token();
        last.cancel("itself");
        assert!(child.is_cancelled());
    };
    check(&[1], &[0, 2, 3, 4, 5]);
    check(&[3, 1], &[0, 2, 4, 5]);
    check(&[1, 3], &[0, 2, 4, 5]);
    check(&[0], &[]);
    check(&[0, 1, 3], &[]);
}

#[test]
fn children_that_are_gone_take_no_memory() {
    let root = CancellationToken::new();
    for _ in 0..MANY {
        let child = root.child_token();
        assert_eq!(size(&child), 2);
    }
    let many: Vec<_> = (0..MANY).map(|_| root.child_token()).collect();
    assert_eq!(size(&root), 1 + MANY);
    drop(many);
    assert_eq!((size(&root), Arc::weak_count(&root.0)), (1, 1));
    // Each the child of the one before, of which nobody has any but the last.
    let mut last = root.child_token();
    for _ in 0..MANY {
        last = last.child_token();
    }
    assert_eq!(size(&last), 2);
    root.cancel("why");
    assert_eq!((why(&last), size(&root)), (Some("why".to_owned()), 0));
}

#[test]
fn deep_trees_do_not_recurse() {
    let deep = || {
        let mut chain = vec![CancellationToken::new()];
        for number in 0..MANY {
            chain.push(chain[number].child_token());
        }
        chain
    };
    let work = move || {
        let chain = deep();
        chain[0].cancel("why");
        assert!(chain.iter().all(CancellationToken::is_cancelled));
        drop(chain);
        drop(deep());
        let mut backwards = deep();
        while backwards.pop().is_some() {}
    };
    thread::Builder::new().stack_size(128 * 1024).spawn(work).unwrap().join().unwrap();
}

#[test]
fn all_that_wait_are_woken_and_who_gave_up_is_gone() {
    run(async {
        let [root, child, other, ..] = family();
        let waiting: Vec<_> =
            [&root, &child, &other].map(|token| spawn_local(token.clone().cancelled_owned())).into();
        yield_now().await;
        assert!(poll_once(child.cancelled()).await.is_none());
        assert_eq!(format!("{child:?}"), "CancellationToken { reason: None, waiters: 1 }");
        other.cancel("alone");
        root.cancel("all");
        let mut reasons = Vec::new();
        for task in waiting {
            reasons.push(task.await.unwrap().message().to_owned());
        }
        assert_eq!(reasons, ["all", "all", "alone"]);
        assert_eq!(poll_once(child.cancelled()).await, Some(Cancelled::new("all")));
    });
}

#[test]
fn who_is_woken_first_sees_the_whole_branch_cancelled() {
    struct Look(CancellationToken, OnceLock<bool>);
    impl Wake for Look {
        fn wake(self: Arc<Self>) {
            self.1.set(self.0.is_cancelled() && self.0.child_token().is_cancelled()).unwrap();
        }
    }
    let [root, .., last] = family();
    let look = Arc::new(Look(last, OnceLock::new()));
    let waker = Waker::from(look.clone());
    let mut waiting = root.cancelled();
    assert!(Pin::new(&mut waiting).poll(&mut Context::from_waker(&waker)).is_pending());
    root.cancel("why");
    assert_eq!(look.1.get(), Some(&true));
}

#[test]
fn what_needs_not_wait_gives_its_value_even_if_it_is_cancelled() {
    run(async {
        let token = CancellationToken::new();
        token.cancel("why");
        assert_eq!(token.run_until_cancelled(ready(1)).await, Ok(1));
        assert_eq!(token.run_until_cancelled(pending::<()>()).await, Err(Cancelled::new("why")));
    });
}

#[test]
fn a_body_without_a_cancellable_is_dropped_where_it_waits() {
    run(async {
        let (token, owned) = (CancellationToken::new(), Rc::new(()));
        let (there, held) = (token.child_token(), owned.clone());
        let task = spawn_local(async move {
            let body = async move {
                let _held = held;
                pending::<()>().await;
            };
            (there.run_until_cancelled(body).await, cancelling())
        });
        yield_now().await;
        token.cancel("why");
        assert_eq!(task.await.unwrap(), (Err(Cancelled::new("why")), 0));
        assert_eq!(Rc::strong_count(&owned), 1);
    });
}

#[test]
fn a_body_that_is_cancellable_cleans_up() {
    run(async {
        let begun = Instant::now();
        let token = CancellationToken::new();
        let there = token.clone();
        let task = spawn_local(async move {
            let body = async {
                let cancelled = cancellable(pending::<()>()).await.unwrap_err();
                sleep(SECOND).await;
                cancelled.message().to_owned()
            };
            there.run_until_cancelled(body).await
        });
        yield_now().await;
        token.cancel("why");
        assert_eq!((task.await.unwrap(), begun.elapsed()), (Err(Cancelled::new("why")), SECOND));
    });
}

#[test]
fn a_body_that_uncancels_or_is_cancelled_from_outside_gives_its_output() {
    run(async {
        let token = CancellationToken::new();
        let there = token.clone();
        let stubborn = spawn_local(async move {
            let body = async {
                cancellable(pending::<()>()).await.unwrap_err();
                uncancel();
                "went on"
            };
            there.run_until_cancelled(body).await
        });
        let there = token.clone();
        let outside = spawn_local(async move {
            let body = async {
                let by_token = cancellable(pending::<()>()).await.unwrap_err();
                let from_outside = cancellable(pending::<()>()).await.unwrap_err();
                [by_token, from_outside].map(|cancelled| cancelled.message().to_owned())
            };
            there.run_until_cancelled(body).await
        });
        yield_now().await;
        token.cancel("token");
        yield_now().await;
        outside.cancel("outside");
        assert_eq!(stubborn.await.unwrap(), Ok("went on"));
        assert_eq!(outside.await.unwrap(), Ok(["token", "outside"].map(str::to_owned)));
    });
}

#[test]
fn children_that_are_made_while_it_is_cancelled_are_cancelled() {
    let (rounds, children) = if cfg!(miri) { (3, 5) } else { (200, 50) };
    for round in 0..rounds {
        let root = CancellationToken::new();
        let makers: Vec<_> = (0..2)
            .map(|_| {
                let root = root.clone();
                thread::spawn(move || {
                    let kept: Vec<_> = (0..children)
                        .map(|_| {
                            let child = root.child_token();
                            drop(child.child_token());
                            child.child_token()
                        })
                        .collect();
                    kept
                })
            })
            .collect();
        if round % 2 == 0 {
            thread::yield_now();
        }
        assert!(root.cancel("why"));
        for maker in makers {
            assert!(maker.join().unwrap().iter().all(|token| why(token).as_deref() == Some("why")));
        }
        assert_eq!((size(&root), Arc::weak_count(&root.0)), (0, 0));
    }
}

#[test]
fn a_wait_on_another_thread_ends() {
    let root = CancellationToken::new();
    let child = root.child_token();
    let waiting = thread::spawn(move || futures_lite::future::block_on(child.cancelled_owned()));
    root.cancel("why");
    assert_eq!(waiting.join().unwrap(), Cancelled::new("why"));
}
