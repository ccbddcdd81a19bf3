//! [`Word`]: a value of a program in 64 bits.
//!
//! A number is the bits of its `f64`. Everything else hides in the quiet NaNs that no calculation gives: those with bits 50
//! and 51 set. With the sign bit it is an object, whose address is in the 48 bits below; without, one of a few constants.
//!
//! Invariant: what comes from outside goes through [`Word::number`], which leaves one NaN of the many. Calculations only
//! hand on NaNs that they were given, or make the processor's own, which has bit 50 clear.

use crate::{
    heap::{Gc, Object},
    object::Header,
};
use std::{fmt, ptr::NonNull};

/// A value, as the machine has it. Whether an object is still there is the [heap's](crate::heap) business.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Word(u64);

const QUIET: u64 = 0x7ffc_0000_0000_0000;
const OBJECT: u64 = 0xfffc_0000_0000_0000;

impl Word {
    pub(crate) const NULL: Self = Self(QUIET | 1);
    pub(crate) const FALSE: Self = Self(QUIET | 2);
    pub(crate) const TRUE: Self = Self(QUIET | 3);
    /// No value of a program: a variable that has none yet, a place in a map that is free.
    pub(crate) const UNDEFINED: Self = Self(QUIET | 4);

    /// Any number.
    pub(crate) fn number(number: f64) -> Self {
        if number.is_nan() { Self(f64::NAN.to_bits()) } else { Self(number.to_bits()) }
    }

    /// The result of a calculation with numbers that were words.
    #[inline(always)]
    pub(crate) fn computed(number: f64) -> Self {
        Self(number.to_bits())
    }

    #[inline(always)]
    pub(crate) fn boolean(is: bool) -> Self {
        if is { Self::TRUE } else { Self::FALSE }
    }

    #[inline(always)]
    pub(crate) fn object<T: Object>(object: Gc<T>) -> Self {
        Self::header(object.header_of())
    }

    #[inline(always)]
    pub(crate) fn header(object: Gc<Header>) -> Self {
        Self(OBJECT | object.as_ptr().expose_provenance() as u64)
    }

    #[inline(always)]
    pub(crate) fn is_number(self) -> bool {
        self.0 & QUIET != QUIET
    }

    #[inline(always)]
    pub(crate) fn as_number(self) -> Option<f64> {
        self.is_number().then(|| f64::from_bits(self.0))
    }

    /// The number; something that is no number gives a NaN.
    #[inline(always)]
    pub(crate) fn bits_as_number(self) -> f64 {
        f64::from_bits(self.0)
    }

    #[inline(always)]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub(crate) fn is_object(self) -> bool {
        self.0 & OBJECT == OBJECT
    }

    #[inline(always)]
    pub(crate) fn as_header(self) -> Option<Gc<Header>> {
        if !self.is_object() {
            return None;
        }
        let address = (self.0 & !OBJECT) as usize;
        NonNull::new(std::ptr::with_exposed_provenance_mut::<Header>(address)).map(Gc::from_ptr)
    }

    /// The object, if it's one of this kind.
    #[inline(always)]
    pub(crate) fn get<T: Object>(self) -> Option<Gc<T>> {
        self.as_header().and_then(Gc::downcast)
    }

    pub(crate) fn is<T: Object>(self) -> bool {
        self.get::<T>().is_some()
    }

    #[inline(always)]
    pub(crate) fn is_null(self) -> bool {
        self == Self::NULL
    }

    /// Whether a condition takes it for false: that are `false` and `null`.
    #[inline(always)]
    pub(crate) fn is_falsy(self) -> bool {
        self == Self::FALSE || self == Self::NULL
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NULL => f.write_str("null"),
            Self::FALSE => f.write_str("false"),
            Self::TRUE => f.write_str("true"),
            Self::UNDEFINED => f.write_str("undefined"),
            word if word.is_number() => write!(f, "{}", f64::from_bits(self.0)),
            _ => write!(f, "object {:#x}", self.0 & !OBJECT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_themselves() {
        for number in [0.0, -0.0, 1.5, -1e308, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE] {
            assert_eq!(Word::number(number).as_number().map(f64::to_bits), Some(number.to_bits()));
        }
    }

    #[test]
    fn no_nan_is_taken_for_something_else() {
        for bits in [OBJECT | 16, QUIET | 1, 0x7ff8_0000_0000_0000, 0xfff8_0000_0000_0000, u64::MAX] {
            assert!(Word::number(f64::from_bits(bits)).as_number().is_some_and(f64::is_nan));
        }
        let divided = std::hint::black_box(0.0) / std::hint::black_box(0.0);
        assert!(Word::computed(divided).is_number());
        assert!(Word::computed(-divided).is_number());
    }

    #[test]
    fn constants_are_no_numbers() {
        for word in [Word::NULL, Word::FALSE, Word::TRUE, Word::UNDEFINED] {
            assert!(!word.is_number() && !word.is_object());
        }
        assert!(Word::NULL.is_falsy() && Word::FALSE.is_falsy() && !Word::TRUE.is_falsy());
    }
}
