//! [`Class`], with the methods that its objects answer to.
//!
//! A class has a table with a place for each symbol. It has its superclass's methods in it from the beginning, so that a call
//! is one look-up.

use super::{Closure, Header, Kind, Text, inner::Inner};
use crate::{
    heap::{Gc, Heap, Object},
    machine::{Machine, Signal},
    word::Word,
};
use std::cell::Cell;

/// A method in Rust. It gets the receiver and the arguments, and may keep none of them.
pub(crate) type Primitive = fn(&mut Machine, &[Word]) -> Result<Word, Signal>;

/// What the methods of `Fiber` do that leave the fiber that calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FiberOp {
    Call,
    CallWith,
    Try,
    TryWith,
    Transfer,
    TransferWith,
    TransferError,
    Yield,
    YieldWith,
    Suspend,
}

/// What a class does for a symbol.
#[derive(Clone, Copy)]
pub(crate) enum Method {
    None,
    Primitive(Primitive),
    /// Code.
    Block(Gc<Closure>),
    /// `call` of a function.
    Call,
    /// A switch of fibers.
    Fiber(FiberOp),
    /// Code that does nothing but give a field.
    Getter(u32),
    /// Code that does nothing but set a field to its argument, and give that.
    Setter(u32),
    /// One of the host's, by its number.
    Foreign(u32),
}

#[repr(C)]
pub(crate) struct Class {
    header: Header,
    methods: Inner<Vec<Method>>,
    /// With those that it inherits.
    fields: Cell<u32>,
    name: Gc<Text>,
    superclass: Cell<Option<Gc<Class>>>,
    attributes: Cell<Word>,
    /// How its objects are made, if they're the host's: the number of the constructor.
    foreign: Cell<Option<u32>>,
    is_builtin: Cell<bool>,
}

// SAFETY: `repr(C)`, the header first, of this kind in `new`.
unsafe impl Object for Class {
    const KIND: Kind = Kind::Class;

    fn extra_bytes(&self) -> usize {
        self.methods.with(|methods| methods.capacity() * size_of::<Method>())
    }
}

impl Class {
    /// One without a class of its own, which is to be set, and without a superclass.
    pub(crate) fn new(name: Gc<Text>) -> Self {
        Self {
            header: Header::without_class(Self::KIND),
            methods: Inner::new(Vec::new()),
            fields: Cell::new(0),
            name,
            superclass: Cell::new(None),
            attributes: Cell::new(Word::NULL),
            foreign: Cell::new(None),
            is_builtin: Cell::new(false),
        }
    }

    pub(crate) fn class(&self) -> Option<Gc<Class>> {
        self.header.class()
    }

    pub(crate) fn set_class(&self, class: Gc<Class>) {
        self.header.set_class(class);
    }

    pub(crate) fn name(&self) -> Gc<Text> {
        self.name
    }

    #[inline(always)]
    pub(crate) fn fields(&self) -> usize {
        self.fields.get() as usize
    }

    pub(crate) fn superclass(&self) -> Option<Gc<Class>> {
        self.superclass.get()
    }

    pub(crate) fn attributes(&self) -> Word {
        self.attributes.get()
    }

    pub(crate) fn set_attributes(&self, attributes: Word) {
        self.attributes.set(attributes);
    }

    pub(crate) fn foreign(&self) -> Option<u32> {
        self.foreign.get()
    }

    pub(crate) fn set_foreign(&self, constructor: u32) {
        self.foreign.set(Some(constructor));
    }

    /// Whether it's one that no class can be made from.
    pub(crate) fn is_builtin(&self) -> bool {
        self.is_builtin.get()
    }

    pub(crate) fn set_builtin(&self) {
        self.is_builtin.set(true);
    }

    /// Takes over what the superclass has, and adds fields of its own.
    pub(crate) fn inherit(&self, superclass: Gc<Class>, own_fields: u32, heap: &mut Heap) {
        self.superclass.set(Some(superclass));
        self.fields.set(superclass.fields.get() + own_fields);
        let inherited = superclass.methods.with(|methods| methods.clone());
        heap.grow(inherited.capacity() * size_of::<Method>());
        self.methods.with(|methods| *methods = inherited);
    }

    #[inline(always)]
    pub(crate) fn method(&self, symbol: usize) -> Method {
        self.methods.with(|methods| methods.get(symbol).copied().unwrap_or(Method::None))
    }

    pub(crate) fn bind(&self, symbol: usize, method: Method, heap: &mut Heap) {
        let (before, after) = self.methods.with(|methods| {
            let before = methods.capacity();
            if methods.len() <= symbol {
                methods.resize(symbol + 1, Method::None);
            }
            methods[symbol] = method;
            (before, methods.capacity())
        });
        heap.grow((after - before) * size_of::<Method>());
    }

    pub(crate) fn is_subclass_of(&self, other: Gc<Class>) -> bool {
        let mut at = self.superclass.get();
        while let Some(class) = at {
            if class == other {
                return true;
            }
            at = class.superclass.get();
        }
        false
    }

    pub(super) fn trace(&self, heap: &mut Heap) {
        heap.mark(self.name);
        if let Some(superclass) = self.superclass.get() {
            heap.mark(superclass);
        }
        heap.mark_word(self.attributes.get());
        self.methods.with(|methods| {
            for method in methods {
                if let Method::Block(closure) = method {
                    heap.mark(*closure);
                }
            }
        });
    }
}
