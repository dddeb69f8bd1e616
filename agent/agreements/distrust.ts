import type { Signed } from '../../protocol/documents/index.ts'
import { readLog } from '../audit/index.ts'
import type { Members } from '../membership/index.ts'
import type { AgreementState, Store } from '../store/index.ts'
import { signedBy } from './verify.ts'

type Agreement = Signed<'agreement'>

interface DistrustComponents {
  store: Store
  members: Members
  log: { warn(fields: object, message: string): void }
  /** What is in force changed. */
  enforced(): void
}

/** What came into force here under a key that was somebody else's by then: it counts for nothing until it is signed anew. */
export class Distrust {
  readonly #components: DistrustComponents
  #ids: ReadonlySet<string> = new Set()

  constructor(components: DistrustComponents) {
    this.#components = components
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  without(agreements: Agreement[]): Agreement[] {
    return this.#ids.size === 0 ? agreements : agreements.filter(({ id }) => !this.has(id))
  }

  /** As people see them: a distrusted one has still to be signed. */
  shown<T extends { agreement: Agreement; state: AgreementState }>(all: readonly T[]): T[] {
    return all.map((one) => (this.has(one.agreement.id) ? { ...one, state: 'proposed' } : one))
  }

  /** To be called when the status list changes and when an agreement is signed anew. */
  async judge(inForce: readonly Agreement[]): Promise<void> {
    const { members, log, enforced } = this.#components
    const before = this.#ids
    // A signature may have come at any time: what was in force before the key was stolen was signed before.
    const doubtful = inForce.filter(({ signers }) =>
      signers.some((signer) => members.expulsionOf(signer)?.stolenFrom !== undefined)
    )
    const since = doubtful.length === 0 ? new Map<string, number>() : await this.#inForceSince()
    const distrusted = doubtful.filter((agreement) => {
      const held = since.get(agreement.id) ?? Number.MAX_SAFE_INTEGER
      const stolen = agreement.signers.filter((signer) => members.distrusts(signer, held))
      if (stolen.length === 0) return false
      return signedBy(agreement, members, held).length < agreement.payload.parties.length
    })
    this.#ids = new Set(distrusted.map(({ id }) => id))
    for (const { id, payload } of distrusted)
      if (!before.has(id))
        log.warn(
          { agreement: id, name: payload.name, code: 'expelled' },
          'an agreement was signed by a stolen key'
        )
    if (distrusted.length !== before.size || distrusted.some(({ id }) => !before.has(id))) enforced()
  }

  /** By the log, which nobody can backdate. */
  async #inForceSince(): Promise<Map<string, number>> {
    const since = new Map<string, number>()
    for (let from = 1; ; ) {
      const page = await readLog(this.#components.store, { from })
      for (const { entry } of page) {
        if (entry.kind !== 'agreement' || entry.document === undefined) continue
        if (entry.fields.state === 'in-force' && !since.has(entry.document))
          since.set(entry.document, entry.time)
      }
      const last = page.at(-1)
      if (last === undefined) return since
      from = last.sequence + 1
    }
  }
}
