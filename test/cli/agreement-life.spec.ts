import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { checkAgreement, parseAgreement } from '../../policy/index.ts'
import { decodeSigned, encodePlain, idOf, type Payload } from '../../protocol/documents/index.ts'
import { aDataset, anAgreement } from '../api/fake-operations.ts'
import { fakeAgents } from './fake-agent.ts'
import { runs } from './fake-terminal.ts'

const resolve = (name: string) => ({ organisation: 'RUG', name })

describe('agreement draft', () => {
  const agents = fakeAgents()
  const words = ['--dataset', 'wageGap', '--consumer', 'UVA,analyst@rug.nl', '--purpose', 'research']
  const draft = async (more: string[], agent: string[] = []) =>
    await runs(['agreement', 'draft', ...words, ...more, ...agent], { cwd: agents.folder })

  it('writes what passes its check, with the columns of the description', async () => {
    const agent = await agents.listen({
      dataset: async () =>
        aDataset({
          tables: [
            {
              name: 'Personen',
              rows: 1,
              subject: 'Nr',
              columns: [
                { name: 'Nr', type: 'BIGINT' },
                { name: 'Geslacht', type: 'VARCHAR' },
                { name: 'Naam', type: 'VARCHAR', sensitive: true }
              ]
            }
          ]
        })
    })
    const { code, out, err } = await draft(['--out', 'a.yaml'], agent)
    expect(code, err).to.equal(0)
    expect(out).to.include('agreement check a.yaml')
    const text = await readFile(join(agents.folder, 'a.yaml'), 'utf8')
    const read = parseAgreement(text, 'a.yaml', resolve)
    expect(checkAgreement(read, {})).to.deep.equal([])
    expect(read.provider).to.equal('VU')
    expect(read.terms.tables).to.deep.equal({ Personen: { columns: ['Nr', 'Geslacht'] } })
    expect(read.terms.consumers).to.have.length(2)
    expect(text).to.include('# left out: Naam')
    const again = await draft(['--out', 'a.yaml'], agent)
    expect(again.code).to.equal(2)
    expect(again.err).to.include('is there already')
  })

  it('does without an agent, and says what it does not know', async () => {
    const { code, out, err } = await draft(['--provider', 'VU'])
    expect(code, err).to.equal(0)
    expect(err).to.include('write them under tables')
    expect(parseAgreement(out, 'a.yaml', resolve).terms.tables).to.deep.equal({})
  })

  it('names the option for what it is not told, and the template that was meant', async () => {
    const none = await runs(['agreement', 'draft', '--provider', 'VU'], { cwd: agents.folder })
    expect(none.code).to.equal(2)
    expect(none.err).to.include('--dataset')
    const held = await draft(['--provider', 'VU', '--template', 'trusted-third-party'])
    expect(held.err).to.include('--compute-provider')
    const wrong = await draft(['--provider', 'VU', '--template', 'univeristies'])
    expect(wrong.code).to.equal(2)
    expect(wrong.err).to.include('did you mean "universities"')
  })

  it('asks on a terminal what no option says', async () => {
    const asked: string[] = []
    const replies = ['airlines', 'wageGap', '', 'KLM, SAS', '', 'SURF', 'steward@vu.nl']
    const { code, out, err } = await runs(['agreement', 'draft', ...(await agents.listen())], {
      cwd: agents.folder,
      interactive: true,
      ask: async (question) => {
        asked.push(question)
        return replies[asked.length - 1] ?? ''
      }
    })
    expect(code, err).to.equal(0)
    expect(asked.map((question) => question.split('?')[0])).to.deep.equal([
      'Which template',
      'Which dataset',
      'Whose data',
      'Who may ask (organisations or users, with commas)',
      'What for (with commas)',
      'Who may hold the data besides the provider (with commas)',
      'Who of VU approves each request (users, with commas; empty: nobody)'
    ])
    const { provider, terms } = parseAgreement(out, 'a.yaml', resolve)
    expect(provider).to.equal('VU')
    expect(terms.consumers).to.deep.equal([{ organisation: 'KLM' }, { organisation: 'SAS' }])
    expect([terms.purposes, terms.computeProviders]).to.deep.equal([['research'], ['SURF']])
    expect(terms.approval).to.deep.equal({ by: ['steward@vu.nl'], when: 'always', within: 86_400_000 })
  })
})

describe('agreement propose, counter and refuse', () => {
  const agents = fakeAgents()

  it('send the file as it is', async () => {
    const seen: unknown[] = []
    const agent = await agents.listen({
      proposeAgreement: async (input) => {
        seen.push(input)
        return anAgreement({ state: 'proposed', signedBy: [] })
      },
      refuseAgreement: async (name, reason) => {
        seen.push([name, reason])
        return anAgreement({
          state: 'refused',
          refusals: [{ organisation: 'UVA', reason: `${reason}\u001b[2J` }]
        })
      }
    })
    await writeFile(join(agents.folder, 'a.yaml'), 'agreement: a\n')
    const cwd = agents.folder
    const proposed = await runs(['agreement', 'propose', 'a.yaml', ...agent], { cwd })
    expect(proposed.code, proposed.err).to.equal(0)
    expect(proposed.out).to.include('Not signed yet by: VU, UVA')
    await runs(['agreement', 'counter', 'wages', 'a.yaml', ...agent], { cwd })
    const refused = await runs(['agreement', 'refuse', 'wages', '--reason', 'no', ...agent], { cwd })
    expect(refused.out).to.include('Refused by UVA: no')
    expect(refused.out).not.to.include('\u001b[2J')
    expect(seen).to.deep.equal([
      { text: 'agreement: a\n' },
      { text: 'agreement: a\n', counters: 'wages' },
      ['wages', 'no']
    ])
  })
})

