import type { Benchmark } from './benchmark.ts'
import { request, writeInputs } from './data.ts'
import { answerTo, type RequestAnswer, untilWarm, withLab } from './lab.ts'
import { resultOf } from './statistics.ts'

const WARM_UP = 3
/** As the answer names them; `negotiate` is the sum of the last three. */
const STAGES = ['discover', 'negotiate', 'offer', 'compose', 'accept']

/**
 * From the request to the start with three providers: discovery, offers, contract and acceptances, as the agent times them in
 * whole requests over small tables. What is run afterwards does not count.
 */
export const negotiateBench: Benchmark = async ({ repetitions = 30, rows = 100, say }) =>
  await withLab(
    (dir) => writeInputs(dir, rows),
    async (lab) => {
      const client = await lab.client('Asker')
      const timings: RequestAnswer['timing'][] = []
      for (let round = -WARM_UP; round < repetitions; round += 1) {
        await untilWarm()
        const { timing } = await answerTo(client, request('computeToData'))
        if (round < 0) continue
        timings.push(timing)
        say(`round ${round + 1} of ${repetitions}`)
      }
      const of = (stage: string) => timings.map((timing) => timing[stage] ?? Number.NaN)
      const discover = of('discover')
      return {
        notes: [
          'from the timing of whole requests over small tables: discover and negotiate, without execute'
        ],
        results: [
          resultOf(
            'request to start',
            of('negotiate').map((time, round) => time + (discover[round] ?? Number.NaN))
          ),
          ...STAGES.map((stage) => resultOf(stage, of(stage)))
        ]
      }
    }
  )
