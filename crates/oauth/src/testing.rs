//! Bytes for tests: different at every call, equal in every run.

use crate::Random;

/// A counter; never for anything but tests.
pub(crate) fn counting() -> impl Random {
    let mut next = 0_u8;
    move |bytes: &mut [u8]| {
        bytes.fill_with(|| {
            next = next.wrapping_add(7);
            next
        });
    }
}
