//! `ferry-portable [ROUNDS]`: the measurements on WASI.

#[cfg(target_os = "wasi")]
fn main() {
    let rounds = std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(9);
    ferry_portable::on_wasi::print_figures(rounds);
}

#[cfg(not(target_os = "wasi"))]
fn main() {
    eprintln!("this is for WASI: cargo xtask bench portable");
    std::process::exit(2);
}
