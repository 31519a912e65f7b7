//! What a message costs beside its bytes: no allocation and no reading of a clock, however many there are.
//!
//! Allocations are counted by the allocator of this test program, for each thread by itself; a worker's are read where it
//! reads the clock, which is once per turn of its loop.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    num::NonZeroUsize,
};

use crate::{
    backend::Backend,
    client::Ask,
    rig::{Cost, Rig},
    socket::{TEXT, encode},
    world::World,
};

/// Twice a second a worker reports what it has counted, which takes a few; one test may be slow.
const ALLOCATIONS_MAX: u64 = 200;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Allocations of this thread.
pub(crate) fn allocations() -> u64 {
    ALLOCATIONS.get()
}

/// The system's allocator, with a count.
struct Counted;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by its trait; every call goes to the system's as it came"
)]
// SAFETY: the system's allocator keeps the contract, and counting allocates nothing.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

async fn rig_with_one_worker(world: &mut World) -> Rig {
    Rig::with(world, |settings| settings.workers = NonZeroUsize::new(1)).await
}

fn between(before: Cost, after: Cost) -> Cost {
    Cost { readings: after.readings - before.readings, allocations: after.allocations - before.allocations }
}

#[tokio::test]
async fn an_echo_allocates_nothing() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(1_000_000);
    let rig = rig_with_one_worker(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("warm").await;
    let before = rig.clock.cost();
    for _ in 0..4_000 {
        client.echo("hello").await;
    }
    let cost = between(before, rig.clock.cost());
    assert!(cost.readings > 2_000, "{cost:?}: it is the worker that was watched");
    assert!(cost.allocations < ALLOCATIONS_MAX, "{cost:?} for 4,000 echoes");
}

#[tokio::test]
async fn messages_that_come_together_share_a_reading_of_the_clock() {
    const BATCH: u64 = 100;
    let backend = Backend::sink().await;
    let mut world = World::new(&backend.url()).gold(1_000_000);
    let rig = rig_with_one_worker(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    let batch = encode(TEXT, b"hello", Some([1, 2, 3, 4])).repeat(usize::try_from(BATCH).unwrap());
    let mut sent = 0;
    let mut before = rig.clock.cost();
    for round in 0..=100 {
        client.frames.write(&batch).await;
        sent += BATCH;
        backend.until("a batch", |seen| seen.messages == sent).await;
        if round == 0 {
            before = rig.clock.cost();
        }
    }
    let cost = between(before, rig.clock.cost());
    assert!(cost.readings < 2_000, "{cost:?} for 10,000 messages");
    assert!(cost.allocations < ALLOCATIONS_MAX, "{cost:?} for 10,000 messages");
}
