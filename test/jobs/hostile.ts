import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { JobFailed, JobFolder, Launcher } from '../../agent/jobs/index.ts'
import type { Assignment, JobLimits } from '../../services/index.ts'
import { failureOf, LIMITS } from './launchers.ts'

/** Takes the place of the runner, and does whatever the order's text says. */
export const HOSTILE = fileURLToPath(new URL('./hostile-runner.mjs', import.meta.url))
export const FS = "const fs = await load('node:fs/promises');"

export interface Attacks {
  attack(code: string, limits?: Partial<JobLimits>, signal?: AbortSignal): Promise<JobFailed>
  /** What the code saw, when the job lived to tell. */
  sees(code: string, limits?: Partial<JobLimits>): Promise<unknown>
}

/** Attacks by a job of the launcher and folder of the moment. */
export function attacks(where: () => { launcher: Launcher; folder: JobFolder }): Attacks {
  const attack: Attacks['attack'] = async (code, limits = {}, signal) => {
    const { launcher, folder } = where()
    const options = signal === undefined ? {} : { signal }
    return await failureOf(launcher.run(anOrder(code), folder, { ...LIMITS, ...limits }, options))
  }
  return {
    attack,
    async sees(code, limits = {}) {
      const failure = await attack(code, limits)
      expect(failure.code, failure.localMessage).to.equal('internal')
      return JSON.parse(failure.localMessage)
    }
  }
}

export function anOrder(sql: string): Extract<Assignment, { kind: 'query' }> {
  const inputs = [{ kind: 'parts' as const, from: 'X', paths: [] }]
  return { kind: 'query', inputs, steps: [{ service: 'query', sql }], partBytes: 1 }
}

/** Command lines on this host that hold a word. */
export async function hostProcesses(word: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line.includes(word))
}
