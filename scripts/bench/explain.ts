import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requestView } from '../../agent/api/index.ts'
import type { Client } from '../../agent/client/index.ts'
import type { Benchmark } from './benchmark.ts'
import { PROVIDERS, request, writeInputs } from './data.ts'
import { type RequestAnswer, untilWarm, withLab } from './lab.ts'
import { resultOf } from './statistics.ts'

const WARM_UP = 3
const STAGES = ['discover', 'offer', 'compose', 'total']
/** As many of each as a request may name. */
const ARCHETYPES = ['dataThroughTtp', ...Array.from({ length: 7 }, (_, index) => `variant${index + 1}`)]
const HOSTS = ['Host', ...Array.from({ length: 7 }, (_, index) => `Host${index + 2}`)]
const ROWS = ARCHETYPES.length * HOSTS.length
const PURPOSE_NOBODY_AGREED = 'reserch'

interface Topology {
  agents: Record<string, unknown>[]
  agreements: Record<string, unknown>[]
}

/** The inputs of the other benchmarks, with seven more compute providers and seven more archetypes through a third party. */
async function writeWide(dir: string, rows: number): Promise<string> {
  const file = await writeInputs(dir, rows)
  const topology: Topology = JSON.parse(await readFile(file, 'utf8'))
  const archetypes = join(dir, 'archetypes')
  await mkdir(archetypes)
  const through = await readFile(
    new URL('../../services/archetypes/dataThroughTtp.yaml', import.meta.url),
    'utf8'
  )
  for (const name of ARCHETYPES.slice(1))
    await writeFile(
      join(archetypes, `${name}.yaml`),
      through.replace('archetype: dataThroughTtp', `archetype: ${name}`)
    )
  const host = { roles: ['computeProvider'], hosting: { for: '*', algorithms: '*' } }
  const agents = [...topology.agents, ...HOSTS.slice(1).map((name) => ({ name, ...host }))]
  const agreed = { archetypes: '*', computeProviders: HOSTS }
  await writeFile(
    file,
    JSON.stringify({
      ...topology,
      agents: agents.map((agent) => ({ ...agent, archetypes })),
      agreements: topology.agreements.map((agreement) => ({ ...agreement, ...agreed }))
    })
  )
  return file
}

async function explain(client: Client, changes: Record<string, unknown> = {}): Promise<RequestAnswer> {
  const asked = { ...request('dataThroughTtp'), archetype: ARCHETYPES, ...changes }
  const view = await client.post('/api/v1/explain', { json: asked }, requestView)
  if (view.candidates.length !== ROWS)
    throw new Error(
      `expected ${ROWS} candidates, found ${view.candidates.length}: ${JSON.stringify(view.refusals)}`
    )
  return view
}

/**
 * A dry run over as many rows as a request may have (8 archetypes, 8 compute providers) with three data providers, from the HTTP
 * request to the answer; once where every hop permits every row, once where every data provider refuses all of them.
 */
export const explainBench: Benchmark = async ({ repetitions = 30, rows = 100, say }) =>
  await withLab(
    (dir) => writeWide(dir, rows),
    async (lab) => {
      const client = await lab.client('Asker')
      const cases = new Map<string, Record<string, unknown>>([
        ['permitted', {}],
        ['refused', { purpose: PURPOSE_NOBODY_AGREED }]
      ])
      const taken = new Map<string, number[]>()
      const timings = new Map<string, RequestAnswer['timing'][]>()
      for (let round = -WARM_UP; round < repetitions; round += 1) {
        for (const [name, changes] of cases) {
          await untilWarm()
          const start = performance.now()
          const view = await explain(client, changes)
          const time = performance.now() - start
          if ((view.status === 'completed') !== (name === 'permitted'))
            throw new Error(`${name}: found ${view.status}, ${JSON.stringify(view.refusals)}`)
          if (round < 0) continue
          taken.set(name, [...(taken.get(name) ?? []), time])
          timings.set(name, [...(timings.get(name) ?? []), view.timing])
        }
        say(`round ${round + 1} of ${repetitions}`)
      }
      return {
        notes: [
          `${ROWS} rows: ${ARCHETYPES.length} archetypes, ${HOSTS.length} compute providers; ${PROVIDERS.length} data providers; 2 s between requests`,
          'stages are the agent’s own timing of the same requests'
        ],
        results: [...cases.keys()].flatMap((name) => [
          resultOf(name, taken.get(name) ?? []),
          ...STAGES.map((stage) =>
            resultOf(
              `${name}: ${stage}`,
              (timings.get(name) ?? []).flatMap((timing) => timing[stage] ?? [])
            )
          )
        ])
      }
    }
  )
