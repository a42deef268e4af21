//! What is known of the streams of one connection from the frames that passed.

use std::collections::{HashMap, VecDeque};

/// Size of a yamux frame header: version, type, flags (2), stream number (4), length (4).
pub const HEADER_BYTES: usize = 12;
const TYPE_DATA: u8 = 0;
const TYPE_WINDOW_UPDATE: u8 = 1;
const FLAG_SYN: u16 = 1;
const FLAG_FIN: u16 = 4;
const FLAG_RST: u16 = 8;

/// Inbound streams that may wait in the multiplexer (libp2p-yamux drops them beyond 256, and we do not
/// see which). If a peer exceeds this, ends of streams it opened are taken for losses.
const ARRIVING_MAX: usize = 512;

/// A yamux frame header.
#[derive(Clone, Copy, Default)]
pub struct Header(pub [u8; HEADER_BYTES]);

impl Header {
    fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }

    pub fn stream(&self) -> u32 {
        self.number(4)
    }

    /// The flags, if the frame is one of a stream (others use the bits for something else).
    pub fn flags(&self) -> u16 {
        match self.0[1] {
            TYPE_DATA | TYPE_WINDOW_UPDATE => u16::from_be_bytes([self.0[2], self.0[3]]),
            _ => 0,
        }
    }

    /// Whether the frame begins or ends a stream or a direction of it.
    pub fn is_news(&self) -> bool {
        self.flags() & (FLAG_SYN | FLAG_FIN | FLAG_RST) != 0
    }

    fn body_bytes(&self) -> usize {
        match self.0[1] {
            TYPE_DATA => self.number(8) as usize,
            _ => 0,
        }
    }

    /// The same frame, as a reset instead of an end.
    pub fn with_reset(mut self) -> Header {
        let flags = (self.flags() & !FLAG_FIN) | FLAG_RST;
        self.0[2..4].copy_from_slice(&flags.to_be_bytes());
        self
    }

    pub fn reset(stream: u32) -> Header {
        let mut header = Header([0; HEADER_BYTES]);
        header.0[1] = TYPE_DATA;
        header.0[4..8].copy_from_slice(&stream.to_be_bytes());
        header.with_reset()
    }
}

/// Follows the frames of one direction through reads or writes of any size.
#[derive(Default)]
pub struct Cursor {
    header: Header,
    filled: usize,
    body_left: usize,
}

impl Cursor {
    /// Takes bytes that passed; calls `on_frame` with the header of each frame that has passed whole.
    pub fn pass(&mut self, mut bytes: &[u8], mut on_frame: impl FnMut(&Header)) {
        while !bytes.is_empty() {
            let count;
            if self.body_left > 0 {
                count = self.body_left.min(bytes.len());
                self.body_left -= count;
            } else {
                count = (HEADER_BYTES - self.filled).min(bytes.len());
                self.header.0[self.filled..self.filled + count].copy_from_slice(&bytes[..count]);
                self.filled += count;
                if self.filled == HEADER_BYTES {
                    self.body_left = self.header.body_bytes();
                }
            }
            bytes = &bytes[count..];
            if self.filled == HEADER_BYTES && self.body_left == 0 {
                self.filled = 0;
                on_frame(&self.header);
            }
        }
    }

    pub fn between_frames(&self) -> bool {
        self.filled == 0
    }
}

/// How far a stream has come on our side.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Live,
    /// Torn down before our direction was closed: if yamux sends an end for it, that becomes a reset.
    TornOpen,
    /// Torn down after our direction was closed, but that end is not written yet.
    TornClosed,
}

/// One stream.
#[derive(Clone, Copy, Default)]
struct Life {
    stage: Stage,
    /// The peer's end has arrived, and all before it.
    ended: bool,
    /// The peer's reset has arrived.
    reset: bool,
    /// Our end is written.
    end_written: bool,
}

