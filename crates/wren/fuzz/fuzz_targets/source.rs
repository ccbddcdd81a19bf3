//! Any text is a program, or has errors: it never crashes, and stays within its bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;
use wren::{Limits, Run, Value, Vm};

const MEMORY: usize = 4 << 20;

fuzz_target!(|source: &str| {
    // What the program may import: itself, too.
    let modules =
        HashMap::from([("main".to_owned(), source.to_owned()), ("other".to_owned(), source.to_owned())]);
    // A collection a step takes its time.
    let builder = Vm::builder();
    let builder =
        if source.len() % 4 == 0 { builder.collect_always().steps(500) } else { builder.steps(20_000) };
    let mut vm = builder
        .memory(MEMORY)
        .depth(200)
        .seed(1)
        .limits(Limits { depth: 64, errors: 20 })
        .clock(|| 0.0)
        .loader(modules)
        .build();
    let mut cx = vm.context();
    let mut run = cx.run("main", source);
    // Whatever waits goes on.
    for _ in 0..4 {
        let Ok(Run::Suspended(fiber)) = &run else { break };
        if !fiber.is_suspended(&mut cx).unwrap_or(false) {
            break;
        }
        let fiber = fiber.clone();
        run = cx.resume(&fiber, Ok(Value::Num(1.0)));
    }
    assert!(cx.memory_used() < 2 * MEMORY, "{} bytes are in use", cx.memory_used());
    cx.collect_garbage();
    // The machine is as usable as before.
    cx.set_steps(Some(1_000));
    let two = cx.eval("after", "1 + 1");
    assert_eq!(two, Ok(Run::Done(Value::Num(2.0))));
});
