import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Operations } from '../../agent/api/index.ts'
import { fakeApi, TOKEN } from '../api/fake-operations.ts'

/** What `r.yaml` in the folder asks. */
export const REQUEST = 'purpose: research\ndatasets: [wageGap]\nquery: SELECT a FROM b\n'

export interface FakeAgents {
  /** New for each test. */
  readonly folder: string
  readonly token: string
  /** Lets an agent with these operations listen. @returns the options that lead a command to it */
  listen(changes?: Partial<Operations>): Promise<string[]>
}

/** Agents to talk to, for the suite that this is called in; none outlives its test. */
export function fakeAgents(): FakeAgents {
  let folder = ''
  const open: FastifyInstance[] = []
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dynamos-cli-'))
    await writeFile(join(folder, 'token'), `${TOKEN}\n`)
    await writeFile(join(folder, 'r.yaml'), REQUEST)
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((api) => api.close()))
    await rm(folder, { recursive: true })
  })
  return {
    get folder() {
      return folder
    },
    get token() {
      return join(folder, 'token')
    },
    async listen(changes = {}) {
      const api = fakeApi(changes)
      open.push(api)
      const address = await api.listen({ host: '127.0.0.1', port: 0 })
      return ['--agent', address, '--token', join(folder, 'token')]
    }
  }
}
