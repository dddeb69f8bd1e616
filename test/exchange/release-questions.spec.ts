import { expect } from 'chai'
import type { z } from 'zod'
import { serveReleases } from '../../agent/daemon/releases.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import { RELEASE_PROTOCOL } from '../../protocol/messages/index.ts'
import { EVE } from '../negotiation/documents.ts'
import { rejectionOf } from '../store/folder.ts'

const ID = `bafyrei${'a'.repeat(52)}`

/** A question about a release that is under way when `reason` ends it, and what its asker is told. */
async function endedBy(reason: unknown): Promise<Error> {
  const ends = new AbortController()
  const asked = Promise.withResolvers<void>()
  const answering = Promise.withResolvers<never>()
  const answers = new Map<string, (question: unknown) => Promise<unknown>>()
  serveReleases(
    {
      handle<T>(
        protocol: string,
        schema: z.ZodType<T>,
        handler: (message: T, caller: { peer: string; signal: AbortSignal }) => Promise<unknown>
      ) {
        answers.set(protocol, async (question) => {
          return await handler(schema.parse(question), { peer: EVE.peer, signal: ends.signal })
        })
      }
    },
    {
      answer: async () => {
        asked.resolve()
        return await answering.promise
      },
      released: async () => ({ releases: [] })
    }
  )
  const refusal = rejectionOf(
    answers.get(RELEASE_PROTOCOL)?.({ contract: ID, flow: 0, result: ID }) ?? Promise.resolve()
  )
  await asked.promise
  ends.abort(reason)
  answering.reject(new DynamosError('internal', 'the store is closed'))
  return await refusal
}

describe('A question about a release', () => {
  it('that a stop of the agent ends is refused as that, and is no fault of its store', async () => {
    const refusal = await endedBy(new DynamosError('shutting-down', 'the agent is shutting down'))
    expect(refusal).to.include({ code: 'shutting-down' })
  })

  it('whose asker hung up is refused as that', async () => {
    expect(await endedBy(new Error('The stream has been reset'))).to.include({ code: 'cancelled' })
  })
})
