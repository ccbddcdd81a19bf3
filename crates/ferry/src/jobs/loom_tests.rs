//! What a pool's threads do to each other, under the model checker: who submits, who works, who cancels. The pool is driven by
//! hand: a body that is wanted works in the model's own thread.

use super::{
    core::{Claimed, Core, Refused},
    entry::{Entry, EntryFor, EntryOf},
    phase::Stage,
    work::BlockingOnce,
    worker::Body,
};
use crate::{cancel::Cancelled, promise::State};
use loom::thread;
use std::{
    convert::Infallible,
    mem::take,
    sync::Arc,
    task::{Context, Poll, Waker},
};

type Job = Arc<dyn EntryFor<u32>>;

fn job(number: u32) -> Job {
    Arc::new(EntryOf::new(false, BlockingOnce::new(move |_: &_| Ok::<_, Infallible>(number))))
}

/// Works as long as bodies are wanted and get jobs; says how many those were.
fn work(core: &Arc<Core>) -> usize {
    let mut done = 0;
    loop {
        let wanted = take(&mut *core.wanted.lock().expect("no test panics with it"));
        if wanted.is_empty() {
            return done;
        }
        for mut body in wanted {
            done += live(core, &mut body);
        }
    }
}

fn live(core: &Arc<Core>, body: &mut Body) -> usize {
    let mut done = 0;
    loop {
        match core.claim(body, None) {
            Claimed::Job(claim) => {
                claim.run(core);
                done += 1;
            }
            Claimed::Nothing => {}
            Claimed::Rests | Claimed::Over => return done,
        }
    }
}

#[test]
fn a_job_that_comes_while_a_worker_gives_up_is_not_lost() {
    loom::model(|| {
        let core = Core::without_steward(1, 10);
        let (first, second) = (job(1), job(2));
        assert!(core.push(first.clone()).is_ok());
        let there = core.clone();
        let worker = thread::spawn(move || work(&there));
        assert!(core.push(second.clone()).is_ok());
        let done = worker.join().expect("it doesn't panic") + work(&core);
        assert_eq!(done, 2, "who submits wants a body, or a body that works has seen it");
        assert!([first, second].iter().all(|job| job.outcome().state() == State::Completed));
    });
}

#[test]
fn a_job_is_claimed_or_cancelled() {
    loom::model(|| {
        let core = Core::without_steward(1, 10);
        let job = job(1);
        assert!(core.push(job.clone()).is_ok());
        let there = core.clone();
        let worker = thread::spawn(move || work(&there));
        let erased: Arc<dyn Entry> = job.clone();
        let cancelled = core.cancel(&erased, &Cancelled::new("not needed"));
        let done = worker.join().expect("it doesn't panic") + work(&core);
        let state = job.outcome().state();
        assert_eq!(cancelled, state == State::Cancelled, "{state:?}");
        assert!(cancelled || done == 1);
        assert_eq!(job.header().phase.at().stage, Stage::Ended);
        assert!(core.poll_idle().is_none(), "nothing is counted that is not there");
    });
}

#[test]
fn who_waits_for_room_gets_it() {
    loom::model(|| {
        let core = Core::without_steward(1, 1);
        let (first, second) = (job(1), job(2));
        assert!(core.push(first).is_ok());
        let there = core.clone();
        let worker = thread::spawn(move || work(&there));
        let erased: Arc<dyn Entry> = second.clone();
        let mut place = None;
        let mut cx = Context::from_waker(Waker::noop());
        let waited = core.poll_push(&erased, &mut place, &mut cx).is_pending();
        let mut done = worker.join().expect("it doesn't panic");
        if waited {
            // The place was given up when the first job was claimed.
            assert!(matches!(core.poll_push(&erased, &mut place, &mut cx), Poll::Ready(Ok(()))));
        }
        done += work(&core);
        assert_eq!((done, second.outcome().state()), (2, State::Completed));
        assert!(!matches!(core.push(job(3)), Err(Refused::Full)));
    });
}
