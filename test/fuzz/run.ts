import { writeFileSync } from 'node:fs'
import { keptInputs } from './corpus.ts'
import type { Coverage } from './coverage.ts'
import { Random } from './random.ts'
import { answerOf, type Target } from './target.ts'

/** What one input may add to the most memory that the process ever held. */
const MAX_GROWTH_KIB = 96 * 1024
const MAX_INPUT_BYTES = 65_536
/** How many inputs others are made from. */
const MAX_POOL = 2_000

export interface RunOptions {
  readonly runs: number
  readonly seed: number
  readonly coverage?: Coverage
  /** Where the input that is being read lies, for when the process does not live to tell. */
  readonly current?: string
}

export interface Run {
  readonly target: string
  readonly runs: number
  /** Kinds of answer that were got. */
  readonly answers: ReadonlyMap<string, number>
  /** Inputs that got a new kind of answer, or reached new code. */
  readonly news: readonly Uint8Array[]
}

/** An input that crashes its reader, or makes it take too much memory. */
export class Crash extends Error {
  static override readonly name = 'Crash'
  readonly input: Uint8Array

  constructor(target: string, input: Uint8Array, cause: unknown) {
    const shown = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    super(`${target}: ${shown}`, { cause })
    this.input = input
  }
}

/** Reads one input and minds the memory it takes. @throws {Crash} */
export async function readOne(target: Target, input: Uint8Array): Promise<string> {
  const before = process.resourceUsage().maxRSS
  try {
    const answer = await answerOf(target, input)
    const grown = process.resourceUsage().maxRSS - before
    if (grown > MAX_GROWTH_KIB) throw new Error(`${grown} KiB of memory for ${input.byteLength} bytes`)
    return answer
  } catch (thrown) {
    throw new Crash(target.name, input, thrown)
  }
}

/**
 * Makes inputs from seeds and kept inputs and reads them. The same seed makes the same inputs.
 *
 * @throws {Crash} at the first input that gets no answer
 */
export async function run(target: Target, options: RunOptions): Promise<Run> {
  const random = new Random(options.seed)
  const { coverage, current } = options
  const pool = [...(await target.seeds()), ...(await keptInputs(target.name)).map(({ bytes }) => bytes)]
  const answers = new Map<string, number>()
  const news: Uint8Array[] = []
  for (const input of pool) answers.set(await readOne(target, input), 0)
  await coverage?.reachedMore()
  const maxBytes = target.maxBytes ?? MAX_INPUT_BYTES
  const runs = Math.ceil(options.runs / (target.oneIn ?? 1))
  for (let made = 0; made < runs; made += 1) {
    const from = random.pick(pool) ?? new Uint8Array()
    const other = random.pick(pool) ?? from
    const input = target.mutate(from, random, other).subarray(0, maxBytes)
    if (current !== undefined) writeFileSync(current, input)
    const answer = await readOne(target, input)
    const known = answers.get(answer)
    answers.set(answer, (known ?? 0) + 1)
    const reached = (await coverage?.reachedMore()) ?? false
    if (known !== undefined && !reached) continue
    news.push(input)
    if (pool.length < MAX_POOL) pool.push(input)
  }
  return { target: target.name, runs, answers, news }
}
