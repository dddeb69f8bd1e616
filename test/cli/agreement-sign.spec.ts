import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { FastifyInstance } from 'fastify'
import type { Operations } from '../../agent/api/index.ts'
import { agreementParties, parseAgreement } from '../../policy/index.ts'
import { decodeSigned, encodePlain, idOf, type Payload } from '../../protocol/documents/index.ts'
import { anAgreement, fakeApi, TOKEN } from '../api/fake-operations.ts'
import { runs } from './fake-terminal.ts'

const TEXT = `agreement: wages
provider: VU
dataset: wages
consumers: [{organisation: UVA}, {user: analyst@rug.nl}]
purposes: [research]
archetypes: [computeToData]
tables: {people: {columns: [wage]}}
algorithms: [average]
`

describe('agreement sign', () => {
  let cwd = ''
  let steward = ''
  let issuer = ''
  const open: FastifyInstance[] = []
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'dynamos-sign-'))
    await writeFile(join(cwd, 'a.yaml'), TEXT)
    await writeFile(join(cwd, 'token'), TOKEN)
    const made = JSON.parse((await runs(['init', '--organisation', 'VU', '--json'], { cwd })).out)
    steward = made.steward
    issuer = made.peerId
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((api) => api.close()))
    await rm(cwd, { recursive: true })
  })

  function payload(): Payload<'agreement'> {
    const draft = parseAgreement(TEXT, 'a.yaml', (name) => ({ organisation: 'RUG', name }))
    return {
      type: 'agreement',
      version: 1,
      marketplace: '',
      issuer,
      issuedAt: 1,
      expires: 2,
      name: draft.name,
      provider: draft.provider,
      dataset: draft.dataset,
      parties: agreementParties(draft),
      terms: draft.terms,
      pins: {}
    }
  }

  async function sign(words: string[], changes: Partial<Operations> = {}) {
    const seen: { text?: string; signed?: string }[] = []
    const api = fakeApi({
      prepareAgreement: async () => {
        const bytes = encodePlain(payload())
        return {
          id: await idOf(bytes),
          payload: Buffer.from(bytes).toString('base64'),
          view: anAgreement({ state: 'draft' })
        }
      },
      signAgreement: async (input) => {
        seen.push(input)
        return anAgreement()
      },
      ...changes
    })
    open.push(api)
    const url = await api.listen({ host: '127.0.0.1', port: 0 })
    const ran = await runs(['agreement', 'sign', 'a.yaml', ...words, '--agent', url, '--token', 'token'], {
      cwd
    })
    return { ...ran, seen }
  }

  it('signs with the steward’s key at hand, and tells in words what', async () => {
    const { code, err, seen } = await sign([])
    expect(code, err).to.equal(0)
    expect(err).to.include('They may see of people: wage')
    const bytes = new Uint8Array(Buffer.from(seen[0]?.signed ?? '', 'base64'))
    const signed = await decodeSigned('agreement', bytes)
    expect(signed.signers).to.deep.equal([steward])
    expect(signed.payload).to.deep.equal(payload())
  })

  it('lets the agent sign when told so', async () => {
    const { code, seen } = await sign(['--by-agent'])
    expect(code).to.equal(0)
    expect(seen).to.deep.equal([{ text: TEXT }])
  })

  it('sends the hierarchy files along that lie beside the agreement', async () => {
    const text = `${TEXT}anonymize: {generalise: {wage: {hierarchy: deeper/wage.csv}}}\n`
    await writeFile(join(cwd, 'a.yaml'), text)
    await mkdir(join(cwd, 'deeper'))
    await writeFile(join(cwd, 'deeper', 'wage.csv'), '1,low\n2,high\n')
    const { code, seen } = await sign(['--by-agent'])
    expect(code).to.equal(0)
    expect(seen).to.deep.equal([{ text, files: { 'deeper/wage.csv': '1,low\n2,high\n' } }])
  })

  it('signs no other values than those of the hierarchy file', async () => {
    const text = `${TEXT}anonymize: {generalise: {wage: {hierarchy: wage.csv}}}\n`
    await writeFile(join(cwd, 'a.yaml'), text)
    await writeFile(join(cwd, 'wage.csv'), '1,low\n2,high\n')
    const resolve = (name: string) => ({ organisation: 'RUG', name })
    const terms = (file: string) => parseAgreement(text, 'a.yaml', resolve, () => file).terms
    const prepared = async (file: string) => {
      const bytes = encodePlain({ ...payload(), terms: terms(file) })
      return { id: await idOf(bytes), payload: Buffer.from(bytes).toString('base64'), view: anAgreement() }
    }
    const honest = await sign(['--yes'], { prepareAgreement: async () => await prepared('1,low\n2,high\n') })
    expect(honest.code).to.equal(0)
    expect(honest.err).to.include('turns 2 values of wage into 2 by level 1 of wage.csv')
    const lying = await sign(['--yes'], { prepareAgreement: async () => await prepared('1,1\n2,2\n') })
    expect(lying.code).to.equal(4)
    expect(lying.err).to.include('other terms than those of the file')
  })

  it('signs nothing that is not what the agent called it', async () => {
    const { code, err, seen } = await sign([], {
      prepareAgreement: async () => ({
        id: await idOf(encodePlain({ another: 'one' })),
        payload: Buffer.from(encodePlain(payload())).toString('base64'),
        view: anAgreement()
      })
    })
    expect(code).to.equal(4)
    expect(err).to.include('bytes that are not what they are called')
    expect(seen).to.deep.equal([])
  })

  it('signs no other terms than those of the file', async () => {
    const { terms, ...rest } = payload()
    const other = encodePlain({ ...rest, terms: { ...terms, purposes: '*' } })
    const { code, err, seen } = await sign(['--yes'], {
      prepareAgreement: async () => ({
        id: await idOf(other),
        payload: Buffer.from(other).toString('base64'),
        view: anAgreement()
      })
    })
    expect(code).to.equal(4)
    expect(err).to.include('other terms than those of the file')
    expect(seen).to.deep.equal([])
  })

  it('signs nothing that is no agreement', async () => {
    const other = encodePlain({ pay: 'a million' })
    const { code, seen } = await sign([], {
      prepareAgreement: async () => ({
        id: await idOf(other),
        payload: Buffer.from(other).toString('base64'),
        view: anAgreement()
      })
    })
    expect(code).to.equal(2)
    expect(seen).to.deep.equal([])
  })
})
