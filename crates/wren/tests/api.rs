//! What a host does with a machine, and what it does to the host.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use wren::{
    CompileError, Context, Error, Fiber, Function, Limits, List, Loader, Map, Object, Run, Suspend,
    TraceFrame, Value, Vm, VmBuilder,
};

/// A machine that remembers what it prints.
fn printing(builder: VmBuilder) -> (Vm, Arc<Mutex<String>>) {
    let printed = Arc::new(Mutex::new(String::new()));
    let output = Arc::clone(&printed);
    let vm = builder.write(move |text| output.lock().expect("no writer panics").push_str(text)).build();
    (vm, printed)
}

#[track_caller]
fn value(vm: &mut Vm, name: &str) -> Value {
    vm.context().variable("main", name).expect("the variable is there")
}

#[track_caller]
fn failure(vm: &mut Vm, source: &str) -> String {
    vm.run("main", source).expect_err("it fails").to_string()
}

#[track_caller]
fn suspended(run: Result<Run, Error>) -> Fiber {
    match run {
        Ok(Run::Suspended(fiber)) => fiber,
        other => panic!("{other:?} is not suspended"),
    }
}

// Values.

#[test]
fn values_come_out_as_they_went_in() {
    let mut vm = Vm::new();
    vm.run("main", "var x = null").expect("it runs");
    let mut cx = vm.context();
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Num(-1.5),
        "text".into(),
        Value::Bytes(vec![0xff, 0, 1]),
        wren::Range::from(1.0..2.0).into(),
    ];
    for value in values {
        assert_eq!(cx.set_variable("main", "x", value.clone()), Ok(true));
        assert_eq!(cx.variable("main", "x"), Some(value));
    }
    // A NaN of any bits is a number.
    cx.set_variable("main", "x", f64::from_bits(u64::MAX)).expect("it's a number");
    assert!(matches!(cx.variable("main", "x"), Some(Value::Num(number)) if number.is_nan()));
    assert_eq!(cx.set_variable("main", "none", 1.0), Ok(false));
    assert_eq!(cx.set_variable("none", "x", 1.0), Ok(false));
    assert_eq!(cx.variables("main"), ["x"]);
}

#[test]
fn lists_and_maps_are_the_program_s_own() {
    let mut vm = Vm::new();
    vm.run("main", "var list = [1, 2]\nvar map = {\"a\": 1, 2: \"b\"}").expect("it runs");
    let (Value::List(list), Value::Map(map)) = (value(&mut vm, "list"), value(&mut vm, "map")) else {
        panic!("they are a list and a map")
    };
    let mut cx = vm.context();
    list.push(&mut cx, "three").expect("there is room");
    assert_eq!(list.set(&mut cx, 0, true), Ok(true));
    assert_eq!(list.set(&mut cx, 9, true), Ok(false));
    assert_eq!(list.to_vec(&mut cx), Ok(vec![true.into(), 2.0.into(), "three".into()]));
    assert_eq!(list.get(&mut cx, 3), Ok(None));

    map.insert(&mut cx, "c", 3.0).expect("there is room");
    assert_eq!(map.remove(&mut cx, "a"), Ok(Some(1.0.into())));
    assert_eq!(map.entries(&mut cx), Ok(vec![(2.0.into(), "b".into()), ("c".into(), 3.0.into())]));
    assert_eq!(map.get(&mut cx, "a"), Ok(None));
    let error = map.insert(&mut cx, list.clone(), 1.0).expect_err("a list is no key");
    assert_eq!(error.to_string(), "Key must be a value type.");
    assert_eq!(map.len(&mut cx), Ok(2));
    assert_eq!(cx.call(&list, "count", ()), Ok(3.0.into()));
}

#[test]
fn rust_s_lists_become_the_program_s() {
    let mut vm = Vm::builder()
        .method("main", "Host", "static numbers(_)", |_: &mut Context<'_>, (numbers,): (Vec<f64>,)| {
            numbers.into_iter().map(|number| number * 2.0).collect::<Vec<_>>()
        })
        .build();
    vm.run("main", "class Host {\n foreign static numbers(n)\n}\nvar sum = Host.numbers([1, 2, 3]).reduce {|a, b| a + b }")
        .expect("it runs");
    assert_eq!(value(&mut vm, "sum"), 12.0.into());
    assert_eq!(
        failure(&mut vm, "Host.numbers([1, null])"),
        "Argument 1 must be a number.\n[main line 1] in (script)"
    );
}

