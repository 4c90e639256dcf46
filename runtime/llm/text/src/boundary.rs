//! What crosses the C boundary: borrowed slices in, `malloc`ed arrays and messages out.

use std::alloc::{GlobalAlloc, Layout, System};
use std::borrow::Cow;
use std::ffi::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Once, OnceLock};

extern "C" {
    fn malloc(size: usize) -> *mut c_void;
}

/// A text in a message, between backticks; `""` where there is nothing to quote.
pub fn quoted(text: &str) -> String {
    format!("`{}`", if text.is_empty() { "\"\"" } else { text })
}

/// `quern_ids` and `quern_bytes`: memory from `malloc`, released by the caller with `free`.
#[repr(C)]
pub struct Array<T> {
    pub data: *mut T,
    pub size: usize,
}

impl<T: Copy> Array<T> {
    pub fn empty() -> Self {
        Array { data: std::ptr::null_mut(), size: 0 }
    }

    /// An empty array when there is nothing to copy or no memory for it.
    pub fn copy_of(items: &[T]) -> Self {
        if items.is_empty() {
            return Self::empty();
        }
        // SAFETY: the new block holds exactly the bytes of `items` and cannot overlap them.
        unsafe {
            let data = checked(malloc(std::mem::size_of_val(items)).cast()).cast::<T>();
            if data.is_null() {
                return Self::empty();
            }
            std::ptr::copy_nonoverlapping(items.as_ptr(), data, items.len());
            Array { data, size: items.len() }
        }
    }
}

/// # Safety
/// `data` points to `size` items that live for `'a`, or `size` is 0.
pub unsafe fn bytes_in<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if size == 0 {
        return &[];
    }
    std::slice::from_raw_parts(data, size)
}

/// The system's memory. Where there is none left, the process may have a way to end with a message; the
/// standard library would abort.
struct Memory;

#[global_allocator]
static MEMORY: Memory = Memory;

/// What is called then.
pub static OUT_OF_MEMORY: OnceLock<extern "C" fn()> = OnceLock::new();

fn checked(place: *mut u8) -> *mut u8 {
    if place.is_null() {
        if let Some(tell) = OUT_OF_MEMORY.get() {
            tell();
        }
    }
    place
}

// SAFETY: `System` does it all.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        checked(System.alloc(layout))
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        checked(System.alloc_zeroed(layout))
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        checked(System.realloc(place, layout, size))
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        System.dealloc(place, layout)
    }
}

/// Invalid UTF-8 becomes U+FFFD.
///
/// # Safety
/// As `bytes_in`.
pub unsafe fn text_in<'a>(data: *const u8, size: usize) -> Cow<'a, str> {
    String::from_utf8_lossy(bytes_in(data, size))
}

/// Runs `work`; a panic inside a library becomes a refusal.
pub fn caught<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let reason = (panic.downcast_ref::<String>().map(String::as_str))
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason given");
        Err(format!("the text library stopped: {reason}"))
    })
}

/// Runs `work`; a refusal or a panic inside a library becomes the message in `*error`.
///
/// # Safety
/// `error` is null or writable.
pub unsafe fn guard<T>(
    error: *mut *mut c_char,
    work: impl FnOnce() -> Result<T, String>,
) -> Option<T> {
    let outcome = caught(work);
    let message = outcome.as_ref().err();
    if !error.is_null() {
        *error = message.map_or(std::ptr::null_mut(), |message| c_message(message));
    }
    outcome.ok()
}

/// A zero-terminated copy; zeros inside become U+FFFD.
fn c_message(message: &str) -> *mut c_char {
    let mut bytes = message.replace('\0', "\u{fffd}").into_bytes();
    bytes.push(0);
    Array::copy_of(&bytes).data.cast()
}
