/**
 * The state of an agent on disk: one SQLite file, one writer, typed tables. Nothing else touches the database.
 *
 * ```ts
 * const store = await openStore('data/state.sqlite')
 * await store.transaction(async (tx) => {
 *   await tx.documents.put({ id, type: 'contract', request, bytes, receivedAt })
 *   await tx.exchanges.put({ request, role: 'hop', state, updatedAt: receivedAt })
 * })
 * ```
 */
export { StateCorrupt, StateInUse, StateTooNew, StorageFull, StoreFailed } from './errors.ts'
export { MIGRATIONS, type Migration } from './migrations/index.ts'
export { openLog, openStore, type Store, type StoreInit, type Transaction } from './store.ts'
export type * from './tables/index.ts'
