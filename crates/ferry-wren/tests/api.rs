//! The host's side: calls, cancelling, handles of other threads, limits, several machines, and what the scripts of `tests/scripts` can't
//! see.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{
    AsyncRuntime, Failure, Order, Value, ValueLimits, jobs::Pool, sleep, spawn_local, sync::named, yield_now,
};
use asyncferry_wren::{ScriptError, Vm, VmBuilder};
use std::{
    error::Error,
    io,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

const MILLISECOND: Duration = Duration::from_millis(1);

/// What a source makes of the variable `result` of its module.
fn result_of(builder: VmBuilder, source: &str) -> Result<Option<wren::Value>, String> {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let vm = builder.build();
        vm.run("main", source).await.map_err(|failure| failure.to_string())?;
        vm.run_until_idle().await;
        Ok(vm.with_context(|cx| cx.variable("main", "result")))
    })
}

#[track_caller]
fn fails(builder: VmBuilder, source: &str, expected: &str) {
    let error = result_of(builder, source).unwrap_err();
    assert!(error.starts_with(expected), "{error}");
}

fn message(failure: &Failure) -> String {
    ScriptError::of(failure).map_or_else(|| failure.to_string(), ScriptError::message)
}

const RULES: &str = "
import \"async\" for Async
var Log = []
class Rules {
  static add(a, b) { a + b }
  static nothing() {}
  static fail(text) { Fiber.abort(text) }
  static slow(milliseconds) {
    Async.sleep(milliseconds)
    return milliseconds
  }
  static careful() {
    Log.add(Fiber.new { Async.sleep(1000) }.try())
    Async.sleep(5)
    Log.add(\"done\")
  }
  static list(of) { [of, {\"key\": of}] }
  static state { Log.join(\", \") }
}
";

async fn rules() -> Vm {
    let vm = Vm::new();
    vm.run("rules", RULES).await.unwrap();
    vm
}

#[test]
fn methods_are_called_with_typed_arguments_and_results() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let vm = rules().await;
        assert_eq!(vm.call_async::<i64>("rules", "Rules.add(_,_)", (1, 2)).await.unwrap(), 3);
        let text: String = vm.call_async("rules", "Rules.add(_,_)", ("a", "b")).await.unwrap();
        assert_eq!(text, "ab");
        vm.call_async::<()>("rules", "Rules.nothing()", ()).await.unwrap();
        assert_eq!(vm.call_async::<u64>("rules", "Rules.slow(_)", (20,)).await.unwrap(), 20);
        let both: (u8, std::collections::BTreeMap<String, u8>) =
            vm.call_async("rules", "Rules.list(_)", [7]).await.unwrap();
        assert_eq!((both.0, both.1["key"]), (7, 7));
        let many = (0..100).map(|i| vm.call_async::<u64>("rules", "Rules.slow(_)", (100 - i,)));
        let ended = futures_util::future::join_all(many).await;
        assert!(ended.into_iter().enumerate().all(|(i, end)| end.unwrap() == 100 - i as u64));
    });
}

#[test]
fn a_call_that_is_wrong_says_so() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let vm = rules().await;
        let call = async |method: &str, arguments: Vec<i64>| {
            message(&vm.call_async::<i64>("rules", method, arguments).await.unwrap_err())
        };
        assert_eq!(
            call("Rules", vec![]).await,
            "'Rules' must be a variable and a method's signature, as Rules.check(_)"
        );
        assert_eq!(call("None.add(_,_)", vec![1, 2]).await, "The module rules has no variable None.");
        assert_eq!(call("Rules.add(_)", vec![1]).await, "Rules metaclass does not implement 'add(_)'.");
        assert_eq!(
            call("Rules.add(_,_)", vec![1]).await,
            "The signature 'add(_,_)' does not fit 1 arguments."
        );
        assert_eq!(call("Rules.nothing()", vec![]).await, "an i64 is wanted, not nothing");
        let failure = vm.call_async::<i64>("rules", "Rules.fail(_)", ("on purpose",)).await.unwrap_err();
        assert_eq!(failure.to_string(), "on purpose\n[rules line 7] in fail(_)");
    });
}

