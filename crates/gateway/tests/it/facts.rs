//! What is told of the traffic: complete, numbered, and equal to what the clients counted.

use std::sync::Arc;

use tidegate_model::{
    fact::{Counts, EndedBy, OpenSessions},
    link::PROTOCOL_VERSION,
    time::Timestamp,
};

use crate::{
    backend::Backend,
    client::{Ask, because},
    rig::Rig,
    socket::BINARY,
    world::{NOW, PATH, World, api},
};

/// The beginning of [`NOW`]'s minute.
const MINUTE: Timestamp = Timestamp(1_800_000_000_000);

#[tokio::test]
async fn a_gateway_says_hello_first_and_then_what_decides() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    rig.decide(&mut world).await;
    let told = rig.control.told.borrow();
    assert_eq!(told.hellos.len(), 1);
    assert_eq!(told.hellos[0].0, PROTOCOL_VERSION);
    assert_eq!(told.applied, [1, 2]);
    assert!(told.batches.is_empty() && told.presence.is_empty(), "nothing happened");
}

#[tokio::test]
async fn the_counts_are_those_of_the_clients() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let (mut messages, mut bytes) = (0, 0);
    let mut clients = Vec::new();
    for number in 0..6_usize {
        let mut client = rig.open(&Ask::usual(&world)).await;
        for len in 0..=number * 3 {
            client.frames.send(BINARY, &vec![7; len * 50]).await;
            bytes += len as u64 * 50;
            messages += 1;
        }
        for _ in 0..=number * 3 {
            assert_eq!(client.frames.next().await.unwrap().opcode, BINARY);
        }
        clients.push(client);
    }
    for client in clients {
        client.leave().await;
    }
    let (cut, told) = rig.drain().await;
    assert_eq!(cut, 0);
    let told = told.borrow();
    let expected = Counts {
        sessions: 6,
        messages_from_clients: messages,
        messages_from_backends: messages,
        bytes_from_clients: bytes,
        bytes_from_backends: bytes,
        ..Counts::default()
    };
    assert_eq!(told.totals(), expected);
    let rows = told.rows();
    assert_eq!(rows.len(), 1, "one API, application, plan and minute: {rows:?}");
    let key = &rows[0].0;
    let world = &world.parts;
    assert_eq!(
        (key.minute, key.api, key.application),
        (MINUTE, world.apis[0].id, Some(world.applications[0].id))
    );
    assert_eq!(key.plan, "Gold");
    let boot = told.hellos[0].1;
    assert!(told.batches.iter().all(|batch| batch.boot == boot));

    let sessions = told.sessions();
    let mut summed = Counts::default();
    for session in &sessions {
        summed.add(&session.counts);
    }
    assert_eq!((sessions.len(), summed), (6, expected));
    for session in &sessions {
        assert_eq!(
            (session.code, &*session.reason, session.by, session.cut),
            (1000, "", EndedBy::Client, false)
        );
        assert_eq!((session.opened_at, session.closed_at, session.id.boot), (NOW, NOW, boot));
    }
}

#[tokio::test]
async fn a_record_says_how_its_session_ended() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(2);
    let rig = Rig::start(&mut world).await;
    let mut limited = rig.open(&Ask::usual(&world)).await;
    limited.echo("the two").await;
    limited.frames.say("one more").await;
    assert_eq!(limited.closed().await.0, 4429);
    rig.clock.forward(60_000);
    let mut broken = rig.open(&Ask::usual(&world)).await;
    broken.frames.write(&crate::socket::encode(1, b"unmasked", None)).await;
    assert_eq!(broken.closed().await, because(1002, "unmasked"));
    let vanished = rig.open(&Ask::usual(&world)).await;
    drop(vanished);
    rig.control.until("three records", |told| told.sessions().len() == 3).await;
    let told = rig.control.told.borrow();
    let mut ends: Vec<_> = told
        .sessions()
        .into_iter()
        .map(|it| (it.id.number, it.code, it.reason, it.by, it.counts.refusals))
        .collect();
    ends.sort_unstable_by_key(|end| end.0);
    let ends: Vec<_> = ends.iter().map(|end| (end.1, &*end.2, end.3, end.4)).collect();
    let expected = [
        (4429, "quota", EndedBy::Gateway, 1),
        (1002, "unmasked", EndedBy::Client, 0),
        (1006, "", EndedBy::Client, 0),
    ];
    assert_eq!(ends, expected);
}

/// Takes three seconds: the time that an acknowledgement has.
#[tokio::test]
async fn a_batch_is_repeated_until_it_is_acknowledged() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    rig.control.hold();
    let refused = rig.ask(&Ask::to(PATH)).await;
    assert_eq!(refused.status, 401);
    rig.control.until("the first batch", |told| told.batches.len() == 1).await;
    // What happens meanwhile waits for its turn.
    rig.ask(&Ask::to(PATH)).await;
    rig.ask(&Ask::to(PATH)).await;
    rig.control.until("its repeat", |told| told.batches.len() == 2).await;
    let first = {
        let told = rig.control.told.borrow();
        assert_eq!(told.batches[0].number, 1);
        assert_eq!(*told.batches[0], *told.batches[1], "the same number and the same facts");
        assert_eq!(told.totals().refusals, 1);
        Arc::clone(&told.batches[0])
    };
    rig.control.release(&first).await;
    rig.control.until("the second batch", |told| told.batches.len() == 3).await;
    let (_, told) = rig.drain().await;
    let told = told.borrow();
    assert_eq!(told.batches.iter().map(|batch| batch.number).collect::<Vec<_>>(), [1, 1, 2]);
    assert_eq!(told.totals().refusals, 3);
}