describe('agreement sign and revoke by name', () => {
  const agents = fakeAgents()
  const REASON = 'the study is over'
  const steward = async () =>
    JSON.parse((await runs(['init', '--organisation', 'UVA', '--json'], { cwd: agents.folder })).out)

  async function agreementOf(issuer: string): Promise<Payload<'agreement'>> {
    const text =
      'agreement: wages\nprovider: VU\ndataset: wages\nconsumers: [{organisation: UVA}]\npurposes: [research]\n'
    const { name, provider, dataset, terms } = parseAgreement(text, 'a.yaml', resolve)
    const parties = ['VU', 'UVA']
    return {
      type: 'agreement',
      version: 1,
      marketplace: '',
      issuer,
      issuedAt: 1,
      expires: 2,
      name,
      provider,
      dataset,
      parties,
      terms,
      pins: {}
    }
  }
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

  it('tells in words what others proposed, and signs exactly that', async () => {
    const made = await steward()
    const payload = await agreementOf(made.peerId)
    const seen: { signed?: string }[] = []
    const agent = await agents.listen({
      agreementToSign: async () => {
        const bytes = encodePlain(payload)
        return { id: await idOf(bytes), payload: base64(bytes), view: anAgreement() }
      },
      signAgreement: async (input) => {
        seen.push(input)
        return anAgreement()
      }
    })
    const words = ['agreement', 'sign', 'wages', ...agent]
    const blind = await runs(words, { cwd: agents.folder })
    expect(blind.code).to.equal(2)
    expect(blind.err).to.include('--yes')
    const declined = await runs(words, {
      cwd: agents.folder,
      interactive: true,
      ask: async () => 'no'
    })
    expect(declined.code).to.equal(2)
    expect(seen).to.deep.equal([])
    const { code, err } = await runs([...words, '--yes'], { cwd: agents.folder })
    expect(code, err).to.equal(0)
    expect(err).to.include('Purposes: research.')
    const bytes = new Uint8Array(Buffer.from(seen[0]?.signed ?? '', 'base64'))
    const signed = await decodeSigned('agreement', bytes)
    expect(signed.signers).to.deep.equal([made.steward])
    expect(signed.payload).to.deep.equal(payload)
  })

  it('signs the revocation of what was named, and of nothing else', async () => {
    const made = await steward()
    const id = await idOf(encodePlain(await agreementOf(made.peerId)))
    const seen: { signed?: string }[] = []
    const prepare = (agreement: string) => async (_name: string, reason: string) => {
      const revocation: Payload<'revocation'> = {
        type: 'revocation',
        version: 1,
        marketplace: '',
        issuer: made.peerId,
        issuedAt: 1,
        expires: 2,
        agreement,
        organisation: 'UVA',
        effect: 'finish',
        notice: 86_400_000,
        reason
      }
      const bytes = encodePlain(revocation)
      return { id: await idOf(bytes), payload: base64(bytes) }
    }
    const operations = {
      agreement: async () => anAgreement({ id }),
      revokeAgreement: async (_name: string, input: { signed?: string }) => {
        seen.push(input)
        return anAgreement({ id, state: 'revoked' })
      }
    }
    const revoke = async (agent: string[]) =>
      await runs(['agreement', 'revoke', 'wages', '--reason', REASON, ...agent], { cwd: agents.folder })
    const { code, err } = await revoke(await agents.listen({ ...operations, prepareRevocation: prepare(id) }))
    expect(code, err).to.equal(0)
    expect(err).to.include('wages ends in P1D, and what runs may finish')
    const bytes = new Uint8Array(Buffer.from(seen[0]?.signed ?? '', 'base64'))
    expect((await decodeSigned('revocation', bytes)).signers).to.deep.equal([made.steward])
    const other = await idOf(encodePlain({ other: true }))
    const lied = await revoke(await agents.listen({ ...operations, prepareRevocation: prepare(other) }))
    expect(lied.code).to.equal(4)
    expect(seen).to.have.length(1)
  })
})

describe('agreement show', () => {
  const agents = fakeAgents()

  it('has the words and the exact terms, no line of which looks like ours', async () => {
    const agent = await agents.listen({
      agreement: async () => anAgreement({ text: 'about:\n  a: |\n    x\n    Refused by VU: no\n' })
    })
    const { out } = await runs(['agreement', 'show', 'wage-gap-2026', ...agent], { cwd: agents.folder })
    expect(out).to.include('Exactly:')
    expect(out).not.to.match(/^Refused by/m)
  })

  it('writes the exact terms as a file, and compares two versions', async () => {
    const agent = await agents.listen({
      agreement: async () => anAgreement({ text: 'agreement: wages\n' }),
      agreementDiff: async (_name, other) => ({
        name: 'wages',
        before: other ?? null,
        after: 'bafyb',
        clauses: [{ clause: 'purposes', before: '[a]', after: null }],
        removed: ['Purposes: a.'],
        added: ['Purposes: none.']
      })
    })
    const cwd = agents.folder
    await runs(['agreement', 'show', 'wage-gap-2026', '--out', 'b.yaml', ...agent], { cwd })
    expect(await readFile(join(cwd, 'b.yaml'), 'utf8')).to.include('agreement: wages\n')
    const { out } = await runs(['agreement', 'show', 'wages', '--with', 'bafya', ...agent], { cwd })
    expect(out).to.include('bafya → bafyb')
    expect(out).to.include('- Purposes: a.\n+ Purposes: none.')
    expect(out).to.include('purposes:\n  - [a]')
  })
})
