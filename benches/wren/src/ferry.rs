//! Ferry's machine.

use std::sync::{Arc, Mutex};

/// Runs a program, and gives what it prints.
pub fn run(source: &str) -> String {
    let printed = Arc::new(Mutex::new(String::new()));
    let output = Arc::clone(&printed);
    let mut vm = wren::Vm::builder()
        .write(move |text| output.lock().expect("no writer panics").push_str(text))
        .build();
    vm.run("main", source).expect("the programs run");
    drop(vm);
    let printed = printed.lock().expect("no writer panics");
    printed.clone()
}
