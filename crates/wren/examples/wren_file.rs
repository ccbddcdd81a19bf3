//! Runs a Wren file.
fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let source = std::fs::read_to_string(&path).expect("source");
    let mut vm = wren::Vm::builder().write(|text| print!("{text}")).loader(wren::Files::new()).build();
    let started = std::time::Instant::now();
    if let Err(error) = vm.run("main", &source) {
        eprintln!("{error}");
    }
    eprintln!("{:?} {} bytes", started.elapsed(), vm.context().memory_used());
}
