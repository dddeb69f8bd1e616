import type { OutcomeView } from '../../protocol/negotiation/index.ts'
import type { Bounds } from './beginning.ts'
import type { Configuration } from './configurations.ts'
import { type Explored, explore, type Found } from './explore.ts'
import { Liveness } from './liveness.ts'
import { Model } from './model.ts'
import type { Mutant } from './mutants.ts'
import { ALL, EACH_STATE, NONE, type Reductions } from './reductions.ts'
import { RULES } from './rules.ts'

export interface Checked extends Explored {
  name: string
  /** The longest way to the end of all, where that was looked at. */
  longest: number | null
  /** Of one core. */
  seconds: number
}

export function check({ name, bounds, maxStates, liveness = false }: Configuration): Checked {
  const begun = process.cpuUsage().user
  const model = new Model(bounds, RULES, liveness ? EACH_STATE : ALL)
  const kind = liveness ? new Liveness(model) : null
  const explored = explore(model, maxStates, kind === null ? null : (state) => kind.check(state))
  const seconds = (process.cpuUsage().user - begun) / 1e6
  return { ...explored, name, longest: kind?.longest ?? null, seconds }
}

/** How the fault was found; null: it was not. */
export function hunt(
  { bounds, rules, liveness = false }: Mutant,
  reductions: Reductions = NONE
): Found | null {
  const model = new Model(bounds, rules, reductions)
  const kind = liveness ? new Liveness(model) : null
  return explore(model, MUTANT_STATES, kind === null ? null : (state) => kind.check(state)).broken
}

/** The shortest way to a state in which the requester's agent has signed such an end; null: there is none. */
export function reach(bounds: Bounds, result: OutcomeView['result'], epoch: number): Found | null {
  const model = new Model(bounds)
  const found = explore(model, MUTANT_STATES, (state) => {
    const outcome = model.local(state[0] ?? 0).outcome
    const contract = model.around.contracts.get(outcome?.contract ?? '')
    return outcome?.result === result && contract?.epoch === epoch ? 'reached' : null
  })
  return found.broken
}

const MUTANT_STATES = 300_000
