//! Where there is no coarse clock: the real one.

pub(crate) use crate::executor::real as coarse;
