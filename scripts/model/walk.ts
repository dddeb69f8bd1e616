import { spend } from './budgets.ts'
import { everything, labelOf } from './explore.ts'
import { Liveness } from './liveness.ts'
import { Model } from './model.ts'
import { sequence } from './sequence.ts'
import { BUDGET, WORDS } from './states.ts'

export interface Walked {
  walks: number
  steps: number
  broken: { law: string; walk: number; steps: readonly string[] } | null
}

/** Everything that the bounds leave out together: three epochs, many mishaps, any timers, nobody prompt. */
const WIDE = {
  eager: false,
  begin: 'asked',
  dataProviders: 2,
  epochs: 3,
  budgets: {
    losses: 6,
    duplicates: 6,
    crashes: 4,
    revocations: 2,
    failures: 4,
    cancels: 1,
    leaves: 1,
    timers: 7,
    strikes: 1,
    refusals: 2,
    approvals: 2
  }
} as const

/** After so many steps it is looked at whether all would come to an end from there. */
const KIND_EVERY = 5

/** Walks at random, the same for the same seed. */
export function walk(seed: number, walks: number, length: number): Walked {
  const random = sequence(seed)
  let steps = 0
  let model = new Model(WIDE)
  let kind = new Liveness(model)
  for (let number = 0; number < walks; number++) {
    if (number % 50 === 0) {
      model = new Model(WIDE)
      kind = new Liveness(model)
    }
    let state: Int32Array = model.first()
    let next: Int32Array = new Int32Array(WORDS)
    const way: string[] = []
    // What costs nothing is likelier, or no exchange would get anywhere; in some walks little goes wrong.
    const calm = 0.7 + 0.3 * random()
    for (let step = 0; step < length; step++) {
      const budget = state[BUDGET] ?? 0
      const options = [...everything(model, state, budget, true)]
      const free = options.filter((option) => option.costs === null)
      const from = free.length > 0 && random() < calm ? free : options
      const option = from[Math.floor(random() * from.length)]
      if (option === undefined) break
      const broken = model.apply(state, option, next)
      if (option.costs !== null) next[BUDGET] = spend(budget, option.costs)
      way.push(labelOf(model, option))
      steps++
      const law = broken ?? (step % KIND_EVERY === 0 ? kind.check(next) : null)
      if (law !== null) return { walks: number + 1, steps, broken: { law, walk: number, steps: way } }
      const other = state
      state = next
      next = other
    }
  }
  return { walks, steps, broken: null }
}
