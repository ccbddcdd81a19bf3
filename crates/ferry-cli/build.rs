//! Lets the `ferry` binary and its tests find libpython where it was at build time.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    pyo3_build_config::add_libpython_rpath_link_args();
}
