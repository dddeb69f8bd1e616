import { expect } from 'chai'
import { compose } from '../../agent/composition/index.ts'
import { viewAnswer } from '../../agent/requests/view-answer.ts'
import { answersOf, aRefusal, aRequest, compositionOf, ROW, RUG, SARA, SURF, TUD, VU } from './market.ts'

const DENIES = { 2: { refuse: 'compute-provider-not-permitted' as const, clause: 'wages#computeProviders' } }

describe('what each hop said of each candidate', () => {
  it('is told of the data providers and the compute provider of that row, in the order of the data', async () => {
    const dossier = await aRequest()
    const answers = await answersOf(dossier, [[VU], [RUG, { rows: DENIES }], [TUD], [SURF], [SARA]])
    const { candidates } = compose(compositionOf(dossier, answers))
    const said = candidates.map((one) =>
      one.answers.map(({ hop, question, verdict }) => [hop, question, verdict].join(' '))
    )
    const providers = ['VU offer permit', 'RUG offer permit', 'TUD offer permit']
    expect(said[ROW.atData]).to.deep.equal(providers)
    expect(said[ROW.surf]).to.deep.equal([...providers, 'SURF host permit'])
    expect(said[ROW.sara]).to.deep.equal([
      'VU offer permit',
      'RUG offer deny',
      'TUD offer permit',
      'SARA host permit'
    ])
  })

  it('is asked of a host as hosting, of a recipient as acceptance, although one agent may be both', async () => {
    const dossier = await aRequest({ recipients: ['SARA'] })
    const rows = {
      0: { refuse: 'policy-forbids' as const, clause: 'delivery#asked' },
      1: { refuse: 'policy-forbids' as const },
      2: { refuse: 'hosting-not-offered' as const, clause: 'hosting#for' }
    }
    const answers = await answersOf(dossier, [
      [VU],
      [RUG],
      [TUD],
      [SURF],
      [SARA, { as: ['infrastructure', 'recipient'], rows }]
    ])
    const input = compositionOf(dossier, answers, { recipient: { peer: SARA.peer, organisation: 'SARA' } })
    const { candidates, refusals } = compose(input)
    const questions = candidates.map((one) => one.answers.find(({ hop }) => hop === 'SARA')?.question)
    expect(questions).to.deep.equal(['accept', 'accept', 'host'])
    expect(refusals.filter(({ hop }) => hop === 'SARA').map(({ question }) => question)).to.deep.equal([
      'accept',
      'accept',
      'host'
    ])
  })

  it('names a hop that gave no answer or dropped out, with the code of why', async () => {
    const dossier = await aRequest()
    const answers = await answersOf(dossier, [[VU], [TUD], [SURF], [SARA]])
    const silent = [{ peer: RUG.peer, organisation: 'RUG', refusal: aRefusal('provider-missing') }]
    const without = new Map([[SURF.peer, 'party-lost']])
    const { candidates } = compose(compositionOf(dossier, answers, { silent, without }))
    const none = candidates[ROW.surf]?.answers.flatMap((one) =>
      one.verdict === 'none' ? [[one.hop, one.code]] : []
    )
    expect(none).to.deep.equal([
      ['RUG', 'provider-missing'],
      ['SURF', 'party-lost']
    ])
  })

  it('is shown within bounds', () => {
    const refusal = {
      ...aRefusal('column-not-permitted', 'wages#columns'),
      reason: 'r'.repeat(4096),
      acceptable: { columns: Array.from({ length: 256 }, (_, index) => `column${index}`) }
    }
    const view = viewAnswer({ hop: 'VU', question: 'offer', verdict: 'deny', refusal })
    expect(view.reason).to.have.length(1000)
    expect(view.acceptable?.columns).to.have.length(64)
    expect(view).to.include({ hop: 'VU', code: 'column-not-permitted', clause: 'wages#columns' })
  })

  it('holds neither clause nor what would be acceptable where the hop gave none', () => {
    const view = viewAnswer({
      hop: 'VU',
      question: 'offer',
      verdict: 'deny',
      refusal: aRefusal('no-agreement')
    })
    expect(view).to.have.all.keys('hop', 'question', 'verdict', 'code', 'reason')
  })
})
