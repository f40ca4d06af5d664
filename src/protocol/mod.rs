//! (to come)

pub mod frame;
