import { expect } from 'chai'
import { check, hunt } from '../../scripts/model/check.ts'
import { CONFIGURATIONS } from '../../scripts/model/configurations.ts'
import { MUTANTS } from '../../scripts/model/mutants.ts'
import { walk } from '../../scripts/model/walk.ts'

/** The bounds are numbers of states; the time is only for a machine that hangs. */
const PATIENCE = 600_000

describe('the negotiation machines, through every order of events within the bounds', function () {
  this.timeout(PATIENCE)

  for (const configuration of CONFIGURATIONS)
    it(`keep their laws: ${configuration.name}`, () => {
      const { broken, exhausted } = check(configuration)
      expect(broken).to.equal(null)
      expect(exhausted).to.equal(true)
    })

  for (const mutant of MUTANTS)
    it(`are told apart from a fault: ${mutant.name}`, () => {
      expect(hunt(mutant)?.law).to.match(mutant.breaks)
    })

  it('keep their laws on walks at random beyond the bounds', () => {
    const seed = Number(process.env.MODEL_SEED ?? Date.now() % 2 ** 31)
    const { broken } = walk(seed, 60, 300)
    expect(broken, `seed ${seed}`).to.equal(null)
  })
})
