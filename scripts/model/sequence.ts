/** Marsaglia 2003, xorshift32. */
export function sequence(seed: number): () => number {
  let word = seed | 0 || 1
  return () => {
    word ^= word << 13
    word ^= word >>> 17
    word ^= word << 5
    return (word >>> 0) / 2 ** 32
  }
}
