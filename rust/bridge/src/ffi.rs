//! What every C entry of the bridge shares: statuses, slices, owned buffers, error text, and the
//! guard that turns a panic into a status. The C side of this file is `include/icl_bridge.h`.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Mutex;

/// Raised with each incompatible change of a function or struct; equals `ICL_ABI_VERSION`.
pub const ABI_VERSION: u32 = 2;

/// `icl_on_thread_start`'s argument.
pub type ThreadHook = extern "C" fn();
static THREAD_HOOK: Mutex<Option<ThreadHook>> = Mutex::new(None);

/// The longest error text kept, in bytes; a longer one is cut at a character boundary.
const ERROR_TEXT_MAX: usize = 4096;

/// Statuses of `include/icl_bridge.h`.
pub mod status {
    pub const OK: i32 = 0;
    pub const EOF: i32 = -1;
    pub const CANCELED: i32 = -2;
    pub const NOT_CONNECTED: i32 = -3;
    pub const UNSUPPORTED_PROTOCOL: i32 = -4;
    pub const TIMEOUT: i32 = -5;
    pub const RESET: i32 = -6;
    pub const IO: i32 = -7;
    pub const INVALID: i32 = -8;
    pub const DIAL_FAILED: i32 = -9;
    pub const EXISTS: i32 = -10;
    pub const PUBLISH_FAILED: i32 = -11;
    pub const WOULD_BLOCK: i32 = -12;
    pub const PANIC: i32 = -13;
    pub const NOT_FOUND: i32 = -14;
    pub const WRONG_SECRET: i32 = -15;
    pub const CLOSED: i32 = -16;
    pub const UNAVAILABLE: i32 = -17;
}

/// A status with the text that explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub status: i32,
    pub text: String,
}

impl Failure {
    pub fn new(status: i32, text: impl Into<String>) -> Self {
        Failure { status, text: text.into() }
    }

    /// An argument is malformed; `text` names it.
    pub fn invalid(text: impl Into<String>) -> Self {
        Failure::new(status::INVALID, text)
    }
}

pub type FfiResult<T = ()> = Result<T, Failure>;

/// Borrowed bytes that cross the boundary; mirrors `icl_slice`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    pub ptr: *const u8,
    pub len: usize,
}

impl Slice {
    pub const EMPTY: Slice = Slice { ptr: std::ptr::null(), len: 0 };

    /// Lends `bytes` to C for the duration of a call.
    pub fn of(bytes: &[u8]) -> Slice {
        Slice { ptr: bytes.as_ptr(), len: bytes.len() }
    }

    /// # Safety
    /// `ptr` must point to `len` readable bytes for as long as `'a` lasts (or `len` is 0).
    pub unsafe fn bytes<'a>(self) -> FfiResult<&'a [u8]> {
        if self.len == 0 {
            return Ok(&[]);
        }
        if self.ptr.is_null() || self.len > isize::MAX as usize {
            return Err(Failure::invalid("slice: null pointer or impossible length"));
        }
        Ok(std::slice::from_raw_parts(self.ptr, self.len))
    }

    /// # Safety
    /// As for [`Slice::bytes`].
    pub unsafe fn text<'a>(self, what: &str) -> FfiResult<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|cause| Failure::invalid(format!("{what}: not UTF-8: {cause}")))
    }
}

/// Bytes given to C, which returns them with `icl_buffer_free`; mirrors `icl_buffer`.
#[repr(C)]
pub struct Buffer {
    pub ptr: *mut u8,
    pub len: usize,
    pub cap: usize,
}

impl Buffer {
    pub const EMPTY: Buffer = Buffer { ptr: std::ptr::null_mut(), len: 0, cap: 0 };
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.capacity() == 0 {
            return Buffer::EMPTY;
        }
        let mut bytes = std::mem::ManuallyDrop::new(bytes);
        Buffer { ptr: bytes.as_mut_ptr(), len: bytes.len(), cap: bytes.capacity() }
    }
}

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Remembers `text` as this thread's last failure.
pub fn set_last_error(text: &str) {
    let mut end = text.len().min(ERROR_TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // During thread teardown there is nobody left to read the text.
    let _ = LAST_ERROR.try_with(|last| {
        let mut last = last.borrow_mut();
        last.clear();
        last.push_str(&text[..end]);
    });
}

/// The text a panic carried.
pub fn panic_text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_string()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "panic without a text".to_string()
    }
}

