//! Detached work whose job nobody refers to any more. It goes on, and an error of it is still reported, once.
//!
//! An orphan's end may come on any thread, where there is no GIL. It asks an event loop to [report](report): its own,
//! or any that is open where that is closed; where none is, the next `submit()` does, or Python's exit.

use crate::{
    fork::Renewed,
    home::{self, Home, report_nowhere},
    source::{Ending, Source},
};
use asyncferry::State;
use pyo3::prelude::*;
use std::{
    sync::{
        Arc, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

struct Orphan {
    name: String,
    source: Box<dyn Source>,
    home: Option<Arc<Home>>,
}

static ORPHANS: Renewed<Vec<Orphan>> = Renewed::new();

/// Some may have ended.
static HAVE_ENDED: AtomicBool = AtomicBool::new(false);

/// Keeps `source` until it ends.
pub(crate) fn adopt(name: &str, mut source: Box<dyn Source>, home: Option<Arc<Home>>) {
    let waker = Waker::from(Arc::new(Ended(home.clone())));
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

/// Wakes for the end of one that has this home.
struct Ended(Option<Arc<Home>>);

impl Wake for Ended {
    fn wake(self: Arc<Self>) {
        HAVE_ENDED.store(true, Ordering::Release);
        let errand = |py: Python<'_>, _: &Arc<Home>| {
            report(py);
            Ok(())
        };
        if !self.0.as_ref().is_some_and(|own| own.run(errand)) {
            home::tell_any(errand);
        }
    }
}

fn orphans() -> MutexGuard<'static, Vec<Orphan>> {
    ORPHANS.get().lock().unwrap_or_else(PoisonError::into_inner)
}
