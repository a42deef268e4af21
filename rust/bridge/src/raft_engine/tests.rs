//! What only Rust can see; the behaviour of the interface is tested from C++.

use super::*;

extern "C" fn zero(_: *mut c_void) -> u64 {
    1
}
extern "C" fn last(_: *mut c_void) -> u64 {
    0
}
extern "C" fn term(_: *mut c_void, _: u64, term: *mut u64) -> i32 {
    unsafe { *term = 0 };
    0
}
extern "C" fn entries(_: *mut c_void, _: u64, _: u64, _: u64, _: EntryFn, _: *mut c_void) -> i32 {
    2
}
extern "C" fn snapshot(
    _: *mut c_void,
    _: u64,
    _: u64,
    _: *mut u64,
    _: *mut u64,
    _: BytesFn,
    _: BytesFn,
    _: *mut c_void,
) -> i32 {
    3
}

fn blank(id: u64) -> *mut Handle {
    let table =
        StorageTable { ctx: std::ptr::null_mut(), first_index: zero, last_index: last, term, entries, snapshot };
    let config = CConfig {
        struct_size: std::mem::size_of::<CConfig>() as u32,
        abi: ABI,
        id,
        term: 0,
        vote: 0,
        commit: 0,
        applied: 0,
        conf_state: Slice::EMPTY,
        election_ticks: 10,
        heartbeat_ticks: 2,
        message_bytes_max: 1 << 18,
        committed_bytes_max: 1 << 20,
        uncommitted_bytes_max: 1 << 24,
        inflight_max: 256,
        reserved: 0,
        jitter_seed: 7,
    };
    let mut out = std::ptr::null_mut();
    assert_eq!(unsafe { icl_raft_new(&config, &table, &mut out) }, 0);
    out
}

#[test]
fn a_panic_ends_the_node_and_every_later_call_says_so() {
    let handle = blank(1);
    let outcome = unsafe { enter(handle, |_| panic!("invariant {}", 5)) };
    assert_eq!(outcome, crate::ffi::status::PANIC);
    assert_eq!(unsafe { icl_raft_tick(handle) }, status::DEAD);
    assert!(unsafe { &*handle }.why_gone.contains("invariant 5"));
    unsafe { icl_raft_free(handle) };
}

#[test]
fn appends_are_never_glued_together() {
    let careless = Config { batch_append: true, pre_vote: false, check_quorum: false, ..Default::default() };
    let config = node::hardened(&careless);
    assert!(!config.batch_append && config.pre_vote && config.check_quorum);
}
