import { expect } from 'chai'
import { FAILURE_CODES, REFUSAL_CODES } from '../../protocol/documents/index.ts'
import { roomSources, text } from '../architecture/sources.ts'

/** The codes that a page has a row for. */
function documented(page: string): string[] {
  return [...text(`docs/errors/${page}.md`).matchAll(/^\| `(?<code>[a-z-]+)` \|/gm)].map(
    ({ groups }) => groups?.code ?? ''
  )
}

/** What errors, and answers of the HTTP interface, are made with. */
const MADE = /super\(\s*'(?<base>[a-z]+(?:-[a-z]+)*)'|new ApiProblem\(\s*\d+,\s*'(?<problem>[a-z-]+)'/g

describe('The pages of codes', () => {
  it('have one row for each refusal, and no other', () => {
    expect(documented('refusals').sort()).to.deep.equal([...REFUSAL_CODES].sort())
  })

  it('have one row for each failure, and no other', () => {
    expect(documented('failures').sort()).to.deep.equal([...FAILURE_CODES].sort())
  })

  it('have a row for each code that an error of the agent has', () => {
    const known = new Set(['refusals', 'failures', 'local'].flatMap(documented))
    const missing = roomSources().flatMap((path) =>
      [...text(path).matchAll(MADE)]
        .map(({ groups }) => groups?.base ?? groups?.problem ?? '')
        .filter((code) => !known.has(code))
        .map((code) => `${path}: ${code}`)
    )
    expect(missing).to.deep.equal([])
  })

  it('say in every row what it means and what to do', () => {
    for (const page of ['refusals', 'failures', 'local'])
      for (const line of text(`docs/errors/${page}.md`)
        .split('\n')
        .filter((row) => row.startsWith('| `')))
        expect(
          line
            .split('|')
            .slice(2, 4)
            .every((cell) => cell.trim() !== ''),
          line
        ).to.equal(true)
  })
})
