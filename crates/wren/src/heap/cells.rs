//! Pages of cells, and the objects that are too large for one.

use crate::object::{self, Header, Kind};
use std::{
    alloc::{Layout, alloc, dealloc, handle_alloc_error},
    ptr::NonNull,
};

/// The bytes of a page.
const PAGE: usize = 16 << 10;
const ALIGN: usize = 16;

/// What stands in a free cell.
#[repr(C)]
struct Free {
    header: Header,
    next: Option<NonNull<Free>>,
}

/// The cells of one size.
pub(crate) struct Cells {
    size: usize,
    free: Option<NonNull<Free>>,
    pages: Vec<NonNull<u8>>,
}

fn page_layout() -> Layout {
    match Layout::from_size_align(PAGE, ALIGN) {
        Ok(layout) => layout,
        Err(_) => unreachable!("a page's size is a constant"),
    }
}

impl Cells {
    pub(crate) fn new(size: usize) -> Self {
        // A free cell has a header and the next one's address: 24 bytes, so the smallest cells are of 32.
        Self { size: size.max(32), free: None, pages: Vec::new() }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// A free cell.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> NonNull<u8> {
        loop {
            if let Some(cell) = self.free {
                // SAFETY: what is on the list is a free cell, which `put` has written.
                self.free = unsafe { cell.as_ref().next };
                return cell.cast();
            }
            self.add_page();
        }
    }

    #[cold]
    fn add_page(&mut self) {
        // SAFETY: the layout's size is not 0.
        let Some(page) = NonNull::new(unsafe { alloc(page_layout()) }) else {
            handle_alloc_error(page_layout());
        };
        self.pages.push(page);
        for index in (0..PAGE / self.size).rev() {
            // SAFETY: the page has so many cells, and none holds an object.
            unsafe { self.put(page.add(index * self.size)) };
        }
    }

    /// # Safety
    /// The cell is one of this size, and holds no object.
    unsafe fn put(&mut self, cell: NonNull<u8>) {
        let free = cell.cast::<Free>();
        // SAFETY: a cell has at least 32 bytes, and is aligned to 16.
        unsafe { free.as_ptr().write(Free { header: Header::free(), next: self.free }) };
        self.free = Some(free);
    }

    /// Frees what is not marked, and gives the number of bytes. What is marked is so no longer. Freed fibers are taken off
    /// their number.
    pub(crate) fn sweep(&mut self, fibers: &mut usize) -> usize {
        let mut freed = 0;
        self.free = None;
        let pages = std::mem::take(&mut self.pages);
        let mut kept = Vec::with_capacity(pages.len());
        for page in pages.into_iter().rev() {
            let before = self.free;
            let mut is_used = false;
            for index in (0..PAGE / self.size).rev() {
                // SAFETY: the page has so many cells.
                let cell = unsafe { page.add(index * self.size) };
                // SAFETY: every cell begins with a header, free ones too.
                let header = unsafe { cell.cast::<Header>().as_ref() };
                if header.is_marked() {
                    header.set_mark(false);
                    is_used = true;
                    continue;
                }
                if header.kind() != Kind::Free {
                    if header.kind() == Kind::Fiber {
                        *fibers -= 1;
                    }
                    // SAFETY: nothing leads to the object, so nobody follows its address any more.
                    freed += self.size + unsafe { object::drop_in_place(cell.cast()) };
                }
                // SAFETY: the cell is of this size, and its object is gone.
                unsafe { self.put(cell) };
            }
            if is_used {
                kept.push(page);
            } else {
                self.free = before;
                // SAFETY: it came from `alloc` with this layout, and none of its cells is on the list.
                unsafe { dealloc(page.as_ptr(), page_layout()) };
            }
        }
        kept.reverse();
        self.pages = kept;
        freed
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        for page in &self.pages {
            for index in 0..PAGE / self.size {
                // SAFETY: the page has so many cells, each with a header. The machine goes, and nobody follows an address.
                unsafe {
                    let cell = page.add(index * self.size).cast::<Header>();
                    if cell.as_ref().kind() != Kind::Free {
                        object::drop_in_place(cell);
                    }
                }
            }
            // SAFETY: it came from `alloc` with this layout.
            unsafe { dealloc(page.as_ptr(), page_layout()) };
        }
    }
}

/// An object with an allocation of its own.
pub(crate) struct Large {
    ptr: NonNull<u8>,
    layout: Layout,
}

impl Large {
    pub(crate) fn new(size: usize) -> Self {
        let Ok(layout) = Layout::from_size_align(size, ALIGN) else {
            unreachable!("the largest object has 512 fields")
        };
        // SAFETY: the size is not 0.
        let Some(ptr) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: there is room for a header.
        unsafe { ptr.cast::<Header>().as_ptr().write(Header::free()) };
        Self { ptr, layout }
    }

    pub(crate) fn ptr(&self) -> NonNull<u8> {
        self.ptr
    }

    /// The bytes to be freed, if it is not marked; it's to be dropped then.
    pub(crate) fn sweep(&self) -> Option<usize> {
        // SAFETY: an object begins with a header.
        let header = unsafe { self.ptr.cast::<Header>().as_ref() };
        if header.is_marked() {
            header.set_mark(false);
            return None;
        }
        // SAFETY: nothing leads to it.
        let extra = unsafe { object::drop_in_place(self.ptr.cast()) };
        // SAFETY: there is room for a header. `drop` must not free it again.
        unsafe { self.ptr.cast::<Header>().as_ptr().write(Header::free()) };
        Some(self.layout.size() + extra)
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        // SAFETY: it begins with a header, and came from `alloc` with this layout. The object is gone, or goes with the
        // machine, and nobody follows its address.
        unsafe {
            let header = self.ptr.cast::<Header>();
            if header.as_ref().kind() != Kind::Free {
                object::drop_in_place(header);
            }
            dealloc(self.ptr.as_ptr(), self.layout);
        }
    }
}
