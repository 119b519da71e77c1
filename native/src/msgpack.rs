//! MessagePack as `values/codec.py` writes it: each number in its shortest form. Read is any form.

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

/// What is read, piece by piece; each gives `None` when something else, or nothing whole, is next.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// So many bytes.
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A length, after a head that says how many bytes it has: `wide` names those of 1, 2 and 4.
    fn length(&mut self, least: Option<(u8, u8)>, wide: [Option<u8>; 3]) -> Option<usize> {
        let head = *self.take(1)?.first()?;
        if let Some((first, mask)) = least {
            if head & !mask == first {
                return Some(usize::from(head & mask));
            }
        }
        let place = wide.iter().position(|each| *each == Some(head))?;
        let bytes = self.take(1 << place)?;
        let add = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
        Some(bytes.iter().fold(0, add))
    }

    /// How many an array has.
    pub fn array(&mut self) -> Option<usize> {
        self.length(Some((0x90, 0x0f)), [None, Some(0xdc), Some(0xdd)])
    }

    /// A text.
    pub fn text(&mut self) -> Option<&'a str> {
        let wide = [Some(0xd9), Some(0xda), Some(0xdb)];
        let length = self.length(Some((0xa0, 0x1f)), wide)?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// Bytes.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length(None, [Some(0xc4), Some(0xc5), Some(0xc6)])?;
        self.take(length)
    }
}
