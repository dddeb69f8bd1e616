import { left, spend } from './budgets.ts'
import type { Model, Option } from './model.ts'
import { describe } from './moves.ts'
import { BUDGET, States, WIRE, WORDS } from './states.ts'
import { PEERS } from './world.ts'

export interface Found {
  law: string
  /** What happened, the shortest way there is within the bounds. */
  steps: readonly string[]
}

export interface Explored {
  states: number
  /** Of these, covered by one that was found later. */
  covered: number
  steps: number
  /** Of the longest of the shortest ways. */
  depth: number
  /** States of a later epoch than the bounds follow. */
  cut: number
  /** Every state within the bounds was seen. */
  exhausted: boolean
  broken: Found | null
}

const FLAGS = 4

/** Breadth first through every state within the bounds. @param check what else is to hold in each state */
export function explore(
  model: Model,
  maxStates: number,
  check: ((state: Int32Array) => string | null) | null = null
): Explored {
  const states = new States(maxStates, model.order)
  const state = model.first()
  const next = new Int32Array(WORDS)
  states.add(state, -1, -1)
  let steps = 0
  let depth = 0
  let levelEnds = 1
  let cut = 0
  let full = false
  const report = (law: string, from: number, option: Option | null): Explored => {
    const way = [...wayTo(states, from, model), ...(option === null ? [] : [labelOf(model, option)])]
    return {
      states: states.size,
      covered: states.size - states.largest,
      steps,
      depth,
      cut,
      exhausted: false,
      broken: { law, steps: way }
    }
  }
  for (let number = 0; number < states.size; number++) {
    if (number === levelEnds) {
      depth++
      levelEnds = states.size
    }
    if (states.isCovered(number)) continue
    states.read(number, state)
    const wrong = check?.(state) ?? null
    if (wrong !== null) return report(wrong, number, null)
    const { coordinator } = model.local(state[0] ?? 0)
    if (coordinator !== null && coordinator.epoch > model.bounds.epochs) {
      cut++
      continue
    }
    const budget = state[BUDGET] ?? 0
    for (const option of everything(model, state, budget, check !== null)) {
      const broken = model.apply(state, option, next)
      if (option.costs !== null) next[BUDGET] = spend(budget, option.costs)
      steps++
      if (broken !== null) return report(broken, number, option)
      model.reduce(next)
      if (states.add(next, number, code(option)) === -2) full = true
    }
    if (full) break
  }
  return {
    states: states.size,
    covered: states.size - states.largest,
    steps,
    depth,
    cut,
    exhausted: !full,
    broken: null
  }
}

/** What may happen within the budgets. @param silent also losses that nobody notices: they matter to liveness alone */
export function* everything(
  model: Model,
  state: Int32Array,
  budget: number,
  silent: boolean
): Generator<Option> {
  const may = (option: Option) => option.costs === null || left(budget, option.costs) > 0
  const crash = left(budget, 'crashes') > 0
  for (const option of model.options(state)) {
    if (!may(option)) continue
    yield option
    if (crash && option.costs === null) yield* model.crashesWithin(state, option)
  }
  if (left(budget, 'duplicates') + left(budget, 'losses') === 0) return
  for (const envelope of model.wire(state[WIRE] ?? 0))
    for (const option of model.mishaps(envelope, silent)) if (may(option)) yield option
}

/** A step in one number. */
function code({ agent, move, takes, costs }: Option): number {
  if (agent < 0) return takes * FLAGS * PEERS.length + FLAGS - 1
  const flag = costs === 'duplicates' ? 1 : 0
  return (move * PEERS.length + agent) * FLAGS + flag
}

function label(model: Model, step: number): string {
  const flag = step % FLAGS
  if (flag === FLAGS - 1) {
    const { from, to, word } = model.envelope(Math.floor(step / FLAGS / PEERS.length))
    return `${word.kind} from ${from} to ${to} is lost`
  }
  const agent = PEERS[Math.floor(step / FLAGS) % PEERS.length] ?? ''
  const text = describe(agent, model.move(Math.floor(step / FLAGS / PEERS.length)))
  return flag === 1 ? `${text}, and will once more` : text
}

export function labelOf(model: Model, option: Option): string {
  return label(model, code(option))
}

function wayTo(states: States, number: number, model: Model): string[] {
  const way: string[] = []
  for (let at = number; states.parent(at) >= 0; at = states.parent(at))
    way.unshift(label(model, states.move(at)))
  return way
}