// Calls.

#[test]
fn a_call_must_fit_its_signature() {
    let mut vm = Vm::new();
    vm.run("main", "class A {\n static add(a, b) { a + b }\n static [i] { i }\n static name=(v) { v }\n}")
        .expect("it runs");
    let class = value(&mut vm, "A");
    assert_eq!(vm.call(&class, "add(_,_)", (1.0, 2.0)), Ok(3.0.into()));
    assert_eq!(vm.call(&class, "[_]", (4.0,)), Ok(4.0.into()));
    assert_eq!(vm.call(&class, "name=(_)", ("n",)), Ok("n".into()));
    assert_eq!(vm.call(1.0, "+(_)", (2.0,)), Ok(3.0.into()));
    for (signature, args) in
        [("add(_,_)", 1), ("add", 1), ("add(_", 1), ("", 0), ("add(_,_,)", 3), ("a,b", 0)]
    {
        let args = vec![Value::Num(1.0); args];
        assert!(matches!(vm.call(&class, signature, args), Err(Error::Misuse(_))), "{signature}");
    }
    let error = vm.call(&class, "missing()", ()).expect_err("it's not there");
    assert_eq!(error.to_string(), "A metaclass does not implement 'missing()'.");
}

#[test]
fn errors_have_what_the_program_said_and_where() {
    let mut vm = Vm::new();
    let source = "class A {\n  static fail(v) {\n    Fiber.abort(v)\n  }\n}\nvar f = Fn.new {|v| A.fail(v) }";
    vm.run("lib", source).expect("it runs");
    let function = vm.context().variable("lib", "f").expect("it's there");
    let Err(Error::Runtime(error)) = vm.call(&function, "call(_)", ("words",)) else { panic!("it fails") };
    assert_eq!((error.message.as_str(), &error.value), ("words", &"words".into()));
    let frame = |line, function: &str| TraceFrame { module: "lib".into(), line, function: function.into() };
    assert_eq!(error.trace, [frame(3, "fail(_)"), frame(6, "new(_) block argument")]);

    let Err(Error::Runtime(error)) = vm.call(&function, "call(_)", (7.0,)) else { panic!("it fails") };
    assert_eq!((error.message.as_str(), &error.value), ("[error object]", &7.0.into()));
    let Err(Error::Compile(errors)) = vm.run("lib", "var =\nvar b") else { panic!("it's refused") };
    assert_eq!(errors[0].to_string(), "[lib line 1] Error at '=': Expect variable name.");
}

#[test]
fn a_host_s_error_is_the_program_s_and_comes_back_as_it_was() {
    let mut vm = Vm::builder()
        .method("main", "Host", "static fail(_)", |_: &mut Context<'_>, (value,): (Value,)| {
            Err::<(), _>(Error::with_value("from the host", value))
        })
        .build();
    vm.run("main", "class Host {\n foreign static fail(v)\n}").expect("it runs");
    vm.run("main", "var caught = Fiber.new { Host.fail([1]) }.try()\ncaught.add(2)").expect("it's caught");
    let Value::List(caught) = value(&mut vm, "caught") else { panic!("it's the list") };
    assert_eq!(caught.len(&mut vm.context()), Ok(2));
    let error = vm.run("main", "Host.fail(\"text\")").expect_err("nobody catches it");
    assert_eq!(error.to_string(), "text\n[main line 1] in (script)");
}

// Foreign methods and classes.

#[test]
fn foreign_methods_call_the_program_which_calls_them() {
    let mut vm = Vm::builder()
        .method("main", "Host", "static count(_,_)", |cx: &mut Context<'_>, (n, f): (f64, Function)| {
            if n == 0.0 { Ok(Value::Num(0.0)) } else { cx.call(&f, "call(_)", (n - 1.0,)) }
        })
        .build();
    vm.run(
        "main",
        "class Host {\n foreign static count(n, f)\n}\nvar f\nf = Fn.new {|n| Host.count(n, f) + 1 }",
    )
    .expect("it runs");
    let f = value(&mut vm, "f");
    assert_eq!(vm.call(&f, "call(_)", (20.0,)), Ok(21.0.into()));
    // The host's stack has an end.
    let error = vm.call(&f, "call(_)", (1e9,)).expect_err("it's too deep");
    assert!(error.to_string().starts_with("Stack overflow"), "{error}");
    assert_eq!(vm.call(&f, "call(_)", (5.0,)), Ok(6.0.into()));
}

