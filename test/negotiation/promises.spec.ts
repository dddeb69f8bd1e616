import fc from 'fast-check'
import { Network, type Setup } from './network.ts'
import { type Move, play, TRICKS } from './scheduler.ts'

const setup: fc.Arbitrary<Setup> = fc.record({
  dataHops: fc.integer({ min: 1, max: 4 }),
  infrastructure: fc.boolean(),
  recipient: fc.constantFrom('requester', 'other', 'data'),
  requesterHoldsData: fc.boolean(),
  hostile: fc.constantFrom('nobody', 'nobody', 'data', 'infrastructure', 'requester', 'recipient'),
  approval: fc.record({ of: fc.constantFrom('nobody', 'nobody', 'first', 'all'), sleeps: fc.boolean() })
})

/** Each run has its own few tricks, some often and some never: all at once would never let an exchange get anywhere. */
const schedule: fc.Arbitrary<Move[]> = fc.subarray([...TRICKS], { maxLength: 5 }).chain((tricks) =>
  fc.array(
    fc.record({
      move: fc.oneof(
        { arbitrary: fc.constant('forward' as const), weight: 4 },
        ...tricks.map((trick) => ({ arbitrary: fc.constant(trick), weight: 1 }))
      ),
      pick: fc.nat({ max: 1 << 16 })
    }),
    { minLength: 10, maxLength: 150, size: 'max' }
  )
)

describe('negotiation, whatever the network, the clocks, the crashes and one liar do', () => {
  it('keeps promises 1, 3 and 6', function () {
    this.timeout(120_000)
    fc.assert(
      fc.property(setup, schedule, (chosen, moves) => {
        const network = new Network(chosen)
        network.assertInvariants()
        for (const move of moves) {
          play(network, move)
          network.assertInvariants()
        }
        network.settle()
      }),
      { numRuns: Number(process.env.NEGOTIATION_RUNS ?? 2_000) }
    )
  })
})