#[test]
fn dropping_a_call_cancels_its_fiber_which_may_clean_up() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let vm = rules().await;
        let call = vm.call_async::<()>("rules", "Rules.careful()", ());
        let ended = asyncferry::timeout(10 * MILLISECOND, call).await;
        assert!(ended.is_err(), "{ended:?}");
        vm.run_until_idle().await;
        let log: String = vm.call_async("rules", "Rules.state", ()).await.unwrap();
        assert_eq!(log, "future was cancelled, done");
    });
}

#[test]
fn another_thread_calls_by_a_handle_and_interrupts() {
    let (handles, come) = mpsc::channel();
    let (printed, running) = mpsc::channel();
    let home = std::thread::spawn(move || {
        AsyncRuntime::block_on(async {
            let vm = Vm::builder().write(move |text| printed.send(text.to_owned()).unwrap()).build();
            vm.run("rules", RULES).await.unwrap();
            let go = named::event("go of api.rs").unwrap();
            handles.send(vm.handle()).unwrap();
            go.wait().await;
            let source = "System.write(\"running\")\nwhile (true) Fiber.new { 1 }.try()";
            let failure = vm.run("main", source).await.unwrap_err();
            // What was asked meanwhile is answered.
            vm.run_until_idle().await;
            message(&failure)
        })
    });
    let handle = come.recv().unwrap();
    let add =
        |a: i64, b: i64| AsyncRuntime::block_on(handle.call_async::<i64>("rules", "Rules.add(_,_)", (a, b)));
    assert_eq!(add(40, 2).unwrap(), 42);
    named::event("go of api.rs").unwrap().set();
    assert_eq!(running.recv().unwrap(), "running");
    let asked = std::thread::spawn({
        let handle = handle.clone();
        move || AsyncRuntime::block_on(handle.call_async::<i64>("rules", "Rules.add(_,_)", (1, 1)))
    });
    handle.interrupt();
    assert_eq!(home.join().unwrap(), "The program was interrupted.");
    // Answered, or refused as the machine has gone.
    let late = asked.join().unwrap();
    assert!(late.as_ref().is_ok_and(|sum| *sum == 2) || late.is_err(), "{late:?}");
    assert_eq!(add(1, 1).unwrap_err().to_string(), "The script's machine is gone.");
    named::forget("go of api.rs");
}

#[test]
fn a_machine_that_goes_drops_its_tasks_and_tells_who_waits() {
    let order = Arc::new(Mutex::new(Vec::new()));
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let vm = rules().await;
        let handle = vm.handle();
        let log = order.clone();
        let asked = spawn_local(async move {
            let end = handle.call_async::<u64>("rules", "Rules.slow(_)", (1000,)).await;
            log.lock().unwrap().push(end.unwrap_err().to_string());
        });
        sleep(MILLISECOND).await;
        drop(vm);
        asked.await.unwrap();
    });
    assert_eq!(*order.lock().unwrap(), ["The script's machine is gone."]);
}

#[test]
fn limits_are_errors_that_say_what_they_are() {
    let endless = "while (true) {}";
    fails(
        Vm::builder().stretch(5 * MILLISECOND),
        endless,
        "The script ran for more than 5ms without waiting",
    );
    fails(Vm::builder().time(5 * MILLISECOND), endless, "The script used up its time.");
    let in_try = "while (true) Fiber.new {\n  while (true) {}\n}.try()";
    fails(Vm::builder().time(5 * MILLISECOND), in_try, "The script used up its time.");
    fails(Vm::builder().steps(1000), endless, "The program used up its steps.");
    let hungry = "var list = []\nwhile (true) list.add([1, 2, 3])";
    fails(Vm::builder().memory(1 << 20), hungry, "Out of memory.");
    let fibers = "var all = []\nwhile (true) all.add(Fiber.new { 1 })";
    fails(Vm::builder().fibers(50), fibers, "Too many fibers: there are 50 already.");
    let tasks = "import \"async\" for Async\nwhile (true) Async.spawn { Async.sleep(1) }";
    fails(Vm::builder().tasks(10), tasks, "Too many tasks: 10 are under way already. Await some first.");
    let small = ValueLimits { size: 100, ..ValueLimits::default() };
    let large = "import \"async\" for Async, Queue\nQueue.new().put(\"x\" * 1000)";
    fails(Vm::builder().values(small), large, "it's too large: it may take at most 100 bytes in all");
    // What waits takes no time.
    let sleeps = "import \"async\" for Async\nAsync.sleep(60000)\nvar result = 1";
    let ended = result_of(Vm::builder().time(100 * MILLISECOND).stretch(50 * MILLISECOND), sleeps);
    assert_eq!(ended, Ok(Some(1.0.into())));
}

