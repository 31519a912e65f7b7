//! Prices are read and written exactly.

use proptest::prelude::*;

use super::*;

#[test]
fn a_price_is_a_decimal_and_nothing_else() {
    for (text, shown) in [
        ("49", "49.00"),
        ("49.5", "49.50"),
        ("0.000001", "0.000001"),
        ("0.10", "0.10"),
        ("999999999.999999", "999999999.999999"),
        ("007", "7.00"),
    ] {
        assert_eq!(text.parse::<Price>().unwrap().to_string(), shown);
    }
    for text in
        ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.0000001", "1000000000", " 1", "1 ", "١", "1.2.3"]
    {
        assert_eq!(text.parse::<Price>(), Err(NoPrice), "{text}");
    }
    assert!("0.00".parse::<Price>().unwrap().is_zero());
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(millionths in 0..1_000_000_000_000_000_u64) {
        let price = Price(millionths);
        prop_assert_eq!(price.to_string().parse(), Ok(price));
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,30}") {
        let _ = text.parse::<Price>();
    }
}
