import { z } from 'zod'
import { peerView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { plain, table } from '../../render/index.ts'

export async function peers(context: Context): Promise<undefined> {
  const client = await context.client()
  const found = await client.get('/api/v1/peers', z.array(peerView))
  context.answer(found, () =>
    found.length === 0
      ? 'No other agent was found. Does agent.yaml list a bootstrap address, and is that agent up?'
      : table(
          [
            { title: 'organisation' },
            { title: 'roles' },
            { title: 'connected' },
            { title: 'peer' },
            { title: 'addresses' }
          ],
          found.map(({ organisation, roles, connected, peerId, addresses }) => [
            organisation ?? { mark: 'unknown' },
            roles.join(', '),
            connected ? 'yes' : 'no',
            peerId,
            addresses.join(' ')
          ]),
          { style: context.style }
        )
  )
  return undefined
}

/** Any document of the agent's as lines; keys of documents are not known here. */
function lines(value: unknown, indent: string): string[] {
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object' || item === null))
      return [`${indent}${value.map((item) => plain(String(item))).join(', ')}`]
    return value.flatMap((item) => {
      const [first = '', ...rest] = lines(item, `${indent}  `)
      return [`${indent}- ${first.trimStart()}`, ...rest]
    })
  }
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, item]) => {
      const inner = lines(item, `${indent}  `)
      const [only] = inner
      return inner.length === 1 && only !== undefined
        ? [`${indent}${plain(key)}: ${only.trim()}`]
        : [`${indent}${plain(key)}:`, ...inner]
    })
  return [`${indent}${plain(String(value))}`]
}

export async function capabilities(context: Context, input: Input): Promise<undefined> {
  const [peer] = parseOptions(input.args, z.tuple([z.string().optional()]).or(z.tuple([])))
  const client = await context.client()
  const path =
    peer === undefined ? '/api/v1/capabilities' : `/api/v1/capabilities/${encodeURIComponent(peer)}`
  const capability = await client.get(path, z.unknown())
  context.answer(capability, () => lines(capability, '').join('\n'))
  return undefined
}
