import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const COLOUR_AND_ALPHA = 6
const LEVEL = 3

/** Pixels as PNG: the runtime's own compression is five times as fast as one in WebAssembly. Lines are not filtered: flat colours repeat. */
export function encodePng(rgba: Uint8Array, width: number, height: number): Uint8Array {
  const line = width * 4
  const lines = new Uint8Array((1 + line) * height)
  for (let y = 0; y < height; y++) lines.set(rgba.subarray(y * line, (y + 1) * line), y * (1 + line) + 1)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, COLOUR_AND_ALPHA, 0, 0, 0], 8)
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines, { level: LEVEL })),
    chunk('IEND', Buffer.alloc(0))
  ])
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.byteLength)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}
