//! [`Stack`]: what a task has still to do.
//!
//! ```text
//!   outermost                                                            innermost
//!   inherited chain │ segment 0      │ segment 1        │ segment 2
//!   (of the spawner)│ no handler     │ handler: state() │ handler: log
//!                   │ frames: main() │ frames: load()   │ frames: fetch(), parse()  ◀ runs
//! ```
//!
//! A segment is a handler with the frames inside of it. Capturing a continuation cuts off whole segments, however deep
//! the calls in them are; resuming puts them back.

use super::{
    chain::{self, Chain},
    continuation::K,
    grave::{Grave, bury},
    handler::Handler,
    machine::Next,
};
use pyo3::{PyTraverseError, PyVisit, prelude::*};

/// What goes on when a value comes.
pub(super) enum Frame {
    /// The generator of a `@do` function.
    Generator(Py<PyAny>),
    /// The generator of a handler that has been given `k`.
    Handling { generator: Py<PyAny>, k: Py<K> },
    /// What a function makes of the value is the value.
    Map(Py<PyAny>),
    /// What a function makes of the value is the program to go on with.
    Chain(Py<PyAny>),
    /// The end of a `Try`.
    Try,
    /// The end of a continuation that was unwound, as its handler ended without it. So that went.
    Unwound(Box<Next>),
}

impl Frame {
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Generator(object) | Self::Map(object) | Self::Chain(object) => visit.call(object),
            Self::Handling { generator, k } => {
                visit.call(generator)?;
                visit.call(k)
            }
            Self::Try => Ok(()),
            Self::Unwound(next) => next.traverse(visit),
        }
    }
}

/// A handler, with what runs in it.
pub(super) struct Segment {
    /// None at the bottom of a task, and nowhere else.
    pub(super) handler: Option<Handler>,
    pub(super) frames: Vec<Frame>,
    /// This handler and all outside of it, for what is spawned here. Made when it's first needed.
    chain: Option<Chain>,
}

impl Segment {
    pub(super) fn new(handler: Option<Handler>) -> Self {
        Self { handler, frames: Vec::new(), chain: None }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(handler) = &self.handler {
            handler.traverse(visit)?;
        }
        if let Some(Some(chain)) = &self.chain {
            visit.call(chain)?;
        }
        self.frames.iter().try_for_each(|frame| frame.traverse(visit))
    }
}

/// Shows the collector what segments refer to.
pub(super) fn traverse_all(segments: &[Segment], visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
    segments.iter().try_for_each(|segment| segment.traverse(visit))
}

/// What a task has to do, and the handlers it has from its spawner.
#[derive(Default)]
pub(super) struct Stack {
    pub(super) segments: Vec<Segment>,
    pub(super) inherited: Chain,
}

impl Stack {
    pub(super) fn new(inherited: Chain) -> Self {
        Self { segments: vec![Segment::new(None)], inherited }
    }

    /// The innermost segment.
    #[inline]
    pub(super) fn top(&mut self) -> &mut Segment {
        match self.segments.last_mut() {
            Some(segment) => segment,
            None => unreachable!("the bottom segment is left when the task ends"),
        }
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.top().frames.push(frame);
    }

    /// Cuts off the segments from `level` on, and adds them to `captured`, which was cut off before. There the innermost is
    /// the first, so that an effect which goes from handler to handler moves no segment twice.
    pub(super) fn capture(&mut self, level: usize, captured: &mut Vec<Segment>) {
        captured.extend(self.segments.drain(level..).rev());
        debug_assert!(!self.segments.is_empty(), "the bottom segment has no handler");
    }

    /// Puts captured segments on top.
    pub(super) fn reinstate(&mut self, captured: Vec<Segment>) {
        self.segments.extend(captured.into_iter().rev().map(|mut segment| {
            // What is outside of them may be another now.
            segment.chain = None;
            segment
        }));
    }

    /// Makes own segments of the inherited handlers up to the `count`-th, so that they can be captured.
    pub(super) fn adopt(&mut self, py: Python<'_>, count: usize) {
        let mut adopted = Vec::with_capacity(count + 1);
        for _ in 0..count {
            let Some(node) = self.inherited.take() else { break };
            adopted.push(node.get().handler.clone_ref(py));
            self.inherited = node.get().parent(py);
        }
        let bottom = std::mem::take(&mut self.segments);
        self.segments.push(Segment::new(None));
        self.segments.extend(adopted.into_iter().rev().map(|handler| Segment::new(Some(handler))));
        let mut bottom = bottom.into_iter();
        // The frames of the old bottom run inside the innermost of the adopted handlers.
        if let Some(first) = bottom.next() {
            self.top().frames = first.frames;
        }
        self.segments.extend(bottom);
    }

    /// All handlers that are here, for a task that is spawned.
    pub(super) fn chain(&mut self, py: Python<'_>) -> PyResult<Chain> {
        let known = self.segments.iter().rposition(|segment| segment.chain.is_some());
        let mut chain = match known.and_then(|place| self.segments[place].chain.as_ref()) {
            Some(chain) => chain::clone(py, chain),
            None => chain::clone(py, &self.inherited),
        };
        for segment in &mut self.segments[known.map_or(0, |place| place + 1)..] {
            if let Some(handler) = &segment.handler {
                chain = Some(chain::extend(py, handler.inherited(py), chain)?);
            }
            segment.chain = Some(chain::clone(py, &chain));
        }
        Ok(chain)
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(chain) = &self.inherited {
            visit.call(chain)?;
        }
        traverse_all(&self.segments, visit)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if !self.segments.is_empty() {
            self.segments.reverse();
            bury(Grave::Segments(std::mem::take(&mut self.segments)));
        }
    }
}
