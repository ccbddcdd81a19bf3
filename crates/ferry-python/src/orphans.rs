//! Detached work whose job nobody refers to any more. It goes on, and an error of it is still reported, once.
//!
//! An orphan's end may come on any thread, where there is no GIL. It asks an event loop, any that is open, to
//! [report](report); where none is, the next Ferry function that is called does, or Python's exit.

use crate::{
    home::{self, Home, report_nowhere},
    source::{Ending, Source},
};
use asyncferry::State;
use pyo3::prelude::*;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

struct Orphan {
    name: String,
    source: Box<dyn Source>,
    home: Option<Arc<Home>>,
}

static ORPHANS: Mutex<Vec<Orphan>> = Mutex::new(Vec::new());

/// Some may have ended.
static HAVE_ENDED: AtomicBool = AtomicBool::new(false);

/// Keeps `source` until it ends.
pub(crate) fn adopt(name: &str, mut source: Box<dyn Source>, home: Option<Arc<Home>>) {
    let waker = Waker::from(Arc::new(Ended));
    if source.poll_settled(&mut Context::from_waker(&waker)).is_ready() {
        HAVE_ENDED.store(true, Ordering::Release);
    }
    orphans().push(Orphan { name: name.to_owned(), source, home });
}

/// Lets go of those that have ended, and reports their errors.
pub(crate) fn report(py: Python<'_>) {
    if !HAVE_ENDED.swap(false, Ordering::AcqRel) {
        return;
    }
    let ended: Vec<_> = orphans().extract_if(.., |orphan| orphan.source.state() != State::Pending).collect();
    for orphan in ended {
        let Ending::Error(error) = orphan.source.ending(py) else { continue };
        let message = format!("Detached job '{}' failed, and nobody retrieved its exception", orphan.name);
        let reported = match &orphan.home {
            Some(home) => home.report(py, &message, error),
            None => {
                report_nowhere(py, &message, &error);
                Ok(())
            }
        };
        if let Err(error) = reported {
            report_nowhere(py, &message, &error);
        }
    }
}

struct Ended;

impl Wake for Ended {
    fn wake(self: Arc<Self>) {
        HAVE_ENDED.store(true, Ordering::Release);
        home::tell_any(|py, _| {
            report(py);
            Ok(())
        });
    }
}

/// In a forked child: leaves the parent's alone.
pub(crate) fn forget_all() {
    std::mem::forget(std::mem::take(&mut *orphans()));
}

/// Keeps them as they are, while this process forks.
pub(crate) fn lock() -> impl Sized {
    orphans()
}

fn orphans() -> MutexGuard<'static, Vec<Orphan>> {
    ORPHANS.lock().unwrap_or_else(PoisonError::into_inner)
}
