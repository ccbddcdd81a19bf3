//! `ferry run` beside the real `python`: same output, same errors, same exit, wherever both can run it.

mod as_python;
mod bad_input;
mod environments;
mod interrupts;
mod jobs;
mod jobs_table;
mod patterns;
mod processes;
mod streams;
mod support;
mod top_level_await;
mod wren;
