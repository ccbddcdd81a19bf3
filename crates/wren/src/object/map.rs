//! [`Map`]: keys with values, in the order in which they came.
//!
//! Entries stand in one list; a table beside it leads from a key's hash to its entry. One that was removed stays in its place
//! with no key, so that places are stable while nothing is added, and leaves when the table is built anew.

use super::{Class, Header, Kind, Range, Text, inner::Inner};
use crate::{
    heap::{Gc, Heap, Object},
    word::Word,
};

#[repr(C)]
pub(crate) struct Map {
    header: Header,
    table: Inner<Table>,
}

// SAFETY: `repr(C)`, the header first, of this kind in `new`.
unsafe impl Object for Map {
    const KIND: Kind = Kind::Map;

    fn extra_bytes(&self) -> usize {
        self.table.with(|table| table.bytes())
    }
}

struct Table {
    /// [`Word::UNDEFINED`] is the key of those that were removed.
    entries: Vec<(Word, Word)>,
    /// Indices of entries, one more than they are; 0 where there is none.
    places: Box<[u32]>,
    live: usize,
}

/// Whether two words are the same value: the same thing, or strings or ranges that are alike.
#[inline]
pub(crate) fn same(a: Word, b: Word) -> bool {
    if a == b {
        return true;
    }
    if let (Some(a), Some(b)) = (a.get::<Text>(), b.get::<Text>()) {
        return a.equals(&b);
    }
    match (a.get::<Range>(), b.get::<Range>()) {
        (Some(a), Some(b)) => a.equals(&b),
        _ => false,
    }
}

/// Mixes the bits, so that the upper ones depend on all.
#[inline(always)]
fn mix(bits: u64) -> u64 {
    (bits ^ bits >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[inline]
fn hash(key: Word) -> u64 {
    if let Some(text) = key.get::<Text>() {
        return mix(u64::from(text.hash()));
    }
    match key.get::<Range>() {
        Some(range) => {
            mix(range.from.to_bits())
                ^ mix(range.to.to_bits()).rotate_left(17)
                ^ u64::from(range.is_inclusive)
        }
        None => mix(key.bits()),
    }
}

impl Table {
    fn bytes(&self) -> usize {
        self.entries.capacity() * 16 + self.places.len() * 4
    }

    #[inline]
    fn start(&self, key: Word) -> usize {
        (hash(key) >> (64 - self.places.len().trailing_zeros())) as usize
    }

    /// The index of a key's entry.
    #[inline]
    fn find(&self, key: Word) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        let mut place = self.start(key);
        loop {
            let index = self.places[place];
            if index == 0 {
                return None;
            }
            let index = index as usize - 1;
            if same(self.entries[index].0, key) {
                return Some(index);
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }

    /// Puts an entry of a key that is not there.
    #[inline]
    fn put(&mut self, key: Word, value: Word) {
        if self.entries.len() >= self.places.len() / 4 * 3 {
            self.rebuild();
        }
        self.entries.push((key, value));
        self.live += 1;
        self.place(self.entries.len());
    }

    fn place(&mut self, number: usize) {
        let mut place = self.start(self.entries[number - 1].0);
        while self.places[place] != 0 {
            place = (place + 1) & (self.places.len() - 1);
        }
        self.places[place] = number as u32;
    }

    /// Without those that were removed, and with room for more.
    fn rebuild(&mut self) {
        self.entries.retain(|(key, _)| *key != Word::UNDEFINED);
        let size = ((self.live + 1) * 2).next_power_of_two().max(8);
        self.places = vec![0; size].into_boxed_slice();
        // No more than there's a place for.
        self.entries.reserve_exact((size / 4 * 3).saturating_sub(self.entries.len()));
        for number in 1..=self.entries.len() {
            self.place(number);
        }
    }
}

impl Map {
    pub(crate) fn new(class: Gc<Class>) -> Self {
        let table = Table { entries: Vec::new(), places: Box::default(), live: 0 };
        Self { header: Header::new(Self::KIND, class), table: Inner::new(table) }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.with(|table| table.live)
    }

    pub(crate) fn get(&self, key: Word) -> Option<Word> {
        self.table.with(|table| table.find(key).map(|index| table.entries[index].1))
    }

    /// How many bytes a new key may need.
    pub(crate) fn growth(&self) -> usize {
        self.table.with(|table| {
            let is_full = table.entries.len() >= table.places.len() / 4 * 3;
            if is_full { table.live.saturating_mul(48).saturating_add(128) } else { 0 }
        })
    }

    pub(crate) fn insert(&self, key: Word, value: Word, heap: &mut Heap) {
        let (before, after) = self.table.with(|table| match table.find(key) {
            Some(index) => {
                table.entries[index].1 = value;
                (0, 0)
            }
            None => {
                let before = table.bytes();
                table.put(key, value);
                (before, table.bytes())
            }
        });
        account(heap, before, after);
    }

    pub(crate) fn remove(&self, key: Word, heap: &mut Heap) -> Option<Word> {
        let (removed, before, after) = self.table.with(|table| {
            let Some(index) = table.find(key) else { return (None, 0, 0) };
            let removed = std::mem::replace(&mut table.entries[index], (Word::UNDEFINED, Word::NULL)).1;
            table.live -= 1;
            let before = table.bytes();
            if table.live == 0 {
                *table = Table { entries: Vec::new(), places: Box::default(), live: 0 };
            }
            (Some(removed), before, table.bytes())
        });
        account(heap, before, after);
        removed
    }

    pub(crate) fn clear(&self, heap: &mut Heap) {
        let before = self.table.with(|table| {
            let before = table.bytes();
            *table = Table { entries: Vec::new(), places: Box::default(), live: 0 };
            before
        });
        account(heap, before, 0);
    }

    /// The index of the first entry from `index` on.
    pub(crate) fn next_from(&self, index: usize) -> Option<usize> {
        self.table.with(|table| {
            let rest = table.entries.get(index..)?;
            rest.iter().position(|(key, _)| *key != Word::UNDEFINED).map(|offset| index + offset)
        })
    }

    /// The entry at an index, if there is one.
    pub(crate) fn entry(&self, index: usize) -> Option<(Word, Word)> {
        self.table.with(|table| table.entries.get(index).copied()).filter(|(key, _)| *key != Word::UNDEFINED)
    }

    pub(super) fn trace(&self, heap: &mut Heap) {
        self.table.with(|table| {
            for (key, value) in &table.entries {
                heap.mark_word(*key);
                heap.mark_word(*value);
            }
        });
    }
}

fn account(heap: &mut Heap, before: usize, after: usize) {
    if after > before {
        heap.grow(after - before);
    } else {
        heap.shrink(before - after);
    }
}
