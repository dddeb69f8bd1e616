import type { Client } from '../../agent/client/index.ts'
import { ALGORITHMS, assertRows } from './algorithms.ts'
import type { Benchmark } from './benchmark.ts'
import { request, writeInputs } from './data.ts'
import { answerTo, type RequestAnswer, untilWarm, withLab } from './lab.ts'
import { openReference, type Reference } from './reference.ts'
import { quantile, type Result, resultOf } from './statistics.ts'

const ARCHETYPES = ['computeToData', 'dataThroughTtp']
const WARM_UP = 3
const TOLERANCE = 1e-9
/** Of each further algorithm: they differ little, and each takes a pause. */
const FURTHER_REPETITIONS = 10

function assertSame(answer: RequestAnswer, expected: ReadonlyMap<string, number>): void {
  const rows = answer.results?.[0]?.rows ?? []
  const found = new Map(rows.map(([gender, average]) => [String(gender), Number(average)]))
  for (const [gender, average] of expected) {
    const other = found.get(gender)
    if (other === undefined || Math.abs(other - average) > TOLERANCE * average)
      throw new Error(`${gender}: expected ${average} as DuckDB answers, found ${other}`)
  }
}

async function timed<T>(work: () => Promise<T>): Promise<[number, T]> {
  const start = performance.now()
  const value = await work()
  return [performance.now() - start, value]
}

function stagesOf(archetype: string, answers: readonly RequestAnswer[]): Result[] {
  const stages = new Set(answers.flatMap(({ timing }) => Object.keys(timing)))
  return [...stages].map((stage) =>
    resultOf(
      `${archetype}: ${stage}`,
      answers.flatMap(({ timing }) => timing[stage] ?? [])
    )
  )
}

/** Algorithms beside `average`, warm, in both archetypes and in turn with DuckDB. */
async function furtherAlgorithms(
  client: Client,
  reference: Reference,
  repetitions: number,
  say: (text: string) => void
): Promise<Result[]> {
  const results: Result[] = []
  for (const one of ALGORITHMS) {
    const { name } = one.algorithm
    const direct: number[] = []
    const taken = new Map<string, number[]>(ARCHETYPES.map((archetype) => [archetype, []]))
    for (let round = -1; round < repetitions; round += 1) {
      const [time, expected] = await timed(() => reference.rows(one.query, one.over))
      if (round >= 0) direct.push(time)
      for (const archetype of round % 2 === 0 ? ARCHETYPES : [...ARCHETYPES].reverse()) {
        await untilWarm()
        const [took, answer] = await timed(() =>
          answerTo(client, request(archetype, one.query, one.algorithm))
        )
        assertRows(one, answer.results?.[0]?.rows ?? [], expected)
        if (round >= 0) taken.get(archetype)?.push(took)
      }
    }
    const yardstick = quantile(direct, 0.5)
    results.push(
      resultOf(`duckdb directly, ${name}`, direct),
      ...ARCHETYPES.map((archetype) =>
        resultOf(`${archetype}, ${name}`, taken.get(archetype) ?? [], { reference: yardstick })
      )
    )
    say(name)
  }
  return results
}

/**
 * From the HTTP request to the answer, warm agents, three providers on loopback, join and average; against DuckDB answering the
 * same SQL over the same files, asked in turn; then four more algorithms. Every answer is compared with DuckDB's.
 */
export const requestBench: Benchmark = async ({ repetitions = 30, rows = 50_000, say }) =>
  await withLab(
    (dir) => writeInputs(dir, rows),
    async (lab, dir) => {
      const client = await lab.client('Asker')
      const reference: Reference = await openReference(dir)
      const direct: number[] = []
      const taken = new Map<string, number[]>(ARCHETYPES.map((archetype) => [archetype, []]))
      const answers = new Map<string, RequestAnswer[]>(ARCHETYPES.map((archetype) => [archetype, []]))
      for (let round = -WARM_UP; round < repetitions; round += 1) {
        await untilWarm()
        const [time, expected] = await timed(() => reference.ask())
        if (round >= 0) direct.push(time)
        // neither always runs first: what comes right after DuckDB finds the machine in another state
        const order = round % 2 === 0 ? ARCHETYPES : [...ARCHETYPES].reverse()
        for (const [place, archetype] of order.entries()) {
          if (place > 0) await untilWarm()
          const [took, answer] = await timed(() => answerTo(client, request(archetype)))
          assertSame(answer, expected)
          if (answer.archetype !== archetype)
            throw new Error(`expected ${archetype}, found ${answer.archetype}`)
          if (round < 0) continue
          taken.get(archetype)?.push(took)
          answers.get(archetype)?.push(answer)
        }
        say(`round ${round + 1} of ${repetitions}`)
      }
      const expected = await reference.ask()
      const further = await furtherAlgorithms(
        client,
        reference,
        Math.min(repetitions, FURTHER_REPETITIONS),
        say
      )
      reference.close()
      const hurried = new Map<string, number[]>()
      for (const archetype of ARCHETYPES) {
        const times: number[] = []
        for (let round = 0; round < repetitions; round += 1) {
          const [took, answer] = await timed(() => answerTo(client, request(archetype)))
          assertSame(answer, expected)
          times.push(took)
        }
        hurried.set(archetype, times)
        say(`${archetype} back to back`)
      }
      const yardstick = quantile(direct, 0.5)
      return {
        notes: [
          `three providers, ${rows} rows in each of two tables; warm: 2 s between requests; DuckDB and both archetypes in turn`,
          'stages are the agent’s own timing of the same requests'
        ],
        results: [
          resultOf('duckdb directly', direct),
          ...ARCHETYPES.flatMap((archetype) => [
            resultOf(archetype, taken.get(archetype) ?? [], { reference: yardstick }),
            ...stagesOf(archetype, answers.get(archetype) ?? []),
            resultOf(`${archetype}, back to back`, hurried.get(archetype) ?? [], { reference: yardstick })
          ]),
          ...further
        ]
      }
    }
  )
