import type { Benchmark } from './benchmark.ts'
import { request, writeInputs } from './data.ts'
import { answerTo, type RequestAnswer, untilWarm, withLab } from './lab.ts'
import { quantile, type Result, resultOf } from './statistics.ts'

const ARCHETYPES = ['computeToData', 'dataThroughTtp'] as const
const WARM_UP = 2
const NAMES = ['graph.svg', 'graph.png', 'graph.vl.json']

function assertDrawn({ artifacts, archetype }: RequestAnswer, expected: string, graph: boolean): void {
  const found = artifacts.map(({ name }) => name)
  if (archetype !== expected) throw new Error(`expected ${expected}, found ${archetype}`)
  if (NAMES.some((name) => found.includes(name) !== graph))
    throw new Error(
      `expected ${graph ? NAMES.join(', ') : 'no picture'}, found ${found.join(', ') || 'none'}`
    )
}

/**
 * Whole requests with a picture beside the same requests without one, warm, three providers on loopback, both archetypes, all in
 * turn: what `options.graph` adds.
 */
export const chartBench: Benchmark = async ({ repetitions = 20, rows = 50_000, say }) =>
  await withLab(
    (dir) => writeInputs(dir, rows),
    async (lab) => {
      const client = await lab.client('Asker')
      const cases = ARCHETYPES.flatMap((archetype) =>
        [false, true].map((graph) => ({ archetype, graph, times: [] as number[] }))
      )
      for (let round = -WARM_UP; round < repetitions; round += 1) {
        // none always runs first: what it follows finds the machine in another state
        for (const { archetype, graph, times } of round % 2 === 0 ? cases : [...cases].reverse()) {
          await untilWarm()
          const start = performance.now()
          const answer = await answerTo(client, { ...request(archetype), options: { graph } })
          const time = performance.now() - start
          assertDrawn(answer, archetype, graph)
          if (round >= 0) times.push(time)
        }
        if (round >= 0) say(`round ${round + 1} of ${repetitions}`)
      }
      const timesOf = (archetype: string, graph: boolean) =>
        cases.find((one) => one.archetype === archetype && one.graph === graph)?.times ?? []
      return {
        notes: [
          `three providers, ${rows} rows in each of two tables; average by group, drawn as bars: SVG, PNG and specification; warm: 2 s between requests`,
          'added: each request with a picture, less the median without'
        ],
        results: ARCHETYPES.flatMap((archetype): Result[] => {
          const without = quantile(timesOf(archetype, false), 0.5)
          const drawn = timesOf(archetype, true)
          return [
            resultOf(`${archetype}, without`, timesOf(archetype, false)),
            resultOf(`${archetype}, with a picture`, drawn, { reference: without }),
            resultOf(
              `${archetype}, added`,
              drawn.map((time) => time - without)
            )
          ]
        })
      }
    }
  )
