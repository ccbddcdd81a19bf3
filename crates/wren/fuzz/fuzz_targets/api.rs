//! What a host may do with two machines and what they give, in any order.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use wren::{Context, Error, Run, Suspend, Value, Vm, VmBuilder};

#[derive(Arbitrary, Debug)]
enum Step {
    /// Runs one of the sources.
    Run(u8, u8),
    /// Evaluates any text.
    Eval(u8, String),
    Call(u8, u8, u8, Vec<u8>),
    Resume(u8, u8, u8),
    Fail(u8, u8, u8),
    NewFiber(u8, u8),
    Variable(u8, u8),
    SetVariable(u8, u8, u8),
    ListPush(u8, u8, u8),
    ListSet(u8, u8, u8, u8),
    MapInsert(u8, u8, u8, u8),
    MapRemove(u8, u8, u8),
    Entries(u8, u8),
    NewList(u8),
    NewMap(u8),
    NewObject(u8, u8),
    Drop(u8),
    Collect(u8),
    Interrupt(u8),
    Number(f64),
    Text(String),
    Bytes(Vec<u8>),
}

const SOURCES: &[&str] = &[
    "foreign class Box {\n construct new(v) {}\n foreign value\n foreign value=(v)\n foreign with(f)\n}\n
     class Host {\n foreign static call(f)\n foreign static wait()\n foreign static fail(v)\n foreign static keep(v)\n}\n
     var box = Box.new(3)\nvar list = [1, \"two\", null]\nvar map = {\"k\": [1], 2: 1..3}\nvar f = Fn.new {|a| a }\n
     var g = Fn.new {|a, b| Host.wait() }\nvar fiber = Fiber.new {|v| Fiber.yield(v) + Host.wait() }",
    "Host.call { Host.call { Host.wait() } }",
    "Host.call { list.add(list.count) }\nHost.call { Fiber.yield(1) }",
    "var waits = Fiber.new {\n Host.wait()\n Host.fail(\"x\")\n}\nwaits.try()",
    "box.with { box.value = 4 }",
    "box.value = box.value + 1\nHost.keep(box)",
    "fiber.call(1)\nHost.call { fiber.call(2) }\nHost.call { fiber.transfer(2) }",
    "var root = Fiber.current\nHost.call { Fiber.new { root.transfer() }.call() }",
    "for (i in 1..200) list.add(\"%(i)\" * 50)\nlist.clear()\nSystem.gc()",
    "Host.call { Host.fail([1]) }",
    "Fiber.new { Host.call { while (true) {} } }.try()",
    "var inner\nvar outer\nouter = Fiber.new {\n inner = Fiber.new {\n outer.transfer()\n Fiber.yield(1)\n Fiber.abort(2)\n }\n
     inner.try()\n Host.call {\n inner.transfer()\n }\n Fiber.yield()\n}\nouter.try()",
    "outer.transfer()",
    "inner.transfer(1)",
    "Fiber.suspend()",
    "var n = 0\nvar deep\ndeep = Fn.new { Host.call(deep) }\ndeep.call()",
];
const NAMES: &[&str] =
    &["box", "list", "map", "f", "g", "fiber", "waits", "root", "inner", "outer", "Host", "Box", "n", "none"];
const SIGNATURES: &[&str] = &[
    "call()",
    "call(_)",
    "call(_,_)",
    "toString",
    "count",
    "add(_)",
    "[_]",
    "[_]=(_)",
    "==(_)",
    "value",
    "value=(_)",
    "try()",
    "call(_,_",
    "",
    "iterate(_)",
    "sort()",
    "type",
    "keys",
    "transfer()",
    "with(_)",
    "keep(_)",
];

fn machine(builder: VmBuilder) -> Vm {
    builder
        .memory(1 << 20)
        .depth(100)
        .seed(1)
        .class("main", "Box", |_: &mut Context<'_>, (v,): (Value,)| Ok(v))
        .method_of("main", "Box", "value", |v: &mut Value, _: &mut Context<'_>, ()| v.clone())
        .method_of("main", "Box", "value=(_)", |v: &mut Value, _: &mut Context<'_>, (new,): (Value,)| {
            *v = new
        })
        .method_of("main", "Box", "with(_)", |_: &mut Value, cx: &mut Context<'_>, (f,): (Value,)| {
            cx.call(&f, "call()", ())
        })
        .method("main", "Host", "static call(_)", |cx: &mut Context<'_>, (f,): (Value,)| {
            cx.call(&f, "call()", ())
        })
        .method("main", "Host", "static wait()", |_: &mut Context<'_>, ()| Suspend)
        .method("main", "Host", "static fail(_)", |_: &mut Context<'_>, (v,): (Value,)| {
            Err::<Value, _>(Error::with_value("failed", v))
        })
        .method("main", "Host", "static keep(_)", |cx: &mut Context<'_>, (v,): (Value,)| {
            cx.collect_garbage();
            vec![v.clone(), v]
        })
        .build()
}