#[test]
fn the_receiver_of_a_foreign_method_is_known() {
    let mut vm = Vm::builder()
        .method("main", "A", "own", |cx: &mut Context<'_>, ()| cx.receiver())
        .method("main", "A", "static own", |cx: &mut Context<'_>, ()| cx.receiver())
        .build();
    vm.run("main", "class A {\n construct new() {}\n foreign own\n foreign static own\n}\nvar a = A.new()\nvar same = Object.same(a.own, a) && A.own == A")
        .expect("it runs");
    assert_eq!(value(&mut vm, "same"), true.into());
}

/// Counts how many of it are gone.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn boxes(gone: &Arc<AtomicUsize>) -> Vm {
    let gone = Arc::clone(gone);
    Vm::builder()
        .class("main", "Box", move |_: &mut Context<'_>, ()| Ok(Counted(Arc::clone(&gone))))
        .method_of("main", "Box", "use(_)", |_: &mut Counted, cx: &mut Context<'_>, (f,): (Function,)| {
            cx.call(&f, "call()", ())
        })
        .build()
}

const BOX: &str = "foreign class Box {\n construct new() {}\n foreign use(f)\n}\n";

#[test]
fn what_foreign_objects_hold_is_dropped_once() {
    let gone = Arc::new(AtomicUsize::new(0));
    let mut vm = boxes(&gone);
    vm.run("main", &format!("{BOX}var kept = Box.new()\nfor (i in 1..10) Box.new()")).expect("it runs");
    vm.context().collect_garbage();
    assert_eq!(gone.load(Ordering::Relaxed), 10);
    let held = value(&mut vm, "kept");
    vm.context().set_variable("main", "kept", ()).expect("it's there");
    vm.context().collect_garbage();
    assert_eq!(gone.load(Ordering::Relaxed), 10);
    drop(held);
    vm.context().collect_garbage();
    assert_eq!(gone.load(Ordering::Relaxed), 11);
    vm.run("main", "kept = Box.new()").expect("it runs");
    drop(vm);
    assert_eq!(gone.load(Ordering::Relaxed), 12);
}

#[test]
fn a_foreign_object_is_in_one_hand_at_a_time() {
    let mut vm = boxes(&Arc::default());
    vm.run("main", &format!("{BOX}var box = Box.new()")).expect("it runs");
    let told = "The object is in use by a method that called this one.";
    assert_eq!(
        failure(&mut vm, "box.use { box.use { 1 } }"),
        format!("{told}\n[main line 1] in use(_) block argument\n[main line 1] in (script)")
            .replace("\n[main line 1] in use(_) block argument", "")
    );
    vm.run("main", "box.use { 1 }").expect("it's free again");
    let Value::Object(object) = value(&mut vm, "box") else { panic!("it's an object") };
    let mut cx = vm.context();
    let wrong = cx.with_object(&object, |_: &mut String, _| ()).expect_err("it holds something else");
    assert_eq!(wrong.to_string(), "The object holds something else than the method wants.");
    assert!(cx.with_object(&object, |_: &mut Counted, _| ()).is_ok());
}

#[test]
fn the_host_makes_objects_of_foreign_classes() {
    let mut vm = Vm::builder()
        .class("main", "Text", |_: &mut Context<'_>, (text,): (Option<String>,)| Ok(text.unwrap_or_default()))
        .method_of("main", "Text", "get", |text: &mut String, _: &mut Context<'_>, ()| text.clone())
        .build();
    vm.run("main", "foreign class Text {\n construct new() {}\n foreign get\n}\nclass Plain {}")
        .expect("it runs");
    let (Value::Class(class), Value::Class(plain)) = (value(&mut vm, "Text"), value(&mut vm, "Plain")) else {
        panic!("they are classes")
    };
    let mut cx = vm.context();
    let object: Object = cx.new_object(&class, "made here".to_owned()).expect("it's foreign");
    assert_eq!(cx.call(&object, "get", ()), Ok("made here".into()));
    assert!(matches!(cx.new_object(&plain, ()), Err(Error::Misuse(_))));
    assert_eq!(class.name(&mut cx), Ok("Text".to_owned()));
}

// Fibers.

const WAITS: &str = "class Host {\n foreign static wait(v)\n foreign static call(f)\n}\n";

fn waiting() -> Vm {
    Vm::builder()
        .method("main", "Host", "static wait(_)", |_: &mut Context<'_>, (_,): (Value,)| Suspend)
        .method("main", "Host", "static call(_)", |cx: &mut Context<'_>, (f,): (Function,)| {
            cx.call(&f, "call()", ())
        })
        .build()
}

#[test]
fn a_fiber_waits_for_the_host_while_others_run() {
    let mut vm = waiting();
    vm.run("main", WAITS).expect("it runs");
    let source =
        "var log = []\nvar work = Fn.new {|name|\n log.add(name)\n log.add(Host.wait(name))\n return name\n}";
    vm.run("main", source).expect("it runs");
    let Value::Function(work) = value(&mut vm, "work") else { panic!("it's a function") };
    let mut cx = vm.context();
    let a = suspended(cx.start(&work, "call(_)", ("a",)));
    let b = suspended(cx.start(&work, "call(_)", ("b",)));
    assert_eq!(a.is_suspended(&mut cx), Ok(true));
    assert_eq!(cx.resume(&b, Ok("for b".into())), Ok(Run::Done("b".into())));
    assert_eq!(cx.resume(&a, Ok("for a".into())), Ok(Run::Done("a".into())));
    assert_eq!(a.is_done(&mut cx), Ok(true));
    assert!(matches!(cx.resume(&a, Ok(Value::Null)), Err(Error::Misuse(_))));
    let Some(Value::List(log)) = cx.variable("main", "log") else { panic!("it's a list") };
    assert_eq!(log.to_vec(&mut cx), Ok(vec!["a".into(), "b".into(), "for b".into(), "for a".into()]));
}

#[test]
fn a_waiting_fiber_may_go_on_with_an_error() {
    let mut vm = waiting();
    vm.run("main", WAITS).expect("it runs");
    let run = vm.run("main", "var caught = Fiber.new { Host.wait(1) }.try()\nHost.wait(2)");
    let fiber = suspended(run);
    // The one that waits is the inner one, and the outer one catches its error and waits in its turn.
    let next = suspended(vm.context().resume(&fiber, Err(Error::new("refused"))));
    assert_eq!(value(&mut vm, "caught"), "refused".into());
    let error = vm.context().resume(&next, Err("again".into())).expect_err("nobody catches it");
    assert_eq!(error.to_string(), "again\n[main line 2] in (script)");
}

#[test]
fn a_new_fiber_is_started_with_its_argument_or_an_error() {
    let mut vm = Vm::new();
    vm.run("main", "var f = Fn.new {|v| v + 1 }\nvar two = Fn.new {|a, b| a }").expect("it runs");
    let (Value::Function(f), Value::Function(two)) = (value(&mut vm, "f"), value(&mut vm, "two")) else {
        panic!("they are functions")
    };
    let mut cx = vm.context();
    let fiber = cx.new_fiber(&f).expect("it takes one");
    assert_eq!(cx.resume(&fiber, Ok(1.0.into())), Ok(Run::Done(2.0.into())));
    let fiber = cx.new_fiber(&f).expect("it takes one");
    let error = cx.resume(&fiber, Err("no".into())).expect_err("it fails");
    assert_eq!(error.to_string(), "no\n[main line 1] in new(_) block argument");
    assert!(matches!(cx.new_fiber(&two), Err(Error::Misuse(_))));
}

#[test]
fn a_plain_call_can_t_wait() {
    let mut vm = waiting();
    vm.run("main", &format!("{WAITS}var f = Fn.new {{ Host.wait(1) }}")).expect("it runs");
    let f = value(&mut vm, "f");
    assert_eq!(vm.call(&f, "call()", ()), Err(Error::Suspended));
    // Nor can one in the middle of a foreign method: the program sees an error.
    let told = failure(&mut vm, "Host.call(f)");
    assert!(told.starts_with("The function suspended its fiber"), "{told}");
}

#[test]
fn a_fiber_that_waits_for_a_foreign_method_stays_there() {
    let mut vm = waiting();
    vm.run("main", WAITS).expect("it runs");
    let source = "var outer = Fiber.current\nvar told = Fiber.new { Host.call { outer.transfer() } }.try()";
    vm.run("main", source).expect("it's caught");
    assert_eq!(value(&mut vm, "told"), "Cannot transfer to a fiber that waits for a foreign method.".into());
}

// Limits.

#[test]
fn steps_are_counted_and_no_try_gives_more() {
    let mut vm = Vm::builder().steps(10_000).build();
    let endless =
        "Fiber.new {\n  while (true) Fiber.new {\n    while (true) {}\n  }.try()\n}.try()\nSystem.print(1)";
    assert!(matches!(vm.run("main", endless), Err(Error::OutOfSteps(trace)) if trace[0].line == 3));
    let mut cx = vm.context();
    assert_eq!(cx.steps_left(), Some(0));
    let steps = cx.steps();
    assert!((10_000..10_100).contains(&steps), "{steps}");
    assert!(matches!(cx.run("main", "for (i in 1..2) {}"), Err(Error::OutOfSteps(_))));
    cx.set_steps(Some(1_000));
    cx.run("main", "for (i in 1..500) {}").expect("it has steps");
    let left = cx.steps_left().expect("there is a budget");
    assert!((490..=502).contains(&left), "{left}");
    cx.set_steps(None);
    cx.run("main", "for (i in 1..3000) {}").expect("it may");
}

#[test]
fn a_foreign_method_can_t_hide_that_the_steps_are_over() {
    let mut vm = Vm::builder()
        .steps(1_000)
        .method("main", "Host", "static hide(_)", |cx: &mut Context<'_>, (f,): (Function,)| {
            let _ = cx.call(&f, "call()", ());
        })
        .build();
    let run = vm.run(
        "main",
        "class Host {\n foreign static hide(f)\n}\nHost.hide {\n while (true) {}\n}\nwhile (true) {}",
    );
    assert!(matches!(run, Err(Error::OutOfSteps(_))), "{run:?}");
}

#[test]
fn another_thread_stops_a_program_once() {
    let (mut vm, printed) = printing(Vm::builder());
    let interrupt = vm.interrupt();
    let runs = Arc::clone(&printed);
    let other = thread::spawn(move || {
        while runs.lock().expect("no writer panics").is_empty() {
            thread::yield_now();
        }
        interrupt.now();
    });
    let run = vm.run("main", "System.print(\"runs\")\nFiber.new {\n while (true) {}\n}.try()");
    assert!(matches!(run, Err(Error::Interrupted(_))), "{run:?}");
    other.join().expect("it ends");
    vm.run("main", "for (i in 1..3000) {}").expect("the next one is not stopped");
}

#[test]
#[cfg_attr(miri, ignore = "fills megabytes, over and over")]
fn memory_has_a_limit_and_garbage_is_none_of_it() {
    let mut vm = Vm::builder().memory(2 << 20).build();
    let told = failure(&mut vm, "var list = []\nwhile (true) list.add(\"x\" * 100)");
    assert_eq!(told, "Out of memory.\n[main line 2] in (script)");
    // Give or take what the code makes between two calls.
    assert!(vm.context().memory_used() < (2 << 20) + 4_096);
    vm.run("main", "list = null\nfor (i in 1..20000) \"x\" * 1000").expect("it's garbage");
    for source in [
        "List.filled(1e12, 0)",
        "var m = {}\nfor (i in 1..1e9) m[i] = i",
        "var s = \"x\"\nwhile (true) s = s + s",
        "class L {\n construct new(n) { _n = n }\n}\nvar l\nwhile (true) l = L.new(l)",
        "var f = []\nwhile (true) {\n var a = 1\n f.add(Fn.new { a })\n}",
        "var f = []\nwhile (true) f.add(Fiber.new {})",
        "(\"a,\" * 900000).split(\",\")",
        "(\"a\" * 10000).replace(\"a\", \"b\" * 10000)",
        "[1, 2, 3] * 1e9",
        "var l = [1]\nwhile (true) l.addAll(l)",
        "var l = [1]\nwhile (true) l = l + l",
        "var l = List.filled(1000, \"x\" * 1000)\nl.join().bytes.toList",
    ] {
        let told = failure(&mut Vm::builder().memory(2 << 20).build(), source);
        assert!(told.starts_with("Out of memory."), "{source}: {told}");
    }
    assert!(matches!(vm.call("x".repeat(3 << 20), "count", ()), Err(Error::Runtime(_))));
}

#[test]
fn calls_nest_as_deep_as_is_said() {
    let mut vm = Vm::builder().depth(50).build();
    vm.run("main", "var f\nf = Fn.new {|n| n == 0 ? 0 : 1 + f.call(n - 1) }").expect("it runs");
    let f = value(&mut vm, "f");
    assert_eq!(vm.call(&f, "call(_)", (40.0,)), Ok(40.0.into()));
    let error = vm.call(&f, "call(_)", (60.0,)).expect_err("it's too deep");
    assert!(error.to_string().starts_with("Stack overflow."), "{error}");
}

#[test]
fn sources_nest_as_deep_as_is_said() {
    // Under Miri a source of megabytes takes minutes.
    let deepest = if cfg!(miri) { 200 } else { 200_000 };
    let deep = |n: usize| format!("var x = {}1{}", "(".repeat(n), ")".repeat(n));
    let mut vm = Vm::builder().limits(Limits { depth: 20, errors: 3 }).build();
    vm.run("main", &deep(10).replace('x', "y")).expect("it's not deep");
    assert_eq!(
        failure(&mut vm, &deep(deepest)),
        "[main line 1] Error: The source is nested more than 20 levels deep."
    );
    let Err(Error::Compile(errors)) = vm.run("main", "@\n@\n@\n@\n@") else { panic!("it's refused") };
    assert_eq!(errors.len(), 3);
}

// Modules.

#[test]
fn modules_come_from_the_loader() {
    struct Numbered(Vec<String>);
    impl Loader for Numbered {
        fn resolve(&mut self, importer: &str, name: &str) -> Result<String, String> {
            if name == "forbidden" {
                Err("it is forbidden".to_owned())
            } else {
                Ok(format!("{importer}/{name}"))
            }
        }
        fn load(&mut self, name: &str) -> Result<Option<String>, String> {
            self.0.push(name.to_owned());
            match name {
                "main/unreadable" => Err("it can't be read".to_owned()),
                "main/missing" => Ok(None),
                _ => Ok(Some(format!("var Name = \"{name}\"\nvar Count = {}", self.0.len()))),
            }
        }
    }
    let mut vm = Vm::builder().loader(Numbered(Vec::new())).build();
    vm.run("main", "import \"a\" for Name, Count\nimport \"a\" for Count as Again").expect("it runs");
    assert_eq!((value(&mut vm, "Name"), value(&mut vm, "Again")), ("main/a".into(), 1.0.into()));
    for (name, told) in [
        ("forbidden", "Could not resolve module 'forbidden': it is forbidden"),
        ("unreadable", "Could not load module 'main/unreadable': it can't be read"),
        ("missing", "Could not load module 'main/missing'."),
    ] {
        assert_eq!(
            failure(&mut vm, &format!("import \"{name}\"")),
            format!("{told}\n[main line 1] in (script)")
        );
    }
}

#[test]
fn what_is_wrong_with_an_imported_module_is_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&told);
    let modules = HashMap::from([("broken".to_owned(), "var x =\n\nvar y = )".to_owned())]);
    let mut vm = Vm::builder()
        .loader(modules)
        .report(move |error: &CompileError| hears.lock().expect("no hearer panics").push(error.to_string()))
        .build();
    let Err(Error::Runtime(error)) = vm.run("main", "import \"broken\"") else { panic!("it fails") };
    assert_eq!(error.message, "Could not compile module 'broken'.");
    let expected = "[broken line 3] Error at 'var': Expected expression.";
    assert!(error.compile_errors.iter().any(|error| error.to_string() == expected));
    assert!(told.lock().expect("no hearer panics").iter().any(|error| error == expected));
}

