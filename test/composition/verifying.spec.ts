import { expect } from 'chai'
import { type CompositionInput, compose } from '../../agent/composition/index.ts'
import {
  anAgent,
  answersOf,
  aRequest,
  compositionOf,
  EVENLY,
  HOLDERS,
  manifests,
  NOW,
  ROW,
  RUG,
  SARA,
  SURF,
  TUD,
  UVA,
  VU
} from './market.ts'

type Specs = Parameters<typeof answersOf>[1]

async function composed(
  verify: string,
  overrides: Partial<CompositionInput> = {},
  { specs = [], request = {} }: { specs?: Specs; request?: Parameters<typeof aRequest>[0] } = {}
) {
  const dossier = await aRequest({ verify, ...request })
  const agents = [...HOLDERS, SURF, SARA].map(
    (agent) => specs.find(([one]) => one === agent) ?? ([agent] as const)
  )
  return compose(compositionOf(dossier, await answersOf(dossier, agents), overrides))
}

describe('Steps that are to be run again elsewhere', () => {
  it('are placed twice, over flows of their own, and their results both go to the recipient', async () => {
    const { plan } = await composed(SARA.peer)
    expect(plan?.infrastructure?.organisation).to.equal('SURF')
    expect(plan?.verifier?.organisation).to.equal('SARA')
    const at = (peer: string) =>
      plan?.chain.steps.filter((step) => step.at === peer).map(({ service }) => service)
    expect(at(SARA.peer)).to.deep.equal(at(SURF.peer))
    const into = (peer: string) =>
      plan?.chain.flows.filter(({ to }) => to === peer).map(({ from, step }) => [from, step])
    expect(into(SARA.peer)).to.deep.equal(into(SURF.peer))
    expect(into(UVA.peer)?.map(([from]) => from)).to.deep.equal([SURF.peer, SARA.peer])
  })

  it('leave the placements without a third party out of the candidates, and say why', async () => {
    const { candidates } = await composed(SARA.peer)
    expect(candidates[ROW.atData]?.why).to.match(
      /^verify-not-possible: each data provider computes by itself/
    )
    expect(candidates[ROW.sara]?.why).to.equal(
      'verify-not-possible: SARA cannot run again what it runs itself'
    )
    expect(candidates[ROW.surf]?.answers.map(({ hop, question }) => `${hop} ${question}`)).to.include(
      'SARA host'
    )
  })

  it('are refused where no placement is left that can be repeated', async () => {
    const { plan, refusals } = await composed(
      SARA.peer,
      {},
      {
        request: { rows: [{ archetype: 'computeToData', infrastructure: null }] }
      }
    )
    expect(plan).to.equal(null)
    expect(refusals.map(({ refusal }) => refusal.code)).to.deep.equal(['verify-not-possible'])
  })

  it('are not run again by a data provider, nor by who receives the result', async () => {
    for (const [verify, recipient, why] of [
      [TUD, UVA, /TUD holds data of this request itself/],
      [SARA, SARA, /SARA receives the results/],
      [SARA, SURF, /SURF receives the results/]
    ] as const) {
      const { plan, refusals } = await composed(verify.peer, {
        recipient: { peer: recipient.peer, organisation: recipient.organisation }
      })
      expect(plan).to.equal(null)
      expect(refusals.map(({ refusal }) => refusal.reason).join()).to.match(why)
    }
  })

  it('are not run again by another agent of who runs them first, or of who receives the result', async () => {
    const other = await anAgent('SURF', NOW, 'SURF-2')
    const dossier = await aRequest({ verify: other.peer })
    const answers = await answersOf(
      dossier,
      [...HOLDERS, SURF, other].map((agent) => [agent] as const)
    )
    const ofSame = compose(compositionOf(dossier, answers))
    expect(ofSame.plan).to.equal(null)
    expect(ofSame.candidates[ROW.surf]?.why).to.equal(
      'verify-not-possible: SURF cannot run again what it runs itself'
    )
    const { plan, refusals } = await composed(SARA.peer, {
      recipient: { peer: other.peer, organisation: 'SARA' }
    })
    expect(plan).to.equal(null)
    expect(refusals.map(({ refusal }) => refusal.reason).join()).to.match(/SARA receives the results/)
  })

  it('are not compared where the algorithm says that it does not give the same twice', async () => {
    const average = manifests.algorithms.get('average')
    if (average === undefined) throw new Error('expected average')
    const algorithms = new Map(manifests.algorithms).set('average', { ...average, deterministic: false })
    const { plan, refusals } = await composed(SARA.peer, { manifests: { ...manifests, algorithms } })
    expect(plan).to.equal(null)
    expect(refusals.map(({ refusal }) => refusal.code)).to.include('verify-not-possible')
  })

  it('need the permission of whoever runs them again, as of everybody', async () => {
    const rows = Object.fromEntries([0, 1, 2].map((row) => [row, { refuse: 'hosting-not-offered' as const }]))
    const { plan, candidates } = await composed(SARA.peer, {}, { specs: [[SARA, { rows }]] })
    expect(plan).to.equal(null)
    expect(candidates[ROW.surf]?.why).to.equal('SARA: hosting-not-offered')
  })

  it('keep who runs them again when the first drops out, and end when that one does', async () => {
    const rows = [SURF, TUD].map(({ peer }) => ({ archetype: 'dataThroughTtp', infrastructure: peer }))
    const providers = [VU.peer, RUG.peer]
    const without = new Map([[SURF.peer, 'party-lost']])
    const other = await composed(SARA.peer, { without }, { request: { rows, providers } })
    expect(other.plan?.infrastructure?.organisation).to.equal('TUD')
    expect(other.plan?.verifier?.organisation).to.equal('SARA')
    const lost = await composed(SARA.peer, { without: new Map([[SARA.peer, 'party-lost']]) })
    expect(lost.plan).to.equal(null)
    expect(lost.candidates[ROW.surf]?.why).to.equal('SARA dropped out: party-lost')
  })

  it('are paid twice, and count against the limits', async () => {
    const rows = [{ archetype: 'dataThroughTtp', infrastructure: SURF.peer }]
    const dossier = await aRequest({ rows })
    const answers = await answersOf(
      dossier,
      [...HOLDERS, SURF, SARA].map((agent) => [agent] as const)
    )
    const once = compose(compositionOf(dossier, answers))
    const twice = await composed(SARA.peer, {}, { request: { rows } })
    expect(twice.expected).to.be.greaterThan(once.expected ?? 0)
    const within = { time: Math.ceil(once.expected ?? 0) }
    const limited = await composed(SARA.peer, { preferences: { ...EVENLY, within } }, { request: { rows } })
    expect(limited.refusals.map(({ refusal }) => refusal.code)).to.deep.equal(['time-limit'])
  })
})