/// Runs the body of a C entry; a failure or a panic is kept as last error and returned as status.
pub fn guard(body: impl FnOnce() -> FfiResult) -> i32 {
    guard_status(|| body().map(|()| status::OK))
}

/// As [`guard`], for a body that has several good statuses (0 or positive).
pub fn guard_status(body: impl FnOnce() -> FfiResult<i32>) -> i32 {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => status,
        Ok(Err(failure)) => {
            set_last_error(&failure.text);
            failure.status
        }
        Err(payload) => {
            set_last_error(&format!("panic in the bridge: {}", panic_text(payload.as_ref())));
            status::PANIC
        }
    }
}

/// As [`guard`], for entries that return a value; `fallback` stands for any failure.
pub fn guard_value<T>(fallback: T, body: impl FnOnce() -> FfiResult<T>) -> T {
    let mut out = fallback;
    guard(|| {
        out = body()?;
        Ok(())
    });
    out
}

/// Reference to what a C handle points to.
///
/// # Safety
/// `handle` must be null or come from the matching constructor and not be freed yet.
pub unsafe fn handle_ref<'a, T>(handle: *const T, what: &str) -> FfiResult<&'a T> {
    handle.as_ref().ok_or_else(|| Failure::invalid(format!("{what}: null handle")))
}

/// Mutable form of [`handle_ref`]; the caller promises that nobody else uses the handle meanwhile.
///
/// # Safety
/// As for [`handle_ref`].
pub unsafe fn handle_mut<'a, T>(handle: *mut T, what: &str) -> FfiResult<&'a mut T> {
    handle.as_mut().ok_or_else(|| Failure::invalid(format!("{what}: null handle")))
}

#[no_mangle]
pub extern "C" fn icl_on_thread_start(hook: Option<ThreadHook>) {
    *THREAD_HOOK.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = hook;
}

/// What each thread of the library does first.
pub fn thread_started() {
    let hook = *THREAD_HOOK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(hook) = hook {
        hook();
    }
}

#[no_mangle]
pub extern "C" fn icl_abi_version() -> u32 {
    ABI_VERSION
}

/// # Safety
/// `buffer` must be null or point to a buffer this library gave out and that was not freed yet.
#[no_mangle]
pub unsafe extern "C" fn icl_buffer_free(buffer: *mut Buffer) {
    guard(|| {
        if let Some(buffer) = buffer.as_mut() {
            let taken = std::mem::replace(buffer, Buffer::EMPTY);
            if !taken.ptr.is_null() {
                drop(Vec::from_raw_parts(taken.ptr, taken.len, taken.cap));
            }
        }
        Ok(())
    });
}

/// # Safety
/// `out` must point to `cap` writable bytes, or `cap` must be 0.
#[no_mangle]
pub unsafe extern "C" fn icl_last_error(out: *mut u8, cap: usize) -> usize {
    LAST_ERROR
        .try_with(|last| {
            let last = last.borrow();
            let count = last.len().min(cap);
            if count > 0 && !out.is_null() {
                std::ptr::copy_nonoverlapping(last.as_ptr(), out, count);
            }
            last.len()
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_error() -> String {
        let mut text = vec![0u8; 8192];
        let length = unsafe { icl_last_error(text.as_mut_ptr(), text.len()) };
        text.truncate(length);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_panic_becomes_a_status_with_its_text() {
        assert_eq!(guard(|| panic!("broken {}", 7)), status::PANIC);
        assert_eq!(last_error(), "panic in the bridge: broken 7");
    }

    #[test]
    fn a_failure_keeps_status_and_text() {
        assert_eq!(guard(|| Err(Failure::invalid("key: too short"))), status::INVALID);
        assert_eq!(last_error(), "key: too short");
        assert_eq!(guard_value(5, || Err(Failure::invalid("x"))), 5);
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        set_last_error(&"ä".repeat(4000));
        assert_eq!(last_error().len(), ERROR_TEXT_MAX);
    }

    #[test]
    fn buffers_return_to_where_they_were_made() {
        let mut buffer = Buffer::from(vec![1u8, 2, 3]);
        assert_eq!(buffer.len, 3);
        unsafe { icl_buffer_free(&mut buffer) };
        assert!(buffer.ptr.is_null());
        unsafe { icl_buffer_free(&mut buffer) };
        unsafe { icl_buffer_free(std::ptr::null_mut()) };
    }
}
