import { expect } from 'chai'
import type { Ending } from '../../agent/agreements/index.ts'
import { endedAgreement, sinceStart } from '../../agent/decisions/objections.ts'
import type { RefusalCode } from '../../protocol/documents/index.ts'

const refusalOf = (code: RefusalCode) => ({
  code,
  clause: null,
  reason: 'a rule forbids it',
  acceptable: null,
  position: null
})
const ending = (why: Ending['why']): Ending => ({
  agreement: 'bafy',
  name: 'wages',
  provider: 'VU',
  dataset: 'wages',
  why,
  effect: 'stop',
  by: why === 'revoked' ? 'UVA' : null,
  reason: null,
  at: 0
})

describe('an objection to what runs', () => {
  it('says how the agreement ended, when, and by whom', () => {
    const said = (['revoked', 'superseded', 'expired'] as const).map((why) =>
      endedAgreement('bafy', { ending: () => ending(why) })
    )
    expect(said.map(({ code }) => code)).to.deep.equal([
      'agreement-revoked',
      'agreement-superseded',
      'agreement-expired'
    ])
    expect(said[0]?.reason).to.include('revoked by UVA; it ended 1970-01-01T00:00:00.000Z')
    expect(endedAgreement('bafy', { ending: () => undefined }).code).to.equal('no-agreement')
  })

  it('blames other rules only where they are others than at the start', () => {
    const objection = { refusal: refusalOf('policy-forbids'), hop: 'VU' }
    expect(sinceStart(objection, 'then', 'now').refusal.code).to.equal('policy-changed')
    for (const then of ['now', undefined])
      expect(sinceStart(objection, then, 'now').refusal.code, 'only time has passed').to.equal(
        'policy-forbids'
      )
    const expelled = { refusal: refusalOf('expelled'), hop: 'SURF' }
    expect(sinceStart(expelled, 'then', 'now')).to.deep.equal(expelled)
  })
})
