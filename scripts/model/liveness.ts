import type { Model, Option } from './model.ts'
import { sequence } from './sequence.ts'
import { WIRE, WORDS } from './states.ts'
import { PEERS } from './world.ts'

/** From the shortest to the longest in a real agent, after what is only repeated. */
const PATIENCE = [
  'hop approval',
  'coordinator approval',
  'coordinator until',
  'hop startBy',
  'hop grace',
  'hop deadline',
  'coordinator deadline',
  'hop until'
]
const SHORTEST = 'coordinator retryAt'
const MAX_STEPS = 5_000

/**
 * In which order a kind world does what is due. `prompt`: as it comes. `slow`: one agent hears and does something only when
 * nothing is left to happen elsewhere, not even by time. `random`: any of what is due, the same for the same seed.
 */
export type Schedule = 'prompt' | { readonly slow: number } | { readonly random: number }

/**
 * From any state on, a kind world: everything under way arrives, every question is answered, shares are finished, and time goes
 * on when nothing else is left to happen. Then all must end. One kind world for each state and schedule, not every one.
 */
export class Liveness {
  /** States from which all ends, without their budgets. */
  readonly #good = new Set<string>()
  readonly #model: Model
  readonly #slow: number
  readonly #random: (() => number) | null
  /** The most that it took. */
  longest = 0

  constructor(model: Model, schedule: Schedule = 'prompt') {
    this.#model = model
    this.#slow = typeof schedule === 'object' && 'slow' in schedule ? schedule.slow : -1
    this.#random = typeof schedule === 'object' && 'random' in schedule ? sequence(schedule.random) : null
  }

  /** @returns who never ends, or the law that breaks on the way; null: all end */
  check(from: Int32Array): string | null {
    const passed: string[] = []
    let state: Int32Array = from.slice()
    let next: Int32Array = new Int32Array(WORDS)
    let quiet: string | null = null
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const key = state.subarray(0, WIRE + 1).join()
      if (quiet === null && this.#random === null && this.#good.has(key)) return this.#remember(passed)
      if (quiet === null) passed.push(key)
      const options = this.#model.options(state)
      const prompt = options.filter(({ agent }) => agent !== this.#slow)
      let chosen = this.#due(prompt)
      if (chosen === undefined) {
        // Repeating itself once changed nothing: now somebody loses patience.
        const repeats = quiet !== key
        quiet = key
        chosen = this.#timer(prompt, repeats)
        if (chosen === undefined || (!repeats && this.#is(chosen, SHORTEST))) {
          const slow = options.filter(({ agent }) => agent === this.#slow)
          chosen = this.#due(slow) ?? chosen ?? this.#timer(slow, repeats)
        }
        if (chosen === undefined) return this.#ended(state) ?? this.#remember(passed)
        if (!repeats || !this.#is(chosen, SHORTEST)) quiet = null
      }
      const broken = this.#model.apply(state, chosen, next)
      if (broken !== null) return broken
      const other = state
      state = next
      next = other
    }
    return `L1: still something to do after ${MAX_STEPS} steps of a kind world`
  }

  #due(options: readonly Option[]): Option | undefined {
    if (this.#random === null)
      return options.find((option) => option.takes >= 0) ?? options.find((option) => this.#isQuick(option))
    const due = options.filter((option) => option.takes >= 0 || this.#isQuick(option))
    return due[Math.floor(this.#random() * due.length)]
  }

  #remember(passed: readonly string[]): null {
    this.longest = Math.max(this.longest, passed.length)
    for (const key of passed) this.#good.add(key)
    return null
  }

  #isQuick(option: Option): boolean {
    const { do: what } = this.#model.move(option.move)
    return (
      what === 'answer' ||
      what === 'hear itself' ||
      what === 'ask policy whether to continue' ||
      what === 'hear from its people' ||
      what === 'finish its share'
    )
  }

  #is(option: Option, timer: string): boolean {
    const move = this.#model.move(option.move)
    return move.do === 'fire' && `${move.timer.machine} ${move.timer.field}` === timer
  }

  #timer(options: readonly Option[], repeats: boolean): Option | undefined {
    const order = repeats ? [SHORTEST, ...PATIENCE] : [...PATIENCE, SHORTEST]
    for (const timer of order) {
      const option = options.find((one) => this.#is(one, timer))
      if (option !== undefined) return option
    }
    return undefined
  }

  #ended(state: Int32Array): string | null {
    for (const [agent, peer] of PEERS.entries()) {
      const { hop, coordinator, running } = this.#model.local(state[agent] ?? 0)
      const stages = [hop?.stage.phase, coordinator?.stage.phase]
      if (running !== null || stages.some((phase) => phase !== undefined && phase !== 'ended'))
        return `L1: ${peer} never ends (hop ${stages[0] ?? 'none'}, coordinator ${stages[1] ?? 'none'})`
    }
    return null
  }
}
