//! [`Fiber`]: a stack, and the calls that are under way on it.
//!
//! # States
//! | it is      | frames | caller | what follows                                                        |
//! |------------|--------|--------|---------------------------------------------------------------------|
//! | new        | one    | none   | `call`, `try` or `transfer` runs it                                  |
//! | running    | some   | maybe  | it yields (suspended), suspends, transfers, calls another, ends, fails |
//! | suspended  | some   | none   | it's called, or resumed by the host                                  |
//! | awaiting   | some   | maybe  | only the host resumes it, as a method of its own suspended it         |
//! | finished   | none   | none   | nothing                                                              |
//! | aborted    | none   | none   | nothing; its error stays                                             |
//!
//! `sp` is only right while it does not run: the interpreter has it in hand until then.

use super::{Class, Closure, Header, Kind, Upvalue, inner::Inner};
use crate::{
    heap::{Gc, Heap, Object},
    word::Word,
};
use std::{
    alloc::{Layout, alloc, dealloc, handle_alloc_error},
    cell::Cell,
    ptr::NonNull,
};

/// How a fiber was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// By the host.
    Root,
    /// By `try`, which an error ends at.
    Try,
    Other,
}

/// A call that is under way.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) closure: Gc<Closure>,
    /// The next instruction.
    pub(crate) ip: *const u32,
    /// The slot of its receiver, counted from the stack's first.
    pub(crate) base: usize,
}

#[repr(C)]
pub(crate) struct Fiber {
    header: Header,
    stack: Cell<NonNull<Word>>,
    capacity: Cell<usize>,
    /// Behind the last value.
    sp: Cell<*mut Word>,
    frames: Inner<Vec<Frame>>,
    open: Cell<Option<Gc<Upvalue>>>,
    pub(crate) caller: Cell<Option<Gc<Fiber>>>,
    /// Null while there is none.
    pub(crate) error: Cell<Word>,
    pub(crate) state: Cell<State>,
    /// In so many of the host's own calls it takes part, as one that waits for them to return.
    pub(crate) held_by_host: Cell<u32>,
    /// Whether it waits for the host to resume it.
    pub(crate) is_suspended: Cell<bool>,
    /// Whether it waits for what a method of the host's will give, so that nobody else may resume it.
    pub(crate) is_awaiting: Cell<bool>,
    is_started: Cell<bool>,
}

// SAFETY: `repr(C)`, the header first, of this kind in `new`.
unsafe impl Object for Fiber {
    const KIND: Kind = Kind::Fiber;

    fn extra_bytes(&self) -> usize {
        self.capacity.get() * size_of::<Word>()
            + self.frames.with(|frames| frames.capacity() * size_of::<Frame>())
    }
}

fn layout(capacity: usize) -> Layout {
    match Layout::array::<Word>(capacity) {
        Ok(layout) => layout,
        Err(_) => unreachable!("stacks are far smaller than the address space"),
    }
}

fn allocate(capacity: usize) -> NonNull<Word> {
    let layout = layout(capacity);
    // SAFETY: a capacity is never 0.
    let Some(stack) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
    stack.cast()
}

impl Fiber {
    /// One that will run a closure, whose function gets the fiber's first value if it takes one.
    pub(crate) fn new(class: Gc<Class>, closure: Gc<Closure>) -> Self {
        let capacity = (closure.function.slots as usize + 1).next_power_of_two().max(16);
        let stack = allocate(capacity);
        // SAFETY: there are 16 slots at least.
        let sp = unsafe {
            stack.as_ptr().write(Word::object(closure));
            stack.as_ptr().add(1)
        };
        let frame = Frame { closure, ip: closure.function.code().as_ptr().cast(), base: 0 };
        Self {
            header: Header::new(Self::KIND, class),
            stack: Cell::new(stack),
            capacity: Cell::new(capacity),
            sp: Cell::new(sp),
            frames: Inner::new(vec![frame]),
            open: Cell::new(None),
            caller: Cell::new(None),
            error: Cell::new(Word::NULL),
            state: Cell::new(State::Other),
            held_by_host: Cell::new(0),
            is_suspended: Cell::new(false),
            is_awaiting: Cell::new(false),
            is_started: Cell::new(false),
        }
    }

