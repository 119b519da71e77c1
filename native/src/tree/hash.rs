//! How nodes hash: the rules of the Jellyfish Merkle tree, as in `tallystick/accel/nodes.py`.

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// The hash of nothing.
pub const EMPTY_ROOT: Hash = *b"SPARSE_MERKLE_PLACEHOLDER_HASH__";

/// Before the hashes of an internal node's children.
const INTERNAL_PREFIX: &[u8; 16] = b"JMT::IntrnalNode";
/// Before key hash and record hash of a leaf.
const LEAF_PREFIX: &[u8; 13] = b"JMT::LeafNode";

/// The state in which SHA-256 begins (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Hash of any bytes.
pub fn sha256(data: &[u8]) -> Hash {
    Sha256::digest(data).into()
}

/// Hash of a leaf.
pub fn hash_leaf(key: &Hash, record: &Hash) -> Hash {
    hash_two_blocks(LEAF_PREFIX, key, record)
}

/// Hash of an internal node from the hashes of its children.
pub fn hash_internal(left: &Hash, right: &Hash) -> Hash {
    hash_two_blocks(INTERNAL_PREFIX, left, right)
}

/// SHA-256 of a prefix and two hashes, which together fill one block and a part of a second one.
fn hash_two_blocks<const N: usize>(prefix: &[u8; N], first: &Hash, second: &Hash) -> Hash {
    let mut blocks = [[0_u8; 64]; 2];
    let room = 32 - N;
    blocks[0][..N].copy_from_slice(prefix);
    blocks[0][N..N + 32].copy_from_slice(first);
    blocks[0][N + 32..].copy_from_slice(&second[..room]);
    blocks[1][..N].copy_from_slice(&second[room..]);
    blocks[1][N] = 0x80;
    let bits = 8 * (N as u64 + 64);
    blocks[1][56..].copy_from_slice(&bits.to_be_bytes());
    let mut state = INITIAL;
    compress256(&mut state, &blocks);
    let mut hash = [0; 32];
    for (four, word) in hash.chunks_exact_mut(4).zip(state) {
        four.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

/// Whether a key turns right at a depth: bits count from the most significant one of the first byte.
pub fn turns_right(key: &Hash, depth: usize) -> bool {
    key[depth >> 3] & (0x80 >> (depth & 7)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_padded_as_sha256_does() {
        let (left, right) = (sha256(b"left"), sha256(b"right"));
        let whole = [INTERNAL_PREFIX.as_slice(), &left, &right].concat();
        assert_eq!(hash_internal(&left, &right), sha256(&whole));
        let whole = [LEAF_PREFIX.as_slice(), &left, &right].concat();
        assert_eq!(hash_leaf(&left, &right), sha256(&whole));
    }
}
