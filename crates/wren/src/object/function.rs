//! [`Function`], code; [`Closure`], code with the variables around it; [`Upvalue`], one of those.

use super::{Class, Fiber, Header, Kind, inner::Inner};
use crate::{
    bytecode::ClassAttributes,
    heap::{Gc, Heap, Object},
    word::Word,
};
use std::cell::Cell;

/// The number of a module in its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ModuleId(pub(crate) u32);

#[repr(C)]
pub(crate) struct Function {
    header: Header,
    code: Box<[Cell<u32>]>,
    constants: Box<[Cell<Word>]>,
    pub(crate) arity: u8,
    pub(crate) slots: u32,
    pub(crate) upvalues: u32,
    pub(crate) module: ModuleId,
    pub(crate) lines: Box<[u32]>,
    pub(crate) name: Box<str>,
    pub(crate) attributes: Box<[ClassAttributes]>,
    /// The class whose superclass and fields the code was made for, once it's a method's.
    bound: Cell<Option<Gc<Class>>>,
}

// SAFETY: `repr(C)`, the header first, of this kind in `new`.
unsafe impl Object for Function {
    const KIND: Kind = Kind::Function;

    fn extra_bytes(&self) -> usize {
        self.code.len() * 8 + self.constants.len() * 8 + self.name.len()
    }
}

/// What a [`Function`] is made of.
pub(crate) struct Parts {
    pub(crate) code: Vec<u32>,
    pub(crate) constants: Vec<Word>,
    pub(crate) arity: u8,
    pub(crate) slots: u32,
    pub(crate) upvalues: u32,
    pub(crate) module: ModuleId,
    pub(crate) lines: Box<[u32]>,
    pub(crate) name: Box<str>,
    pub(crate) attributes: Box<[ClassAttributes]>,
}

impl Function {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            header: Header::without_class(Self::KIND),
            code: parts.code.into_iter().map(Cell::new).collect(),
            constants: parts.constants.into_iter().map(Cell::new).collect(),
            arity: parts.arity,
            slots: parts.slots,
            upvalues: parts.upvalues,
            module: parts.module,
            lines: parts.lines,
            name: parts.name,
            attributes: parts.attributes,
            bound: Cell::new(None),
        }
    }

    /// What it is made of, once more.
    pub(crate) fn parts(&self) -> Parts {
        Parts {
            code: self.code.iter().map(Cell::get).collect(),
            constants: self.constants.iter().map(Cell::get).collect(),
            arity: self.arity,
            slots: self.slots,
            upvalues: self.upvalues,
            module: self.module,
            lines: self.lines.clone(),
            name: self.name.clone(),
            attributes: self.attributes.clone(),
        }
    }

    pub(crate) fn code(&self) -> &[Cell<u32>] {
        &self.code
    }

    pub(crate) fn constants(&self) -> &[Cell<Word>] {
        &self.constants
    }

    pub(crate) fn bound(&self) -> Option<Gc<Class>> {
        self.bound.get()
    }

    pub(crate) fn set_bound(&self, class: Gc<Class>) {
        self.bound.set(Some(class));
    }

    /// The line of the instruction that stands before `ip`.
    pub(crate) fn line_before(&self, ip: *const u32) -> u32 {
        let first = self.code.as_ptr() as usize;
        let index = ((ip as usize).saturating_sub(first) / 4).saturating_sub(1);
        self.lines.get(index).copied().unwrap_or(0)
    }

    pub(super) fn trace(&self, heap: &mut Heap) {
        self.constants.iter().for_each(|constant| heap.mark_word(constant.get()));
        if let Some(class) = self.bound.get() {
            heap.mark(class);
        }
    }
}

#[repr(C)]
pub(crate) struct Closure {
    header: Header,
    pub(crate) function: Gc<Function>,
    upvalues: Inner<Box<[Gc<Upvalue>]>>,
}

// SAFETY: `repr(C)`, the header first, of this kind in `new`.
unsafe impl Object for Closure {
    const KIND: Kind = Kind::Closure;

    fn extra_bytes(&self) -> usize {
        self.upvalues.with(|upvalues| upvalues.len() * 8)
    }
}

impl Closure {
    pub(crate) fn new(class: Gc<Class>, function: Gc<Function>, upvalues: Box<[Gc<Upvalue>]>) -> Self {
        Self { header: Header::new(Self::KIND, class), function, upvalues: Inner::new(upvalues) }
    }

    pub(crate) fn upvalues(&self) -> Box<[Gc<Upvalue>]> {
        self.upvalues.with(|upvalues| upvalues.clone())
    }

    /// # Safety
    /// It has so many. That's so for those that its function's code names.
    #[inline(always)]
    pub(crate) unsafe fn upvalue(&self, index: usize) -> Gc<Upvalue> {
        // SAFETY: the caller says that there are so many.
        self.upvalues.with(|upvalues| unsafe { *upvalues.get_unchecked(index) })
    }

    pub(super) fn trace(&self, heap: &mut Heap) {
        heap.mark(self.function);
        self.upvalues.with(|upvalues| upvalues.iter().for_each(|upvalue| heap.mark(*upvalue)));
    }
}

/// A variable of a function, for those in it. Open: it's in its slot on the fiber's stack. Closed, when the slot goes: it is
/// in here.
#[repr(C)]
pub(crate) struct Upvalue {
    header: Header,
    /// Where the value is.
    at: Cell<*mut Word>,
    /// The value, once it's closed. Until then the fiber, which stays for the sake of its stack.
    own: Cell<Word>,
    /// The next open one, further down the stack.
    pub(crate) next: Cell<Option<Gc<Upvalue>>>,
}

// SAFETY: `repr(C)`, the header first, of this kind in `new`.
unsafe impl Object for Upvalue {
    const KIND: Kind = Kind::Upvalue;
}

impl Upvalue {
    pub(crate) fn new(slot: *mut Word, fiber: Gc<Fiber>, next: Option<Gc<Upvalue>>) -> Self {
        Self {
            header: Header::without_class(Self::KIND),
            at: Cell::new(slot),
            own: Cell::new(Word::object(fiber)),
            next: Cell::new(next),
        }
    }

    #[inline(always)]
    pub(crate) fn at(&self) -> *mut Word {
        self.at.get()
    }

    /// The stack has moved.
    pub(crate) fn set_at(&self, slot: *mut Word) {
        self.at.set(slot);
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> Word {
        // SAFETY: it's the slot, whose fiber this leads to as long as it's open, or the own cell.
        unsafe { *self.at.get() }
    }

    #[inline(always)]
    pub(crate) fn set(&self, value: Word) {
        // SAFETY: as in `get`; nobody holds a reference to a slot.
        unsafe { *self.at.get() = value }
    }

    pub(crate) fn close(&self) {
        self.own.set(self.get());
        self.at.set(self.own.as_ptr());
        self.next.set(None);
    }

    pub(super) fn trace(&self, heap: &mut Heap) {
        heap.mark_word(self.own.get());
    }
}
