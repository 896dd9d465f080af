//! A proxy that cuts one answer short.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Passes bytes both ways. When told, it passes so many of the bytes that follow the next request with a
/// text, and closes both ends.
pub(super) struct Cutter {
    pub(super) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    server: SocketAddr,
    part: &'static str,
    at: AtomicUsize,
    armed: AtomicBool,
    passed: AtomicUsize,
}

impl Cutter {
    pub(super) async fn start(server: SocketAddr, part: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (at, armed, passed) = (AtomicUsize::new(0), AtomicBool::new(false), AtomicUsize::new(0));
        let state = Arc::new(State { server, part, at, armed, passed });
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, shared.clone()));
            }
        });
        Self { address, state }
    }

    /// Cuts the next answer after so many bytes.
    pub(super) fn cut(&self, at: usize) {
        self.state.at.store(at, Ordering::SeqCst);
        self.state.passed.store(0, Ordering::SeqCst);
        self.state.armed.store(true, Ordering::SeqCst);
    }

    /// How many bytes of the last such answer went through.
    pub(super) fn passed(&self) -> usize {
        self.state.passed.load(Ordering::SeqCst)
    }
}

async fn pass(mut client: TcpStream, state: Arc<State>) {
    let Ok(mut server) = TcpStream::connect(state.server).await else { return };
    let (mut up, mut down) = (vec![0; 16 << 10], vec![0; 16 << 10]);
    let mut cut = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(n @ 1..) = read else { return };
                let asked = String::from_utf8_lossy(&up[..n]).contains(state.part);
                cut |= asked && state.armed.swap(false, Ordering::SeqCst);
                if server.write_all(&up[..n]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(n @ 1..) = read else { return };
                let mut n = n;
                let mut left = usize::MAX;
                if cut {
                    let passed = state.passed.load(Ordering::SeqCst);
                    n = n.min(state.at.load(Ordering::SeqCst) - passed);
                    state.passed.store(passed + n, Ordering::SeqCst);
                    left = state.at.load(Ordering::SeqCst) - passed - n;
                }
                if client.write_all(&down[..n]).await.is_err() || left == 0 {
                    return;
                }
            }
        }
    }
}
