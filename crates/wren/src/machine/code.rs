//! [`Code`]: what the interpreter knows to do.
//!
//! The first ones are the compiler's [`Op`]s, with their numbers. The linker puts others in their place: calls of operators
//! become instructions that look for numbers first, and the first of several that often stand together becomes one that does
//! them all. The words behind it stay as they were. So a jump may lead between them, and a combined one whose guess was
//! wrong does its first part only and goes on with the next word.

use crate::bytecode::Op;

macro_rules! codes {
    ($($base:ident)* ; $($(#[$doc:meta])* $own:ident)*) => {
        /// What an instruction of the interpreter does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Code {
            $($base,)*
            $($(#[$doc])* $own,)*
        }

        const BASE: &[(Code, Op)] = &[$((Code::$base, Op::$base)),*];
        const COUNT: u8 = BASE.len() as u8 + [$(Code::$own),*].len() as u8;
    };
}

codes! {
    Constant Null False True LoadLocal StoreLocal LoadUpvalue StoreUpvalue LoadModule StoreModule LoadThisField
    StoreThisField LoadField StoreField Pop Call SuperCall Jump Loop JumpIf And Or CloseUpvalue Return Closure Construct
    ForeignConstruct Class ForeignClass EndClass Method StaticMethod ImportModule ImportVariable EndModule
    ;
    /// Calls of operators: `+` and so on.
    Add
    Subtract
    Multiply
    Divide
    Remainder
    Less
    LessEqual
    Greater
    GreaterEqual
    Equal
    NotEqual
    BitAnd
    BitOr
    BitXor
    ShiftLeft
    ShiftRight
    Negate
    Not
    Subscript
    SubscriptSet
    /// A comparison, and [`Code::JumpIf`].
    LessJump
    LessEqualJump
    GreaterJump
    GreaterEqualJump
    EqualJump
    NotEqualJump
    /// [`Code::StoreLocal`], and so on, and [`Code::Pop`].
    StoreLocalPop
    StoreModulePop
    StoreThisFieldPop
    /// [`Code::LoadLocal`] twice.
    LoadLocals
    /// [`Code::LoadLocal`], and [`Code::Constant`].
    LoadLocalConstant
    /// Both of them, and an operator.
    AddLocalConstant
    SubtractLocalConstant
    AddLocals
    /// [`Code::LoadThisField`], and a call of what takes no arguments.
    CallThisField
    /// [`Code::LoadLocal`], and a call of what takes no arguments.
    CallLocal
    /// The beginning of a `for`: eight words.
    ForNext
}

impl Code {
    /// The operation of a word that the linker has written.
    #[inline(always)]
    pub(crate) fn of(word: u32) -> Self {
        let number = word as u8;
        debug_assert!(number < COUNT, "no instruction has the number {number}");
        // SAFETY: words come from the compiler and the linker, which write numbers of `Op` and of `Code`; the first ones are
        // the same (tested below), and each is less than COUNT.
        unsafe { std::mem::transmute::<u8, Self>(number) }
    }

    /// A word with this operation, and the operands of another.
    pub(crate) fn in_place_of(self, word: u32) -> u32 {
        word & !0xff | self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ones_are_those_of_the_compiler() {
        assert_eq!(BASE.len(), 35);
        for (code, op) in BASE {
            assert_eq!(*code as u8, *op as u8, "{op:?}");
            assert_eq!(Code::of(op.with(7)), *code);
        }
    }
}