// Machines.

#[test]
fn a_machine_goes_from_thread_to_thread_and_handles_with_it() {
    let mut vm = Vm::new();
    vm.run("main", "var list = [1]").expect("it runs");
    let list = value(&mut vm, "list");
    let mut vm = thread::spawn(move || {
        vm.run("main", "list.add(2)").expect("it runs");
        vm
    })
    .join()
    .expect("it ends");
    // A handle may be dropped wherever.
    let other = list.clone();
    thread::spawn(move || drop(other)).join().expect("it ends");
    assert_eq!(vm.call(&list, "count", ()), Ok(2.0.into()));
}

#[test]
fn a_handle_of_another_machine_is_refused() {
    let (mut one, mut two) = (Vm::new(), Vm::new());
    let list: List = one.context().new_list().expect("there is room");
    let map: Map = one.context().new_map().expect("there is room");
    let told = Err(Error::Misuse("The value is another Vm's.".to_owned()));
    assert_eq!(two.call(&list, "count", ()), told);
    assert_eq!(list.len(&mut two.context()).map(|_| Value::Null), told);
    assert_eq!(map.entries(&mut two.context()).map(|_| Value::Null), told);
    two.run("main", "var x").expect("it runs");
    assert_eq!(two.context().set_variable("main", "x", list.clone()).map(|_| Value::Null), told);
    // One that outlives its machine does no harm.
    drop(one);
    assert_eq!(list.len(&mut two.context()).map(|_| Value::Null), told);
}

