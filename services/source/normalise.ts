import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { chunks } from './census.ts'
import { RecordScanner, type Shape } from './records.ts'

export type Encoding = 'utf-8' | 'latin-1' | 'utf-16' | 'utf-16be'

/** Copies a CSV file as UTF-8 with single LF line ends, in constant memory; what stands inside quotes keeps its own. */
export async function normaliseCsv(
  path: string,
  to: string,
  shape: Shape,
  encoding: Encoding
): Promise<void> {
  const decode = decoder(encoding)
  const scanner = new RecordScanner(shape)
  const out = createWriteStream(to)
  const failed = once(out, 'error').then(([error]) => {
    throw error
  })
  const write = async (bytes: Buffer): Promise<void> => {
    if (bytes.length > 0 && !out.write(bytes)) await Promise.race([once(out, 'drain'), failed])
  }
  failed.catch(() => undefined)
  for await (const chunk of chunks(path)) await write(scanner.copy(decode(chunk)))
  await write(scanner.end())
  out.end()
  await Promise.race([once(out, 'close'), failed])
}

/** Turns the bytes of one encoding into UTF-8, chunk by chunk. */
export function decoder(encoding: Encoding): (chunk: Buffer) => Buffer {
  if (encoding === 'utf-8') return (chunk) => chunk
  // "latin-1" files are windows-1252 in practice, which agrees with latin-1 on every printable character
  const text = new TextDecoder(
    encoding === 'latin-1' ? 'windows-1252' : encoding === 'utf-16' ? 'utf-16le' : 'utf-16be'
  )
  return (chunk) => Buffer.from(text.decode(chunk, { stream: true }), 'utf8')
}
