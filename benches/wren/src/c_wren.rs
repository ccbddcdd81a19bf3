//! C Wren, by its own interface.

use std::{
    cell::RefCell,
    ffi::{CStr, CString, c_char},
};

thread_local! {
    static PRINTED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// # Safety
/// The text ends in a zero.
unsafe extern "C" fn write(_vm: *mut wren_sys::WrenVM, text: *const c_char) {
    // SAFETY: it ends in a zero.
    let text = unsafe { CStr::from_ptr(text) };
    PRINTED.with(|printed| printed.borrow_mut().push_str(&text.to_string_lossy()));
}

/// Runs a program, and gives what it prints.
pub fn run(source: &str) -> String {
    PRINTED.with(|printed| printed.borrow_mut().clear());
    let source = CString::new(source).expect("no zeros in a program");
    // SAFETY: the machine is made, used and freed here, on this thread, with strings that end in zeros.
    unsafe {
        let mut config = std::mem::zeroed();
        wren_sys::wrenInitConfiguration(&mut config);
        config.writeFn = Some(write);
        let vm = wren_sys::wrenNewVM(&mut config);
        let result = wren_sys::wrenInterpret(vm, c"main".as_ptr(), source.as_ptr());
        assert_eq!(result, wren_sys::WrenInterpretResult_WREN_RESULT_SUCCESS, "the programs run");
        wren_sys::wrenFreeVM(vm);
    }
    PRINTED.with(|printed| printed.borrow().clone())
}