    #[inline(always)]
    pub(crate) fn stack(&self) -> *mut Word {
        self.stack.get().as_ptr()
    }

    #[inline(always)]
    pub(crate) fn sp(&self) -> *mut Word {
        self.sp.get()
    }

    #[inline(always)]
    pub(crate) fn set_sp(&self, sp: *mut Word) {
        self.sp.set(sp);
    }

    /// Whether the stack has so many slots.
    #[inline(always)]
    pub(crate) fn has_slots(&self, slots: usize) -> bool {
        slots <= self.capacity.get()
    }

    /// Makes the stack so large; `sp` must be right. Open upvalues go with it.
    #[cold]
    pub(crate) fn grow_stack(&self, slots: usize, heap: &mut Heap) {
        let (old, before) = (self.stack.get(), self.capacity.get());
        let capacity = slots.next_power_of_two();
        let stack = allocate(capacity);
        // SAFETY: `sp` points into the old stack, or behind its end; the new one is larger.
        unsafe {
            let used = self.sp.get().offset_from(old.as_ptr()) as usize;
            stack.as_ptr().copy_from_nonoverlapping(old.as_ptr(), used);
            self.sp.set(stack.as_ptr().add(used));
            let mut open = self.open.get();
            while let Some(upvalue) = open {
                upvalue.set_at(stack.as_ptr().offset(upvalue.at().offset_from(old.as_ptr())));
                open = upvalue.next.get();
            }
            dealloc(old.as_ptr().cast(), layout(before));
        }
        self.stack.set(stack);
        self.capacity.set(capacity);
        heap.grow((capacity - before) * size_of::<Word>());
    }

    // Frames.

    #[inline(always)]
    pub(crate) fn depth(&self) -> usize {
        self.frames.with(|frames| frames.len())
    }

    #[inline(always)]
    pub(crate) fn push_frame(&self, frame: Frame, heap: &mut Heap) {
        let is_full = self.frames.with(|frames| frames.len() == frames.capacity());
        if is_full {
            self.grow_frames(heap);
        }
        self.frames.with(|frames| frames.push(frame));
    }

    #[cold]
    fn grow_frames(&self, heap: &mut Heap) {
        let (before, after) = self.frames.with(|frames| {
            let before = frames.capacity();
            frames.reserve(1);
            (before, frames.capacity())
        });
        heap.grow((after - before) * size_of::<Frame>());
    }

    /// Ends the innermost call, and gives the one around it.
    #[inline(always)]
    pub(crate) fn pop_frame(&self) -> Option<Frame> {
        self.frames.with(|frames| {
            frames.pop();
            frames.last().copied()
        })
    }

    #[inline(always)]
    pub(crate) fn frame(&self) -> Option<Frame> {
        self.frames.with(|frames| frames.last().copied())
    }

    /// Where the innermost call goes on.
    #[inline(always)]
    pub(crate) fn set_ip(&self, ip: *const u32) {
        self.frames.with(|frames| {
            if let Some(frame) = frames.last_mut() {
                frame.ip = ip;
            }
        });
    }

