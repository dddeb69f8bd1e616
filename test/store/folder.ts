import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type Store, type StoreInit } from '../../agent/store/index.ts'

/** A state file in a folder of its own, removed after each test together with the stores that were opened. */
export function stateFolder() {
  let folder = ''
  let stores: Store[] = []
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'store-'))
    stores = []
  })
  afterEach(async () => {
    for (const store of stores) await store.close()
    await rm(folder, { recursive: true })
  })
  return {
    get file() {
      return join(folder, 'data', 'state.sqlite')
    },
    async open(init: StoreInit = {}): Promise<Store> {
      const store = await openStore(join(folder, 'data', 'state.sqlite'), init)
      stores.push(store)
      return store
    }
  }
}

export async function rejectionOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('expected a rejection')
}

export function aRequest(id: string, overrides: { idempotencyKey?: string; submission?: unknown } = {}) {
  return {
    id,
    user: 'analyst@uva.nl',
    status: 'queued',
    submission: { query: 'SELECT 1' },
    view: { request: id },
    at: 1,
    ...overrides
  }
}
