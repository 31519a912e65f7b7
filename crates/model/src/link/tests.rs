//! The one-process link: in order, bounded, and over when an end is gone.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use uuid::Uuid;

use super::*;
use crate::snapshot::SnapshotParts;

/// Asks once; nothing here needs more, since both ends are at hand.
fn once<T>(future: &mut Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match once(&mut pin!(future)) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn snapshot(number: u64) -> Down {
    Down::Snapshot(Arc::new(Snapshot::new(SnapshotParts { number, ..SnapshotParts::default() })))
}

#[test]
fn messages_arrive_in_order_both_ways() {
    let (gateway, control) = channel();
    for number in 1..=3 {
        now(control.send(snapshot(number))).unwrap();
        now(gateway.send(Up::Applied { number })).unwrap();
    }
    for expected in 1..=3 {
        assert!(matches!(now(gateway.next()), Ok(Down::Snapshot(found)) if found.number() == expected));
        assert!(matches!(now(control.next()), Ok(Up::Applied { number }) if number == expected));
    }
}

#[test]
fn a_sender_waits_when_too_much_is_under_way_and_goes_on_when_it_is_taken() {
    let (gateway, control) = channel();
    for number in 0..WAITING_MAX as u64 {
        now(gateway.send(Up::Applied { number })).unwrap();
    }
    let mut waiting = pin!(gateway.send(Up::Applied { number: 999 }));
    assert!(once(&mut waiting).is_pending());
    assert!(matches!(now(control.next()), Ok(Up::Applied { number: 0 })));
    assert!(matches!(once(&mut waiting), Poll::Ready(Ok(()))));
}

#[test]
fn dropping_a_wait_loses_nothing() {
    let (gateway, control) = channel();
    {
        let mut waiting = pin!(gateway.next());
        assert!(once(&mut waiting).is_pending());
    }
    let boot = BootId(Uuid::nil());
    now(control.send(Down::BatchStored { boot, number: 1 })).unwrap();
    assert!(matches!(now(gateway.next()), Ok(Down::BatchStored { number: 1, .. })));
}

#[test]
fn an_end_that_is_gone_is_noticed_after_its_last_words() {
    let (gateway, control) = channel();
    now(gateway.send(Up::Hello { protocol: PROTOCOL_VERSION, boot: BootId(Uuid::nil()) })).unwrap();
    drop(gateway);
    assert!(matches!(now(control.next()), Ok(Up::Hello { protocol: PROTOCOL_VERSION, .. })));
    assert!(matches!(now(control.next()), Err(LinkClosed)));
    assert_eq!(now(control.send(snapshot(1))), Err(LinkClosed));
}
