import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { hasCode, toError } from '../../protocol/errors/index.ts'
import { LabFailed } from './errors.ts'

const labAgent = z.object({
  pid: z.int().positive(),
  /** Tells the process from a later one of the same number; empty where the system does not say. */
  started: z.string(),
  peerId: z.string(),
  api: z.string(),
  /** File with the token of the first user, or of the steward. */
  token: z.string(),
  config: z.string(),
  log: z.string()
})
const labState = z.object({ agents: z.record(z.string(), labAgent) })

export type LabAgent = z.infer<typeof labAgent>
/** Which processes a lab started. The agents' own files say everything else. */
export type LabState = z.infer<typeof labState>

const fileIn = (dir: string) => join(dir, 'lab.json')

/** @throws {LabFailed} when the file is there and is none of ours */
export async function readState(dir: string): Promise<LabState | undefined> {
  let text: string
  try {
    text = await readFile(fileIn(dir), 'utf8')
  } catch (cause) {
    const error = toError(cause)
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    return labState.parse(JSON.parse(text))
  } catch (cause) {
    throw new LabFailed(`${fileIn(dir)}: expected what "lab up" wrote; remove the file if no lab runs`, {
      cause
    })
  }
}

/** Whole or not at all: it is how the processes are found again. */
export async function writeState(dir: string, state: LabState): Promise<void> {
  const draft = `${fileIn(dir)}.new`
  await writeFile(draft, `${JSON.stringify(state, undefined, 2)}\n`)
  await rename(draft, fileIn(dir))
}

export async function forgetState(dir: string): Promise<void> {
  await rm(fileIn(dir), { force: true })
}