    /// The calls that are under way, the innermost first.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        self.frames.with(|frames| frames.iter().rev().copied().collect())
    }

    /// Whether it has not begun to run.
    pub(crate) fn is_new(&self) -> bool {
        !self.is_started.get()
    }

    pub(crate) fn set_started(&self) {
        self.is_started.set(true);
    }

    /// Whether there's nothing to run any more.
    pub(crate) fn is_done(&self) -> bool {
        self.depth() == 0 || self.has_error()
    }

    pub(crate) fn has_error(&self) -> bool {
        !self.error.get().is_null()
    }

    /// Ends it as it stands: nothing of it will run.
    pub(crate) fn end(&self) {
        self.close_upvalues(self.stack());
        self.frames.with(|frames| frames.clear());
        self.sp.set(self.stack());
        self.caller.set(None);
        self.is_suspended.set(false);
    }

    /// The one that called it and waits for what it gives, which no longer does. None if nobody called it, or if that one has
    /// gone on since, by a transfer, and is at its end or in the middle of a foreign method.
    pub(crate) fn take_caller(&self) -> Option<Gc<Fiber>> {
        self.caller.take().filter(|caller| !caller.is_done() && caller.held_by_host.get() == 0)
    }

    // The stack's top, while it doesn't run.

    /// Gives it a value as the result of what it waits for.
    pub(crate) fn set_result(&self, value: Word) {
        debug_assert!(!self.is_done() && !self.is_new());
        self.is_suspended.set(false);
        // SAFETY: a fiber that waits for a result has a slot for it on top (the interpreter leaves one).
        unsafe { *self.sp.get().sub(1) = value }
    }

    /// Adds a value. There must be a slot, as there is for the argument of a new one.
    pub(crate) fn push(&self, value: Word) {
        // SAFETY: `new` makes one slot more than the function asks for.
        unsafe {
            *self.sp.get() = value;
            self.sp.set(self.sp.get().add(1));
        }
    }

    /// The slots of the first call: its receiver and its arguments, for which its function has slots.
    pub(crate) fn set_arguments(&self, words: &[Word]) {
        debug_assert!(words.len() <= self.capacity.get());
        for (index, word) in words.iter().enumerate() {
            // SAFETY: `new` makes as many slots as the function asks for.
            unsafe { *self.stack().add(index) = *word }
        }
        // SAFETY: as above.
        self.sp.set(unsafe { self.stack().add(words.len()) });
    }

    // Upvalues.

    /// The upvalue of a slot: there is one of each, at most.
    pub(crate) fn capture(this: Gc<Self>, slot: *mut Word, heap: &mut Heap) -> Gc<Upvalue> {
        let mut above: Option<Gc<Upvalue>> = None;
        let mut at = this.open.get();
        while let Some(upvalue) = at {
            if upvalue.at() <= slot {
                break;
            }
            above = at;
            at = upvalue.next.get();
        }
        if let Some(known) = at.filter(|upvalue| upvalue.at() == slot) {
            return known;
        }
        let made = heap.alloc(Upvalue::new(slot, this, at));
        match above {
            Some(above) => above.next.set(Some(made)),
            None => this.open.set(Some(made)),
        }
        made
    }

    /// Closes those of the slots from `from` on.
    #[inline(always)]
    pub(crate) fn close_upvalues(&self, from: *mut Word) {
        while let Some(upvalue) = self.open.get() {
            if upvalue.at() < from {
                return;
            }
            self.open.set(upvalue.next.get());
            upvalue.close();
        }
    }

    pub(super) fn trace(&self, heap: &mut Heap) {
        let stack = self.stack();
        // SAFETY: `sp` is right, as fibers are only traced at safe points, where the interpreter has put it back.
        unsafe {
            let used = self.sp.get().offset_from(stack) as usize;
            for index in 0..used {
                heap.mark_word(*stack.add(index));
            }
        }
        self.frames.with(|frames| frames.iter().for_each(|frame| heap.mark(frame.closure)));
        let mut open = self.open.get();
        while let Some(upvalue) = open {
            heap.mark(upvalue);
            open = upvalue.next.get();
        }
        if let Some(caller) = self.caller.get() {
            heap.mark(caller);
        }
        heap.mark_word(self.error.get());
    }
}

impl Drop for Fiber {
    fn drop(&mut self) {
        // Its open upvalues go with it: one that something led to would have led here.
        // SAFETY: it came from `allocate` with this capacity.
        unsafe { dealloc(self.stack().cast(), layout(self.capacity.get())) };
    }
}