/// What filter and streams of one connection know of each other.
#[derive(Default)]
pub struct Known {
    /// Streams of the peer that the multiplexer has not handed out yet, oldest first.
    arriving: VecDeque<(u32, Life)>,
    /// Those that are live, and those torn down of which a last frame is still to be written. So this is
    /// as small as the number of streams.
    streams: HashMap<u32, Life>,
    /// Streams of which a reset is to be written as soon as a frame may begin.
    resets_due: VecDeque<u32>,
}

impl Known {
    /// The multiplexer has handed out a stream.
    pub fn on_stream(&mut self, id: u32) {
        let at = self.arriving.iter().position(|(arriving, _)| *arriving == id);
        // Those before it will not come any more: the multiplexer had no room for them.
        let life = at.and_then(|at| self.arriving.drain(..=at).next_back()).map(|(_, life)| life);
        self.streams.insert(id, life.unwrap_or_default());
    }

    /// The owner of a stream has let it go; `torn` means that the peer has to be told so if it does not
    /// know that the stream is over.
    pub fn on_drop(&mut self, id: u32, closed: bool, torn: bool) {
        let Some(life) = self.streams.remove(&id) else { return };
        if !torn || life.reset || (closed && life.ended) {
            return;
        }
        if !closed {
            self.streams.insert(id, Life { stage: Stage::TornOpen, ..life });
        } else if life.end_written {
            self.resets_due.push_back(id);
        } else {
            self.streams.insert(id, Life { stage: Stage::TornClosed, ..life });
        }
    }

    /// A whole frame has been read.
    pub fn on_read(&mut self, header: &Header) {
        let (id, flags) = (header.stream(), header.flags());
        if flags & FLAG_SYN != 0 && !self.streams.contains_key(&id) && self.arriving.len() < ARRIVING_MAX {
            self.arriving.push_back((id, Life::default()));
        }
        if flags & (FLAG_FIN | FLAG_RST) == 0 {
            return;
        }
        let arriving = self.arriving.iter_mut().rev().find(|(arriving, _)| *arriving == id).map(|(_, life)| life);
        let Some(life) = self.streams.get_mut(&id).or(arriving) else { return };
        if flags & FLAG_RST != 0 {
            life.reset = true;
        } else {
            life.ended = true;
        }
        // Nothing is left to be told to the peer.
        let over = match life.stage {
            Stage::Live => false,
            Stage::TornOpen => life.reset,
            Stage::TornClosed => true,
        };
        if over {
            self.streams.remove(&id);
        }
    }

    /// A whole frame has been written.
    pub fn on_written(&mut self, header: &Header) {
        if header.flags() & (FLAG_FIN | FLAG_RST) == 0 {
            return;
        }
        let id = header.stream();
        let Some(life) = self.streams.get_mut(&id) else { return };
        match life.stage {
            Stage::Live => life.end_written = true,
            Stage::TornOpen => {
                self.streams.remove(&id);
            }
            Stage::TornClosed => {
                self.streams.remove(&id);
                self.resets_due.push_back(id);
            }
        }
    }

    /// Whether the frame that is about to be written has to say "reset" where it says "end".
    pub fn turns_to_reset(&self, header: &Header) -> bool {
        header.flags() & FLAG_FIN != 0
            && self.streams.get(&header.stream()).is_some_and(|life| life.stage == Stage::TornOpen)
    }

    pub fn next_reset(&mut self) -> Option<Header> {
        self.resets_due.pop_front().map(Header::reset)
    }