#[tokio::test]
async fn an_acknowledgement_of_another_run_acknowledges_nothing() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    rig.control.hold();
    rig.ask(&Ask::to(PATH)).await;
    rig.control.until("the first batch", |told| told.batches.len() == 1).await;
    let boot = tidegate_model::id::BootId::new(NOW, [0xff; 10]);
    rig.control.send(tidegate_model::link::Down::BatchStored { boot, number: 1 }).await;
    // The link keeps its order: when this decides, the strange acknowledgement was heard.
    rig.decide(&mut world).await;
    rig.ask(&Ask::to(PATH)).await;
    rig.control.until("the repeat", |told| told.batches.len() == 2).await;
    assert_eq!(rig.control.told.borrow().batches[1].number, 1);
}

#[tokio::test]
async fn a_message_counts_in_the_minute_in_which_it_passed() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("first minute").await;
    rig.clock.forward(60_000);
    client.echo("second minute").await;
    client.echo("second minute").await;
    rig.clock.forward(120_000);
    client.leave().await;
    let (_, told) = rig.drain().await;
    let told = told.borrow();
    let by_minute: Vec<_> = told
        .rows()
        .into_iter()
        .map(|(key, counts)| {
            let minute = (key.minute.millis() - MINUTE.millis()) / 60_000;
            (minute, counts.sessions, counts.messages_from_clients, counts.messages_from_backends)
        })
        .collect();
    assert_eq!(by_minute, [(0, 1, 1, 1), (1, 0, 2, 2)]);
    let session = &told.sessions()[0];
    assert_eq!((session.opened_at, session.closed_at), (NOW, NOW.plus_millis(180_000)));
}

#[tokio::test]
async fn a_plan_gets_what_passed_under_it() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("under Gold").await;
    "Silver".clone_into(&mut world.parts.subscriptions[0].plan);
    rig.decide(&mut world).await;
    client.echo("under Silver").await;
    client.echo("under Silver").await;
    client.leave().await;
    let (_, told) = rig.drain().await;
    let by_plan =
        told.borrow().rows().into_iter().map(|(key, counts)| (key.plan, counts.messages_from_clients));
    assert_eq!(by_plan.collect::<Vec<_>>(), [("Gold".to_owned(), 1), ("Silver".to_owned(), 2)]);
}

#[tokio::test]
async fn presence_rises_and_falls() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let open = |count| {
        let (api, application) = (world.parts.apis[0].id, world.parts.applications[0].id);
        vec![OpenSessions { api, application, open: count }]
    };
    let first = rig.open(&Ask::usual(&world)).await;
    let second = rig.open(&Ask::usual(&world)).await;
    rig.control.until("two are here", |told| told.presence.last() == Some(&open(2))).await;
    first.leave().await;
    rig.control.until("one is here", |told| told.presence.last() == Some(&open(1))).await;
    second.leave().await;
    rig.control.until("nobody is here", |told| told.presence.last() == Some(&Vec::new())).await;
}

#[tokio::test]
async fn refusals_count_for_whom_they_can_be_counted() {
    let backend = Backend::answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    let mut world = World::new(&backend.url());
    world.parts.apis.push(api(7, "/others", &backend.url()));
    let rig = Rig::start(&mut world).await;
    let token = world.token();
    for (ask, problem) in [
        (Ask::to("/nothing"), "unknown-api"),
        (Ask { method: "POST", ..Ask::usual(&world) }, "method-not-allowed"),
        (Ask::to(PATH), "credential-missing"),
        (Ask::to(PATH).bearer("nonsense"), "credential-invalid"),
        (Ask::to("/others/1.0").bearer(&token), "no-subscription"),
        (Ask::usual(&world), "backend-refused"),
    ] {
        assert_eq!(rig.ask(&ask).await.problem(), problem);
    }
    let (_, told) = rig.drain().await;
    let told = told.borrow();
    let (echo, others) = (world.parts.apis[0].id, world.parts.apis[1].id);
    let application = Some(world.parts.applications[0].id);
    let rows: Vec<_> = told.rows();
    let mut refusals: Vec<_> =
        rows.iter().map(|(key, counts)| (key.api, key.application, &*key.plan, counts.refusals)).collect();
    refusals.sort_unstable();
    let mut expected =
        vec![(echo, None, "", 2), (echo, application, "Gold", 1), (others, application, "", 1)];
    expected.sort_unstable();
    assert_eq!(refusals, expected);
    assert!(told.sessions().is_empty() && told.presence.is_empty());
}
