import { expect } from 'chai'
import { z } from 'zod'
import type { Store } from '../../agent/store/index.ts'
import type { Market } from './harness.ts'

const outcome = z.looseObject({
  signer: z.string().nullable(),
  result: z.string(),
  code: z.string().nullable()
})
const state = z.looseObject({ stage: z.looseObject({ phase: z.string(), outcome: outcome.optional() }) })

/** How a request ended at one agent, as a state machine of it remembers. */
export interface Ending extends z.infer<typeof outcome> {
  request: string
}

/** What an agent is to have signed itself of a request. */
export interface Signed {
  agent: string
  request: string
  result: string
  code: string | null
}

/** Closes the market, and looks at each agent's disk whether it signed what it is to have signed. */
export async function closeWithEndings(market: Market | undefined, signed: readonly Signed[]): Promise<void> {
  await market?.closeClean(async () => {
    for (const { agent: name, ...said } of signed) {
      const agent = market.agent(name)
      const own = (await agent.withStore(endingsIn)).find(
        // That it completed is the recipient's word.
        (one) => one.request === said.request && (said.result === 'completed' || one.signer === agent.peerId)
      )
      expect(own, `${name} about ${said.request}`).to.include(said)
    }
  })
}

/** Of an agent that is stopped. */
export async function endingsIn(store: Store): Promise<Ending[]> {
  const rows = [...(await store.exchanges.all('hop')), ...(await store.exchanges.all('coordinator'))]
  return rows.flatMap(({ request, state: bytes }) => {
    const { stage } = state.parse(JSON.parse(new TextDecoder().decode(bytes)))
    return stage.outcome === undefined ? [] : [{ request, ...stage.outcome }]
  })
}
