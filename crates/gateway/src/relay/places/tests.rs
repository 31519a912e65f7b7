//! Places given away, given back, and never moved.

use super::*;

#[test]
fn a_place_is_kept_and_given_away_again() {
    let mut places = Places::default();
    let put = |places: &mut Places<usize>, value| {
        let place = places.vacant();
        places.put(place, value);
        place
    };
    let taken: Vec<_> = (0..3 * CHUNK).map(|value| put(&mut places, value)).collect();
    assert!(taken.iter().enumerate().all(|(value, place)| places.get(*place) == Some(&value)));
    let first: *const usize = places.get(0).unwrap();
    assert_eq!([places.take(CHUNK), places.take(CHUNK)], [Some(CHUNK), None]);
    assert_eq!(places.get(CHUNK), None);
    assert_eq!(put(&mut places, 7), CHUNK);
    assert_eq!(places.get_mut(CHUNK), Some(&mut 7));
    assert_eq!(places.all(), 0..3 * CHUNK);
    put(&mut places, 8);
    assert!(std::ptr::eq(first, places.get(0).unwrap()), "it was not moved");
    assert_eq!(places.get(4 * CHUNK), None);
    assert_eq!(places.take(9 * CHUNK), None);
}
