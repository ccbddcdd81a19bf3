//! [`Kind`]: what a yielded object is, told by its class alone, as it's asked at each step.

use super::{control, effect, program, requests};
use pyo3::{PyTypeInfo, prelude::*};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Of which of the classes that are known here an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    // Programs.
    Call,
    Pure,
    Mapped,
    Chained,
    Handled,
    Perform,
    // What a handler does with its continuation.
    Resume,
    Transfer,
    ResumeThrow,
    TransferThrow,
    Pass,
    // Effects that handlers answer.
    Get,
    Put,
    Modify,
    Ask,
    Tell,
    WriterLog,
    // Effects that every run answers.
    Local,
    Listen,
    Try,
    Await,
    Spawn,
    Wait,
    Gather,
    Race,
    Cancel,
    Discard,
    CreatePromise,
    CompletePromise,
    FailPromise,
    CreateExternalPromise,
    CreateSemaphore,
    AcquireSemaphore,
    ReleaseSemaphore,
    /// None of these: a user's effect, or a mistake.
    Other,
}

const COUNT: usize = Kind::Other as usize;

/// The kinds, in the order of their numbers.
const ALL: [Kind; COUNT] = [
    Kind::Call,
    Kind::Pure,
    Kind::Mapped,
    Kind::Chained,
    Kind::Handled,
    Kind::Perform,
    Kind::Resume,
    Kind::Transfer,
    Kind::ResumeThrow,
    Kind::TransferThrow,
    Kind::Pass,
    Kind::Get,
    Kind::Put,
    Kind::Modify,
    Kind::Ask,
    Kind::Tell,
    Kind::WriterLog,
    Kind::Local,
    Kind::Listen,
    Kind::Try,
    Kind::Await,
    Kind::Spawn,
    Kind::Wait,
    Kind::Gather,
    Kind::Race,
    Kind::Cancel,
    Kind::Discard,
    Kind::CreatePromise,
    Kind::CompletePromise,
    Kind::FailPromise,
    Kind::CreateExternalPromise,
    Kind::CreateSemaphore,
    Kind::AcquireSemaphore,
    Kind::ReleaseSemaphore,
];

/// The addresses of the classes, which live for ever.
static CLASSES: [AtomicUsize; COUNT] = [const { AtomicUsize::new(0) }; COUNT];

impl Kind {
    #[inline]
    pub(super) fn of(object: &Bound<'_, PyAny>) -> Self {
        let class = object.get_type_ptr() as usize;
        CLASSES
            .iter()
            .position(|known| known.load(Ordering::Relaxed) == class)
            .map_or(Self::Other, |place| ALL[place])
    }

    /// Whether it's a program or a word of a handler, which no handler sees.
    pub(super) fn is_effect(self) -> bool {
        self as usize >= Self::Get as usize
    }
}

/// Learns the classes. Called before the first program runs.
pub(super) fn prepare(py: Python<'_>) {
    use Kind as K;
    let set = |kind: Kind, class: *mut pyo3::ffi::PyTypeObject| {
        CLASSES[kind as usize].store(class as usize, Ordering::Relaxed);
    };
    set(K::Call, program::Call::type_object_raw(py));
    set(K::Pure, program::Pure::type_object_raw(py));
    set(K::Mapped, program::Mapped::type_object_raw(py));
    set(K::Chained, program::Chained::type_object_raw(py));
    set(K::Handled, program::Handled::type_object_raw(py));
    set(K::Perform, program::Perform::type_object_raw(py));
    set(K::Resume, control::Resume::type_object_raw(py));
    set(K::Transfer, control::Transfer::type_object_raw(py));
    set(K::ResumeThrow, control::ResumeThrow::type_object_raw(py));
    set(K::TransferThrow, control::TransferThrow::type_object_raw(py));
    set(K::Pass, control::Pass::type_object_raw(py));
    set(K::Get, effect::Get::type_object_raw(py));
    set(K::Put, effect::Put::type_object_raw(py));
    set(K::Modify, effect::Modify::type_object_raw(py));
    set(K::Ask, effect::Ask::type_object_raw(py));
    set(K::Tell, effect::Tell::type_object_raw(py));
    set(K::WriterLog, effect::WriterLog::type_object_raw(py));
    set(K::Local, effect::Local::type_object_raw(py));
    set(K::Listen, effect::Listen::type_object_raw(py));
    set(K::Try, effect::Try::type_object_raw(py));
    set(K::Await, effect::Await::type_object_raw(py));
    set(K::Spawn, requests::Spawn::type_object_raw(py));
    set(K::Wait, requests::Wait::type_object_raw(py));
    set(K::Gather, requests::Gather::type_object_raw(py));
    set(K::Race, requests::Race::type_object_raw(py));
    set(K::Cancel, requests::Cancel::type_object_raw(py));
    set(K::Discard, requests::Discard::type_object_raw(py));
    set(K::CreatePromise, requests::CreatePromise::type_object_raw(py));
    set(K::CompletePromise, requests::CompletePromise::type_object_raw(py));
    set(K::FailPromise, requests::FailPromise::type_object_raw(py));
    set(K::CreateExternalPromise, requests::CreateExternalPromise::type_object_raw(py));
    set(K::CreateSemaphore, requests::CreateSemaphore::type_object_raw(py));
    set(K::AcquireSemaphore, requests::AcquireSemaphore::type_object_raw(py));
    set(K::ReleaseSemaphore, requests::ReleaseSemaphore::type_object_raw(py));
}

/// `object` as the `T` that its kind says it is.
#[inline]
pub(super) fn as_a<'a, 'py, T: PyTypeInfo>(object: &'a Bound<'py, PyAny>) -> &'a Bound<'py, T> {
    debug_assert!(object.is_exact_instance_of::<T>());
    // SAFETY: callers have its kind from `Kind::of`, which compares its class with T's.
    unsafe { object.cast_unchecked() }
}
