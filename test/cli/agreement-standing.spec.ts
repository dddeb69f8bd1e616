import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { FastifyInstance } from 'fastify'
import type { Operations, StandingOperations } from '../../agent/api/index.ts'
import { agreementParties, parseAgreement, takenTerms } from '../../policy/index.ts'
import {
  decodeSigned,
  encodePlain,
  idOf,
  type SignedBytes,
  signFields
} from '../../protocol/documents/index.ts'
import { ANALYST_TOKEN, anAgreement, anOffer, fakeApi, fakeStanding, TOKEN } from '../api/fake-operations.ts'
import { keyOf } from '../membership/builders.ts'
import { runs } from './fake-terminal.ts'

const TEXT = `agreement: open-wages
provider: VU
dataset: wages
standing: {takers: [UVA, RUG], max: 3, until: 2027-01-01}
purposes: [research]
archetypes: [computeToData]
tables: {people: {columns: [wage]}}
algorithms: [average]
`

describe('agreement publish, take and withdraw', () => {
  let cwd = ''
  let steward = ''
  let issuer = ''
  let carried: SignedBytes | undefined
  const open: FastifyInstance[] = []
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'dynamos-standing-'))
    await writeFile(join(cwd, 'open.yaml'), TEXT)
    await writeFile(join(cwd, 'token'), TOKEN)
    await writeFile(join(cwd, 'analyst'), ANALYST_TOKEN)
    const made = JSON.parse((await runs(['init', '--organisation', 'UVA', '--json'], { cwd })).out)
    steward = made.steward
    issuer = made.peerId
    carried = (await signFields('standing-offer', offer(), await keyOf('VU'))).bytes
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((api) => api.close()))
    await rm(cwd, { recursive: true })
  })

  const head = () => ({ version: 1, marketplace: '', issuer, issuedAt: 1 })
  const { terms } = parseAgreement(TEXT, 'a.yaml', () => undefined)
  const offer = (changes: object = {}) => ({
    ...head(),
    type: 'standing-offer',
    expires: Date.parse('2027-01-01'),
    name: 'open-wages',
    provider: 'VU',
    dataset: 'wages',
    takers: ['UVA', 'RUG'],
    max: 3,
    terms,
    pins: {},
    ...changes
  })
  const taken = (changes: object = {}, taker = 'UVA') => ({
    ...head(),
    type: 'agreement',
    expires: 2,
    name: `open-wages.${taker}`,
    provider: 'VU',
    dataset: 'wages',
    parties: agreementParties({ provider: 'VU', terms: takenTerms(terms, taker) }),
    terms: takenTerms(terms, taker),
    pins: {},
    standing: carried,
    ...changes
  })
  const prepared = async <View>(fields: object, view: View) => {
    const bytes = encodePlain(fields)
    return { id: await idOf(bytes), payload: Buffer.from(bytes).toString('base64'), view }
  }
  const run = async (
    words: string[],
    standing: Partial<StandingOperations> = {},
    changes: Partial<Operations> = {},
    token = 'token'
  ) => {
    const api = fakeApi({ standing: { ...fakeStanding(), ...standing }, ...changes })
    open.push(api)
    const url = await api.listen({ host: '127.0.0.1', port: 0 })
    return await runs(['agreement', ...words, '--agent', url, '--token', token], { cwd })
  }
  const publish = async (fields: object) => {
    const seen: string[] = []
    const ran = await run(['publish', 'open.yaml', '--yes'], {
      prepare: async () => await prepared(fields, anOffer({ state: 'draft' })),
      publish: async ({ signed }) => {
        seen.push(signed ?? '')
        return anOffer({ takers: ['UVA', 'RUG'], max: 3, takenBy: [] })
      }
    })
    return { ...ran, seen }
  }
  const take = async (fields: object, words = ['--yes']) => {
    const seen: string[] = []
    const ran = await run(
      ['take', 'open-wages', '--from', 'VU', ...words],
      { prepareTaking: async () => await prepared(fields, anAgreement({ state: 'draft' })) },
      {
        signAgreement: async ({ signed }) => {
          seen.push(signed ?? '')
          return anAgreement({ name: 'open-wages.UVA', standing: 'open-wages' })
        }
      }
    )
    return { ...ran, seen }
  }
  const bytesOf = (signed: string | undefined) => new Uint8Array(Buffer.from(signed ?? '', 'base64'))

  it('publish what the file says, signed by the steward at hand and told in words', async () => {
    const { code, out, err, seen } = await publish(offer())
    expect(code, err).to.equal(0)
    expect(err).to.include('A standing offer: UVA and RUG may take it, 3 at most, before 2027-01-01.')
    expect(out).to.include('Taken by 0 of 3. Open to UVA, RUG.')
    const signed = await decodeSigned('standing-offer', bytesOf(seen[0]))
    expect(signed.signers).to.deep.equal([steward])
    expect(signed.payload).to.deep.equal(offer())
  })

  for (const [what, change] of Object.entries({
    'more takers': { takers: '*' },
    'more of them': { max: 4 },
    'a later end': { expires: Date.parse('2028-01-01') },
    'other terms': { terms: { ...terms, purposes: '*' } },
    'another dataset': { dataset: 'other' }
  }))
    it(`publish no offer that has ${what} than the file`, async () => {
      const { code, err, seen } = await publish(offer(change))
      expect(code).to.equal(4)
      expect(err).to.include('another offer than that of the file')
      expect(seen).to.deep.equal([])
    })

  it('take it as it is, signed by the steward at hand and told in words', async () => {
    const { code, out, err, seen } = await take(taken())
    expect(code, err).to.equal(0)
    expect(err).to.include('VU lets everybody at UVA ask about the dataset wages')
    expect(out).to.include('It is the standing offer open-wages of VU, taken.')
    const signed = await decodeSigned('agreement', bytesOf(seen[0]))
    expect(signed.signers).to.deep.equal([steward])
    expect(signed.standing?.payload).to.deep.equal(offer())
  })

  for (const [what, fields] of Object.entries({
    'of another provider': () => taken({ provider: 'KLM' }),
    'that is no offer taken': () => taken({ standing: undefined }),
    'of another consumer': () => taken({}, 'RUG')
  }))
    it(`sign nothing ${what}`, async () => {
      const { code, err, seen } = await take(fields())
      expect(code).to.equal(4)
      expect(err).to.include('something else than what VU offers to UVA')
      expect(seen).to.deep.equal([])
    })

  it('ask for a yes where nobody can be asked', async () => {
    const { code, err } = await take(taken(), [])
    expect(code).to.equal(2)
    expect(err).to.include('agreement show open-wages --from "VU"')
  })

  it('are listed and withdrawn, with who took them', async () => {
    const listed = await run(['list', '--standing', '--from', 'VU'], {
      list: async (from) => ({
        offers: [anOffer({ provider: from ?? '', name: 'evil\u001b[2J', takenBy: ['UVA'] })],
        unreached: [{ organisation: 'RUG', reason: 'it is away' }]
      })
    })
    expect(listed.code, listed.err).to.equal(0)
    expect(listed.out).to.match(/published {2}VU {8}wageGap/)
    expect(listed.out).not.to.include('\u001b')
    expect(listed.err).to.include('RUG was not asked: it is away')
    const withdrawn = await run(['withdraw', 'open-wages'])
    expect(withdrawn.out).to.include('withdrawn')
    expect((await run(['list', '--from', 'VU'])).code).to.equal(2)
  })

  it('are left to those with the role for it, and others are told which it is', async () => {
    const { code, err } = await run(['withdraw', 'open-wages'], {}, {}, 'analyst')
    expect(code).to.equal(4)
    expect(err).to.include('expected the token of a steward of this agent to withdraw a standing offer')
    expect(err).to.include('role-required')
  })
})
