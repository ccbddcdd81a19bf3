//! [`Text`]: a string. Bytes, mostly of UTF-8, that never change.

use super::{Class, Header, Kind};
use crate::heap::{Gc, Object};
use std::{borrow::Cow, cell::Cell, hash::Hasher};

#[repr(C)]
pub(crate) struct Text {
    header: Header,
    /// 0: not known yet.
    hash: Cell<u32>,
    bytes: Box<[u8]>,
}

// SAFETY: `repr(C)`, the header first, of this kind in `new`.
unsafe impl Object for Text {
    const KIND: Kind = Kind::Text;

    fn extra_bytes(&self) -> usize {
        self.bytes.len()
    }
}

impl Text {
    pub(crate) fn new(class: Gc<Class>, bytes: Box<[u8]>) -> Self {
        Self { header: Header::new(Self::KIND, class), hash: Cell::new(0), bytes }
    }

    /// The first ones, which are there before their class.
    pub(crate) fn without_class(bytes: Box<[u8]>) -> Self {
        Self { header: Header::without_class(Self::KIND), hash: Cell::new(0), bytes }
    }

    pub(crate) fn set_class(&self, class: Gc<Class>) {
        self.header.set_class(class);
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// As text; bytes that are none are replaced.
    pub(crate) fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    #[inline]
    pub(crate) fn hash(&self) -> u32 {
        let known = self.hash.get();
        if known != 0 {
            return known;
        }
        let mut hasher = rustc_hash::FxHasher::default();
        hasher.write(&self.bytes);
        let hash = (hasher.finish() >> 16) as u32 | 1;
        self.hash.set(hash);
        hash
    }

    #[inline]
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.bytes.len() == other.bytes.len()
            && (self.hash.get() == other.hash.get() || self.hash.get() == 0 || other.hash.get() == 0)
            && self.bytes == other.bytes
    }
}
