import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { FINAL_STATUS, requestView } from '../../agent/api/index.ts'
import type { Client } from '../../agent/client/index.ts'
import { request, writeInputs } from './data.ts'
import { type RequestAnswer, submit, withLab } from './lab.ts'
import { type Result, resultOf } from './statistics.ts'

const REQUESTS = 100
const QUOTA = 50
/** An agent refuses what is more than it can take at once; whoever is told so asks again. */
const TRANSIENT = new Set(['busy', 'rate-limited', 'party-lost', 'deadline-exceeded'])
const MOST_ROUNDS = 200
const PAUSE_MS = 1_000
const POLL_MS = 250

interface Topology {
  agents: Record<string, unknown>[]
  agreements: { provider: string }[]
}

/** One provider whose agreement permits {@link QUOTA} requests, and who asks. */
async function writeOne(dir: string): Promise<string> {
  const file = await writeInputs(dir, 100)
  const { agents, agreements, ...rest }: Topology = JSON.parse(await readFile(file, 'utf8'))
  const limits = { requests: QUOTA, per: 'P30D' }
  await writeFile(
    file,
    JSON.stringify({
      ...rest,
      agents: agents.filter(({ name }) => name === 'Alpha' || name === 'Asker'),
      agreements: agreements
        .filter(({ provider }) => provider === 'Alpha')
        .map((agreement) => ({ ...agreement, computeProviders: ['Alpha'], limits }))
    })
  )
  return file
}

const codesOf = ({ error, refusals }: RequestAnswer): string[] => [
  ...(error == null ? [] : [error.code]),
  ...(refusals ?? []).map(({ code }) => code)
]

/** Asked for now and then: a hundred streams of events would be more to measure than the requests. */
async function ended(client: Client, id: string): Promise<RequestAnswer> {
  for (;;) {
    const answer = await client.get(`/api/v1/requests/${id}`, requestView)
    if (FINAL_STATUS.includes(answer.status)) return answer
    await setTimeout(POLL_MS)
  }
}

/** Asks until the answer is about the quota. @returns whether it ran */
async function ran(client: Client): Promise<boolean> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const id = await submit(client, { ...request('computeToData'), providers: ['Alpha'] })
    const answer = await ended(client, id)
    if (answer.status === 'completed') return true
    const codes = codesOf(answer)
    if (codes.includes('quota-exceeded')) return false
    if (!codes.some((code) => TRANSIENT.has(code)))
      throw new Error(`expected an answer, found ${answer.status}: ${codes.join(', ')}`)
    await setTimeout(PAUSE_MS)
  }
  throw new Error(`expected an answer, found none after ${MOST_ROUNDS} requests`)
}

/** How many of {@link REQUESTS} requests that come at once run where an agreement permits {@link QUOTA}, agents being processes. */
export async function quotaCase(say: (text: string) => void): Promise<{ result: Result; note: string }> {
  const answers = await withLab(writeOne, async (lab) => {
    const client = await lab.client('Asker')
    say(`${REQUESTS} requests at once, of which ${QUOTA} may run`)
    return await Promise.all(Array.from({ length: REQUESTS }, async () => await ran(client)))
  })
  const count = answers.filter((answer) => answer).length
  if (count !== QUOTA) throw new Error(`expected ${QUOTA} of ${REQUESTS} requests to run, found ${count}`)
  return {
    result: {
      ...resultOf(`quota of ${QUOTA}, ${REQUESTS} requests at once: run`, [count], {
        unit: 'requests',
        reference: QUOTA
      }),
      n: REQUESTS
    },
    note: `quota: ${REQUESTS} whole requests at once at one provider with an agreement of ${QUOTA}; those told \`busy\` or \`rate-limited\` ask again`
  }
}
