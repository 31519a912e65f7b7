//! What a listener hands on to its connections.

use super::*;

#[tokio::test]
async fn connections_are_what_their_listener_was_made() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    prepare(&listener, Some(100_000));
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let told = |stream: &TcpStream| {
        let socket = SockRef::from(stream);
        (stream.nodelay().unwrap(), socket.send_buffer_size().unwrap(), socket.recv_buffer_size().unwrap())
    };
    // Linux tells twice what was asked for; others tell it as it is.
    let (nodelay, send, receive) = told(&accepted);
    assert!(nodelay && [100_000, 200_000].contains(&send) && [100_000, 200_000].contains(&receive));
    assert!(!told(&client).0);
}
