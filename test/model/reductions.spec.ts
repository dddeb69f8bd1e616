import { expect } from 'chai'
import type { Bounds } from '../../scripts/model/beginning.ts'
import { textOf } from '../../scripts/model/canonical.ts'
import { hunt } from '../../scripts/model/check.ts'
import { everything, explore } from '../../scripts/model/explore.ts'
import { formOf, mirrored, withoutFuture } from '../../scripts/model/forms.ts'
import { Model } from '../../scripts/model/model.ts'
import { MUTANTS } from '../../scripts/model/mutants.ts'
import { ALL, NONE, type Reductions } from '../../scripts/model/reductions.ts'
import { RULES } from '../../scripts/model/rules.ts'
import { BUDGET, WORDS } from '../../scripts/model/states.ts'
import { PEERS } from '../../scripts/model/world.ts'

const ROOM = 600_000
const TWO = { eager: true, begin: 'proposed', dataProviders: 2, epochs: 2 } as const
const ONE = { ...TWO, dataProviders: 1 } as const

/** All that four agents can come to be at the same time, whatever is under way: one text for those that the forms do not tell apart. */
function meetings(bounds: Bounds, reductions: Reductions): Set<string> {
  const model = new Model(bounds, RULES, reductions)
  const texts = new Map<number, readonly [string, string]>()
  const textsOf = (number: number): readonly [string, string] => {
    const known = texts.get(number)
    if (known !== undefined) return known
    const form = withoutFuture(formOf(model.local(number)), false, false)
    const both = [textOf(form), textOf(formOf(mirrored(form)))] as const
    texts.set(number, both)
    return both
  }
  const found = new Set<string>()
  const { broken, exhausted } = explore(model, ROOM, (state) => {
    const [asker, one, two, compute] = [0, 1, 2, 3].map((agent) => textsOf(state[agent] ?? 0))
    if (asker === undefined || one === undefined || two === undefined || compute === undefined) return 'lost'
    const straight = [asker[0], one[0], two[0], compute[0]].join()
    const exchanged = [asker[1], two[1], one[1], compute[1]].join()
    found.add(bounds.dataProviders === 2 && exchanged < straight ? exchanged : straight)
    return null
  })
  expect(broken).to.equal(null)
  expect(exhausted).to.equal(true)
  return found
}

function missing(some: ReadonlySet<string>, all: ReadonlySet<string>): string[] {
  return [...some].filter((one) => !all.has(one)).slice(0, 1)
}

describe('the reductions of the model check', function () {
  this.timeout(600_000)

  const compared: readonly Bounds[] = [
    { ...TWO, budgets: {} },
    { ...TWO, budgets: { crashes: 1 } },
    { ...ONE, budgets: { losses: 1, duplicates: 1 } },
    { ...ONE, budgets: { crashes: 1, revocations: 1 } },
    { ...ONE, budgets: { failures: 1, timers: 1 } },
    { ...ONE, budgets: { strikes: 1 } },
    { ...ONE, begin: 'asked', eager: false, budgets: { refusals: 1 } },
    { ...ONE, begin: 'asked', budgets: { approvals: 1 } }
  ]
  for (const bounds of compared)
    it(`lose nothing that agents can come to: ${JSON.stringify(bounds.budgets)}, ${bounds.dataProviders}`, () => {
      const whole = meetings(bounds, NONE)
      const reduced = meetings(bounds, ALL)
      expect(missing(whole, reduced)).to.deep.equal([])
      expect(missing(reduced, whole)).to.deep.equal([])
    })

  it('lose nothing where words arrive any number of times, which is more than one duplicate', () => {
    const budgets = { losses: 1, crashes: 1 }
    const whole = meetings({ ...ONE, budgets: { ...budgets, duplicates: 1 } }, NONE)
    const wider = meetings({ ...ONE, budgets, anyRepeats: true }, ALL)
    expect(missing(whole, wider)).to.deep.equal([])
  })

  it('know that the data providers may change places: what follows from a state follows, exchanged, from the other', () => {
    const reductions = { ...ALL, mirror: false }
    const budgets = { crashes: 1, revocations: 1, losses: 1 }
    const model = new Model({ ...TWO, epochs: 1, anyRepeats: true, budgets }, RULES, reductions)
    const following = (state: Int32Array): Set<string> => {
      const next = new Int32Array(WORDS)
      const found = new Set<string>()
      for (const option of everything(model, state, state[BUDGET] ?? 0, false)) {
        model.apply(state, option, next)
        found.add(next.join())
      }
      return found
    }
    const other = new Int32Array(WORDS)
    const { exhausted } = explore(model, ROOM, (state) => {
      model.mirror.exchange(state, other)
      const expected = following(other)
      for (const text of following(state)) {
        const next = Int32Array.from(text.split(','), Number)
        model.mirror.exchange(next, next)
        if (!expected.has(next.join())) return `${PEERS.length} agents: one of them has no counterpart`
      }
      return null
    })
    expect(exhausted).to.equal(true)
  })

  for (const mutant of MUTANTS.filter(({ liveness = false }) => !liveness))
    it(`find the same fault: ${mutant.name}`, () => {
      expect(hunt(mutant, ALL)?.law).to.match(mutant.breaks)
    })
})
