import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { PolicyOperations } from '../api/index.ts'
import { append } from '../audit/index.ts'
import type { Store } from '../store/index.ts'
import { createPolicyOperations, type PolicyOperationsComponents } from './policy-operations.ts'

export interface PolicyDeskComponents extends PolicyOperationsComponents {
  store: Store
  log: { warn(fields: object, message: string): void }
}

export interface PolicyDesk {
  operations: PolicyOperations
  /** For `/health`. */
  problems(): string[]
}

const IN_FORCE = 'policy'

/** Keeps in the log which rules were in force when, and answers the organisation's own people about them. */
export async function openPolicyDesk(components: PolicyDeskComponents): Promise<PolicyDesk> {
  const { policies, store, clock, log } = components
  const note = async (fields: Record<string, string | number | null>, policy?: string) => {
    try {
      await store.transaction(async (tx) => {
        if (policy !== undefined) await tx.settings.set(IN_FORCE, policy)
        await append(tx, { time: clock.now(), kind: 'config', fields: { about: 'policy', ...fields } })
      })
    } catch (error) {
      log.warn({ code: codeOf(error), err: toError(error) }, 'a change of policy could not be logged')
    }
  }
  const enforced = async (previous: string | null, policy: string): Promise<void> =>
    await note({ state: 'in-force', policy, previous, rules: policies.engine.rules.length }, policy)

  const { policy, rules } = policies.engine
  const known = await store.settings.get(IN_FORCE)
  // Nobody wrote rules so far: nothing to tell of.
  if (known === undefined && rules.length === 0) await store.settings.set(IN_FORCE, policy)
  else if (known !== policy) await enforced(known ?? null, policy)
  void readAhead(components)
  policies.onChange((change) => void enforced(change.previous, change.policy))
  policies.onBroken(({ findings: [first] }) => {
    const place = first === undefined ? '' : `${first.file}:${first.line}:${first.column}`.slice(-256)
    void note({ state: 'broken', policy: policies.engine.policy, place })
  })

  return {
    operations: createPolicyOperations(components),
    problems: () => {
      const { broken } = policies.status
      if (broken === null) return []
      const [first] = broken.findings
      const place =
        first === undefined ? '' : `${first.file}:${first.line}:${first.column}: ${first.message}; `
      return [`policy: ${place}the last good rules stay in force (dynamos policy show)`]
    }
  }
}

/** Reading the rules of one agreement takes some milliseconds: better now, one after the other, than in a negotiation. */
async function readAhead({ agreements, policies }: PolicyDeskComponents): Promise<void> {
  for (const { payload } of agreements.inForce()) {
    if (payload.terms.cedar === undefined) continue
    await new Promise((resolve) => setImmediate(resolve))
    policies.engine.objections(payload.terms.cedar)
  }
}
