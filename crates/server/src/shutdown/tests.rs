//! What the process ends with when a part of it is stuck.

use super::*;

#[tokio::test]
async fn a_gateway_that_is_stuck_ends_the_process_with_a_code_of_its_own() {
    let stuck = Stuck::default();
    stuck.0.notify_one();
    assert_eq!(signal_or_stuck(&stuck).await.unwrap(), ExitCode::from(70));
}
