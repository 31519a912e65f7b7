//! Identifiers sort by creation, differ, and are read back as written.

use proptest::prelude::*;

use super::*;
use crate::time::Timestamp;

#[test]
fn a_session_names_run_worker_and_number() {
    let boot = BootId(Uuid::from_u128(0xb007));
    let id = SessionId { boot, worker: 3, number: 42 };
    assert_eq!(id.to_string(), "0000000000000000000000000000b007-3-42");
}

#[test]
fn what_is_no_uuid_is_no_identifier() {
    for text in ["", "x", "01a3185c-a208-7000-8000-00000000001", "01a3185c-a208-7000-8000-0000000000145"] {
        assert!(text.parse::<ApiId>().is_err(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn identifiers_sort_by_creation(one in 0..1_i64 << 47, later in 1..1_i64 << 40, low: [u8; 10], high: [u8; 10]) {
        let first = ApiId::new(Timestamp(one), low);
        let second = ApiId::new(Timestamp(one + later), high);
        prop_assert!(first < second);
        prop_assert!(first.to_string() < second.to_string(), "as text as well, which is how they are stored");
        prop_assert_eq!(first.to_string().parse::<ApiId>(), Ok(first));
        prop_assert_eq!(first.0.get_version_num(), 7);
        prop_assert_eq!(ApiId::new(Timestamp(one), low), first, "nothing but its parts decides it");
    }

    #[test]
    fn any_time_and_any_bytes_make_an_identifier(millis: i64, random: [u8; 10]) {
        let id = ApplicationId::new(Timestamp(millis), random);
        prop_assert_eq!(id.to_string().parse::<ApplicationId>(), Ok(id));
    }

    #[test]
    fn the_id_of_a_session_is_read_as_it_is_written(random: [u8; 10], worker: u16, number: u64) {
        let id = SessionId { boot: BootId::new(Timestamp(7), random), worker, number };
        prop_assert_eq!(id.to_string().parse::<SessionId>(), Ok(id));
        for other in [format!("{id} "), format!("+{id}"), id.to_string().to_uppercase().replace('-', "--"), String::new()] {
            prop_assert_eq!(other.parse::<SessionId>(), Err(NoSession));
        }
    }
}
