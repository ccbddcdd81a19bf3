//! What all benchmarks share: alternated rounds, medians, one JSON line for each measurement.

mod measure;
mod report;

pub use measure::{Clock, alternate, cpu_time, median, wall_time};
pub use report::print_line;
