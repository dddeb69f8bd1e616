import { Session } from 'node:inspector/promises'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../architecture/sources.ts'

/**
 * Which blocks of this project's code ran, by V8's own counters: an input that reaches a new one is kept to make others from.
 * Counters are of the whole process, so nothing else may measure it (`c8` does, by `NODE_V8_COVERAGE`).
 */
export class Coverage {
  readonly #session = new Session()
  readonly #seen = new Set<string>()

  static async start(): Promise<Coverage> {
    const coverage = new Coverage()
    coverage.#session.connect()
    await coverage.#session.post('Profiler.enable')
    await coverage.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    return coverage
  }

  /** Whether anything ran since the last time that never ran before. */
  async reachedMore(): Promise<boolean> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage')
    const before = this.#seen.size
    for (const { url, functions } of result) {
      if (!isOurs(url)) continue
      for (const { functionName, ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges)
          if (count > 0)
            this.#seen.add(`${url}:${functionName}:${startOffset}-${endOffset}:${magnitude(count)}`)
    }
    return this.#seen.size > before
  }

  get blocks(): number {
    return this.#seen.size
  }

  stop(): void {
    this.#session.disconnect()
  }
}

function isOurs(url: string): boolean {
  if (!url.startsWith('file:')) return false
  const path = fileURLToPath(url.split('?')[0] ?? url)
  return path.startsWith(`${ROOT}/`) && !/\/(node_modules|test|dist)\//.test(path)
}

/** Once, a few times, often: a loop that runs longer is news as well. */
function magnitude(count: number): number {
  return count < 4 ? count : Math.ceil(Math.log2(count)) + 2
}
