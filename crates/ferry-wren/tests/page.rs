//! The programs of `docs/wren-async.md` do what it says: each line that has `// prints text` prints that.

mod host;

use asyncferry::{AsyncRuntime, Order};
use asyncferry_wren::Vm;
use std::sync::{Arc, Mutex};

const PAGE: &str = include_str!("../../../docs/wren-async.md");

#[test]
fn programs_of_the_page_print_what_it_says() {
    let programs: Vec<&str> =
        PAGE.split("```wren\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(programs.len(), 3);
    for program in programs {
        let expected: Vec<&str> =
            program.lines().filter_map(|line| line.split_once("// prints ")).map(|(_, text)| text).collect();
        let printed = Arc::new(Mutex::new(String::new()));
        let output = printed.clone();
        AsyncRuntime::block_on_virtual(Order::Fifo, async {
            let write = move |text: &str| output.lock().expect("no writer panics").push_str(text);
            let vm = Vm::builder().write(write).pool(host::pool()).build();
            host::register(&vm);
            vm.run("main", program).await.expect("the page's programs run");
            vm.run_until_idle().await;
        });
        let printed = printed.lock().expect("no writer panics").clone();
        assert_eq!(printed.lines().collect::<Vec<_>>(), expected, "{program}");
    }
}
