//! Peers that never read: what a session may cost.

use std::{
    io::{ErrorKind, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use socket2::SockRef;

use crate::{backend::Backend, client::Ask, rig::Rig, socket, world::World};

/// Of each of the test's own sockets; as small as the kernel allows.
const OWN_BYTES: usize = 4 * 1024;
/// What the gateway may swallow: four directions of its sockets, doubled by the kernel, and a worker's scratch.
const BUFFER_BYTES: usize = 64 * 1024;
const SWALLOWED_MAX: usize = 4 * 2 * BUFFER_BYTES + 64 * 1024;
/// What the test's own three sockets may hold, with the kernel's accounts.
const SLACK: usize = 256 * 1024;
/// Nothing moves for so long: the chain is full.
const STILL: Duration = Duration::from_millis(700);

#[tokio::test]
async fn a_client_that_never_reads_its_echo_costs_a_bounded_amount() {
    let backend = Backend::tight_echo(OWN_BYTES).await;
    let mut world = World::new(&backend.url());
    let rig = Rig::with(&mut world, |settings| settings.socket_buffer_bytes = Some(BUFFER_BYTES)).await;
    let (address, head) = (rig.plain_address(), Ask::usual(&world).bytes());
    let swallowed = tokio::task::spawn_blocking(move || {
        let mut client = TcpStream::connect(address).unwrap();
        let own = SockRef::from(&client);
        own.set_recv_buffer_size(OWN_BYTES).unwrap();
        own.set_send_buffer_size(OWN_BYTES).unwrap();
        client.write_all(&head).unwrap();
        client.set_nonblocking(true).unwrap();
        let frame = socket::encode(socket::BINARY, &[7; 16 * 1024], Some([1, 2, 3, 4]));
        let (mut sent, mut at, mut moved) = (0, 0, Instant::now());
        while moved.elapsed() < STILL {
            match client.write(&frame[at..]) {
                Ok(bytes) => {
                    (sent, moved) = (sent + bytes, Instant::now());
                    at = (at + bytes) % frame.len();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                Err(error) => panic!("{error}"),
            }
            assert!(sent < 64 << 20, "it swallows without end");
        }
        sent
    });
    let swallowed = swallowed.await.unwrap();
    let most = SWALLOWED_MAX + SLACK;
    assert!(swallowed <= most, "{swallowed} bytes were taken, at most {most} may be");
    assert!(swallowed > 64 * 1024, "{swallowed} bytes: the session did carry something");
}
