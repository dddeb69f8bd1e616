import { multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'

/** A path as a user writes it: absolute, or relative to the file it stands in. */
export const filePath = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => !path.includes('\0'), 'expected a path')

/** A person: a name inside a mail domain. */
export const userName = z
  .string()
  .max(256)
  .regex(/^[^\s@]+@[^\s@]+$/, 'expected a user such as analyst@example.org')

function isMultiaddr(text: string): boolean {
  try {
    multiaddr(text)
    return true
  } catch {
    return false
  }
}

/** Where a libp2p node listens or is reached. */
export const address = z
  .string()
  .max(512)
  .refine(isMultiaddr, 'expected a multiaddress such as /ip4/0.0.0.0/tcp/4001')

/** Where another agent is reached: without its peer id a dial could end at anybody. */
export const peerAddress = address.refine(
  (text) => /\/p2p\/[1-9A-HJ-NP-Za-km-z]+$/.test(text),
  'expected an address that ends in /p2p/ and the peer id of that agent'
)

const HOST_AND_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/
const MAX_PORT = 65_535

export const hostAndPort = z
  .string()
  .regex(HOST_AND_PORT, 'expected HOST:PORT such as 127.0.0.1:7700')
  .transform((text, context) => {
    const [, six, other, port] = HOST_AND_PORT.exec(text) ?? []
    const host = six ?? other
    if (host !== undefined && Number(port) <= MAX_PORT) return { host, port: Number(port) }
    context.addIssue(`expected a port of at most ${MAX_PORT}`)
    return z.NEVER
  })

/** A list in which each thing is named once: a second mention is a mistake, not an emphasis. */
export function listOf<T extends z.ZodType<unknown>>(item: T, maximum: number, minimum = 0) {
  return z
    .array(item)
    .min(minimum)
    .max(maximum)
    .superRefine((entries: unknown[], context) => {
      entries.forEach((entry, index) => {
        if (entries.indexOf(entry) < index)
          context.addIssue({ code: 'custom', message: `${String(entry)} is listed twice`, path: [index] })
      })
    })
}
