//! Where objects live: pages of cells of one size, and a collector that marks and sweeps.
//!
//! # Who may hold what
//! A [`Gc`] is an address, and following it is sound as long as the object is there. The collector frees what no root leads
//! to, and it runs at *safe points* only: between two instructions of a program, when it calls or goes round a loop, and at
//! the entry of the host's own calls. So:
//! 1. Between two safe points, nothing is freed, and any `Gc` may be followed.
//! 2. Over a safe point only those last that a root leads to: fibers, modules, handles, the core classes.
//!
//! Nothing outside this crate sees a `Gc`. Objects never hand out references to what is in them for longer than a call.
//!
//! # States of a cell
//! Free (on its size's list) → an object, unmarked → marked, while a collection runs → unmarked, or free again. Objects of
//! more than [`MAX_CELL`] bytes have an allocation each.

mod cells;
mod gc;

pub(crate) use cells::{Cells, Large};
pub(crate) use gc::{Gc, Object};

use crate::object::{self, Header, Instance};

/// Objects up to this size live in cells.
pub(crate) const MAX_CELL: usize = 512;
const STEP: usize = 16;
/// The collector first runs when so many bytes are in use.
const FIRST: usize = 4 << 20;
/// And then not before so many more are.
const LEAST: usize = 1 << 20;

/// The objects of a machine.
pub(crate) struct Heap {
    sizes: Vec<Cells>,
    large: Vec<Large>,
    /// Bytes in use: of cells, and of what their objects have allocated.
    used: usize,
    /// The collector is wanted when `used` gets there.
    threshold: usize,
    limit: usize,
    /// The fibers that were made and not freed yet.
    pub(crate) fibers: usize,
    /// Found, and not looked through yet.
    gray: Vec<Gc<Header>>,
    /// Counts down to the next time that the machine looks up from its work. See [`Heap::hurry`].
    pub(crate) ticks: i64,
    /// Those that were left when it was to look up at once.
    pub(crate) laid_aside: i64,
}

impl Heap {
    pub(crate) fn new(limit: usize) -> Self {
        let sizes = (1..=MAX_CELL / STEP).map(|steps| Cells::new(steps * STEP)).collect();
        Self {
            sizes,
            large: Vec::new(),
            used: 0,
            threshold: FIRST.min(limit),
            limit,
            fibers: 0,
            gray: Vec::new(),
            ticks: 0,
            laid_aside: 0,
        }
    }

    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Whether it is time to collect.
    pub(crate) fn is_due(&self) -> bool {
        self.used >= self.threshold
    }

    pub(crate) fn make_due(&mut self) {
        self.threshold = 0;
        self.hurry();
    }

    /// Whether so many bytes more are within the limit.
    pub(crate) fn has_room_for(&self, bytes: usize) -> bool {
        self.used.checked_add(bytes).is_some_and(|sum| sum <= self.limit)
    }

    /// An object holds so many bytes more outside its cell.
    #[inline]
    pub(crate) fn grow(&mut self, bytes: usize) {
        self.used += bytes;
        if self.used >= self.threshold {
            self.hurry();
        }
    }

    pub(crate) fn shrink(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// The machine is to look up at the next safe point.
    #[cold]
    pub(crate) fn hurry(&mut self) {
        self.laid_aside += self.ticks.max(0);
        self.ticks = 0;
    }

    #[inline]
    pub(crate) fn alloc<T: Object>(&mut self, object: T) -> Gc<T> {
        let size = std::mem::size_of::<T>();
        let extra = object.extra_bytes();
        let cell = self.cell(size).cast::<T>();
        // SAFETY: the cell is free, is large enough and is aligned for any object.
        unsafe { cell.as_ptr().write(object) };
        if extra > 0 {
            self.grow(extra);
        }
        Gc::from_ptr(cell)
    }

    /// An instance whose fields are all null.
    #[inline]
    pub(crate) fn alloc_instance(&mut self, class: Gc<object::Class>) -> Gc<Instance> {
        let cell = self.cell(Instance::size_for(class.fields()));
        // SAFETY: the cell has the size of an instance with so many fields.
        unsafe { Instance::write(cell.cast(), class) };
        Gc::from_ptr(cell.cast())
    }

    #[inline]
    fn cell(&mut self, size: usize) -> std::ptr::NonNull<u8> {
        if size > MAX_CELL {
            let large = Large::new(size);
            let ptr = large.ptr();
            self.large.push(large);
            self.grow(size);
            return ptr;
        }
        let cells = &mut self.sizes[size.div_ceil(STEP) - 1];
        let (cell, size) = (cells.take(), cells.size());
        self.used += size;
        if self.used >= self.threshold {
            self.hurry();
        }
        cell
    }

    /// Something leads to this object.
    #[inline]
    pub(crate) fn mark<T: Object>(&mut self, object: Gc<T>) {
        self.mark_header(object.header_of());
    }

    pub(crate) fn mark_word(&mut self, word: crate::word::Word) {
        if let Some(header) = word.as_header() {
            self.mark_header(header);
        }
    }

    #[inline]
    fn mark_header(&mut self, header: Gc<Header>) {
        if !header.is_marked() {
            header.set_mark(true);
            self.gray.push(header);
        }
    }

    /// Looks through what was marked, and frees the rest. The roots must be marked.
    pub(crate) fn collect(&mut self) {
        while let Some(header) = self.gray.pop() {
            object::trace(header, self);
        }
        let mut freed = 0;
        for cells in &mut self.sizes {
            freed += cells.sweep(&mut self.fibers);
        }
        self.large.retain(|large| match large.sweep() {
            Some(bytes) => {
                freed += bytes;
                false
            }
            None => true,
        });
        self.used = self.used.saturating_sub(freed);
        let next = self.used.saturating_add((self.used / 2).max(LEAST)).max(FIRST);
        self.threshold = next.min(self.limit).max(1);
    }

    /// Whether so little was left over by a collection that the next ones would do nothing else.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.used >= self.limit - self.limit / 32
    }
}