#[test]
fn a_panic_of_the_host_leaves_the_machine_usable() {
    let mut vm = Vm::builder()
        .method("main", "Host", "static panic()", |_: &mut Context<'_>, ()| -> f64 { panic!("of the host") })
        .build();
    vm.run("main", "class Host {\n foreign static panic()\n}\nvar f = Fiber.new { Host.panic() }")
        .expect("it runs");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| vm.run("main", "f.call()")));
    assert!(panicked.is_err());
    assert_eq!(vm.context().eval("main", "1 + 1"), Ok(Run::Done(2.0.into())));
    vm.context().collect_garbage();
    assert_eq!(failure(&mut vm, "f.call()"), "Fiber has already been called.\n[main line 1] in (script)");
}

#[test]
fn random_numbers_repeat_with_the_seed() {
    let drawn = |seed: u64| {
        let mut vm = Vm::builder().seed(seed).build();
        vm.run(
            "main",
            "import \"random\" for Random\nvar n = [Random.new().int(), Random.new().int()].toString",
        )
        .expect("it runs");
        value(&mut vm, "n")
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn the_clock_is_the_host_s() {
    let mut vm = Vm::builder().clock(|| 12.5).build();
    assert_eq!(vm.context().eval("main", "System.clock"), Ok(Run::Done(12.5.into())));
}

#[test]
fn what_a_waiting_fiber_called_comes_back_to_nobody() {
    // The outer one goes on by a transfer, and waits for a foreign method when the inner one ends, or fails.
    let source = "var log = []\nvar inner\nvar outer\nouter = Fiber.new {\n inner = Fiber.new {\n  outer.transfer()\n  log.add(\"inner\")\n  END\n }\n \
                  inner.call()\n Host.call {\n  log.add(\"called\")\n  inner.transfer()\n  log.add(\"not reached\")\n }\n log.add(\"back\")\n}\nouter.try()";
    for (end, expected) in [
        ("1", "[called, inner]"),
        ("Fiber.abort(\"x\")", "[called, inner]"),
        ("Fiber.yield()", "[called, inner]"),
    ] {
        let mut vm = waiting();
        vm.run("main", WAITS).expect("it runs");
        let run = vm.run("main", &source.replace("END", end));
        assert!(!matches!(run, Err(Error::Compile(_))), "{run:?}");
        let log = value(&mut vm, "log");
        assert_eq!(vm.call(&log, "toString", ()), Ok(expected.into()), "{end}");
        vm.context().collect_garbage();
    }
}
