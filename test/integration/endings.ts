import { z } from 'zod'
import type { Store } from '../../agent/store/index.ts'

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

/** Of an agent that is stopped. */
export async function endingsIn(store: Store): Promise<Ending[]> {
  const rows = [...(await store.exchanges.all('hop')), ...(await store.exchanges.all('coordinator'))]
  return rows.flatMap(({ request, state: bytes }) => {
    const { stage } = state.parse(JSON.parse(new TextDecoder().decode(bytes)))
    return stage.outcome === undefined ? [] : [{ request, ...stage.outcome }]
  })
}
