/** Kinds of CBOR items (RFC 8949, 3.1). */
export const MAJOR = { number: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5 } as const

/** The head of a CBOR item (RFC 8949, 3): its kind and its number, as short as it can be written. */
export function cborHead(major: (typeof MAJOR)[keyof typeof MAJOR], number: number): Uint8Array {
  const kind = major << 5
  if (number < 24) return Uint8Array.of(kind | number)
  if (number < 2 ** 8) return Uint8Array.of(kind | 24, number)
  const wide = number < 2 ** 16 ? 2 : number < 2 ** 32 ? 4 : 8
  const bytes = Buffer.alloc(1 + wide)
  bytes[0] = kind | (wide === 2 ? 25 : wide === 4 ? 26 : 27)
  if (wide === 2) bytes.writeUInt16BE(number, 1)
  else if (wide === 4) bytes.writeUInt32BE(number, 1)
  else bytes.writeBigUInt64BE(BigInt(number), 1)
  return bytes
}