#[test]
fn files_and_processes_are_there_only_if_they_are_given() {
    for module in ["io", "os"] {
        let source = format!("import \"{module}\"");
        fails(Vm::builder(), &source, &format!("Could not load module '{module}'."));
        result_of(Vm::builder().system(["ferry"]), &source).unwrap();
    }
}

#[test]
fn machines_call_each_other_by_name_and_errors_keep_their_calls() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let pool = Pool::new();
        let (one, other) =
            (Vm::builder().pool(pool.clone()).build(), Vm::builder().pool(pool.clone()).build());
        let source = "import \"async\" for Async\nAsync.register(\"half\") {|n|\n  if (n == 0) Fiber.abort(\"nothing to halve\")\n  \
                      Async.sleep(1)\n  return n / 2\n}";
        one.run("halves", source).await.unwrap();
        let asks = "import \"async\" for Async\nvar result = Async.await(Async.call(\"half\", [84]))\n\
                    Async.await(Async.call(\"half\", [0]))";
        let failure = other.run("main", asks).await.unwrap_err();
        assert_eq!(other.with_context(|cx| cx.variable("main", "result")), Some(42.0.into()));
        let told = failure.to_string();
        assert!(
            told.starts_with(
                "nothing to halve\n[main line 3] in (script)\nIt comes from a task:\n[halves line 3] in"
            ),
            "{told}"
        );
        let source = ScriptError::of(&failure).unwrap().source().unwrap();
        assert!(source.is::<ScriptError>());
        // The name goes with the machine.
        drop(one);
        assert!(pool.names().is_empty());
    });
}

#[test]
fn an_error_of_rust_is_the_source_of_the_scripts() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let vm = Vm::new();
        vm.register_async("open", |(): ()| async { Err::<(), _>(io::Error::from(io::ErrorKind::NotFound)) })
            .unwrap();
        let source = "import \"async\" for Async\nAsync.await(Async.call(\"open\"))";
        let failure = vm.run("main", source).await.unwrap_err();
        let error = ScriptError::of(&failure).unwrap().source().unwrap();
        assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::NotFound);
    });
}

#[test]
fn a_pool_that_is_shut_down_says_so() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let pool = Pool::new();
        pool.register("one", |(): ()| async { Ok::<_, io::Error>(1) }).unwrap();
        let vm = Vm::builder().pool(pool.clone()).build();
        let _ = pool.shutdown(Duration::ZERO).await;
        let failure = vm.run("main", "import \"async\" for Async\nAsync.call(\"one\")").await.unwrap_err();
        assert_eq!(message(&failure), "async manager is shutting down");
    });
}

#[test]
fn a_name_is_registered_once() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let vm = Vm::new();
        let one = |(): ()| async { Ok::<_, io::Error>(1) };
        vm.register_async("one", one).unwrap();
        let again = vm.register_async("one", one).unwrap_err().to_string();
        assert_eq!(
            again,
            "another job is registered as 'one' already: unregister that first, or take another name"
        );
        let stream = |(): ()| asyncferry::stream::iter([Ok::<_, io::Error>(1)]);
        assert!(vm.register_stream("one", stream).is_err());
    });
}

#[test]
fn queues_of_a_name_join_scripts_and_rust() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let vm = Vm::new();
        let source = "import \"async\" for Async, Queue\nvar orders = Queue.named(\"orders of api.rs\", 2)\nvar done = \
                      Queue.named(\"done of api.rs\")\nAsync.spawn {\n  for (order in orders) done.put({\"order\": order})\n  done.shutdown()\n}";
        vm.run("main", source).await.unwrap();
        let (orders, done) =
            (named::queue("orders of api.rs", None).unwrap(), named::queue("done of api.rs", None).unwrap());
        for number in 0..10 {
            orders.put(Value::from(number)).await.unwrap();
        }
        orders.shutdown(asyncferry::sync::Shutdown::Drain);
        for number in 0..10 {
            assert_eq!(done.get().await.unwrap().get("order").and_then(Value::as_i64), Some(number));
        }
        assert!(done.get().await.is_err());
        assert_eq!(vm.run_until_idle().await.waiting, 0);
        named::forget("orders of api.rs");
        named::forget("done of api.rs");
    });
}

