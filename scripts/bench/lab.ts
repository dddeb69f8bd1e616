import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { requestView } from '../../agent/api/index.ts'
import { type Client, createClient } from '../../agent/client/index.ts'

const PROGRAM = resolve(dirname(fileURLToPath(import.meta.url)), '../../dist/dynamos.js')
const run = promisify(execFile)

const labView = z.object({
  dir: z.string(),
  agents: z.record(
    z.string(),
    z.object({ peerId: z.string(), api: z.string(), token: z.string(), pid: z.int() })
  )
})

export type RequestAnswer = z.infer<typeof requestView>

/** Between requests, so that sandboxes are ready again: an analyst reads an answer before asking the next thing. */
const PAUSE_MS = 2_000

export async function untilWarm(): Promise<void> {
  await setTimeout(PAUSE_MS)
}

export interface Lab {
  dir: string
  client(agent: string): Promise<Client>
  pid(agent: string): number
}

/** Agents of a topology, each a process of its own, for as long as `use` takes. */
export async function withLab<T>(
  write: (dir: string) => Promise<string>,
  use: (lab: Lab, dir: string) => Promise<T>
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'dynamos-bench-'))
  const labDir = join(dir, 'lab')
  try {
    const topology = await write(dir)
    const { stdout } = await run(process.execPath, [
      PROGRAM,
      'lab',
      'up',
      topology,
      '--dir',
      labDir,
      '--json'
    ])
    const { agents } = labView.parse(JSON.parse(stdout))
    const agent = (name: string) => {
      const found = agents[name]
      if (found === undefined) throw new Error(`expected an agent ${name} in the lab`)
      return found
    }
    return await use(
      {
        dir: labDir,
        client: async (name) => {
          const { api, token } = agent(name)
          return createClient({ url: api, token: (await readFile(token, 'utf8')).trim() })
        },
        pid: (name) => agent(name).pid
      },
      dir
    )
  } finally {
    await run(process.execPath, [PROGRAM, 'lab', 'down', '--dir', labDir]).catch(() => undefined)
    await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

const submitted = z.looseObject({ request: z.string() })

/** @returns the request's id */
export async function submit(client: Client, request: unknown): Promise<string> {
  return (await client.post('/api/v1/requests', { json: request }, submitted)).request
}

/** Submits a request and waits for its end, as a user of the HTTP interface would. */
export async function answerTo(client: Client, request: unknown): Promise<RequestAnswer> {
  const id = await submit(client, request)
  for await (const event of client.events(id)) if (event.phase === 'end') break
  const answer = await client.get(`/api/v1/requests/${id}`, requestView)
  if (answer.status === 'completed') return answer
  throw new Error(
    `expected a completed request, found ${JSON.stringify(answer.error ?? answer.refusals ?? answer.status)}`
  )
}

/** Starts an agent of a lab that is down, by hand: the program, and where its configuration is. */
export const startCommand = (labDir: string, agent: string): [string, string[]] => [
  process.execPath,
  [PROGRAM, 'agent', 'run', '--config', join(labDir, agent, 'agent.yaml'), '--json']
]
