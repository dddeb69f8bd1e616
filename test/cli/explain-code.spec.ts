import { expect } from 'chai'
import { REFUSAL_CODES } from '../../protocol/documents/index.ts'
import { runs } from './fake-terminal.ts'

describe('dynamos explain', () => {
  it('shows the page of a code, also by its name in a problem of the HTTP interface', async () => {
    const { code, out } = await runs(['explain', 'no-agreement'])
    expect(code).to.equal(0)
    expect(out)
      .to.match(/^# `no-agreement`\n/)
      .and.to.include('## What to do')
    expect((await runs(['explain', 'urn:dynamos:error:no-agreement'])).out).to.equal(out)
  })

  it('prints one JSON document', async () => {
    const { out } = await runs(['explain', 'busy', '--json'])
    expect(JSON.parse(out)).to.have.all.keys('code', 'page')
  })

  it('lists every code without one', async () => {
    const { out } = await runs(['explain'])
    expect(out.split('\n')).to.include.members([...REFUSAL_CODES, 'timeout', 'usage'])
  })

  it('suggests the code that was meant, and reads no other file', async () => {
    const { code, err } = await runs(['explain', 'no-agrement'])
    expect(code).to.equal(2)
    expect(err).to.include('did you mean "no-agreement"?')
    for (const other of ['README', '../../README', '/etc/passwd', 'toString'])
      expect((await runs(['explain', other])).code, other).to.equal(2)
  })
})

describe('an error of a command', () => {
  it('says where its code is explained', async () => {
    const { err } = await runs(['agent', 'run', '--config', '/does/not/exist.yaml'])
    expect(err).to.include('see docs/errors/config-invalid.md, or: dynamos explain config-invalid')
  })

  it('is enough by itself when the command line was wrong', async () => {
    expect((await runs(['explain', 'nothing-like-it'])).err).not.to.include('docs/errors')
  })
})
