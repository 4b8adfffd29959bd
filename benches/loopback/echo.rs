//! An echo: a thread that answers a message of one size with one of another.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Echo {
    stream: TcpStream,
}

/// A table with a key like that of the requests, as full, written in the plainest durable way: one statement, on the
/// thread that answers.
fn table(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE request (
                 group_name TEXT NOT NULL, id_epoch INTEGER NOT NULL, id_number INTEGER NOT NULL,
                 content TEXT NOT NULL, PRIMARY KEY (group_name, id_epoch, id_number)
             ) STRICT;
             WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)
             INSERT INTO request SELECT 'default', 1, n, hex(zeroblob(32)) FROM number;",
        )
        .unwrap();
    connection
}

impl Echo {
    /// One that commits a row before each answer, if it is given a file.
    pub(crate) async fn start(path: Option<PathBuf>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = listener.into_std().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (stream, _) = TcpListener::from_std(listener).unwrap().accept().await.unwrap();
                serve(stream, path.map(|path| table(&path))).await;
            });
        });
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// How long a message so long takes to be answered by one so long.
    pub(crate) async fn round(&mut self, len: usize, answer: usize) -> Duration {
        let mut message = vec![b'x'; len];
        message[..4].copy_from_slice(&(len as u32).to_be_bytes());
        message[4..8].copy_from_slice(&(answer as u32).to_be_bytes());
        let mut answered = vec![0; answer];
        let begun = Instant::now();
        self.stream.write_all(&message).await.unwrap();
        self.stream.read_exact(&mut answered).await.unwrap();
        begun.elapsed()
    }
}

async fn serve(mut stream: TcpStream, table: Option<Connection>) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 16 * 1024];
    let content = "x".repeat(64);
    let mut next = 0;
    while let Ok(1..) = stream.read(&mut buffer).await {
        let answer = u32::from_be_bytes(buffer[4..8].try_into().unwrap()) as usize;
        if let Some(table) = &table {
            next = next % 10_000 + 1;
            table
                .prepare_cached(
                    "INSERT INTO request VALUES ('default', 1, ?1, ?2)
                     ON CONFLICT (group_name, id_epoch, id_number) DO UPDATE SET content = excluded.content",
                )
                .unwrap()
                .execute((next, &content))
                .unwrap();
        }
        stream.write_all(&buffer[..answer]).await.unwrap();
    }
}
