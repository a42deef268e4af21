//! The one way an asynchronous operation reports its end to C.

use std::ffi::c_void;

use crate::ffi::{status, Failure, FfiResult, Slice};

use super::stream::StreamHandle;

/// `icl_done_fn`: context, status, count, stream handle, text or result bytes.
pub type DoneFn =
    unsafe extern "C" fn(ctx: *mut c_void, status: i32, count: usize, stream: *mut StreamHandle, detail: Slice);

/// Fires its callback exactly once: with a result, or as `canceled` when dropped without one.
pub struct Done {
    callback: Option<DoneFn>,
    ctx: *mut c_void,
}

// SAFETY: the C side promises that the callback may run on any thread.
unsafe impl Send for Done {}
// SAFETY: nothing can be done through a shared reference.
unsafe impl Sync for Done {}

impl Done {
    pub fn new(callback: DoneFn, ctx: *mut c_void) -> Self {
        Done { callback: Some(callback), ctx }
    }

    fn fire(&mut self, status: i32, count: usize, stream: *mut StreamHandle, detail: &[u8]) {
        if let Some(callback) = self.callback.take() {
            // SAFETY: callback and context came together from C, which keeps them valid until now.
            unsafe { callback(self.ctx, status, count, stream, Slice::of(detail)) };
        }
    }

    pub fn ok(self) {
        self.ok_with(0, &[]);
    }

    pub fn ok_with(mut self, count: usize, detail: &[u8]) {
        self.fire(status::OK, count, std::ptr::null_mut(), detail);
    }

    /// Hands a stream over; the C side owns it from here.
    pub fn ok_stream(mut self, stream: StreamHandle, protocol: &str) {
        let stream = Box::into_raw(Box::new(stream));
        self.fire(status::OK, 0, stream, protocol.as_bytes());
    }

    pub fn fail(mut self, status: i32, text: &str) {
        self.fire(status, 0, std::ptr::null_mut(), text.as_bytes());
    }

    pub fn failure(self, failure: Failure) {
        self.fail(failure.status, &failure.text);
    }

    pub fn result(self, result: FfiResult) {
        match result {
            Ok(()) => self.ok(),
            Err(failure) => self.failure(failure),
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        self.fire(status::CANCELED, 0, std::ptr::null_mut(), b"canceled: the host has stopped");
    }
}

impl std::fmt::Debug for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Done")
    }
}

/// Puts byte strings into one buffer: each as a 4 byte little-endian length and the bytes.
pub fn encode_list<T: AsRef<[u8]>>(items: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut out = Vec::new();
    for item in items {
        let item = item.as_ref();
        out.extend_from_slice(&(item.len() as u32).to_le_bytes());
        out.extend_from_slice(item);
    }
    out
}

/// Reads what [`encode_list`] wrote; `what` names the argument in the error.
pub fn decode_list<'a>(mut bytes: &'a [u8], what: &str) -> FfiResult<Vec<&'a [u8]>> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes
            .split_first_chunk::<4>()
            .ok_or_else(|| Failure::invalid(format!("{what}: list ends inside a length")))?;
        let length = u32::from_le_bytes(*length) as usize;
        if rest.len() < length {
            return Err(Failure::invalid(format!("{what}: list ends inside an item")));
        }
        out.push(&rest[..length]);
        bytes = &rest[length..];
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_back_as_they_were() {
        let items: [&[u8]; 3] = [b"one", b"", b"three"];
        let bytes = encode_list(items);
        assert_eq!(decode_list(&bytes, "x").unwrap(), items);
        for cut in 1..bytes.len() {
            // A cut at an item boundary is a shorter list; anywhere else it is an error.
            let whole = cut == 7 || cut == 11;
            assert_eq!(decode_list(&bytes[..cut], "x").is_ok(), whole, "cut at {cut}");
        }
    }
}
