//! [`Instance`]: an object of a program's own class. Its fields stand behind it, in the same cell.

use super::{Class, Header, Kind};
use crate::{
    heap::{Gc, Heap, Object},
    word::Word,
};
use std::ptr::NonNull;

#[repr(C)]
pub(crate) struct Instance {
    header: Header,
    fields: [Word; 0],
}

// SAFETY: `repr(C)`, the header first, of this kind in `write`.
unsafe impl Object for Instance {
    const KIND: Kind = Kind::Instance;
}

impl Instance {
    pub(crate) fn size_for(fields: usize) -> usize {
        size_of::<Self>() + fields * size_of::<Word>()
    }

    /// # Safety
    /// The place has [`size_for`](Self::size_for) as many bytes as the class has fields.
    #[inline]
    pub(crate) unsafe fn write(place: NonNull<Self>, class: Gc<Class>) {
        let fields = class.fields();
        // SAFETY: the caller says that there is room.
        unsafe {
            place.as_ptr().write(Self { header: Header::new(Self::KIND, class), fields: [] });
            let first = place.as_ptr().add(1).cast::<Word>();
            for index in 0..fields {
                first.add(index).write(Word::NULL);
            }
        }
    }

    /// The place of a field.
    ///
    /// # Safety
    /// The object's class has so many fields. That's so for those that the code of its own methods names.
    #[inline(always)]
    pub(crate) unsafe fn field(this: Gc<Self>, index: usize) -> *mut Word {
        // SAFETY: the fields stand behind the header.
        unsafe { this.as_ptr().add(1).cast::<Word>().add(index) }
    }

    pub(super) fn trace(&self, heap: &mut Heap) {
        let fields = self.header.class().map_or(0, |class| class.fields());
        let first = std::ptr::from_ref(self).expose_provenance();
        let first = std::ptr::with_exposed_provenance::<Word>(first + size_of::<Self>());
        for index in 0..fields {
            // SAFETY: there are as many fields as the class says, which never changes while there are objects of it.
            heap.mark_word(unsafe { *first.add(index) });
        }
    }
}
