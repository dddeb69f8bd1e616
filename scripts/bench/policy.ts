import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Benchmark } from './benchmark.ts'
import { QUERY } from './data.ts'
import { AGREEMENTS, MOST, openProvider, type Provider } from './provider.ts'
import { quotaCase } from './quota.ts'
import { resultOf } from './statistics.ts'

const WARM_UP = 5

let texts = 0
/** A statement that nobody asked about before: what is found about one is kept. */
const another = () => {
  texts += 1
  return `${QUERY} WHERE p.age > ${texts}`
}

async function permitted(
  provider: Provider,
  sql: string,
  archetypes: number,
  hosts: number
): Promise<number> {
  const dossier = await provider.ask(sql, archetypes, hosts)
  const start = performance.now()
  const made = await provider.decisions.offer(dossier, 1)
  const time = performance.now() - start
  if (!('offer' in made)) throw new Error('expected an offer, found that somebody has to approve it')
  const refused = made.offer.payload.rows.find(({ verdict }) => verdict !== 'permit')
  if (refused !== undefined) throw new Error(`expected every row permitted, found ${JSON.stringify(refused)}`)
  return time
}

/**
 * What one data provider with a thousand agreements in force takes to decide: a request of one row whose text is known, an
 * inspection, the offer to a request of 64 rows whose text is not; and how many of 100 requests at once a quota of 50 lets run.
 */
export const policyBench: Benchmark = async ({ repetitions = 100, say }) => {
  const dir = await mkdtemp(join(tmpdir(), 'dynamos-bench-'))
  let sandbox = ''
  const taken = { decision: [] as number[], inspection: [] as number[], offer: [] as number[] }
  try {
    const provider = await openProvider(dir)
    try {
      sandbox = provider.launcher.sandbox
      say(`${AGREEMENTS} agreements are in force`)
      for (let round = -WARM_UP; round < repetitions; round += 1) {
        const offer = await permitted(provider, another(), MOST, MOST)
        const start = performance.now()
        await provider.launcher.inspect({ kind: 'inspect', sql: another(), tables: provider.tables })
        const inspection = performance.now() - start
        const decision = await permitted(provider, QUERY, 1, 1)
        if (round < 0) continue
        taken.offer.push(offer)
        taken.inspection.push(inspection)
        taken.decision.push(decision)
      }
    } finally {
      await provider.close()
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
  const quota = await quotaCase(say)
  return {
    notes: [
      `${AGREEMENTS} agreements with limits in force about one dataset, three of them the asker’s, of which one permits`,
      'decision: facts, Cedar and the signed answer to one row, the text inspected before; offer: 64 rows and a new text',
      `sandbox of inspections: ${sandbox}`,
      quota.note
    ],
    results: [
      resultOf('decision', taken.decision),
      resultOf('inspection, warm', taken.inspection),
      resultOf('offer, 64 rows', taken.offer),
      quota.result
    ]
  }
}
