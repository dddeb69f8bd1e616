import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { PolicyOperations } from '../api/index.ts'
import { append } from '../audit/index.ts'
import { computesAtData } from '../composition/index.ts'
import type { AgentConfig } from '../config/index.ts'
import type { Datasets } from '../datasets/index.ts'
import { PastRequests } from '../decisions/index.ts'
import type { Policies } from '../policies/index.ts'
import type { Foundations } from './foundations.ts'
import { knownNames } from './known-names.ts'
import { createPolicyOperations } from './policy-operations.ts'

export interface PolicyDesk {
  operations: PolicyOperations
  /** For `/health`. */
  problems(): string[]
}

const IN_FORCE = 'policy'

/** Keeps in the log which rules were in force when, and answers the organisation's own people about them. */
export async function openPolicyDesk(
  config: Pick<AgentConfig, 'roles' | 'decisionPoint'>,
  base: Foundations,
  {
    agreements,
    datasets,
    exchanges
  }: { agreements: Agreements; datasets: Datasets; exchanges: { reconsider(): void } }
): Promise<PolicyDesk> {
  const { policies, store, clock, log, members, archetypes } = base
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
  void readAhead(agreements, policies)
  policies.onChange((change) => void enforced(change.previous, change.policy))
  // Whatever runs was permitted by rules that are not in force any more.
  policies.onChange(() => exchanges.reconsider())
  policies.onBroken(({ findings: [first] }) => {
    const place = first === undefined ? '' : `${first.file}:${first.line}:${first.column}`.slice(-256)
    void note({ state: 'broken', policy: policies.engine.policy, place })
  })
  policies.watch()

  return {
    operations: createPolicyOperations({
      policies,
      agreements,
      members,
      past: new PastRequests({ ...base, datasets }),
      roles: config.roles,
      decisionPoint: config.decisionPoint?.url ?? null,
      clock,
      names: () => knownNames(base, datasets),
      needsHost: (archetype) => {
        const body = archetypes.get(archetype)
        return body === undefined ? undefined : !computesAtData(body)
      }
    }),
    // Whoever reaches the port reads it: what is wrong, and where, is told to this organisation's people alone.
    problems: () =>
      policies.status.broken === null
        ? []
        : [
            'policy: the folder cannot be used as it is; the last good rules stay in force (dynamos policy show)'
          ]
  }
}

/** Reading the rules of one agreement takes some milliseconds: better now, one after the other, than in a negotiation. */
async function readAhead(agreements: Agreements, policies: Policies): Promise<void> {
  for (const { payload } of agreements.inForce()) {
    if (payload.terms.cedar === undefined) continue
    await new Promise((resolve) => setImmediate(resolve))
    policies.engine.objections(payload.terms.cedar)
  }
}
