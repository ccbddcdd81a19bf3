//! The objects of a program: one file for each kind. Each begins with a [`Header`], and is changed through cells only.

mod class;
mod fiber;
mod foreign;
mod function;
mod inner;
mod instance;
mod list;
mod map;
mod range;
mod text;

pub(crate) use class::{Class, FiberOp, Method, Primitive};
pub(crate) use fiber::{Fiber, Frame, State};
pub(crate) use foreign::Foreign;
pub(crate) use function::{Closure, Function, ModuleId, Parts, Upvalue};
pub(crate) use instance::Instance;
pub(crate) use list::List;
pub(crate) use map::{Map, same};
pub(crate) use range::Range;
pub(crate) use text::Text;

use crate::heap::{Gc, Heap, Object};
use std::{cell::Cell, ptr::NonNull};

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// None: a free cell.
    Free,
    Class,
    Closure,
    Fiber,
    Foreign,
    Function,
    Instance,
    List,
    Map,
    Range,
    Text,
    Upvalue,
}

/// What each object begins with.
#[repr(C)]
pub(crate) struct Header {
    kind: Kind,
    is_marked: Cell<bool>,
    /// None for what a program never has in its hands.
    class: Cell<Option<Gc<Class>>>,
}

impl Header {
    #[inline(always)]
    pub(crate) fn new(kind: Kind, class: Gc<Class>) -> Self {
        Self { kind, is_marked: Cell::new(false), class: Cell::new(Some(class)) }
    }

    pub(crate) fn without_class(kind: Kind) -> Self {
        Self { kind, is_marked: Cell::new(false), class: Cell::new(None) }
    }

    pub(crate) fn free() -> Self {
        Self::without_class(Kind::Free)
    }

    #[inline(always)]
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    #[inline(always)]
    pub(crate) fn is_marked(&self) -> bool {
        self.is_marked.get()
    }

    #[inline(always)]
    pub(crate) fn set_mark(&self, is_marked: bool) {
        self.is_marked.set(is_marked);
    }

    #[inline(always)]
    pub(crate) fn class(&self) -> Option<Gc<Class>> {
        self.class.get()
    }

    /// For the first classes, which are there before their own classes.
    pub(crate) fn set_class(&self, class: Gc<Class>) {
        self.class.set(Some(class));
    }
}

/// Marks what an object leads to.
pub(crate) fn trace(object: Gc<Header>, heap: &mut Heap) {
    if let Some(class) = object.class() {
        heap.mark(class);
    }
    fn of<T: Object>(object: Gc<Header>, heap: &mut Heap, trace: impl Fn(&T, &mut Heap)) {
        if let Some(object) = object.downcast::<T>() {
            trace(&object, heap);
        }
    }
    match object.kind() {
        Kind::Class => of(object, heap, Class::trace),
        Kind::Closure => of(object, heap, Closure::trace),
        Kind::Fiber => of(object, heap, Fiber::trace),
        Kind::Function => of(object, heap, Function::trace),
        Kind::Instance => of(object, heap, Instance::trace),
        Kind::List => of(object, heap, List::trace),
        Kind::Map => of(object, heap, Map::trace),
        Kind::Upvalue => of(object, heap, Upvalue::trace),
        Kind::Foreign | Kind::Free | Kind::Range | Kind::Text => {}
    }
}

/// Drops an object where it is. Gives how many bytes it held outside its cell.
///
/// # Safety
/// It's an object that is not dropped yet, and that nobody uses any more.
pub(crate) unsafe fn drop_in_place(object: NonNull<Header>) -> usize {
    /// # Safety
    /// As the function around; and the object is a `T`.
    unsafe fn of<T: Object>(object: NonNull<Header>) -> usize {
        let object = object.cast::<T>().as_ptr();
        // SAFETY: it's a `T` that is there, and goes now.
        unsafe {
            let extra = (*object).extra_bytes();
            object.drop_in_place();
            extra
        }
    }
    // SAFETY: the kind tells the type (`Object`'s promise).
    unsafe {
        match object.as_ref().kind() {
            Kind::Class => of::<Class>(object),
            Kind::Closure => of::<Closure>(object),
            Kind::Fiber => of::<Fiber>(object),
            Kind::Foreign => of::<Foreign>(object),
            Kind::Function => of::<Function>(object),
            Kind::List => of::<List>(object),
            Kind::Map => of::<Map>(object),
            Kind::Text => of::<Text>(object),
            Kind::Free | Kind::Instance | Kind::Range | Kind::Upvalue => 0,
        }
    }
}
