//! Memory of cells that each thread keeps for its next ones.
//!
//! The allocator takes more than half of what a promise costs, and in a steady state the thread that frees a
//! cell makes the next one soon. So a thread keeps what it frees, up to a bound: 64 blocks of 64 bytes, which is
//! a cell whose value has at most 24 bytes. Larger cells, and those beyond the bound, are the allocator's.

use std::{
    alloc::{Layout, alloc, dealloc, handle_alloc_error},
    cell::Cell,
    ptr::NonNull,
};

/// How large a block is.
const SIZE: usize = 64;

/// How many blocks a thread keeps. Miri keeps none, so that it sees who touches a cell that was freed.
const ROOM: usize = if cfg!(miri) { 0 } else { 64 };

thread_local! {
    static KEPT: Kept = const { Kept::new(ROOM) };
}

/// What a thread keeps: a list through the free blocks themselves.
struct Kept {
    first: Cell<Option<NonNull<Free>>>,
    room: Cell<usize>,
}

/// A free block.
struct Free {
    next: Option<NonNull<Free>>,
}

/// The layout that a `C` is allocated with.
const fn layout<C>() -> Layout {
    if is_kept::<C>() { Layout::new::<[usize; SIZE / size_of::<usize>()]>() } else { Layout::new::<C>() }
}

const fn is_kept<C>() -> bool {
    size_of::<C>() > 0 && size_of::<C>() <= SIZE && align_of::<C>() <= align_of::<usize>()
}

/// Moves `content` to memory of its own, which [`free`] gives back.
#[inline]
pub(super) fn place<C>(content: C) -> NonNull<C> {
    const { assert!(size_of::<C>() > 0) };
    let kept = if is_kept::<C>() { KEPT.try_with(Kept::take).ok().flatten() } else { None };
    let place = kept.map_or_else(allocate::<C>, NonNull::cast);
    // SAFETY: the memory is nobody else's, and large and aligned enough for a `C`.
    unsafe { place.write(content) };
    place
}

/// Gives back the memory of what [`place`] moved there; what it holds is not dropped.
///
/// # Safety
/// `place` came from [`place`] with the same `C`, and nobody uses it any more.
#[inline]
pub(super) unsafe fn free<C>(place: NonNull<C>) {
    // SAFETY: as the caller says; a block is large and aligned enough for a `Free`. A thread that ends keeps
    // nothing any more.
    let kept = is_kept::<C>() && KEPT.try_with(|kept| unsafe { kept.give(place.cast()) }).unwrap_or(false);
    if !kept {
        // SAFETY: as the caller says, so it was allocated with this layout.
        unsafe { dealloc(place.as_ptr().cast(), layout::<C>()) };
    }
}

#[cold]
fn allocate<C>() -> NonNull<C> {
    // SAFETY: the layout's size is not 0.
    let memory = unsafe { alloc(layout::<C>()) };
    NonNull::new(memory.cast()).unwrap_or_else(|| handle_alloc_error(layout::<C>()))
}

impl Kept {
    const fn new(room: usize) -> Self {
        Self { first: Cell::new(None), room: Cell::new(room) }
    }

    #[inline]
    fn take(&self) -> Option<NonNull<Free>> {
        let block = self.first.get()?;
        // SAFETY: blocks of the list are free and ours, and `give` wrote a `Free` to each.
        self.first.set(unsafe { block.as_ref() }.next);
        self.room.set(self.room.get() + 1);
        Some(block)
    }

    /// Keeps `block`; `false` when there is no room for it.
    ///
    /// # Safety
    /// It is a block that nobody uses.
    #[inline]
    unsafe fn give(&self, block: NonNull<Free>) -> bool {
        let Some(room) = self.room.get().checked_sub(1) else { return false };
        self.room.set(room);
        // SAFETY: as the caller says.
        unsafe { block.write(Free { next: self.first.get() }) };
        self.first.set(Some(block));
        true
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        while let Some(block) = self.take() {
            // SAFETY: every block that is kept was allocated with this layout.
            unsafe { dealloc(block.as_ptr().cast(), layout::<Free>()) };
        }
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests {
    use super::*;

    fn block() -> NonNull<Free> {
        allocate::<Free>()
    }

    #[test]
    fn what_is_given_is_taken_again_up_to_the_bound() {
        let kept = Kept::new(2);
        assert!(kept.take().is_none());
        let blocks = [block(), block(), block()];
        // SAFETY: nobody uses them.
        let given = blocks.map(|block| unsafe { kept.give(block) });
        assert_eq!(given, [true, true, false]);
        // SAFETY: it was allocated with this layout, and was not kept.
        unsafe { dealloc(blocks[2].as_ptr().cast(), layout::<Free>()) };
        let taken = kept.take().unwrap();
        assert_eq!(taken, blocks[1]);
        // SAFETY: nobody uses it.
        assert!(unsafe { kept.give(taken) }, "there is room again");
        assert_eq!(kept.room.get(), 0);
    }

    #[test]
    fn contents_of_any_size_and_alignment_keep_their_values() {
        #[repr(align(128))]
        struct Aligned(u8);
        let (small, large, aligned) = (place(7_u8), place([9_u64; 40]), place(Aligned(3)));
        // SAFETY: they were placed, and are freed once, after their last use.
        unsafe {
            assert_eq!((small.read(), large.read(), aligned.as_ref().0), (7, [9; 40], 3));
            assert!(aligned.is_aligned());
            free(small);
            free(large);
            free(aligned);
        }
    }

    #[cfg(not(miri))]
    #[test]
    fn a_thread_takes_what_it_freed_last() {
        let first = place(1_u64);
        // SAFETY: it was placed, and nobody uses it.
        unsafe { free(first) };
        let second = place([2_u32; 3]);
        assert_eq!(first.cast(), second);
        // SAFETY: as above.
        unsafe { free(second) };
    }
}
