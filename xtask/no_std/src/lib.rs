//! What links here needs no standard library.
//!
//! `cargo check` for the host proves nothing: there `std` is at hand for every dependency. Here a crate that brings it in
//! makes the build fail, because `std` has a panic handler too and there can be only one.
#![no_std]
#![forbid(unsafe_code)]

extern crate cooee_wire;

#[cfg(feature = "alloc")]
extern crate cooee_mdns;
#[cfg(feature = "alloc")]
extern crate cooee_sd;

#[cfg(feature = "alloc")]
#[global_allocator]
static HEAP: libc_alloc::LibcAlloc = libc_alloc::LibcAlloc;

#[panic_handler]
fn stop(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