    /// Whether the peer has ended its direction. A reset that came after that takes nothing away: it says
    /// that the peer reads no more.
    pub fn has_ended(&self, id: u32) -> bool {
        self.streams.get(&id).is_some_and(|life| life.ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stream: u32, flags: u16, body: usize) -> Vec<u8> {
        let mut bytes = vec![0, TYPE_DATA];
        bytes.extend_from_slice(&flags.to_be_bytes());
        bytes.extend_from_slice(&stream.to_be_bytes());
        bytes.extend_from_slice(&(body as u32).to_be_bytes());
        bytes.extend(std::iter::repeat_n(0xff, body));
        bytes
    }

    fn header(stream: u32, flags: u16) -> Header {
        Header(frame(stream, flags, 0).try_into().unwrap())
    }

    #[test]
    fn frames_are_found_whatever_the_pieces() {
        let bytes = [frame(1, 0, 5), frame(2, FLAG_RST, 0), frame(3, FLAG_FIN, 300)].concat();
        for size in 1..bytes.len() {
            let mut cursor = Cursor::default();
            let mut seen = Vec::new();
            for piece in bytes.chunks(size) {
                cursor.pass(piece, |header| seen.push((header.stream(), header.flags())));
            }
            assert_eq!(seen, [(1, 0), (2, FLAG_RST), (3, FLAG_FIN)], "pieces of {size}");
            assert!(cursor.between_frames());
        }
    }

    #[test]
    fn a_frame_counts_only_when_its_last_byte_has_passed() {
        let bytes = frame(1, FLAG_FIN, 3);
        let mut cursor = Cursor::default();
        cursor.pass(&bytes[..bytes.len() - 1], |_| panic!("the frame is not whole"));
        assert!(!cursor.between_frames());
        let mut frames = 0;
        cursor.pass(&bytes[bytes.len() - 1..], |_| frames += 1);
        assert_eq!(frames, 1);
    }

    #[test]
    fn an_end_that_arrives_before_its_stream_is_kept() {
        let mut known = Known::default();
        known.on_read(&header(1, FLAG_SYN));
        known.on_read(&header(3, FLAG_SYN | FLAG_FIN));
        known.on_read(&header(5, FLAG_SYN));
        known.on_stream(3);
        assert!(known.has_ended(3));
        known.on_stream(5);
        assert!(!known.has_ended(5));
        assert!(known.arriving.is_empty());
    }

    #[test]
    fn nothing_piles_up() {
        let mut known = Known::default();
        for id in 0..10_000 {
            known.on_read(&header(2 * id + 1, FLAG_SYN));
            known.on_read(&header(2 * id + 1, FLAG_FIN));
            known.on_read(&header(2 * id + 1, FLAG_RST));
        }
        assert_eq!(known.arriving.len(), ARRIVING_MAX);
        for id in 0..1000 {
            known.on_read(&header(id, FLAG_FIN));
        }
        for id in 100_000..101_000 {
            known.on_stream(id);
            known.on_drop(id, true, true);
            known.on_written(&header(id, FLAG_FIN));
            assert!(known.next_reset().is_some());
            known.on_read(&header(id, FLAG_FIN));
            known.on_stream(id);
            known.on_drop(id, false, true);
            known.on_written(&header(id, FLAG_RST));
        }
        assert!(known.streams.is_empty());
        assert!(known.resets_due.is_empty());
    }

    #[test]
    fn the_peer_is_told_of_a_teardown_unless_it_knows() {
        let mut known = Known::default();
        // Our end comes first, then the reset.
        known.on_stream(1);
        known.on_drop(1, true, true);
        assert!(known.next_reset().is_none());
        assert!(!known.turns_to_reset(&header(1, FLAG_FIN)));
        known.on_written(&header(1, FLAG_FIN));
        assert_eq!(known.next_reset().unwrap().0, header(1, FLAG_RST).0);
        // Both directions ended.
        known.on_stream(1);
        known.on_read(&header(1, FLAG_FIN));
        known.on_written(&header(1, FLAG_FIN));
        known.on_drop(1, true, true);
        assert!(known.next_reset().is_none());
        // The peer has reset it, before or after.
        known.on_stream(1);
        known.on_read(&header(1, FLAG_RST));
        known.on_drop(1, false, true);
        known.on_stream(3);
        known.on_drop(3, false, true);
        known.on_read(&header(3, FLAG_RST));
        assert!(known.streams.is_empty());
        // Our direction was open.
        known.on_stream(1);
        known.on_drop(1, false, true);
        assert!(known.turns_to_reset(&header(1, FLAG_FIN)));
        known.on_written(&header(1, FLAG_FIN));
        assert!(known.streams.is_empty());
        assert!(known.next_reset().is_none());
    }
}
