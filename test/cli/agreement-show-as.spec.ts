import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { AgreementView } from '../../agent/api/index.ts'
import { anAgreement, fakeApi, TOKEN } from '../api/fake-operations.ts'
import { TERMS } from '../policy/builders.ts'
import { runs } from './fake-terminal.ts'

const TEXT = `agreement: wages
provider: VU
dataset: wages
consumers: [{user: analyst@uva.nl}]
purposes: [research]
archetypes: [computeToData]
tables: {people: {columns: [wage]}}
algorithms: [average]
`

describe('agreement show --as', () => {
  let cwd = ''
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'dynamos-show-'))
    await writeFile(join(cwd, 'a.yaml'), TEXT)
    await writeFile(join(cwd, 'token'), TOKEN)
  })
  after(() => rm(cwd, { recursive: true }))

  async function shown(words: string[], view?: Partial<AgreementView>) {
    const api = fakeApi({ agreement: async () => anAgreement({ terms: TERMS, ...view }) })
    try {
      const url = await api.listen({ host: '127.0.0.1', port: 0 })
      return await runs(['agreement', 'show', ...words, '--agent', url, '--token', 'token'], { cwd })
    } finally {
      await api.close()
    }
  }

  it('shows a file as each form, without an agent', async () => {
    const odrl = await runs(['agreement', 'show', 'a.yaml', '--as', 'odrl'], { cwd })
    expect(odrl.code, odrl.err).to.equal(0)
    expect(JSON.parse(odrl.out)).to.include({ '@type': 'Offer', uid: 'urn:dynamos:draft:VU:wages' })
    expect(odrl.err).to.match(/called by its mail domain/)
    const eflint = await runs(['agreement', 'show', './a.yaml', '--as', 'eflint'], { cwd })
    expect(eflint.out).to.match(/^\+agreement\("VU"\)\.$/m)
    const text = await runs(['agreement', 'show', 'a.yaml', '--as', 'text'], { cwd })
    expect(text.out).to.match(/^wages: VU lets analyst@uva\.nl of uva\.nl ask about the dataset wages\.$/m)
  })

  it('shows what is in force, by name, with its id', async () => {
    const { out, code } = await shown(['wage-gap-2026', '--as', 'odrl'])
    expect(code).to.equal(0)
    expect(JSON.parse(out)).to.include({
      '@type': 'Agreement',
      uid: 'urn:dynamos:agreement:bafyagreement',
      'dct:title': 'wage-gap-2026'
    })
    const waits = await shown(['wage-gap-2026', '--as', 'odrl'], { state: 'proposed', signedBy: ['VU'] })
    expect(JSON.parse(waits.out)['@type']).to.equal('Offer')
  })

  it('prints one JSON document with --json', async () => {
    for (const form of ['odrl', 'eflint', 'text']) {
      const { out } = await shown(['wage-gap-2026', '--as', form, '--json'])
      expect(out.trimEnd()).not.to.include('\n')
      if (form !== 'odrl') expect(JSON.parse(out)).to.have.keys(['form', 'text'])
    }
  })

  it('lets nothing of others write over the terminal', async () => {
    const terms = { ...TERMS, cedar: 'forbid \u001b[2J\u202e\u0085', about: { '\u009b1A': '\u2028' } }
    for (const form of ['odrl', 'eflint', 'text']) {
      const { out } = await shown(['wage-gap-2026', '--as', form], { terms })
      expect(out.replaceAll('\n', '')).not.to.match(/[\p{Cc}\u2028-\u202e]/u)
    }
  })

  it('says what is wrong with a file, a form or an agent', async () => {
    await writeFile(join(cwd, 'wrong.yaml'), `${TEXT}purpsoes: []\n`)
    const wrong = await runs(['agreement', 'show', 'wrong.yaml', '--as', 'odrl'], { cwd })
    expect(wrong.code).to.equal(2)
    expect(wrong.err).to.match(/wrong\.yaml:9: .*did you mean "purposes"/)
    const form = await runs(['agreement', 'show', 'a.yaml', '--as', 'xml'], { cwd })
    expect(form.code).to.equal(2)
    expect(form.err).to.match(/expected one of odrl, eflint, text/)
    const other = await shown(['wage-gap-2026', '--as', 'odrl'], { terms: { purposes: 'x' } })
    expect(other.code).not.to.equal(0)
    expect(other.err).to.match(/terms that are none of an agreement/)
  })
})
