//! MessagePack as `values/codec.py` writes it: each number in its shortest form.

/// What is written, piece by piece.
#[derive(Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    /// The head of something of so many parts: of one byte if `least` offers it, else of the first
    /// of `wider` whose 1, 2 or 4 bytes of length are enough. A work budget ends far below four.
    fn head(&mut self, length: usize, least: Option<(u8, usize)>, wider: [Option<u8>; 3]) {
        if let Some((first, most)) = least {
            if length <= most {
                self.0.push(first | length.to_be_bytes()[7]);
                return;
            }
        }
        let [.., fourth, third, second, last] = length.to_be_bytes();
        match wider {
            [Some(one), _, _] if length < 1 << 8 => self.0.extend([one, last]),
            [_, Some(two), _] if length < 1 << 16 => self.0.extend([two, second, last]),
            [_, _, four] => {
                self.0.extend(four);
                self.0.extend([fourth, third, second, last]);
            }
        }
    }

    /// The head of an array.
    pub fn array(&mut self, length: usize) {
        self.head(length, Some((0x90, 15)), [None, Some(0xdc), Some(0xdd)]);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.head(
            text.len(),
            Some((0xa0, 31)),
            [Some(0xd9), Some(0xda), Some(0xdb)],
        );
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.head(bytes.len(), None, [Some(0xc4), Some(0xc5), Some(0xc6)]);
        self.0.extend_from_slice(bytes);
    }

    /// None.
    pub fn nothing(&mut self) {
        self.0.push(0xc0);
    }
}
