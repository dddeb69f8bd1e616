import { expect } from 'chai'
import { z } from 'zod'
import { DOCUMENTS } from '../../protocol/documents/index.ts'
import { filesBelow, text } from '../architecture/sources.ts'

const HEADER = ['type', 'version', 'marketplace', 'issuer', 'issuedAt', 'expires']
const page = text('docs/protocol.md')

/** The fields in the first table under a heading. */
function fieldsOf(type: string): string[] {
  const [, after = ''] = page.split(`\n### ${type}\n`)
  const [section = ''] = after.split(/\n##/)
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(?<field>[^`]+)`/g)])
    .map(({ groups }) => groups?.field ?? '')
}

describe('docs/protocol.md', () => {
  for (const [type, schema] of Object.entries(DOCUMENTS))
    it(`lists the fields of ${type}`, () => {
      const object = z.instanceof(z.ZodObject).parse(schema)
      const own = Object.keys(object.shape).filter((field) => !HEADER.includes(field))
      expect(fieldsOf(type).sort()).to.deep.equal(own.sort())
    })

  it('names every protocol id of the sources', () => {
    const ids = filesBelow('protocol', (path) => path.endsWith('.ts'))
      .flatMap((path) => [...text(path).matchAll(/_PROTOCOL = '(?<id>[^']+)'/g)])
      .map(({ groups }) => groups?.id ?? '')
    expect(ids).to.include('/dynamos/hello/1')
    expect(ids.filter((id) => !page.includes(`\`${id}\``))).to.deep.equal([])
  })
})