#[test]
fn ten_thousand_fibers_sleep_at_once() {
    let source = "import \"async\" for Async\nvar result = 0\nfor (i in 1..10000) Async.spawn {\n  Async.sleep(i % 100)\n  \
                  result = result + 1\n}";
    assert_eq!(result_of(Vm::builder(), source), Ok(Some(10_000.0.into())));
}

#[test]
fn a_run_that_is_dropped_is_cancelled() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let vm = Vm::new();
        let source =
            "import \"async\" for Async\nvar seen = null\nseen = Fiber.new { Async.sleep(1000) }.try()";
        assert!(asyncferry::timeout(MILLISECOND, vm.run("main", source)).await.is_err());
        vm.run_until_idle().await;
        assert_eq!(vm.with_context(|cx| cx.variable("main", "seen")), Some("future was cancelled".into()));
    });
}

#[test]
fn fibers_that_wait_for_others_are_told_with_their_calls() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let vm = Vm::new();
        let source =
            "import \"async\" for Async, Channel\nvar c = Channel.new(1)\nAsync.spawn {\n  c.receive()\n}";
        vm.run("main", source).await.unwrap();
        vm.run_until_idle().await;
        let traces = vm.parked();
        assert_eq!(traces.len(), 1);
        assert_eq!(traces[0][0].to_string(), "[main line 4] in spawn(_) block argument");
    });
}

#[test]
fn bare_numbers_are_kept_within_bounds() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let vm = Vm::new();
        vm.register_async("one", |(): ()| async { Ok::<_, io::Error>(1) }).unwrap();
        let source = "import \"async\" for Async\nvar first = Async.call(\"one\").id\nfor (i in 1..20000) Async.call(\"one\").id\n\
                      var kept = Async.metrics[\"ids\"]\nvar gone = Fiber.new { Async.get(first) }.try()";
        vm.run("main", source).await.unwrap();
        let variable = |name: &str| vm.with_context(|cx| cx.variable("main", name)).unwrap();
        assert_eq!(variable("gone"), "future not found".into());
        let wren::Value::Num(kept) = variable("kept") else { panic!() };
        assert!(kept <= 10_001.0, "{kept}");
        // Those that have ended go after ten minutes, when others come.
        let others =
            "for (i in 1..20000) Async.cleanup(Async.call(\"one\").id)\nkept = Async.metrics[\"ids\"]";
        for _ in 0..3 {
            sleep(Duration::from_secs(700)).await;
            vm.run("main", others).await.unwrap();
        }
        let wren::Value::Num(kept) = variable("kept") else { panic!() };
        assert!(kept < 100.0, "{kept}");
        yield_now().await;
    });
}

#[cfg(unix)]
#[test]
fn files_are_written_and_processes_run() {
    let folder = std::env::temp_dir().join(format!("ferry-wren-{}", std::process::id()));
    let path = folder.to_str().unwrap();
    let source = format!(
        "
import \"io\" for Directory, File, FileFlags
import \"os\" for Process
var path = \"{path}\"
var result = []
Directory.create(path)
result.add(Fiber.new {{ Directory.create(path) }}.try())
File.create(path + \"/a\") {{|file|
  result.add(file.writeBytes(\"one\\n\"))
  file.writeBytes(\"two\\n\")
  result.add(file.size)
  file.writeBytes(\"ONE\", 0)
}}
result.add(File.read(path + \"/a\") == \"ONE\\ntwo\\n\")
var flags = FileFlags.writeOnly | FileFlags.create | FileFlags.exclusive
result.add(Fiber.new {{ File.openWithFlags(path + \"/a\", flags) }}.try())
result.add(Directory.list(path))
result.add(Fiber.new {{ Directory.delete(path) }}.try())
File.delete(path + \"/a\")
result.add(File.exists(path + \"/a\"))
Directory.delete(path)
result.add(Directory.exists(path))
result.add(Process.exec(\"sh\", [\"-c\", \"exit 3\"]))
result.add(Process.exec(\"sh\", [\"-c\", \"kill -9 $$\"]))
result = result.map {{|item| item.toString }}.join(\" | \")
"
    );
    let expected = "file already exists | null | 8 | true | file already exists | [a] | directory not empty | false | \
                    false | 3 | 137";
    assert_eq!(result_of(Vm::builder().system(["ferry"]), &source), Ok(Some(expected.into())));
}
