//! Two multiplexers over a pipe in memory, polled by hand.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

use futures::future::poll_fn;

use super::*;

const SILENCE: Duration = Duration::from_millis(300);

#[derive(Default)]
struct Half {
    bytes: VecDeque<u8>,
    ended: bool,
    wakers: Vec<Waker>,
}

type SharedHalf = Arc<Mutex<Half>>;

/// One end of a pipe that takes few bytes at a time.
struct Pipe {
    from: SharedHalf,
    to: SharedHalf,
    piece: usize,
    room: usize,
}

fn pipe(piece: usize, room: usize) -> (Pipe, Pipe) {
    let (there, back) = (SharedHalf::default(), SharedHalf::default());
    (Pipe { from: back.clone(), to: there.clone(), piece, room }, Pipe { from: there, to: back, piece, room })
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut half = self.from.lock().unwrap();
        if half.bytes.is_empty() && !half.ended {
            half.wakers.push(cx.waker().clone());
            return Poll::Pending;
        }
        let count = buffer.len().min(half.bytes.len());
        half.bytes.drain(..count).zip(buffer).for_each(|(byte, place)| *place = byte);
        half.wakers.drain(..).for_each(Waker::wake);
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let mut half = self.to.lock().unwrap();
        if half.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = buffer.len().min(self.piece).min(self.room.saturating_sub(half.bytes.len()));
        if count == 0 && !buffer.is_empty() {
            half.wakers.push(cx.waker().clone());
            return Poll::Pending;
        }
        half.bytes.extend(&buffer[..count]);
        half.wakers.drain(..).for_each(Waker::wake);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.to.lock().unwrap().ended = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        for half in [&self.from, &self.to] {
            let mut half = half.lock().unwrap();
            half.ended = true;
            half.wakers.drain(..).for_each(Waker::wake);
        }
    }
}

type Side = Pin<Box<Muxer<Pipe>>>;

async fn sides() -> (Side, Side) {
    let (near, far) = pipe(5, usize::MAX);
    let config = Config { yamux: yamux::Config::default(), silence_max: SILENCE };
    let near = config.clone().upgrade_outbound(near, "/yamux/1.0.0").await.unwrap();
    let far = config.upgrade_inbound(far, "/yamux/1.0.0").await.unwrap();
    (Box::pin(near), Box::pin(far))
}

fn now<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll(&mut Context::from_waker(Waker::noop()))
}

/// Has a side read and write what it can; whether it still works.
fn turn(side: &mut Side) -> bool {
    (0..20).all(|_| !matches!(now(|cx| side.as_mut().poll(cx)), Poll::Ready(Err(_))))
}

fn turns(near: &mut Side, far: &mut Side) {
    for _ in 0..5 {
        assert!(turn(near));
        assert!(turn(far));
    }
}

fn open(side: &mut Side) -> Stream {
    match now(|cx| side.as_mut().poll_outbound(cx)) {
        Poll::Ready(Ok(stream)) => stream,
        _ => panic!("no stream can be opened"),
    }
}

fn accept(side: &mut Side) -> Stream {
    match now(|cx| side.as_mut().poll_inbound(cx)) {
        Poll::Ready(Ok(stream)) => stream,
        _ => panic!("no stream has come"),
    }
}

fn write(stream: &mut Stream, data: &[u8]) -> Result<usize, io::ErrorKind> {
    match now(|cx| Pin::new(stream).poll_write(cx, data)) {
        Poll::Ready(result) => result.map_err(|error| error.kind()),
        Poll::Pending => panic!("the stream takes nothing"),
    }
}

fn close(stream: &mut Stream) {
    assert!(matches!(now(|cx| Pin::new(stream).poll_close(cx)), Poll::Ready(Ok(()))));
}

fn read(stream: &mut Stream) -> Result<Vec<u8>, io::ErrorKind> {
    let mut buffer = [0; 100];
    match now(|cx| Pin::new(stream).poll_read(cx, &mut buffer)) {
        Poll::Ready(result) => result.map(|count| buffer[..count].to_vec()).map_err(|error| error.kind()),
        Poll::Pending => panic!("the stream has nothing to read"),
    }
}

/// Two streams of one connection, the first opened by the side that the second has accepted it from.
async fn pair() -> (Side, Side, Stream, Stream) {
    let (mut near, mut far) = sides().await;
    let mut opened = open(&mut near);
    write(&mut opened, b"hello").unwrap();
    turns(&mut near, &mut far);
    let mut accepted = accept(&mut far);
    assert_eq!(read(&mut accepted).unwrap(), b"hello");
    (near, far, opened, accepted)
}

