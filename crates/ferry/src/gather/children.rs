//! [`Children`]: futures that are polled together, each when it's woken, in the order of their wakes.

use super::ready::Ready;
use crate::{
    cancel::{
        Cancelled,
        scope::{Layer, Scope, inside},
    },
    executor::with_loop,
    model,
    task::{TaskBuilder, TaskHandle},
};
use std::{
    any::{Any, TypeId},
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// Children in one allocation. A poll polls those that were woken before it; what is woken meanwhile waits for
/// the next, as in a tick of the loop. Each child is cancelled on its own, and has its own scope once it has opted
/// in to requests.
pub(super) struct Children<F: Future> {
    /// Reached by [`child`] only: a shared reference to all of them would be at odds with references
    /// that a future has into itself.
    children: Pin<Box<[Child<F>]>>,
    count: usize,
    ready: Arc<Ready>,
    /// How many children have had their first poll. They have it in their order, without being queued.
    begun: usize,
    /// The next entry to be taken, and where this poll ends.
    head: usize,
    end: usize,
    is_polling: bool,
    left: usize,
    /// The child that was taken last.
    last: usize,
}

struct Child<F> {
    future: Option<F>,
    scope: Option<model::Arc<Scope>>,
}

impl<F: Future> Children<F> {
    pub(super) fn new(children: impl IntoIterator<Item = F>) -> Self {
        let children: Box<[_]> =
            children.into_iter().map(|future| Child { future: Some(future), scope: None }).collect();
        let left = children.len();
        Self {
            children: Box::into_pin(children),
            count: left,
            ready: Ready::new(left),
            begun: 0,
            head: 0,
            end: 0,
            is_polling: false,
            left,
            last: 0,
        }
    }

    /// How many children have not ended.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// The next child that ends, and what it gives; `None` when all have ended.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, F::Output)>> {
        if !self.is_polling {
            self.end = self.ready.begin();
            self.is_polling = true;
        }
        while let Some(child) = self.take() {
            self.last = child;
            if let Poll::Ready(output) = self.poll_child(child) {
                return Poll::Ready(Some((child, output)));
            }
        }
        self.is_polling = false;
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if !self.ready.rest(self.head, cx.waker()) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// The next child that this poll polls.
    fn take(&mut self) -> Option<usize> {
        if self.begun < self.count {
            self.begun += 1;
            return Some(self.begun - 1);
        }
        if self.head == self.end {
            return None;
        }
        let child = self.ready.take(self.head)?;
        self.head += 1;
        Some(child)
    }

    fn poll_child(&mut self, number: usize) -> Poll<F::Output> {
        let child = child(&mut self.children, number);
        let Some(future) = &mut child.future else { return Poll::Pending };
        // SAFETY: it's behind the pin: the future is never moved, only dropped in place.
        let future = unsafe { Pin::new_unchecked(future) };
        let poll =
            |waker: &_| inside(Layer::Own, &mut child.scope, || future.poll(&mut Context::from_waker(waker)));
        let output = std::task::ready!(self.ready.with_waker(number, poll));
        self.bury(number);
        Poll::Ready(output)
    }

    /// Drops a child, in place.
    fn bury(&mut self, number: usize) {
        let child = child(&mut self.children, number);
        let scope = child.scope.take();
        if child.future.as_mut().is_some() {
            self.left -= 1;
            child.future = None;
        }
        if let Some(scope) = scope {
            scope.end();
        }
    }

    /// Polls what is left to its end, for nobody. A panic ends its own child only.
    async fn run_on(mut self) {
        poll_fn(|cx| {
            loop {
                match catch_unwind(AssertUnwindSafe(|| self.poll_next(cx).map(|ended| ended.is_none()))) {
                    Ok(Poll::Ready(false)) => {}
                    Ok(Poll::Ready(true)) => return Poll::Ready(()),
                    Ok(Poll::Pending) => return Poll::Pending,
                    // The child that was taken last panicked. Its destructor may as well.
                    Err(_) => _ = catch_unwind(AssertUnwindSafe(|| self.bury(self.last))),
                }
            }
        })
        .await;
    }
}

fn child<F>(children: &mut Pin<Box<[Child<F>]>>, number: usize) -> &mut Child<F> {
    // SAFETY: the child is one of those behind the pin, and what uses this moves no future: `poll_child` pins it
    // again, `bury` drops it in place, and `ask` only looks at it.
    unsafe { &mut children.as_mut().get_unchecked_mut()[number] }
}

/// Where children go that are to run on when nobody waits for them together any more.
pub(super) type RunOn<F> = fn(Children<F>);

/// To a task of the loop that runs here. Off every loop they are dropped.
pub(super) fn on_loop<T, E, F>(children: Children<F>)
where
    F: Future<Output = Result<T, E>> + 'static,
    T: 'static,
{
    // Handles need nobody: their tasks run by themselves.
    if children.left() > 0 && !are_handles::<T, F>() {
        drop(TaskBuilder::new().spawn_local(children.run_on()));
    }
}

/// To the loop, if one runs here, or to the pool.
pub(super) fn on_pool<T, E, F>(children: Children<F>)
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: 'static,
{
    if with_loop(|home| home.here().is_some()) {
        on_loop(children);
    } else if children.left() > 0 && !are_handles::<T, F>() {
        drop(TaskBuilder::new().spawn(children.run_on()));
    }
}

fn are_handles<T: 'static, F: 'static>() -> bool {
    TypeId::of::<F>() == TypeId::of::<TaskHandle<T>>()
}

impl<T: 'static, E, F: Future<Output = Result<T, E>> + 'static> Children<F> {
    /// Cancels all children: those that have opted in to requests get one, and run on to clean up; others are
    /// dropped. The task behind a handle is asked to cancel.
    pub(super) fn cancel(mut self, run_on: RunOn<F>) {
        for number in 0..self.count {
            if !self.ask(number) {
                self.bury(number);
            }
        }
        run_on(self);
    }

    /// Asks one child to cancel; `false` when it's to be dropped.
    fn ask(&mut self, number: usize) -> bool {
        let child = child(&mut self.children, number);
        let Some(future) = &mut child.future else { return false };
        if are_handles::<T, F>()
            && let Some(handle) = <dyn Any>::downcast_ref::<TaskHandle<T>>(future)
        {
            handle.cancel("");
        }
        child.scope.as_ref().is_some_and(|scope| scope.request(Cancelled::default()))
    }
}

/// Children whose futures may be moved again, for those who want the pending ones back.
impl<F: Future + Unpin> Children<F> {
    /// The children that have not ended, with their numbers.
    pub(super) fn into_pending(self) -> Vec<(usize, F)> {
        let children = Pin::into_inner(self.children);
        let pending = |(number, child): (usize, Child<F>)| child.future.map(|future| (number, future));
        children.into_iter().enumerate().filter_map(pending).collect()
    }
}
