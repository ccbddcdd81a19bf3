//! [`List`]

use super::{Class, Header, Kind, inner::Inner};
use crate::{
    heap::{Gc, Heap, Object},
    word::Word,
};

const WORD: usize = std::mem::size_of::<Word>();

#[repr(C)]
pub(crate) struct List {
    header: Header,
    items: Inner<Vec<Word>>,
}

// SAFETY: `repr(C)`, the header first, of this kind in `new`.
unsafe impl Object for List {
    const KIND: Kind = Kind::List;

    fn extra_bytes(&self) -> usize {
        self.items.with(|items| items.capacity() * WORD)
    }
}

impl List {
    pub(crate) fn new(class: Gc<Class>, items: Vec<Word>) -> Self {
        Self { header: Header::new(Self::KIND, class), items: Inner::new(items) }
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.items.with(|items| items.len())
    }

    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> Option<Word> {
        self.items.with(|items| items.get(index).copied())
    }

    /// `false` where there is no such place.
    #[inline(always)]
    pub(crate) fn set(&self, index: usize, item: Word) -> bool {
        self.items.with(|items| items.get_mut(index).map(|place| *place = item)).is_some()
    }

    pub(crate) fn to_vec(&self) -> Vec<Word> {
        self.items.with(|items| items.clone())
    }

    /// How many bytes it needs to hold `more` items more, beyond what it has.
    pub(crate) fn growth(&self, more: usize) -> usize {
        self.items.with(|items| {
            if items.capacity() - items.len() >= more {
                return 0;
            }
            let wanted = items.len().saturating_add(more).max(items.capacity().saturating_mul(2)).max(4);
            (wanted - items.capacity()).saturating_mul(WORD)
        })
    }

    #[inline]
    pub(crate) fn push(&self, item: Word, heap: &mut Heap) {
        let is_full = self.items.with(|items| items.len() == items.capacity());
        if is_full {
            self.resized(heap, |items| items.reserve(1));
        }
        self.items.with(|items| items.push(item));
    }

    pub(crate) fn extend(&self, more: &[Word], heap: &mut Heap) {
        self.resized(heap, |items| items.extend_from_slice(more));
    }

    /// `index` is at most the length.
    pub(crate) fn insert(&self, index: usize, item: Word, heap: &mut Heap) {
        self.resized(heap, |items| items.insert(index, item));
    }

    pub(crate) fn remove(&self, index: usize, heap: &mut Heap) -> Option<Word> {
        let removed = self.items.with(|items| (index < items.len()).then(|| items.remove(index)));
        // Room for twice as many and more is given back.
        self.resized(heap, |items| {
            if items.capacity() > 64 && items.len() < items.capacity() / 4 {
                items.shrink_to(items.capacity() / 2);
            }
        });
        removed
    }

    pub(crate) fn clear(&self, heap: &mut Heap) {
        self.resized(heap, |items| *items = Vec::new());
    }

    pub(crate) fn swap(&self, a: usize, b: usize) {
        self.items.with(|items| items.swap(a, b));
    }

    pub(crate) fn position(&self, is_it: impl Fn(Word) -> bool) -> Option<usize> {
        self.items.with(|items| items.iter().position(|item| is_it(*item)))
    }

    /// Changes the items, and tells the heap how much more or less they take.
    fn resized(&self, heap: &mut Heap, change: impl FnOnce(&mut Vec<Word>)) {
        let (before, after) = self.items.with(|items| {
            let before = items.capacity();
            change(items);
            (before, items.capacity())
        });
        if after > before {
            heap.grow((after - before) * WORD);
        } else {
            heap.shrink((before - after) * WORD);
        }
    }

    pub(super) fn trace(&self, heap: &mut Heap) {
        self.items.with(|items| items.iter().for_each(|item| heap.mark_word(*item)));
    }
}
