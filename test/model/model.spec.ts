import { expect } from 'chai'
import { check, hunt, reach } from '../../scripts/model/check.ts'
import { CONFIGURATIONS } from '../../scripts/model/configurations.ts'
import { explore } from '../../scripts/model/explore.ts'
import { Liveness } from '../../scripts/model/liveness.ts'
import { Model } from '../../scripts/model/model.ts'
import { MUTANTS } from '../../scripts/model/mutants.ts'
import { EACH_STATE } from '../../scripts/model/reductions.ts'
import { RULES } from '../../scripts/model/rules.ts'
import { walk } from '../../scripts/model/walk.ts'
import { PEERS } from '../../scripts/model/world.ts'

/** The bounds are numbers of states; the time is only for a machine that hangs. */
const PATIENCE = 600_000

/** A law that holds because nothing ever happens would be worth nothing. */
const REACHED = [
  [{}, 'completed', 1],
  [{ crashes: 1 }, 'completed', 1],
  [{ losses: 1 }, 'completed', 2],
  [{ failures: 1 }, 'completed', 2],
  [{ revocations: 1 }, 'completed', 2],
  [{ cancels: 1 }, 'cancelled', 1],
  [{ crashes: 1 }, 'failed', 1]
] as const

describe('the negotiation machines, through every order of events within the bounds', function () {
  this.timeout(PATIENCE)

  for (const configuration of CONFIGURATIONS)
    it(`keep their laws: ${configuration.name}`, () => {
      const { broken, exhausted } = check(configuration)
      expect(broken).to.equal(null)
      expect(exhausted).to.equal(true)
    })

  for (const [budgets, result, epoch] of REACHED)
    it(`do get somewhere there: ${result}, epoch ${epoch}, with ${JSON.stringify(budgets)}`, () => {
      const bounds = { eager: true, begin: 'proposed', dataProviders: 2, epochs: 2, budgets } as const
      expect(reach(bounds, result, epoch)).to.not.equal(null)
    })

  const budgets = { losses: 1, crashes: 1 }
  const small = { eager: true, begin: 'proposed', dataProviders: 1, epochs: 2, budgets } as const
  for (const schedule of [...PEERS.map((_, slow) => ({ slow })), ...[1, 2, 3].map((random) => ({ random }))])
    it(`come to an end, whoever is slow and in whatever order: ${JSON.stringify(schedule)}`, () => {
      const model = new Model(small, RULES, EACH_STATE)
      const kind = new Liveness(model, schedule)
      const { broken, exhausted } = explore(model, 200_000, (state) => kind.check(state))
      expect(broken).to.equal(null)
      expect(exhausted).to.equal(true)
    })

  for (const mutant of MUTANTS)
    it(`are told apart from a fault: ${mutant.name}`, () => {
      expect(hunt(mutant)?.law).to.match(mutant.breaks)
    })

  it('keep their laws on walks at random beyond the bounds', () => {
    const seed = Number(process.env.MODEL_SEED ?? Date.now() % 2 ** 31)
    const { broken } = walk(seed, 200, 300)
    expect(broken, `seed ${seed}`).to.equal(null)
  })
})
