//! A host that gives its scripts a store, a way to wait, and bounds: `cargo run -p asyncferry-wren-vm --example host`

use std::collections::BTreeMap;
use wren::{Context, Error, Run, Suspend, Value, Vm};

const SCRIPT: &str = r#"
foreign class Store {
  construct new(name) {}
  foreign set(key, value)
  foreign each(f)
}
class Host {
  foreign static fetch(url)
}

var store = Store.new("pages")
for (url in ["/one", "/two", "/gone"]) {
  // The fiber waits here, and nothing else does.
  var page = Fiber.new { Host.fetch(url) }.try()
  store.set(url, page)
}
store.each {|key, value| System.print("%(key): %(value)") }
"#;

fn main() -> Result<(), Error> {
    let mut vm = Vm::builder()
        .write(|text| print!("{text}"))
        .memory(16 << 20)
        .steps(100_000)
        .class("main", "Store", |_: &mut Context<'_>, (_name,): (String,)| {
            Ok(BTreeMap::<String, String>::new())
        })
        .method_of(
            "main",
            "Store",
            "set(_,_)",
            |store: &mut BTreeMap<String, String>, _: &mut Context<'_>, (key, value)| {
                store.insert(key, value);
            },
        )
        .method_of(
            "main",
            "Store",
            "each(_)",
            |store: &mut BTreeMap<String, String>, cx: &mut Context<'_>, (f,): (wren::Function,)| {
                // Wren is called from Rust, which is called from Wren.
                for (key, value) in store.iter() {
                    cx.call(&f, "call(_,_)", (key.as_str(), value.as_str()))?;
                }
                Ok(())
            },
        )
        .method("main", "Host", "static fetch(_)", |_: &mut Context<'_>, (url,): (String,)| {
            println!("fetching {url}");
            Suspend
        })
        .build();

    let mut run = vm.run("main", SCRIPT)?;
    // Whoever really fetches answers later; here they come in turn.
    let answers =
        [Ok("the first page".into()), Ok("the second page".into()), Err(Error::new("404 Not Found"))];
    for answer in answers {
        let Run::Suspended(fiber) = &run else { break };
        let fiber = fiber.clone();
        run = vm.context().resume(&fiber, answer)?;
    }
    assert_eq!(run, Run::Done(Value::Null));

    // A script that never ends is stopped.
    let stopped = vm.run("main", "while (true) {}");
    println!("{}", stopped.expect_err("it has no more steps"));
    Ok(())
}