fuzz_target!(|steps: Vec<Step>| {
    let mut vms =
        [machine(Vm::builder().collect_always().steps(1_000)), machine(Vm::builder().steps(50_000))];
    let mut values: Vec<Value> = vec![Value::Null];
    for vm in &mut vms {
        vm.run("main", SOURCES[0]).expect("the first source runs");
    }
    for step in steps {
        step.run(&mut vms, &mut values);
        values.truncate(64);
    }
    for vm in &mut vms {
        let mut cx = vm.context();
        cx.collect_garbage();
        cx.set_steps(Some(1_000));
        // Somebody may have interrupted it last.
        let _ = cx.eval("after", "1 + 1");
        cx.set_steps(Some(1_000));
        assert_eq!(cx.eval("after", "1 + 1"), Ok(Run::Done(Value::Num(2.0))));
    }
});

impl Step {
    fn run(self, vms: &mut [Vm; 2], values: &mut Vec<Value>) {
        let at = |values: &Vec<Value>, index: u8| values[usize::from(index) % values.len()].clone();
        let text = |all: &[&'static str], index: u8| all[usize::from(index) % all.len()];
        macro_rules! cx {
            ($vm:expr) => {
                vms[usize::from($vm) % 2].context()
            };
        }
        let mut keep = |run: Result<Run, Error>| match run {
            Ok(Run::Done(value)) => values.push(value),
            Ok(Run::Suspended(fiber)) => values.push(Value::Fiber(fiber)),
            Err(Error::Runtime(error)) => values.push(error.value),
            Err(_) => {}
        };
        match self {
            Self::Run(vm, source) => keep(cx!(vm).run("main", text(SOURCES, source))),
            Self::Eval(vm, source) => keep(cx!(vm).eval("main", &source)),
            Self::Call(vm, receiver, signature, args) => {
                let args: Vec<Value> = args.iter().map(|arg| at(values, *arg)).collect();
                let receiver = at(values, receiver);
                if let Ok(value) = cx!(vm).call(&receiver, text(SIGNATURES, signature), args) {
                    values.push(value);
                }
            }
            Self::Resume(vm, fiber, with) => {
                let with = at(values, with);
                if let Value::Fiber(fiber) = at(values, fiber) {
                    let run = cx!(vm).resume(&fiber, Ok(with));
                    if let Ok(Run::Done(value)) = run {
                        values.push(value);
                    }
                }
            }
            Self::Fail(vm, fiber, with) => {
                let with = at(values, with);
                if let Value::Fiber(fiber) = at(values, fiber) {
                    let _ = cx!(vm).resume(&fiber, Err(Error::with_value("failed", with)));
                }
            }
            Self::NewFiber(vm, function) => {
                if let Value::Function(function) = at(values, function) {
                    if let Ok(fiber) = cx!(vm).new_fiber(&function) {
                        values.push(fiber.into());
                    }
                }
            }
            Self::Variable(vm, name) => values.extend(cx!(vm).variable("main", text(NAMES, name))),
            Self::SetVariable(vm, name, value) => {
                let value = at(values, value);
                let _ = cx!(vm).set_variable("main", text(NAMES, name), value);
            }
            Self::ListPush(vm, list, value) => {
                let value = at(values, value);
                if let Value::List(list) = at(values, list) {
                    let _ = list.push(&mut cx!(vm), value);
                }
            }
            Self::ListSet(vm, list, index, value) => {
                let value = at(values, value);
                if let Value::List(list) = at(values, list) {
                    let _ = list.set(&mut cx!(vm), usize::from(index), value);
                }
            }
            Self::MapInsert(vm, map, key, value) => {
                let (key, value) = (at(values, key), at(values, value));
                if let Value::Map(map) = at(values, map) {
                    let _ = map.insert(&mut cx!(vm), key, value);
                }
            }
            Self::MapRemove(vm, map, key) => {
                let key = at(values, key);
                if let Value::Map(map) = at(values, map) {
                    let _ = map.remove(&mut cx!(vm), key);
                }
            }
            Self::Entries(vm, of) => match at(values, of) {
                Value::Map(map) => {
                    let entries = map.entries(&mut cx!(vm)).unwrap_or_default();
                    values.extend(entries.into_iter().flat_map(|(key, value)| [key, value]).take(8));
                }
                Value::List(list) => {
                    let items = list.to_vec(&mut cx!(vm)).unwrap_or_default();
                    values.extend(items.into_iter().take(8));
                }
                _ => {}
            },
            Self::NewList(vm) => values.extend(cx!(vm).new_list().ok().map(Value::from)),
            Self::NewMap(vm) => values.extend(cx!(vm).new_map().ok().map(Value::from)),
            Self::NewObject(vm, class) => {
                if let Value::Class(class) = at(values, class) {
                    values.extend(cx!(vm).new_object(&class, Value::Null).ok().map(Value::from));
                }
            }
            Self::Drop(index) => {
                if values.len() > 1 {
                    values.swap_remove(usize::from(index) % values.len());
                }
            }
            Self::Collect(vm) => {
                cx!(vm).collect_garbage();
            }
            Self::Interrupt(vm) => vms[usize::from(vm) % 2].interrupt().now(),
            Self::Number(number) => values.push(number.into()),
            Self::Text(text) => values.push(text.into()),
            Self::Bytes(bytes) => values.push(Value::Bytes(bytes)),
        }
    }
}