#[tokio::test]
async fn a_lost_connection_is_no_clean_end_after_our_half_close() {
    let (mut near, mut far, mut opened, mut accepted) = pair().await;
    close(&mut opened);
    turns(&mut near, &mut far);
    assert_eq!(read(&mut accepted).unwrap(), b"");
    write(&mut accepted, b"half of the answer").unwrap();
    turns(&mut near, &mut far);
    drop(far);
    assert!(!turn(&mut near));
    assert_eq!(read(&mut opened).unwrap(), b"half of the answer");
    assert_eq!(read(&mut opened), Err(io::ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn an_end_stays_clean_when_the_connection_is_lost() {
    let (mut near, mut far, mut opened, mut accepted) = pair().await;
    write(&mut accepted, b"all of the answer").unwrap();
    close(&mut accepted);
    turns(&mut near, &mut far);
    drop(far);
    assert!(!turn(&mut near));
    assert_eq!(read(&mut opened).unwrap(), b"all of the answer");
    assert_eq!(read(&mut opened).unwrap(), b"");
}

#[tokio::test]
async fn an_end_is_seen_also_when_it_comes_before_the_stream_is_taken() {
    let (mut near, mut far) = sides().await;
    let (mut whole, mut torn) = (open(&mut near), open(&mut near));
    write(&mut whole, b"whole").unwrap();
    close(&mut whole);
    write(&mut torn, b"torn").unwrap();
    turns(&mut near, &mut far);
    drop_torn(torn);
    turns(&mut near, &mut far);
    let (mut first, mut second) = (accept(&mut far), accept(&mut far));
    assert_eq!(read(&mut first).unwrap(), b"whole");
    assert_eq!(read(&mut first).unwrap(), b"");
    assert_eq!(read(&mut second).unwrap(), b"torn");
    assert_eq!(read(&mut second), Err(io::ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn giving_up_after_our_end_resets_after_it() {
    for end_is_written in [false, true] {
        let (mut near, mut far, mut opened, mut accepted) = pair().await;
        write(&mut opened, b"question").unwrap();
        close(&mut opened);
        if end_is_written {
            turns(&mut near, &mut far);
        }
        assert_eq!(write(&mut accepted, b"x"), Ok(1));
        drop_torn(opened);
        turns(&mut near, &mut far);
        // What was sent before is whole.
        assert_eq!(read(&mut accepted).unwrap(), b"question");
        assert_eq!(read(&mut accepted).unwrap(), b"");
        assert_eq!(write(&mut accepted, b"x"), Err(io::ErrorKind::WriteZero), "{end_is_written}");
    }
}

#[tokio::test]
async fn a_silent_connection_is_lost() {
    let (mut near, _far) = sides().await;
    let start = Instant::now();
    let end = poll_fn(|cx| near.as_mut().poll(cx)).await;
    let text = end.unwrap_err().to_string();
    assert!(text.contains("nothing was heard"), "{text}");
    assert!(start.elapsed() >= SILENCE);
}

#[tokio::test]
async fn a_write_that_finds_no_room_is_noticed_but_a_slow_one_is_not() {
    let (near, mut far) = pipe(1, 1);
    let (mut filter, _) = filter(near, SILENCE);
    let frame = Header::reset(1).0;
    let drain = tokio::spawn(async move {
        for _ in 0..HEADER_BYTES {
            tokio::time::sleep(SILENCE / 3).await;
            let mut byte = [0];
            assert_eq!(poll_fn(|cx| Pin::new(&mut far).poll_read(cx, &mut byte)).await.unwrap(), 1);
        }
        far
    });
    for at in 0..HEADER_BYTES {
        let written = poll_fn(|cx| Pin::new(&mut filter).poll_write(cx, &frame[at..])).await;
        assert_eq!(written.unwrap(), 1);
    }
    let _far = drain.await.unwrap();
    assert_eq!(poll_fn(|cx| Pin::new(&mut filter).poll_write(cx, &frame)).await.unwrap(), 1);
    let start = Instant::now();
    let error = poll_fn(|cx| Pin::new(&mut filter).poll_write(cx, &frame[1..])).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(start.elapsed() >= SILENCE / 3);
}
